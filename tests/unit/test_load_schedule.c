/* When each order is due: even, random, bent by a rate that changes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "load/mix.h"
#include "load/schedule.h"
#include "tests/unit/unit.h"

static const int64_t second = 1000000000;

static struct schedule_plan plan_of(const char *text, enum schedule_kind kind, uint64_t seed)
{
    struct schedule_plan plan = {.kind = kind, .seed = seed};
    CU_ASSERT_EQUAL_FATAL(schedule_parse(text, &plan, NULL), OK);
    return plan;
}

/* Arrivals within [from, to), in seconds. */
static int count_between(const struct schedule_plan *plan, double from, double to)
{
    struct schedule schedule;
    int count = 0;
    for (schedule_begin(plan, &schedule); schedule.next_ns != INT64_MAX; schedule_step(&schedule))
        count += (double)schedule.next_ns >= from * 1e9 && (double)schedule.next_ns < to * 1e9;
    return count;
}

static void even(void)
{
    struct schedule_plan plan = plan_of("50:8", SCHEDULE_EVEN, 1);
    struct schedule schedule;
    int64_t n = 0;
    for (schedule_begin(&plan, &schedule); schedule.next_ns != INT64_MAX;
         schedule_step(&schedule)) {
        CU_ASSERT_EQUAL(schedule.ordinal, (uint64_t)n);
        CU_ASSERT(llabs(schedule.next_ns - n * second / 50) <= 1);
        n++;
    }
    CU_ASSERT_EQUAL(n, 400);
    CU_ASSERT_EQUAL(schedule_duration_ns(&plan), 8 * second);
}

/* Of a straight line from 0 to 100 in 10 s, the first 5 s hold a quarter: 125 of 500. */
static void a_ramp(void)
{
    struct schedule_plan plan = plan_of("0-100:10", SCHEDULE_EVEN, 1);
    CU_ASSERT(abs(count_between(&plan, 0, 10) - 500) <= 1);
    CU_ASSERT(abs(count_between(&plan, 0, 5) - 125) <= 1);
    plan = plan_of("100-0:10", SCHEDULE_EVEN, 1);
    CU_ASSERT(abs(count_between(&plan, 0, 5) - 375) <= 1);
}

static void phases(void)
{
    struct schedule_plan plan = plan_of("10:2,0:3,200:1.5,10-30:2", SCHEDULE_EVEN, 1);
    struct schedule schedule;
    int counts[4] = {0};
    int64_t last = -1;
    for (schedule_begin(&plan, &schedule); schedule.next_ns != INT64_MAX;
         schedule_step(&schedule)) {
        CU_ASSERT(schedule.next_ns >= last);
        last = schedule.next_ns;
        counts[schedule.phase]++;
    }
    CU_ASSERT_EQUAL(counts[0], 20);
    CU_ASSERT_EQUAL(counts[1], 0);
    CU_ASSERT_EQUAL(counts[2], 300);
    CU_ASSERT_EQUAL(counts[3], 40);
    CU_ASSERT_EQUAL(schedule_duration_ns(&plan), 8500000000);
}

/* The same from the same seed; the mean and, what even distances have not, the spread of an
 * exponential distribution: its standard deviation is its mean. */
static void poisson(void)
{
    struct schedule_plan plan = plan_of("1000:60", SCHEDULE_POISSON, 7);
    struct schedule a, b;
    double sum = 0, squares = 0;
    int64_t last = 0;
    int count = 0;
    schedule_begin(&plan, &b);
    for (schedule_begin(&plan, &a); a.next_ns != INT64_MAX; schedule_step(&a)) {
        CU_ASSERT_EQUAL(a.next_ns, b.next_ns);
        double gap = (double)(a.next_ns - last) / 1e6;
        sum += gap;
        squares += gap * gap;
        last = a.next_ns;
        count++;
        schedule_step(&b);
    }
    double mean = sum / count;
    CU_ASSERT(abs(count - 60000) < 1000); /* four standard deviations */
    CU_ASSERT(fabs(mean - 1) < 0.02);
    CU_ASSERT(fabs(sqrt(squares / count - mean * mean) - 1) < 0.02);
    plan.seed = 8;
    schedule_begin(&plan, &b);
    schedule_begin(
        &(struct schedule_plan){
            .kind = SCHEDULE_POISSON, .seed = 7, .phases = {plan.phases[0]}, .count = 1},
        &a);
    CU_ASSERT_NOT_EQUAL(a.next_ns, b.next_ns);
}

