/* What one order costs each service in CPU time, without a broker, HTTP and waiting: all services in
 * one process on the broker in memory, with their databases on disk. Repeatable to a few per cent,
 * and for the user part exactly, under `valgrind --tool=callgrind`.
 *
 *     core [ORDERS [BATCH [FOLDER]]]     20000 orders, 64 of them at a time, databases in a new
 *                                        folder below $TMPDIR */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/messaging/memory_bus.h"
#include "common/messaging/service.h"
#include "contracts/messages.h"
#include "edge-service/edge.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"
#include "payment-service/provider.h"

enum { SERVICES = 3, SKUS = 20, NAME = 400 };

struct cost {
    int64_t user_ns, system_ns;
};

struct part {
    const char *name;
    const struct service_spec *spec;
    struct store *store;
    struct bus *bus;
    struct service *service;
    struct cost cost;
};

struct bench {
    long orders, batch, replies, refused;
    const char *folder;
    struct memory_broker *broker;
    struct order_service *order;
    struct notification_service *notification;
    struct store *ledger, *read_model;
    struct effect *provider;
    struct part parts[SERVICES];
    struct bus *edge_bus, *edge_log_bus;
    struct edge *edge;
    struct cost commands, projection;
    struct switches switches;
};

static const struct topology *const tables[] = {&order_topology, &payment_topology,
                                                &notification_topology, &edge_topology};

static void must(enum result result, const struct err *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "core: %s: %s\n", result_name(result), err_text(err));
    exit(1);
}

static struct cost now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct cost){usage.ru_utime.tv_sec * 1000000000 + usage.ru_utime.tv_usec * 1000,
                         usage.ru_stime.tv_sec * 1000000000 + usage.ru_stime.tv_usec * 1000};
}

static void add_since(struct cost *cost, struct cost before)
{
    struct cost after = now();
    cost->user_ns += after.user_ns - before.user_ns;
    cost->system_ns += after.system_ns - before.system_ns;
}

static struct store *open_store(const struct bench *bench, const char *name, enum store_mode mode,
                                const char *owner, const struct migration *steps, size_t count)
{
    char path[NAME];
    struct store *store = NULL;
    struct err err = {""};
    snprintf(path, sizeof path, "%s/%s.db", bench->folder, name);
    must(store_open_sqlite(path, mode, &store, &err), &err);
    must(store_migrate(store, owner, steps, count, &err), &err);
    return store;
}

static void start(struct bench *bench, size_t i, void *self, struct effect *effect,
                  const struct migration *steps, size_t count)
{
    struct part *part = &bench->parts[i];
    struct err err = {""};
    part->store = open_store(bench, part->name, STORE_DURABLE, part->name, steps, count);
    must(store_migrate(part->store, "service", service_migrations, service_migration_count, &err),
         &err);
    part->bus = memory_bus_new(bench->broker, &bench->switches);
    const struct service_parts parts = {.clock = clock_system(),
                                        .store = part->store,
                                        .bus = part->bus,
                                        .effect = effect,
                                        .switches = bench->switches,
                                        .owner = part->name,
                                        .self = self};
    const struct service_limits limits = {.calls_max = effect ? 256 : 0};
    must(service_new(part->spec, &parts, &limits, &part->service, &err), &err);
}

static void open_all(struct bench *bench)
{
    struct err err = {""};
    bench->switches = switches_all_on();
    bench->broker = memory_broker_new(tables, sizeof tables / sizeof tables[0]);
    bench->ledger = open_store(bench, "ledger", STORE_DURABLE, "ledger", ledger_migrations,
                               ledger_migration_count);
    must(provider_sandbox_new(clock_system(), bench->ledger, NULL, &bench->provider, &err), &err);
    must(order_service_new(NULL, &bench->order, &err), &err);
    must(notification_service_new(NULL, &bench->notification, &err), &err);
    bench->parts[0] = (struct part){.name = "order", .spec = &order_service_spec};
    bench->parts[1] = (struct part){.name = "payment", .spec = &payment_service_spec};
    bench->parts[2] = (struct part){.name = "notification", .spec = &notification_service_spec};
    start(bench, 0, bench->order, NULL, order_migrations, order_migration_count);
    start(bench, 1, NULL, bench->provider, payment_migrations, payment_migration_count);
    start(bench, 2, bench->notification, NULL, notification_migrations,
          notification_migration_count);
    bench->read_model =
        open_store(bench, "edge", STORE_DISPOSABLE, "edge", edge_migrations, edge_migration_count);
    bench->edge_bus = memory_bus_new(bench->broker, &bench->switches);
    bench->edge_log_bus = memory_bus_new(bench->broker, &bench->switches);
    const struct edge_parts parts = {.clock = clock_system(),
                                     .store = bench->read_model,
                                     .bus = bench->edge_bus,
                                     .log_bus = bench->edge_log_bus,
                                     .switches = bench->switches};
    must(edge_new(&parts, NULL, &bench->edge, &err), &err);
}

static void close_all(struct bench *bench)
{
    edge_free(bench->edge);
    bus_free(bench->edge_bus);
    bus_free(bench->edge_log_bus);
    store_free(bench->read_model);
    for (size_t i = 0; i < SERVICES; i++) {
        service_free(bench->parts[i].service);
        bus_free(bench->parts[i].bus);
        store_free(bench->parts[i].store);
    }
    effect_free(bench->provider);
    store_free(bench->ledger);
    order_service_free(bench->order);
    notification_service_free(bench->notification);
    memory_broker_free(bench->broker);
}

