/* The faults `disk-full` and `broker-disk-full`: the disk of the stores, or of the broker, is filled to
 * the last block, really. Only where they have a small one to themselves. */
#ifndef WARREN_CLI_CHAOS_DISK_H
#define WARREN_CLI_CHAOS_DISK_H

#include "cli/chaos_plan.h"
#include "cli/http.h"
#include "cli/suite.h"

/* INVALID: HOME/store and HOME/provider, or HOME/broker, are not file systems of their own, or others
 * have them mounted too, or they are too large. */
enum result chaos_disk_possible(const struct suite *suite, enum chaos_kind kind,
                                struct err *err) WARN_UNUSED;

/* As chaos_inject. Reached: nothing more can be written, and a service's log says that its transaction
 * failed for it. */
void chaos_disk_full(const struct suite *suite, struct chaos_fault *fault,
                     char what[CHAOS_WHY_SIZE]);

/* Likewise. Reached: nothing more can be written, and the node's log says that it has raised its alarm for
 * it, or it has one, or, when it was just starting, that there is no room. */
void chaos_broker_disk_full(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                            char what[CHAOS_WHY_SIZE]);

/* The room is back. */
void chaos_disk_heal(const struct suite *suite);

#endif
