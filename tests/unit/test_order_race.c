/* Two instances with memories of their own, batches undone, processes killed: what is in the store
 * decides. */
#include <string.h>

#include "tests/unit/order_shop.h"
#include "tests/unit/unit.h"

static void open_with_cups(struct shop *shop, const struct order_service_options *options)
{
    shop_open(shop, options);
    shop_list(shop, "CUP", 100, 1);
    shop_list(shop, "POT", 100, 1);
    shop_adjust(shop, "CUP", 500);
    shop_adjust(shop, "POT", 500);
    shop_run(shop, 0);
}

static int64_t stock_of(struct shop *shop, const char *sku)
{
    return shop_number(shop, "SELECT available FROM product WHERE sku = $1", sku);
}

/* The first remembers `placed`; the second confirms; the first is asked to cancel. */
static void cancel_on_a_stale_memory(struct shop *shop)
{
    open_with_cups(shop, NULL);
    shop_place(shop, 1, "CUP", 3, HASH_A);
    shop_run(shop, 0);
    shop_captured(shop, 1, 300);
    shop_run(shop, 1);
    shop_place(shop, 2, "CUP", 1, HASH_A); /* innocent neighbours in the same batch */
    shop_cancel(shop, 1, ALICE);
    shop_place(shop, 3, "POT", 1, HASH_A);
    shop_run(shop, 0);
}

static void stale_memory_is_caught(void)
{
    struct shop shop;
    cancel_on_a_stale_memory(&shop);
    struct service_state state;
    service_state(shop.instances[0].service, &state);
    CU_ASSERT_EQUAL(state.conflicts, 1);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed confirmed cancelled");
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_REFUND, shop_order_id(1)), 1);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_CLOSE, NULL), 0);
    CU_ASSERT_EQUAL(shop_count(&shop, ORDER_PLACED, NULL), 3);
    CU_ASSERT_EQUAL(stock_of(&shop, "CUP"), 499);
    CU_ASSERT_EQUAL(stock_of(&shop, "POT"), 499);
    CU_ASSERT(shop_sequences_hold(&shop));
    shop_close(&shop);
}

/* What the switch is there to show. */
static void without_the_check_history_is_overwritten(void)
{
    struct shop shop;
    shop_open(&shop, NULL);
    shop_kill(&shop, 0);
    shop.switches.version_check = false;
    shop_start(&shop, 0);
    shop_list(&shop, "CUP", 100, 1);
    shop_adjust(&shop, "CUP", 500);
    shop_place(&shop, 1, "CUP", 3, HASH_A);
    shop_run(&shop, 0);
    shop_captured(&shop, 1, 300);
    shop_run(&shop, 1);
    shop_cancel(&shop, 1, ALICE);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed closing");
    CU_ASSERT_FALSE(shop_sequences_hold(&shop));
    shop_close(&shop);
}

/* Both were told to close; each message goes to another instance. */
static void closing_elsewhere(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_place(&shop, 1, "CUP", 3, HASH_A);
    shop_run(&shop, 0);
    shop_cancel(&shop, 1, ALICE);
    shop_run(&shop, 1);
    shop_closed(&shop, 1);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed closing cancelled");
    shop_cancel(&shop, 1, ALICE);
    shop_run(&shop, 1);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_CLOSE, NULL), 1);
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_REFUND, NULL), 0);
    CU_ASSERT_EQUAL(stock_of(&shop, "CUP"), 500);
    shop_close(&shop);
}

/* What is decided without writing is decided on what the store says: the first still remembers
 * `closing`, where a cancel needs no answer. */
static void no_answer_from_a_stale_memory(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_place(&shop, 1, "CUP", 3, HASH_A);
    shop_run(&shop, 0);
    manual_clock_advance(&shop.clock, 30000);
    shop_run(&shop, 0);
    shop_closed(&shop, 1);
    shop_run(&shop, 1);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed closing expired");
    shop_cancel(&shop, 1, ALICE);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(shop_count(&shop, COMMAND_REFUSED, NULL), 1);
    shop_close(&shop);
}

