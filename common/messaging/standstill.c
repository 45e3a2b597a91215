/* Ready means moving: what stands still although nothing has failed, told in the log, in readiness and as
 * a number. */
#include <inttypes.h>
#include <stdio.h>

#include "common/messaging/service_private.h"
#include "common/telemetry/log.h"

const char *service_stall_name(enum service_stall stall)
{
    static const char *const names[SERVICE_STALLS] = {
        [STALL_BEGIN] = "transaction",
        [STALL_IN_HAND] = "in-hand",
        [STALL_PUBLISHES] = "publishes",
    };
    return names[stall];
}

static const char *reason_of(const struct service *service, enum service_stall stall)
{
    static const char *const reasons[SERVICE_STALLS] = {
        [STALL_IN_HAND] = "none of the messages in hand gets done",
        [STALL_PUBLISHES] = "the broker confirms nothing",
    };
    return stall == STALL_BEGIN ? service->begin_reason : reasons[stall];
}

/* Whether there is something to do, and how much of it has ever been done. */
static bool waits(const struct service *service, enum service_stall stall, uint64_t *ret_done)
{
    const struct service_state *state = &service->state;
    *ret_done = state->batches;
    switch (stall) {
    case STALL_BEGIN:
        return service->begin_waits;
    case STALL_IN_HAND:
        return service->arrival_count > 0;
    case STALL_PUBLISHES:
        *ret_done = state->confirmed + state->returned + state->nacked;
        return service->in_flight > 0;
    case SERVICE_STALLS:
        break;
    }
    return false;
}

static int64_t oldest_ms(const struct service *service)
{
    const struct arrival *oldest = TAILQ_FIRST(&service->arrivals);
    return oldest ? service_mono_ms(service) - oldest->since_ms : 0;
}

static void tell(const struct service *service, enum service_stall stall, enum stall_news news,
                 int64_t age_ms)
{
    bool begins = news == STALL_BEGINS;
    LOG_EVENT(service->parts.log, begins ? LOG_ERROR : LOG_INFO,
              begins ? "standing-still" : "moving-again",
              LOG_TEXT("what", service_stall_name(stall)),
              LOG_TEXT("reason", begins ? reason_of(service, stall) : ""),
              LOG_NUMBER("for_ms", age_ms), LOG_NUMBER("in_hand", (int64_t)service->arrival_count),
              LOG_NUMBER("oldest_ms", oldest_ms(service)));
}

void standstill_look(struct service *service)
{
    for (int i = 0; i < SERVICE_STALLS; i++) {
        enum service_stall stall = (enum service_stall)i;
        uint64_t done;
        int64_t age_ms;
        bool waiting = waits(service, stall, &done);
        bool moved = done != service->stall_marks[i];
        service->stall_marks[i] = done;
        enum stall_news news =
            stall_look(&service->stalls[i], waiting, moved, service->pumped_ms, &age_ms);
        if (news != STALL_NONE)
            tell(service, stall, news, age_ms);
    }
}

void standstill_state(const struct service *service, struct service_state *state)
{
    int64_t now_ms = service_mono_ms(service);
    state->oldest_ms = oldest_ms(service);
    state->stall_reason[0] = '\0';
    for (int i = SERVICE_STALLS - 1; i >= 0; i--) { /* what is first is the cause of the others */
        enum service_stall stall = (enum service_stall)i;
        state->stalled_ms[i] = stall_age_ms(&service->stalls[i], now_ms);
        if (stall_is_long(&service->stalls[i], now_ms))
            snprintf(state->stall_reason, sizeof state->stall_reason,
                     "%s has stood still for %" PRId64 " s: %s", service_stall_name(stall),
                     state->stalled_ms[i] / 1000, reason_of(service, stall));
    }
}
