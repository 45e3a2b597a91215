/* Everything that a run counts, on its way into the report: totals, histograms, phases, and the
 * second that is being lived through. Times are monotonic nanoseconds. */
#ifndef WARREN_LOAD_MEASURE_H
#define WARREN_LOAD_MEASURE_H

#include <stdint.h>

#include "load/fates.h"
#include "load/report/report.h"

enum { LATE_AFTER_US = 10000 }; /* sent by more than this after its time: late */

struct measure;

/* `report` is borrowed and filled; its plan is there already, with the phases. */
struct measure *measure_new(struct load_report *report);
/* Takes NULL. */
void measure_free(struct measure *measure);

/* The moment from which everything counts. */
void measure_begin(struct measure *measure, int64_t now_ns);
int64_t measure_begun_ns(const struct measure *measure);

void measure_offered(struct measure *measure, size_t phase);
/* `free_connection`: whether one was there in time, so that being late was the generator's own. */
void measure_sent(struct measure *measure, const struct fate *fate, int64_t now_ns,
                  bool free_connection);
void measure_accepted(struct measure *measure, const struct fate *fate, int64_t now_ns);
/* One attempt that was not answered 202, and why. */
void measure_error(struct measure *measure, const struct fate *fate, const char *kind);
/* An order's sender has given up: `fate->answer` says what it knows. */
void measure_gave_up(struct measure *measure, const struct fate *fate);
void measure_query(struct measure *measure, int64_t intended_ns, int64_t now_ns, bool fine);
void measure_cancel(struct measure *measure, bool fine);
/* `fate` has settled, at `fate->settled_ns`; `reason` of a rejection or "". */
void measure_settled(struct measure *measure, const struct fate *fate, const char *reason);
void measure_notified(struct measure *measure, const struct fate *fate);

/* Ends the second: what it had goes into the series. The sample is the caller's to complete with
 * levels, valid until the next call. */
struct load_sample *measure_tick(struct measure *measure, int64_t now_ns);
/* Of the second that is over, for the line of progress. */
int64_t measure_recent_p99_us(const struct measure *measure);

/* Accepted and not settled, as far as the log was read. */
int64_t measure_unsettled(const struct measure *measure);
/* Late though there was a connection to send on. */
int64_t measure_own_lateness(const struct measure *measure);
/* When the last order settled; 0: none has. */
int64_t measure_last_settled_ns(const struct measure *measure);
/* Whether this phase has broken the bound already: more than 1 % of its orders are over it. */
bool measure_phase_broken(const struct measure *measure, size_t phase, int64_t bound_us);

/* Completes the phases and, with a bound, says which rate was the highest that held. */
void measure_finish(struct measure *measure);

#endif
