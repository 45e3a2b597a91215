/* The edge's read model: facts folded in once, in turn, whatever the stream does; what readers see
 * of it; who waits. */
#include <stdio.h>
#include <string.h>

#include "common/store/engine.h"
#include "tests/unit/edge_bottle.h"
#include "tests/unit/unit.h"

#define ONE "00000000-0000-8000-8000-000000000001"
#define TWO "00000000-0000-8000-8000-000000000002"

static struct bottle b;
static struct outcome first;

static struct edge_state state_of(void)
{
    struct edge_state state;
    edge_state(b.edge, &state);
    return state;
}

static void test_accepted_then_placed_then_confirmed(void)
{
    char text[128];
    bottle_open(&b);
    place(&b, ALICE, "k", 2, &first);
    bottle_run(&b, 2);
    struct seen seen = see(&b, ALICE, first.order_id);
    CU_ASSERT_EQUAL(seen.result, OK);
    CU_ASSERT_STRING_EQUAL(seen.order.status, "accepted");
    CU_ASSERT_EQUAL(seen.order.version, 0);
    CU_ASSERT_EQUAL(see(&b, BOB, first.order_id).result, NOT_FOUND);
    timeline(&b, ALICE, first.order_id, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "");
    bottle_placed(&b, first.order_id, ALICE, NULL);
    bottle_run(&b, 3);
    seen = see(&b, ALICE, first.order_id);
    CU_ASSERT_STRING_EQUAL(seen.order.status, "placed");
    CU_ASSERT_EQUAL(seen.order.total, 1400);
    CU_ASSERT_STRING_EQUAL(seen.lines,
                           "[{\"sku\":\"MUG\",\"name\":\"A \\\"mug\\\"\",\"quantity\":2,"
                           "\"unit_price\":700,\"amount\":1400}]");
    CU_ASSERT_EQUAL(state_of().accepted_unread, 0);
    bottle_captured(&b, first.order_id);
    bottle_confirmed(&b, first.order_id, ALICE, 2);
    bottle_run(&b, 3);
    seen = see(&b, ALICE, first.order_id);
    CU_ASSERT_STRING_EQUAL(seen.order.status, "confirmed");
    CU_ASSERT_EQUAL(seen.order.version, 2);
    CU_ASSERT_TRUE(edge_order_settled(&seen.order));
    CU_ASSERT_STRING_NOT_EQUAL(seen.lines, "[]");
    timeline(&b, ALICE, first.order_id, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "order.placed payment.captured order.confirmed");
    timeline(&b, BOB, first.order_id, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "");
    CU_ASSERT_EQUAL(see(&b, BOB, first.order_id).result, NOT_FOUND);
    bottle_close(&b);
}

static void test_repeats_are_dropped(void)
{
    char text[128];
    bottle_open(&b);
    bottle_placed(&b, ONE, ALICE, NULL);
    bottle_confirmed(&b, ONE, ALICE, 2);
    bottle_placed(&b, ONE, ALICE, NULL);
    bottle_confirmed(&b, ONE, ALICE, 2);
    bottle_placed(&b, ONE, BOB, NULL); /* the first occurrence counts */
    bottle_run(&b, 4);
    CU_ASSERT_STRING_EQUAL(see(&b, ALICE, ONE).order.status, "confirmed");
    timeline(&b, ALICE, ONE, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "order.placed order.confirmed");
    CU_ASSERT_EQUAL(state_of().duplicates, 3);
    bottle_close(&b);
}

static void test_out_of_turn_is_held(void)
{
    struct order_ended ended = {
        .version = 3, .reason = "cancelled", .currency = "EUR", .total = 1400};
    char text[128];
    bottle_open(&b);
    memcpy(ended.order_id, ONE, UUID_SIZE);
    memcpy(ended.customer, ALICE, UUID_SIZE);
    bottle_fact(&b, "/order-service", ORDER_CANCELLED, ONE, 3, &order_cancelled_type, &ended);
    bottle_confirmed(&b, ONE, ALICE, 2);
    bottle_run(&b, 3);
    CU_ASSERT_EQUAL(see(&b, ALICE, ONE).result, NOT_FOUND);
    bottle_kill(&b); /* what is held is in the database */
    bottle_start(&b);
    bottle_placed(&b, ONE, ALICE, NULL);
    bottle_run(&b, 4);
    CU_ASSERT_STRING_EQUAL(see(&b, ALICE, ONE).order.status, "cancelled");
    timeline(&b, ALICE, ONE, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "order.placed order.confirmed order.cancelled");
    bottle_close(&b);
}

