#include "tests/simulation/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"
#include "tests/simulation/clients.h"

#define START_MS INT64_C(1790000000000)

static const struct topology *const topologies[] = {&order_topology, &payment_topology,
                                                    &notification_topology, &edge_topology};

/* A queue that may lose: what it has confirmed vanishes, one message or, for a fact, all of them
 * while its bindings are gone. Not order.commands: what was to be placed is nowhere else, and no
 * service can ask for it again. Not the stream, which everybody is measured by. */
static const struct {
    const char *name;
    enum { KEEPS, MAY_LOSE } fate;
    enum coverage_item lost;
} queues[] = {
    {"order.commands", KEEPS, COVER_COUNT},
    {"order.payments", MAY_LOSE, COVER_LOST_ORDER_PAYMENTS},
    {"payment.orders", MAY_LOSE, COVER_LOST_PAYMENT_ORDERS},
    {"payment.commands", MAY_LOSE, COVER_LOST_PAYMENT_COMMANDS},
    {"notification.events", MAY_LOSE, COVER_LOST_NOTIFICATION_EVENTS},
    {"notification.commands", KEEPS, COVER_COUNT}, /* an operator's, who is not here */
};
enum { QUEUES = sizeof queues / sizeof queues[0] };
static const int64_t day_ms = 86400000;

