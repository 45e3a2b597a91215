/* Answers and facts brought together, in whatever order they come. */
#include <string.h>

#include "load/due.h"
#include "load/fates.h"
#include "load/prometheus.h"
#include "tests/unit/unit.h"

static struct order_key order(int n)
{
    struct order_key key = {{0}};
    memcpy(key.bytes, &n, sizeof n);
    key.bytes[15] = 1;
    return key;
}

static struct fact fact(int n, enum fact_kind kind, int64_t sequence)
{
    return (struct fact){.kind = kind, .order = order(n), .sequence = sequence, .customer = "c"};
}

static unsigned tell(struct fates *fates, const struct fact *fact, int64_t now_ns)
{
    struct fate *fate;
    return fates_note(fates, fact, true, now_ns, &fate);
}

static uint32_t add(struct fates *fates, int n)
{
    uint32_t index;
    struct order_key key = order(n);
    fates_add(fates, &index);
    CU_ASSERT_EQUAL(fates_name(fates, index, &key), OK);
    return index;
}

static void the_usual(void)
{
    struct fates *fates = fates_new(1);
    uint32_t index = add(fates, 1);
    struct fact placed = fact(1, FACT_PLACED, 1), confirmed = fact(1, FACT_CONFIRMED, 2);
    struct fact notified = fact(1, FACT_NOTIFIED, 0), captured = fact(1, FACT_CAPTURED, 1);
    CU_ASSERT_EQUAL(tell(fates, &placed, 10), NEWS_NONE);
    CU_ASSERT_EQUAL(tell(fates, &captured, 15), NEWS_NONE);
    CU_ASSERT_EQUAL(tell(fates, &confirmed, 20), NEWS_SETTLED);
    CU_ASSERT_EQUAL(tell(fates, &notified, 30), NEWS_NOTIFIED);
    /* A relay has repeated them all: the first counts. */
    CU_ASSERT_EQUAL(tell(fates, &captured, 40), NEWS_NONE);
    CU_ASSERT_EQUAL(tell(fates, &confirmed, 40), NEWS_NONE);
    CU_ASSERT_EQUAL(tell(fates, &notified, 40), NEWS_NONE);
    CU_ASSERT_EQUAL(fates_at(fates, index)->settled_ns, 20);
    CU_ASSERT_EQUAL(fates_at(fates, index)->notified_ns, 30);
    CU_ASSERT_FALSE(fates_at(fates, index)->doubled);
    fates_free(fates);
}

static void cancelled_after_it_was_confirmed(void)
{
    struct fates *fates = fates_new(1);
    struct fact confirmed = fact(1, FACT_CONFIRMED, 2), cancelled = fact(1, FACT_CANCELLED, 3);
    struct fact again = fact(1, FACT_CANCELLED, 4);
    uint32_t index = add(fates, 1);
    CU_ASSERT_EQUAL(tell(fates, &confirmed, 1), NEWS_SETTLED);
    CU_ASSERT_EQUAL(tell(fates, &cancelled, 2), NEWS_NONE);
    CU_ASSERT_FALSE(fates_at(fates, index)->doubled);
    CU_ASSERT_EQUAL(tell(fates, &again, 3), NEWS_DOUBLED); /* once only */
    fates_free(fates);
}

static void settled_twice(void)
{
    static const enum fact_kind second[] = {FACT_CONFIRMED, FACT_REJECTED, FACT_EXPIRED};
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++) {
        struct fates *fates = fates_new(1);
        struct fact first = fact(1, FACT_CONFIRMED, 2), other = fact(1, second[i], 3);
        add(fates, 1);
        CU_ASSERT_EQUAL(tell(fates, &first, 1), NEWS_SETTLED);
        CU_ASSERT_EQUAL(tell(fates, &other, 2), NEWS_DOUBLED);
        CU_ASSERT_EQUAL(tell(fates, &other, 3), NEWS_NONE); /* told once */
        fates_free(fates);
    }
}

static void charged_twice(void)
{
    struct fates *fates = fates_new(1);
    struct fact one = fact(1, FACT_CAPTURED, 1), two = fact(1, FACT_CAPTURED, 2);
    add(fates, 1);
    CU_ASSERT_EQUAL(tell(fates, &one, 1), NEWS_NONE);
    CU_ASSERT_EQUAL(tell(fates, &two, 2), NEWS_DOUBLED);
    fates_free(fates);
}

/* The log was faster than the answer. */
static void facts_before_the_answer(void)
{
    struct fates *fates = fates_new(1);
    uint32_t index;
    struct order_key key = order(1);
    struct fact placed = fact(1, FACT_PLACED, 1), rejected = fact(1, FACT_REJECTED, 2);
    snprintf(rejected.reason, sizeof rejected.reason, "out-of-stock");
    struct fate *fate = fates_add(fates, &index);
    CU_ASSERT_EQUAL(tell(fates, &placed, 5), NEWS_NONE);
    CU_ASSERT_EQUAL(tell(fates, &rejected, 6), NEWS_NONE); /* whose it is shows later */
    CU_ASSERT_EQUAL(fates_name(fates, index, &key), OK);
    CU_ASSERT_EQUAL(fate->settled_ns, 6);
    CU_ASSERT_EQUAL(fate->end, FACT_REJECTED);
    CU_ASSERT_STRING_EQUAL(fates_reason(fates, fate), "out-of-stock");
    fates_free(fates);
}

static void count(void *context, const struct fate *fate)
{
    (void)fate;
    ++*(int *)context;
}

