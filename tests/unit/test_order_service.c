/* order-service on the real loop: what each message does to an order and to stock. */
#include <string.h>

#include "tests/unit/order_shop.h"
#include "tests/unit/unit.h"

/* A shop with ten cups at 450 each. */
static void open_with_cups(struct shop *shop, const struct order_service_options *options)
{
    shop_open(shop, options);
    shop_list(shop, "CUP", 450, 1);
    shop_adjust(shop, "CUP", 10);
    shop_run(shop, 0);
}

static void assert_stock(struct shop *shop, int64_t available, int64_t reserved, int64_t sold)
{
    CU_ASSERT_EQUAL(shop_number(shop, "SELECT available FROM product WHERE sku = $1", "CUP"),
                    available);
    CU_ASSERT_EQUAL(shop_number(shop, "SELECT reserved FROM product WHERE sku = $1", "CUP"),
                    reserved);
    CU_ASSERT_EQUAL(shop_number(shop, "SELECT sold FROM product WHERE sku = $1", "CUP"), sold);
    struct stock_changed told = {.available = -1};
    CU_ASSERT(shop_last(shop, STOCK_CHANGED, "CUP", &told));
    CU_ASSERT_EQUAL(told.available, available);
    CU_ASSERT_EQUAL(told.reserved, reserved);
    CU_ASSERT_EQUAL(told.sold, sold);
}

static int64_t open_orders(struct shop *shop)
{
    return shop_number(shop, "SELECT count(*) FROM order_open", NULL);
}

static const char *last_refusal(struct shop *shop)
{
    static struct command_refused refused;
    return shop_last(shop, COMMAND_REFUSED, NULL, &refused) ? refused.reason : "none";
}

static void placed_is_priced_and_reserved(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_place(&shop, 1, "CUP", 3, HASH_A);
    int64_t at_ms = shop.clock.wall_ms;
    shop_run(&shop, 0);
    static struct order_placed placed;
    CU_ASSERT(shop_last(&shop, ORDER_PLACED, shop_order_id(1), &placed));
    CU_ASSERT_EQUAL(placed.version, 1);
    CU_ASSERT_EQUAL(placed.total, 1350);
    CU_ASSERT_STRING_EQUAL(placed.currency, "EUR");
    CU_ASSERT_STRING_EQUAL(placed.customer, ALICE);
    CU_ASSERT_STRING_EQUAL(placed.lines[0].name, "A thing");
    CU_ASSERT_STRING_EQUAL(placed.payment.token, "tok_visa");
    CU_ASSERT(placed.deadline_ms >= at_ms + 30000 && placed.deadline_ms < at_ms + 30100);
    assert_stock(&shop, 7, 3, 0);
    CU_ASSERT_EQUAL(open_orders(&shop), 1);
    CU_ASSERT(shop_sequences_hold(&shop));
    shop_close(&shop);
}

static void captured_confirms(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_place(&shop, 1, "CUP", 3, HASH_A);
    shop_run(&shop, 0);
    shop_captured(&shop, 1, 1350);
    shop_captured(&shop, 1, 1350); /* another message, the same news */
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed confirmed");
    struct order_ended confirmed;
    CU_ASSERT(shop_last(&shop, ORDER_CONFIRMED, shop_order_id(1), &confirmed));
    CU_ASSERT_EQUAL(confirmed.total, 1350);
    assert_stock(&shop, 7, 0, 3);
    CU_ASSERT_EQUAL(open_orders(&shop), 0);
    shop_close(&shop);
}

static void declined_rejects(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_place(&shop, 1, "CUP", 3, HASH_A);
    shop_run(&shop, 0);
    shop_declined(&shop, 1);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed rejected");
    static struct order_rejected rejected;
    CU_ASSERT(shop_last(&shop, ORDER_REJECTED, shop_order_id(1), &rejected));
    CU_ASSERT_STRING_EQUAL(rejected.reason, "payment-declined");
    CU_ASSERT_EQUAL(rejected.version, 2);
    CU_ASSERT_EQUAL(rejected.line_count, 1);
    CU_ASSERT_EQUAL(rejected.lines[0].amount, 1350);
    CU_ASSERT_STRING_EQUAL(rejected.request_hash, HASH_A);
    assert_stock(&shop, 10, 0, 0);
    shop_close(&shop);
}

