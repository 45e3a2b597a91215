/* An answer is about the key, not about this attempt: while an earlier attempt may have been accepted,
 * no repeat is refused. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/edge_bottle.h"
#include "tests/unit/unit.h"

static struct bottle b;
static struct outcome first, second, third;

/* The broker takes it and its word does not come. */
static void lose_one(const char *key)
{
    b.chances[MEMORY_HOLD_CONFIRM] = 1;
    place(&b, ALICE, key, 1, &first);
    bottle_run(&b, 1);
    b.chances[MEMORY_STAY_DOWN] = 1;
    memory_bus_drop(b.bus);
    bottle_run(&b, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_UNKNOWN);
    b.chances[MEMORY_HOLD_CONFIRM] = 0;
}

static void come_back(void)
{
    b.chances[MEMORY_STAY_DOWN] = 0;
    bottle_run(&b, 400);
}

static void what_was_unknown_is_not_refused(void)
{
    struct edge_state state;
    bottle_open(&b);
    lose_one("k");
    place(&b, ALICE, "k", 1, &second);
    CU_ASSERT_EQUAL(second.calls, 1);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    CU_ASSERT_STRING_EQUAL(second.order_id, first.order_id);
    CU_ASSERT_STRING_EQUAL(second.key, "k");
    place(&b, ALICE, "l", 1, &third); /* of another key nothing is unknown */
    CU_ASSERT_EQUAL(third.verdict, EDGE_REFUSED);
    place(&b, BOB, "k", 1, &third);
    CU_ASSERT_EQUAL(third.verdict, EDGE_REFUSED);
    edge_state(b.edge, &state);
    CU_ASSERT_EQUAL(state.unknown, 2);
    CU_ASSERT_EQUAL(state.no_room, 2);
    come_back();
    place(&b, ALICE, "k", 1, &second);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(second.verdict, EDGE_ACCEPTED);
    bottle_close(&b);
}

