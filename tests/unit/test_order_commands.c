/* What order-service says of commands: done or refused, each once, counted and logged; and how it
 * numbers what the catalogue says. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/telemetry/log.h"
#include "tests/unit/order_shop.h"
#include "tests/unit/unit.h"

#define DAY_MS INT64_C(86400000)
#define KEY_1 "11111111-0000-8000-8000-000000000000"

static struct shop shop;

static void open_with_cups(const struct order_service_options *options)
{
    shop_open(&shop, options);
    shop_list(&shop, "CUP", 450, 1);
    shop_adjust(&shop, "CUP", 10);
    shop_run(&shop, 0);
}

static int64_t revision(void)
{
    return shop_number(&shop, "SELECT revision FROM product WHERE sku = $1", "CUP");
}

static int64_t price(void)
{
    return shop_number(&shop, "SELECT unit_price FROM product WHERE sku = $1", "CUP");
}

static const char *last_refusal(void)
{
    static struct command_refused refused;
    return shop_last(&shop, COMMAND_REFUSED, NULL, &refused) ? refused.reason : "none";
}

static size_t done(void)
{
    return shop_count(&shop, COMMAND_DONE, NULL);
}

static size_t refused(void)
{
    return shop_count(&shop, COMMAND_REFUSED, NULL);
}

/* Fates */

static void every_command_has_a_fate(void)
{
    struct command_done fate;
    struct command_refused refusal;
    open_with_cups(NULL);
    CU_ASSERT_EQUAL(done(), 2);
    CU_ASSERT(shop_last(&shop, COMMAND_DONE, NULL, &fate));
    CU_ASSERT_STRING_EQUAL(fate.command_type, STOCK_ADJUST);
    CU_ASSERT_STRING_EQUAL(fate.about, "CUP");
    CU_ASSERT_STRING_EQUAL(fate.customer, "");
    CU_ASSERT(shop_count(&shop, COMMAND_DONE, fate.command_id) == 1); /* the subject */
    shop_list(&shop, "CUP", 450, 1);                                  /* the same again */
    shop_list(&shop, "CUP", 450, 0);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(done(), 4);
    CU_ASSERT_EQUAL(shop_count(&shop, PRODUCT_LISTED, NULL), 1);
    shop_adjust(&shop, "CUP", -11);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(done(), 4);
    CU_ASSERT_EQUAL(refused(), 1);
    shop_place(&shop, 1, "CUP", 1, HASH_A); /* the order tells */
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(done(), 4);
    shop_cancel(&shop, 1, ALICE);
    shop_cancel(&shop, 1, ALICE); /* no news */
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(done(), 6);
    CU_ASSERT(shop_last(&shop, COMMAND_DONE, NULL, &fate));
    CU_ASSERT_STRING_EQUAL(fate.customer, ALICE);
    CU_ASSERT_STRING_EQUAL(fate.about, shop_order_id(1));
    shop_cancel(&shop, 1, MALLORY);
    shop_run(&shop, 0);
    CU_ASSERT(shop_last(&shop, COMMAND_REFUSED, NULL, &refusal));
    CU_ASSERT_STRING_EQUAL(refusal.customer, MALLORY);
    CU_ASSERT_STRING_EQUAL(refusal.reason, "not-found");
    CU_ASSERT(shop_sequences_hold(&shop));
    shop_close(&shop);
}

/* A cancel that waits for its order has no fate until it has. */
static void what_waits_has_no_fate_yet(void)
{
    open_with_cups(NULL);
    shop_cancel(&shop, 1, ALICE);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(done(), 2);
    shop_place(&shop, 1, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    manual_clock_advance(&shop.clock, 3000);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(done(), 3);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed closing");
    shop_close(&shop);
}

/* Revisions */

static void order_service_numbers_revisions(void)
{
    shop_open(&shop, NULL);
    shop_list(&shop, "CUP", 100, 0);
    shop_run(&shop, 0);
    int64_t first = revision();
    CU_ASSERT(first >= INT64_C(1800000000000) && first <= shop.clock.wall_ms);
    shop.clock.wall_ms -= 3600 * 1000; /* no reason to refuse anybody */
    shop_list(&shop, "CUP", 200, 0);
    shop_list(&shop, "CUP", 300, 0);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(revision(), first + 2);
    CU_ASSERT_EQUAL(price(), 300);
    CU_ASSERT_EQUAL(refused(), 0);
    shop_list(&shop, "CUP", 400, first + 2); /* somebody who looked at an older state */
    shop_run(&shop, 0);
    CU_ASSERT_STRING_EQUAL(last_refusal(), "stale-revision");
    shop_list(&shop, "CUP", 400, first + 3);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(price(), 400);
    CU_ASSERT_EQUAL(revision(), first + 3);
    shop_close(&shop);
}

static void a_revision_is_a_day_ahead_at_most(void)
{
    static const int64_t beyond[] = {DAY_MS + 1000, 366 * DAY_MS,
                                     COUNT_MAX - INT64_C(1900000000000)};
    open_with_cups(NULL);
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        shop_list(&shop, "CUP", 999, shop.clock.wall_ms + beyond[i]);
        shop_run(&shop, 0);
        CU_ASSERT_STRING_EQUAL(last_refusal(), "revision-too-far-ahead");
        CU_ASSERT_EQUAL(refused(), i + 1);
    }
    CU_ASSERT_EQUAL(price(), 450);
    shop_list(&shop, "CUP", 500, shop.clock.wall_ms + DAY_MS - 1000);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(price(), 500);
    for (int64_t i = 1; i <= 3; i++) { /* the next ones follow it, however often */
        shop_list(&shop, "CUP", 500 + i, 0);
        shop_run(&shop, 0);
        CU_ASSERT_EQUAL(price(), 500 + i);
    }
    CU_ASSERT_EQUAL(refused(), 3);
    shop_close(&shop);
}

