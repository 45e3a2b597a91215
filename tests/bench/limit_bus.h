/* librabbitmq at its fastest: the hot path of the limit. A role has two connections, as a service of
 * the suite has, one to publish on (confirms, pipelined) and one to consume from; nothing that
 * arrives is decoded beyond what the protocol needs. Only the opening uses the suite's code.
 *
 * Errors end the process: a limit that is not reached cleanly is none. */
#ifndef WARREN_TESTS_BENCH_LIMIT_BUS_H
#define WARREN_TESTS_BENCH_LIMIT_BUS_H

#include <stdbool.h>

#include "common/messaging/amqp_link.h"
#include "common/messaging/topology.h"
#include "tests/bench/limit_messages.h"

enum { LIMIT_RING = 1 << 16 }; /* publishes without a confirm at most; a power of two */

struct limit_delivery {
    uint64_t tag;
    uint64_t order; /* UINT64_MAX: none of ours */
    enum limit_kind kind;
};

struct limit_bus {
    struct amqp_link publish, consume; /* consume.connection NULL: none */
    const struct limit_message *messages;
    /* Called in drain, for every delivery. */
    void (*delivered)(void *context, const struct limit_delivery *delivery);
    void *context;
    bool cork; /* hold small segments back until the round ends */
    bool corked;

    uint64_t next;    /* sequence number of the next publish, from 1 */
    uint64_t settled; /* every one before it is confirmed */
    uint64_t returned;
    bool *confirmed; /* ring by sequence number */

    bool body_open;
    uint64_t body_left;
    struct limit_delivery arriving;
};

/* Connects and puts the publishing channel into confirm mode. `messages` is borrowed. */
void limit_bus_open(struct limit_bus *bus, const struct amqp_target *target,
                    const struct limit_message *messages);
/* Opens the second connection and subscribes to every queue of the table, each with its prefetch
 * there or `prefetch` when that is not 0; a stream from what comes next. */
void limit_bus_consume(struct limit_bus *bus, const struct amqp_target *target,
                       const struct topology *table, int prefetch);
void limit_bus_close(struct limit_bus *bus);

/* Persistent, mandatory, with the properties that the suite gives. Returns its sequence number. */
uint64_t limit_bus_publish(struct limit_bus *bus, enum limit_kind kind, uint64_t order);
/* Acknowledges all up to it. */
void limit_bus_ack(struct limit_bus *bus, uint64_t tag);
/* Takes what has arrived on both connections; returns whether anything had. */
bool limit_bus_drain(struct limit_bus *bus);
/* Sends what was held back; before every wait. */
void limit_bus_flush(struct limit_bus *bus);
/* Waits until there is something to drain, at most `timeout_ms`; false once `stop_fd` (-1: none) is
 * readable or closed. */
bool limit_bus_wait(struct limit_bus *bus, int stop_fd, int timeout_ms);

/* Prints what went wrong and ends the process. */
_Noreturn void limit_die(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