static void inject(const char *body)
{
    memory_broker_inject(b.broker, STREAM_LOG, "", body, strlen(body));
}

static void count_product(void *context, const struct edge_product *product)
{
    (void)product;
    ++*(int *)context;
}

static void count_order(void *context, const struct edge_order *order)
{
    (void)order;
    ++*(int *)context;
}

static const struct edge_position newest = {.placed_ms = -1};

/* An edge that begins anew at a log whose beginning is gone. */
static void test_a_cut_log_is_no_empty_shop(void)
{
    int count = 0;
    bottle_open(&b);
    bottle_placed(&b, ONE, ALICE, NULL);
    bottle_kill(&b);
    memory_broker_cut(b.broker, STREAM_LOG, 1);
    bottle_placed(&b, TWO, ALICE, NULL);
    bottle_start(&b);
    bottle_run(&b, 4);
    CU_ASSERT_EQUAL(strncmp(state_of().reason, EDGE_LOG_CUT, strlen(EDGE_LOG_CUT)), 0);
    CU_ASSERT_EQUAL(state_of().cut_at, 1);
    CU_ASSERT_EQUAL(see(&b, ALICE, ONE).result, RETRY);
    CU_ASSERT_STRING_EQUAL(see(&b, ALICE, TWO).order.status, "placed"); /* what is there is there */
    CU_ASSERT_EQUAL(edge_products(b.edge, count_product, &count, NULL), RETRY);
    CU_ASSERT_EQUAL(edge_list_orders(b.edge, ALICE, 10, &newest, count_order, &count, NULL), RETRY);
    CU_ASSERT_EQUAL(count, 0);
    cancel(&b, ALICE, ONE, &first);
    CU_ASSERT_EQUAL(first.verdict, EDGE_REFUSED);
    place(&b, ALICE, "cut", 1, &first); /* commands go on */
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(first.verdict, EDGE_ACCEPTED);
    CU_ASSERT_STRING_EQUAL(see(&b, ALICE, first.order_id).order.status, "accepted");
    bottle_kill(&b); /* it is not forgotten */
    bottle_start(&b);
    bottle_run(&b, 4);
    CU_ASSERT_EQUAL(state_of().cut_at, 1);
    bottle_close(&b);
}

/* What was read before it went is not missed; what was not is, later as well. */
static void test_a_cut_behind_the_reader_is_no_loss(void)
{
    bottle_open(&b);
    bottle_placed(&b, ONE, ALICE, NULL);
    bottle_confirmed(&b, ONE, ALICE, 2);
    bottle_run(&b, 4);
    bottle_kill(&b);
    memory_broker_cut(b.broker, STREAM_LOG, 1);
    bottle_start(&b);
    bottle_run(&b, 4);
    CU_ASSERT_STRING_EQUAL(state_of().reason, "");
    bottle_kill(&b);
    bottle_placed(&b, TWO, ALICE, NULL);
    memory_broker_cut(b.broker, STREAM_LOG, 1); /* the last one that was read */
    bottle_start(&b);
    bottle_run(&b, 4);
    CU_ASSERT_STRING_EQUAL(state_of().reason, "");
    CU_ASSERT_EQUAL(see(&b, ALICE, BOB).result, NOT_FOUND);
    bottle_kill(&b);
    bottle_confirmed(&b, TWO, ALICE, 2);
    bottle_captured(&b, TWO);
    memory_broker_cut(b.broker, STREAM_LOG, 2);
    bottle_start(&b);
    bottle_run(&b, 4);
    CU_ASSERT_EQUAL(state_of().cut_at, 4);
    CU_ASSERT_EQUAL(see(&b, ALICE, BOB).result, RETRY);
    bottle_close(&b);
}

