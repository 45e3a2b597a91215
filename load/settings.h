/* What `warren load` was told to do. Plain values; texts are borrowed from argv. */
#ifndef WARREN_LOAD_SETTINGS_H
#define WARREN_LOAD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/suite.h"
#include "load/mix.h"
#include "load/schedule.h"

struct settings {
    struct suite_options where;
    const char *url;        /* some server like the edge; NULL: the suite of `where` */
    const char *token_file; /* with url */
    const char *out;        /* NULL: only the table */
    const char *history;    /* NULL: in `out`, or nowhere */
    const char *title;

    bool closed;
    struct schedule_plan plan; /* open loop: arrivals; closed loop: one phase, for its duration */
    int64_t users, think_ms;   /* closed loop */
    int64_t orders;            /* at most; 0: any number */
    int64_t connections;
    int64_t timeout_ms; /* of a request */
    int64_t settle_s;   /* how long orders get to settle after the last arrival */
    int64_t bound_ms;   /* 0: none; on p99 to settled, phase by phase */
    int64_t customers;
    struct mix mix;
    int64_t query_rate;

    bool crowd;          /* only customers: no log, no look at the suite, no asking for fates */
    bool until_accepted; /* repeat with the same key what is not accepted */
    int64_t again_ms;    /* after this pause */
    int64_t patience_s;  /* and for at most this long */
    bool allow_unknown;  /* unanswered requests do not fail the run */
    bool audit;
    bool quiet;
};

/* Reads the command line; prints and exits as every program does (CLI_USAGE). */
void settings_read(int argc, char **argv, struct settings *ret_settings);

#endif