static void strangers(void)
{
    struct fates *fates = fates_new(1);
    struct fate *fate;
    int left = 0;
    struct fact theirs = fact(1, FACT_PLACED, 1), ours = fact(2, FACT_PLACED, 1);
    struct fact later = fact(3, FACT_PLACED, 1);
    CU_ASSERT_EQUAL(fates_note(fates, &theirs, false, 1, &fate), NEWS_NONE);
    CU_ASSERT_PTR_NULL(fate);
    tell(fates, &ours, 1);
    tell(fates, &later, 1);
    add(fates, 3);
    fates_strangers(fates, count, &left);
    CU_ASSERT_EQUAL(left, 1); /* 1 is another's, 3 has been named */
    fates_free(fates);
}

static void two_orders_for_one_key(void)
{
    struct fates *fates = fates_new(1);
    uint32_t index, other;
    struct order_key one = order(1), two = order(2);
    fates_add(fates, &index);
    fates_add(fates, &other);
    CU_ASSERT_EQUAL(fates_name(fates, index, &one), OK);
    CU_ASSERT_EQUAL(fates_name(fates, index, &one), OK);
    CU_ASSERT_EQUAL(fates_name(fates, index, &two), INVALID);
    CU_ASSERT_EQUAL(fates_name(fates, other, &one), INVALID);
    fates_free(fates);
}

/* Far more than was expected. */
static void many(void)
{
    enum { MANY = 50000 };
    struct fates *fates = fates_new(1);
    for (int i = 0; i < MANY; i++)
        add(fates, i);
    CU_ASSERT_EQUAL(fates_count(fates), MANY);
    for (int i = 0; i < MANY; i++) {
        struct order_key key = order(i);
        struct fact confirmed = fact(i, FACT_CONFIRMED, 2);
        CU_ASSERT_PTR_EQUAL(fates_find(fates, &key), fates_at(fates, (uint32_t)i));
        CU_ASSERT_EQUAL(tell(fates, &confirmed, i + 1), NEWS_SETTLED);
    }
    CU_ASSERT_EQUAL(fates_at(fates, MANY - 1)->settled_ns, MANY);
    struct order_key none = order(MANY);
    CU_ASSERT_PTR_NULL(fates_find(fates, &none));
    fates_free(fates);
}

/* First in, first out when they wait equally long, also while it grows. */
static void waiting_in_line(void)
{
    struct due_queue queue = {0};
    uint32_t in = 0, out = 0;
    CU_ASSERT_PTR_NULL(due_first(&queue));
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < 3; i++)
            due_push(&queue, &(struct due){.at_ns = in, .what = in}), in++;
        for (int i = 0; i < 2; i++, out++) {
            CU_ASSERT_EQUAL(due_first(&queue)->what, out);
            CU_ASSERT_FALSE(due_now(&queue, (int64_t)out - 1));
            CU_ASSERT_TRUE(due_now(&queue, out));
            due_pop(&queue);
        }
    }
    CU_ASSERT_EQUAL(queue.count, 1000);
    due_release(&queue);
}

/* Whatever the order in which they come, they go by their time, and equals in turn. */
static void out_of_order(void)
{
    enum { MANY = 2000 };
    struct due_queue queue = {0};
    int64_t last_ns = -1;
    uint32_t last = 0;
    for (uint32_t i = 0; i < MANY; i++)
        due_push(&queue, &(struct due){.at_ns = (int64_t)i * 7919 % 100, .what = i});
    for (uint32_t i = 0; i < MANY; i++) {
        const struct due *due = due_first(&queue);
        CU_ASSERT(due->at_ns > last_ns || (due->at_ns == last_ns && due->what > last));
        last_ns = due->at_ns;
        last = due->what;
        due_pop(&queue);
    }
    CU_ASSERT_PTR_NULL(due_first(&queue));
    due_release(&queue);
}

static void prometheus(void)
{
    static const char text[] = "# TYPE warren_messages_total counter\n"
                               "warren_messages_total{queue=\"a\",outcome=\"duplicate\"} 3\n"
                               "warren_messages_total{queue=\"b\",outcome=\"duplicate\"} 4\n"
                               "warren_messages_total{queue=\"b\",outcome=\"handled\"} 100\n"
                               "warren_messages 1\nwarren_outbox_rows 12\n";
    double sum = -1;
    CU_ASSERT_TRUE(prometheus_sum(text, "warren_messages_total", "outcome=\"duplicate\"", &sum) &&
                   sum == 7);
    CU_ASSERT_TRUE(prometheus_sum(text, "warren_messages_total", NULL, &sum) && sum == 107);
    CU_ASSERT_TRUE(prometheus_sum(text, "warren_outbox_rows", NULL, &sum) && sum == 12);
    CU_ASSERT_FALSE(prometheus_sum(text, "warren_outbox", NULL, &sum));
    CU_ASSERT_FALSE(prometheus_sum("", "a", NULL, &sum));
}

static const struct unit_case cases[] = {
    {"the usual", the_usual},
    {"cancelled after it was confirmed", cancelled_after_it_was_confirmed},
    {"settled twice", settled_twice},
    {"charged twice", charged_twice},
    {"facts before the answer", facts_before_the_answer},
    {"strangers", strangers},
    {"two orders for one key", two_orders_for_one_key},
    {"many", many},
    {"waiting in line", waiting_in_line},
    {"out of order", out_of_order},
    {"prometheus", prometheus},
};

UNIT_MAIN("fates", cases)
