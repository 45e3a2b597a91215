/* Commands of the edge: their fates become replies, keys are recognised, tables are bounded. */
#include <stdlib.h>
#include <string.h>

#include "edge-service/place_request.h"
#include "tests/unit/edge_bottle.h"
#include "tests/unit/unit.h"

static struct bottle b;
static struct outcome first, second, third;

static void test_confirmed_is_accepted(void)
{
    bottle_open(&b);
    place(&b, ALICE, "k", 1, &first);
    CU_ASSERT_EQUAL(first.calls, 0); /* not before the broker says so */
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(first.calls, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_ACCEPTED);
    CU_ASSERT_STRING_EQUAL(first.key, "k");
    CU_ASSERT_STRING_EQUAL(first.order_id, edge_order_id(ALICE, "k").text);
    CU_ASSERT_EQUAL(memory_broker_depth(b.broker, COMMANDS), 1);
    bottle_close(&b);
}

static void test_returned_is_refused(void)
{
    bottle_open(&b);
    memory_broker_unbind(b.broker, COMMANDS);
    place(&b, ALICE, "k", 1, &first);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(first.calls, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_REFUSED);
    CU_ASSERT_EQUAL(see(&b, ALICE, first.order_id).result, NOT_FOUND);
    bottle_close(&b);
}

static void test_nacked_is_refused(void)
{
    bottle_open(&b);
    b.chances[MEMORY_NACK] = 1;
    place(&b, ALICE, "k", 1, &first);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(first.verdict, EDGE_REFUSED);
    b.chances[MEMORY_NACK] = 0;
    place(&b, ALICE, "k", 1, &first); /* the key is as free as it was */
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(first.verdict, EDGE_ACCEPTED);
    bottle_close(&b);
}

static void test_lost_is_unknown(void)
{
    bottle_open(&b);
    b.chances[MEMORY_HOLD_CONFIRM] = 1;
    place(&b, ALICE, "k", 1, &first);
    bottle_run(&b, 1);
    memory_bus_drop(b.bus);
    bottle_run(&b, 1);
    CU_ASSERT_EQUAL(first.calls, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_UNKNOWN);
    CU_ASSERT_STRING_EQUAL(first.order_id, edge_order_id(ALICE, "k").text);
    CU_ASSERT_STRING_EQUAL(first.key, "k");
    CU_ASSERT_EQUAL(see(&b, ALICE, first.order_id).result, NOT_FOUND);
    bottle_close(&b);
}

static void test_late_is_unknown_once(void)
{
    struct edge_state state;
    bottle_open(&b);
    b.chances[MEMORY_HOLD_CONFIRM] = 1;
    place(&b, ALICE, "k", 1, &first);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(first.calls, 0);
    manual_clock_advance(&b.clock, 5000);
    bottle_run(&b, 1);
    CU_ASSERT_EQUAL(first.calls, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_UNKNOWN);
    b.chances[MEMORY_HOLD_CONFIRM] = 0;
    bottle_run(&b, 2); /* the fate comes after all, and meets nobody */
    CU_ASSERT_EQUAL(first.calls, 1);
    edge_state(b.edge, &state);
    CU_ASSERT_EQUAL(state.inflight, 0);
    CU_ASSERT_EQUAL(state.confirmed, 1);
    bottle_close(&b);
}

static void test_down_and_blocked_are_refused_at_once(void)
{
    bottle_open(&b);
    memory_broker_block(b.broker, true);
    bottle_run(&b, 1);
    place(&b, ALICE, "k", 1, &first);
    CU_ASSERT_EQUAL(first.calls, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_REFUSED);
    memory_broker_block(b.broker, false);
    b.chances[MEMORY_STAY_DOWN] = 1;
    memory_bus_drop(b.bus);
    bottle_run(&b, 2);
    place(&b, ALICE, "k", 1, &first);
    CU_ASSERT_EQUAL(first.calls, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_REFUSED);
    bottle_close(&b);
}

/* The log's bus cannot come up again: commands are taken, what was read is shown, and it says so. */
static void test_a_dead_log_does_not_touch_commands(void)
{
    struct edge_state state;
    bottle_open(&b);
    place(&b, ALICE, "before", 1, &first);
    bottle_run(&b, 2);
    bottle_placed(&b, first.order_id, ALICE, NULL);
    bottle_run(&b, 3);
    b.chances[MEMORY_STAY_DOWN] = 1;
    memory_bus_drop(b.log_bus);
    bottle_run(&b, 3);
    edge_state(b.edge, &state);
    CU_ASSERT_TRUE(state.bus_up);
    CU_ASSERT_FALSE(state.log_up);
    CU_ASSERT_EQUAL(strncmp(state.reason, "log: ", 5), 0);
    CU_ASSERT_EQUAL(see(&b, ALICE, first.order_id).order.version, 1);
    place(&b, ALICE, "k", 1, &first);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(first.verdict, EDGE_ACCEPTED);
    b.chances[MEMORY_STAY_DOWN] = 0;
    bottle_run(&b, 3);
    edge_state(b.edge, &state);
    CU_ASSERT_TRUE(state.log_up);
    CU_ASSERT_STRING_EQUAL(state.reason, "");
    bottle_close(&b);
}

