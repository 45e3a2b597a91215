/* What became of a command, told to its sender by a fact; refusals are counted and logged besides, once
 * they are committed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "order-service/state.h"

static const char *const reasons[REFUSAL_REASONS] = {
    "idempotency-key-reused", "not-found",       "not-cancellable",  "stale-revision",
    "revision-too-far-ahead", "unknown-product", "stock-below-zero", "stock-too-large",
};

struct refusal {
    struct command_refused fact;
    size_t reason;
};

static size_t reason_index(const char *reason)
{
    size_t i = 0;
    while (strcmp(reasons[i], reason) != 0)
        if (++i == REFUSAL_REASONS)
            abort(); /* a reason that the table does not have */
    return i;
}

static void note(struct refusals *refusals, const struct command_refused *fact)
{
    if (refusals->count == refusals->capacity) {
        refusals->capacity = refusals->capacity == 0 ? 16 : 2 * refusals->capacity;
        refusals->open = realloc(refusals->open, refusals->capacity * sizeof *refusals->open);
        if (refusals->open == NULL)
            abort();
    }
    refusals->open[refusals->count++] = (struct refusal){*fact, reason_index(fact->reason)};
}

void refusals_committed(struct refusals *refusals, const struct log *log)
{
    for (size_t i = 0; i < refusals->count; i++) {
        const struct refusal *refusal = &refusals->open[i];
        refusals->counted[refusal->reason]++;
        LOG_EVENT(log, LOG_INFO, "command-refused",
                  LOG_TEXT("command_id", refusal->fact.command_id),
                  LOG_TEXT("type", refusal->fact.command_type),
                  LOG_TEXT("about", refusal->fact.about), LOG_TEXT("reason", refusal->fact.reason));
    }
    refusals->count = 0;
}

void refusals_release(struct refusals *refusals)
{
    free(refusals->open);
}

void order_service_metrics(const struct order_service *service, struct buf *out)
{
    static const char name[] = "warren_order_refusals_total";
    metric_head(out, name, METRIC_COUNTER, "Commands refused, by reason.");
    for (size_t i = 0; i < REFUSAL_REASONS; i++)
        metric_sample(out, name, "reason", reasons[i], (int64_t)service->refusals.counted[i]);
}

static enum result say(struct uow *uow, const char *type, const struct bind_type *payload_type,
                       const void *fact, const char *command_id, struct err *err)
{
    return uow_publish(uow,
                       &(struct outgoing){
                           .exchange = EVENTS_EXCHANGE,
                           .type = type,
                           .subject = command_id,
                           .sequence = 1,
                           .payload_type = payload_type,
                           .payload = fact,
                       },
                       NULL, err);
}

enum result command_done(struct uow *uow, const struct command *command, struct err *err)
{
    struct command_done fact = {0};
    snprintf(fact.command_id, sizeof fact.command_id, "%s", command->envelope->id.text);
    snprintf(fact.command_type, sizeof fact.command_type, "%s", command->envelope->type);
    snprintf(fact.about, sizeof fact.about, "%s", command->about);
    snprintf(fact.customer, sizeof fact.customer, "%s", command->customer);
    return say(uow, COMMAND_DONE, &command_done_type, &fact, fact.command_id, err);
}

enum result command_refuse(struct order_service *service, struct uow *uow,
                           const struct command *command, const char *reason, struct err *err)
{
    struct command_refused fact = {0};
    snprintf(fact.command_id, sizeof fact.command_id, "%s", command->envelope->id.text);
    snprintf(fact.command_type, sizeof fact.command_type, "%s", command->envelope->type);
    snprintf(fact.about, sizeof fact.about, "%s", command->about);
    snprintf(fact.customer, sizeof fact.customer, "%s", command->customer);
    snprintf(fact.reason, sizeof fact.reason, "%s", reason);
    note(&service->refusals, &fact);
    return say(uow, COMMAND_REFUSED, &command_refused_type, &fact, fact.command_id, err);
}
