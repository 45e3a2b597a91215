/* The edge's life and its phases. */
#include "edge-service/edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/failpoint.h"
#include "common/base/text.h"
#include "common/telemetry/log.h"
#include "edge-service/edge_private.h"
#include "edge-service/read_model.h"

enum {
    BACKOFF_MIN_MS = 20,
    BACKOFF_MAX_MS = 2000,
    LOG_SILENCE_MS = 10000, /* the last message read must come again by then */
};

const char *edge_phase_name(enum edge_phase phase)
{
    static const char *const names[EDGE_PHASE_COUNT] = {
        [EDGE_PHASE_PUMP] = "pump",   [EDGE_PHASE_BEGIN] = "begin",
        [EDGE_PHASE_APPLY] = "apply", [EDGE_PHASE_COMMIT] = "commit",
        [EDGE_PHASE_ACK] = "ack",     [EDGE_PHASE_EXPIRE] = "expire",
    };
    return phase < EDGE_PHASE_COUNT ? names[phase] : "?";
}

/* The backlog */

static struct arrival *backlog_at(const struct backlog *backlog, size_t i)
{
    return &backlog->items[(backlog->first + i) % backlog->capacity];
}

static void backlog_grow(struct backlog *backlog)
{
    size_t capacity = backlog->capacity ? 2 * backlog->capacity : 512;
    struct arrival *items = calloc(capacity, sizeof *items);
    if (!items)
        abort();
    for (size_t i = 0; i < backlog->count; i++)
        items[i] = *backlog_at(backlog, i);
    free(backlog->items);
    backlog->items = items;
    backlog->capacity = capacity;
    backlog->first = 0;
}

static void backlog_push(struct backlog *backlog, const struct bus_delivery *delivery,
                         int64_t now_mono_ms)
{
    if (backlog->count == backlog->capacity)
        backlog_grow(backlog);
    char *body = malloc(delivery->size + 1);
    if (!body)
        abort();
    memcpy(body, delivery->body, delivery->size);
    struct arrival *arrival = backlog_at(backlog, backlog->count++);
    *arrival = (struct arrival){.offset = delivery->offset,
                                .tag = delivery->tag,
                                .since_mono_ms = now_mono_ms,
                                .body = body,
                                .size = delivery->size};
    text_copy(arrival->id, sizeof arrival->id, delivery->message_id);
    text_copy(arrival->key, sizeof arrival->key, delivery->key);
}

static void backlog_drop(struct backlog *backlog, size_t count)
{
    for (; count > 0; count--) {
        free(backlog_at(backlog, 0)->body);
        backlog->first = (backlog->first + 1) % backlog->capacity;
        backlog->count--;
    }
}

/* News from the buses. It comes only inside the phase PUMP, when no transaction is open. */

static void log_bus(const struct edge *edge, const char *event, const char *reason)
{
    LOG_EVENT(edge->parts.log, LOG_INFO, event, LOG_TEXT("reason", reason));
}

static void bus_is_down(struct edge *edge, const char *reason)
{
    if (edge->bus_up)
        edge->counters.reconnects++;
    edge->bus_up = edge->blocked = false;
    snprintf(edge->bus_reason, sizeof edge->bus_reason, "bus: %s", reason ? reason : "down");
    log_bus(edge, "bus-down", reason);
    edge_lost(edge);
}

static void bus_is_up(struct edge *edge)
{
    edge->bus_up = true;
    edge->bus_reason[0] = '\0';
    log_bus(edge, "bus-up", "");
}

static void bus_is_blocked(struct edge *edge, const char *reason)
{
    edge->blocked = true;
    snprintf(edge->bus_reason, sizeof edge->bus_reason, "bus blocked: %s", reason ? reason : "");
    log_bus(edge, "bus-blocked", reason);
}

/* From the last message that has been read, by which the log is known again. */
static enum result subscribe(struct edge *edge, struct err *err)
{
    int64_t next = edge->place.next_offset;
    struct bus_subscription log = {
        .queue = STREAM_LOG,
        .prefetch = edge_topology.queues[0].prefetch,
        .stream = true,
        .from_offset = next == OFFSET_FIRST ? next : next - 1,
    };
    return bus_subscribe(edge->parts.log_bus, &log, err);
}

