#include "common/messaging/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/failpoint.h"
#include "common/messaging/service_private.h"
#include "common/telemetry/log.h"

enum {
    BUSY_MS = 2,           /* somebody else holds the write lock */
    BACKOFF_FIRST_MS = 50, /* the store fails */
    BACKOFF_LAST_MS = 5000,
    LOOK_EVERY_MS = 1000, /* for what an operator redrives, or another instance has left deferred */
};

void *service_alloc(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        abort();
    return memory;
}

int64_t service_jitter_ms(struct service *service, int64_t base)
{
    return base + (int64_t)(clock_random64(service->parts.clock) % (uint64_t)(base + 1));
}

const char *phase_name(enum phase phase)
{
    static const char *const names[PHASE_COUNT] = {"pump", "begin", "work", "commit",
                                                   "ack",  "relay", "call"};
    return names[phase];
}

/* News from the bus. */

static void bus_is_down(struct service *service, const char *reason)
{
    if (service->state.bus_up)
        service->state.reconnects++;
    service->state.bus_up = false;
    service->state.blocked = false;
    LOG_EVENT(service->parts.log, LOG_WARNING, "bus-down", LOG_TEXT("reason", reason));
    snprintf(service->state.reason, sizeof service->state.reason, "%s", reason);
    intake_clear(service);
    outbox_down(service);
}

static void on_bus_event(void *context, const struct bus_event *event)
{
    struct service *service = context;
    switch (event->kind) {
    case BUS_UP:
        service->state.bus_up = true;
        service->state.reason[0] = '\0';
        service->unlogged_left = true; /* for all we know; another may have left some */
        service->next_unlogged_ms = 0;
        LOG_EVENT(service->parts.log, event->reason ? LOG_ERROR : LOG_INFO, "bus-up",
                  LOG_NUMBER("unsent", (int64_t)service->unsent_count),
                  LOG_TEXT("without_log", event->reason ? event->reason : ""));
        break;
    case BUS_DOWN:
        bus_is_down(service, event->reason ? event->reason : "lost");
        break;
    case BUS_BLOCKED:
    case BUS_UNBLOCKED:
        service->state.blocked = event->kind == BUS_BLOCKED;
        snprintf(service->state.reason, sizeof service->state.reason, "%s",
                 service->state.blocked && event->reason ? event->reason : "");
        LOG_EVENT(service->parts.log, LOG_WARNING,
                  service->state.blocked ? "bus-blocked" : "bus-unblocked",
                  LOG_TEXT("reason", event->reason));
        break;
    case BUS_DELIVERY:
        intake_add(service, event->delivery);
        break;
    case BUS_SETTLED:
        outbox_settled(service, event->token, event->fate);
        break;
    }
}

/* Phases. Each returns the one that follows. */

static void refresh_from_tables(struct service *service)
{
    int64_t now_ms = service_mono_ms(service);
    struct err err = {{0}};
    if (now_ms >= service->next_look_ms)
        service->next_look_ms =
            now_ms + (intake_refresh(service, &err) == OK ? LOOK_EVERY_MS : BUSY_MS);
    if (!service->parts.switches.rescan || now_ms < service->next_rescan_ms)
        return;
    service->next_rescan_ms = now_ms + service_jitter_ms(service, service->limits.takeover_ms / 4);
    if (outbox_rescan(service, &err) != OK || jobs_refresh(service, &err) != OK)
        service->next_rescan_ms = now_ms + BUSY_MS; /* busy: soon again */
}

static void look_at_clock(struct service *service)
{
    int64_t now_ms = service_wall_ms(service);
    if (now_ms < service->last_wall_ms) {
        LOG_EVENT(service->parts.log, LOG_WARNING, "clock-put-back",
                  LOG_NUMBER("by_ms", service->last_wall_ms - now_ms));
        service->clock_back = true;
    }
    service->last_wall_ms = now_ms;
}

