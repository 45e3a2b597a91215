/* The alert's window: against the examples of its description, and against a second statement of it
 * on any sequence of failures, in order and out of order. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "notification-service/window.h"
#include "tests/unit/unit.h"

enum { LIFE = 200 };

/* All failures so far, sorted, and all alerts. */
struct life {
    int64_t at[LIFE];
    size_t count;
    int64_t alerts[LIFE];
    size_t alert_count;
    int64_t last_count;
};

static size_t place_of(const struct life *life, int64_t at)
{
    size_t i = 0;
    while (i < life->count && life->at[i] <= at)
        i++;
    return i;
}

/* As the store does: the nearest of each side. */
static struct window around(const struct life *life, size_t place, int64_t at)
{
    struct window window = {.at = at};
    for (size_t i = place; i > 0 && window.before_count < WINDOW_REACH; i--)
        window.before[window.before_count++] = life->at[i - 1];
    for (size_t i = place; i < life->count && window.after_count < WINDOW_REACH; i++)
        window.after[window.after_count++] = life->at[i];
    return window;
}

/* How many alerts this failure raises. */
static size_t fail_at(struct life *life, int64_t at)
{
    struct window_alert alerts[WINDOW_FAILURES];
    size_t place = place_of(life, at);
    struct window window = around(life, place, at);
    size_t raised = window_alerts(&window, alerts);
    for (size_t i = 0; i < raised; i++) {
        life->alerts[life->alert_count++] = alerts[i].at_ms;
        life->last_count = alerts[i].count;
    }
    memmove(&life->at[place + 1], &life->at[place], (life->count - place) * sizeof life->at[0]);
    life->at[place] = at;
    life->count++;
    return raised;
}

static void four_raise_nothing_the_fifth_does(void)
{
    struct life life = {.count = 0};
    for (int64_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(fail_at(&life, 1000 * i), 0);
    CU_ASSERT_EQUAL(fail_at(&life, 4000), 1);
    CU_ASSERT_EQUAL(life.alerts[0], 4000);
    CU_ASSERT_EQUAL(life.last_count, 5);
    for (int64_t i = 5; i < 100; i++)
        CU_ASSERT_EQUAL(fail_at(&life, 1000 * i), 0);
}

static void the_window_is_a_minute_and_no_more(void)
{
    struct life life = {.count = 0}, tight = {.count = 0};
    for (int64_t i = 0; i < 4; i++) {
        (void)fail_at(&life, i);
        (void)fail_at(&tight, i);
    }
    CU_ASSERT_EQUAL(fail_at(&life, 60000), 0); /* the first is just out */
    CU_ASSERT_EQUAL(fail_at(&tight, 59999), 1);
}

static void after_a_quiet_while_it_takes_five_again(void)
{
    struct life life = {.count = 0};
    for (int64_t i = 0; i < 10; i++)
        (void)fail_at(&life, 1000 * i);
    CU_ASSERT_EQUAL(life.alert_count, 1);
    for (int64_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(fail_at(&life, 80000 + 1000 * i), 0);
    CU_ASSERT_EQUAL(fail_at(&life, 84000), 1);
    CU_ASSERT_EQUAL(fail_at(&life, 85000), 0);
    CU_ASSERT_EQUAL(life.alert_count, 2);
}

static void five_at_the_same_time_count(void)
{
    struct life life = {.count = 0};
    for (int64_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(fail_at(&life, 7), 0);
    CU_ASSERT_EQUAL(fail_at(&life, 7), 1);
    CU_ASSERT_EQUAL(fail_at(&life, 7), 0);
}

static void a_late_one_raises_what_it_completes(void)
{
    struct life life = {.count = 0};
    for (int64_t i = 0; i < 4; i++)
        (void)fail_at(&life, 10000 * (i + 1));
    CU_ASSERT_EQUAL(fail_at(&life, 5000), 1); /* now 40000 is the fifth within a minute */
    CU_ASSERT_EQUAL(life.alerts[0], 40000);
    CU_ASSERT_EQUAL(fail_at(&life, 4000), 0); /* joins the episode */
}

/* --- the second statement ------------------------------------------------------------ */

static bool hot(const struct life *life, size_t i)
{
    size_t within = 0;
    for (size_t j = 0; j <= i; j++)
        within += life->at[i] - life->at[j] < WINDOW_MS;
    return within >= WINDOW_FAILURES;
}

/* Episodes by the description, and how many of them hold an alert. */
static size_t count_episodes(const struct life *life, size_t *ret_told)
{
    size_t episodes = 0;
    *ret_told = 0;
    for (size_t i = 0; i < life->count; i++) {
        size_t end = i;
        while (end < life->count && hot(life, end))
            end++;
        if (end == i)
            continue;
        episodes++;
        bool told = false;
        for (size_t a = 0; a < life->alert_count; a++)
            told = told || (life->alerts[a] >= life->at[i] && life->alerts[a] <= life->at[end - 1]);
        *ret_told += told;
        i = end;
    }
    return episodes;
}

static void any_sequence_in_order(void)
{
    struct manual_clock clock;
    manual_clock_init(&clock, 0, 42);
    size_t total = 0;
    for (int run = 0; run < 2000; run++) {
        struct life life = {.count = 0};
        int64_t at = 0, spread = (int64_t)(clock_random64(&clock.clock) % 40000) + 1;
        for (int i = 0; i < 60; i++) {
            at += (int64_t)(clock_random64(&clock.clock) % (uint64_t)spread);
            (void)fail_at(&life, at);
        }
        size_t told, episodes = count_episodes(&life, &told);
        CU_ASSERT_EQUAL(life.alert_count, episodes);
        CU_ASSERT_EQUAL(told, episodes);
        total += episodes;
    }
    CU_ASSERT(total > 2000);
}

static void any_sequence_out_of_order(void)
{
    struct manual_clock clock;
    manual_clock_init(&clock, 0, 43);
    size_t total = 0;
    for (int run = 0; run < 2000; run++) {
        struct life life = {.count = 0};
        uint64_t span = clock_random64(&clock.clock) % 2000000 + 1;
        for (int i = 0; i < 60; i++) {
            (void)fail_at(&life, (int64_t)(clock_random64(&clock.clock) % span));
            size_t told, episodes = count_episodes(&life, &told);
            CU_ASSERT_EQUAL(told, episodes); /* none untold, at any time */
            total += episodes;
        }
    }
    CU_ASSERT(total > 2000);
}

static const struct unit_case cases[] = {
    {"four raise nothing, the fifth does", four_raise_nothing_the_fifth_does},
    {"the window is a minute and no more", the_window_is_a_minute_and_no_more},
    {"after a quiet while it takes five again", after_a_quiet_while_it_takes_five_again},
    {"five at the same time count", five_at_the_same_time_count},
    {"a late one raises what it completes", a_late_one_raises_what_it_completes},
    {"any sequence, in order", any_sequence_in_order},
    {"any sequence, out of order", any_sequence_out_of_order},
};
UNIT_MAIN("failure window", cases)
