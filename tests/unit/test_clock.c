/* Clocks, and times as text. */
#include "common/base/clock.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
    const char *text;
    int64_t ms;
    int formats; /* 1: and this is how it is written */
} times[] = {
    {"1970-01-01T00:00:00.000Z", 0, 1},
    {"1969-12-31T23:59:59.999Z", -1, 1},
    {"1969-12-31T23:59:59.000Z", -1000, 1},
    {"2026-11-23T21:04:18.123Z", INT64_C(1795467858123), 1},
    {"2024-02-29T12:00:00.000Z", INT64_C(1709208000000), 1},
    {"2000-02-29T00:00:00.000Z", INT64_C(951782400000), 1},
    {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999), 1},
    {"2026-11-23T21:04:18Z", INT64_C(1795467858000), 0},
    {"2026-11-23T21:04:18.1Z", INT64_C(1795467858100), 0},
    {"2026-11-23T21:04:18.1239999999Z", INT64_C(1795467858123), 0},
    {"2016-12-31T23:59:60Z", INT64_C(1483228800000), 0}, /* a leap second */
    {"2017-01-01T00:59:60+01:00", INT64_C(1483228800000), 0},
    {"2026-11-23T21:04:18.123456+00:00", INT64_C(1795467858123), 0}, /* as Python writes it */
    {"2026-11-23T21:04:18-00:00", INT64_C(1795467858000), 0},
    {"2026-11-23t21:04:18.123z", INT64_C(1795467858123), 0},
    {"2026-11-24T02:34:18.123+05:30", INT64_C(1795467858123), 0},
    {"2026-11-23T11:04:18-10:00", INT64_C(1795467858000), 0},
    {"2026-11-24T21:03:18+23:59", INT64_C(1795467858000), 0},
    {"1970-01-01T00:00:00.001+00:01", INT64_C(-59999), 0},
    {"0000-01-01T00:00:00.000Z", INT64_C(-62167219200000), 1},
    {"9999-12-31T23:59:59.999-00:00", INT64_C(253402300799999), 0},
};

static void times_both_ways(void)
{
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        int64_t ms = -99;
        char text[TIME_TEXT_SIZE];
        CU_ASSERT_EQUAL(time_parse(times[i].text, &ms), 0);
        CU_ASSERT_EQUAL(ms, times[i].ms);
        time_format(times[i].ms, text);
        CU_ASSERT(!times[i].formats || strcmp(text, times[i].text) == 0);
    }
}

static void what_is_no_time(void)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-11-23",
        "2026-11-23T21:04:18",
        "2026-11-23T21:04:18+0000",
        "2026-11-23T21:04:18+00",
        "2026-11-23T21:04:18+0:00",
        "2026-11-23T21:04:18+00:0",
        "2026-11-23T21:04:18+00:000",
        "2026-11-23T21:04:18+24:00",
        "2026-11-23T21:04:18+00:60",
        "2026-11-23T21:04:18+-1:00",
        "2026-11-23T21:04:18+01:00Z",
        "2026-11-23T21:04:18Z+01:00",
        "2026-11-23T21:04:18+",
        "2026-11-23T21:04:18zz",
        "2026-11-23T21:04:18 01:00",
        "2026-11-23 21:04:18Z",
        "2026-11T23t21:04:18Z",
        "2026-11-23T21:04:18.Z",
        "2026-11-23T21:04:18.123ZZ",
        "2026-11-23T21:04:18.12-Z",
        " 2026-11-23T21:04:18Z",
        "2026-1-23T21:04:18Z",
        "-026-11-23T21:04:18Z",
        "2026-00-23T21:04:18Z",
        "2026-13-23T21:04:18Z",
        "2026-11-00T21:04:18Z",
        "2026-11-31T21:04:18Z",
        "2026-02-29T21:04:18Z",
        "1900-02-29T21:04:18Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T21:60:18Z",
        "2026-11-23T21:04:61Z",
        "9999-12-31T23:59:60Z",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T22:59:60-01:00",
        "0000-01-01T00:00:00+00:01",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t ms = -99;
        if (time_parse(texts[i], &ms) != -1 || ms != -99) {
            fprintf(stderr, "'%s' was taken for a time\n", texts[i]);
            CU_FAIL("time_parse");
        }
    }
}

static void any_time_comes_back(void)
{
    struct manual_clock clock;
    manual_clock_init(&clock, 0, 3);
    for (int i = 0; i < 20000; i++) {
        int64_t ms = (int64_t)(clock_random64(&clock.clock) % UINT64_C(253402300800000));
        int64_t again = 0;
        char text[TIME_TEXT_SIZE];
        time_format(ms, text);
        if (time_parse(text, &again) != 0 || again != ms)
            CU_FAIL("there and back");
    }
}

static void turned_by_hand(void)
{
    struct manual_clock clock;
    manual_clock_init(&clock, 5000, 1);
    int64_t mono_ms = clock_mono_ms(&clock.clock);
    CU_ASSERT_EQUAL(clock_wall_ms(&clock.clock), 5000);
    manual_clock_advance(&clock, 250);
    CU_ASSERT_EQUAL(clock_wall_ms(&clock.clock), 5250);
    CU_ASSERT_EQUAL(clock_mono_ms(&clock.clock), mono_ms + 250);
}

/* The reference sequence of splitmix64: a seed printed today must replay tomorrow. */
static void seeds_replay(void)
{
    static const uint64_t expected[] = {UINT64_C(6457827717110365317),
                                        UINT64_C(3203168211198807973),
                                        UINT64_C(9817491932198370423)};
    struct manual_clock clock;
    manual_clock_init(&clock, 0, 1234567);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(clock_random64(&clock.clock), expected[i]);
}

static void the_machines_own(void)
{
    const struct clock *clock = clock_system();
    int64_t before = clock_mono_ms(clock);
    CU_ASSERT(clock_wall_ms(clock) > INT64_C(1700000000000));
    CU_ASSERT(clock_mono_ms(clock) >= before);
    CU_ASSERT_NOT_EQUAL(clock_random64(clock), clock_random64(clock));
}

static const struct unit_case cases[] = {
    {"times, both ways", times_both_ways},
    {"what is no time", what_is_no_time},
    {"any time comes back", any_time_comes_back},
    {"turned by hand", turned_by_hand},
    {"seeds replay", seeds_replay},
    {"the machine's own", the_machines_own},
};
UNIT_MAIN("clock", cases)
