/* The log of facts as it grows: reads the suite's stream from the moment of opening on, on a
 * connection of its own, and keeps what it says about our orders. A moment here is the generator's
 * own when it reads the fact; it contains the stream's latency. One thread. */
#ifndef WARREN_LOAD_FACTS_IN_H
#define WARREN_LOAD_FACTS_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "load/fates.h"
#include "load/measure.h"

struct facts_in_options {
    const struct suite *suite;
    const struct clock *clock;
    const struct id *customers; /* ours */
    size_t customer_count;
    struct fates *fates;
    struct measure *measure;
    struct load_report *report; /* for what is doubled */
    const char *run;            /* begins every key */
};

struct facts_in;

/* Reads the stream from its end on: returns when that has begun. RETRY: the broker is not there. */
enum result facts_in_open(const struct facts_in_options *options, struct facts_in **ret_facts,
                          struct err *err) WARN_UNUSED;
/* Takes NULL. */
void facts_in_free(struct facts_in *facts);

int facts_in_fd(const struct facts_in *facts);
/* Monotonic; 0: there is work in hand; INT64_MAX: only the fd tells. */
int64_t facts_in_deadline_ns(const struct facts_in *facts);
/* Never blocks; a bounded amount of work. */
void facts_in_run(struct facts_in *facts);

/* The last offset that was read; -1: none yet. */
int64_t facts_in_offset(const struct facts_in *facts);
/* Messages that are no envelopes. */
int64_t facts_in_unreadable(const struct facts_in *facts);
/* Whether the connection is there, and why not. */
bool facts_in_up(const struct facts_in *facts, const char **ret_reason);

#endif
