/* Who has asked payment for something asks again until it hears: with a new message each time, less and
 * less often, whoever of the instances is alive, and no longer than it must. */
#include <string.h>

#include "tests/unit/order_shop.h"
#include "tests/unit/unit.h"

static void open_with_order(struct shop *shop)
{
    shop_open(shop, NULL);
    shop_list(shop, "CUP", 450, 1);
    shop_adjust(shop, "CUP", 1000);
    shop_place(shop, 1, "CUP", 1, HASH_A);
    shop_run(shop, 0);
}

static void open_closing(struct shop *shop)
{
    open_with_order(shop);
    shop_cancel(shop, 1, ALICE);
    shop_run(shop, 0);
    CU_ASSERT_EQUAL(shop_count(shop, PAYMENT_CLOSE, NULL), 1);
}

/* Confirmed, and cancelled after that. */
static void open_refunding(struct shop *shop)
{
    open_with_order(shop);
    shop_captured(shop, 1, 450);
    shop_run(shop, 0);
    shop_cancel(shop, 1, ALICE);
    shop_run(shop, 0);
    CU_ASSERT_EQUAL(shop_count(shop, PAYMENT_REFUND, NULL), 1);
}

static int64_t open_orders(struct shop *shop)
{
    return shop_number(shop, "SELECT count(*) FROM order_open", NULL);
}

static int64_t quarantined(struct shop *shop)
{
    return shop_number(shop, "SELECT count(*) FROM quarantine", NULL);
}

/* A little less, then a little more: shop_run takes 240 ms. */
static void wait_for_ask(struct shop *shop, size_t instance, const char *type, int64_t wait_ms)
{
    size_t before = shop_count(shop, type, NULL);
    manual_clock_advance(&shop->clock, wait_ms - 600);
    shop_run(shop, instance);
    CU_ASSERT_EQUAL(shop_count(shop, type, NULL), before);
    manual_clock_advance(&shop->clock, 400);
    shop_run(shop, instance);
    CU_ASSERT_EQUAL(shop_count(shop, type, NULL), before + 1);
}

static void check_silent(struct shop *shop, const char *type)
{
    size_t before = shop_count(shop, type, NULL);
    for (int i = 0; i < 5; i++) {
        manual_clock_advance(&shop->clock, 60000);
        shop_run(shop, 0);
    }
    CU_ASSERT_EQUAL(shop_count(shop, type, NULL), before);
    CU_ASSERT_EQUAL(open_orders(shop), 0);
}

static void less_and_less_often(struct shop *shop, const char *type)
{
    static const int64_t waits_ms[] = {5000, 10000, 20000, 40000, 60000, 60000};
    for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++)
        wait_for_ask(shop, 0, type, waits_ms[i]);
}

static void closing_asks_again(void)
{
    struct shop shop;
    struct payment_close close;
    open_closing(&shop);
    less_and_less_often(&shop, PAYMENT_CLOSE);
    CU_ASSERT(shop_last(&shop, PAYMENT_CLOSE, shop_order_id(1), &close));
    CU_ASSERT_STRING_EQUAL(close.reason, "cancelled");
    CU_ASSERT_EQUAL(shop_ids(&shop, PAYMENT_CLOSE), 7);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed closing");
    shop_closed(&shop, 1);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed closing cancelled");
    check_silent(&shop, PAYMENT_CLOSE);
    CU_ASSERT(shop_sequences_hold(&shop));
    shop_close(&shop);
}

static void a_refund_is_asked_for_again(void)
{
    struct shop shop;
    struct payment_refund refund;
    open_refunding(&shop);
    less_and_less_often(&shop, PAYMENT_REFUND);
    CU_ASSERT(shop_last(&shop, PAYMENT_REFUND, shop_order_id(1), &refund));
    CU_ASSERT_EQUAL(refund.amount, 450);
    CU_ASSERT_EQUAL(shop_ids(&shop, PAYMENT_REFUND), 7);
    shop_refunded(&shop, 1, 450);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed confirmed cancelled");
    check_silent(&shop, PAYMENT_REFUND);
    shop_refunded(&shop, 1, 450); /* said again, and heard: nothing */
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(quarantined(&shop), 0);
    CU_ASSERT(shop_sequences_hold(&shop));
    shop_close(&shop);
}

