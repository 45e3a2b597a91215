/* What an order costs the broker, and no more: the chain of the suite's messages without logic and
 * without a store. One process for each service of the suite, so that the machine is shared out in
 * the same way: each consumes its own queues and publishes for each delivery what the service would,
 * and acknowledges once that is confirmed. The edge, in the calling process, publishes the command
 * and reads the stream; an order has come through when its last fact is read there. */
#ifndef WARREN_TESTS_BENCH_LIMIT_CHAIN_H
#define WARREN_TESTS_BENCH_LIMIT_CHAIN_H

#include "common/messaging/amqp_link.h"
#include "tests/bench/limit_messages.h"

struct limit_plan {
    struct amqp_target target; /* its virtual host has the suite's topology, and nobody else */
    struct limit_message messages[LIMIT_KINDS];
    int64_t outstanding;    /* orders on their way at once */
    int64_t stock_permille; /* stock.changed for 1,000 orders: the suite writes one for many */
    int64_t warm_up_ms;     /* not counted */
    int64_t run_ms;         /* counted */
    int64_t orders;         /* if not 0: so many, instead of a time */
    int64_t prefetch;       /* 0: the suite's */
    int64_t pause_us;       /* after each round of a process, for larger batches */
    bool cork;
};

struct limit_cpu {
    const char *name;
    int64_t us;
};

enum { LIMIT_ROLES = 4 };

struct limit_outcome {
    int64_t orders;  /* published in all */
    int64_t lost;    /* of them without notification.sent in the end */
    int64_t doubled; /* facts that the stream had more than once */
    int64_t facts;   /* on the stream, stock.changed included */
    double seconds;  /* of the part that counts */
    double per_s;    /* orders that came through in it */
    double p50_ms, p99_ms;
    struct limit_cpu cpu[LIMIT_ROLES]; /* over all of it */
};

void limit_chain_run(const struct limit_plan *plan, struct limit_outcome *ret_outcome);

#endif