static enum phase do_pump(struct service *service)
{
    service->heard_us = 0;
    service->pumped_ms = service_mono_ms(service);
    standstill_look(service);
    look_at_clock(service);
    bus_pump(service->parts.bus);
    service->quiet = service->draining && bus_quiet(service->parts.bus);
    jobs_pump(service);
    outbox_expire(service);
    if (service->loaded)
        refresh_from_tables(service);
    return PHASE_BEGIN;
}

static void back_off(struct service *service, int64_t delay_ms)
{
    service->backoff_until_ms = service_mono_ms(service) + service_jitter_ms(service, delay_ms);
}

/* As if the batch had never been taken; the messages stay in hand. */
static enum phase undo(struct service *service, enum result result, const struct err *err)
{
    store_rollback(service->parts.store);
    outbox_rolled_back(service);
    jobs_rolled_back(service);
    intake_rolled_back(service);
    if (service->spec->forget)
        service->spec->forget(service->parts.self);
    if (result == CONFLICT) /* at once again */
        return PHASE_RELAY;
    service->state.rollbacks++;
    snprintf(service->state.store_reason, sizeof service->state.store_reason, "%.120s",
             err_text(err));
    int64_t delay = service->backoff_ms ? service->backoff_ms : BACKOFF_FIRST_MS;
    back_off(service, delay);
    service->backoff_ms = 2 * delay < BACKOFF_LAST_MS ? 2 * delay : BACKOFF_LAST_MS;
    LOG_EVENT(service->parts.log, LOG_ERROR, "batch-rolled-back",
              LOG_TEXT("result", result_name(result)), LOG_TEXT("error", err_text(err)),
              LOG_NUMBER("backoff_ms", delay));
    return PHASE_RELAY;
}

static enum phase do_begin(struct service *service)
{
    struct err err = {{0}};
    if (!work_waiting(service)) {
        service->begin_waits = false;
        return PHASE_RELAY;
    }
    if (service_mono_ms(service) < service->backoff_until_ms)
        return PHASE_RELAY;
    if (intake_choose(service, &err) != OK || FAILPOINT("begin-before") ||
        store_begin(service->parts.store, &err) != OK) {
        intake_rolled_back(service);
        back_off(service, BUSY_MS);
        service->begin_waits = true;
        snprintf(service->begin_reason, sizeof service->begin_reason, "%.90s", err_text(&err));
        return PHASE_RELAY;
    }
    service->begin_waits = false;
    if (!service->parts.switches.ack_after_commit && service->batch_size > 0 &&
        !service->counting) {
        uint64_t tag = 0;
        const struct arrival *arrival = TAILQ_FIRST(&service->arrivals);
        for (size_t i = 0; i < service->batch_size; i++, arrival = TAILQ_NEXT(arrival, next))
            tag = arrival->tag;
        (void)bus_ack(service->parts.bus, tag);
    }
    if (FAILPOINT("begin-after")) {
        err_set(&err, RETRY, "failpoint");
        return undo(service, RETRY, &err);
    }
    return PHASE_WORK;
}
static enum phase do_work(struct service *service)
{
    struct err err = {{0}};
    int64_t begun_us = service_mono_us(service);
    enum result result = work_do(service, &err);
    size_t messages = intake_batch_size(service);
    if (messages > 0) {
        histogram_add(&service->numbers.batch, (int64_t)messages);
        histogram_add(&service->numbers.handle, service_mono_us(service) - begun_us);
    }
    return result == OK ? PHASE_COMMIT : undo(service, result, &err);
}

static enum phase do_commit(struct service *service)
{
    struct err err = {{0}};
    int64_t begun_us = service_mono_us(service);
    enum result result = FAILPOINT("commit-before") ? err_set(&err, RETRY, "failpoint")
                                                    : store_commit(service->parts.store, &err);
    if (result == OK && FAILPOINT("commit-after"))
        result = err_set(&err, RETRY, "failpoint: the answer to COMMIT is lost");
    if (result != OK) {
        service->loaded = false; /* should it have gone through, its rows and jobs are ours */
        return undo(service, result, &err);
    }
    histogram_add(&service->numbers.commit, service_mono_us(service) - begun_us);
    service->backoff_ms = 0;
    service->state.store_reason[0] = '\0';
    service->loaded = true;
    service->tick_due = false;
    service->clock_back = false;
    service->state.batches++;
    outbox_committed(service);
    jobs_committed(service);
    intake_committed(service);
    if (service->spec->committed)
        service->spec->committed(service->parts.self);
    return PHASE_ACK;
}