/* The deadline of payment, then the close, then the refund: each waits anew. */
static void one_wait_follows_the_other(void)
{
    struct shop shop;
    struct payment_close close;
    open_with_order(&shop);
    manual_clock_advance(&shop.clock, 30000);
    shop_run(&shop, 0);
    wait_for_ask(&shop, 0, PAYMENT_CLOSE, 5000);
    CU_ASSERT(shop_last(&shop, PAYMENT_CLOSE, shop_order_id(1), &close));
    CU_ASSERT_STRING_EQUAL(close.reason, "expired");
    shop_captured(&shop, 1, 450);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed closing expired");
    wait_for_ask(&shop, 0, PAYMENT_REFUND, 5000);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_CLOSE, NULL), 2);
    shop_refunded(&shop, 1, 450);
    shop_run(&shop, 0);
    check_silent(&shop, PAYMENT_REFUND);
    shop_close(&shop);
}

static void every_outcome_ends_it(void)
{
    for (int outcome = 0; outcome < 2; outcome++) {
        struct shop shop;
        open_closing(&shop);
        wait_for_ask(&shop, 0, PAYMENT_CLOSE, 5000);
        if (outcome == 0)
            shop_declined(&shop, 1);
        else
            shop_closed(&shop, 1);
        shop_run(&shop, 0);
        check_silent(&shop, PAYMENT_CLOSE);
        CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_REFUND, NULL), 0);
        shop_close(&shop);
    }
}

static void another_instance_asks(void)
{
    struct shop shop;
    open_closing(&shop);
    shop_kill(&shop, 0);
    wait_for_ask(&shop, 1, PAYMENT_CLOSE, 5000);
    shop_start(&shop, 0);
    wait_for_ask(&shop, 0, PAYMENT_CLOSE, 10000);
    shop_close(&shop);
}

/* By a year: the wait is what it was, from then on. */
static void asks_when_the_clock_was_put_back(void)
{
    struct shop shop;
    open_closing(&shop);
    wait_for_ask(&shop, 0, PAYMENT_CLOSE, 5000);
    shop.clock.wall_ms -= (int64_t)365 * 86400 * 1000;
    shop_run(&shop, 0);
    wait_for_ask(&shop, 0, PAYMENT_CLOSE, 10000);
    wait_for_ask(&shop, 0, PAYMENT_CLOSE, 20000);
    shop_close(&shop);
}

static void a_wrong_refund_ends_nothing(void)
{
    struct shop shop;
    open_refunding(&shop);
    shop_refunded(&shop, 1, 449);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(quarantined(&shop), 1);
    manual_clock_advance(&shop.clock, 5000);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_REFUND, NULL), 2);
    shop_close(&shop);
}

static void a_refund_that_nobody_asked_for(void)
{
    struct shop shop;
    open_with_order(&shop);
    shop_refunded(&shop, 1, 450); /* of what is placed */
    shop_refunded(&shop, 2, 450); /* of what is not known yet */
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(quarantined(&shop), 1);
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM deferred", NULL), 1);
    shop_captured(&shop, 1, 450);
    shop_run(&shop, 0);
    shop_refunded(&shop, 1, 450); /* of what is confirmed */
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(quarantined(&shop), 2);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed confirmed");
    shop_close(&shop);
}

static void write(struct shop *shop, const char *sql)
{
    CU_ASSERT_EQUAL(store_begin(shop->store, NULL), OK);
    CU_ASSERT_EQUAL(store_exec(shop->store, sql, STORE_NO_ARGS, NULL, NULL), OK);
    CU_ASSERT_EQUAL(store_commit(shop->store, NULL), OK);
}

/* One that cannot be read is looked at again much later, and keeps its place; the others go on. */
static void an_unreadable_order_holds_nobody_up(void)
{
    struct shop shop;
    open_closing(&shop);
    shop_place(&shop, 2, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    shop_cancel(&shop, 2, ALICE);
    shop_run(&shop, 0);
    write(&shop, "UPDATE order_event SET data = '{' WHERE version = 1 AND order_id = "
                 "(SELECT min(order_id) FROM order_event)");
    shop_kill(&shop, 0); /* its memory */
    manual_clock_advance(&shop.clock, 6000);
    shop_run(&shop, 1);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_CLOSE, shop_order_id(1)), 1);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_CLOSE, shop_order_id(2)), 2);
    CU_ASSERT_EQUAL(open_orders(&shop), 2);
    shop_close(&shop);
}

/* More than one tick takes, and a deadline of payment among them. */
static void many_wait_at_once(void)
{
    struct shop shop;
    open_with_order(&shop);
    for (unsigned i = 2; i <= 200; i++)
        shop_place(&shop, i, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    for (unsigned i = 2; i <= 200; i++)
        shop_cancel(&shop, i, ALICE);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_CLOSE, NULL), 199);
    manual_clock_advance(&shop.clock, 30000);
    for (int i = 0; i < 4; i++)
        shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed closing");
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_CLOSE, NULL), 199 + 199 + 1);
    shop_close(&shop);
}