static void test_poison_and_strangers(void)
{
    struct order_ended wrong = {.version = 7, .currency = "EUR", .total = 1};
    bottle_open(&b);
    inject("");
    inject("{");
    inject("[]");
    inject("{\"specversion\":\"1.0\",\"id\":\"x\"}");
    memcpy(wrong.order_id, ONE, UUID_SIZE);
    memcpy(wrong.customer, ALICE, UUID_SIZE);
    /* version and sequence differ; another service; another subject */
    bottle_fact(&b, "/order-service", ORDER_CONFIRMED, ONE, 1, &order_confirmed_type, &wrong);
    bottle_fact(&b, "/evil", ORDER_CONFIRMED, ONE, 7, &order_confirmed_type, &wrong);
    bottle_fact(&b, "/order-service", ORDER_CONFIRMED, ALICE, 7, &order_confirmed_type, &wrong);
    bottle_run(&b, 3);
    CU_ASSERT_EQUAL(state_of().poison, 7);
    bottle_placed(&b, ONE, ALICE, NULL);
    /* a type of tomorrow takes its number */
    bottle_fact(&b, "/order-service", "order.gift-wrapped", ONE, 2, &order_confirmed_type, &wrong);
    bottle_confirmed(&b, ONE, ALICE, 3);
    bottle_run(&b, 3);
    CU_ASSERT_STRING_EQUAL(see(&b, ALICE, ONE).order.status, "confirmed");
    CU_ASSERT_EQUAL(state_of().poison, 7);
    CU_ASSERT_EQUAL(state_of().ignored, 1);
    bottle_close(&b);
}

static void inject_as(const char *key, const char *body)
{
    memory_broker_inject_as(b.broker, STREAM_LOG, key, "", body, strlen(body));
}

#define EVENT(source, type, subject, sequence)                                                     \
    "{\"specversion\":\"1.0\",\"id\":\"" TWO "\",\"source\":\"" source "\",\"type\":\"" type       \
    "\",\"subject\":\"" subject "\",\"time\":\"2026-01-01T00:00:00Z\"," sequence                   \
    "\"data\":{\"order_id\":\"" subject "\",\"customer\":\"" ALICE                                 \
    "\",\"version\":2,\"currency\":\"EUR\",\"total\":1}}"

/* Whoever may say neighbour.* says what they like: nothing of it is believed, held or counted as
 * poison, and those behind it are folded in. */
static void test_neighbours_change_nothing(void)
{
    char text[128];
    bottle_open(&b);
    bottle_placed(&b, ONE, ALICE, NULL);
    inject_as("neighbour.greeted", "hello");
    inject_as("lesson.begun", "");
    inject_as("a.key.that.is.longer.than.any.type.of.the.catalogue.may.ever.be", "x");
    inject_as("neighbour.shipped", EVENT("/neighbour", "neighbour.shipped", ONE, ""));
    inject_as("neighbour.shipped",
              EVENT("/order-service", "neighbour.shipped", ONE, "\"sequence\":\"2\","));
    inject_as("lesson.begun", EVENT("/lesson", "lesson.begun", ONE, "\"sequence\":\"5\","));
    inject_as("neighbour.shipped",
              EVENT("/order-service", "order.confirmed", ONE, "\"sequence\":\"2\","));
    inject_as("order.lost", EVENT("/order-service", "order.confirmed", ONE, "\"sequence\":\"2\","));
    bottle_run(&b, 4);
    CU_ASSERT_EQUAL(state_of().ignored, 8);
    CU_ASSERT_EQUAL(state_of().poison, 0);
    CU_ASSERT_EQUAL(state_of().held, 0);
    CU_ASSERT_STRING_EQUAL(see(&b, ALICE, ONE).order.status, "placed");
    inject_as("order.cancelled",
              EVENT("/order-service", "order.confirmed", ONE, "\"sequence\":\"2\","));
    bottle_run(&b, 3);
    CU_ASSERT_EQUAL(state_of().poison, 1); /* of ours, who should know better */
    inject_as("order.confirmed",
              EVENT("/order-service", "order.confirmed", ONE, "\"sequence\":\"2\","));
    bottle_run(&b, 3);
    CU_ASSERT_STRING_EQUAL(see(&b, ALICE, ONE).order.status, "confirmed");
    timeline(&b, ALICE, ONE, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "order.placed order.confirmed");
    bottle_close(&b);
}

static void note_product(void *context, const struct edge_product *product)
{
    snprintf(context, 64, "%s %s %d %s %d", product->sku, product->name, (int)product->unit_price,
             product->currency, (int)product->available);
}

