/* The life of an order: every pair against a second, independent statement of it, and what must hold
 * over any sequence of events. */
#include "order-service/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "tests/unit/unit.h"

/* One line per state, one letter per event (place, unavailable, cancel, deadline, captured,
 * declined, closed, refunded): the state that follows (p laced, k closing for cancel, x closing for expiry,
 * c onfirmed, r ejected, n cancelled unpaid, N cancelled paid, e xpired unpaid, E xpired paid), or
 * . ignore, ? later, a sk again, z come to rest, - refuse, ! contradiction. */
static const char letters[] = "_pkxcrnNeE";
static const char *const grid[STATE_COUNT] = {
    [STATE_NONE] = "pr?.????",
    [STATE_PLACED] = "..kxcrr!",
    [STATE_CLOSING_FOR_CANCEL] = "...aNnn!",
    [STATE_CLOSING_FOR_EXPIRY] = "...aEee!",
    [STATE_CONFIRMED] = "..N..!!!",
    [STATE_REJECTED] = "..-.!..!",
    [STATE_CANCELLED_UNPAID] = "....!..!",
    [STATE_CANCELLED_PAID] = "...a.!!z",
    [STATE_EXPIRED_UNPAID] = "..-.!..!",
    [STATE_EXPIRED_PAID] = "..-a.!!z",
};

static char letter_of(const struct order_step *step)
{
    static const char verdicts[] = {
        [VERDICT_IGNORE] = '.', [VERDICT_LATER] = '?',  [VERDICT_ASK] = 'a',
        [VERDICT_REST] = 'z',   [VERDICT_REFUSE] = '-', [VERDICT_CONTRADICT] = '!'};
    return step->verdict == VERDICT_MOVE ? letters[step->next] : verdicts[step->verdict];
}

static void every_pair_is_decided(void)
{
    for (int state = 0; state < STATE_COUNT; state++)
        for (int event = 0; event < EVENT_COUNT; event++) {
            char is = letter_of(order_step(state, event));
            if (is != grid[state][event]) {
                fprintf(stderr, "%s, %s: is %c, should be %c\n", order_state_name(state),
                        order_event_name(event), is, grid[state][event]);
                CU_FAIL("pair");
            }
        }
}

static void moves_are_complete(void)
{
    for (int state = 0; state < STATE_COUNT; state++)
        for (int event = 0; event < EVENT_COUNT; event++) {
            const struct order_step *step = order_step(state, event);
            bool moves = step->verdict == VERDICT_MOVE;
            CU_ASSERT_EQUAL(step->fact != NULL, moves);
            CU_ASSERT(moves || step->verdict == VERDICT_ASK || step->command == NULL);
            CU_ASSERT(moves || step->stock == STOCK_KEEP);
            CU_ASSERT(step->verdict != VERDICT_REFUSE || step->reason != NULL);
        }
}

/* Whoever has asked for something asks again, for the same, until it is answered: then it has moved on
 * or is at rest, and asks for nothing. */
static void who_asks_asks_again(void)
{
    for (int state = 0; state < STATE_COUNT; state++)
        for (int event = 0; event < EVENT_COUNT; event++) {
            const struct order_step *step = order_step(state, event);
            if (step->verdict != VERDICT_MOVE)
                continue;
            const struct order_step *again = order_step(step->next, EVENT_DEADLINE);
            CU_ASSERT_EQUAL(step->command != NULL, again->verdict == VERDICT_ASK);
            if (!step->command || again->verdict != VERDICT_ASK)
                continue;
            CU_ASSERT_STRING_EQUAL(again->command, step->command);
            CU_ASSERT_STRING_EQUAL(order_asks(step->next), step->command);
            if (strcmp(step->command, PAYMENT_CLOSE) == 0)
                CU_ASSERT_STRING_EQUAL(again->reason, step->reason);
        }
    CU_ASSERT_PTR_NULL(order_asks(STATE_PLACED));
    CU_ASSERT_PTR_NULL(order_asks(STATE_CONFIRMED));
}

static struct order *new_order(void)
{
    struct order_placed *fact = calloc(1, sizeof *fact);
    memcpy(fact->order_id, "0190b0c0-0000-7000-8000-000000000001", UUID_SIZE);
    fact->line_count = 1;
    memcpy(fact->lines[0].sku, "CUP", 4);
    fact->lines[0].quantity = 3;
    fact->total = 300;
    struct order *order = order_from_placed(fact);
    free(fact);
    return order;
}

/* The fold of what the table says arrives where the table says. */
static void fold_agrees_with_table(void)
{
    for (int state = STATE_PLACED; state < STATE_COUNT; state++)
        for (int event = 0; event < EVENT_COUNT; event++) {
            const struct order_step *step = order_step(state, event);
            if (step->verdict != VERDICT_MOVE)
                continue;
            struct order *order = new_order();
            order->state = state;
            const char *reason = step->reason ? step->reason : "whatever";
            CU_ASSERT_EQUAL(order_apply(order, 2, step->fact, reason, NULL), OK);
            CU_ASSERT_EQUAL(order->state, step->next);
            CU_ASSERT_EQUAL(order->version, 2);
            free(order);
        }
}