static void without_the_switches_it_asks_once(void)
{
    struct shop shop;
    shop_open(&shop, NULL);
    shop.switches.repeat_close = shop.switches.repeat_refund = false;
    for (size_t i = 0; i < SHOP_INSTANCES; i++) {
        shop_kill(&shop, i);
        shop_start(&shop, i);
    }
    shop_list(&shop, "CUP", 450, 1);
    shop_adjust(&shop, "CUP", 10);
    for (unsigned order = 1; order <= 2; order++)
        shop_place(&shop, order, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    shop_captured(&shop, 2, 450);
    shop_run(&shop, 0);
    for (unsigned order = 1; order <= 2; order++)
        shop_cancel(&shop, order, ALICE);
    shop_run(&shop, 0);
    check_silent(&shop, PAYMENT_CLOSE);
    check_silent(&shop, PAYMENT_REFUND);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_CLOSE, NULL), 1);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_REFUND, NULL), 1);
    shop_close(&shop);
}

/* A store from before: who was closing asks, who is owed a refund asks, nobody else. */
static void a_store_from_before_asks_too(void)
{
    static const char rows[] =
        "INSERT INTO order_event (order_id, version, type, fact_id, at_ms, data) VALUES "
        "('closing', 1, 'order.placed', 'a', 1, '{}'), ('closing', 2, 'order.closing', 'b', 1, "
        "'{}'), ('refunding', 1, 'order.placed', 'c', 1, '{}'), ('refunding', 2, "
        "'order.cancelled', 'd', 1, '{\"reason\":\"after-payment\"}'), ('expired', 1, "
        "'order.closing', 'e', 1, '{}'), ('expired', 2, 'order.expired', 'f', 1, "
        "'{\"reason\":\"after-payment\"}'), ('unpaid', 1, 'order.closing', 'g', 1, '{}'), "
        "('unpaid', 2, 'order.cancelled', 'h', 1, '{\"reason\":\"before-payment\"}'), "
        "('confirmed', 1, 'order.confirmed', 'i', 1, '{}'), ('placed', 1, 'order.placed', 'j', 1, "
        "'{}')";
    struct shop shop = {0};
    CU_ASSERT_EQUAL_FATAL(
        store_open_sqlite("memdb:/order-before", STORE_DURABLE, &shop.store, NULL), OK);
    CU_ASSERT_EQUAL(store_migrate(shop.store, "order", order_migrations, 4, NULL), OK);
    write(&shop, rows);
    write(&shop,
          "INSERT INTO order_open (order_id, deadline_ms, since_ms) VALUES ('placed', 7, 1)");
    CU_ASSERT_EQUAL(
        store_migrate(shop.store, "order", order_migrations, order_migration_count, NULL), OK);
    CU_ASSERT_EQUAL(open_orders(&shop), 4);
    CU_ASSERT_EQUAL(shop_number(&shop,
                                "SELECT count(*) FROM order_open WHERE order_id IN "
                                "('closing', 'refunding', 'expired', 'placed')",
                                NULL),
                    4);
    CU_ASSERT_EQUAL(
        shop_number(&shop, "SELECT deadline_ms FROM order_open WHERE order_id = $1", "placed"), 7);
    CU_ASSERT_EQUAL(shop_number(&shop,
                                "SELECT deadline_ms > 1700000000000 AND deadline_ms = "
                                "(SELECT min(deadline_ms) FROM order_open WHERE order_id <> "
                                "'placed') FROM order_open WHERE order_id = $1",
                                "closing"),
                    1);
    store_free(shop.store);
}

static const struct unit_case cases[] = {
    {"closing asks again", closing_asks_again},
    {"a refund is asked for again", a_refund_is_asked_for_again},
    {"one wait follows the other", one_wait_follows_the_other},
    {"every outcome ends it", every_outcome_ends_it},
    {"another instance asks", another_instance_asks},
    {"asks when the clock was put back", asks_when_the_clock_was_put_back},
    {"a wrong refund ends nothing", a_wrong_refund_ends_nothing},
    {"a refund that nobody asked for", a_refund_that_nobody_asked_for},
    {"an unreadable order holds nobody up", an_unreadable_order_holds_nobody_up},
    {"many wait at once", many_wait_at_once},
    {"without the switches it asks once", without_the_switches_it_asks_once},
    {"a store from before asks too", a_store_from_before_asks_too},
};
UNIT_MAIN("order again", cases)
