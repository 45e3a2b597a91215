/* Looks at a suite from outside, once a second, on a thread of its own: some of these looks may
 * block for seconds when the broker does, and the schedule must not
 * (docs/adr/0009-a-client-of-our-own-for-load.md). The owner takes the last look whenever it likes.
 *
 * Ready messages come from the broker itself (a passive declare) and are of this moment; unacked ones
 * from its management interface, which counts them every 5 s. */
#ifndef WARREN_LOAD_WATCH_H
#define WARREN_LOAD_WATCH_H

#include "cli/suite.h"
#include "load/report/report.h"

struct watch;

/* Starts the thread. */
enum result watch_start(const struct suite *suite, struct watch **ret_watch,
                        struct err *err) WARN_UNUSED;
/* Ends it; waits at most for the look that is being taken. Takes NULL. */
void watch_free(struct watch *watch);

/* The last offset that was read from the log of facts, for the lag of the edges. Cheap. */
void watch_log_offset(struct watch *watch, int64_t offset);
/* Fills the levels of the sample and, where new, the names of the series. */
void watch_sample(struct watch *watch, struct load_series *series, struct load_sample *sample);

/* What the services and the broker have counted since they started. */
struct watch_counters {
    int64_t redeliveries, duplicates, deferred, quarantined; /* LOAD_UNKNOWN: nobody told */
};
/* Blocks; not while the schedule runs. */
void watch_count(const struct suite *suite, struct watch_counters *ret_counters);

/* CPU time that this process has used, in microseconds. */
int64_t watch_own_cpu_us(void);
/* Processor, kernel, memory; with a suite also its broker. */
void watch_machine(const struct suite *suite, struct load_machine *ret_machine);

#endif
