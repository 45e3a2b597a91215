/* When each order is due: a rate over time, fixed before the run begins and repeatable from a seed.
 * Nothing that the suite does can move an arrival. Plain values; a copy goes its own way, so that
 * one can count what is due while another sends what is late. */
#ifndef WARREN_LOAD_SCHEDULE_H
#define WARREN_LOAD_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

enum { SCHEDULE_PHASES_MAX = 64 };

enum schedule_kind { SCHEDULE_EVEN, SCHEDULE_POISSON };

/* The rate goes in a straight line from one value to the other. */
struct schedule_phase {
    double from, to; /* a second */
    int64_t duration_ns;
};

struct schedule_plan {
    enum schedule_kind kind;
    uint64_t seed;
    struct schedule_phase phases[SCHEDULE_PHASES_MAX];
    size_t count;
};

/* "100:30,100-500:60,500:30": RATE:SECONDS or FROM-TO:SECONDS. INVALID says what is wrong. */
enum result schedule_parse(const char *text, struct schedule_plan *plan,
                           struct err *err) WARN_UNUSED;
int64_t schedule_duration_ns(const struct schedule_plan *plan);

struct schedule {
    const struct schedule_plan *plan; /* borrowed */
    uint64_t random;
    size_t phase;
    int64_t phase_begin_ns;
    double due;       /* how many arrivals of this phase come before the next one */
    int64_t next_ns;  /* the next arrival, from the begin; INT64_MAX: there are no more */
    uint64_t ordinal; /* its number, from 0 */
};

/* The first arrival: even, at 0; Poisson, after a random distance. */
void schedule_begin(const struct schedule_plan *plan, struct schedule *ret_schedule);
/* Goes on to the next arrival. */
void schedule_step(struct schedule *schedule);

#endif
