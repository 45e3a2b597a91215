/* The inside of the in-process broker, shared by memory_broker.c (exchanges, queues) and
 * memory_bus.c (connections). Nobody else includes it. */
#ifndef WARREN_MESSAGING_MEMORY_BROKER_H
#define WARREN_MESSAGING_MEMORY_BROKER_H

#include <sys/queue.h>

#include "common/messaging/memory_bus.h"

/* One published message, shared by all the queues that hold it. */
struct memory_message {
    size_t references;
    char id[64];
    char key[64]; /* the routing key */
    size_t size;
    char body[];
};

/* Its place in one queue. */
struct memory_entry {
    TAILQ_ENTRY(memory_entry) link;
    struct memory_message *message;
    uint64_t place; /* ascending in its queue; streams: the offset */
    bool redelivered;
};
TAILQ_HEAD(memory_entries, memory_entry);

struct memory_queue {
    const struct queue_spec *spec;
    struct memory_entries ready; /* streams: empty */
    size_t ready_count;
    size_t unacked_count;
    uint64_t next_place;
    bool unbound;
    bool may_lose;
    uint64_t vanished;
    struct memory_entry **log; /* streams: everything, in order */
    size_t log_count, log_capacity;
    size_t log_first; /* what is before it retention has taken away */
};

struct memory_connection;
LIST_HEAD(memory_connections, memory_connection);

struct memory_broker {
    struct memory_queue *queues;
    size_t queue_count;
    const struct topology *const *tables;
    size_t table_count;
    struct memory_chooser chooser;
    struct memory_connections connections;
    struct memory_happened happened;
    bool blocked;
    memory_watch *watch;
    void *watch_context;
};

static inline void memory_tell(const struct memory_broker *broker, const char *what,
                               const char *who, const char *where,
                               const struct memory_message *message)
{
    if (broker->watch)
        broker->watch(broker->watch_context,
                      &(struct memory_sight){what, who, where, message->id, message->body});
}
uint64_t memory_choose(struct memory_broker *broker, enum memory_fault fault, uint64_t of);
struct memory_queue *memory_queue_find(const struct memory_broker *broker, const char *name);
/* Takes over one reference. */
void memory_queue_append(struct memory_broker *broker, struct memory_queue *queue,
                         struct memory_message *message);
/* Back to where it was, marked redelivered. */
void memory_queue_requeue(struct memory_queue *queue, struct memory_entry *entry);
void memory_entry_free(struct memory_entry *entry);
struct memory_message *memory_message_new(const char *id, const char *key, const void *body,
                                          size_t size);
void memory_message_release(struct memory_message *message);
/* Routes one publish to its queues and says what the publisher will hear. */
enum bus_fate memory_broker_route(struct memory_broker *broker, const char *exchange,
                                  const char *routing_key, struct memory_message *message,
                                  bool mandatory);
/* Called by the broker for each connection; in memory_bus.c. */
void memory_connection_break(struct memory_connection *connection);
/* The link in the broker's list is in the connection; in memory_bus.c. */
void memory_connections_break_all(struct memory_broker *broker);

#endif
