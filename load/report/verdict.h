/* What a run says, in words: the same sentences head the page, stand in summary.json and end the
 * output on the terminal. */
#ifndef WARREN_LOAD_VERDICT_H
#define WARREN_LOAD_VERDICT_H

#include "common/base/buf.h"
#include "load/report/report.h"

enum load_verdict {
    VERDICT_CLEAN,       /* load_report_clean */
    VERDICT_FAILED,      /* at least one was */
    VERDICT_NOT_CHECKED, /* nobody knows: the check did not run, or not to its end */
};

enum load_verdict verdict_of(const struct load_report *report);
/* "clean", "failed", "not checked". */
const char *verdict_name(enum load_verdict verdict);

/* Sentences about the load, the latencies and the loss check. */
void verdict_write(const struct load_report *report, struct buf *out);
/* What a reader must know before trusting the figures; nothing is appended when there is nothing.
 * One sentence a line. */
void verdict_warnings(const struct load_report *report, struct buf *out);

/* "open loop, evenly spaced", "open loop, Poisson arrivals", "closed loop". */
const char *verdict_mode(enum load_mode mode);

/* A second, over the schedule; LOAD_UNKNOWN without a duration. */
double verdict_rate(const struct load_report *report, int64_t count);
/* The same of what settled while the load lasted. */
double verdict_settled_rate(const struct load_report *report);

#endif
