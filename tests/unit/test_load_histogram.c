/* The histogram against the sorted values themselves, for several distributions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "load/histogram.h"
#include "tests/unit/unit.h"

enum { VALUES = 100000 };

static struct manual_clock dice;
static struct load_histogram histogram, other;
static int64_t values[VALUES];

static double uniform(void)
{
    return ((double)(clock_random64(&dice.clock) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * 3.14159265358979 * uniform());
}

static int64_t small(void)
{
    return (int64_t)(300 * uniform());
}

static int64_t hour(void)
{
    return (int64_t)(3.6e9 * uniform());
}

static int64_t exponential(void)
{
    return (int64_t)(-20000 * log(uniform()));
}

static int64_t lognormal(void)
{
    return (int64_t)exp(9 + 1.5 * normal());
}

static int64_t pareto(void)
{
    double value = 500 * pow(uniform(), -1 / 1.1);
    return value < 1e10 ? (int64_t)value : INT64_C(10000000000);
}

/* A quick answer, and now and then a stall. */
static int64_t two_peaks(void)
{
    return (int64_t)(uniform() < 0.97 ? 3000 + 400 * normal() : 2e6 * (1 + 0.1 * normal()));
}

static int64_t constant(void)
{
    return 12345;
}

static const struct {
    const char *name;
    int64_t (*draw)(void);
} distributions[] = {
    {"small", small},         {"hour", hour},     {"exponential", exponential},
    {"lognormal", lognormal}, {"pareto", pareto}, {"two peaks", two_peaks},
    {"constant", constant},
};

static const int asked[] = {0,        1,        10000,     250000,     LOAD_P50, LOAD_P75, LOAD_P90,
                            LOAD_P95, LOAD_P99, LOAD_P999, LOAD_P9999, 999999,   LOAD_P100};

static int by_value(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The definition, done with whole numbers on the sorted values. */
static int64_t exact(size_t count, int millionths)
{
    size_t rank = 1;
    while ((uint64_t)rank * 1000000 < (uint64_t)count * (uint64_t)millionths)
        rank++;
    return values[rank - 1];
}

static void compare(const char *name, size_t count)
{
    qsort(values, count, sizeof values[0], by_value);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        int64_t want = exact(count, asked[i]);
        int64_t got = load_histogram_quantile(&histogram, asked[i]);
        int64_t off = llabs(got - want);
        if (off * 100 > want)
            printf("%s, %zu values, %d millionths: %lld instead of %lld\n", name, count, asked[i],
                   (long long)got, (long long)want);
        CU_ASSERT(off * 100 <= want);
    }
    CU_ASSERT_EQUAL(load_histogram_quantile(&histogram, 0), values[0]);
    CU_ASSERT_EQUAL(load_histogram_quantile(&histogram, LOAD_P100), values[count - 1]);
}

static void draw(int64_t (*next)(void), size_t count)
{
    memset(&histogram, 0, sizeof histogram);
    for (size_t i = 0; i < count; i++) {
        values[i] = next();
        load_histogram_add(&histogram, values[i]);
    }
}

static void quantiles_are_within_one_percent(void)
{
    static const size_t counts[] = {1, 2, 3, 10, 999, 1000, 1001, VALUES};
    manual_clock_init(&dice, 0, 20261127);
    for (size_t i = 0; i < sizeof distributions / sizeof distributions[0]; i++) {
        for (size_t j = 0; j < sizeof counts / sizeof counts[0]; j++) {
            draw(distributions[i].draw, counts[j]);
            compare(distributions[i].name, counts[j]);
        }
    }
}

/* Every value that begins or ends a bucket, up to the largest one that has a bucket. */
static void edges_of_buckets_are_within_one_percent(void)
{
    for (int bit = 0; bit <= LOAD_HISTOGRAM_TOP_BIT; bit++) {
        for (int64_t step = -1; step <= 1; step++) {
            int64_t value = (INT64_C(1) << bit) + step;
            memset(&histogram, 0, sizeof histogram);
            load_histogram_add(&histogram, 0);
            load_histogram_add(&histogram, value);
            load_histogram_add(&histogram, INT64_MAX / 4);
            CU_ASSERT(llabs(load_histogram_quantile(&histogram, LOAD_P50) - value) * 100 <= value);
        }
    }
}

