/* Facts that the broker returns. Every fact is bound for the log, whoever else wants it, so one that
 * comes back says that the log is not there. It must not hold up what follows, nor fill the memory of
 * rows on their way: it waits in a table of its own, and goes back into the outbox when the log is
 * there again (docs/adr/0017). */
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/messaging/service_private.h"
#include "common/telemetry/log.h"

enum {
    RETURNS_MAX = 4, /* a binding that is missing for a moment is no lost log */
    TRY_EVERY_MS = 5000,
    TAKE_MAX = 256, /* in one transaction */
};

static void log_is_away(struct service *service, const struct row *row)
{
    if (service->state.log_away)
        return;
    service->state.log_away = true;
    LOG_EVENT(service->parts.log, LOG_ERROR, "log-away", LOG_TEXT("type", row->type),
              LOG_TEXT("message_id", row->id.text));
}

bool unlogged_wants(struct service *service, const struct row *row)
{
    if (row->position == 0 || strcmp(row->exchange, EXCHANGE_EVENTS) != 0)
        return false;
    if (!service->state.log_away && row->refusals + 1 < RETURNS_MAX)
        return false;
    log_is_away(service, row);
    service->unlogged_left = true;
    service->next_unlogged_ms = service_mono_ms(service) + TRY_EVERY_MS;
    return true;
}

void unlogged_confirmed(struct service *service, const struct row *row)
{
    if (!row->was_unlogged || !service->state.log_away)
        return;
    service->state.log_away = false;
    service->next_unlogged_ms = 0;
    LOG_EVENT(service->parts.log, LOG_INFO, "log-back", LOG_TEXT("message_id", row->id.text));
}

enum result unlogged_put(struct service *service, const struct row *first, const struct row *last,
                         struct err *err)
{
    return store_exec(service->parts.store,
                      "INSERT INTO unlogged SELECT position, " ROW_SAID " FROM outbox "
                      "WHERE position BETWEEN $1 AND $2",
                      STORE_ARGS(store_int(first->position), store_int(last->position)), NULL, err);
}

/* One at a time while the log is away: it is the question whether it is back. */
bool unlogged_waiting(const struct service *service)
{
    return service->unlogged_left && service->state.bus_up && !service->draining &&
           service->parts.switches.outbox &&
           service->unsent_count <= service->limits.unsent_max / 2 &&
           service_mono_ms(service) >= service->next_unlogged_ms;
}

int64_t unlogged_deadline_ms(const struct service *service)
{
    bool asleep = !service->unlogged_left || !service->state.bus_up || service->draining;
    return asleep ? INT64_MAX : service->next_unlogged_ms;
}

struct taking {
    struct uow *uow;
    int64_t last; /* position in `unlogged` */
    size_t count;
};

static enum result take_row(void *context, const struct store_row *stored, struct err *err)
{
    struct taking *taking = context;
    struct row *row = outbox_row_read(stored, 1);
    row->was_unlogged = true;
    taking->last = store_row_int(stored, 0);
    taking->count++;
    return outbox_put_take(taking->uow, row, NULL, err);
}

enum result unlogged_work(struct service *service, struct uow *uow, struct err *err)
{
    struct taking taking = {.uow = uow};
    if (!unlogged_waiting(service))
        return OK;
    enum result result = store_query(
        service->parts.store,
        "SELECT position, " ROW_SAID " FROM unlogged ORDER BY position LIMIT $1",
        STORE_ARGS(store_int(service->state.log_away ? 1 : TAKE_MAX)), take_row, &taking, err);
    if (result == OK && taking.count > 0)
        result = store_exec(service->parts.store, "DELETE FROM unlogged WHERE position <= $1",
                            STORE_ARGS(store_int(taking.last)), NULL, err);
    service->unlogged_left = result != OK || taking.count > 0;
    if (service->state.log_away)
        service->next_unlogged_ms = service_mono_ms(service) + TRY_EVERY_MS;
    return err_context(err, result, "unlogged");
}
