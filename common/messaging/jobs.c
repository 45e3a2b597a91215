/* Outside calls: T1 commits the intent, the call is made, T2 commits its answer. An intent is never
 * given up: whatever fails is asked again, later, with the same key. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/failpoint.h"
#include "common/base/text.h"
#include "common/messaging/service_private.h"
#include "common/telemetry/log.h"

enum {
    RETRY_FIRST_MS = 200,
    RETRY_LAST_MS = 60000,
    /* A job in somebody's hands may be taken up by others after so many call timeouts. */
    LEASE_TIMEOUTS = 4,
};

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(service_alloc(size), text, size);
}

static struct call *call_new(const char *kind, const char *key, const char *request,
                             const char *traceparent)
{
    struct call *call = service_alloc(sizeof *call);
    *call = (struct call){.state = CALL_READY, .request = copy_text(request)};
    text_copy(call->kind, sizeof call->kind, kind);
    text_copy(call->key, sizeof call->key, key);
    text_copy(call->traceparent, sizeof call->traceparent, traceparent);
    snprintf(call->job_id, sizeof call->job_id, "%s/%s", kind, key);
    return call;
}

static void call_free(struct call *call)
{
    free(call->request);
    free(call->response);
    free(call);
}

static int64_t lease_until_ms(const struct service *service)
{
    return service_wall_ms(service) + service->limits.call_timeout_ms * LEASE_TIMEOUTS;
}

static bool has_room(const struct service *service)
{
    return service->call_count < 4 * service->limits.calls_max;
}

enum result uow_call(struct uow *uow, const char *kind, const char *key, const char *request,
                     struct err *err)
{
    struct service *service = uow->service;
    int64_t changed = 0;
    bool ours = has_room(service); /* else whoever has room takes it up at once */
    int64_t due_ms = ours ? lease_until_ms(service) : uow->now_ms;
    const char *traceparent = uow->traceparent ? uow->traceparent : "";
    enum result result = store_exec(
        service->parts.store,
        "INSERT INTO job(kind, key, request, attempts, due_ms, owner, traceparent) "
        "VALUES ($1, $2, $3, 0, $4, $5, $6) ON CONFLICT(kind, key) DO NOTHING",
        STORE_ARGS(store_text(kind), store_text(key), store_text(request), store_int(due_ms),
                   store_text(service->parts.owner), store_text(traceparent)),
        &changed, err);
    if (result != OK)
        return err_context(err, result, "job %s %s", kind, key);
    if (changed == 0)
        return OK;
    if (!ours) {
        if (due_ms < service->next_job_ms)
            service->next_job_ms = due_ms;
        return OK;
    }
    struct call *call = call_new(kind, key, request, traceparent);
    TAILQ_INSERT_TAIL(&service->fresh_calls, call, next);
    return OK;
}

/* Answers. */

static struct call *find_call(struct service *service, const char *job_id)
{
    struct call *call;
    TAILQ_FOREACH(call, &service->calls, next)
    {
        if (call->state == CALL_IN_FLIGHT && strcmp(call->job_id, job_id) == 0)
            return call;
    }
    return NULL;
}

static void answer(struct service *service, struct call *call, enum result outcome,
                   const char *response)
{
    call->state = CALL_ANSWERED;
    call->outcome = outcome;
    call->response = copy_text(response);
    service->calls_in_flight--;
    service->calls_answered++;
}

static void on_done(void *context, const char *job_id, enum result outcome, const char *response)
{
    struct service *service = context;
    struct call *call = find_call(service, job_id);
    if (call && FAILPOINT("answer-before"))
        outcome = UNKNOWN;
    if (call) /* else it answers twice, or after its deadline: the next attempt will hear the same */
        answer(service, call, outcome, response);
}

static void expire_calls(struct service *service)
{
    int64_t now_ms = service_mono_ms(service);
    struct call *call;
    TAILQ_FOREACH(call, &service->calls, next)
    {
        if (call->state == CALL_IN_FLIGHT && call->deadline_ms <= now_ms)
            answer(service, call, UNKNOWN, "");
    }
}

void jobs_pump(struct service *service)
{
    struct effect *effect = service->parts.effect;
    if (!effect)
        return;
    effect->ops->pump(effect, on_done, service);
    if (service->calls_in_flight > 0)
        expire_calls(service);
}