static void test_catalogue(void)
{
    struct product_listed listed = {"MUG", "Mug", 700, "EUR", 1};
    struct stock_changed stock = {"MUG", 5, 0, 0};
    char names[64] = "";
    bottle_open(&b);
    bottle_fact(&b, "/order-service", STOCK_CHANGED, "MUG", 2, &stock_changed_type, &stock);
    bottle_fact(&b, "/order-service", PRODUCT_LISTED, "MUG", 1, &product_listed_type, &listed);
    stock.available = 4;
    bottle_fact(&b, "/order-service", STOCK_CHANGED, "MUG", 3, &stock_changed_type, &stock);
    bottle_run(&b, 3);
    CU_ASSERT_EQUAL(edge_products(b.edge, note_product, names, NULL), OK);
    CU_ASSERT_STRING_EQUAL(names, "MUG Mug 700 EUR 4");
    bottle_close(&b);
}

static void many_orders(int count)
{
    for (int i = 0; i < count; i++) {
        char id[UUID_SIZE];
        snprintf(id, sizeof id, "00000000-0000-8000-8000-%012d", i);
        bottle_placed(&b, id, i % 3 == 0 ? BOB : ALICE, NULL);
        if (i % 2)
            bottle_confirmed(&b, id, i % 3 == 0 ? BOB : ALICE, 2);
    }
}

struct listed {
    int count;
    char ids[32][UUID_SIZE];
    struct edge_position last;
};

static void note_listed(void *context, const struct edge_order *order)
{
    struct listed *listed = context;
    memcpy(listed->ids[listed->count++ % 32], order->order_id, UUID_SIZE);
    listed->last.placed_ms = order->placed_ms;
    memcpy(listed->last.order_id, order->order_id, UUID_SIZE);
}

static void test_pages(void)
{
    struct listed listed = {.count = 0, .last = {.placed_ms = -1}};
    int pages = 0;
    int before;
    bottle_open(&b);
    many_orders(30);
    bottle_run(&b, 10);
    do {
        struct edge_position behind = listed.last;
        before = listed.count;
        CU_ASSERT_EQUAL(edge_list_orders(b.edge, ALICE, 7, &behind, note_listed, &listed, NULL),
                        OK);
        pages++;
    } while (listed.count > before && pages < 10);
    CU_ASSERT_EQUAL(listed.count, 20); /* Alice's, each once, newest first */
    CU_ASSERT_EQUAL(pages, 4);
    for (int i = 1; i < listed.count; i++)
        CU_ASSERT(strcmp(listed.ids[i - 1], listed.ids[i]) > 0);
    bottle_close(&b);
}

/* What a crash would take back must not have been seen. */
static void test_nothing_half_is_seen(void)
{
    bottle_open(&b);
    bottle_placed(&b, ONE, ALICE, NULL);
    bottle_run(&b, 3);
    bottle_confirmed(&b, ONE, ALICE, 2);
    for (int i = 0; i < 5 && !store_in_transaction(b.store); i++)
        bottle_run_to(&b, EDGE_PHASE_APPLY);
    CU_ASSERT_TRUE_FATAL(store_in_transaction(b.store));
    CU_ASSERT_EQUAL(see(&b, ALICE, ONE).result, RETRY);
    bottle_kill(&b);
    bottle_start(&b);
    CU_ASSERT_STRING_EQUAL(see(&b, ALICE, ONE).order.status, "placed");
    bottle_run(&b, 4);
    CU_ASSERT_STRING_EQUAL(see(&b, ALICE, ONE).order.status, "confirmed");
    bottle_close(&b);
}

/* Killed after each phase in turn, it ends with what an undisturbed one has. */
static void test_crashes_change_nothing(void)
{
    char calm[65];
    char killed[65];
    bottle_open(&b);
    many_orders(40);
    bottle_run(&b, 20);
    model_hash(&b, calm);
    int64_t offset = state_of().next_offset;
    bottle_close(&b);
    bottle_open(&b);
    bottle_kill(&b);
    b.limits = (struct edge_limits){.batch = 3};
    bottle_start(&b);
    many_orders(40);
    for (int i = 0; i < 200; i++) {
        bottle_run(&b, 2);
        bottle_run_to(&b, (enum edge_phase)(i % EDGE_PHASE_COUNT));
        if (i % 3 == 0)
            memory_bus_drop(b.log_bus);
        bottle_kill(&b);
        bottle_start(&b);
    }
    bottle_run(&b, 60);
    model_hash(&b, killed);
    CU_ASSERT_STRING_EQUAL(calm, killed);
    CU_ASSERT_EQUAL(state_of().next_offset, offset);
    CU_ASSERT_EQUAL(state_of().duplicates, 0); /* the offset is in the transaction */
    bottle_close(&b);
}