static void set_revision(int64_t number)
{
    CU_ASSERT_EQUAL(store_begin(shop.store, NULL), OK);
    CU_ASSERT_EQUAL(store_exec(shop.store, "UPDATE product SET revision = $1",
                               STORE_ARGS(store_int(number)), NULL, NULL),
                    OK);
    CU_ASSERT_EQUAL(store_commit(shop.store, NULL), OK);
}

/* A clock was a year ahead once, or somebody gave the highest number, before there was a bound. */
static void no_product_is_frozen(void)
{
    static const int64_t stored[] = {INT64_C(1800000000000) + 366 * DAY_MS, COUNT_MAX};
    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++) {
        open_with_cups(NULL);
        set_revision(stored[i]);
        shop_list(&shop, "CUP", 500, 1); /* old, as ever */
        shop_run(&shop, 0);
        CU_ASSERT_STRING_EQUAL(last_refusal(), "stale-revision");
        shop_list(&shop, "CUP", 600, 0);
        shop_run(&shop, 0);
        CU_ASSERT_EQUAL(price(), 600);
        CU_ASSERT(revision() <= shop.clock.wall_ms + 1);
        set_revision(stored[i]);
        shop_list(&shop, "CUP", 700, shop.clock.wall_ms + 1000);
        shop_run(&shop, 0);
        CU_ASSERT_EQUAL(price(), 700);
        CU_ASSERT_EQUAL(refused(), 1);
        shop_close(&shop);
    }
}

/* The last that comes is what counts, through whichever instance; who gives a number is held to it. */
static void two_administrators(void)
{
    open_with_cups(NULL);
    shop_list(&shop, "CUP", 500, 0);
    shop_run_to(&shop, 0, PHASE_WORK);
    shop_list(&shop, "CUP", 600, 0);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(price(), 600);
    shop_list(&shop, "CUP", 700, 0);
    shop_run(&shop, 1);
    CU_ASSERT_EQUAL(price(), 700);
    int64_t known = revision();
    shop_list(&shop, "CUP", 800, known + 2);
    shop_list(&shop, "CUP", 900, known + 1); /* sent before it, redelivered after it */
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(price(), 800);
    CU_ASSERT_STRING_EQUAL(last_refusal(), "stale-revision");
    CU_ASSERT(shop_sequences_hold(&shop));
    shop_close(&shop);
}

static void one_key_is_one_listing(void)
{
    struct set_product product = {
        .sku = "CUP", .name = "Cup", .unit_price = 500, .currency = "EUR", .request_id = KEY_1};
    open_with_cups(NULL);
    shop_send(&shop, CATALOGUE_SET_PRODUCT, "CUP", &product);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(price(), 500);
    product.unit_price = 600;
    shop_send(&shop, CATALOGUE_SET_PRODUCT, "CUP", &product);
    shop_run(&shop, 1);
    CU_ASSERT_STRING_EQUAL(last_refusal(), "idempotency-key-reused");
    CU_ASSERT_EQUAL(price(), 500);
    product.request_id[0] = '\0';
    shop_send(&shop, CATALOGUE_SET_PRODUCT, "CUP", &product);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(price(), 600);
    shop_close(&shop);
}

/* Numbers and log */

static bool has_line(const char *line)
{
    struct buf out = {0};
    order_service_metrics(shop.instances[0].order, &out);
    bool has = strstr(out.data, line) != NULL;
    if (!has)
        printf("no %s in\n%s", line, out.data);
    buf_release(&out);
    return has;
}

static void refusals_are_counted_and_logged(void)
{
    char text[2048] = "";
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const struct log log = {&shop.clock.clock, "order-service", 1, LOG_INFO, ends[1]};
    const struct order_service_options options = {.log = &log};
    open_with_cups(&options);
    CU_ASSERT(has_line("warren_order_refusals_total{reason=\"stale-revision\"} 0\n"));
    shop_adjust(&shop, "CUP", -11);
    shop_adjust(&shop, "GHOST", 1);
    shop_adjust(&shop, "GHOST", 1);
    shop_run_to(&shop, 0, PHASE_WORK);
    CU_ASSERT(has_line("warren_order_refusals_total{reason=\"unknown-product\"} 0\n"));
    CU_ASSERT(read(ends[0], text, sizeof text - 1) < 0); /* nothing before it is committed */
    shop_run(&shop, 0);
    CU_ASSERT(has_line("warren_order_refusals_total{reason=\"unknown-product\"} 2\n"));
    CU_ASSERT(has_line("warren_order_refusals_total{reason=\"stock-below-zero\"} 1\n"));
    ssize_t size = read(ends[0], text, sizeof text - 1);
    text[size < 0 ? 0 : size] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"command-refused\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"command_id\":\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"type\":\"stock.adjust\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"about\":\"GHOST\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"reason\":\"stock-below-zero\""));
    shop_close(&shop);
    close(ends[0]);
    close(ends[1]);
}

static const struct unit_case cases[] = {
    {"every command has a fate", every_command_has_a_fate},
    {"what waits has no fate yet", what_waits_has_no_fate_yet},
    {"order-service numbers revisions", order_service_numbers_revisions},
    {"a revision is a day ahead at most", a_revision_is_a_day_ahead_at_most},
    {"no product is frozen", no_product_is_frozen},
    {"two administrators", two_administrators},
    {"one key is one listing", one_key_is_one_listing},
    {"refusals are counted and logged", refusals_are_counted_and_logged},
};
UNIT_MAIN("order commands", cases)
