#include "common/messaging/memory_broker.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory)
        abort();
    return memory;
}

uint64_t memory_choose(struct memory_broker *broker, enum memory_fault fault, uint64_t of)
{
    if (!broker->chooser.choose || of < 2)
        return 0;
    return broker->chooser.choose(broker->chooser.context, fault, of);
}

static void copy_word(char *out, size_t size, const char *word)
{
    memcpy(out, word, strnlen(word, size - 1));
}

struct memory_message *memory_message_new(const char *id, const char *key, const void *body,
                                          size_t size)
{
    struct memory_message *message = allocate(sizeof *message + size + 1);
    message->references = 1;
    copy_word(message->id, sizeof message->id, id);
    copy_word(message->key, sizeof message->key, key);
    message->size = size;
    if (size > 0)
        memcpy(message->body, body, size);
    return message;
}

void memory_message_release(struct memory_message *message)
{
    if (message && --message->references == 0)
        free(message);
}

void memory_entry_free(struct memory_entry *entry)
{
    memory_message_release(entry->message);
    free(entry);
}

struct memory_queue *memory_queue_find(const struct memory_broker *broker, const char *name)
{
    for (size_t i = 0; i < broker->queue_count; i++)
        if (strcmp(broker->queues[i].spec->name, name) == 0)
            return &broker->queues[i];
    return NULL;
}

static void log_append(struct memory_queue *queue, struct memory_entry *entry)
{
    if (queue->log_count == queue->log_capacity) {
        queue->log_capacity = queue->log_capacity ? 2 * queue->log_capacity : 256;
        queue->log = realloc(queue->log, queue->log_capacity * sizeof *queue->log);
        if (!queue->log)
            abort();
    }
    queue->log[queue->log_count++] = entry;
}

void memory_queue_append(struct memory_broker *broker, struct memory_queue *queue,
                         struct memory_message *message)
{
    struct memory_entry *entry = allocate(sizeof *entry);
    entry->message = message;
    if (queue->spec->kind == QUEUE_STREAM) {
        if (queue->log_count > 0) /* the first offset is 0 */
            queue->next_place += memory_choose(broker, MEMORY_SKIP_OFFSET, 2);
        entry->place = queue->next_place++;
        log_append(queue, entry);
        return;
    }
    entry->place = queue->next_place++;
    TAILQ_INSERT_TAIL(&queue->ready, entry, link);
    queue->ready_count++;
}

void memory_queue_requeue(struct memory_queue *queue, struct memory_entry *entry)
{
    struct memory_entry *next;
    entry->redelivered = true;
    TAILQ_FOREACH(next, &queue->ready, link)
    if (next->place > entry->place)
        break;
    if (next)
        TAILQ_INSERT_BEFORE(next, entry, link);
    else
        TAILQ_INSERT_TAIL(&queue->ready, entry, link);
    queue->ready_count++;
}

static const struct queue_spec dead_queue = {.name = EXCHANGE_DEAD, .kind = QUEUE_QUORUM};

static bool binding_meets(const struct binding_spec *binding, const struct memory_queue *queue,
                          const char *exchange, const char *key)
{
    return strcmp(binding->queue, queue->spec->name) == 0 &&
           strcmp(binding->exchange, exchange) == 0 && topic_matches(binding->pattern, key);
}

/* By the tables, whatever has happened to it since. */
static bool queue_is_meant(const struct memory_broker *broker, const struct memory_queue *queue,
                           const char *exchange, const char *key)
{
    if (queue->spec == &dead_queue && strcmp(exchange, EXCHANGE_DEAD) == 0)
        return true;
    for (size_t t = 0; t < broker->table_count; t++)
        for (size_t i = 0; i < broker->tables[t]->binding_count; i++)
            if (binding_meets(&broker->tables[t]->bindings[i], queue, exchange, key))
                return true;
    return false;
}