static void log_is_down(struct edge *edge, const char *reason)
{
    if (edge->log_up)
        edge->counters.reconnects++;
    edge->log_up = false;
    snprintf(edge->log_reason, sizeof edge->log_reason, "log: %s", reason ? reason : "down");
    log_bus(edge, "log-down", reason);
    backlog_drop(&edge->backlog, edge->backlog.count); /* it comes again */
    edge->ack_tag = 0;
    edge->rewinding = false;
}

static void log_is_up(struct edge *edge)
{
    edge->log_up = true;
    edge->log_unknown = edge->place.next_offset != OFFSET_FIRST;
    edge->log_begins = true;
    edge->log_due_mono = clock_mono_ms(edge->parts.clock) + LOG_SILENCE_MS;
    edge->log_reason[0] = '\0';
    log_bus(edge, "log-up", "");
}

/* Whether this is the log that was read before. One that was cut since then begins later. */
static bool is_known(const struct log_place *place, const struct bus_delivery *first)
{
    int64_t last = place->next_offset - 1;
    if (first->offset != last)
        return first->offset > last;
    return !place->last_id[0] || strcmp(place->last_id, first->message_id) == 0;
}

/* A broker that has lost its data, or another one. The read model stays what it is: facts that it has
 * it knows by their numbers, wherever they stand. */
static void read_anew(struct edge *edge)
{
    log_bus(edge, "log-is-another", "it is read from its beginning");
    edge->log_unknown = false;
    edge->rewinding = true;
    edge->place = (struct log_place){.next_offset = OFFSET_FIRST, .cut_at = edge->place.cut_at};
    (void)!subscribe(edge, NULL);
    bus_reconnect(edge->parts.log_bus);
}

/* A log is finite: retention takes its oldest messages away. Whoever has not read them before never
 * will, and must not say that there is no such order. A log begins with offset 0. */
static void note_cut(struct edge *edge, int64_t first)
{
    int64_t next = edge->place.next_offset == OFFSET_FIRST ? 0 : edge->place.next_offset;
    if (first <= next)
        return;
    edge->place.cut_at = first;
    LOG_EVENT(edge->parts.log, LOG_WARNING, "log-cut", LOG_NUMBER("next", next),
              LOG_NUMBER("first", first));
}

static void take_delivery(struct edge *edge, const struct bus_delivery *delivery)
{
    if (edge->log_unknown && !is_known(&edge->place, delivery))
        read_anew(edge);
    if (edge->log_begins && !edge->rewinding)
        note_cut(edge, delivery->offset);
    edge->log_unknown = edge->log_begins = false;
    if (!edge->rewinding)
        backlog_push(&edge->backlog, delivery, edge->pumped_mono_ms);
}

/* A log that is shorter than what was read of it has nothing to send. */
static void expire_log(struct edge *edge, int64_t now_mono_ms)
{
    if (edge->log_up && edge->log_unknown && now_mono_ms >= edge->log_due_mono)
        read_anew(edge);
}

static void hear(void *context, const struct bus_event *event)
{
    struct edge *edge = context;
    switch (event->kind) {
    case BUS_UP:
        bus_is_up(edge);
        return;
    case BUS_DOWN:
        bus_is_down(edge, event->reason);
        return;
    case BUS_BLOCKED:
        bus_is_blocked(edge, event->reason);
        return;
    case BUS_UNBLOCKED:
        edge->blocked = false;
        edge->bus_reason[0] = '\0';
        log_bus(edge, "bus-unblocked", "");
        return;
    case BUS_SETTLED:
        edge_settled(edge, event->token, event->fate);
        return;
    case BUS_DELIVERY:
        return;
    }
}

/* Whatever becomes of the log, commands do not notice. */
static void hear_log(void *context, const struct bus_event *event)
{
    struct edge *edge = context;
    if (event->kind == BUS_UP)
        log_is_up(edge);
    else if (event->kind == BUS_DOWN)
        log_is_down(edge, event->reason);
    else if (event->kind == BUS_DELIVERY)
        take_delivery(edge, event->delivery);
}

/* Life */

static void note_changed(void *context, const char *order_id, enum order_news news)
{
    struct edge *edge = context;
    if (edge->changed_count == edge->changed_capacity) {
        edge->changed_capacity = edge->changed_capacity ? 2 * edge->changed_capacity : 256;
        edge->changed = realloc(edge->changed, edge->changed_capacity * sizeof *edge->changed);
        if (!edge->changed)
            abort();
    }
    struct order_change_note *note = &edge->changed[edge->changed_count++];
    note->news = news;
    text_copy(note->order_id, sizeof note->order_id, order_id);
}