/* One order in memory at most: everything is folded from the store again and again. */
static void a_tiny_cache_changes_nothing(void)
{
    struct shop shop;
    const struct order_service_options options = {.cache_max = 1};
    open_with_cups(&shop, &options);
    for (unsigned i = 1; i <= 40; i++)
        shop_place(&shop, i, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    for (unsigned i = 1; i <= 40; i++)
        shop_captured(&shop, i, 100);
    shop_run(&shop, 0);
    for (unsigned i = 1; i <= 40; i++)
        shop_cancel(&shop, i, ALICE);
    shop_run(&shop, 0);
    for (unsigned i = 1; i <= 40; i++)
        CU_ASSERT_STRING_EQUAL(shop_history(&shop, i), "placed confirmed cancelled");
    CU_ASSERT_EQUAL(shop_count(&shop, PAYMENT_REFUND, NULL), 40);
    CU_ASSERT_EQUAL(stock_of(&shop, "CUP"), 500);
    shop_close(&shop);
}

static void one_stock_fact_per_batch(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    size_t before = shop_count(&shop, STOCK_CHANGED, "CUP");
    for (unsigned i = 1; i <= 100; i++)
        shop_place(&shop, i, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(shop_count(&shop, ORDER_PLACED, NULL), 100);
    CU_ASSERT_EQUAL(shop_count(&shop, STOCK_CHANGED, "CUP"), before + 1);
    struct stock_changed told;
    CU_ASSERT(shop_last(&shop, STOCK_CHANGED, "CUP", &told));
    CU_ASSERT_EQUAL(told.reserved, 100);
    CU_ASSERT(shop_sequences_hold(&shop));
    shop_close(&shop);
}

static void run_for_20_ms(struct shop *shop, size_t instance)
{
    for (int i = 0; i < 10; i++) {
        service_round(shop->instances[instance].service);
        manual_clock_advance(&shop->clock, 2);
    }
}

/* What moves again too soon is told later, with all that has moved since; another instance sees to
 * it when the first has died. */
static void stock_is_told_now_and_then(void)
{
    struct shop shop;
    struct stock_changed told;
    open_with_cups(&shop, NULL);
    manual_clock_advance(&shop.clock, 1000);
    size_t before = shop_count(&shop, STOCK_CHANGED, "CUP");
    for (unsigned i = 1; i <= 3; i++) {
        shop_place(&shop, i, "CUP", 1, HASH_A);
        run_for_20_ms(&shop, 0);
    }
    CU_ASSERT_EQUAL(shop_count(&shop, ORDER_PLACED, NULL), 3);
    CU_ASSERT_EQUAL(shop_count(&shop, STOCK_CHANGED, "CUP"), before + 1);
    shop_kill(&shop, 0);
    shop_run(&shop, 1);
    CU_ASSERT_EQUAL(shop_count(&shop, STOCK_CHANGED, "CUP"), before + 2);
    CU_ASSERT(shop_last(&shop, STOCK_CHANGED, "CUP", &told));
    CU_ASSERT_EQUAL(told.reserved, 3);
    shop_run(&shop, 1);
    CU_ASSERT_EQUAL(shop_count(&shop, STOCK_CHANGED, "CUP"), before + 2);
    CU_ASSERT(shop_sequences_hold(&shop));
    shop_start(&shop, 0);
    shop_close(&shop);
}

/* A new listing does not swallow what is still to be told, and is told at once itself. */
static void a_listing_keeps_what_is_untold(void)
{
    struct shop shop;
    struct stock_changed told;
    open_with_cups(&shop, NULL);
    manual_clock_advance(&shop.clock, 1000);
    shop_place(&shop, 1, "CUP", 1, HASH_A);
    run_for_20_ms(&shop, 0);
    shop_place(&shop, 2, "CUP", 1, HASH_A);
    run_for_20_ms(&shop, 0);
    size_t listings = shop_count(&shop, PRODUCT_LISTED, "CUP");
    shop_list(&shop, "CUP", 500, 9);
    run_for_20_ms(&shop, 0);
    CU_ASSERT_EQUAL(shop_count(&shop, PRODUCT_LISTED, "CUP"), listings + 1);
    shop_run(&shop, 0);
    CU_ASSERT(shop_last(&shop, STOCK_CHANGED, "CUP", &told));
    CU_ASSERT_EQUAL(told.reserved, 2);
    CU_ASSERT(shop_sequences_hold(&shop));
    shop_close(&shop);
}

/* A wall clock that is set back makes nobody wait for it. */
static void a_clock_set_back_holds_nothing_up(void)
{
    struct shop shop;
    struct stock_changed told;
    open_with_cups(&shop, NULL);
    shop_place(&shop, 1, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    shop.clock.wall_ms -= 3600000;
    shop_place(&shop, 2, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    CU_ASSERT(shop_last(&shop, STOCK_CHANGED, "CUP", &told));
    CU_ASSERT_EQUAL(told.reserved, 2);
    shop_close(&shop);
}

/* Killed after the work and before the commit, then again after the commit and before the
 * acknowledgement: once is done what was asked once. */
static void killed_around_the_commit(void)
{
    for (enum phase phase = PHASE_WORK; phase <= PHASE_COMMIT; phase++) {
        struct shop shop;
        open_with_cups(&shop, NULL);
        for (unsigned i = 1; i <= 10; i++)
            shop_place(&shop, i, "CUP", 1, HASH_A);
        shop_run_to(&shop, 0, phase);
        shop_kill(&shop, 0);
        CU_ASSERT_EQUAL(stock_of(&shop, "CUP"), phase == PHASE_WORK ? 500 : 490);
        shop_start(&shop, 0);
        shop_run(&shop, 0); /* what comes back runs alone, in two rounds each */
        shop_run(&shop, 0);
        CU_ASSERT_EQUAL(shop_count(&shop, ORDER_PLACED, NULL), 10);
        CU_ASSERT_EQUAL(stock_of(&shop, "CUP"), 490);
        CU_ASSERT(shop_sequences_hold(&shop));
        shop_close(&shop);
    }
}

/* An undone batch must leave nothing in memory: the order would be taken for a repeat. */
static void an_undone_batch_is_forgotten(void)
{
    struct shop shop;
    open_with_cups(&shop, NULL);
    shop_place(&shop, 1, "CUP", 1, HASH_A);
    shop_run_to(&shop, 0, PHASE_WORK);
    store_rollback(shop.instances[0].store); /* the commit will fail */
    shop_run(&shop, 0);
    manual_clock_advance(&shop.clock, 1000);
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed");
    CU_ASSERT_EQUAL(shop_count(&shop, ORDER_PLACED, NULL), 1);
    CU_ASSERT_EQUAL(stock_of(&shop, "CUP"), 499);
    shop_close(&shop);
}

/* Any mixture, on two instances: stock is conserved, and is what the orders say it is. */

static void random_message(struct shop *shop)
{
    uint64_t dice = clock_random64(&shop->clock.clock);
    unsigned order = 1 + (unsigned)(dice >> 8) % 12;
    const char *sku = order % 2 ? "CUP" : "POT";
    int64_t quantity = 1 + order % 7; /* by the order: a repeat asks for the same */
    switch (dice % 10) {
    case 0:
    case 1:
    case 2:
    case 3:
        shop_place(shop, order, sku, quantity, HASH_A);
        break;
    case 4:
        shop_cancel(shop, order, ALICE);
        break;
    case 5:
        shop_captured(shop, order, 100 * quantity);
        break;
    case 6:
        shop_declined(shop, order);
        break;
    case 7:
        shop_closed(shop, order);
        break;
    case 8:
        shop_adjust(shop, sku, (dice >> 32) % 3 ? 7 : -7);
        break;
    default:
        shop_adjust(shop, sku, -11);
    }
}

#define SUM_IN_STATE(condition)                                                                    \
    "SELECT coalesce(sum(json_extract(v1.data, '$.lines[0].quantity')), 0) FROM order_event v1 "   \
    "JOIN order_event last ON last.order_id = v1.order_id AND last.version = "                     \
    "(SELECT max(version) FROM order_event e WHERE e.order_id = v1.order_id) "                     \
    "WHERE v1.version = 1 AND json_extract(v1.data, '$.lines[0].sku') = $1 AND "                   \
    "last.type " condition

static void judge_stock(struct shop *shop, const char *sku)
{
    CU_ASSERT_EQUAL(shop_number(shop,
                                "SELECT adjusted - available - reserved - sold FROM product "
                                "WHERE sku = $1",
                                sku),
                    0);
    CU_ASSERT_EQUAL(shop_number(shop, "SELECT reserved FROM product WHERE sku = $1", sku),
                    shop_number(shop, SUM_IN_STATE("IN ('order.placed', 'order.closing')"), sku));
    CU_ASSERT_EQUAL(shop_number(shop, "SELECT sold FROM product WHERE sku = $1", sku),
                    shop_number(shop, SUM_IN_STATE("= 'order.confirmed'"), sku));
}

static void stock_is_conserved(void)
{
    int64_t confirmed = 0, cancelled = 0, expired = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct shop shop;
        const struct order_service_options options = {.payment_deadline_ms = 300, .cache_max = 8};
        open_with_cups(&shop, &options);
        shop.clock.state = seed;
        for (int round = 0; round < 12; round++) {
            for (uint64_t n = clock_random64(&shop.clock.clock) % 25; n > 0; n--)
                random_message(&shop);
            size_t instance = (size_t)(clock_random64(&shop.clock.clock) % 2);
            if (clock_random64(&shop.clock.clock) % 8 == 0) {
                for (uint64_t n = clock_random64(&shop.clock.clock) % 30; n > 0; n--)
                    service_step(shop.instances[instance].service);
                shop_kill(&shop, instance);
                shop_start(&shop, instance);
            }
            shop_run(&shop, instance);
            judge_stock(&shop, "CUP");
            judge_stock(&shop, "POT");
        }
        CU_ASSERT_EQUAL(shop_number(&shop,
                                    "SELECT count(*) FROM (SELECT 1 FROM order_event GROUP BY "
                                    "order_id HAVING max(version) <> count(*))",
                                    NULL),
                        0);
        confirmed += (int64_t)shop_count(&shop, ORDER_CONFIRMED, NULL);
        cancelled += (int64_t)shop_count(&shop, ORDER_CANCELLED, NULL);
        expired += (int64_t)shop_count(&shop, ORDER_EXPIRED, NULL);
        shop_close(&shop);
    }
    CU_ASSERT(confirmed > 50 && cancelled > 50 && expired > 0);
}

static const struct unit_case cases[] = {
    {"a stale memory is caught", stale_memory_is_caught},
    {"without the check history is overwritten", without_the_check_history_is_overwritten},
    {"closing elsewhere", closing_elsewhere},
    {"no answer from a stale memory", no_answer_from_a_stale_memory},
    {"a tiny cache changes nothing", a_tiny_cache_changes_nothing},
    {"one stock.changed per batch", one_stock_fact_per_batch},
    {"stock is told now and then", stock_is_told_now_and_then},
    {"a listing keeps what is untold", a_listing_keeps_what_is_untold},
    {"a clock set back holds nothing up", a_clock_set_back_holds_nothing_up},
    {"killed around the commit", killed_around_the_commit},
    {"an undone batch is forgotten", an_undone_batch_is_forgotten},
    {"stock is conserved", stock_is_conserved},
};
UNIT_MAIN("order_race", cases)