static void test_no_room_waits_its_turn(void)
{
    bottle_open(&b);
    b.chances[MEMORY_NO_ROOM] = 1;
    place(&b, ALICE, "a", 1, &first);
    place(&b, ALICE, "b", 1, &second);
    bottle_run(&b, 1);
    CU_ASSERT_EQUAL(first.calls + second.calls, 0);
    b.chances[MEMORY_NO_ROOM] = 0;
    bottle_run(&b, 3);
    CU_ASSERT_EQUAL(first.verdict, EDGE_ACCEPTED);
    CU_ASSERT_EQUAL(second.verdict, EDGE_ACCEPTED);
    b.chances[MEMORY_NO_ROOM] = 1;
    place(&b, ALICE, "c", 1, &third);
    manual_clock_advance(&b.clock, 5000);
    bottle_run(&b, 1); /* never sent: refused, not unknown */
    CU_ASSERT_EQUAL(third.calls, 1);
    CU_ASSERT_EQUAL(third.verdict, EDGE_REFUSED);
    bottle_close(&b);
}

static void test_same_key_same_order(void)
{
    bottle_open(&b);
    place(&b, ALICE, "k", 1, &first);
    place(&b, ALICE, "k", 1, &second); /* in flight */
    bottle_run(&b, 2);
    place(&b, ALICE, "k", 1, &third); /* accepted */
    CU_ASSERT_EQUAL(third.calls, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_ACCEPTED);
    CU_ASSERT_EQUAL(second.verdict, EDGE_ACCEPTED);
    CU_ASSERT_EQUAL(third.verdict, EDGE_ACCEPTED);
    CU_ASSERT_STRING_EQUAL(first.order_id, second.order_id);
    CU_ASSERT_STRING_EQUAL(first.order_id, third.order_id);
    place(&b, BOB, "k", 1, &third); /* another's key is another key */
    bottle_run(&b, 2);
    CU_ASSERT_STRING_NOT_EQUAL(first.order_id, third.order_id);
    bottle_close(&b);
}

static void test_key_with_another_body(void)
{
    bottle_open(&b);
    place(&b, ALICE, "k", 1, &first);
    place(&b, ALICE, "k", 2, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_KEY_REUSED); /* while in flight */
    bottle_run(&b, 2);
    place(&b, ALICE, "k", 2, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_KEY_REUSED); /* while accepted */
    CU_ASSERT_EQUAL(memory_broker_depth(b.broker, COMMANDS), 1);
    bottle_close(&b);
}

/* Of what another edge has taken, the read model tells. */
static void test_key_seen_in_the_read_model(void)
{
    struct place_request request = place_of("MUG", 1);
    struct id order_id = edge_order_id(ALICE, "k");
    char hash[HASH_SIZE];
    bottle_open(&b);
    place_request_hash(&request, hash);
    bottle_placed(&b, order_id.text, ALICE, hash);
    bottle_run(&b, 3);
    place(&b, ALICE, "k", 2, &first);
    CU_ASSERT_EQUAL(first.calls, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_KEY_REUSED);
    place(&b, ALICE, "k", 1, &second);
    CU_ASSERT_EQUAL(second.calls, 1);
    CU_ASSERT_EQUAL(second.verdict, EDGE_ACCEPTED);
    CU_ASSERT_EQUAL(memory_broker_depth(b.broker, COMMANDS), 0);
    bottle_close(&b);
}

static void test_hash_ignores_the_lines_order(void)
{
    struct place_request one = {
        .line_count = 2, .lines = {{"B", 2}, {"A", 1}}, .payment = {"tok_visa"}};
    struct place_request two = {
        .line_count = 2, .lines = {{"A", 1}, {"B", 2}}, .payment = {"tok_visa"}};
    char a[HASH_SIZE];
    char c[HASH_SIZE];
    place_request_hash(&one, a);
    place_request_hash(&two, c);
    CU_ASSERT_STRING_EQUAL(a, c);
    /* printf 'A=1\nB=2\npayment=tok_visa\n' | sha256sum */
    CU_ASSERT_STRING_EQUAL(a, "6865e8f337e104ab6df3bf8d200717b2a9b48a5c1e88921530706c77f73a84c7");
    two.lines[0].quantity = 3;
    place_request_hash(&two, c);
    CU_ASSERT_STRING_NOT_EQUAL(a, c);
}

static void test_no_key_makes_one(void)
{
    bottle_open(&b);
    place(&b, ALICE, NULL, 1, &first);
    place(&b, ALICE, NULL, 1, &second);
    bottle_run(&b, 2);
    CU_ASSERT_STRING_NOT_EQUAL(first.key, second.key);
    CU_ASSERT_STRING_EQUAL(first.order_id, edge_order_id(ALICE, first.key).text);
    bottle_close(&b);
}

