/* All that is left to chance in one seed, and the plan of its faults. Each seed has a mood: which
 * faults happen at all and how often, so that some seeds are all drops and others all delays. */
#ifndef WARREN_SIMULATION_CHANCE_H
#define WARREN_SIMULATION_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/messaging/memory_bus.h"

struct chance {
    uint64_t state;
    bool calm;                                                 /* no faults any more */
    uint32_t bus[MEMORY_FAULT_COUNT];                          /* of 10000 questions */
    uint32_t death, unbind, block, jump, back, drop_all, skew; /* of 10000 steps */
    uint32_t provider_fail, provider_stall, provider_lose, provider_twice,
        provider_late; /* calls */
    uint32_t store_busy, store_statement, store_commit,
        store_answer;    /* of 10000 of each; a commit's answer that gets lost */
    uint32_t never_back; /* of 100 deaths */
    uint32_t cut;        /* of 10000 steps; only where it was asked for */
};

/* Faults that nothing is made for yet, so that they are in no seed unless named: "cut-log" takes the
 * oldest facts away from the log, as retention does. Before the first chance_init. INVALID: there is
 * no such fault. */
enum result chance_add(const char *name, struct err *err) WARN_UNUSED;

void chance_init(struct chance *chance, uint64_t seed);
uint64_t chance_next(struct chance *chance);
/* 0 .. of-1 */
uint64_t chance_below(struct chance *chance, uint64_t of);
int64_t chance_between(struct chance *chance, int64_t low, int64_t high);
/* True in `rate` of `of` cases; never while calm. */
bool chance_hits(struct chance *chance, uint32_t rate, uint32_t of);
/* A memory_chooser's function; the context is the struct chance. */
uint64_t chance_choose(void *context, enum memory_fault fault, uint64_t of);

#endif