static enum phase do_ack(struct service *service)
{
    intake_ack(service);
    return PHASE_RELAY;
}

static enum phase do_relay(struct service *service)
{
    outbox_recheck(service);
    outbox_relay(service);
    bus_flush(service->parts.bus);
    return PHASE_CALL;
}

static enum phase do_call(struct service *service)
{
    if (!service->draining)
        jobs_start_calls(service);
    return PHASE_PUMP;
}

enum phase service_step(struct service *service)
{
    static enum phase (*const phases[PHASE_COUNT])(struct service *) = {
        do_pump, do_begin, do_work, do_commit, do_ack, do_relay, do_call};
    enum phase phase = service->phase;
    service->phase = phases[phase](service);
    return phase;
}

void service_round(struct service *service)
{
    while (service_step(service) != PHASE_CALL)
        continue;
}

/* Sleeping. */

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t from_wall_ms(const struct service *service, int64_t wall_ms)
{
    if (wall_ms == INT64_MAX)
        return INT64_MAX;
    int64_t left = wall_ms - service_wall_ms(service);
    return service_mono_ms(service) + (left > 0 ? left : 0);
}

int64_t service_deadline_ms(struct service *service)
{
    int64_t now_ms = service_mono_ms(service);
    if (service->phase != PHASE_PUMP)
        return 0;
    int64_t deadline = earliest(bus_deadline_ms(service->parts.bus), now_ms + 1000);
    deadline = earliest(deadline, jobs_deadline_ms(service));
    deadline = earliest(deadline, outbox_deadline_ms(service));
    if (service->spec->due)
        deadline = earliest(deadline, service->next_tick_ms);
    if (work_waiting(service))
        return earliest(deadline, service->backoff_until_ms);
    if (!service->draining)
        deadline = earliest(deadline, from_wall_ms(service, service->next_deferred_ms));
    return earliest(deadline, from_wall_ms(service, jobs_next_ms(service)));
}

int service_bus_fd(struct service *service)
{
    return bus_fd(service->parts.bus);
}

int service_effect_fd(struct service *service)
{
    struct effect *effect = service->parts.effect;
    return effect ? effect->ops->fd(effect) : -1;
}

/* Life. */

static struct service_limits with_defaults(const struct service_limits *given)
{
    struct service_limits limits = given ? *given : (struct service_limits){0};
    if (!limits.batch)
        limits.batch = 256;
    if (!limits.unsent_max)
        limits.unsent_max = 2000;
    if (!limits.calls_max)
        limits.calls_max = 64;
    if (!limits.call_timeout_ms)
        limits.call_timeout_ms = 3000;
    if (!limits.takeover_ms)
        limits.takeover_ms = 5000;
    if (!limits.confirm_timeout_ms)
        limits.confirm_timeout_ms = 10000;
    return limits;
}

static enum result subscribe_all(struct service *service, struct err *err)
{
    const struct topology *topology = service->spec->topology;
    for (size_t i = 0; i < topology->queue_count; i++) {
        const struct bus_subscription subscription = {
            .queue = topology->queues[i].name,
            .prefetch = topology->queues[i].prefetch,
        };
        enum result result = bus_subscribe(service->parts.bus, &subscription, err);
        if (result != OK)
            return err_context(err, result, "%s", topology->queues[i].name);
    }
    return OK;
}

static size_t largest_payload(const struct topology *topology)
{
    size_t largest = 1;
    for (size_t i = 0; i < topology->handler_count; i++) {
        if (topology->handlers[i].payload->size > largest)
            largest = topology->handlers[i].payload->size;
    }
    return largest;
}

