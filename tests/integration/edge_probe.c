/* What scripts about the edge need beside it: the broker's topology, and tokens.
 *     edge_probe deploy AMQP_URL
 *     edge_probe token ACCOUNTS_DB NAME        (NAME "admin": an administrator)
 *     edge_probe poison AMQP_URL               a message that is no CloudEvent, to all readers
 *     edge_probe count AMQP_URL QUEUE          how many messages a consumer gets, until a quiet second */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/accounts/accounts.h"
#include "common/messaging/bus_amqp.h"
#include "common/messaging/deploy.h"
#include "edge-service/edge.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"

static int fail(const struct err *err)
{
    fprintf(stderr, "edge_probe: %s\n", err->text);
    return 1;
}

static int deploy(const char *url)
{
    static const struct topology *const tables[] = {&edge_topology, &order_topology,
                                                    &payment_topology, &notification_topology};
    const struct deploy_options options = {.url = url};
    struct err err = {""};
    return deploy_declare(&options, tables, 4, NULL, &err) == OK ? 0 : fail(&err);
}

static enum result issue(struct store *store, const char *name, char bearer[BEARER_SIZE],
                         struct err *err)
{
    struct id customer;
    bool admin = strcmp(name, "admin") == 0;
    enum result result =
        store_migrate(store, "accounts", accounts_migrations, accounts_migration_count, err);
    if (result == OK && !admin)
        result = accounts_customer(store, clock_system(), name, &customer, err);
    if (result == OK)
        result = accounts_issue(store, clock_system(), admin ? NULL : &customer, SCOPE_NONE,
                                INT64_C(24) * 3600 * 1000, bearer, err);
    return result;
}

static int token(const char *path, const char *name)
{
    struct store *store = NULL;
    struct err err = {""};
    char bearer[BEARER_SIZE];
    enum result result = store_open_sqlite(path, STORE_DURABLE, &store, &err);
    if (result == OK)
        result = issue(store, name, bearer, &err);
    store_free(store);
    if (result != OK)
        return fail(&err);
    puts(bearer);
    return 0;
}

struct sent {
    bool up, settled;
};

static void hear(void *context, const struct bus_event *event)
{
    struct sent *sent = context;
    sent->up = sent->up || event->kind == BUS_UP;
    sent->settled = sent->settled || event->kind == BUS_SETTLED;
}

static void turn_until(struct bus *bus, const bool *done)
{
    for (int i = 0; i < 500 && !*done; i++) {
        struct pollfd ready = {.fd = bus_fd(bus), .events = POLLIN};
        bus_pump(bus);
        poll(&ready, 1, 20);
    }
}

static int poison(const char *url)
{
    struct sent sent = {false, false};
    struct bus *bus = NULL;
    struct err err = {""};
    const struct bus_amqp_options options = {
        .url = url, .clock = clock_system(), .switches = switches_all_on()};
    const struct bus_message message = {.exchange = EXCHANGE_EVENTS,
                                        .routing_key = "order.placed",
                                        .id = "poison",
                                        .traceparent = "",
                                        .body = "{\"specversion\":",
                                        .size = 15};
    if (bus_amqp_new(&options, &bus, &err) != OK)
        return fail(&err);
    bus_listen(bus, hear, &sent);
    turn_until(bus, &sent.up);
    if (bus_publish(bus, &message, 1) == OK)
        turn_until(bus, &sent.settled);
    bus_free(bus);
    return sent.settled ? 0 : 1;
}

struct counted {
    long count;
    int quiet; /* turns without a message */
    bool up;
};

static void count_delivery(void *context, const struct bus_event *event)
{
    struct counted *counted = context;
    counted->up = counted->up || event->kind == BUS_UP;
    if (event->kind != BUS_DELIVERY)
        return;
    counted->count++;
    counted->quiet = 0;
}

/* Acknowledges nothing: what is there stays there. */
static int count(const char *url, const char *queue)
{
    struct counted counted = {0, 0, false};
    struct bus *bus = NULL;
    struct err err = {""};
    const struct bus_amqp_options options = {
        .url = url, .clock = clock_system(), .switches = switches_all_on()};
    const struct bus_subscription subscription = {.queue = queue,
                                                  .prefetch = 10000,
                                                  .stream = strcmp(queue, STREAM_LOG) == 0,
                                                  .from_offset = OFFSET_FIRST};
    if (bus_amqp_new(&options, &bus, &err) != OK || bus_subscribe(bus, &subscription, &err) != OK)
        return fail(&err);
    bus_listen(bus, count_delivery, &counted);
    turn_until(bus, &counted.up);
    while (counted.up && counted.quiet++ < 50) {
        struct pollfd ready = {.fd = bus_fd(bus), .events = POLLIN};
        bus_pump(bus);
        poll(&ready, 1, 20);
    }
    bus_free(bus);
    printf("%ld\n", counted.count);
    return counted.up ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "deploy") == 0)
        return deploy(argv[2]);
    if (argc == 4 && strcmp(argv[1], "token") == 0)
        return token(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "poison") == 0)
        return poison(argv[2]);
    if (argc == 4 && strcmp(argv[1], "count") == 0)
        return count(argv[2], argv[3]);
    return 2;
}
