/* Topology as data: each service lists its queues and bindings, what it handles and what it
 * publishes. A deploy step declares the union; a lint merges all tables and refuses loose ends. */
#ifndef WARREN_MESSAGING_TOPOLOGY_H
#define WARREN_MESSAGING_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>

enum queue_kind { QUEUE_QUORUM, QUEUE_STREAM };

struct queue_spec {
    const char *name;
    enum queue_kind kind;
    int64_t max_length;       /* messages; 0: unbounded. With reject-publish. */
    int64_t max_length_bytes; /* streams; 0: unbounded */
    const char *max_age;      /* streams; "30D"; NULL: no bound */
    int64_t segment_bytes; /* streams: what retention takes away at once; 0: the broker's default */
    int prefetch;          /* of each consumer */
};

struct exchange_spec {
    const char *name, *type; /* "topic" */
};

struct binding_spec {
    const char *queue;
    const char *exchange;
    const char *pattern; /* topic: words, *, # */
};

struct bind_type;

/* What a service publishes: type and payload, for the lint. */
struct publication_spec {
    const char *exchange;
    const char *type;
    const struct bind_type *payload;
};

struct handler;

struct topology {
    const char *service; /* "order-service"; its user's name too */
    const struct queue_spec *queues;
    size_t queue_count;
    const struct binding_spec *bindings;
    size_t binding_count;
    const struct handler *handlers; /* see service.h; NULL for a reader of the stream */
    size_t handler_count;
    const struct publication_spec *publications;
    size_t publication_count;
};

/* What belongs to no service: the exchanges, and where the broker puts what it gives up on. */
extern const struct exchange_spec topology_exchanges[];
extern const size_t topology_exchange_count;
extern const struct topology topology_common;

/* Where the broker puts what it gives up on; empty in a healthy suite. */
#define QUEUE_DEAD "warren.dead"

/* How often a quorum queue gives a message out: out of reach, for it would punish a poison's neighbours. We
 * count ourselves. */
enum { QUEUE_DELIVERY_LIMIT = 1000000 };

/* Whether a routing key meets a topic pattern (AMQP 0-9-1: * is one word, # any number). */
int topic_matches(const char *pattern, const char *key);

#endif
