#include <string.h>

#include "common/messaging/deploy.h"
#include "common/messaging/service.h"

struct lint {
    const struct topology *const *tables;
    size_t count;
    const struct publication_spec *contracts;
    size_t contract_count;
    struct buf *findings;
    size_t found;
};

#define FINDING(lint, ...)                                                                         \
    (buf_printf((lint)->findings, __VA_ARGS__), buf_text((lint)->findings, "\n"), (lint)->found++)

#define EACH_TABLE(lint, table)                                                                    \
    for (size_t each_ = 0; each_ < (lint)->count; each_++)                                         \
        for (const struct topology *table = (lint)->tables[each_]; table; table = NULL)

static int same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static const struct publication_spec *contract_of(const struct lint *lint, const char *type)
{
    for (size_t i = 0; i < lint->contract_count; i++)
        if (same(lint->contracts[i].type, type))
            return &lint->contracts[i];
    return NULL;
}

static const struct queue_spec *queue_of(const struct lint *lint, const char *name)
{
    EACH_TABLE(lint, table)
    for (size_t i = 0; i < table->queue_count; i++)
        if (same(table->queues[i].name, name))
            return &table->queues[i];
    return NULL;
}

/* A stream is read by who lists it and handles nothing by queue. */
static int queue_has_consumer(const struct lint *lint, const struct queue_spec *queue)
{
    EACH_TABLE(lint, table)
    {
        for (size_t i = 0; i < table->handler_count; i++)
            if (same(table->handlers[i].queue, queue->name))
                return 1;
        for (size_t i = 0;
             queue->kind == QUEUE_STREAM && !table->handlers && i < table->queue_count; i++)
            if (same(table->queues[i].name, queue->name))
                return 1;
    }
    return 0;
}

static int queue_equal(const struct queue_spec *a, const struct queue_spec *b)
{
    return a->kind == b->kind && a->max_length == b->max_length &&
           a->max_length_bytes == b->max_length_bytes && a->segment_bytes == b->segment_bytes &&
           same(a->max_age, b->max_age);
}

static void queues_lint(struct lint *lint, const struct topology *table)
{
    for (size_t i = 0; i < table->queue_count; i++) {
        const struct queue_spec *queue = &table->queues[i];
        const struct queue_spec *first = queue_of(lint, queue->name);
        if (!queue_equal(first, queue))
            FINDING(lint, "%s: queue %s is declared elsewhere in another way", table->service,
                    queue->name);
        if (first == queue && !queue_has_consumer(lint, queue))
            FINDING(lint, "%s: nobody consumes queue %s", table->service, queue->name);
        if (queue->prefetch < 1)
            FINDING(lint, "%s: queue %s has no prefetch", table->service, queue->name);
    }
}

/* Whether some binding brings (exchange, type) to the queue; NULL: to any queue. */
static int routed(const struct lint *lint, const char *exchange, const char *type,
                  const char *queue)
{
    EACH_TABLE(lint, table)
    for (size_t i = 0; i < table->binding_count; i++) {
        const struct binding_spec *binding = &table->bindings[i];
        if (same(binding->exchange, exchange) && topic_matches(binding->pattern, type) &&
            (!queue || same(binding->queue, queue)))
            return 1;
    }
    return 0;
}

static int handled(const struct lint *lint, const char *queue, const char *type)
{
    EACH_TABLE(lint, table)
    for (size_t i = 0; i < table->handler_count; i++)
        if (same(table->handlers[i].queue, queue) && same(table->handlers[i].type, type))
            return 1;
    return 0;
}

static void handler_lint(struct lint *lint, const struct topology *table,
                         const struct handler *handler)
{
    const struct publication_spec *contract = contract_of(lint, handler->type);
    if (!queue_of(lint, handler->queue))
        FINDING(lint, "%s: handles %s from queue %s, which nobody declares", table->service,
                handler->type, handler->queue);
    if (!contract) {
        FINDING(lint, "%s: handles %s, which has no contract", table->service, handler->type);
        return;
    }
    if (contract->payload != handler->payload)
        FINDING(lint, "%s: handles %s with another payload than its contract's", table->service,
                handler->type);
    int arrives = 0;
    EACH_TABLE(lint, other)
    for (size_t i = 0; i < other->publication_count; i++)
        arrives |= same(other->publications[i].type, handler->type) &&
                   routed(lint, other->publications[i].exchange, handler->type, handler->queue);
    if (!arrives)
        FINDING(lint, "%s: handles %s, which nobody brings to queue %s", table->service,
                handler->type, handler->queue);
}

static void publication_lint(struct lint *lint, const struct topology *table,
                             const struct publication_spec *publication)
{
    const struct publication_spec *contract = contract_of(lint, publication->type);
    if (!contract) {
        FINDING(lint, "%s: publishes %s, which has no contract", table->service, publication->type);
        return;
    }
    if (contract->payload != publication->payload)
        FINDING(lint, "%s: publishes %s with another payload than its contract's", table->service,
                publication->type);
    if (!same(contract->exchange, publication->exchange))
        FINDING(lint, "%s: publishes %s on %s, its contract says %s", table->service,
                publication->type, publication->exchange, contract->exchange);
    if (same(publication->exchange, EXCHANGE_COMMANDS) &&
        !routed(lint, publication->exchange, publication->type, NULL))
        FINDING(lint, "%s: publishes %s, which no binding routes", table->service,
                publication->type);
}

/* What this binding brings: somebody must publish it, and a consumer by handlers must know it. */
static void binding_lint(struct lint *lint, const struct topology *table,
                         const struct binding_spec *binding)
{
    const struct queue_spec *queue = queue_of(lint, binding->queue);
    size_t met = 0;
    if (!queue)
        FINDING(lint, "%s: binds queue %s, which nobody declares", table->service, binding->queue);
    EACH_TABLE(lint, other)
    for (size_t i = 0; i < other->publication_count; i++) {
        const struct publication_spec *publication = &other->publications[i];
        if (!same(publication->exchange, binding->exchange) ||
            !topic_matches(binding->pattern, publication->type))
            continue;
        met++;
        if (queue && queue->kind == QUEUE_QUORUM &&
            !handled(lint, binding->queue, publication->type))
            FINDING(lint, "%s: nobody handles %s in queue %s", table->service, publication->type,
                    binding->queue);
    }
    if (met == 0)
        FINDING(lint, "%s: nothing that is published meets %s on %s, bound to %s", table->service,
                binding->pattern, binding->exchange, binding->queue);
}

size_t topology_lint(const struct topology *const *tables, size_t count,
                     const struct publication_spec *contracts, size_t contract_count,
                     struct buf *findings)
{
    struct lint lint = {tables, count, contracts, contract_count, findings, 0};
    EACH_TABLE(&lint, table)
    {
        queues_lint(&lint, table);
        for (size_t i = 0; i < table->binding_count; i++)
            binding_lint(&lint, table, &table->bindings[i]);
        for (size_t i = 0; i < table->handler_count; i++)
            handler_lint(&lint, table, &table->handlers[i]);
        for (size_t i = 0; i < table->publication_count; i++)
            publication_lint(&lint, table, &table->publications[i]);
    }
    return lint.found;
}
