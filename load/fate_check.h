/* The end of every run: the fate of every order that was sent. The log of facts has told most of it
 * (fates.h); what it has not told is asked for, order by order, over HTTP. Blocks until all is known
 * or patience is over.
 *
 *   answered 202         it exists, and has settled: else lost, unsettled
 *   never answered, 504  exists or not: both are right, and counted; that nobody answered is told
 *   only ever refused    does not exist
 *   anything else        of the run's own customers is doubled: nobody was given its key
 *
 * Without the log every order that was answered is asked for, and the customers' lists are read back
 * to where they ended before the run. */
#ifndef WARREN_LOAD_FATE_CHECK_H
#define WARREN_LOAD_FATE_CHECK_H

#include <signal.h>

#include "load/drive.h"

struct fate_check {
    const struct drive_options *run; /* url, run, bearers, customers, fates, report, settings */
    const struct id *customers;      /* NULL: their ids are not known, nor how order ids are made */
    const struct order_key *newest; /* per customer before the run; zero: none. NULL with the log */
    int64_t deadline_ns;            /* what has not settled by then is unsettled */
    const volatile sig_atomic_t *hurry; /* set: no more patience */
};

/* The newest order in each customer's list, zero for none. Before the run. RETRY: the server does
 * not answer. */
enum result fate_check_newest(const struct drive_options *run, struct order_key *newest,
                              struct err *err) WARN_UNUSED;
/* Fills report->fate. */
void fate_check(const struct fate_check *check);

#endif
