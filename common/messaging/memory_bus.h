/* A broker inside the process, and buses onto it: for tests and for the simulation. It behaves as
 * RabbitMQ does towards bus_amqp.c and is held to the same conformance suite: topic and fanout
 * exchanges, quorum-like queues (unacknowledged messages return to their place when a consumer
 * goes, marked redelivered; a full queue rejects), streams with offsets, prefetch per consumer,
 * confirms, returns, nacks.
 *
 * Nothing happens by itself: all of it happens inside bus_pump of some handle, in an order that
 * follows from the calls alone. What may go wrong is asked of a chooser, which a simulation derives
 * from its seed. One thread. A broker outlives its buses. */
#ifndef WARREN_MESSAGING_MEMORY_BUS_H
#define WARREN_MESSAGING_MEMORY_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/switches.h"
#include "common/messaging/bus.h"
#include "common/messaging/topology.h"

struct memory_broker;

/* Every question that the broker asks. The answer 0 is the plain course. */
enum memory_fault {
    MEMORY_DROP,         /* of 2: does this connection break now? */
    MEMORY_CUT,          /* of n+1: how many of the n last frames sent never arrived? */
    MEMORY_STAY_DOWN,    /* of 2: does this attempt to connect fail? */
    MEMORY_NACK,         /* of 2: does the broker turn this publish down? */
    MEMORY_NACK_KEPT,    /* of 2: did this one of several queues keep it nevertheless? */
    MEMORY_DUPLICATE,    /* of 2: does this queue get it twice, as from a repeated publish? */
    MEMORY_HOLD_FRAMES,  /* of n+1: how many of the n frames sent are still on their way? */
    MEMORY_HOLD_CONFIRM, /* of n+1: how many of the n confirms are still on their way? */
    MEMORY_SWAP_CONFIRM, /* of n: which of the next n confirms comes first? */
    MEMORY_HOLD_QUEUE,   /* of 2: does this consumer get nothing for now? */
    MEMORY_HOLD_MESSAGE, /* of 2: does the delivery stop here for now? */
    MEMORY_FIRST_QUEUE,  /* of n: which of n subscriptions is served first? */
    MEMORY_NO_ROOM,      /* of 2: is there no room for this publish? */
    MEMORY_SKIP_OFFSET,  /* of 2: does the stream leave out an offset here? */
    MEMORY_VANISH,       /* of 2: is this message confirmed, and then not in this queue? */
    MEMORY_FAULT_COUNT
};

struct memory_chooser {
    uint64_t (*choose)(void *context, enum memory_fault fault, uint64_t of);
    void *context;
};

/* What has really happened: for counters of what a run has reached. */
struct memory_happened {
    uint64_t publishes_lost; /* dropped connections swallowed so many publishes */
    uint64_t confirms_lost;  /* had arrived, and the publisher never heard */
    uint64_t acks_lost;      /* acknowledged in vain */
    uint64_t drops, refused_connects, nacks, nacks_kept, rejects, returns, unroutable, duplicates;
    uint64_t redeliveries, swapped_confirms, held, blocked, no_room;
};

/* For a readable trace: what has become of a message. Borrowed for the call. */
struct memory_sight {
    const char *
        what; /* "routed", "returned", "nacked", "lost", "vanished", "delivered", "delivered again" */
    const char *who;   /* a handle's name */
    const char *where; /* routing key or queue */
    const char *message_id;
    const char *body;
};
typedef void memory_watch(void *context, const struct memory_sight *sight);

/* Declares what the tables list, and the exchanges and the dead-letter queue `warren.dead`. A queue
 * that several tables name is declared once. The tables are borrowed. */
struct memory_broker *memory_broker_new(const struct topology *const *tables, size_t count);
void memory_broker_free(struct memory_broker *broker);
/* NULL context and function: no faults from now on. Copied. */
void memory_broker_choose(struct memory_broker *broker, const struct memory_chooser *chooser);
/* From now on MEMORY_VANISH is asked about this queue: of the others, what was confirmed is there. */
void memory_broker_may_lose(struct memory_broker *broker, const char *queue);
/* How many confirmed messages this queue has lost, or has missed while it was unbound. */
uint64_t memory_broker_vanished(const struct memory_broker *broker, const char *queue);
/* Takes away, or puts back, every binding of this queue. */
void memory_broker_unbind(struct memory_broker *broker, const char *queue);
void memory_broker_rebind(struct memory_broker *broker, const char *queue);
/* An alarm: publishers are asked to hold. */
void memory_broker_block(struct memory_broker *broker, bool blocked);
/* Closes the connections of all who are there, as a restart does. */
void memory_broker_drop_all(struct memory_broker *broker);
/* Puts a message on a queue directly, as a stranger could, without a routing key or with this one. */
void memory_broker_inject(struct memory_broker *broker, const char *queue, const char *message_id,
                          const void *body, size_t size);
void memory_broker_inject_as(struct memory_broker *broker, const char *queue, const char *key,
                             const char *message_id, const void *body, size_t size);
/* Takes a stream's first messages away, as retention does: readers go on at what is left. */
void memory_broker_cut(struct memory_broker *broker, const char *stream, size_t count);
/* Messages that are ready or unacknowledged; in a stream all that it holds. */
size_t memory_broker_depth(const struct memory_broker *broker, const char *queue);
/* The i-th message of a stream and its offset; NULL past the end. */
const char *memory_broker_stream_at(const struct memory_broker *broker, const char *queue, size_t i,
                                    size_t *ret_size, int64_t *ret_offset);
void memory_broker_watch(struct memory_broker *broker, memory_watch *watch, void *context);
const struct memory_happened *memory_broker_happened(const struct memory_broker *broker);

/* A handle, free with bus_free: which is how a process dies. What it had sent reaches the broker or
 * not (MEMORY_CUT); what it had not acknowledged returns to the queues. */
struct bus *memory_bus_new(struct memory_broker *broker, const struct switches *switches);
/* For traces; borrowed. */
void memory_bus_name(struct bus *bus, const char *name);
/* Breaks the connection at the next pump. */
void memory_bus_drop(struct bus *bus);

#endif
