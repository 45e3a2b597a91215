#include "cli/chaos_plan.h"

#include <string.h>

const char *const chaos_kind_names[CHAOS_KINDS] = {
    "kill",  "stop",      "broker-kill", "broker-stop",  "alarm", "reset",
    "clock", "disk-full", "unbind",      "delete-queue", "purge", "broker-disk-full"};
const char *const chaos_queues[CHAOS_QUEUES] = {"order.payments", "payment.orders",
                                                "payment.commands", "notification.events"};

/* How long each lasts, in ms: a kill until the supervisor has noticed, the broker's full disk until it
 * has met all that the node writes now and then. */
static const struct {
    int64_t least, most;
} holds[CHAOS_KINDS] = {{1000, 3000}, {300, 4000},  {8000, 12000}, {500, 6000},
                        {1000, 4000}, {1000, 2000}, {2000, 6000},  {2000, 5000},
                        {3000, 8000}, {3000, 6000}, {1000, 3000},  {8000, 14000}};

enum { QUIET_FIRST_MS = 2000, QUIET_LEAST_MS = 500, QUIET_MOST_MS = 3000 };

static enum result kind_read(const char *name, size_t size, bool *kinds, struct err *err)
{
    bool all = size == strlen("all") && memcmp(name, "all", size) == 0;
    for (size_t i = 0; i < CHAOS_KINDS && all; i++)
        kinds[i] = true;
    for (size_t i = 0; i < CHAOS_KINDS && !all; i++) {
        if (strlen(chaos_kind_names[i]) == size && memcmp(chaos_kind_names[i], name, size) == 0) {
            kinds[i] = true;
            return OK;
        }
    }
    if (all)
        return OK;
    return err_set(err, INVALID, "there is no fault '%.*s'", (int)size, name);
}

enum result chaos_kinds_read(const char *text, bool kinds[CHAOS_KINDS], struct err *err)
{
    enum result result = OK;
    memset(kinds, 0, CHAOS_KINDS * sizeof kinds[0]);
    while (result == OK) {
        size_t size = strcspn(text, ",");
        result = kind_read(text, size, kinds, err);
        if (text[size] == '\0')
            break;
        text += size + 1;
    }
    return result;
}

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int64_t draw_between(uint64_t *state, int64_t least, int64_t most)
{
    return least + (int64_t)(draw(state) % (uint64_t)(most - least + 1));
}

/* A round: all the kinds that are wanted, shuffled. */
static size_t deal(uint64_t *state, const bool *kinds, enum chaos_kind *round)
{
    size_t count = 0;
    for (size_t i = 0; i < CHAOS_KINDS; i++) {
        if (kinds[i])
            round[count++] = (enum chaos_kind)i;
    }
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)(draw(state) % i);
        enum chaos_kind other = round[i - 1];
        round[i - 1] = round[j];
        round[j] = other;
    }
    return count;
}

/* By some seconds as often as by some minutes, either way. */
static int64_t draw_offset_ms(uint64_t *state)
{
    int64_t ms =
        draw(state) % 2 ? draw_between(state, 2000, 20000) : draw_between(state, 20000, 300000);
    return draw(state) % 2 ? ms : -ms;
}

static size_t targets_of(enum chaos_kind kind, size_t services)
{
    switch (kind) {
    case CHAOS_ALARM:
        return 2;
    case CHAOS_CLOCK:
        return services + 1;
    case CHAOS_DISK_FULL:
        return CHAOS_DISKS;
    case CHAOS_UNBIND:
        return CHAOS_BINDING_DRAWS;
    case CHAOS_DELETE:
    case CHAOS_PURGE:
        return CHAOS_QUEUES;
    default:
        return services;
    }
}

static struct chaos_fault draw_fault(uint64_t *state, enum chaos_kind kind, size_t services)
{
    struct chaos_fault fault = {.kind = kind};
    fault.hold_ms = draw_between(state, holds[kind].least, holds[kind].most);
    fault.target = (size_t)(draw(state) % targets_of(kind, services));
    if (kind == CHAOS_CLOCK) {
        fault.offset_ms = draw_offset_ms(state);
        fault.stays = draw(state) % 2;
    }
    return fault;
}

void chaos_plan_make(uint64_t seed, int64_t duration_ms, const bool kinds[CHAOS_KINDS],
                     size_t services, struct chaos_plan *ret_plan)
{
    uint64_t state = seed;
    enum chaos_kind round[CHAOS_KINDS];
    size_t dealt = 0, used = 0;
    int64_t at_ms = QUIET_FIRST_MS;
    ret_plan->count = 0;
    while (ret_plan->count < CHAOS_FAULTS_MAX) {
        if (used == dealt) {
            dealt = deal(&state, kinds, round);
            used = 0;
        }
        struct chaos_fault fault = draw_fault(&state, round[used++], services);
        fault.at_ms = at_ms;
        at_ms += fault.hold_ms + draw_between(&state, QUIET_LEAST_MS, QUIET_MOST_MS);
        if (ret_plan->count > 0 && at_ms > duration_ms)
            return;
        ret_plan->faults[ret_plan->count++] = fault;
    }
}
