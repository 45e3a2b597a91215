/* What has arrived, or is due again, and what becomes of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/messaging/service_private.h"
#include "common/telemetry/log.h"

enum {
    ALONE_MAX = 10, /* times a redelivered message is run alone before it is taken for a killer */
    CONFLICT_MAX = 10, /* in a row, then it waits like any other failure */
};

/* When a deferred message runs again, by attempts so far; then it goes into quarantine. */
static const int64_t defer_ms[] = {1000, 10000, 60000, 600000, 600000, 600000};
enum { DEFER_MAX = sizeof defer_ms / sizeof defer_ms[0] };

static const char *queue_name(const struct service *service, const char *queue)
{
    const struct topology *topology = service->spec->topology;
    for (size_t i = 0; i < topology->queue_count; i++) {
        if (strcmp(topology->queues[i].name, queue) == 0)
            return topology->queues[i].name;
    }
    return "?";
}

static struct arrival *arrival_new(const char *body, size_t size)
{
    struct arrival *arrival = service_alloc(sizeof *arrival + size + 1);
    *arrival = (struct arrival){.size = size, .verdict = OK};
    if (size > 0)
        memcpy(arrival->body, body, size);
    arrival->body[size] = '\0';
    return arrival;
}

/* By its property; one without is known again by its content. */
static struct id message_id(const struct bus_delivery *delivery)
{
    struct id id;
    if (id_valid(delivery->message_id)) {
        memcpy(id.text, delivery->message_id, sizeof id.text);
        return id;
    }
    char hash[SHA256_HEX_SIZE];
    sha256_hex(delivery->body, delivery->size, hash);
    return ID_DERIVE("message", hash);
}

void intake_add(struct service *service, const struct bus_delivery *delivery)
{
    struct arrival *arrival = arrival_new(delivery->body, delivery->size);
    arrival->tag = delivery->tag;
    arrival->since_ms = service->pumped_ms;
    arrival->queue = queue_name(service, delivery->queue);
    arrival->redelivered = delivery->redelivered;
    arrival->alone = delivery->redelivered;
    arrival->message_id = message_id(delivery);
    TAILQ_INSERT_TAIL(&service->arrivals, arrival, next);
    service->arrival_count++;
}

static void free_arrivals(struct arrival_list *list)
{
    struct arrival *arrival;
    while ((arrival = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, arrival, next);
        free(arrival);
    }
}

void intake_clear(struct service *service)
{
    free_arrivals(&service->arrivals);
    service->arrival_count = 0;
    service->batch_size = 0;
}

void intake_release(struct service *service)
{
    free_arrivals(&service->arrivals);
    free_arrivals(&service->due);
}

/* Choosing. */

bool intake_has_work(const struct service *service)
{
    if (service->draining)
        return service->arrival_count > 0;
    bool room = service->unsent_count <= service->limits.unsent_max;
    return room &&
           (service->arrival_count > 0 || service->next_deferred_ms <= service_wall_ms(service));
}

static enum result take_due(void *context, const struct store_row *row, struct err *err)
{
    struct service *service = context;
    size_t size;
    (void)err;
    const char *body = store_row_blob(row, 2, &size);
    struct arrival *arrival = arrival_new(body, size);
    store_row_copy(row, 0, arrival->message_id.text, sizeof arrival->message_id.text);
    arrival->queue = queue_name(service, store_row_text(row, 1));
    arrival->attempts = store_row_int(row, 3);
    TAILQ_INSERT_TAIL(&service->due, arrival, next);
    return OK;
}

static enum result choose_due(struct service *service, struct err *err)
{
    int64_t now_ms = service_wall_ms(service);
    if (!TAILQ_EMPTY(&service->due) || service->next_deferred_ms > now_ms)
        return OK; /* the one in hand first: a verdict may hang on it */
    return store_query(service->parts.store,
                       "SELECT message_id, queue, body, attempts FROM deferred "
                       "WHERE due_ms <= $1 ORDER BY due_ms LIMIT 1",
                       STORE_ARGS(store_int(now_ms)), take_due, service, err);
}

enum result intake_refresh(struct service *service, struct err *err)
{
    int64_t due_ms = 0;
    enum result result =
        store_query_int(service->parts.store, "SELECT coalesce(min(due_ms), $1) FROM deferred",
                        STORE_ARGS(store_int(INT64_MAX)), &due_ms, err);
    if (result == OK)
        service->next_deferred_ms = due_ms;
    return result;
}

