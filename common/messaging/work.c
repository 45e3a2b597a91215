/* The one transaction: marks, answers, deadlines, deferred and arrived messages, in this order. */
#include "common/messaging/service_private.h"
#include "common/telemetry/log.h"

struct store *uow_store(struct uow *uow)
{
    return uow->service->parts.store;
}

int64_t uow_now_ms(const struct uow *uow)
{
    return uow->now_ms;
}

struct id uow_new_id(struct uow *uow)
{
    return id_new(uow->service->parts.clock);
}

const struct switches *uow_switches(const struct uow *uow)
{
    return &uow->service->parts.switches;
}

/* What time alone brings is looked for now and then, not every round. */
static bool tick_waiting(struct service *service)
{
    enum { TICK_MS = 100 };
    const struct service_spec *spec = service->spec;
    int64_t now_ms = service_mono_ms(service);
    if (!spec->due || service->draining || now_ms < service->next_tick_ms)
        return service->tick_due;
    service->next_tick_ms = now_ms + TICK_MS;
    service->tick_due =
        spec->due(service->parts.self, service->parts.store, service_wall_ms(service));
    return service->tick_due;
}

bool work_waiting(struct service *service)
{
    return !service->loaded || service->clock_back || tick_waiting(service) ||
           outbox_has_work(service) || unlogged_waiting(service) || jobs_have_work(service) ||
           intake_has_work(service);
}

/* The first transaction of a new instance takes up what its owner left. */
static enum result load_left(struct service *service, struct err *err)
{
    if (service->loaded)
        return OK;
    if (!service->parts.switches.rescan)
        return OK;
    enum result result = outbox_load(service, err);
    if (result == OK)
        result = jobs_load(service, err);
    if (result == OK)
        result = intake_refresh(service, err);
    return result;
}

/* A wait is on record with its begin. One that has not begun yet was written by a clock that has been
 * put back since; left alone it would last that much longer, be it an hour or a year. */
static enum result wait_anew(struct service *service, struct uow *uow, struct err *err)
{
    if (!service->clock_back)
        return OK;
    enum result result = jobs_wait_anew(service, err);
    if (result == OK)
        result = intake_wait_anew(service, err);
    if (result == OK && service->spec->wait_anew)
        result = service->spec->wait_anew(service->parts.self, uow, uow->now_ms, err);
    return err_context(err, result, "clock");
}

enum result work_do(struct service *service, struct err *err)
{
    struct uow uow = {.service = service, .now_ms = service_wall_ms(service)};
    enum result result = load_left(service, err);
    if (result == OK)
        result = wait_anew(service, &uow, err);
    if (result == OK && service->parts.switches.outbox)
        result = outbox_look_for_others(service, err);
    if (result == OK)
        result = outbox_mark(service, err);
    if (result == OK)
        result = unlogged_work(service, &uow, err);
    if (result == OK)
        result = jobs_work(service, &uow, err);
    if (result == OK && service->tick_due)
        result = service->spec->tick(service->parts.self, &uow, uow.now_ms, err);
    if (result == OK)
        result = intake_work(service, &uow, err);
    if (result == OK && service->spec->before_commit)
        result = service->spec->before_commit(service->parts.self, &uow, err);
    if (result == OK)
        result = outbox_keep_position(&uow, err);
    return result;
}
