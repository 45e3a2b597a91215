/* Ready means moving: what stands still although nothing has failed, told in the log, in readiness and as
 * a number. */
#include <stdio.h>

#include "common/telemetry/log.h"
#include "edge-service/edge_private.h"

const char *edge_stall_name(enum edge_stall stall)
{
    static const char *const names[EDGE_STALLS] = {
        [EDGE_STALL_BEGIN] = "transaction",
        [EDGE_STALL_FACTS] = "in-hand",
        [EDGE_STALL_PUBLISHES] = "publishes",
    };
    return names[stall];
}

static const char *reason_of(const struct edge *edge, enum edge_stall stall)
{
    static const char *const reasons[EDGE_STALLS] = {
        [EDGE_STALL_FACTS] = "none of the facts received is folded in",
        [EDGE_STALL_PUBLISHES] = "the broker confirms nothing",
    };
    return stall == EDGE_STALL_BEGIN ? edge->store_reason : reasons[stall];
}

/* The first ones in the queues are sent first. */
static bool publishes_wait(const struct inflight *inflight)
{
    const struct flight *oldest = TAILQ_FIRST(&inflight->by_age);
    return !TAILQ_EMPTY(&inflight->late) || (oldest && oldest->on_wire);
}

/* Whether there is something to do, and how much of it has ever been done. */
static bool waits(const struct edge *edge, enum edge_stall stall, uint64_t *ret_done)
{
    const struct edge_state *counters = &edge->counters;
    *ret_done = counters->batches;
    switch (stall) {
    case EDGE_STALL_BEGIN:
        return edge->begin_waits && edge->backlog.count > 0;
    case EDGE_STALL_FACTS:
        return edge->backlog.count > 0;
    case EDGE_STALL_PUBLISHES:
        *ret_done = counters->confirmed + counters->returned + counters->nacked;
        return publishes_wait(&edge->inflight);
    case EDGE_STALLS:
        break;
    }
    return false;
}

static int64_t oldest_ms(const struct edge *edge)
{
    const struct backlog *backlog = &edge->backlog;
    if (backlog->count == 0)
        return 0;
    return clock_mono_ms(edge->parts.clock) - backlog->items[backlog->first].since_mono_ms;
}

static void tell(const struct edge *edge, enum edge_stall stall, enum stall_news news,
                 int64_t age_ms)
{
    bool begins = news == STALL_BEGINS;
    LOG_EVENT(edge->parts.log, begins ? LOG_ERROR : LOG_INFO,
              begins ? "standing-still" : "moving-again", LOG_TEXT("what", edge_stall_name(stall)),
              LOG_TEXT("reason", begins ? reason_of(edge, stall) : ""),
              LOG_NUMBER("for_ms", age_ms), LOG_NUMBER("in_hand", (int64_t)edge->backlog.count),
              LOG_NUMBER("oldest_ms", oldest_ms(edge)));
}

void edge_look_for_standstill(struct edge *edge, int64_t now_mono_ms)
{
    edge->stall_reason[0] = '\0';
    for (int i = EDGE_STALLS - 1; i >= 0; i--) { /* what is first is the cause of the others */
        enum edge_stall stall = (enum edge_stall)i;
        uint64_t done;
        int64_t age_ms;
        bool waiting = waits(edge, stall, &done);
        bool moved = done != edge->stall_marks[i];
        edge->stall_marks[i] = done;
        enum stall_news news = stall_look(&edge->stalls[i], waiting, moved, now_mono_ms, &age_ms);
        if (news != STALL_NONE)
            tell(edge, stall, news, age_ms);
        if (edge->stalls[i].told)
            snprintf(edge->stall_reason, sizeof edge->stall_reason, "stalled: %s: %.60s",
                     edge_stall_name(stall), reason_of(edge, stall));
    }
}

void edge_standstill_state(const struct edge *edge, struct edge_state *state)
{
    int64_t now_ms = clock_mono_ms(edge->parts.clock);
    for (int i = 0; i < EDGE_STALLS; i++)
        state->stalled_ms[i] = stall_age_ms(&edge->stalls[i], now_ms);
    state->oldest_ms = oldest_ms(edge);
}

int64_t edge_standstill_due_ms(const struct edge *edge)
{
    int64_t due = INT64_MAX;
    for (int i = 0; i < EDGE_STALLS; i++) {
        const struct stall *stall = &edge->stalls[i];
        if (stall->since_ms > 0 && !stall->told && stall->since_ms + STALL_MS < due)
            due = stall->since_ms + STALL_MS;
    }
    return due;
}
