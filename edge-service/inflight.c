#include "edge-service/inflight.h"

#include <stdlib.h>

enum { TOKEN_SLOT_BITS = 24, BODY_KEPT_MAX = 4096 };

void inflight_init(struct inflight *inflight, size_t max)
{
    inflight->slots = calloc(max, sizeof *inflight->slots);
    if (!inflight->slots || max >= (size_t)1 << TOKEN_SLOT_BITS)
        abort();
    inflight->max = max;
    inflight->count = 0;
    TAILQ_INIT(&inflight->idle);
    TAILQ_INIT(&inflight->by_age);
    TAILQ_INIT(&inflight->late);
    TAILQ_INIT(&inflight->unsent);
    inflight->used = 0;
}

/* The youngest that is idle, else one that was never used: memory is touched only as far as it was
 * ever needed. */
static struct flight *take_idle(struct inflight *inflight)
{
    struct flight *flight = TAILQ_FIRST(&inflight->idle);
    if (flight) {
        TAILQ_REMOVE(&inflight->idle, flight, link);
        return flight;
    }
    if (inflight->used == inflight->max)
        return NULL;
    flight = &inflight->slots[inflight->used];
    flight->token = inflight->used++;
    return flight;
}

void inflight_release(struct inflight *inflight)
{
    for (size_t i = 0; i < inflight->used; i++)
        buf_release(&inflight->slots[i].body);
    free(inflight->slots);
    *inflight = (struct inflight){0};
}

struct flight *inflight_take(struct inflight *inflight, int64_t deadline_mono_ms)
{
    struct flight *flight = take_idle(inflight);
    if (!flight)
        return NULL;
    TAILQ_INSERT_TAIL(&inflight->by_age, flight, link);
    TAILQ_INSERT_TAIL(&inflight->unsent, flight, unsent);
    flight->token += (uint64_t)1 << TOKEN_SLOT_BITS;
    flight->on_wire = flight->late = false;
    flight->attempts = NULL;
    flight->order = NULL;
    flight->sent = NULL;
    flight->deadline_mono_ms = deadline_mono_ms;
    inflight->count++;
    return flight;
}

struct flight *inflight_find(struct inflight *inflight, uint64_t token)
{
    size_t slot = token & (((uint64_t)1 << TOKEN_SLOT_BITS) - 1);
    if (slot >= inflight->used || inflight->slots[slot].token != token)
        return NULL;
    return &inflight->slots[slot];
}

void inflight_sent(struct inflight *inflight, struct flight *flight)
{
    TAILQ_REMOVE(&inflight->unsent, flight, unsent);
    flight->on_wire = true;
}

void inflight_late(struct inflight *inflight, struct flight *flight)
{
    TAILQ_REMOVE(&inflight->by_age, flight, link);
    TAILQ_INSERT_TAIL(&inflight->late, flight, link);
    flight->late = true;
    inflight->count--;
}

/* The token moves on, so that a late fate meets nobody. The youngest slot is used first again: it
 * is the one in the processor's cache. */
void inflight_give_back(struct inflight *inflight, struct flight *flight)
{
    if (!flight->on_wire)
        TAILQ_REMOVE(&inflight->unsent, flight, unsent);
    TAILQ_REMOVE(flight->late ? &inflight->late : &inflight->by_age, flight, link);
    TAILQ_INSERT_HEAD(&inflight->idle, flight, link);
    flight->token += (uint64_t)1 << TOKEN_SLOT_BITS;
    if (flight->body.capacity > BODY_KEPT_MAX)
        buf_release(&flight->body);
    inflight->count -= !flight->late;
}
