#include "cli/topology.h"

#include <stdio.h>

#include "cli/broker.h"
#include "common/messaging/deploy.h"
#include "edge-service/edge.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"

/* Follows the log and says nothing. Its queue is declared by the edge's table. */
static const struct queue_spec query_queues[] = {{.name = STREAM_LOG, .kind = QUEUE_STREAM}};
static const struct topology query_topology = {
    .service = "query-service", .queues = query_queues, .queue_count = 1};

/* The last one has rights only. */
const struct topology *const topology_tables[] = {
    &order_topology, &payment_topology, &notification_topology, &edge_topology, &query_topology};
const size_t topology_count = sizeof topology_tables / sizeof topology_tables[0];

enum result topology_deploy(const struct suite *suite, const char *url, const char *ca_file,
                            struct err *err)
{
    char own[64];
    char secret[BROKER_SECRET_SIZE] = "";
    struct deploy_options options = {.url = url, .vhost = BROKER_VHOST, .ca_file = ca_file};
    if (!url) {
        snprintf(own, sizeof own, "amqp://127.0.0.1:%d", suite->base_port + PORT_AMQP);
        enum result result = broker_secret(suite, BROKER_DEPLOY_USER, secret, err);
        if (result != OK)
            return result;
        options.url = own;
        options.user = BROKER_DEPLOY_USER;
        options.password = secret;
    }
    return deploy_declare(&options, topology_tables, topology_count - 1, err);
}
