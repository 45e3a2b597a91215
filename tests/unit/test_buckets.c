/* Token buckets, by a clock turned by hand. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "edge-service/buckets.h"
#include "tests/unit/unit.h"

static struct manual_clock manual;

static int64_t take(struct buckets *buckets, const char *key)
{
    return buckets_take(buckets, key, strlen(key), clock_mono_ms(&manual.clock));
}

static int taken(struct buckets *buckets, const char *key, int tries)
{
    int count = 0;
    for (int i = 0; i < tries; i++)
        count += take(buckets, key) == 0;
    return count;
}

static void savings_are_two_seconds_worth(void)
{
    manual_clock_init(&manual, 1000000, 7);
    struct buckets *buckets = buckets_new(64, 10, 3);
    CU_ASSERT_EQUAL(taken(buckets, "a", 100), 20);
    CU_ASSERT_EQUAL(taken(buckets, "b", 100), 20); /* another's are his own */
    manual_clock_advance(&manual, 1000);
    CU_ASSERT_EQUAL(taken(buckets, "a", 100), 10);
    manual_clock_advance(&manual, INT64_C(1000) * 3600 * 24 * 365 * 100);
    CU_ASSERT_EQUAL(taken(buckets, "a", 100), 20);
    buckets_free(buckets);
}

static void spend_all(struct buckets *buckets)
{
    while (take(buckets, "a") == 0)
        continue;
}

/* Nothing is left; waits as told, and takes what there is then. */
static void wait_and_take(struct buckets *buckets)
{
    int64_t wait = take(buckets, "a");
    CU_ASSERT(wait > 0 && wait <= 1000);
    if (wait > 1) {
        manual_clock_advance(&manual, wait - 1);
        CU_ASSERT_EQUAL(take(buckets, "a"), 1); /* asking costs nothing */
        wait = 1;
    }
    manual_clock_advance(&manual, wait);
    CU_ASSERT_EQUAL(take(buckets, "a"), 0);
}

static void who_waits_as_told_gets_one(void)
{
    static const int64_t rates[] = {1, 3, 7, 100, 999, 1000, 1000000};
    manual_clock_init(&manual, 1000000, 7);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct buckets *buckets = buckets_new(4, rates[i], 3);
        spend_all(buckets);
        for (int turn = 0; turn < 20; turn++) {
            wait_and_take(buckets);
            spend_all(buckets);
        }
        buckets_free(buckets);
    }
}

/* Over any time nobody spends more than the savings and the rate. */
static void nobody_spends_more_than_the_rate(void)
{
    manual_clock_init(&manual, 1000000, 7);
    struct buckets *buckets = buckets_new(64, 50, 3);
    int count = 0;
    for (int i = 0; i < 20000; i++) {
        count += take(buckets, "a") == 0;
        manual_clock_advance(&manual, (int64_t)(clock_random64(&manual.clock) % 4));
    }
    CU_ASSERT(count <= 100 + manual.mono_ms * 50 / 1000 + 1);
    CU_ASSERT(count >= manual.mono_ms * 50 / 1000 - 1);
    buckets_free(buckets);
}

/* However many come, one who is out of tokens does not get new ones by being forgotten. */
static void a_crowd_takes_the_fullest_places(void)
{
    char name[32];
    manual_clock_init(&manual, 1000000, 7);
    struct buckets *buckets = buckets_new(64, 10, 3);
    CU_ASSERT_EQUAL(taken(buckets, "a", 100), 20);
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "crowd-%d", i);
        CU_ASSERT_EQUAL(take(buckets, name), 0);
    }
    CU_ASSERT_EQUAL(taken(buckets, "a", 100), 0);
    buckets_free(buckets);
}

static const struct unit_case cases[] = {
    {"savings are two seconds' worth", savings_are_two_seconds_worth},
    {"who waits as told gets one", who_waits_as_told_gets_one},
    {"nobody spends more than the rate", nobody_spends_more_than_the_rate},
    {"a crowd takes the fullest places", a_crowd_takes_the_fullest_places},
};
UNIT_MAIN("buckets", cases)