static void what_cannot_be_had_is_rejected(void)
{
    static const struct {
        const char *sku;
        int64_t quantity;
        const char *reason;
    } table[] = {{"CUP", 11, "out-of-stock"}, {"GHOST", 1, "unknown-product"}};
    for (unsigned i = 0; i < 2; i++) {
        struct shop shop;
        open_with_cups(&shop, NULL);
        shop_place(&shop, 1, table[i].sku, table[i].quantity, HASH_A);
        shop_run(&shop, 0);
        static struct order_rejected rejected;
        CU_ASSERT(shop_last(&shop, ORDER_REJECTED, shop_order_id(1), &rejected));
        CU_ASSERT_STRING_EQUAL(rejected.reason, table[i].reason);
        CU_ASSERT_EQUAL(rejected.version, 1);
        CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "rejected");
        shop_cancel(&shop, 1, ALICE);
        shop_run(&shop, 1); /* has to fold it from the store */
        CU_ASSERT_STRING_EQUAL(last_refusal(&shop), "not-cancellable");
        CU_ASSERT_EQUAL(open_orders(&shop), 0);
        assert_stock(&shop, 10, 0, 0);
        shop_close(&shop);
    }
}

static void place_again(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    for (unsigned i = 0; i < 2; i++) { /* in one batch, and through another instance */
        shop_place(&shop, 1, "CUP", 3, HASH_A);
        shop_place(&shop, 1, "CUP", 3, HASH_A);
        shop_run(&shop, i);
    }
    CU_ASSERT_EQUAL(shop_count(&shop, ORDER_PLACED, NULL), 1);
    CU_ASSERT_EQUAL(shop_count(&shop, COMMAND_REFUSED, NULL), 0);
    shop_place(&shop, 1, "CUP", 4, HASH_B);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(last_refusal(&shop), "idempotency-key-reused");
    assert_stock(&shop, 7, 3, 0);
    shop_close(&shop);
}

/* How a cancel ends, by what payment says before and after. */
static void cancel_by_state(void)
{
    static const struct {
        const char *before, *after; /* c captured, d declined, x closed */
        const char *history;
        size_t closes, refunds;
        int64_t available;
    } table[] = {
        {"", "x", "placed closing cancelled", 1, 0, 10},
        {"", "d", "placed closing cancelled", 1, 0, 10},
        {"", "c", "placed closing cancelled", 1, 1, 10},
        {"", "cc", "placed closing cancelled", 1, 1, 10},
        {"c", "", "placed confirmed cancelled", 0, 1, 10},
        {"c", "c", "placed confirmed cancelled", 0, 1, 10},
        {"d", "", "placed rejected", 0, 0, 10},
        {"", "", "placed closing", 1, 0, 7},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct shop shop;
        open_with_cups(&shop, NULL);
        shop_place(&shop, 1, "CUP", 3, HASH_A);
        shop_run(&shop, 0);
        for (size_t half = 0; half < 2; half++) {
            for (const char *word = half ? table[i].after : table[i].before; *word; word++) {
                if (*word == 'c')
                    shop_captured(&shop, 1, 1350);
                else if (*word == 'd')
                    shop_declined(&shop, 1);
                else
                    shop_closed(&shop, 1);
                shop_run(&shop, 0);
            }
            if (half == 0)
                shop_cancel(&shop, 1, ALICE);
            shop_run(&shop, 0);
        }
        CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), table[i].history);
        CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_CLOSE, shop_order_id(1)), table[i].closes);
        CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_REFUND, shop_order_id(1)), table[i].refunds);
        assert_stock(&shop, table[i].available, 10 - table[i].available, 0);
        CU_ASSERT(shop_sequences_hold(&shop));
        shop_close(&shop);
    }
}

