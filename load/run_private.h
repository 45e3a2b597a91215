/* One run, shared by load_run.c (until nothing is on its way) and conclude.c (what became of it). */
#ifndef WARREN_LOAD_RUN_PRIVATE_H
#define WARREN_LOAD_RUN_PRIVATE_H

#include <signal.h>
#include <stdio.h>

#include "load/drive.h"
#include "load/facts_in.h"
#include "load/target.h"
#include "load/watch.h"

struct run {
    const struct settings *settings;
    struct load_target target;
    struct load_report *report;
    struct fates *fates;
    struct measure *measure;
    struct drive *drive;
    struct drive_options drive_options;
    struct facts_in *facts; /* NULL: there is no log */
    struct watch *watch;    /* likewise */
    struct watch_counters before;
    FILE *history;
    char history_path[SUITE_PATH_SIZE];
    int64_t next_tick_ns;
    int64_t cpu_before_us, scheduled_ns; /* when the schedule ended; 0: not yet */
    sigset_t waiting;                    /* signals come only while we wait */
    int interrupts_heard;
};

/* When orders that have not settled have had their time. */
int64_t run_patience_ends_ns(const struct run *run);

/* Asks for the fates, writes the files, prints the table. Returns how the program exits. */
int run_conclude(struct run *run, const volatile sig_atomic_t *hurry);
/* The crowd says how it fared, and whether all of it got what it wanted. */
int run_conclude_crowd(struct run *run);

#endif
