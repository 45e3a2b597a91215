/* What was said once is said again: the same bytes, whoever says them and whenever. */
#include <string.h>

#include "tests/unit/ping_world.h"
#include "tests/unit/unit.h"

/* Ping 1 is answered, and the answer kept. */
static void answer_and_keep(struct instance *one)
{
    seen.mood = KEEPS;
    seen.moody_about = 1;
    send_ping(1);
    run(one, 10);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
}

static void ask_again(enum mood mood, int64_t n)
{
    seen.mood = mood;
    seen.moody_about = n;
    memset(&seen.heard, 0, sizeof seen.heard);
    send_ping(n);
}

static void check_heard_is_kept(void)
{
    CU_ASSERT_STRING_EQUAL(seen.heard.id, seen.kept.id);
    CU_ASSERT_EQUAL_FATAL(seen.heard.size, seen.kept.size);
    CU_ASSERT(memcmp(seen.heard.body, seen.kept.body, seen.kept.size) == 0);
}

static void what_is_kept_is_what_was_said(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    answer_and_keep(&one);
    check_heard_is_kept();
    CU_ASSERT_EQUAL(service_numbers(one.service)->repeats[0], 0);
    CU_ASSERT_STRING_EQUAL(seen.kept.exchange, EXCHANGE_EVENTS);
    CU_ASSERT_STRING_EQUAL(seen.kept.type, "test.pong");
    CU_ASSERT_STRING_EQUAL(seen.kept.subject, "pong");
    CU_ASSERT_PTR_NOT_NULL(strstr(seen.kept.body, seen.kept.traceparent));
    kill_instance(&one);
    end_world();
}

/* Days later, for another message with another trace, by another process. */
static void said_again(enum mood mood)
{
    start_world();
    struct instance one = start_instance("test-1");
    answer_and_keep(&one);
    kill_instance(&one);
    manual_clock_advance(&manual, 3 * 86400 * 1000);
    one = start_instance("test-1");
    ask_again(mood, 2);
    run(&one, 10);
    CU_ASSERT_EQUAL(seen.pong_count, 2);
    check_heard_is_kept();
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    CU_ASSERT_EQUAL(ROWS("fact"), 1);
    CU_ASSERT_EQUAL(service_numbers(one.service)->repeats[0], 1);
    kill_instance(&one);
    end_world();
}

static void said_again_byte_for_byte(void)
{
    said_again(SAYS_AGAIN);
}

static void said_again_from_the_table(void)
{
    said_again(SAYS_KEPT);
}

/* Nobody keeps it: the message that asks for it fails, and says so. */
static void what_is_not_kept_is_not_found(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    answer_and_keep(&one);
    seen.kept.position = 99;
    ask_again(SAYS_KEPT, 2);
    run(&one, 10);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM quarantine WHERE reason LIKE '%fact 99%'"), 1);
    kill_instance(&one);
    end_world();
}

/* A position is never used twice, in the table as in the outbox. */
static void many_are_kept(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = KEEPS;
    for (int64_t n = 1; n <= 20; n++) {
        seen.moody_about = n;
        send_ping(n);
        run(&one, 3);
    }
    CU_ASSERT_EQUAL(ROWS("fact"), 20);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 0);
    kill_instance(&one);
    end_world();
}

/* Its row carries what the first one did, and survives whoever put it in. */
static void waits_in_the_outbox(enum mood mood)
{
    start_world();
    struct instance one = start_instance("test-1");
    answer_and_keep(&one);
    manual_clock_advance(&manual, 60000);
    ask_again(mood, 2);
    step_until_unsent(&one);
    CU_ASSERT_EQUAL(number("SELECT max(time_ms) FROM outbox"), seen.kept.time_ms);
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM outbox WHERE traceparent LIKE '00-%0001-%'"), 1);
    kill_instance(&one);
    one = start_instance("test-1");
    run(&one, 20);
    check_heard_is_kept();
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    kill_instance(&one);
    end_world();
}

static void waits_in_the_outbox_as_any_other(void)
{
    waits_in_the_outbox(SAYS_AGAIN);
    waits_in_the_outbox(SAYS_KEPT);
}

/* An old message in a young row: its owner is alive, and nobody takes it over or calls it late. */
static void is_not_taken_for_left_behind(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    struct instance two = start_instance("test-2");
    answer_and_keep(&one);
    run(&two, 1);
    manual_clock_advance(&manual, 3 * 86400 * 1000);
    ask_again(SAYS_AGAIN, 2);
    step_until_unsent(&one);
    struct service_rows rows;
    CU_ASSERT_EQUAL(service_rows(one.service, &rows, NULL), OK);
    CU_ASSERT(rows.outbox_oldest_ms > manual.wall_ms - 1000);
    run(&two, 20);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
    manual_clock_advance(&manual, 10000); /* but when its owner is gone, somebody does */
    run(&two, 300);
    CU_ASSERT_EQUAL(seen.pong_count, 2);
    kill_instance(&one);
    kill_instance(&two);
    end_world();
}

static const struct unit_case cases[] = {
    {"what is kept is what was said", what_is_kept_is_what_was_said},
    {"said again byte for byte", said_again_byte_for_byte},
    {"said again from the table", said_again_from_the_table},
    {"what is not kept is not found", what_is_not_kept_is_not_found},
    {"many are kept", many_are_kept},
    {"waits in the outbox as any other", waits_in_the_outbox_as_any_other},
    {"is not taken for left behind", is_not_taken_for_left_behind},
};
UNIT_MAIN("say again", cases)
