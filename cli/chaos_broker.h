/* Faults of chaos at the broker's own: bindings and queues that somebody deletes, and what is in them.
 * After hold_ms an operator comes and declares everything again, as `warren deploy` does. */
#ifndef WARREN_CLI_CHAOS_BROKER_H
#define WARREN_CLI_CHAOS_BROKER_H

#include "cli/chaos_plan.h"
#include "cli/http.h"
#include "cli/suite.h"

/* As chaos_inject(). */
void chaos_unbind(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                  char what[CHAOS_WHY_SIZE]);
void chaos_delete(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                  char what[CHAOS_WHY_SIZE]);
void chaos_purge(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                 char what[CHAOS_WHY_SIZE]);

/* Until the broker has what the tables say. */
void chaos_broker_heal(const struct suite *suite);

#endif