static void fold_refuses_what_cannot_be(void)
{
    static const struct {
        int64_t version;
        const char *fact, *reason;
    } table[] = {
        {3, ORDER_CONFIRMED, ""}, /* a gap */
        {1, ORDER_CONFIRMED, ""}, /* backwards */
        {2, ORDER_PLACED, ""},     {2, ORDER_CANCELLED, "before-payment"},
        {2, ORDER_EXPIRED, ""},    {2, ORDER_CLOSING, "on-a-whim"},
        {2, PAYMENT_CAPTURED, ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct order *order = new_order();
        CU_ASSERT_EQUAL(order_apply(order, table[i].version, table[i].fact, table[i].reason, NULL),
                        FATAL);
        CU_ASSERT_EQUAL(order->state, STATE_PLACED);
        CU_ASSERT_EQUAL(order->version, 1);
        free(order);
    }
}

/* One order against any sequence of events, with payment's first word kept. */
struct run {
    struct order *order;
    int64_t available, reserved, sold;
    int refunds, closes;
    bool captured; /* heard, as the event of a step that moved */
    bool settled;
};

static void move_stock(struct run *run, enum stock_move move, int64_t quantity)
{
    int64_t *from = move == STOCK_RESERVE  ? &run->available
                    : move == STOCK_RETURN ? &run->sold
                                           : &run->reserved;
    int64_t *to = move == STOCK_RESERVE ? &run->reserved
                  : move == STOCK_SELL  ? &run->sold
                                        : &run->available;
    if (move == STOCK_KEEP)
        return;
    *from -= quantity;
    *to += quantity;
}

static bool is_final(enum order_state state)
{
    return state >= STATE_REJECTED;
}

static void happen(struct run *run, enum order_event event)
{
    enum order_state before = run->order ? run->order->state : STATE_NONE;
    int64_t version = run->order ? run->order->version : 0;
    const struct order_step *step = order_step(before, event);
    if (step->verdict != VERDICT_MOVE)
        return;
    if (is_final(before))
        CU_FAIL("a final state was left");
    if (before == STATE_NONE) {
        run->order = new_order();
        run->order->state = step->next;
    } else if (order_apply(run->order, version + 1, step->fact, step->reason ? step->reason : "",
                           NULL) != OK) {
        CU_FAIL("what the table says does not fold");
    }
    if (run->order->version != version + 1 || run->order->state != step->next)
        CU_FAIL("the version has a gap");
    run->captured |= event == EVENT_CAPTURED;
    if (step->command && strcmp(step->command, PAYMENT_REFUND) == 0) {
        run->refunds++;
        if (!run->captured)
            CU_FAIL("a refund of what was never captured");
    }
    run->closes += step->command && strcmp(step->command, PAYMENT_CLOSE) == 0;
    move_stock(run, step->stock, 3);
}

static void judge(const struct run *run)
{
    enum order_state state = run->order ? run->order->state : STATE_NONE;
    bool sold = state == STATE_CONFIRMED;
    bool held = state >= STATE_PLACED && state <= STATE_CLOSING_FOR_EXPIRY;
    CU_ASSERT_EQUAL(run->sold, sold ? 3 : 0);
    CU_ASSERT_EQUAL(run->reserved, held ? 3 : 0);
    CU_ASSERT_EQUAL(run->available + run->reserved + run->sold, 10);
    CU_ASSERT(run->refunds <= 1);
    CU_ASSERT(run->closes <= 1);
    bool kept = state == STATE_CONFIRMED;
    CU_ASSERT_EQUAL(run->captured, kept || run->refunds == 1);
}

static void any_sequence(void)
{
    unsigned reached = 0;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct manual_clock clock;
        manual_clock_init(&clock, 0, seed);
        struct run run = {.available = 10};
        for (uint64_t left = clock_random64(&clock.clock) % 12; left > 0; left--)
            happen(&run, (enum order_event)(clock_random64(&clock.clock) % EVENT_COUNT));
        judge(&run);
        reached |= 1U << (run.order ? run.order->state : STATE_NONE);
        free(run.order);
    }
    CU_ASSERT_EQUAL(reached, (1U << STATE_COUNT) - 1);
}

static const struct unit_case cases[] = {
    {"every pair is decided", every_pair_is_decided},
    {"moves are complete", moves_are_complete},
    {"who asks asks again", who_asks_asks_again},
    {"fold agrees with the table", fold_agrees_with_table},
    {"fold refuses what cannot be", fold_refuses_what_cannot_be},
    {"any sequence of events", any_sequence},
};
UNIT_MAIN("order", cases)
