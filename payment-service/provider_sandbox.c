/* The sandbox as an effect: holds calls, commits what is due in one ledger transaction per pump,
 * and answers after the commit. What a call means is provider_ledger.c's business. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/failpoint.h"
#include "payment-service/provider.h"
#include "payment-service/provider_ledger.h"

enum { LEDGER_RETRY_MS = 2 };

struct call {
    struct call *next;
    char *job_id;
    char *kind;
    char *key;
    struct provider_request request;
    struct ledger_reply reply; /* counts once the call is among the answers */
    int64_t due_ms;            /* monotonic: of the decision, later of the answer */
};

struct list {
    struct call *first;
    struct call **end;
};

struct sandbox {
    struct effect effect;
    const struct clock *clock;
    struct store *ledger;
    struct provider_sandbox_options options;
    struct list waiting; /* for the ledger, in order of arrival */
    struct list answers; /* committed */
    size_t count;
    int64_t ledger_retry_ms; /* not to be tried before */
};

static struct sandbox *self_of(struct effect *effect)
{
    return (struct sandbox *)effect;
}

/* --- lists of calls ------------------------------------------------------------- */

static void list_init(struct list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_add(struct list *list, struct call *call)
{
    call->next = NULL;
    *list->end = call;
    list->end = &call->next;
}

/* Splits what is due off, both parts in order. */
static struct list list_take_due(struct list *list, int64_t now_ms)
{
    struct list due, rest;
    list_init(&due);
    list_init(&rest);
    for (struct call *call = list->first, *next; call; call = next) {
        next = call->next;
        list_add(call->due_ms <= now_ms ? &due : &rest, call);
    }
    *list = rest;
    if (!rest.first)
        list->end = &list->first;
    return due;
}

static int64_t list_deadline_ms(const struct list *list)
{
    int64_t deadline_ms = INT64_MAX;
    for (const struct call *call = list->first; call; call = call->next) {
        if (call->due_ms < deadline_ms)
            deadline_ms = call->due_ms;
    }
    return deadline_ms;
}

static void call_free(struct call *call)
{
    if (!call)
        return;
    free(call->job_id);
    free(call->kind);
    free(call->key);
    free(call);
}

static void list_free(struct list *list)
{
    for (struct call *call = list->first, *next; call; call = next) {
        next = call->next;
        call_free(call);
    }
}

/* --- starting ---------------------------------------------------------------------- */

static struct call *call_new(const struct effect_call *from)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    call->job_id = strdup(from->job_id);
    call->kind = strdup(from->kind);
    call->key = strdup(from->key);
    if (call->job_id && call->kind && call->key)
        return call;
    call_free(call);
    return NULL;
}

static bool is_slow(const struct call *call)
{
    return strcmp(call->kind, PROVIDER_CAPTURE) == 0 && strcmp(call->request.token, CARD_SLOW) == 0;
}

static enum result sandbox_start(struct effect *effect, const struct effect_call *from)
{
    struct sandbox *self = self_of(effect);
    struct call *call = self->count < self->options.calls_max ? call_new(from) : NULL;
    if (!call)
        return RETRY;
    self->count++;
    call->due_ms = clock_mono_ms(self->clock);
    struct err ignored;
    if (provider_request_read(from->request, &call->request, &ignored) != OK) {
        call->reply = (struct ledger_reply){.outcome = INVALID,
                                            .answer = {"refused", "", "unreadable-request"}};
        list_add(&self->answers, call);
        return OK;
    }
    if (is_slow(call))
        call->due_ms += self->options.slow_ms;
    list_add(&self->waiting, call);
    return OK;
}

/* --- the ledger ----------------------------------------------------------------------- */