/* As jobs_wait_anew. */
enum result intake_wait_anew(struct service *service, struct err *err)
{
    service->next_deferred_ms = 0; /* look again */
    return store_exec(service->parts.store,
                      "UPDATE deferred SET due_ms = due_ms - since_ms + $1, since_ms = $1 "
                      "WHERE since_ms > $1",
                      STORE_ARGS(store_int(service_wall_ms(service))), NULL, err);
}

enum result intake_choose(struct service *service, struct err *err)
{
    service->batch_size = 0;
    service->counting = false;
    if (!intake_has_work(service))
        return OK;
    enum result result = choose_due(service, err);
    if (result == OK && TAILQ_EMPTY(&service->due))
        result = intake_refresh(service, err);
    if (result != OK)
        return result;
    struct arrival *arrival = TAILQ_FIRST(&service->due);
    if (arrival && arrival->counted)
        return OK; /* should it kill us, nobody else was there */
    arrival = TAILQ_FIRST(&service->arrivals);
    if (arrival && arrival->alone) {
        service->batch_size = 1;
        service->counting = arrival->redelivered && !arrival->counted;
        return OK;
    }
    for (; arrival && !arrival->alone && service->batch_size < service->limits.batch;
         arrival = TAILQ_NEXT(arrival, next))
        service->batch_size++;
    return OK;
}

size_t intake_batch_size(const struct service *service)
{
    const struct arrival *arrival;
    size_t size = service->counting ? 0 : service->batch_size;
    TAILQ_FOREACH(arrival, &service->due, next)
    size++;
    return size;
}

static void tally(struct service *service, const struct arrival *arrival,
                  enum message_outcome outcome)
{
    const struct topology *topology = service->spec->topology;
    for (size_t i = 0; i < topology->queue_count && i < SERVICE_QUEUES_MAX; i++) {
        if (topology->queues[i].name == arrival->queue)
            service->tally[i][outcome]++;
    }
}

/* Fates. Each is a row in the same transaction. */

static enum result quarantine(struct service *service, const struct arrival *arrival,
                              const char *reason, struct err *err)
{
    char trace[TRACE_ID_SIZE];
    service->state.quarantined++;
    tally(service, arrival, OUTCOME_QUARANTINED);
    LOG_EVENT(service->parts.log, LOG_WARNING, "message-quarantined",
              LOG_TEXT("queue", arrival->queue), LOG_TEXT("message_id", arrival->message_id.text),
              LOG_TEXT("trace_id", trace_id(arrival->traceparent, trace)),
              LOG_TEXT("reason", reason));
    return store_exec(service->parts.store,
                      "INSERT INTO quarantine(message_id, queue, body, reason, attempts, at_ms) "
                      "VALUES ($1, $2, $3, $4, $5, $6)",
                      STORE_ARGS(store_text(arrival->message_id.text), store_text(arrival->queue),
                                 store_blob(arrival->body, arrival->size), store_text(reason),
                                 store_int(arrival->attempts), store_int(service_wall_ms(service))),
                      NULL, err);
}

static enum result forget_deferred(struct service *service, const struct arrival *arrival,
                                   struct err *err)
{
    if (arrival->tag != 0)
        return OK;
    return store_exec(service->parts.store, "DELETE FROM deferred WHERE message_id = $1",
                      STORE_ARGS(store_text(arrival->message_id.text)), NULL, err);
}

static enum result defer(struct service *service, const struct arrival *arrival, const char *reason,
                         struct err *err)
{
    int64_t attempts = arrival->tag ? 0 : arrival->attempts;
    if (attempts >= DEFER_MAX) {
        enum result result = quarantine(service, arrival, reason, err);
        return result == OK ? forget_deferred(service, arrival, err) : result;
    }
    int64_t now_ms = service_wall_ms(service);
    int64_t due_ms = now_ms + service_jitter_ms(service, defer_ms[attempts]);
    if (due_ms < service->next_deferred_ms)
        service->next_deferred_ms = due_ms;
    char trace[TRACE_ID_SIZE];
    service->state.deferred++;
    tally(service, arrival, OUTCOME_DEFERRED);
    LOG_EVENT(service->parts.log, LOG_INFO, "message-deferred", LOG_TEXT("queue", arrival->queue),
              LOG_TEXT("message_id", arrival->message_id.text),
              LOG_TEXT("trace_id", trace_id(arrival->traceparent, trace)),
              LOG_TEXT("reason", reason), LOG_NUMBER("attempts", attempts + 1));
    return store_exec(service->parts.store,
                      "INSERT INTO deferred(message_id, queue, body, reason, attempts, due_ms, "
                      "since_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT(message_id) "
                      "DO UPDATE SET reason = $4, attempts = $5, due_ms = $6, since_ms = $7",
                      STORE_ARGS(store_text(arrival->message_id.text), store_text(arrival->queue),
                                 store_blob(arrival->body, arrival->size), store_text(reason),
                                 store_int(attempts + 1), store_int(due_ms), store_int(now_ms)),
                      NULL, err);
}