static void nobody_cancels_for_another(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_place(&shop, 1, "CUP", 3, HASH_A);
    shop_run(&shop, 0);
    shop_cancel(&shop, 1, MALLORY);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(last_refusal(&shop), "not-found");
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed");
    shop_close(&shop);
}

static void early_news_waits(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_captured(&shop, 1, 1350);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM deferred", NULL), 1);
    shop_place(&shop, 1, "CUP", 3, HASH_A);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed");
    manual_clock_advance(&shop.clock, 3000);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed confirmed");
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM deferred", NULL), 0);
    shop_close(&shop);
}

static void contradictions_go_to_quarantine(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_place(&shop, 1, "CUP", 3, HASH_A);
    shop_place(&shop, 2, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    shop_declined(&shop, 1);
    shop_captured(&shop, 1, 1350); /* payment says both */
    shop_captured(&shop, 2, 449);  /* not what was owed */
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed rejected");
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 2), "placed");
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM quarantine", NULL), 2);
    shop_close(&shop);
}

/* More than one tick can take, and the deadline of each exactly its own. */
static void overdue_orders_close(void)
{
    struct shop shop;
    const struct order_service_options options = {.payment_deadline_ms = 5000};
    shop_open(&shop, &options);
    shop_list(&shop, "CUP", 450, 1);
    shop_adjust(&shop, "CUP", 1000);
    for (unsigned i = 1; i <= 150; i++)
        shop_place(&shop, i, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(open_orders(&shop), 150);
    shop_captured(&shop, 1, 450);
    manual_clock_advance(&shop.clock, 4400);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(open_orders(&shop), 149);
    manual_clock_advance(&shop.clock, 500);
    for (int i = 0; i < 8; i++) {
        manual_clock_advance(&shop.clock, 100);
        shop_run(&shop, 0);
    }
    CU_ASSERT_EQUAL(open_orders(&shop), 149); /* each waits for payment's word */
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_CLOSE, NULL), 149);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 2), "placed closing");
    shop_closed(&shop, 2);
    shop_captured(&shop, 3, 450);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 2), "placed closing expired");
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 3), "placed closing expired");
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_REFUND, shop_order_id(3)), 1);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_REFUND, NULL), 1);
    shop_close(&shop);
}