void world_note(struct world *world, const char *format, ...)
{
    if (!world->trace)
        return;
    va_list args;
    printf("%8" PRId64 " ms  ", world->clock.mono_ms);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

void world_violated(struct world *world, int promise, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    world->broken[promise] = true;
    buf_printf(&world->violations, "  promise %d: %s\n", promise, text);
    world_note(world, "VIOLATED promise %d: %s", promise, text);
}

/* A member of an envelope, for people's eyes. */
static void peek(const char *body, const char *name, char *out, size_t size)
{
    char marker[32];
    snprintf(marker, sizeof marker, "\"%s\":\"", name);
    const char *at = strstr(body, marker);
    at = at ? at + strlen(marker) : "?";
    snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void watch(void *context, const struct memory_sight *sight)
{
    char type[48], subject[48];
    peek(sight->body, "type", type, sizeof type);
    peek(sight->body, "subject", subject, sizeof subject);
    world_note(context, "%-14s %-15s %-21s %.8s  %s%s", sight->who, sight->what, type, subject,
               strcmp(sight->where, type) == 0 ? "" : "from ",
               strcmp(sight->where, type) == 0 ? sight->message_id : sight->where);
}

void world_init(struct world *world, uint64_t seed, const struct switches *switches, bool trace)
{
    *world = (struct world){.seed = seed, .trace = trace, .switches = *switches};
    chance_init(&world->chance, seed);
    manual_clock_init(&world->clock, START_MS, chance_next(&world->chance));
    world->broker = memory_broker_new(topologies, sizeof topologies / sizeof topologies[0]);
    memory_broker_choose(world->broker, &(struct memory_chooser){chance_choose, &world->chance});
    for (int i = 0; i < QUEUES; i++)
        if (queues[i].fate == MAY_LOSE)
            memory_broker_may_lose(world->broker, queues[i].name);
    if (trace)
        memory_broker_watch(world->broker, watch, world);
    world->mailbox = calloc(1, sizeof *world->mailbox);
    if (!world->mailbox)
        abort();
    process_databases(world);
    world->clients = clients_new(world);
    for (int i = 0; i < PROCESSES; i++) {
        struct process *process = &world->processes[i];
        process->kind = (enum process_kind)(i / INSTANCES);
        process->instance = i % INSTANCES;
        snprintf(process->name, sizeof process->name, "%s-%d", kind_names[process->kind],
                 process->instance + 1);
        process_init(world, process);
        process_start(world, process);
    }
}

static void count_bus(struct world *world)
{
    const struct memory_happened *h = memory_broker_happened(world->broker);
    uint64_t *items = world->coverage.items;
    items[COVER_BUS_DROP] += h->drops;
    items[COVER_BUS_PUBLISH_LOST] += h->publishes_lost;
    items[COVER_BUS_CONFIRM_LOST] += h->confirms_lost;
    items[COVER_BUS_ACK_LOST] += h->acks_lost;
    items[COVER_BUS_REFUSED] += h->refused_connects;
    items[COVER_BUS_NACK] += h->nacks;
    items[COVER_BUS_NACK_KEPT] += h->nacks_kept;
    items[COVER_BUS_RETURN] += h->returns;
    items[COVER_BUS_DUPLICATE] += h->duplicates;
    items[COVER_BUS_REDELIVERED] += h->redeliveries;
    items[COVER_BUS_SWAPPED] += h->swapped_confirms;
    items[COVER_BUS_HELD] += h->held;
    items[COVER_BUS_BLOCKED] += h->blocked;
    items[COVER_BUS_NO_ROOM] += h->no_room;
    for (int i = 0; i < QUEUES; i++)
        if (queues[i].lost != COVER_COUNT)
            items[queues[i].lost] += memory_broker_vanished(world->broker, queues[i].name);
}

static void drop_orphans(struct world *world)
{
    for (size_t i = 0; i < world->orphan_count; i++) {
        faulty_free(world->orphans[i].provider);
        store_free(world->orphans[i].other);
    }
    world->orphan_count = 0;
}

void world_release(struct world *world)
{
    count_bus(world);
    for (int i = 0; i < PROCESSES; i++)
        process_release(world, &world->processes[i]);
    drop_orphans(world);
    clients_free(world->clients);
    memory_broker_free(world->broker);
    for (int db = 0; db < DB_COUNT; db++)
        store_free(world->stores[db]);
    buf_release(&world->violations);
    free(world->mailbox);
}

struct process *world_edge(struct world *world, int instance)
{
    struct process *process = &world->processes[KIND_EDGE * INSTANCES + instance];
    return process->alive ? process : NULL;
}

/* Time. */

static void advance(struct world *world, int64_t ms)
{
    manual_clock_advance(&world->clock, ms);
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_moment_ms(struct world *world)
{
    int64_t next_ms = world->clock.mono_ms + 1000;
    for (int i = 0; i < PROCESSES; i++) {
        struct process *process = &world->processes[i];
        if (process->alive)
            next_ms = earliest(next_ms, process_deadline_ms(process));
        else if (!process->never_back)
            next_ms = earliest(next_ms, process->back_ms);
    }
    if (world->rebind_ms)
        next_ms = earliest(next_ms, world->rebind_ms);
    if (world->unblock_ms)
        next_ms = earliest(next_ms, world->unblock_ms);
    return earliest(next_ms, clients_deadline_ms(world));
}

/* Nobody has work now: on to the next moment at which somebody has. */
static void sleep_all(struct world *world)
{
    int64_t next_ms = next_moment_ms(world);
    if (next_ms > world->clock.mono_ms)
        advance(world, next_ms - world->clock.mono_ms);
    else
        advance(world, 1);
}

static void time_passes(struct world *world)
{
    struct chance *chance = &world->chance;
    if (chance_below(chance, 12) == 0)
        advance(world, chance_between(chance, 1, 8));
    if (chance_hits(chance, chance->jump, 10000)) {
        int64_t ms = chance_between(chance, 500, 12000);
        world->coverage.items[COVER_CLOCK_JUMP]++;
        world_note(world, "the clock jumps by %" PRId64 " ms", ms);
        if (chance_below(chance, 2))
            advance(world, ms);
        else
            world->clock.wall_ms += ms;
    }
    if (chance_hits(chance, chance->back, 10000)) {
        bool far = chance_below(chance, 3) == 0; /* more than anybody could wait out */
        int64_t ms = far ? chance_between(chance, 60000, 30 * day_ms) : 1500;
        world->coverage.items[far ? COVER_CLOCK_FAR_BACK : COVER_CLOCK_BACK]++;
        world_note(world, "the wall clock is put back by %" PRId64 " ms", ms);
        world->clock.wall_ms -= ms;
    }
    if (chance_hits(chance, chance->skew, 10000)) {
        struct process *process = &world->processes[chance_below(chance, PROCESSES)];
        process->skew_ms = chance_between(chance, -300000, 300000);
        world->coverage.items[COVER_CLOCK_SKEW]++;
        world_note(world, "the clock of %s is wrong by %" PRId64 " ms", process->name,
                   process->skew_ms);
    }
}

/* Faults of the surroundings. */

static void poison_one(struct world *world)
{
    char body[128];
    int64_t number = ++world->poison;
    const char *queue = queues[chance_below(&world->chance, QUEUES)].name;
    if (chance_below(&world->chance, 2))
        snprintf(body, sizeof body, "%" PRId64 " is no JSON {", number);
    else
        snprintf(body, sizeof body, "{\"specversion\":\"1.0\",\"n\":%" PRId64 "}", number);
    world_note(world, "poison on %s: %s", queue, body);
    memory_broker_inject(world->broker, queue, "", body, strlen(body));
}

static void trouble_the_broker(struct world *world)
{
    struct chance *chance = &world->chance;
    int64_t now_ms = world->clock.mono_ms;
    if (!world->rebind_ms && chance_hits(chance, chance->unbind, 10000)) {
        /* Of commands the publisher hears; a fact is always routable, to the stream. */
        uint64_t i = chance_below(chance, QUEUES);
        bool commands = strstr(queues[i].name, ".commands") != NULL;
        world->unbound = commands || queues[i].fate == MAY_LOSE ? queues[i].name : "order.commands";
        world->rebind_ms = now_ms + chance_between(chance, 1, 2000);
        memory_broker_unbind(world->broker, world->unbound);
        world_note(world, "%s loses its bindings", world->unbound);
    }
    if (!world->unblock_ms && chance_hits(chance, chance->block, 10000)) {
        world->unblock_ms = now_ms + chance_between(chance, 1, 1500);
        memory_broker_block(world->broker, true);
        world_note(world, "the broker blocks publishers");
    }
    if (chance_hits(chance, chance->drop_all, 10000)) {
        world_note(world, "the broker drops all connections");
        memory_broker_drop_all(world->broker);
    }
    if (chance_hits(chance, chance->cut, 10000)) {
        uint64_t there = memory_broker_depth(world->broker, STREAM_LOG);
        uint64_t count = chance_below(chance, there + 1);
        world_note(world, "retention takes %" PRIu64 " facts from the log", count);
        memory_broker_cut(world->broker, STREAM_LOG, count);
    }
    if (world->poison < 3 && chance_hits(chance, 8, 10000))
        poison_one(world);
}

static void mend_the_broker(struct world *world)
{
    int64_t now_ms = world->clock.mono_ms;
    if (world->rebind_ms && now_ms >= world->rebind_ms) {
        memory_broker_rebind(world->broker, world->unbound);
        world->rebind_ms = 0;
    }
    if (world->unblock_ms && now_ms >= world->unblock_ms) {
        memory_broker_block(world->broker, false);
        world->unblock_ms = 0;
    }
}

static struct process *other_of(struct world *world, const struct process *process)
{
    return &world->processes[(int)process->kind * INSTANCES + 1 - process->instance];
}

/* Opening a database would wait, in real time, for whoever has it locked. */
static bool may_open(struct world *world, const struct process *process)
{
    const struct process *other = other_of(world, process);
    return process->kind == KIND_EDGE || !other->alive || !store_in_transaction(other->store);
}

static void revive(struct world *world)
{
    for (int i = 0; i < PROCESSES; i++) {
        struct process *process = &world->processes[i];
        if (!process->alive && !process->never_back && world->clock.mono_ms >= process->back_ms &&
            may_open(world, process))
            process_start(world, process);
    }
}

static void maybe_kill(struct world *world, struct process *process)
{
    struct chance *chance = &world->chance;
    if (!chance_hits(chance, chance->death, 10000))
        return;
    process->back_ms = world->clock.mono_ms + chance_between(chance, 0, 4000);
    process->never_back = process->kind != KIND_EDGE && other_of(world, process)->alive &&
                          chance_hits(chance, chance->never_back, 100);
    world->coverage.items[COVER_STAYED_DEAD] += process->never_back;
    process_kill(world, process);
}

static void pump_orphans(struct world *world)
{
    for (size_t i = 0; i < world->orphan_count;) {
        struct orphan *orphan = &world->orphans[i];
        if (faulty_orphan_pump(orphan->provider)) {
            i++;
            continue;
        }
        faulty_free(orphan->provider);
        store_free(orphan->other);
        *orphan = world->orphans[--world->orphan_count];
    }
}

/* Anyone alive with work; NULL when a few tries find nobody. */
static struct process *choose_process(struct world *world)
{
    for (int tries = 0; tries < 2 * PROCESSES; tries++) {
        struct process *process = &world->processes[chance_below(&world->chance, PROCESSES)];
        if (process->alive && process_deadline_ms(process) <= world->clock.mono_ms)
            return process;
    }
    return NULL;
}

void world_step(struct world *world)
{
    world->steps++;
    mend_the_broker(world);
    revive(world);
    clients_act(world);
    if (world->steps % 16 == 0)
        pump_orphans(world);
    trouble_the_broker(world);
    struct process *process = choose_process(world);
    if (!process) {
        sleep_all(world);
        return;
    }
    maybe_kill(world, process);
    if (process->alive)
        process_step(process);
    time_passes(world);
}

void world_heal(struct world *world)
{
    world_note(world, "all faults end");
    world->chance.calm = true;
    for (int i = 0; i < QUEUES; i++)
        memory_broker_rebind(world->broker, queues[i].name);
    memory_broker_block(world->broker, false);
    world->rebind_ms = world->unblock_ms = 0;
    for (int i = 0; i < PROCESSES; i++) {
        world->processes[i].back_ms = 0;
        world->processes[i].skew_ms = 0;
    }
}

/* Quiet. */

static int64_t count_of(struct world *world, int db, const char *sql)
{
    struct err err = {{0}};
    int64_t count = 0;
    return store_query_int(world->stores[db], sql, STORE_NO_ARGS, &count, &err) == OK ? count : 1;
}

static bool edges_have_read(struct world *world)
{
    size_t size;
    int64_t last = -1;
    size_t depth = memory_broker_depth(world->broker, STREAM_LOG);
    if (depth > 0)
        memory_broker_stream_at(world->broker, STREAM_LOG, depth - 1, &size, &last);
    for (int i = 0; i < INSTANCES; i++) {
        struct process *process = world_edge(world, i);
        struct edge_state state;
        if (!process)
            return false;
        edge_state(process->edge, &state);
        if (state.next_offset <= last || state.backlog > 0)
            return false;
    }
    return true;
}

/* Notifications follow what was heard: where these are as many as were settled, all is told. */
static bool all_is_heard(struct world *world)
{
    return count_of(world, DB_ORDER, "SELECT coalesce(max(number), 0) FROM settled") ==
           count_of(world, DB_NOTIFICATION, "SELECT coalesce(sum(last - first + 1), 0) FROM heard");
}

bool world_quiescent(struct world *world)
{
    if (!clients_done(world) || world->orphan_count > 0)
        return false;
    for (int i = 0; i < QUEUES; i++)
        if (memory_broker_depth(world->broker, queues[i].name) > 0)
            return false;
    for (int db = DB_ORDER; db <= DB_NOTIFICATION; db++)
        if (count_of(world, db,
                     "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM job) + "
                     "(SELECT count(*) FROM deferred)") > 0)
            return false;
    return count_of(world, DB_ORDER,
                    "SELECT count(*) FROM (SELECT max(version), type FROM order_event GROUP BY "
                    "order_id) AS last WHERE type IN ('order.placed', 'order.closing')") == 0 &&
           count_of(world, DB_ORDER, "SELECT count(*) FROM product WHERE untold = 1") == 0 &&
           count_of(world, DB_ORDER, "SELECT count(*) FROM order_open") == 0 &&
           all_is_heard(world) && edges_have_read(world);
}