static void every_way_of_refusing_knows_it(void)
{
    bottle_open(&b);
    lose_one("k");
    come_back();
    b.chances[MEMORY_NACK] = 1;
    place(&b, ALICE, "k", 1, &second);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    b.chances[MEMORY_NACK] = 0;
    memory_broker_unbind(b.broker, COMMANDS);
    place(&b, ALICE, "k", 1, &second);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    memory_broker_block(b.broker, true);
    bottle_run(&b, 1);
    place(&b, ALICE, "k", 1, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    memory_broker_block(b.broker, false);
    bottle_run(&b, 1);
    b.chances[MEMORY_NO_ROOM] = 1;
    place(&b, ALICE, "k", 1, &second);
    manual_clock_advance(&b.clock, 5000);
    bottle_run(&b, 1);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    b.chances[MEMORY_NO_ROOM] = 0;
    edge_drain(b.edge);
    place(&b, ALICE, "k", 1, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    bottle_close(&b);
}

static void a_late_confirm_is_heard(void)
{
    bottle_open(&b);
    b.chances[MEMORY_HOLD_CONFIRM] = 1;
    place(&b, ALICE, "k", 1, &first);
    bottle_run(&b, 1);
    manual_clock_advance(&b.clock, 5000);
    bottle_run(&b, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_UNKNOWN);
    CU_ASSERT_EQUAL(see(&b, ALICE, first.order_id).result, NOT_FOUND);
    b.chances[MEMORY_HOLD_CONFIRM] = 0;
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(first.calls, 1);
    CU_ASSERT_EQUAL(see(&b, ALICE, first.order_id).result, OK);
    memory_broker_block(b.broker, true);
    bottle_run(&b, 1);
    place(&b, ALICE, "k", 1, &second);
    CU_ASSERT_EQUAL(second.calls, 1);
    CU_ASSERT_EQUAL(second.verdict, EDGE_ACCEPTED);
    bottle_close(&b);
}

/* The slot of a publish whose fate is open is not free. */
static void a_broker_that_says_nothing_is_sent_no_more(void)
{
    bottle_open(&b);
    bottle_kill(&b);
    b.limits = (struct edge_limits){.inflight_max = 1};
    bottle_start(&b);
    bottle_run(&b, 2);
    b.chances[MEMORY_HOLD_CONFIRM] = 1;
    place(&b, ALICE, "k", 1, &first);
    bottle_run(&b, 1);
    manual_clock_advance(&b.clock, 5000);
    bottle_run(&b, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_UNKNOWN);
    place(&b, ALICE, "k", 1, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    place(&b, ALICE, "l", 1, &third);
    CU_ASSERT_EQUAL(third.verdict, EDGE_REFUSED);
    edge_drain(b.edge);
    CU_ASSERT(edge_drained(b.edge)); /* all have their answer */
    b.chances[MEMORY_HOLD_CONFIRM] = 0;
    bottle_run(&b, 2);
    bottle_close(&b);
}

static void two_at_once_are_one_key(void)
{
    bottle_open(&b);
    b.chances[MEMORY_HOLD_CONFIRM] = 1;
    place(&b, ALICE, "k", 1, &first);
    bottle_run(&b, 1);
    memory_broker_unbind(b.broker, COMMANDS);
    place(&b, ALICE, "k", 1, &second);
    b.chances[MEMORY_HOLD_CONFIRM] = 0;
    bottle_run(&b, 1);
    CU_ASSERT_EQUAL(second.calls, 1);
    CU_ASSERT_NOT_EQUAL(second.verdict, EDGE_REFUSED);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(first.verdict, EDGE_ACCEPTED);
    bottle_close(&b);
}

/* Between BEGIN and COMMIT the read model shows nothing; whoever has been told "unknown" for that is
 * not told otherwise afterwards. */
static void what_cannot_be_seen_is_not_refused(void)
{
    bottle_open(&b);
    b.chances[MEMORY_STAY_DOWN] = 1;
    memory_bus_drop(b.bus);
    bottle_run(&b, 1);
    bottle_placed(&b, edge_order_id(ALICE, "k").text, ALICE, NULL);
    bottle_run_to(&b, EDGE_PHASE_PUMP);
    bottle_run_to(&b, EDGE_PHASE_BEGIN);
    place(&b, ALICE, "l", 1, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    place(&b, ALICE, NULL, 1, &third); /* a key that nobody can have used */
    CU_ASSERT_EQUAL(third.verdict, EDGE_REFUSED);
    bottle_run_to(&b, EDGE_PHASE_EXPIRE);
    place(&b, ALICE, "l", 1, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    place(&b, ALICE, "m", 1, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_REFUSED);
    bottle_close(&b);
}

/* How far the promise goes. */
static void it_is_forgotten_with_age_and_with_the_edge(void)
{
    bottle_open(&b);
    lose_one("k");
    place(&b, ALICE, "k", 1, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    manual_clock_advance(&b.clock, 900000);
    bottle_run(&b, 1);
    place(&b, ALICE, "k", 1, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_REFUSED);
    come_back();
    lose_one("l");
    bottle_kill(&b);
    bottle_start(&b);
    place(&b, ALICE, "l", 1, &second); /* it has no connection yet */
    CU_ASSERT_EQUAL(second.verdict, EDGE_REFUSED);
    bottle_close(&b);
}

static void doubt_is_bounded(void)
{
    struct edge_state state;
    bottle_open(&b);
    bottle_kill(&b);
    b.limits = (struct edge_limits){.accepted_max = 1};
    bottle_start(&b);
    bottle_run(&b, 2);
    lose_one("k");
    come_back();
    place(&b, ALICE, "l", 1, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_REFUSED);
    bottle_placed(&b, first.order_id, ALICE, NULL); /* it was accepted after all */
    bottle_run(&b, 3);
    edge_state(b.edge, &state);
    CU_ASSERT_EQUAL(state.accepted_unread, 0);
    place(&b, ALICE, "l", 1, &second);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(second.verdict, EDGE_ACCEPTED);
    bottle_close(&b);
}

/* Commands about the catalogue have keys as well. */

static void restock(const char *key, int64_t delta, struct outcome *outcome)
{
    struct stock_adjust stock = {.sku = "MUG-1", .delta = delta};
    *outcome = (struct outcome){0};
    edge_adjust_stock(b.edge, &stock, key, outcome_of(outcome));
}

static void list_product(const char *key, int64_t price, struct outcome *outcome)
{
    struct set_product product = {
        .sku = "MUG-1", .name = "Mug", .unit_price = price, .currency = "EUR"};
    *outcome = (struct outcome){0};
    edge_set_product(b.edge, &product, key, outcome_of(outcome));
}

static void commands_of_administrators_likewise(void)
{
    bottle_open(&b);
    restock("known", 1, &third);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(third.verdict, EDGE_ACCEPTED);
    b.chances[MEMORY_HOLD_CONFIRM] = 2;
    restock("k", 1, &first);
    list_product("k", 5, &second);
    bottle_run(&b, 1);
    b.chances[MEMORY_STAY_DOWN] = 1;
    memory_bus_drop(b.bus);
    bottle_run(&b, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_UNKNOWN);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    restock("k", 1, &first);
    list_product("k", 5, &second);
    CU_ASSERT_EQUAL(first.verdict, EDGE_UNKNOWN);
    CU_ASSERT_EQUAL(second.verdict, EDGE_UNKNOWN);
    restock("l", 1, &first);
    CU_ASSERT_EQUAL(first.verdict, EDGE_REFUSED);
    restock(NULL, 1, &first);
    CU_ASSERT_EQUAL(first.verdict, EDGE_REFUSED);
    restock("known", 1, &first);
    CU_ASSERT_EQUAL(first.verdict, EDGE_ACCEPTED);
    bottle_close(&b);
}

static const struct unit_case cases[] = {
    {"what was unknown is not refused", what_was_unknown_is_not_refused},
    {"every way of refusing knows it", every_way_of_refusing_knows_it},
    {"a late confirm is heard", a_late_confirm_is_heard},
    {"a broker that says nothing is sent no more", a_broker_that_says_nothing_is_sent_no_more},
    {"two at once are one key", two_at_once_are_one_key},
    {"what cannot be seen is not refused", what_cannot_be_seen_is_not_refused},
    {"it is forgotten with age and with the edge", it_is_forgotten_with_age_and_with_the_edge},
    {"doubt is bounded", doubt_is_bounded},
    {"commands of administrators likewise", commands_of_administrators_likewise},
};

UNIT_MAIN("edge attempts", cases)