static bool queue_is_full(const struct memory_queue *queue)
{
    return queue->spec->max_length > 0 && queue->ready_count >= (size_t)queue->spec->max_length;
}

/* Whether this one of `routes` queues takes the message. */
static bool queue_accepts(struct memory_broker *broker, struct memory_queue *queue, bool nacked,
                          size_t routes)
{
    if (queue_is_full(queue))
        return false;
    if (!nacked)
        return true;
    if (routes < 2 || memory_choose(broker, MEMORY_NACK_KEPT, 2) == 0)
        return false;
    broker->happened.nacks_kept++;
    return true;
}

struct route {
    struct memory_queue *queues[64];
    size_t count;
    struct memory_queue *missed[64]; /* by those whose bindings are gone */
    size_t missed_count;
};

static void find_route(const struct memory_broker *broker, const char *exchange, const char *key,
                       struct route *route)
{
    route->count = route->missed_count = 0;
    for (size_t i = 0; i < broker->queue_count && i < 64; i++) {
        struct memory_queue *queue = &broker->queues[i];
        if (!queue_is_meant(broker, queue, exchange, key))
            continue;
        if (queue->unbound)
            route->missed[route->missed_count++] = queue;
        else
            route->queues[route->count++] = queue;
    }
}

/* One copy, or two. */
static void put_in(struct memory_broker *broker, struct memory_queue *queue,
                   struct memory_message *message)
{
    message->references++;
    memory_queue_append(broker, queue, message);
    if (memory_choose(broker, MEMORY_DUPLICATE, 2) == 0)
        return;
    broker->happened.duplicates++;
    message->references++;
    memory_queue_append(broker, queue, message);
}

static void count_missed(struct memory_broker *broker, const struct route *route,
                         const struct memory_message *message)
{
    for (size_t i = 0; i < route->missed_count; i++) {
        route->missed[i]->vanished++;
        memory_tell(broker, "vanished", "the broker", route->missed[i]->spec->name, message);
    }
}

enum bus_fate memory_broker_route(struct memory_broker *broker, const char *exchange,
                                  const char *routing_key, struct memory_message *message,
                                  bool mandatory)
{
    struct route route;
    find_route(broker, exchange, routing_key, &route);
    if (route.count == 0) {
        broker->happened.unroutable++;
        broker->happened.returns += mandatory;
        return mandatory ? FATE_RETURNED : FATE_CONFIRMED;
    }
    bool nacked = memory_choose(broker, MEMORY_NACK, 2) != 0;
    broker->happened.nacks += nacked;
    bool all = !nacked;
    for (size_t i = 0; i < route.count; i++) {
        struct memory_queue *queue = route.queues[i];
        if (!queue_accepts(broker, queue, nacked, route.count)) {
            broker->happened.rejects += !nacked;
            all = false;
        } else if (!nacked && queue->may_lose && memory_choose(broker, MEMORY_VANISH, 2) != 0) {
            route.missed[route.missed_count++] = queue;
        } else {
            put_in(broker, queue, message);
        }
    }
    if (all)
        count_missed(broker, &route, message);
    return all ? FATE_CONFIRMED : FATE_NACKED;
}

static void declare(struct memory_broker *broker, const struct queue_spec *spec)
{
    if (memory_queue_find(broker, spec->name))
        return;
    struct memory_queue *queue = &broker->queues[broker->queue_count++];
    *queue = (struct memory_queue){.spec = spec};
    TAILQ_INIT(&queue->ready);
}

struct memory_broker *memory_broker_new(const struct topology *const *tables, size_t count)
{
    struct memory_broker *broker = allocate(sizeof *broker);
    size_t most = 1;
    for (size_t i = 0; i < count; i++)
        most += tables[i]->queue_count;
    broker->queues = allocate(most * sizeof *broker->queues);
    broker->tables = tables;
    broker->table_count = count;
    LIST_INIT(&broker->connections);
    declare(broker, &dead_queue);
    for (size_t i = 0; i < count; i++)
        for (size_t q = 0; q < tables[i]->queue_count; q++)
            declare(broker, &tables[i]->queues[q]);
    return broker;
}

