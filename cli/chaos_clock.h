/* The fault `clock`: the time of day of a service, or of every one, jumps. */
#ifndef WARREN_CLI_CHAOS_CLOCK_H
#define WARREN_CLI_CHAOS_CLOCK_H

#include "cli/chaos_plan.h"
#include "cli/http.h"
#include "cli/suite.h"

/* INVALID: the suite was not started with such clocks. */
enum result chaos_clock_possible(const struct suite *suite, struct err *err) WARN_UNUSED;

/* As chaos_inject. Reached: the services themselves say so, in /metrics; where it does not stay, also
 * that the time is right again. */
void chaos_clock(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                 char what[CHAOS_WHY_SIZE]);

/* Every clock right. */
void chaos_clock_heal(const struct suite *suite);

#endif