/* By a year; the deadline is five seconds still, counted from then on. */
static void a_deadline_does_not_wait_for_a_clock_put_back(void)
{
    struct shop shop;
    const struct order_service_options options = {.payment_deadline_ms = 5000};
    open_with_cups(&shop, &options);
    shop_place(&shop, 1, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    shop.clock.wall_ms -= (int64_t)365 * 86400 * 1000;
    shop_run(&shop, 0);
    manual_clock_advance(&shop.clock, 4400);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed");
    manual_clock_advance(&shop.clock, 500);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed closing");
    shop_close(&shop);
}

/* An order whose facts cannot be read is its own misfortune: its messages go to quarantine, its
 * deadline is looked at again later, and the others go on. */
static void an_unreadable_order_holds_nobody_up(void)
{
    static const char *const damages[] = {
        "UPDATE order_event SET data = '{' WHERE order_id = $1",
        "UPDATE order_event SET data = '{}' WHERE order_id = $1",
        "UPDATE order_event SET type = 'order.closing' WHERE order_id = $1",
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        struct shop shop;
        open_with_cups(&shop, NULL);
        shop_place(&shop, 1, "CUP", 1, HASH_A);
        shop_place(&shop, 2, "CUP", 1, HASH_A);
        shop_run(&shop, 0);
        CU_ASSERT_EQUAL(store_begin(shop.store, NULL), OK);
        CU_ASSERT_EQUAL(store_exec(shop.store, damages[i], STORE_ARGS(store_text(shop_order_id(1))),
                                   NULL, NULL),
                        OK);
        CU_ASSERT_EQUAL(store_commit(shop.store, NULL), OK);
        shop_captured(&shop, 1, 450);
        shop_run(&shop, 1); /* has no memory of it */
        CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM quarantine", NULL), 1);
        manual_clock_advance(&shop.clock, 30000);
        shop_run(&shop, 1);
        CU_ASSERT_STRING_EQUAL(shop_history(&shop, 2), "placed closing");
        CU_ASSERT(shop_number(&shop, "SELECT deadline_ms FROM order_open WHERE order_id = $1",
                              shop_order_id(1)) > shop.clock.wall_ms + 500000);
        shop_close(&shop);
    }
}

static void catalogue_revisions(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_list(&shop, "CUP", 500, 3);
    shop_list(&shop, "CUP", 500, 3); /* said again */
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(shop_count(&shop, COMMAND_REFUSED, NULL), 0);
    shop_list(&shop, "CUP", 1, 2); /* overtaken */
    shop_list(&shop, "CUP", 2, 3); /* the same number for something else */
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(shop_count(&shop, COMMAND_REFUSED, NULL), 2);
    CU_ASSERT_STRING_EQUAL(last_refusal(&shop), "stale-revision");
    CU_ASSERT_EQUAL(shop_count(&shop, PRODUCT_LISTED, "CUP"), 2);
    struct product_listed listed;
    CU_ASSERT(shop_last(&shop, PRODUCT_LISTED, "CUP", &listed));
    CU_ASSERT_EQUAL(listed.unit_price, 500);
    CU_ASSERT(shop_sequences_hold(&shop));
    shop_close(&shop);
}

static void stock_never_below_zero(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_place(&shop, 1, "CUP", 4, HASH_A);
    shop_adjust(&shop, "CUP", -7); /* four are spoken for */
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(last_refusal(&shop), "stock-below-zero");
    assert_stock(&shop, 6, 4, 0);
    shop_adjust(&shop, "CUP", -6);
    shop_run(&shop, 0);
    assert_stock(&shop, 0, 4, 0);
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT adjusted FROM product", NULL), 4);
    shop_adjust(&shop, "GHOST", 1);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(last_refusal(&shop), "unknown-product");
    shop_close(&shop);
}

/* What `adjusted` is made of is on record, and what was refused is not in it. */
static void one_key_is_one_delta(void)
{
    static const char by_key[] = "11111111-0000-8000-8000-000000000000";
    struct shop shop;
    open_with_cups(&shop, NULL);
    struct stock_adjust adjust = {.sku = "CUP", .delta = 5};
    memcpy(adjust.request_id, by_key, sizeof by_key);
    shop_send(&shop, STOCK_ADJUST, "CUP", &adjust);
    shop_run(&shop, 0);
    adjust.delta = 6;
    shop_send(&shop, STOCK_ADJUST, "CUP", &adjust);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(last_refusal(&shop), "idempotency-key-reused");
    CU_ASSERT_EQUAL(shop_count(&shop, COMMAND_REFUSED, NULL), 1);
    assert_stock(&shop, 15, 0, 0);
    shop_adjust(&shop, "CUP", 6);
    shop_run(&shop, 0);
    assert_stock(&shop, 21, 0, 0);
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT sum(delta) FROM stock_adjustment", NULL), 21);
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM stock_adjustment", NULL), 3);
    shop_close(&shop);
}

static const struct unit_case cases[] = {
    {"placed: priced and reserved", placed_is_priced_and_reserved},
    {"captured: confirmed, once", captured_confirms},
    {"declined: rejected, with what was asked for", declined_rejects},
    {"what cannot be had is rejected", what_cannot_be_had_is_rejected},
    {"the same order again", place_again},
    {"a cancel, in every state", cancel_by_state},
    {"nobody cancels for another", nobody_cancels_for_another},
    {"news of an unknown order waits", early_news_waits},
    {"contradictions go to quarantine", contradictions_go_to_quarantine},
    {"overdue orders close", overdue_orders_close},
    {"a deadline does not wait for a clock put back",
     a_deadline_does_not_wait_for_a_clock_put_back},
    {"an unreadable order holds nobody up", an_unreadable_order_holds_nobody_up},
    {"catalogue revisions", catalogue_revisions},
    {"stock is never below zero", stock_never_below_zero},
    {"one key is one delta", one_key_is_one_delta},
};
UNIT_MAIN("order_service", cases)
