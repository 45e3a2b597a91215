#include "tests/simulation/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/audit/audit.h"
#include "tests/simulation/clients.h"
#include "tests/simulation/world.h"

enum {
    CHAOS_STEPS_MIN = 1500,
    CHAOS_STEPS_MAX = 9000,
    HEAL_STEPS_MAX = 300000,
    LOOK_EVERY = 64,
    AUDIT_EVERY = 2048,
};

/* The stream as the audit reads it. */
struct tape {
    struct world *world;
    size_t next;
};

static enum result read_tape(void *context, struct audit_message *ret_message, struct err *err)
{
    struct tape *tape = context;
    (void)err;
    ret_message->key = "";
    ret_message->body = memory_broker_stream_at(tape->world->broker, STREAM_LOG, tape->next++,
                                                &ret_message->size, &ret_message->offset);
    return ret_message->body ? OK : NOT_FOUND;
}

enum { EDGES = DB_EDGE_2 - DB_EDGE_1 + 1 };

static const struct audit_edge *list_edges(struct world *world, struct audit_edge edges[EDGES])
{
    static const char *const names[EDGES] = {"edge 1", "edge 2"};
    for (int i = 0; i < EDGES; i++)
        edges[i] = (struct audit_edge){names[i], world->stores[DB_EDGE_1 + i], true};
    return edges;
}

static void report_violations(struct world *world, const struct audit_report *report,
                              const char *when)
{
    for (int p = 0; p < AUDIT_PROMISES; p++)
        for (size_t i = 0; i < report->promises[p].violations && i < AUDIT_VIOLATIONS_KEPT; i++)
            world_violated(world, p + 1, "%s%s", when, report->promises[p].texts[i]);
}

/* In mid-flight, as on a running suite: nothing may be wrong yet, whatever is missing. Somebody's
 * open transaction may make a store unreadable; then there is nothing to say. */
static void audit_running(struct world *world)
{
    struct tape tape = {world, 0};
    struct audit_log log = {read_tape, &tape};
    struct audit_edge edges[EDGES];
    struct audit_sources sources = {.order = world->stores[DB_ORDER],
                                    .payment = world->stores[DB_PAYMENT],
                                    .notification = world->stores[DB_NOTIFICATION],
                                    .ledger = world->stores[DB_LEDGER],
                                    .edges = list_edges(world, edges),
                                    .edge_count = EDGES,
                                    .log = &log};
    struct audit_options options = {.moment = AUDIT_RUNNING,
                                    .now_ms = world->clock.wall_ms,
                                    .grace_ms = INT64_C(1000000000000000),
                                    .quarantined = -1};
    struct audit_report report;
    audit_run(&sources, &options, &report);
    world->coverage.items[COVER_AUDITED_RUNNING] += !report.unreadable[0];
    report_violations(world, &report, "in mid-flight: ");
    audit_report_release(&report);
}

static void audit(struct world *world)
{
    struct tape tape = {world, 0};
    struct audit_log log = {read_tape, &tape};
    FILE *history = clients_history(world);
    struct audit_edge edges[EDGES];
    struct audit_sources sources = {.order = world->stores[DB_ORDER],
                                    .payment = world->stores[DB_PAYMENT],
                                    .notification = world->stores[DB_NOTIFICATION],
                                    .ledger = world->stores[DB_LEDGER],
                                    .edges = list_edges(world, edges),
                                    .edge_count = EDGES,
                                    .log = &log,
                                    .history = history};
    struct audit_options options = {
        .moment = AUDIT_FINAL, .now_ms = world->clock.wall_ms, .quarantined = world->poison};
    struct audit_report report;
    audit_run(&sources, &options, &report);
    if (history)
        fclose(history);
    if (report.unreadable[0])
        world_violated(world, 0, "unreadable: %s", report.unreadable);
    else if (report.counts.orders == 0)
        world_violated(world, 1, "no order at all");
    report_violations(world, &report, "");
    audit_report_release(&report);
}

static int64_t count_rows(struct world *world, int db, const char *sql)
{
    struct err err = {{0}};
    int64_t count = 0;
    return store_query_int(world->stores[db], sql, STORE_NO_ARGS, &count, &err) == OK ? count : 0;
}

/* Which ends the orders of this seed have come to. */
static void cover_outcomes(struct world *world)
{
    static const struct {
        enum coverage_item item;
        int db;
        const char *sql;
    } outcomes[] = {
#define ENDS(condition)                                                                            \
    "SELECT count(*) FROM order_event AS e WHERE NOT EXISTS (SELECT 1 FROM order_event AS later "  \
    "WHERE later.order_id = e.order_id AND later.version > e.version) AND " condition
#define AFTER(type)                                                                                \
    " AND EXISTS (SELECT 1 FROM order_event AS b WHERE b.order_id = e.order_id AND "               \
    "b.version = e.version - 1 AND b.type = '" type "')"
#define REASON(text) " AND instr(e.data, '\"reason\":\"" text "\"') > 0"
        {COVER_ORDER_CONFIRMED, DB_ORDER, ENDS("e.type = 'order.confirmed'")},
        {COVER_ORDER_UNKNOWN_PRODUCT, DB_ORDER,
         ENDS("e.type = 'order.rejected'" REASON("unknown-product"))},
        {COVER_ORDER_OUT_OF_STOCK, DB_ORDER,
         ENDS("e.type = 'order.rejected'" REASON("out-of-stock"))},
        {COVER_ORDER_DECLINED, DB_ORDER,
         ENDS("e.type = 'order.rejected'" REASON("payment-declined"))},
        {COVER_ORDER_NO_FUNDS, DB_ORDER,
         ENDS("e.type = 'order.rejected'" REASON("insufficient-funds"))},
        {COVER_ORDER_CANCELLED_PAID, DB_ORDER,
         ENDS("e.type = 'order.cancelled'" AFTER("order.confirmed"))},
        {COVER_ALERT, DB_NOTIFICATION, "SELECT count(*) FROM alert"},
    };
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        world->coverage.items[outcomes[i].item] +=
            (uint64_t)count_rows(world, outcomes[i].db, outcomes[i].sql);
}

