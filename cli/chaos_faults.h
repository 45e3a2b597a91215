/* Faults done to a running suite, and the proof that they were: each is undone before the function
 * returns, but for a restart, which is the supervisor's work. */
#ifndef WARREN_CLI_CHAOS_FAULTS_H
#define WARREN_CLI_CHAOS_FAULTS_H

#include "cli/chaos_plan.h"
#include "cli/http.h"
#include "cli/suite.h"

/* Fills in `reached` and `why`, and what it was done to ("payment-service, pid 12"). Takes at least
 * hold_ms; waits up to a minute for the victim to be there. */
void chaos_inject(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                  char what[CHAOS_WHY_SIZE]);

/* Continues what is stopped, clears alarms; for the end, however it came. */
void chaos_heal(struct http *http, const struct suite *suite);

#endif