/* Handling. */

static const struct handler *find_handler(const struct service *service, const char *queue,
                                          const char *type)
{
    const struct topology *topology = service->spec->topology;
    for (size_t i = 0; i < topology->handler_count; i++) {
        const struct handler *handler = &topology->handlers[i];
        if (strcmp(handler->type, type) == 0 && strcmp(handler->queue, queue) == 0)
            return handler;
    }
    return NULL;
}

static enum result decode_and_handle(struct service *service, struct uow *uow,
                                     struct arrival *arrival, struct err *err)
{
    struct envelope envelope;
    cJSON *document = NULL;
    const cJSON *data;
    enum result result =
        envelope_decode(arrival->body, arrival->size, &envelope, &document, &data, err);
    if (result != OK)
        return result;
    memcpy(arrival->traceparent, envelope.traceparent, sizeof arrival->traceparent);
    const struct handler *handler = find_handler(service, arrival->queue, envelope.type);
    if (!handler)
        result = err_set(err, INVALID, "nobody handles %s here", envelope.type);
    else
        result = bind_decode(handler->payload, data, BIND_OPEN, service->payload, err);
    cJSON_Delete(document);
    if (result != OK)
        return result;
    char own[TRACEPARENT_SIZE];
    int64_t begun_us = spans_begin(service, envelope.traceparent, own);
    uow->traceparent = own;
    result = handler->handle(service->parts.self, uow, &envelope, service->payload, err);
    uow->traceparent = NULL;
    spans_processed(service, arrival, &envelope, own, begun_us, result);
    return result;
}

/* DUPLICATE: handled before. */
static enum result enter_inbox(struct service *service, struct arrival *arrival, struct err *err)
{
    int64_t changed = 1;
    if (!service->parts.switches.inbox)
        return OK;
    enum result result = store_exec(
        service->parts.store,
        "INSERT INTO inbox(message_id, at_ms) VALUES ($1, $2) "
        "ON CONFLICT(message_id) DO NOTHING",
        STORE_ARGS(store_text(arrival->message_id.text), store_int(service_wall_ms(service))),
        &changed, err);
    return result == OK && changed == 0 ? DUPLICATE : result;
}

/* Another instance may have run it meanwhile. */
static enum result still_deferred(struct service *service, const struct arrival *arrival,
                                  struct err *err)
{
    int64_t count = 0;
    enum result result = store_query_int(
        service->parts.store,
        "SELECT count(*) FROM deferred WHERE message_id = $1 AND attempts = $2",
        STORE_ARGS(store_text(arrival->message_id.text), store_int(arrival->attempts)), &count,
        err);
    return result == OK && count == 0 ? DUPLICATE : result;
}

/* What the handler said, when the transaction can go on as if it had not been called. Otherwise the
 * verdict is kept, the batch rolled back and run again without calling it: CONFLICT tells so. */
static enum result settle(struct service *service, struct arrival *arrival, bool wrote,
                          enum result outcome, struct err *err)
{
    char reason[sizeof arrival->reason];
    snprintf(reason, sizeof reason, "%s", err_text(err));
    if (outcome == CONFLICT) {
        service->state.conflicts++;
        arrival->alone = true;
        arrival->counted = true;
        if (++arrival->conflicts < CONFLICT_MAX)
            return err_context(err, CONFLICT, "%s", arrival->message_id.text);
        outcome = DEFER;
    }
    if (wrote && arrival->verdict == OK) {
        arrival->verdict = outcome;
        snprintf(arrival->reason, sizeof arrival->reason, "%s", reason);
        return CONFLICT;
    }
    if (outcome == DEFER)
        return defer(service, arrival, reason, err);
    enum result result = quarantine(service, arrival, reason, err);
    return result == OK ? forget_deferred(service, arrival, err) : result;
}

static enum result forget_alone(struct service *service, const struct arrival *arrival,
                                struct err *err)
{
    if (arrival->tag && !arrival->redelivered)
        return OK;
    return store_exec(service->parts.store, "DELETE FROM alone WHERE message_id = $1",
                      STORE_ARGS(store_text(arrival->message_id.text)), NULL, err);
}

