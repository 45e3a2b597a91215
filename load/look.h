/* One look at a suite from outside: queues, outboxes, the edge's read model, processes. Everything
 * here may block, for seconds when the broker does; one thread. What cannot be seen is
 * LOAD_UNKNOWN. */
#ifndef WARREN_LOAD_LOOK_H
#define WARREN_LOAD_LOOK_H

#include <stdatomic.h>

#include "cli/suite.h"
#include "load/report/report.h"

struct look_queue {
    char name[LOAD_LABEL_MAX];
    int64_t ready, unacked;
};

struct look_service {
    char name[LOAD_LABEL_MAX];
    int64_t outbox; /* rows */
};

struct look_process {
    char name[LOAD_LABEL_MAX];
    int64_t cpu_milli; /* since the look before */
    int64_t rss_bytes;
};

struct look {
    struct look_queue queues[LOAD_QUEUES_MAX];
    size_t queue_count;
    struct look_service services[LOAD_SERVICES_MAX];
    size_t service_count;
    struct look_process processes[LOAD_PROCESSES_MAX];
    size_t process_count;
    int64_t projection_lag; /* facts of the log that the slowest edge has not read */
};

struct looker;

void look_clear(struct look *look);
struct looker *looker_new(const struct suite *suite);
/* Takes NULL. */
void looker_free(struct looker *looker);
/* `log_offset`: the last that somebody has read from the log of facts, at any moment; negative:
 * nobody has. It is compared with what the edges say of themselves right after. */
void looker_look(struct looker *looker, const _Atomic int64_t *log_offset, struct look *ret_look);

#endif