enum result service_new(const struct service_spec *spec, const struct service_parts *parts,
                        const struct service_limits *limits, struct service **ret_service,
                        struct err *err)
{
    struct service *service = service_alloc(sizeof *service);
    *service = (struct service){
        .spec = spec,
        .parts = *parts,
        .limits = with_defaults(limits),
        .next_deferred_ms = INT64_MAX,
        .next_job_ms = INT64_MAX,
        .clock_back = true,
        .state = {.reason = "not connected yet"},
        .numbers = {.handle = {.shift = HISTOGRAM_TIME},
                    .commit = {.shift = HISTOGRAM_TIME},
                    .confirm = {.shift = HISTOGRAM_TIME}},
    };
    TAILQ_INIT(&service->arrivals);
    TAILQ_INIT(&service->due);
    TAILQ_INIT(&service->fresh);
    TAILQ_INIT(&service->unsent);
    TAILQ_INIT(&service->confirmed);
    TAILQ_INIT(&service->calls);
    TAILQ_INIT(&service->fresh_calls);
    service->payload = service_alloc(largest_payload(spec->topology));
    bus_listen(parts->bus, on_bus_event, service);
    enum result result = subscribe_all(service, err);
    if (result != OK) {
        service_free(service);
        return err_context(err, result, "%s", spec->name);
    }
    *ret_service = service;
    return OK;
}

void service_free(struct service *service)
{
    if (!service)
        return;
    store_rollback(service->parts.store);
    intake_release(service);
    outbox_release(service);
    jobs_release(service);
    free(service->payload);
    free(service->others.items);
    free(service);
}

void service_drain(struct service *service)
{
    service->draining = true;
    service->quiet = bus_quiet(service->parts.bus);
}

bool service_drained(const struct service *service)
{
    return service->quiet && service->phase == PHASE_PUMP && service->arrival_count == 0 &&
           service->unsent_count == 0 && service->confirmed_count == 0 &&
           service->calls_in_flight == 0 && service->calls_answered == 0;
}

void service_state(const struct service *service, struct service_state *ret_state)
{
    *ret_state = service->state;
    ret_state->draining = service->draining;
    ret_state->full = service->unsent_count > service->limits.unsent_max;
    ret_state->unsent = service->unsent_count;
    ret_state->in_flight = service->in_flight;
    ret_state->arrived = service->arrival_count;
    ret_state->calls = service->calls_in_flight;
    standstill_state(service, ret_state);
}

const char *outcome_name(enum message_outcome outcome)
{
    static const char *const names[OUTCOME_COUNT] = {"handled", "duplicate", "deferred",
                                                     "quarantined"};
    return names[outcome];
}

const struct service_numbers *service_numbers(const struct service *service)
{
    return &service->numbers;
}

static enum result take_rows(void *context, const struct store_row *row, struct err *err)
{
    struct service_rows *rows = context;
    (void)err;
    *rows = (struct service_rows){
        .outbox = store_row_int(row, 0),
        .outbox_oldest_ms = store_row_int(row, 1),
        .jobs = store_row_int(row, 2),
        .deferred = store_row_int(row, 3),
        .quarantined = store_row_int(row, 4),
        .unlogged = store_row_int(row, 5),
    };
    return OK;
}

enum result service_rows(const struct service *service, struct service_rows *ret_rows,
                         struct err *err)
{
    if (store_in_transaction(service->parts.store))
        return err_set(err, RETRY, "a transaction is open");
    return store_query(service->parts.store,
                       "SELECT (SELECT count(*) FROM outbox), "
                       "coalesce((SELECT since_ms FROM outbox ORDER BY position LIMIT 1), 0), "
                       "(SELECT count(*) FROM job), (SELECT count(*) FROM deferred), "
                       "(SELECT count(*) FROM quarantine), (SELECT count(*) FROM unlogged)",
                       STORE_NO_ARGS, take_rows, ret_rows, err);
}