static int64_t retry_delay_ms(int64_t attempts)
{
    int64_t shift = attempts < 10 ? attempts : 10;
    int64_t delay = (int64_t)RETRY_FIRST_MS << shift;
    return delay < RETRY_LAST_MS ? delay : RETRY_LAST_MS;
}

static enum result ask_again(struct service *service, const struct call *call, struct err *err)
{
    int64_t due_ms =
        service_wall_ms(service) + service_jitter_ms(service, retry_delay_ms(call->attempts));
    if (due_ms < service->next_job_ms)
        service->next_job_ms = due_ms;
    char trace[TRACE_ID_SIZE];
    LOG_EVENT(service->parts.log, LOG_INFO, "call-again", LOG_TEXT("kind", call->kind),
              LOG_TEXT("key", call->key), LOG_TEXT("trace_id", trace_id(call->traceparent, trace)),
              LOG_TEXT("outcome", result_name(call->outcome)),
              LOG_NUMBER("attempts", call->attempts + 1));
    return store_exec(service->parts.store,
                      "UPDATE job SET attempts = attempts + 1, due_ms = $3 "
                      "WHERE kind = $1 AND key = $2",
                      STORE_ARGS(store_text(call->kind), store_text(call->key), store_int(due_ms)),
                      NULL, err);
}

static enum result settle_call(struct service *service, struct uow *uow, const struct call *call,
                               struct err *err)
{
    uint64_t writes = store_writes(service->parts.store);
    if (FAILPOINT("settle-before"))
        return err_set(err, RETRY, "job %s: failpoint", call->job_id);
    uow->traceparent = call->traceparent;
    enum result result = service->spec->job_done(service->parts.self, uow, call->kind, call->key,
                                                 call->request, call->outcome, call->response, err);
    uow->traceparent = NULL;
    if (result == OK || result == DUPLICATE)
        return store_exec(service->parts.store, "DELETE FROM job WHERE kind = $1 AND key = $2",
                          STORE_ARGS(store_text(call->kind), store_text(call->key)), NULL, err);
    if (store_failed(service->parts.store) || store_writes(service->parts.store) != writes)
        return err_context(err, result == CONFLICT ? CONFLICT : RETRY, "job %s", call->job_id);
    return ask_again(service, call, err);
}

static enum result settle_answers(struct service *service, struct uow *uow, struct err *err)
{
    struct call *call;
    enum result result = OK;
    if (service->calls_answered == 0)
        return OK;
    TAILQ_FOREACH(call, &service->calls, next)
    {
        if (result == OK && call->state == CALL_ANSWERED)
            result = settle_call(service, uow, call, err);
    }
    return result;
}

/* Taking up: jobs that are due, whoever made them. */

static bool holds(const struct service *service, const char *kind, const char *key)
{
    const struct call *call;
    TAILQ_FOREACH(call, &service->calls, next)
    {
        if (strcmp(call->key, key) == 0 && strcmp(call->kind, kind) == 0)
            return true;
    }
    return false;
}

static enum result take_job(void *context, const struct store_row *row, struct err *err)
{
    struct service *service = context;
    const char *kind = store_row_text(row, 0);
    (void)err;
    if (!has_room(service) || holds(service, kind, store_row_text(row, 1)))
        return OK;
    struct call *call =
        call_new(kind, store_row_text(row, 1), store_row_text(row, 2), store_row_text(row, 4));
    call->attempts = store_row_int(row, 3);
    TAILQ_INSERT_TAIL(&service->fresh_calls, call, next);
    return OK;
}

enum result jobs_refresh(struct service *service, struct err *err)
{
    int64_t due_ms = 0;
    enum result result =
        store_query_int(service->parts.store, "SELECT coalesce(min(due_ms), $1) FROM job",
                        STORE_ARGS(store_int(INT64_MAX)), &due_ms, err);
    if (result == OK)
        service->next_job_ms = due_ms;
    return result;
}

static enum result take_due_jobs(struct service *service, struct err *err)
{
    if (service->next_job_ms > service_wall_ms(service) || !has_room(service))
        return OK;
    enum result result = store_write_query(
        service->parts.store,
        "UPDATE job SET due_ms = $2, owner = $3 WHERE (kind, key) IN "
        "(SELECT kind, key FROM job WHERE due_ms <= $1 ORDER BY due_ms LIMIT $4) "
        "RETURNING kind, key, request, attempts, traceparent",
        STORE_ARGS(store_int(service_wall_ms(service)), store_int(lease_until_ms(service)),
                   store_text(service->parts.owner), store_int((int64_t)service->limits.calls_max)),
        take_job, service, err);
    return result == OK ? jobs_refresh(service, err) : result;
}