static void count_mean_and_ends_are_exact(void)
{
    manual_clock_init(&dice, 0, 7);
    draw(lognormal, VALUES);
    int64_t sum = 0;
    for (size_t i = 0; i < VALUES; i++)
        sum += values[i];
    CU_ASSERT_EQUAL(histogram.count, VALUES);
    CU_ASSERT_EQUAL(load_histogram_mean(&histogram), (sum + VALUES / 2) / VALUES);
    qsort(values, VALUES, sizeof values[0], by_value);
    CU_ASSERT_EQUAL(histogram.min_us, values[0]);
    CU_ASSERT_EQUAL(histogram.max_us, values[VALUES - 1]);
}

static void empty_says_nothing(void)
{
    memset(&histogram, 0, sizeof histogram);
    CU_ASSERT_EQUAL(load_histogram_quantile(&histogram, LOAD_P99), 0);
    CU_ASSERT_EQUAL(load_histogram_mean(&histogram), 0);
    memset(&other, 0, sizeof other);
    load_histogram_merge(&histogram, &other);
    CU_ASSERT_EQUAL(histogram.count, 0);
    CU_ASSERT_EQUAL(histogram.min_us, 0);
}

static void merged_is_as_if_added(void)
{
    static struct load_histogram halves[2];
    manual_clock_init(&dice, 0, 11);
    draw(two_peaks, VALUES);
    memset(halves, 0, sizeof halves);
    for (size_t i = 0; i < VALUES; i++)
        load_histogram_add(&halves[i % 3 == 0], values[i]);
    memset(&other, 0, sizeof other);
    load_histogram_merge(&other, &halves[0]);
    load_histogram_merge(&other, &halves[1]);
    CU_ASSERT_EQUAL(memcmp(&other, &histogram, sizeof other), 0);
}

static void out_of_range_is_kept(void)
{
    memset(&histogram, 0, sizeof histogram);
    load_histogram_add(&histogram, -5);
    load_histogram_add(&histogram, INT64_C(1) << 50);
    load_histogram_add(&histogram, INT64_C(1) << 51);
    CU_ASSERT_EQUAL(histogram.min_us, 0);
    CU_ASSERT_EQUAL(histogram.max_us, INT64_C(1) << 51);
    CU_ASSERT_EQUAL(load_histogram_quantile(&histogram, 0), 0);
    CU_ASSERT(load_histogram_quantile(&histogram, LOAD_P50) >=
              (INT64_C(1) << LOAD_HISTOGRAM_TOP_BIT));
}

static void above_counts_what_is_larger(void)
{
    memset(&histogram, 0, sizeof histogram);
    for (int64_t value = 1; value <= 200; value++)
        load_histogram_add(&histogram, value);
    CU_ASSERT_EQUAL(load_histogram_above(&histogram, -1), 200);
    CU_ASSERT_EQUAL(load_histogram_above(&histogram, 150), 50);
    CU_ASSERT_EQUAL(load_histogram_above(&histogram, 200), 0);
}

static const struct unit_case cases[] = {
    {"quantiles are within 1 % of the exact ones", quantiles_are_within_one_percent},
    {"so are the edges of all buckets", edges_of_buckets_are_within_one_percent},
    {"count, mean, smallest and largest are exact", count_mean_and_ends_are_exact},
    {"an empty one says nothing", empty_says_nothing},
    {"merging is as if all had been added to one", merged_is_as_if_added},
    {"what is out of range is kept", out_of_range_is_kept},
    {"above counts what is larger", above_counts_what_is_larger},
};

UNIT_MAIN("load_histogram", cases)
