/* What runs: how each kind of process is put together, ends and takes a step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/accounts/accounts.h"
#include "contracts/messages.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"
#include "payment-service/provider.h"
#include "tests/simulation/bad_store.h"
#include "tests/simulation/clients.h"
#include "tests/simulation/world.h"

static const char *const database_names[DB_COUNT] = {
    "memdb:/sim-order",  "memdb:/sim-payment", "memdb:/sim-notification", "memdb:/sim-ledger",
    "memdb:/sim-edge-1", "memdb:/sim-edge-2",  "memdb:/sim-accounts",
};

/* Short times, so that a seed meets its deadlines. */
static const struct service_limits limits = {
    .batch = 8,
    .unsent_max = 200,
    .calls_max = 8,
    .call_timeout_ms = 1500,
    .takeover_ms = 2000,
    .confirm_timeout_ms = 3000,
};
static const struct edge_limits edge_limits = {
    .deadline_ms = 2500, .inflight_max = 32, .accepted_max = 256, .waiters_max = 16, .batch = 8};
static const struct order_service_options order_options = {.payment_deadline_ms = 6000};
static const struct provider_sandbox_options sandbox_options = {.slow_ms = 2000};

/* The simulation stands on what cannot fail here; if it does, it must not go on. */
static void must(enum result result, const struct err *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "simulation: %s: %s\n", result_name(result), err_text(err));
    abort();
}

/* --- its clock ------------------------------------------------------------------------- */

static int64_t skewed_wall_ms(void *self)
{
    const struct process *process = self;
    return process->time->wall_ms + process->skew_ms;
}

static int64_t world_mono_ms(void *self)
{
    return ((const struct process *)self)->time->mono_ms;
}

static uint64_t world_random64(void *self)
{
    return clock_random64(&((const struct process *)self)->time->clock);
}

void process_init(struct world *world, struct process *process)
{
    static const struct clock_ops ops = {skewed_wall_ms, world_mono_ms, world_random64, NULL};
    process->time = &world->clock;
    process->clock = (struct clock){&ops, process};
}

/* --- what it is made of ------------------------------------------------------------------ */

static struct store *open_database(int db)
{
    struct err err = {{0}};
    struct store *store = NULL;
    must(store_open_sqlite(database_names[db], STORE_DISPOSABLE, &store, &err), &err);
    return store;
}

static void migrate(struct store *store, const char *owner, const struct migration *steps,
                    size_t count)
{
    struct err err = {{0}};
    must(store_migrate(store, owner, steps, count, &err), &err);
}

void process_databases(struct world *world)
{
    for (int db = 0; db < DB_COUNT; db++)
        world->stores[db] = open_database(db);
    for (int db = DB_ORDER; db <= DB_NOTIFICATION; db++)
        migrate(world->stores[db], "service", service_migrations, service_migration_count);
    migrate(world->stores[DB_ORDER], "order", order_migrations, order_migration_count);
    migrate(world->stores[DB_PAYMENT], "payment", payment_migrations, payment_migration_count);
    migrate(world->stores[DB_NOTIFICATION], "notification", notification_migrations,
            notification_migration_count);
    migrate(world->stores[DB_LEDGER], "ledger", ledger_migrations, ledger_migration_count);
    migrate(world->stores[DB_EDGE_1], "edge", edge_migrations, edge_migration_count);
    migrate(world->stores[DB_EDGE_2], "edge", edge_migrations, edge_migration_count);
    migrate(world->stores[DB_ACCOUNTS], "accounts", accounts_migrations, accounts_migration_count);
}

static struct effect *start_provider(struct world *world, struct process *process)
{
    struct err err = {{0}};
    struct effect *sandbox = NULL;
    process->other = open_database(DB_LEDGER);
    must(provider_sandbox_new(&process->clock, process->other, &sandbox_options, &sandbox, &err),
         &err);
    process->provider = faulty_new(sandbox, &process->clock, &world->chance, &world->coverage);
    return faulty_effect(process->provider);
}

static struct effect *start_mailer(struct world *world, struct process *process)
{
    process->other = open_database(DB_ACCOUNTS);
    process->provider =
        faulty_new(postman_new(world->mailbox), &process->clock, &world->chance, &world->coverage);
    return faulty_effect(process->provider);
}

static const struct service_spec *const specs[] = {&order_service_spec, &payment_service_spec,
                                                   &notification_service_spec};

static void start_service(struct world *world, struct process *process)
{
    struct err err = {{0}};
    struct service_parts parts = {.clock = &process->clock,
                                  .store = process->store,
                                  .bus = process->bus,
                                  .switches = world->switches,
                                  .owner = process->name,
                                  .log = world->trace ? &process->log : NULL};
    if (process->kind == KIND_ORDER) {
        struct order_service *order = NULL;
        must(order_service_new(&order_options, &order, &err), &err);
        process->self = order;
    } else if (process->kind == KIND_NOTIFICATION) {
        struct notification_service *notification = NULL;
        parts.effect = start_mailer(world, process);
        const struct notification_service_options options = {.accounts = process->other};
        must(notification_service_new(&options, &notification, &err), &err);
        process->self = notification;
    } else {
        parts.effect = start_provider(world, process);
    }
    parts.self = process->self;
    must(service_new(specs[process->kind], &parts, &limits, &process->service, &err), &err);
}

static void start_edge(struct world *world, struct process *process)
{
    struct err err = {{0}};
    process->log_bus = memory_bus_new(world->broker, &world->switches);
    memory_bus_name(process->log_bus, process->name);
    struct edge_parts parts = {.clock = &process->clock,
                               .store = process->store,
                               .bus = process->bus,
                               .log_bus = process->log_bus,
                               .switches = world->switches,
                               .log = world->trace ? &process->log : NULL};
    must(edge_new(&parts, &edge_limits, &process->edge, &err), &err);
}