static void test_tables_are_bounded(void)
{
    bottle_open(&b);
    bottle_kill(&b);
    b.limits = (struct edge_limits){.inflight_max = 1, .accepted_max = 2, .waiters_max = 1};
    bottle_start(&b);
    bottle_run(&b, 2);
    place(&b, ALICE, "a", 1, &first);
    place(&b, ALICE, "b", 1, &second); /* no slot */
    CU_ASSERT_EQUAL(second.verdict, EDGE_REFUSED);
    bottle_run(&b, 2);
    place(&b, ALICE, "b", 1, &second);
    bottle_run(&b, 2);
    place(&b, ALICE, "c", 1, &third); /* two accepted and not read back are all there may be */
    CU_ASSERT_EQUAL(third.calls, 1);
    CU_ASSERT_EQUAL(third.verdict, EDGE_REFUSED);
    bottle_placed(&b, first.order_id, ALICE, NULL);
    bottle_run(&b, 3);
    place(&b, ALICE, "c", 1, &third);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(third.verdict, EDGE_ACCEPTED);
    bottle_close(&b);
}

static void test_accepted_is_forgotten_with_age(void)
{
    struct edge_state state;
    bottle_open(&b);
    place(&b, ALICE, "a", 1, &first);
    bottle_run(&b, 2);
    edge_state(b.edge, &state);
    CU_ASSERT_EQUAL(state.accepted_unread, 1);
    manual_clock_advance(&b.clock, 900000);
    bottle_run(&b, 1);
    edge_state(b.edge, &state);
    CU_ASSERT_EQUAL(state.accepted_unread, 0);
    bottle_close(&b);
}

static void test_cancel(void)
{
    struct order_ended ended = {
        .version = 3, .reason = "cancelled", .currency = "EUR", .total = 1400};
    bottle_open(&b);
    cancel(&b, ALICE, edge_order_id(ALICE, "k").text, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_NO_ORDER);
    place(&b, ALICE, "k", 1, &first);
    bottle_run(&b, 2);
    cancel(&b, BOB, first.order_id, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_NO_ORDER);
    cancel(&b, ALICE, first.order_id, &second); /* accepted, not read back yet */
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(second.verdict, EDGE_ACCEPTED);
    bottle_placed(&b, first.order_id, ALICE, NULL);
    bottle_confirmed(&b, first.order_id, ALICE, 2);
    bottle_run(&b, 3);
    cancel(&b, ALICE, first.order_id, &second);
    bottle_run(&b, 2);
    CU_ASSERT_EQUAL(second.verdict, EDGE_ACCEPTED);
    memcpy(ended.order_id, first.order_id, UUID_SIZE);
    memcpy(ended.customer, ALICE, UUID_SIZE);
    bottle_fact(&b, "/order-service", ORDER_CANCELLED, first.order_id, 3, &order_cancelled_type,
                &ended);
    bottle_run(&b, 3);
    cancel(&b, ALICE, first.order_id, &second);
    CU_ASSERT_EQUAL(second.calls, 1);
    CU_ASSERT_EQUAL(second.verdict, EDGE_FORBIDDEN);
    bottle_close(&b);
}

static void test_drain_and_abandon(void)
{
    bottle_open(&b);
    b.chances[MEMORY_HOLD_CONFIRM] = 1;
    place(&b, ALICE, "k", 1, &first);
    edge_drain(b.edge);
    place(&b, ALICE, "l", 1, &second);
    CU_ASSERT_EQUAL(second.verdict, EDGE_REFUSED);
    bottle_run(&b, 2);
    CU_ASSERT_FALSE(edge_drained(b.edge));
    edge_abandon(b.edge);
    CU_ASSERT_EQUAL(first.calls, 1);
    CU_ASSERT_EQUAL(first.verdict, EDGE_UNKNOWN);
    CU_ASSERT_TRUE(edge_drained(b.edge));
    bottle_close(&b);
}

static const struct unit_case cases[] = {
    {"confirmed is accepted", test_confirmed_is_accepted},
    {"returned is refused", test_returned_is_refused},
    {"a dead log does not touch commands", test_a_dead_log_does_not_touch_commands},
    {"nacked is refused, and the key stays free", test_nacked_is_refused},
    {"lost with the connection is unknown", test_lost_is_unknown},
    {"late is unknown, once", test_late_is_unknown_once},
    {"down and blocked are refused at once", test_down_and_blocked_are_refused_at_once},
    {"no room on the wire waits its turn", test_no_room_waits_its_turn},
    {"the same key gives the same order", test_same_key_same_order},
    {"another body under the key is told", test_key_with_another_body},
    {"the read model tells of keys used elsewhere", test_key_seen_in_the_read_model},
    {"the hash ignores the order of lines", test_hash_ignores_the_lines_order},
    {"without a key one is made", test_no_key_makes_one},
    {"tables are bounded", test_tables_are_bounded},
    {"an accepted order is forgotten with age", test_accepted_is_forgotten_with_age},
    {"cancel", test_cancel},
    {"drain and abandon", test_drain_and_abandon},
};

UNIT_MAIN("edge commands", cases)
