/* The traffic: sends orders when they are due, cancels and queries as the mix wants, repeats what
 * has to be repeated, and takes the answers. One thread; the owner of the loop asks for fd and
 * deadline and calls drive_run. */
#ifndef WARREN_LOAD_DRIVE_H
#define WARREN_LOAD_DRIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/bearer.h"
#include "load/fates.h"
#include "load/measure.h"
#include "load/settings.h"

enum { DRIVE_KEY_SIZE = 64, DRIVE_CUSTOMERS_MAX = 64 };

/* Everything but the plain values is borrowed and outlives the drive. */
struct drive_options {
    const struct settings *settings;
    const char *url;
    const char *run; /* begins every key; at most 40 characters */
    const char (*bearers)[BEARER_SIZE];
    size_t customers;
    struct fates *fates;
    struct measure *measure;
    struct load_report *report;
    FILE *history; /* NULL: none */
};

struct drive;

enum result drive_new(const struct drive_options *options, struct drive **ret_drive,
                      struct err *err) WARN_UNUSED;
/* Takes NULL. */
void drive_free(struct drive *drive);

/* From now on the schedule runs. */
void drive_begin(struct drive *drive, int64_t now_ns);
int drive_fd(const struct drive *drive);
/* Monotonic; at or before now: there is work in hand. */
int64_t drive_deadline_ns(const struct drive *drive);
/* Never blocks; a bounded amount of work. */
void drive_run(struct drive *drive);

/* No more arrivals; what is on its way is brought to its answer. */
void drive_stop(struct drive *drive);
/* The schedule is at its end, and all that was in it is sent or given up. */
bool drive_schedule_over(const struct drive *drive);
/* And nothing is on its way or waits to be repeated. */
bool drive_idle(const struct drive *drive);
size_t drive_in_flight(const struct drive *drive);
/* The phase in which the schedule is. */
size_t drive_phase(const struct drive *drive);

/* The key of the order with that number. */
void drive_key(const char *run, uint32_t ordinal, char key[DRIVE_KEY_SIZE]);

#endif
