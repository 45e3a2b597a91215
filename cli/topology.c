#include "cli/topology.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/broker.h"
#include "cli/files.h"
#include "cli/identity.h"
#include "common/messaging/amqp_link.h"
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
void topology_declared(const struct suite *suite, struct topology_set *set)
{
    enum { SEGMENTS = 5 };
    int64_t bytes = topology_log_max(suite);
    *set = (struct topology_set){
        .count = TABLES - 1, .edge = edge_topology, .log = edge_topology.queues[0]};
    if (bytes > 0) {
        set->log.max_length_bytes = bytes;
        set->log.segment_bytes = bytes / SEGMENTS;
    }
    set->edge.queues = &set->log;
    set->edge.queue_count = 1;
    for (size_t i = 0; i < set->count; i++)
        set->list[i] = topology_tables[i] == &edge_topology ? &set->edge : topology_tables[i];
}

static enum result declare(const struct suite *suite, const struct deploy_options *options,
                           struct topology_told *told, struct err *err)
{
    struct topology_set set;
    struct deploy_seen seen = {0};
    topology_declared(suite, &set);
    enum result result = deploy_declare(options, set.list, set.count, &seen, err);
    if (seen.accepted + seen.unasked > 0)
        snprintf(told->rights, sizeof told->rights,
                 "this user may not declare: %zu exchanges and queues are there already, and what "
                 "they were declared with was not compared; %zu bindings cannot be asked for",
                 seen.accepted, seen.unasked);
    return result;
}

static enum result settle(const struct suite *suite, const struct deploy_options *options,
                          bool force, struct topology_told *told, struct err *err)
{
    struct amqp_target target;
    enum result result = deploy_target(options, &target, err);
    if (result != OK)
        return result;
    result = identity_settle(suite, clock_system(), &target, force ? IDENTITY_ADOPT : IDENTITY_ASK,
                             told->identity, err);
    explicit_bzero(&target, sizeof target);
    return result;
}

enum result topology_deploy(const struct suite *suite, const struct topology_how *how,
                            struct topology_told *ret_told, struct err *err)
{
    char own[64];
    char secret[BROKER_SECRET_SIZE] = "";
    struct topology_told told = {.identity = ""};
    struct deploy_options options = {.url = how->url, .ca_file = how->ca_file};
    if (!how->url) {
        broker_private_url(suite, own, sizeof own);
        enum result result = broker_secret(suite, BROKER_DEPLOY_USER, secret, err);
        if (result != OK)
            return result;
        options.url = own;
        options.user = BROKER_DEPLOY_USER;
        options.password = secret;
    }
    enum result result = settle(suite, &options, how->adopt, &told, err);
    if (result == OK)
        result = declare(suite, &options, &told, err);
    if (ret_told)
        *ret_told = told;
    return result;
}

enum result topology_deploy_again(const struct suite *suite, struct topology_told *ret_told,
                                  struct err *err)
{
    char url[1024];
    char ca_file[1024];
    broker_external_url(suite, url, sizeof url);
    if (file_read(suite_path(suite, "secrets/amqp-ca").text, ca_file, sizeof ca_file, NULL) != OK)
        ca_file[0] = '\0';
    const struct topology_how how = {.url = url[0] ? url : NULL,
                                     .ca_file = ca_file[0] ? ca_file : NULL};
    return topology_deploy(suite, &how, ret_told, err);
}
