/* Customers for a chaos run: orders at a rate, each repeated with its key until it is known to be
 * accepted, some of them cancelled, with every card of the sandbox; and a record of every attempt
 * for `warren audit --history`. Runs in a process of its own. */
#ifndef WARREN_CLI_CHAOS_CROWD_H
#define WARREN_CLI_CHAOS_CROWD_H

#include <stdint.h>
#include <stdio.h>

#include "cli/bearer.h"

struct crowd_options {
    const char *url; /* of the edge */
    char bearer[BEARER_SIZE];
    const char *run;     /* begins every key */
    int64_t rate;        /* orders a second */
    int64_t patience_ms; /* with one order (a minute) */
    FILE *history;       /* borrowed */
};

struct crowd_counts {
    long orders, accepted, attempts, refused, unknown, given_up, held_back;
};

/* Until SIGTERM (then what has begun is brought to its answer, within their patience). */
void crowd_run(const struct crowd_options *options, struct crowd_counts *ret_counts);

#endif
