/* Waiting that a person can watch and end: one line per step, a word every few seconds while a step
 * takes long, and Ctrl-C noticed between two looks. One at a time per process; the signals INT,
 * TERM and HUP stay blocked until progress_end. */
#ifndef WARREN_CLI_PROGRESS_H
#define WARREN_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

struct progress {
    int signals; /* a signalfd */
    bool interrupted;
    bool quiet;       /* steps are not printed */
    const char *step; /* what is being waited for */
    int64_t began_ms; /* monotonic */
    int64_t spoke_ms;
};

void progress_begin(struct progress *progress, bool quiet);
void progress_end(struct progress *progress);

/* From now on we wait for this. Borrowed. */
void progress_step(struct progress *progress, const char *step);
/* "  broker                 ready             5.8 s" */
void progress_done(struct progress *progress, const char *format, ...) PRINTF_LIKE(2, 3);

/* Waits a moment before the next look. `why` (may be NULL) is shown when the step takes long.
 * REFUSED: interrupted. UNKNOWN: the step has taken longer than `patience_ms`. */
enum result progress_pause(struct progress *progress, int64_t ms, int64_t patience_ms,
                           const char *why, struct err *err) WARN_UNUSED;

#endif
