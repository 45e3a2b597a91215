/* Which faults a chaos run injects, and when: drawn from a seed alone, so that the same seed, duration
 * and kinds give the same plan. Plain data. */
#ifndef WARREN_CLI_CHAOS_PLAN_H
#define WARREN_CLI_CHAOS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

enum chaos_kind {
    CHAOS_KILL,        /* a service, SIGKILL */
    CHAOS_STOP,        /* a service, SIGSTOP, later SIGCONT */
    CHAOS_BROKER_KILL, /* the node, SIGKILL */
    CHAOS_BROKER_STOP, /* the node, SIGSTOP, later SIGCONT */
    CHAOS_ALARM,       /* the node's memory or disk alarm, later cleared */
    CHAOS_RESET,       /* the node closes every connection */
    CHAOS_CLOCK,       /* the time of day of a service, or of all, jumps */
    CHAOS_DISK_FULL,   /* the disk of the stores */
    CHAOS_UNBIND,      /* a binding of a queue is deleted, later declared again */
    CHAOS_DELETE,      /* a queue, with all that is in it; later declared again */
    CHAOS_PURGE,       /* all that waits in a queue */
    CHAOS_BROKER_DISK, /* the node's */
    CHAOS_KINDS,
};
extern const char *const chaos_kind_names[CHAOS_KINDS];

/* Which queues may be deleted or purged: whatever is lost there, somebody says it again. Not so
 * order.commands: an order.place that was confirmed to a customer exists nowhere else; nor the log,
 * which is what is never said again. Their bindings may go: what has no way is returned. */
extern const char *const chaos_queues[];
enum { CHAOS_QUEUES = 4 };

enum { CHAOS_FAULTS_MAX = 4096, CHAOS_WHY_SIZE = 120 };

enum { CHAOS_BINDING_DRAWS = 5040 };

enum chaos_disk { CHAOS_DISK_ALL, CHAOS_DISK_STORES, CHAOS_DISK_LEDGER, CHAOS_DISKS };

struct chaos_fault {
    int64_t at_ms, hold_ms; /* since the start of the run; how long it lasts */
    enum chaos_kind kind;
    size_t target;            /* kill, stop: which service; alarm: 0 memory, 1 disk; clock: which
                          service, or the number of them for all; disk-full: see chaos_disk;
                          delete, purge: of chaos_queues; unbind: of CHAOS_BINDING_DRAWS, taken
                          modulo the number of bindings there are */
    int64_t offset_ms;        /* clock: from the right time */
    bool stays;               /* clock: wrong until the next such fault or the end */
    bool reached;             /* seen to have happened */
    char why[CHAOS_WHY_SIZE]; /* why not */
};

struct chaos_plan {
    struct chaos_fault faults[CHAOS_FAULTS_MAX];
    size_t count;
};

/* "kill,alarm": sets those, clears the others; "all": all. INVALID: a name that is none. */
enum result chaos_kinds_read(const char *text, bool kinds[CHAOS_KINDS],
                             struct err *err) WARN_UNUSED;

/* Every kind comes once before any comes again, as far as the duration goes; at least one fault. */
void chaos_plan_make(uint64_t seed, int64_t duration_ms, const bool kinds[CHAOS_KINDS],
                     size_t services, struct chaos_plan *ret_plan);

#endif