static struct edge_limits limits_with_defaults(const struct edge_limits *given)
{
    struct edge_limits limits = given ? *given : (struct edge_limits){0};
    if (limits.deadline_ms <= 0)
        limits.deadline_ms = 5000;
    if (limits.inflight_max == 0)
        limits.inflight_max = 8192;
    if (limits.accepted_max == 0)
        limits.accepted_max = 150000;
    if (limits.accepted_age_ms <= 0)
        limits.accepted_age_ms = 900000;
    if (limits.sent_max == 0)
        limits.sent_max = 8192;
    if (limits.waiters_max == 0)
        limits.waiters_max = 8192;
    if (limits.batch == 0)
        limits.batch = 256;
    return limits;
}

enum result edge_new(const struct edge_parts *parts, const struct edge_limits *limits,
                     struct edge **ret_edge, struct err *err)
{
    struct edge *edge = calloc(1, sizeof *edge);
    if (!edge)
        abort();
    edge->parts = *parts;
    edge->limits = limits_with_defaults(limits);
    edge->numbers.commit.shift = edge->numbers.lag.shift = HISTOGRAM_TIME;
    snprintf(edge->bus_reason, sizeof edge->bus_reason, "bus: not connected yet");
    snprintf(edge->log_reason, sizeof edge->log_reason, "log: not connected yet");
    inflight_init(&edge->inflight, edge->limits.inflight_max);
    accepted_init(&edge->accepted, edge->limits.accepted_max, edge->limits.accepted_age_ms);
    sent_init(&edge->sent, edge->limits.sent_max, edge->limits.accepted_age_ms);
    waiters_init(&edge->waiters, edge->limits.waiters_max);
    projection_init(&edge->projection, parts->store, note_changed, edge);
    enum result result = read_model_place(parts->store, &edge->place, err);
    if (result == OK)
        result = subscribe(edge, err);
    if (result != OK) {
        edge_free(edge);
        return err_context(err, result, "edge");
    }
    bus_listen(parts->bus, hear, edge);
    bus_listen(parts->log_bus, hear_log, edge);
    *ret_edge = edge;
    return OK;
}

void edge_free(struct edge *edge)
{
    if (!edge)
        return;
    store_rollback(edge->parts.store);
    bus_listen(edge->parts.bus, NULL, NULL);
    bus_listen(edge->parts.log_bus, NULL, NULL);
    backlog_drop(&edge->backlog, edge->backlog.count);
    free(edge->backlog.items);
    free(edge->changed);
    projection_release(&edge->projection);
    waiters_release(&edge->waiters);
    accepted_release(&edge->accepted);
    sent_release(&edge->sent);
    inflight_release(&edge->inflight);
    free(edge);
}

/* Phases */

/* The store's trouble is nobody's fault: the same batch again, a little later. */
static void roll_back(struct edge *edge, const struct err *err)
{
    store_rollback(edge->parts.store);
    projection_rolled_back(&edge->projection);
    edge->batch = 0;
    edge->changed_count = 0;
    edge->counters.rollbacks++;
    edge->store_backoff_ms = edge->store_backoff_ms ? 2 * edge->store_backoff_ms : BACKOFF_MIN_MS;
    if (edge->store_backoff_ms > BACKOFF_MAX_MS)
        edge->store_backoff_ms = BACKOFF_MAX_MS;
    edge->store_retry_mono = clock_mono_ms(edge->parts.clock) + edge->store_backoff_ms;
    snprintf(edge->store_reason, sizeof edge->store_reason, "read model: %.80s", err_text(err));
    LOG_EVENT(edge->parts.log, LOG_WARNING, "read-model", LOG_TEXT("reason", err_text(err)));
}

static void begin(struct edge *edge)
{
    struct err err = {""};
    if (edge->backlog.count == 0 || clock_mono_ms(edge->parts.clock) < edge->store_retry_mono)
        return;
    edge->begin_waits = store_begin(edge->parts.store, &err) != OK;
    if (edge->begin_waits) {
        roll_back(edge, &err);
        return;
    }
    edge->batch =
        edge->backlog.count < edge->limits.batch ? edge->backlog.count : edge->limits.batch;
    edge->changed_count = 0;
}

