/* The orders that this edge has sent and its read model does not show yet: those in flight, for
 * telling a key used twice, those answered 202, for answering GET at once, and those of which nobody
 * knows whether they were accepted, for not refusing a repeat. Bounded by count and age; in memory
 * only. */
#ifndef WARREN_EDGE_SERVICE_ACCEPTED_H
#define WARREN_EDGE_SERVICE_ACCEPTED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/result.h"
#include "edge-service/attempts.h"
#include "edge-service/id_table.h"

struct accepted_order {
    struct id_node node;
    struct id_node command; /* that placed it */
    TAILQ_ENTRY(accepted_order) link;
    struct attempts attempts;
    char customer[UUID_SIZE];
    char request_hash[HASH_SIZE];
    bool seen; /* in the read model meanwhile */
    int64_t since_mono_ms;
    int64_t since_wall_ms;
};
TAILQ_HEAD(accepted_queue, accepted_order);

struct accepted {
    struct id_table table, commands;
    struct accepted_queue by_age;
    size_t max;
    int64_t age_ms;
};

void accepted_init(struct accepted *accepted, size_t max, int64_t age_ms);
void accepted_release(struct accepted *accepted);
/* NULL: not known here. */
const struct accepted_order *accepted_find(const struct accepted *accepted, const char *order_id);
/* Likewise. */
struct attempts *accepted_attempts(const struct accepted *accepted, const char *order_id);
/* By the id of the command that placed it. */
const struct accepted_order *accepted_find_command(const struct accepted *accepted,
                                                   const char *command_id);
/* One more request for this order waits for its answer. What comes back lives as long as its attempts
 * go on. NULL: the table is full. */
struct accepted_order *accepted_begin(struct accepted *accepted,
                                      const struct accepted_order *order);
/* Its attempts have changed: it goes when nobody needs it any more. */
void accepted_changed(struct accepted *accepted, struct accepted_order *order);
/* The read model shows it. */
void accepted_seen(struct accepted *accepted, const char *order_id);
void accepted_expire(struct accepted *accepted, int64_t now_mono_ms);

#endif