/* With no room a due job is no reason to wake: the answer that makes room is. */
int64_t jobs_next_ms(const struct service *service)
{
    bool takes = service->parts.effect && !service->draining && has_room(service);
    return takes ? service->next_job_ms : INT64_MAX;
}

bool jobs_have_work(const struct service *service)
{
    return service->calls_answered > 0 || jobs_next_ms(service) <= service_wall_ms(service);
}

enum result jobs_work(struct service *service, struct uow *uow, struct err *err)
{
    if (!service->parts.effect)
        return OK;
    enum result result = settle_answers(service, uow, err);
    if (result == OK && !service->draining)
        result = take_due_jobs(service, err);
    return result == OK ? OK : err_context(err, result, "jobs");
}

void jobs_committed(struct service *service)
{
    struct call *call = TAILQ_FIRST(&service->calls);
    bool answered = service->calls_answered > 0;
    while (call && answered) {
        struct call *after = TAILQ_NEXT(call, next);
        if (call->state == CALL_ANSWERED) {
            TAILQ_REMOVE(&service->calls, call, next);
            call_free(call);
            service->call_count--;
        }
        call = after;
    }
    service->calls_answered = 0;
    while ((call = TAILQ_FIRST(&service->fresh_calls))) {
        TAILQ_REMOVE(&service->fresh_calls, call, next);
        TAILQ_INSERT_TAIL(&service->calls, call, next);
        service->call_count++;
        service->calls_ready++;
    }
}

void jobs_rolled_back(struct service *service)
{
    struct call *call;
    while ((call = TAILQ_FIRST(&service->fresh_calls))) {
        TAILQ_REMOVE(&service->fresh_calls, call, next);
        call_free(call);
    }
    if (service->parts.effect)
        service->next_job_ms = 0; /* look again */
}

/* Calling. */

static enum result start_call(struct service *service, struct call *call)
{
    char unstable[128];
    const char *key = call->key;
    if (!service->parts.switches.stable_provider_key) {
        snprintf(unstable, sizeof unstable, "%s:%016" PRIx64, call->key,
                 clock_random64(service->parts.clock));
        key = unstable;
    }
    const struct effect_call request = {call->job_id, call->kind, key, call->request};
    if (FAILPOINT("call-before"))
        return RETRY;
    enum result result = service->parts.effect->ops->start(service->parts.effect, &request);
    if (result != OK)
        return result;
    call->state = CALL_IN_FLIGHT;
    call->deadline_ms = service_mono_ms(service) + service->limits.call_timeout_ms;
    service->calls_ready--;
    service->calls_in_flight++;
    if (FAILPOINT("call-after"))
        answer(service, call, UNKNOWN, "");
    return OK;
}

void jobs_start_calls(struct service *service)
{
    struct call *call;
    if (service->calls_ready == 0)
        return;
    TAILQ_FOREACH(call, &service->calls, next)
    {
        if (service->calls_in_flight >= service->limits.calls_max)
            return;
        if (call->state == CALL_READY && start_call(service, call) != OK)
            return; /* no room: after the next pump */
    }
}

/* What this owner held at its last end is due at once. */
enum result jobs_load(struct service *service, struct err *err)
{
    service->next_job_ms = 0;
    return store_exec(service->parts.store, "UPDATE job SET due_ms = 0 WHERE owner = $1",
                      STORE_ARGS(store_text(service->parts.owner)), NULL, err);
}

int64_t jobs_deadline_ms(struct service *service)
{
    struct effect *effect = service->parts.effect;
    if (!effect)
        return INT64_MAX;
    int64_t deadline = effect->ops->deadline_ms(effect);
    if (service->calls_in_flight > 0 && deadline > service_mono_ms(service) + 100)
        deadline = service_mono_ms(service) + 100; /* for the calls' own deadlines */
    return deadline;
}

static void free_calls(struct call_list *calls)
{
    struct call *call;
    while ((call = TAILQ_FIRST(calls))) {
        TAILQ_REMOVE(calls, call, next);
        call_free(call);
    }
}

void jobs_release(struct service *service)
{
    free_calls(&service->calls);
    free_calls(&service->fresh_calls);
}