static void queue_release(struct memory_queue *queue)
{
    struct memory_entry *entry;
    while ((entry = TAILQ_FIRST(&queue->ready))) {
        TAILQ_REMOVE(&queue->ready, entry, link);
        memory_entry_free(entry);
    }
    for (size_t i = 0; i < queue->log_count; i++)
        memory_entry_free(queue->log[i]);
    free(queue->log);
}

void memory_broker_free(struct memory_broker *broker)
{
    if (!broker)
        return;
    for (size_t i = 0; i < broker->queue_count; i++)
        queue_release(&broker->queues[i]);
    free(broker->queues);
    free(broker);
}

void memory_broker_choose(struct memory_broker *broker, const struct memory_chooser *chooser)
{
    broker->chooser = *chooser;
}

static void set_unbound(struct memory_broker *broker, const char *name, bool unbound)
{
    struct memory_queue *queue = memory_queue_find(broker, name);
    if (queue)
        queue->unbound = unbound;
}

void memory_broker_may_lose(struct memory_broker *broker, const char *name)
{
    struct memory_queue *queue = memory_queue_find(broker, name);
    if (queue)
        queue->may_lose = true;
}

uint64_t memory_broker_vanished(const struct memory_broker *broker, const char *name)
{
    const struct memory_queue *queue = memory_queue_find(broker, name);
    return queue ? queue->vanished : 0;
}

void memory_broker_unbind(struct memory_broker *broker, const char *queue)
{
    set_unbound(broker, queue, true);
}

void memory_broker_rebind(struct memory_broker *broker, const char *queue)
{
    set_unbound(broker, queue, false);
}

void memory_broker_block(struct memory_broker *broker, bool blocked)
{
    broker->happened.blocked += blocked && !broker->blocked;
    broker->blocked = blocked;
}

void memory_broker_drop_all(struct memory_broker *broker)
{
    memory_connections_break_all(broker);
}

void memory_broker_inject(struct memory_broker *broker, const char *name, const char *message_id,
                          const void *body, size_t size)
{
    memory_broker_inject_as(broker, name, "", message_id, body, size);
}

void memory_broker_inject_as(struct memory_broker *broker, const char *name, const char *key,
                             const char *message_id, const void *body, size_t size)
{
    struct memory_queue *queue = memory_queue_find(broker, name);
    if (queue)
        memory_queue_append(broker, queue, memory_message_new(message_id, key, body, size));
}

size_t memory_broker_depth(const struct memory_broker *broker, const char *name)
{
    const struct memory_queue *queue = memory_queue_find(broker, name);
    if (!queue)
        return 0;
    return queue->spec->kind == QUEUE_STREAM ? queue->log_count - queue->log_first
                                             : queue->ready_count + queue->unacked_count;
}

const char *memory_broker_stream_at(const struct memory_broker *broker, const char *name, size_t i,
                                    size_t *ret_size, int64_t *ret_offset)
{
    const struct memory_queue *queue = memory_queue_find(broker, name);
    if (!queue || i >= queue->log_count - queue->log_first)
        return NULL;
    i += queue->log_first;
    *ret_size = queue->log[i]->message->size;
    *ret_offset = (int64_t)queue->log[i]->place;
    return queue->log[i]->message->body;
}

void memory_broker_cut(struct memory_broker *broker, const char *stream, size_t count)
{
    struct memory_queue *queue = memory_queue_find(broker, stream);
    size_t there = queue->log_count - queue->log_first;
    queue->log_first += count < there ? count : there;
}

void memory_broker_watch(struct memory_broker *broker, memory_watch *watch, void *context)
{
    broker->watch = watch;
    broker->watch_context = context;
}

const struct memory_happened *memory_broker_happened(const struct memory_broker *broker)
{
    return &broker->happened;
}
