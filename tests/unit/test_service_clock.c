/* The loop under a wall clock that is put back: nothing waits longer than it was to. */
#include "tests/unit/ping_world.h"
#include "tests/unit/unit.h"

/* The wall clock alone: by a year, which nobody could wait out. */
static void put_clock_back(void)
{
    manual.wall_ms -= (int64_t)365 * 86400 * 1000;
}

static void deferred_does_not_wait_for_a_clock_put_back(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = DEFERS;
    seen.moody_about = 1;
    send_ping(1);
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("deferred"), 1);
    seen.mood = CONTENT;
    put_clock_back();
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("deferred"), 1); /* its second is not over */
    manual_clock_advance(&manual, 3000);
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("deferred"), 0);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 1);
    kill_instance(&one);
    end_world();
}

static void a_call_does_not_wait_for_a_clock_put_back(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = CALLS;
    seen.moody_about = 1;
    bell.fails = true;
    send_ping(1);
    run(&one, 5);
    CU_ASSERT_EQUAL(bell.calls, 1);
    put_clock_back();
    bell.fails = false;
    manual_clock_advance(&manual, 1000);
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("job"), 1); /* asks again from now on */
    manual_clock_advance(&manual, 1000);
    run(&one, 10);
    CU_ASSERT_EQUAL(bell.calls, 2);
    CU_ASSERT_EQUAL(ROWS("job"), 0);
    kill_instance(&one);
    end_world();
}

/* Put back while nobody ran: what another one left is not of the future for long. */
static void a_clock_put_back_at_night_is_noticed_at_start(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = CALLS;
    seen.moody_about = 1;
    bell.silent = true;
    send_ping(1);
    run(&one, 5);
    kill_instance(&one);
    CU_ASSERT_EQUAL(ROWS("job"), 1);
    CU_ASSERT_TRUE(ROWS("outbox") <= 1);
    put_clock_back();
    bell.silent = false;
    struct instance two = start_instance("test-2");
    run(&two, 5);
    CU_ASSERT_EQUAL(bell.calls, 1); /* the lease is one still */
    manual_clock_advance(&manual, 20000);
    run(&two, 20);
    CU_ASSERT_EQUAL(bell.calls, 2);
    CU_ASSERT_EQUAL(ROWS("job"), 0);
    kill_instance(&two);
    end_world();
}

static void outbox_rows_of_the_future_are_taken_up(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    send_ping(1);
    step_until_unsent(&one);
    kill_instance(&one);
    CU_ASSERT_TRUE(ROWS("outbox") > 0);
    put_clock_back();
    struct instance two = start_instance("test-2");
    manual_clock_advance(&manual, 10000);
    run(&two, 50);
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
    kill_instance(&two);
    end_world();
}

static const struct unit_case cases[] = {
    {"deferred does not wait for a clock put back", deferred_does_not_wait_for_a_clock_put_back},
    {"a call does not wait for a clock put back", a_call_does_not_wait_for_a_clock_put_back},
    {"a clock put back at night is noticed at start",
     a_clock_put_back_at_night_is_noticed_at_start},
    {"outbox rows of the future are taken up", outbox_rows_of_the_future_are_taken_up},
};

UNIT_MAIN("service clock", cases)