static enum result run_handler(struct service *service, struct uow *uow, struct arrival *arrival,
                               struct err *err)
{
    if (arrival->verdict != OK) {
        err_set(err, OK, "%s", arrival->reason);
        return settle(service, arrival, false, arrival->verdict, err);
    }
    if (arrival->tries > ALONE_MAX) {
        err_set(err, OK, "came back %d times, each time alone", ALONE_MAX);
        return settle(service, arrival, false, INVALID, err);
    }
    uint64_t writes = store_writes(service->parts.store);
    size_t rows = service->fresh_count;
    enum result outcome = decode_and_handle(service, uow, arrival, err);
    bool wrote = store_writes(service->parts.store) != writes || service->fresh_count != rows;
    if (outcome == OK || outcome == DUPLICATE) {
        service->state.handled++;
        tally(service, arrival, OUTCOME_HANDLED);
        return forget_deferred(service, arrival, err);
    }
    if (store_failed(service->parts.store) || outcome == RETRY || outcome == FATAL)
        return outcome == FATAL ? FATAL : RETRY;
    return settle(service, arrival, wrote, outcome, err);
}

static enum result work_on(struct service *service, struct uow *uow, struct arrival *arrival,
                           struct err *err)
{
    enum result result =
        arrival->tag ? enter_inbox(service, arrival, err) : still_deferred(service, arrival, err);
    if (result == DUPLICATE) {
        service->state.duplicates++;
        tally(service, arrival, OUTCOME_DUPLICATE);
        return forget_alone(service, arrival, err);
    }
    if (result == OK)
        result = run_handler(service, uow, arrival, err);
    if (result == OK)
        result = forget_alone(service, arrival, err);
    return result;
}

static enum result take_tries(void *context, const struct store_row *row, struct err *err)
{
    struct arrival *arrival = context;
    (void)err;
    arrival->tries = store_row_int(row, 0);
    if (arrival->tag)
        arrival->attempts = arrival->tries;
    return OK;
}

/* Committed before the message runs: should it kill us, this is what remains. */
static enum result count_try(struct service *service, struct arrival *arrival, struct err *err)
{
    return store_write_query(service->parts.store,
                             "INSERT INTO alone(message_id, attempts) VALUES ($1, 1) "
                             "ON CONFLICT(message_id) DO UPDATE SET attempts = attempts + 1 "
                             "RETURNING attempts",
                             STORE_ARGS(store_text(arrival->message_id.text)), take_tries, arrival,
                             err);
}

enum result intake_work(struct service *service, struct uow *uow, struct err *err)
{
    struct arrival *arrival = TAILQ_FIRST(&service->due);
    enum result result = OK;
    if (arrival)
        result = arrival->counted ? work_on(service, uow, arrival, err)
                                  : count_try(service, arrival, err);
    if (service->counting && result == OK)
        return count_try(service, TAILQ_FIRST(&service->arrivals), err);
    size_t left = service->batch_size;
    for (arrival = TAILQ_FIRST(&service->arrivals); left > 0 && result == OK; left--) {
        result = work_on(service, uow, arrival, err);
        arrival = TAILQ_NEXT(arrival, next);
    }
    return result;
}

/* Afterwards. */

void intake_committed(struct service *service)
{
    for (size_t i = 0; i < SERVICE_QUEUES_MAX; i++) {
        for (size_t j = 0; j < OUTCOME_COUNT; j++)
            service->numbers.messages[i][j] += service->tally[i][j];
    }
    memset(service->tally, 0, sizeof service->tally);
    struct arrival *due = TAILQ_FIRST(&service->due);
    if (due && due->counted) {
        free_arrivals(&service->due);
        service->next_deferred_ms = 0; /* look again */
    } else if (due) {
        due->counted = true;
    }
    if (service->counting) {
        TAILQ_FIRST(&service->arrivals)->counted = true;
        service->batch_size = 0;
    }
}

void intake_rolled_back(struct service *service)
{
    service->batch_size = 0;
    service->counting = false;
    memset(service->tally, 0, sizeof service->tally);
}

/* Whatever becomes of this acknowledgement, the batch is done: should it get lost, the broker delivers
 * again and the inbox knows. */
void intake_ack(struct service *service)
{
    uint64_t tag = 0;
    for (; service->batch_size > 0; service->batch_size--) {
        struct arrival *arrival = TAILQ_FIRST(&service->arrivals);
        tag = arrival->tag;
        TAILQ_REMOVE(&service->arrivals, arrival, next);
        free(arrival);
        service->arrival_count--;
    }
    if (tag)
        (void)bus_ack(service->parts.bus, tag);
}