static void test_lost_connections_change_nothing(void)
{
    char calm[65];
    char dropped[65];
    bottle_open(&b);
    many_orders(40);
    bottle_run(&b, 20);
    model_hash(&b, calm);
    bottle_close(&b);
    bottle_open(&b);
    bottle_kill(&b);
    b.limits = (struct edge_limits){.batch = 3};
    bottle_start(&b);
    many_orders(40);
    for (int i = 0; i < 60; i++) {
        bottle_run_to(&b, (enum edge_phase)(i % EDGE_PHASE_COUNT));
        memory_bus_drop(b.log_bus);
        bottle_run(&b, 3);
    }
    bottle_run(&b, 60);
    model_hash(&b, dropped);
    CU_ASSERT_STRING_EQUAL(calm, dropped);
    CU_ASSERT_EQUAL(state_of().duplicates, 0);
    bottle_close(&b);
}

static void test_hash_sees_a_difference(void)
{
    char one[65];
    char two[65];
    bottle_open(&b);
    model_hash(&b, one);
    bottle_placed(&b, ONE, ALICE, NULL);
    bottle_run(&b, 3);
    model_hash(&b, two);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
    CU_ASSERT_EQUAL(strlen(two), 64);
    bottle_close(&b);
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static void test_waiters(void)
{
    int calls = 0;
    int never = 0;
    int late = 0;
    bottle_open(&b);
    int64_t now = clock_mono_ms(&b.clock.clock);
    CU_ASSERT_EQUAL(edge_wait(b.edge, ALICE, ONE, now + 1000, count_call, &never, NULL), NOT_FOUND);
    bottle_placed(&b, ONE, ALICE, NULL);
    bottle_run(&b, 3);
    CU_ASSERT_EQUAL(edge_wait(b.edge, BOB, ONE, now + 1000, count_call, &never, NULL), NOT_FOUND);
    CU_ASSERT_EQUAL(edge_wait(b.edge, ALICE, ONE, now + 1000, count_call, &calls, NULL), OK);
    CU_ASSERT_EQUAL(edge_wait(b.edge, ALICE, ONE, now + 60, count_call, &late, NULL), OK);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(late, 0);
    bottle_run(&b, 20);
    CU_ASSERT_EQUAL(late, 1); /* its time is up */
    CU_ASSERT_EQUAL(calls, 0);
    bottle_confirmed(&b, ONE, ALICE, 2);
    bottle_run(&b, 3);
    CU_ASSERT_EQUAL(calls, 1);
    CU_ASSERT_EQUAL(edge_wait(b.edge, ALICE, ONE, now + 1000, count_call, &calls, NULL), OK);
    CU_ASSERT_EQUAL(calls, 2); /* at once */
    manual_clock_advance(&b.clock, 5000);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(calls, 2);
    CU_ASSERT_EQUAL(late, 1);
    CU_ASSERT_EQUAL(never, 0);
    CU_ASSERT_EQUAL(state_of().waiters, 0);
    bottle_close(&b);
}

/* An engine whose commits fail a few times, before or behind the deed. */
static const struct store_ops *honest;
static struct {
    int fail, lie;
} commits;

static enum result commit_badly(struct store *store, struct err *err)
{
    if (commits.fail > 0) {
        commits.fail--;
        return err_set(err, RETRY, "disk I/O error");
    }
    enum result result = honest->commit(store, err);
    if (commits.lie == 0)
        return result;
    commits.lie--;
    return err_set(err, RETRY, "disk I/O error, but after all was written");
}

static void test_commits_that_fail(void)
{
    for (int lie = 0; lie <= 1; lie++) {
        int calls = 0;
        bottle_open(&b);
        int64_t now = clock_mono_ms(&b.clock.clock);
        bottle_placed(&b, ONE, ALICE, NULL);
        bottle_run(&b, 3);
        CU_ASSERT_EQUAL(edge_wait(b.edge, ALICE, ONE, now + 5000, count_call, &calls, NULL), OK);
        honest = b.store->ops;
        struct store_ops bad = *honest;
        bad.commit = commit_badly;
        b.store->ops = &bad;
        commits.lie = lie;
        commits.fail = 1 - lie;
        bottle_confirmed(&b, ONE, ALICE, 2);
        bottle_run(&b, 3);
        CU_ASSERT_EQUAL(calls, lie); /* it has landed, or it has not */
        CU_ASSERT_EQUAL(state_of().rollbacks, (uint64_t)(1 - lie));
        bottle_run(&b, 20);
        CU_ASSERT_EQUAL(calls, 1);
        CU_ASSERT_EQUAL(see(&b, ALICE, ONE).order.version, 2);
        CU_ASSERT_EQUAL(state_of().duplicates, 0);
        bottle_close(&b);
    }
}

/* The edge's broker has lost everything, or the edge was given another one. */
static void another_broker(void)
{
    bottle_kill(&b);
    memory_broker_free(b.broker);
    b.broker = memory_broker_new(b.tables, 2);
    bottle_start(&b);
}

/* Told by another message where the last one was, or by its silence when it is shorter. What was read
 * stays, what is new is read from the other log's beginning, and repeats of what was there count once. */
static void test_another_log(void)
{
    for (int earlier = 0; earlier < 5; earlier++) {
        bottle_open(&b);
        bottle_placed(&b, ONE, ALICE, NULL);
        for (int i = 0; i < 2; i++)
            bottle_captured(&b, ONE);
        bottle_run(&b, 3);
        another_broker();
        if (earlier > 0)
            bottle_placed(&b, ONE, ALICE, NULL);
        for (int i = 1; i < earlier; i++)
            bottle_captured(&b, TWO); /* goes where the log had more */
        bottle_run(&b, 10);
        bottle_confirmed(&b, ONE, ALICE, 2);
        bottle_placed(&b, TWO, BOB, NULL);
        bottle_run(&b, 10);
        manual_clock_advance(&b.clock, 10000);
        bottle_run(&b, 20);
        CU_ASSERT_EQUAL(see(&b, ALICE, ONE).order.version, 2);
        CU_ASSERT_EQUAL(see(&b, BOB, TWO).result, OK);
        CU_ASSERT_EQUAL(state_of().reconnects, 1);
        bottle_close(&b);
    }
}

static void test_the_same_log(void)
{
    bottle_open(&b);
    bottle_placed(&b, ONE, ALICE, NULL);
    bottle_run(&b, 3);
    bottle_kill(&b);
    bottle_start(&b);
    bottle_confirmed(&b, ONE, ALICE, 2);
    bottle_run(&b, 10);
    CU_ASSERT_EQUAL(see(&b, ALICE, ONE).order.version, 2);
    manual_clock_advance(&b.clock, 10000);
    bottle_run(&b, 10);
    CU_ASSERT_EQUAL(state_of().reconnects, 0);
    memory_bus_drop(b.log_bus);
    bottle_run(&b, 10);
    CU_ASSERT_EQUAL(state_of().reconnects, 1);
    CU_ASSERT_EQUAL(state_of().duplicates, 0);
    bottle_close(&b);
}

static const struct unit_case cases[] = {
    {"accepted, placed, confirmed", test_accepted_then_placed_then_confirmed},
    {"repeats are dropped", test_repeats_are_dropped},
    {"what is out of turn is held", test_out_of_turn_is_held},
    {"a cut log is no empty shop", test_a_cut_log_is_no_empty_shop},
    {"a cut behind the reader is no loss", test_a_cut_behind_the_reader_is_no_loss},
    {"poison is skipped, strangers count", test_poison_and_strangers},
    {"neighbours change nothing", test_neighbours_change_nothing},
    {"the catalogue", test_catalogue},
    {"pages of one's own orders", test_pages},
    {"nothing half is seen", test_nothing_half_is_seen},
    {"crashes change nothing", test_crashes_change_nothing},
    {"lost connections change nothing", test_lost_connections_change_nothing},
    {"the hash sees a difference", test_hash_sees_a_difference},
    {"waiters", test_waiters},
    {"commits that fail", test_commits_that_fail},
    {"another log", test_another_log},
    {"the same log", test_the_same_log},
};

UNIT_MAIN("edge projection", cases)
