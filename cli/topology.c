#include "cli/topology.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/broker.h"
#include "cli/files.h"
#include "common/messaging/deploy.h"
#include "edge-service/edge.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"

/* Follows the log and says nothing. Its queue is declared by the edge's table. */
static const struct queue_spec query_queues[] = {{.name = STREAM_LOG, .kind = QUEUE_STREAM}};
static const struct topology query_topology = {
    .service = "query-service", .queues = query_queues, .queue_count = 1};

#define LOG_MAX_FILE "run/log-max-bytes"

/* The last one has rights only. */
const struct topology *const topology_tables[] = {
    &order_topology, &payment_topology, &notification_topology, &edge_topology, &query_topology};
enum { TABLES = sizeof topology_tables / sizeof topology_tables[0] };
const size_t topology_count = TABLES;

int64_t topology_log_max(const struct suite *suite)
{
    char text[32];
    if (file_read(suite_path(suite, LOG_MAX_FILE).text, text, sizeof text, NULL) != OK)
        return 0;
    long long bytes = strtoll(text, NULL, 10);
    return bytes > 0 ? bytes : 0;
}

enum result topology_set_log_max(const struct suite *suite, int64_t bytes, struct err *err)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%" PRId64, bytes);
    return file_write(suite_path(suite, LOG_MAX_FILE).text, text, (size_t)size, err);
}

/* A broker takes whole segments away, and never the last: a small log has small ones. */
static enum result declare(const struct suite *suite, const struct deploy_options *options,
                           struct err *err)
{
    enum { SEGMENTS = 5 };
    const struct topology *tables[TABLES];
    struct topology edge = edge_topology;
    struct queue_spec log = edge_topology.queues[0];
    memcpy(tables, topology_tables, sizeof tables);
    int64_t bytes = topology_log_max(suite);
    if (bytes > 0) {
        log.max_length_bytes = bytes;
        log.segment_bytes = bytes / SEGMENTS;
        edge.queues = &log;
        edge.queue_count = 1;
    }
    for (size_t i = 0; i < TABLES; i++)
        if (tables[i] == &edge_topology)
            tables[i] = &edge;
    return deploy_declare(options, tables, TABLES - 1, err);
}

enum result topology_deploy(const struct suite *suite, const char *url, const char *ca_file,
                            struct err *err)
{
    char own[64];
    char secret[BROKER_SECRET_SIZE] = "";
    struct deploy_options options = {.url = url, .ca_file = ca_file};
    if (!url) {
        broker_private_url(suite, own, sizeof own);
        enum result result = broker_secret(suite, BROKER_DEPLOY_USER, secret, err);
        if (result != OK)
            return result;
        options.url = own;
        options.user = BROKER_DEPLOY_USER;
        options.password = secret;
    }
    return declare(suite, &options, err);
}

enum result topology_deploy_again(const struct suite *suite, struct err *err)
{
    char url[1024];
    char ca_file[1024];
    broker_external_url(suite, url, sizeof url);
    if (file_read(suite_path(suite, "secrets/amqp-ca").text, ca_file, sizeof ca_file, NULL) != OK)
        ca_file[0] = '\0';
    return topology_deploy(suite, url[0] ? url : NULL, ca_file[0] ? ca_file : NULL, err);
}