static void place_behind(struct log_place *place, const struct arrival *arrival)
{
    place->next_offset = arrival->offset + 1;
    memcpy(place->last_id, arrival->id, sizeof place->last_id);
}

static void apply(struct edge *edge)
{
    struct err err = {""};
    enum result result = OK;
    struct projection_counts before = edge->projection.counts;
    struct log_place place = edge->place;
    for (size_t i = 0; i < edge->batch && result == OK; i++) {
        const struct arrival *arrival = backlog_at(&edge->backlog, i);
        if (arrival->offset < place.next_offset)
            continue; /* read before the connection was lost */
        result =
            projection_apply(&edge->projection, arrival->key, arrival->body, arrival->size, &err);
        place_behind(&place, arrival);
    }
    if (result == OK && edge->batch > 0)
        result = read_model_set_place(edge->parts.store, &place, &err);
    if (result != OK) {
        edge->projection.counts = before;
        roll_back(edge, &err);
    }
}

/* Readers see it now: the memory of what was not visible can go, and those who wait are called. */
static void tell_changes(struct edge *edge)
{
    store_read_begin(edge->parts.store);
    for (size_t i = 0; i < edge->changed_count; i++)
        if (edge->changed[i].news != FATE_HEARD)
            accepted_seen(&edge->accepted, edge->changed[i].order_id);
    for (size_t i = 0; i < edge->changed_count; i++)
        if (edge->changed[i].news == FATE_HEARD)
            edge_fate_heard(edge, edge->changed[i].order_id);
        else if (edge->changed[i].news == ORDER_SETTLED)
            waiters_settled(&edge->waiters, edge->changed[i].order_id);
    store_read_end(edge->parts.store);
    edge->changed_count = 0;
}

static void count_batch(struct edge *edge, int64_t begun_us)
{
    const struct clock *clock = edge->parts.clock;
    struct edge_numbers *numbers = &edge->numbers;
    histogram_add(&numbers->batch, (int64_t)edge->batch);
    histogram_add(&numbers->commit, clock_mono_us(clock) - begun_us);
    edge->counters.last_fact_ms = edge->projection.last_ms;
    if (edge->projection.last_ms > 0)
        histogram_add(&numbers->lag, 1000 * (clock_wall_ms(clock) - edge->projection.last_ms));
}

/* A commit may go through and fail to say so; the offset is written with the facts, and tells.
 * Applied once more they would be known facts, no news, and nobody would be called. */
static bool has_landed(struct edge *edge, const struct arrival *last)
{
    struct log_place stored;
    store_rollback(edge->parts.store);
    return read_model_place(edge->parts.store, &stored, NULL) == OK &&
           stored.next_offset == last->offset + 1;
}

static void commit(struct edge *edge)
{
    struct err err = {""};
    if (edge->batch == 0)
        return;
    const struct arrival *last = backlog_at(&edge->backlog, edge->batch - 1);
    int64_t begun_us = clock_mono_us(edge->parts.clock);
    enum result result = FAILPOINT("projection-commit-before")
                             ? err_set(&err, RETRY, "failpoint")
                             : store_commit(edge->parts.store, &err);
    if (result == OK && FAILPOINT("projection-commit-after"))
        result = err_set(&err, RETRY, "failpoint: the answer to COMMIT is lost");
    if (result != OK && !has_landed(edge, last)) {
        roll_back(edge, &err);
        return;
    }
    count_batch(edge, begun_us);
    edge->ack_tag = last->tag;
    if (last->offset >= edge->place.next_offset)
        place_behind(&edge->place, last);
    backlog_drop(&edge->backlog, edge->batch);
    edge->batch = 0;
    edge->counters.batches++;
    edge->store_backoff_ms = 0;
    edge->store_reason[0] = '\0';
    (void)!subscribe(edge, NULL); /* where to read on after a loss */
    tell_changes(edge);
}

static void acknowledge(struct edge *edge)
{
    if (edge->ack_tag && edge->log_up)
        (void)!bus_ack(edge->parts.log_bus, edge->ack_tag);
    edge->ack_tag = 0;
}

static void expire(struct edge *edge)
{
    int64_t now = clock_mono_ms(edge->parts.clock);
    edge_look_for_standstill(edge, now);
    edge_expire_commands(edge, now);
    expire_log(edge, now);
    waiters_expire(&edge->waiters, now);
    accepted_expire(&edge->accepted, now);
    sent_expire(&edge->sent, now);
}

