/* order-service numbers what is settled and says it again: for whoever misses some, and for an
 * operator. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/order_shop.h"
#include "tests/unit/unit.h"

enum { GRACE_MS = 10000, ANSWER_MAX = 500 };

static void open_with_cups(struct shop *shop)
{
    shop_open(shop, NULL);
    shop_list(shop, "CUP", 450, 1);
    shop_adjust(shop, "CUP", 1000);
    shop_run(shop, 0);
}

/* The body of the i-th saying (0: first) of a fact of this version; NULL: it was not said so often. */
static const char *saying(struct shop *shop, unsigned order, int64_t version, size_t i)
{
    char subject[64], sequence[48];
    size_t size;
    int64_t offset;
    const char *body;
    snprintf(subject, sizeof subject, "\"subject\":\"%s\"", shop_order_id(order));
    snprintf(sequence, sizeof sequence, "\"sequence\":\"%d\"", (int)version);
    for (size_t at = 0;
         (body = memory_broker_stream_at(shop->broker, "test.events", at, &size, &offset)); at++)
        if (strstr(body, subject) && strstr(body, sequence) && i-- == 0)
            return body;
    return NULL;
}

static size_t times_said(struct shop *shop, unsigned order, int64_t version)
{
    size_t times = 0;
    while (saying(shop, order, version, times))
        times++;
    return times;
}

static void assert_said_again(struct shop *shop, unsigned order, int64_t version)
{
    CU_ASSERT_EQUAL_FATAL(times_said(shop, order, version), 2);
    CU_ASSERT_STRING_EQUAL(saying(shop, order, version, 0), saying(shop, order, version, 1));
    CU_ASSERT_PTR_NOT_NULL(strstr(saying(shop, order, version, 0), "traceparent"));
}

static void ask(struct shop *shop, const struct number_range *ranges, size_t count)
{
    struct retell_settled ask = {.missing_count = count};
    memcpy(ask.missing, ranges, count * sizeof ranges[0]);
    shop_send(shop, ORDER_RETELL_SETTLED, "settled", &ask);
}

static int64_t number_of(struct shop *shop, unsigned order, int64_t version)
{
    const char *at = strstr(saying(shop, order, version, 0), "\"settlement\":");
    return at ? strtoll(at + strlen("\"settlement\":"), NULL, 10) : 0;
}

static int64_t gaps(struct shop *shop)
{
    return shop_number(shop, "SELECT max(number) - count(*) FROM settled", NULL);
}

static void reject(struct shop *shop, unsigned order)
{
    shop_place(shop, order, "GHOST", 1, HASH_A);
}