static enum result decide_all(struct sandbox *self, const struct list *due, struct err *err)
{
    enum result result = store_begin(self->ledger, err);
    if (result != OK)
        return result;
    for (struct call *call = due->first; call && result == OK; call = call->next) {
        struct ledger_call asked = {call->kind, call->key, &call->request};
        result = ledger_decide(self->ledger, self->clock, &asked, &call->reply, err);
    }
    if (result == OK && FAILPOINT("ledger-before"))
        result = err_set(err, RETRY, "failpoint");
    if (result == OK) {
        result = store_commit(self->ledger, err);
        if (result == OK && FAILPOINT("ledger-after"))
            result = err_set(err, RETRY, "failpoint: the answer to COMMIT is lost");
        return result;
    }
    store_rollback(self->ledger);
    return result;
}

/* All that is due, in one transaction; or nothing, and again later. */
static void settle_due(struct sandbox *self, int64_t now_ms)
{
    if (now_ms < self->ledger_retry_ms)
        return;
    struct list due = list_take_due(&self->waiting, now_ms);
    if (!due.first)
        return;
    struct err ignored; /* whatever it is, the ledger is tried again until it answers */
    bool settled = decide_all(self, &due, &ignored) == OK;
    if (!settled)
        self->ledger_retry_ms = now_ms + LEDGER_RETRY_MS;
    int64_t answer_ms = clock_mono_ms(self->clock) + self->options.answer_delay_ms;
    for (struct call *call = due.first, *next; call; call = next) {
        next = call->next;
        if (settled)
            call->due_ms = answer_ms;
        list_add(settled ? &self->answers : &self->waiting, call);
    }
}

/* --- answering --------------------------------------------------------------------------- */

static void answer_due(struct sandbox *self, int64_t now_ms, effect_done *done, void *context)
{
    struct list due = list_take_due(&self->answers, now_ms);
    struct buf response = {0};
    for (struct call *call = due.first, *next; call; call = next) {
        next = call->next;
        self->count--;
        buf_clear(&response);
        bind_encode(&provider_answer_type, &call->reply.answer, &response);
        if (!call->reply.silent)
            done(context, call->job_id, call->reply.outcome, response.data);
        call_free(call);
    }
    buf_release(&response);
}

static void sandbox_pump(struct effect *effect, effect_done *done, void *context)
{
    struct sandbox *self = self_of(effect);
    settle_due(self, clock_mono_ms(self->clock));
    answer_due(self, clock_mono_ms(self->clock), done, context);
}

static int64_t sandbox_deadline_ms(struct effect *effect)
{
    struct sandbox *self = self_of(effect);
    int64_t now_ms = clock_mono_ms(self->clock);
    int64_t ledger_ms = list_deadline_ms(&self->waiting);
    if (ledger_ms < self->ledger_retry_ms)
        ledger_ms = self->ledger_retry_ms;
    int64_t answer_ms = list_deadline_ms(&self->answers);
    int64_t deadline_ms = ledger_ms < answer_ms ? ledger_ms : answer_ms;
    return deadline_ms <= now_ms ? 0 : deadline_ms;
}

static int sandbox_fd(struct effect *effect)
{
    (void)effect;
    return -1;
}

static void sandbox_release(struct effect *effect)
{
    struct sandbox *self = self_of(effect);
    list_free(&self->waiting);
    list_free(&self->answers);
    free(self);
}

static const struct effect_ops sandbox_ops = {
    .start = sandbox_start,
    .fd = sandbox_fd,
    .deadline_ms = sandbox_deadline_ms,
    .pump = sandbox_pump,
    .release = sandbox_release,
};

enum result provider_sandbox_new(const struct clock *clock, struct store *ledger,
                                 const struct provider_sandbox_options *options,
                                 struct effect **ret_effect, struct err *err)
{
    struct sandbox *self = calloc(1, sizeof *self);
    if (!self)
        return err_set(err, RETRY, "provider: out of memory");
    self->effect.ops = &sandbox_ops;
    self->clock = clock;
    self->ledger = ledger;
    if (options)
        self->options = *options;
    if (!self->options.slow_ms)
        self->options.slow_ms = 2000;
    if (!self->options.calls_max)
        self->options.calls_max = 1024;
    list_init(&self->waiting);
    list_init(&self->answers);
    *ret_effect = &self->effect;
    return OK;
}