static void pump(struct edge *edge)
{
    edge->pumped_mono_ms = clock_mono_ms(edge->parts.clock);
    store_read_begin(edge->parts.store);
    bus_pump(edge->parts.bus);
    bus_pump(edge->parts.log_bus);
    store_read_end(edge->parts.store);
    edge_send_waiting(edge);
    bus_flush(edge->parts.bus);
}

void edge_burst_begin(struct edge *edge)
{
    store_read_begin(edge->parts.store);
}

void edge_burst_end(struct edge *edge)
{
    store_read_end(edge->parts.store);
    bus_flush(edge->parts.bus);
}

enum edge_phase edge_step(struct edge *edge)
{
    static void (*const run[EDGE_PHASE_COUNT])(struct edge *) = {
        [EDGE_PHASE_PUMP] = pump,     [EDGE_PHASE_BEGIN] = begin,     [EDGE_PHASE_APPLY] = apply,
        [EDGE_PHASE_COMMIT] = commit, [EDGE_PHASE_ACK] = acknowledge, [EDGE_PHASE_EXPIRE] = expire,
    };
    enum edge_phase phase = edge->phase;
    edge->phase = (enum edge_phase)((phase + 1) % EDGE_PHASE_COUNT);
    run[phase](edge);
    return phase;
}

void edge_round(struct edge *edge)
{
    while (edge_step(edge) != EDGE_PHASE_EXPIRE)
        ;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t edge_deadline_ms(struct edge *edge)
{
    int64_t deadline =
        earlier(bus_deadline_ms(edge->parts.bus), bus_deadline_ms(edge->parts.log_bus));
    const struct flight *oldest = TAILQ_FIRST(&edge->inflight.by_age);
    if (edge->phase != EDGE_PHASE_PUMP)
        return 0;
    if (oldest)
        deadline = earlier(deadline, oldest->deadline_mono_ms);
    if (edge->backlog.count > 0)
        deadline = earlier(deadline, edge->store_retry_mono);
    if (edge->log_up && edge->log_unknown)
        deadline = earlier(deadline, edge->log_due_mono);
    /* On room on the wire nobody calls us: look again soon. */
    if (!TAILQ_EMPTY(&edge->inflight.unsent))
        deadline = earlier(deadline, clock_mono_ms(edge->parts.clock) + 1);
    deadline = earlier(deadline, edge_standstill_due_ms(edge));
    return earlier(deadline, edge->waiters.next_mono_ms);
}

int edge_bus_fd(struct edge *edge)
{
    return bus_fd(edge->parts.bus);
}

int edge_log_fd(struct edge *edge)
{
    return bus_fd(edge->parts.log_bus);
}

void edge_drain(struct edge *edge)
{
    edge->draining = true;
}

bool edge_drained(const struct edge *edge)
{
    return edge->draining && edge->inflight.count == 0;
}

void edge_state(const struct edge *edge, struct edge_state *ret_state)
{
    struct edge_state state = edge->counters;
    char cut[96] = "";
    if (edge->place.cut_at > 0)
        snprintf(cut, sizeof cut, EDGE_LOG_CUT ": what was before offset %lld is not known here",
                 (long long)edge->place.cut_at);
    state.cut_at = edge->place.cut_at;
    state.bus_up = edge->bus_up;
    state.log_up = edge->log_up;
    state.blocked = edge->blocked;
    text_copy(state.reason, sizeof state.reason,
              edge->bus_reason[0]     ? edge->bus_reason
              : edge->log_reason[0]   ? edge->log_reason
              : edge->store_reason[0] ? edge->store_reason
              : edge->stall_reason[0] ? edge->stall_reason
              : cut[0]                ? cut
              : edge->draining        ? "draining"
                                      : "");
    state.inflight = edge->inflight.count;
    state.accepted_unread = edge->accepted.table.count;
    state.waiters = edge->waiters.table.count;
    state.backlog = edge->backlog.count;
    state.next_offset = edge->place.next_offset < 0 ? 0 : edge->place.next_offset;
    state.facts = edge->projection.counts.facts;
    state.duplicates = edge->projection.counts.duplicates;
    state.held = edge->projection.counts.held;
    state.ignored = edge->projection.counts.ignored;
    state.poison = edge->projection.counts.poison;
    edge_standstill_state(edge, &state);
    *ret_state = state;
}

const struct edge_numbers *edge_numbers(const struct edge *edge)
{
    return &edge->numbers;
}