/* Ends out of `closing`: with or without a charge in between, which the payment store knows. */

static enum result cover_closing_end(void *context, const struct store_row *row, struct err *err)
{
    struct world *world = context;
    int64_t charged = 0;
    bool expired = strcmp(store_row_text(row, 1), "order.expired") == 0;
    if (store_query_int(world->stores[DB_LEDGER],
                        "SELECT count(*) FROM ledger WHERE order_id = $1 AND kind = 'capture'",
                        STORE_ARGS(store_text(store_row_text(row, 0))), &charged, err) != OK)
        return OK;
    world->coverage.items[expired   ? (charged ? COVER_ORDER_EXPIRED_REFUNDED : COVER_ORDER_EXPIRED)
                          : charged ? COVER_ORDER_CANCELLED_CLOSING
                                    : COVER_ORDER_CANCELLED_UNPAID]++;
    return OK;
}

static void cover_closings(struct world *world)
{
    struct err err = {{0}};
    if (store_query(world->stores[DB_ORDER],
                    "SELECT e.order_id, e.type FROM order_event AS e WHERE e.type IN "
                    "('order.cancelled', 'order.expired') AND EXISTS (SELECT 1 FROM order_event "
                    "AS b WHERE b.order_id = e.order_id AND b.type = 'order.closing')",
                    STORE_NO_ARGS, cover_closing_end, world, &err) != OK)
        world_violated(world, 0, "unreadable: %s", err.text);
}

static void cover_stream(struct world *world)
{
    const char *body;
    size_t size;
    int64_t offset;
    for (size_t i = 0;
         (body = memory_broker_stream_at(world->broker, STREAM_LOG, i, &size, &offset)); i++) {
        bool refused = strstr(body, "\"command.refused\"") != NULL;
        world->coverage.items[COVER_COMMAND_REFUSED] += refused;
        world->coverage.items[COVER_COMMAND_DONE] += strstr(body, "\"command.done\"") != NULL;
        world->coverage.items[COVER_KEY_REUSED] +=
            refused && strstr(body, "idempotency-key-reused") != NULL;
    }
}

/* Each settled version has its number, and none is left out. */
static void judge_settlements(struct world *world)
{
    int64_t numbers = count_rows(world, DB_ORDER, "SELECT count(*) FROM settled");
    int64_t last = count_rows(world, DB_ORDER, "SELECT max(number) FROM settled");
    int64_t versions = count_rows(world, DB_ORDER,
                                  "SELECT count(*) FROM order_event WHERE type IN "
                                  "('order.confirmed', 'order.rejected', 'order.cancelled', "
                                  "'order.expired')");
    if (numbers != last || numbers != versions)
        world_violated(
            world, 4, "%" PRId64 " settled versions have %" PRId64 " numbers, the last is %" PRId64,
            versions, numbers, last);
}

static void judge(struct world *world)
{
    judge_settlements(world);
    if (memory_broker_depth(world->broker, EXCHANGE_DEAD) > 0)
        world_violated(world, 6, "the broker has dead-lettered something");
    audit(world);
    clients_judge(world);
    if (world->seed % 4 == 0)
        rebuild_judge(world);
    cover_outcomes(world);
    cover_closings(world);
    cover_stream(world);
}

static void chaos(struct world *world)
{
    /* Mostly the shelves are full before the trouble begins, else most orders end too soon. */
    world->chance.calm = world->seed % 8 != 0;
    while (world->steps < CHAOS_STEPS_MIN / 2 && !clients_stocked(world))
        world_step(world);
    world->chance.calm = false;
    while (world->steps < CHAOS_STEPS_MAX &&
           (world->steps < CHAOS_STEPS_MIN || !clients_done(world))) {
        world_step(world);
        if (world->steps % AUDIT_EVERY == 0)
            audit_running(world);
    }
}

static bool settle(struct world *world)
{
    uint64_t end = world->steps + HEAL_STEPS_MAX;
    while (world->steps < end) {
        world_step(world);
        if (world->steps % LOOK_EVERY == 0 && world_quiescent(world))
            return true;
    }
    return false;
}

void run_seed(uint64_t seed, const struct switches *switches, bool trace, struct coverage *coverage,
              struct run_result *result)
{
    struct world world;
    *result = (struct run_result){0};
    world_init(&world, seed, switches, trace);
    int64_t begin_ms = world.clock.mono_ms;
    chaos(&world);
    world_heal(&world);
    if (!settle(&world))
        world_violated(&world, 1, "no rest after %d healthy steps", HEAL_STEPS_MAX);
    judge(&world);
    result->steps = world.steps;
    result->virtual_ms = world.clock.mono_ms - begin_ms;
    memcpy(result->broken, world.broken, sizeof result->broken);
    for (size_t p = 0; p < sizeof world.broken / sizeof world.broken[0]; p++)
        result->red = result->red || world.broken[p];
    if (world.violations.size)
        buf_append(&result->report, world.violations.data, world.violations.size);
    world.coverage.seeds = 1;
    world_release(&world); /* which completes its counters */
    coverage_add(coverage, &world.coverage);
}