static void what_is_settled_is_numbered(void)
{
    struct shop shop;
    open_with_cups(&shop);
    reject(&shop, 1);
    shop_place(&shop, 2, "CUP", 1, HASH_A);
    shop_place(&shop, 3, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    shop_captured(&shop, 2, 450);
    shop_cancel(&shop, 3, ALICE);
    shop_run(&shop, 1); /* the other instance goes on where this one was */
    shop_cancel(&shop, 2, ALICE);
    shop_closed(&shop, 3);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(number_of(&shop, 1, 1), 1);
    CU_ASSERT_EQUAL(number_of(&shop, 2, 1), 0); /* placed is not settled */
    CU_ASSERT_EQUAL(number_of(&shop, 2, 2), 2);
    CU_ASSERT_EQUAL(number_of(&shop, 3, 2), 0); /* nor is closing */
    CU_ASSERT_EQUAL(number_of(&shop, 2, 3) + number_of(&shop, 3, 3), 3 + 4);
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM settled", NULL), 4);
    CU_ASSERT_EQUAL(gaps(&shop), 0);
    shop_close(&shop);
}

/* Each goes on behind the other, at the first try. */
static void two_instances_number_in_turns(void)
{
    struct shop shop;
    struct service_state state;
    open_with_cups(&shop);
    for (unsigned order = 1; order <= 6; order++) {
        reject(&shop, order);
        shop_run(&shop, order % SHOP_INSTANCES);
    }
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM settled", NULL), 6);
    CU_ASSERT_EQUAL(gaps(&shop), 0);
    for (size_t i = 0; i < SHOP_INSTANCES; i++) {
        service_state(shop.instances[i].service, &state);
        CU_ASSERT_EQUAL(state.conflicts, 0);
    }
    shop_close(&shop);
}

static void what_is_rolled_back_takes_no_number(void)
{
    struct shop shop;
    open_with_cups(&shop);
    shop_place(&shop, 1, "CUP", 1, HASH_A);
    shop_run(&shop, 1); /* which remembers it as placed */
    shop_captured(&shop, 1, 450);
    shop_run(&shop, 0);
    shop_captured(&shop, 1, 450); /* a conflict there */
    reject(&shop, 2);
    shop_run(&shop, 1);
    CU_ASSERT_EQUAL(gaps(&shop), 0);
    reject(&shop, 3);
    shop_run_to(&shop, 0, PHASE_WORK);
    shop_kill(&shop, 0);
    shop_start(&shop, 0);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM settled", NULL), 3);
    CU_ASSERT_EQUAL(gaps(&shop), 0);
    shop_close(&shop);
}

static void what_is_missing_is_said_again(void)
{
    struct shop shop;
    open_with_cups(&shop);
    for (unsigned order = 1; order <= 6; order++)
        reject(&shop, order);
    shop_run(&shop, 0);
    manual_clock_advance(&shop.clock, GRACE_MS);
    reject(&shop, 7); /* may still be on its way */
    shop_run(&shop, 0);
    ask(&shop, (struct number_range[]){{2, 2}, {4, 0}}, 2);
    shop_run(&shop, 0);
    static const size_t times[] = {1, 2, 1, 2, 2, 2, 1};
    for (unsigned order = 1; order <= 7; order++)
        CU_ASSERT_EQUAL(times_said(&shop, order, 1), times[order - 1]);
    assert_said_again(&shop, 2, 1);
    assert_said_again(&shop, 6, 1);
    shop_close(&shop);
}

static void a_clock_put_back_hides_nothing(void)
{
    struct shop shop;
    open_with_cups(&shop);
    reject(&shop, 1);
    shop_run(&shop, 0);
    shop.clock.wall_ms -= 3600000;
    ask(&shop, (struct number_range[]){{1, 1}}, 1);
    shop_run(&shop, 0);
    assert_said_again(&shop, 1, 1);
    shop_close(&shop);
}

/* After a while without order-service many asks are in its queue, each about the same. */
static void of_many_asks_the_last_is_answered(void)
{
    struct shop shop;
    open_with_cups(&shop);
    for (unsigned order = 1; order <= 3; order++)
        reject(&shop, order);
    shop_run(&shop, 0);
    manual_clock_advance(&shop.clock, GRACE_MS);
    for (int i = 0; i < 20; i++)
        ask(&shop, (struct number_range[]){{1, 0}}, 1);
    ask(&shop, (struct number_range[]){{2, 0}}, 1);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(times_said(&shop, 1, 1), 1);
    CU_ASSERT_EQUAL(times_said(&shop, 2, 1), 2);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(times_said(&shop, 3, 1), 2); /* and once only */
    shop_close(&shop);
}

static void an_answer_has_an_end(void)
{
    struct shop shop;
    open_with_cups(&shop);
    for (unsigned order = 1; order <= ANSWER_MAX + 5; order++)
        reject(&shop, order);
    shop_run(&shop, 0);
    manual_clock_advance(&shop.clock, GRACE_MS);
    ask(&shop, (struct number_range[]){{3, 3}, {10, 0}}, 2);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(shop_count(&shop, ORDER_REJECTED, NULL), ANSWER_MAX + 5 + ANSWER_MAX - 3);
    ask(&shop, (struct number_range[]){{1, 0}, {1, 3}}, 2);
    shop_run(&shop, 0);
    CU_ASSERT_EQUAL(shop_count(&shop, ORDER_REJECTED, NULL), ANSWER_MAX + 5 + 2 * ANSWER_MAX - 3);
    shop_close(&shop);
}

static void an_order_is_told_again(void)
{
    struct shop shop;
    open_with_cups(&shop);
    shop_place(&shop, 1, "CUP", 1, HASH_A);
    shop_place(&shop, 2, "CUP", 1, HASH_A);
    shop_run(&shop, 0);
    shop_captured(&shop, 1, 450);
    shop_run(&shop, 0);
    shop_cancel(&shop, 1, ALICE);
    shop_run(&shop, 0);
    struct retell retell;
    for (unsigned order = 1; order <= 3; order += 2) { /* the third is nobody's */
        memcpy(retell.order_id, shop_order_id(order), UUID_SIZE);
        shop_send(&shop, ORDER_RETELL, retell.order_id, &retell);
        shop_run(&shop, 1);
    }
    for (int64_t version = 1; version <= 3; version++)
        assert_said_again(&shop, 1, version);
    CU_ASSERT_EQUAL(times_said(&shop, 2, 1), 1);
    CU_ASSERT_EQUAL(times_said(&shop, 3, 1), 0);
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM quarantine", NULL), 0);
    CU_ASSERT_EQUAL(shop_number(&shop, "SELECT count(*) FROM deferred", NULL), 0);
    CU_ASSERT_STRING_EQUAL(shop_history(&shop, 1), "placed confirmed cancelled");
    shop_close(&shop);
}

static const struct unit_case cases[] = {
    {"what is settled is numbered", what_is_settled_is_numbered},
    {"two instances number in turns", two_instances_number_in_turns},
    {"what is rolled back takes no number", what_is_rolled_back_takes_no_number},
    {"what is missing is said again", what_is_missing_is_said_again},
    {"a clock put back hides nothing", a_clock_put_back_hides_nothing},
    {"of many asks the last is answered", of_many_asks_the_last_is_answered},
    {"an answer has an end", an_answer_has_an_end},
    {"an order is told again", an_order_is_told_again},
};
UNIT_MAIN("retell", cases)