static void replied(void *context, const struct edge_reply *reply)
{
    struct bench *bench = context;
    bench->replies++;
    bench->refused += reply->verdict != EDGE_ACCEPTED;
}

static void rounds(struct bench *bench, int count)
{
    for (int n = 0; n < count; n++) {
        for (size_t i = 0; i < SERVICES; i++) {
            struct cost before = now();
            service_round(bench->parts[i].service);
            add_since(&bench->parts[i].cost, before);
        }
        struct cost before = now();
        edge_round(bench->edge);
        add_since(&bench->projection, before);
    }
}

static void list_products(struct bench *bench)
{
    rounds(bench, 3);
    for (int i = 0; i < SKUS; i++) {
        struct set_product product = {
            .name = "A thing", .unit_price = 499, .currency = "EUR", .revision = 1};
        struct stock_adjust adjust = {.delta = 100000000};
        snprintf(product.sku, sizeof product.sku, "SKU-%d", i);
        snprintf(adjust.sku, sizeof adjust.sku, "SKU-%d", i);
        edge_set_product(bench->edge, &product, NULL, (struct edge_caller){replied, bench, NULL});
        rounds(bench, 8);
        edge_adjust_stock(bench->edge, &adjust, NULL, (struct edge_caller){replied, bench, NULL});
        rounds(bench, 8);
    }
}

static void place(struct bench *bench, long number)
{
    struct place_request request = {.line_count = 2, .payment = {"tok_visa"}};
    char key[32], sku[32];
    for (size_t i = 0; i < request.line_count; i++) {
        snprintf(sku, sizeof sku, "SKU-%ld", (number * 7 + (long)i * 3) % SKUS);
        memcpy(request.lines[i].sku, sku, sizeof sku);
        request.lines[i].quantity = 1;
    }
    snprintf(key, sizeof key, "bench-%ld", number);
    edge_place(bench->edge, "0190b0c0-0000-7000-8000-00000000a11c", key, &request,
               (struct edge_caller){replied, bench, NULL});
}

static int64_t count_of(struct store *store, const char *sql)
{
    int64_t count = 0;
    struct err err = {""};
    must(store_query_int(store, sql, STORE_NO_ARGS, &count, &err), &err);
    return count;
}

static int64_t settled(const struct bench *bench)
{
    return count_of(bench->read_model, "SELECT count(*) FROM orders WHERE status = 'confirmed'");
}

static void run(struct bench *bench)
{
    bench->projection = (struct cost){0, 0};
    for (size_t i = 0; i < SERVICES; i++)
        bench->parts[i].cost = (struct cost){0, 0};
    for (long done = 0; done < bench->orders; done += bench->batch) {
        struct cost before = now();
        for (long i = done; i < done + bench->batch && i < bench->orders; i++)
            place(bench, i);
        add_since(&bench->commands, before);
        rounds(bench, 6);
    }
    for (int i = 0; i < 1000 && settled(bench) < bench->orders; i++)
        rounds(bench, 4);
}

static double us(const struct bench *bench, int64_t ns)
{
    return (double)ns / 1000 / (double)bench->orders;
}

static void print_cost(const struct bench *bench, const char *name, struct cost cost)
{
    printf("%-22s %7.1f user %7.1f system %7.1f us/order\n", name, us(bench, cost.user_ns),
           us(bench, cost.system_ns), us(bench, cost.user_ns + cost.system_ns));
}

static void print_all(const struct bench *bench)
{
    struct cost all = {bench->commands.user_ns + bench->projection.user_ns,
                       bench->commands.system_ns + bench->projection.system_ns};
    print_cost(bench, "edge: commands", bench->commands);
    print_cost(bench, "edge: projection", bench->projection);
    for (size_t i = 0; i < SERVICES; i++) {
        print_cost(bench, bench->parts[i].name, bench->parts[i].cost);
        all.user_ns += bench->parts[i].cost.user_ns;
        all.system_ns += bench->parts[i].cost.system_ns;
    }
    print_cost(bench, "all", all);
    printf("%ld orders, %ld at a time, %" PRId64 " confirmed, %ld refused, %zu facts\n",
           bench->orders, bench->batch, settled(bench), bench->refused,
           memory_broker_depth(bench->broker, edge_topology.queues[0].name));
}

int main(int argc, char **argv)
{
    static struct bench bench;
    static char folder[NAME];
    bench.orders = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
    bench.batch = argc > 2 ? strtol(argv[2], NULL, 10) : 64;
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/core-XXXXXX", temporary ? temporary : "/tmp");
    bench.folder = argc > 3 ? argv[3] : mkdtemp(folder);
    if (bench.orders < 1 || bench.batch < 1 || !bench.folder) {
        fprintf(stderr, "usage: core [ORDERS [BATCH [FOLDER]]]\n");
        return 2;
    }
    open_all(&bench);
    list_products(&bench);
    run(&bench);
    print_all(&bench);
    bool all = settled(&bench) == bench.orders;
    close_all(&bench);
    return all ? 0 : 1;
}
