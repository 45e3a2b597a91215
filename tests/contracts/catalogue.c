/* The catalogue and the services' tables as lines of words, for asyncapi.mjs:
 *     vhost NAME
 *     contract TYPE EXCHANGE
 *     send SERVICE EXCHANGE TYPE
 *     queue SERVICE NAME quorum|stream MAX-LENGTH MAX-BYTES MAX-AGE
 *     bind QUEUE EXCHANGE PATTERN
 *     receive SERVICE QUEUE TYPE        (a stream: of each type that is bound to it) */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/broker.h"
#include "cli/operator.h"
#include "common/messaging/service.h"
#include "common/messaging/topology.h"
#include "contracts/messages.h"
#include "edge-service/edge.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"

static const struct topology *const tables[] = {
    &edge_topology, &order_topology, &payment_topology, &notification_topology, &operator_topology,
};

static void print_stream(const struct topology *table, const char *queue)
{
    for (size_t i = 0; i < table->binding_count; i++) {
        const struct binding_spec *binding = &table->bindings[i];
        if (strcmp(binding->queue, queue) != 0)
            continue;
        for (const struct contract *contract = contracts; contract->type; contract++)
            if (strcmp(contract->exchange, binding->exchange) == 0 &&
                topic_matches(binding->pattern, contract->type))
                printf("receive %s %s %s\n", table->service, queue, contract->type);
    }
}

static void print_queue(const struct topology *table, const struct queue_spec *queue)
{
    printf("queue %s %s %s %" PRId64 " %" PRId64 " %s\n", table->service, queue->name,
           queue->kind == QUEUE_STREAM ? "stream" : "quorum", queue->max_length,
           queue->max_length_bytes, queue->max_age ? queue->max_age : "-");
    if (queue->kind == QUEUE_STREAM)
        print_stream(table, queue->name);
}

static void print_table(const struct topology *table)
{
    for (size_t i = 0; i < table->publication_count; i++)
        printf("send %s %s %s\n", table->service, table->publications[i].exchange,
               table->publications[i].type);
    for (size_t i = 0; i < table->queue_count; i++)
        print_queue(table, &table->queues[i]);
    for (size_t i = 0; i < table->binding_count; i++)
        printf("bind %s %s %s\n", table->bindings[i].queue, table->bindings[i].exchange,
               table->bindings[i].pattern);
    for (size_t i = 0; i < table->handler_count; i++)
        printf("receive %s %s %s\n", table->service, table->handlers[i].queue,
               table->handlers[i].type);
}

int main(void)
{
    puts("vhost " BROKER_VHOST);
    for (const struct contract *contract = contracts; contract->type; contract++)
        printf("contract %s %s\n", contract->type, contract->exchange);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        print_table(tables[i]);
    return 0;
}