void process_start(struct world *world, struct process *process)
{
    int db = process->kind == KIND_EDGE ? DB_EDGE_1 + process->instance : (int)process->kind;
    process->alive = true;
    process->last_phase = 0;
    process->log = (struct log){.clock = &process->clock,
                                .service = process->name,
                                .instance = process->instance + 1,
                                .level = LOG_INFO,
                                .fd = STDOUT_FILENO};
    process->wake_ms = 0;
    process->lives++;
    process->store = open_database(db);
    process->bus = memory_bus_new(world->broker, &world->switches);
    memory_bus_name(process->bus, process->name);
    if (process->kind == KIND_EDGE)
        start_edge(world, process);
    else
        start_service(world, process);
    bad_store_spoil(process->store, &world->chance, &world->coverage);
    if (process->other)
        bad_store_spoil(process->other, &world->chance, &world->coverage);
    world_note(world, "%s starts", process->name);
}

/* Its calls are on the network: they outlive it. */
static void leave_orphan(struct world *world, struct process *process)
{
    if (!process->provider)
        return;
    faulty_orphan(process->provider);
    if (world->orphan_count < ORPHANS_MAX) {
        world->orphans[world->orphan_count++] = (struct orphan){process->provider, process->other};
    } else {
        faulty_free(process->provider);
        store_free(process->other);
    }
    process->provider = NULL;
    process->other = NULL;
}

/* What was said again, by its type. */
static void count_repeats(struct world *world, const struct topology *topology,
                          const struct service_numbers *numbers)
{
    static const struct {
        const char *type;
        enum coverage_item item;
    } repeats[] = {
        {PAYMENT_CLOSE, COVER_ASKED_CLOSE_AGAIN},
        {PAYMENT_REFUND, COVER_ASKED_REFUND_AGAIN},
        {PAYMENT_CAPTURED, COVER_SAID_CAPTURED_AGAIN},
        {PAYMENT_DECLINED, COVER_SAID_DECLINED_AGAIN},
        {PAYMENT_CLOSED, COVER_SAID_CLOSED_AGAIN},
        {PAYMENT_REFUNDED, COVER_SAID_REFUNDED_AGAIN},
        {ORDER_CONFIRMED, COVER_SAID_CONFIRMED_AGAIN},
        {ORDER_REJECTED, COVER_SAID_REJECTED_AGAIN},
        {ORDER_CANCELLED, COVER_SAID_CANCELLED_AGAIN},
        {ORDER_EXPIRED, COVER_SAID_EXPIRED_AGAIN},
    };
    for (size_t i = 0; i < topology->publication_count; i++)
        for (size_t r = 0; r < sizeof repeats / sizeof repeats[0]; r++)
            if (strcmp(topology->publications[i].type, repeats[r].type) == 0)
                world->coverage.items[repeats[r].item] += numbers->repeats[i];
}

static void count_loop(struct world *world, struct process *process)
{
    struct service_state state;
    count_repeats(world, specs[process->kind]->topology, service_numbers(process->service));
    service_state(process->service, &state);
    world->coverage.items[COVER_LOOP_DUPLICATE] += state.duplicates;
    world->coverage.items[COVER_LOOP_DEFERRED] += state.deferred;
    world->coverage.items[COVER_LOOP_QUARANTINED] += state.quarantined;
    world->coverage.items[COVER_LOOP_ROLLED_BACK] += state.rollbacks;
}

static void count_edge(struct world *world, struct process *process)
{
    struct edge_state state;
    edge_state(process->edge, &state);
    world->coverage.items[COVER_EDGE_HELD] += state.held;
    world->coverage.items[COVER_EDGE_DUPLICATE] += state.duplicates;
    world->coverage.items[COVER_EDGE_ROLLED_BACK] += state.rollbacks;
}

void process_release(struct world *world, struct process *process)
{
    if (!process->alive)
        return;
    process->alive = false;
    if (process->service)
        count_loop(world, process);
    else
        count_edge(world, process);
    service_free(process->service);
    edge_free(process->edge);
    bus_free(process->bus);
    bus_free(process->log_bus);
    store_free(process->store);
    leave_orphan(world, process);
    if (process->kind == KIND_ORDER)
        order_service_free(process->self);
    else if (process->kind == KIND_NOTIFICATION)
        notification_service_free(process->self);
    process->service = NULL;
    process->edge = NULL;
    process->bus = process->log_bus = NULL;
    process->store = NULL;
    process->self = NULL;
}

void process_kill(struct world *world, struct process *process)
{
    world->coverage.deaths[process->kind][process->last_phase]++;
    world_note(world, "%s DIES after %s", process->name,
               coverage_phase_name(process->kind, process->last_phase));
    process_release(world, process);
    if (process->kind == KIND_EDGE)
        clients_edge_died(world, process->instance);
}

void process_step(struct process *process)
{
    if (process->kind == KIND_EDGE) {
        process->last_phase = edge_step(process->edge);
        process->wake_ms = edge_deadline_ms(process->edge);
    } else {
        process->last_phase = service_step(process->service);
        process->wake_ms = service_deadline_ms(process->service);
    }
}

int64_t process_deadline_ms(const struct process *process)
{
    int64_t due_ms = process->wake_ms;
    struct bus *const buses[] = {process->bus, process->log_bus};
    for (size_t i = 0; i < 2; i++) {
        int64_t bus_ms = buses[i] ? bus_deadline_ms(buses[i]) : due_ms;
        due_ms = bus_ms < due_ms ? bus_ms : due_ms;
    }
    return due_ms;
}
