/* Those who wait for an order to settle. Bounded; each is called once. */
#ifndef WARREN_EDGE_SERVICE_WAITERS_H
#define WARREN_EDGE_SERVICE_WAITERS_H

#include <stdint.h>
#include <sys/queue.h>

#include "common/base/result.h"
#include "edge-service/id_table.h"

struct waiter {
    struct id_node node;
    TAILQ_ENTRY(waiter) link;
    int64_t until_mono_ms;
    void (*call)(void *context);
    void *context;
};
TAILQ_HEAD(waiter_queue, waiter);

struct waiters {
    struct id_table table;
    struct waiter_queue all;
    size_t max;
    int64_t next_mono_ms; /* nobody is due before */
};

void waiters_init(struct waiters *waiters, size_t max);
/* Calls nobody. */
void waiters_release(struct waiters *waiters);
/* RETRY: too many. */
enum result waiters_add(struct waiters *waiters, const char *order_id, int64_t until_mono_ms,
                        void (*call)(void *context), void *context) WARN_UNUSED;
void waiters_settled(struct waiters *waiters, const char *order_id);
/* Calls those whose time has come; INT64_MAX calls all. */
void waiters_expire(struct waiters *waiters, int64_t now_mono_ms);

#endif