static void bad_texts(void)
{
    static const char *const texts[] = {
        "",    "100",   "100:",    ":5",   "100:0",      "-5:1",        "1:1,",          "1:1,,2:2",
        "a:b", "10-:5", "1:1;2:2", "1:1 ", "99999999:1", "1:999999999", "5:0.0000000001"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct schedule_plan plan;
        struct err err = {""};
        CU_ASSERT_EQUAL(schedule_parse(texts[i], &plan, &err), INVALID);
        CU_ASSERT_NOT_EQUAL(err.text[0], '\0');
    }
}

/* --- what is in the orders ------------------------------------------------------------------- */

static void baskets(void)
{
    enum { ORDERS = 20000 };
    struct mix mix = {.seed = 3,
                      .lines = 2,
                      .quantity = 3,
                      .declined = 100,
                      .flaky = 50,
                      .slow = 25,
                      .cancel = 200,
                      .hot = 600};
    struct buf body = {0}, again = {0};
    int declined = 0, visa = 0, hot = 0, cancelled = 0;
    CU_ASSERT_EQUAL_FATAL(mix_read_skus(&mix, "A,B,C,D", NULL), OK);
    CU_ASSERT_EQUAL_FATAL(mix_check(&mix, NULL), OK);
    for (uint64_t i = 0; i < ORDERS; i++) {
        mix_order(&mix, i, &body);
        mix_order(&mix, i, &again);
        CU_ASSERT_STRING_EQUAL(body.data, again.data);
        declined += strstr(body.data, "\"tok_declined\"") != NULL;
        visa += strstr(body.data, "\"tok_visa\"") != NULL;
        hot += strncmp(body.data, "{\"lines\":[{\"sku\":\"A\"", 20) == 0;
        cancelled += mix_cancels(&mix, i);
    }
    /* Within five standard deviations. */
    CU_ASSERT(abs(declined - 2000) < 220);
    CU_ASSERT(abs(visa - 16500) < 270);
    CU_ASSERT(abs(cancelled - 4000) < 290);
    CU_ASSERT(abs(hot - (int)(ORDERS * (0.6 + 0.4 / 4))) < 330);
    buf_release(&body);
    buf_release(&again);
}

static void bad_mixes(void)
{
    struct mix mix = {.lines = 3, .quantity = 1};
    CU_ASSERT_EQUAL(mix_read_skus(&mix, "", NULL), INVALID);
    CU_ASSERT_EQUAL(mix_read_skus(&mix, "A,,B", NULL), INVALID);
    CU_ASSERT_EQUAL(mix_read_skus(&mix, "A\"B", NULL), INVALID);
    CU_ASSERT_EQUAL(mix_read_skus(&mix, "A,B", NULL), OK);
    CU_ASSERT_EQUAL(mix_check(&mix, NULL), INVALID); /* three lines of two SKUs */
    mix.lines = 2;
    CU_ASSERT_EQUAL(mix_check(&mix, NULL), OK);
    mix.declined = mix.slow = 600;
    CU_ASSERT_EQUAL(mix_check(&mix, NULL), INVALID);
}

static const struct unit_case cases[] = {
    {"even", even},           {"a ramp", a_ramp},   {"phases", phases},       {"poisson", poisson},
    {"bad texts", bad_texts}, {"baskets", baskets}, {"bad mixes", bad_mixes},
};

UNIT_MAIN("schedule", cases)
