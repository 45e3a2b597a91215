/* The steps from nothing to a suite that is ready. Each looks first whether it is done already. */
#ifndef WARREN_CLI_START_H
#define WARREN_CLI_START_H

#include "cli/exit_codes.h"
#include "cli/http.h"
#include "cli/progress.h"
#include "cli/suite.h"
#include "cli/supervisor.h"

struct start {
    const struct suite *suite;
    const struct plan *plan;
    struct http *http;
    int64_t patience_ms; /* with each part */
    struct progress progress;
    bool was_running;      /* before we came */
    bool launched;         /* by us: on failure it is ours to stop */
    int64_t log_missed_ms; /* monotonic: since when only the log is not there; 0: it is not so */
    char without_log[160]; /* why the suite runs without its log; "": it has it */
    const char *advice;    /* on failure: what to do about it; NULL: nothing is known */
    bool log_cut;          /* an edge has begun anew at a log whose beginning is gone */
};

/* Prints what it does, and on failure the tail of the log that matters, to stderr. */
enum cli_exit start_suite(struct start *start, struct err *err);

#endif
