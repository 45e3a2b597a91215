/* The loop, on the broker in memory and a database in memory: what becomes of a message whatever the
 * handler says, whenever the process dies. */
#include <stdio.h>
#include <string.h>

#include "common/messaging/memory_bus.h"
#include "common/messaging/quarantine.h"
#include "common/messaging/service.h"
#include "common/store/engine.h"
#include "tests/unit/ping_world.h"
#include "tests/unit/unit.h"

static void handled_and_relayed(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    for (int64_t n = 1; n <= 5; n++)
        send_ping(n);
    run(&one, 20);
    CU_ASSERT_EQUAL(seen.handled, 5);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 15);
    CU_ASSERT_EQUAL(seen.pong_count, 5);
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    CU_ASSERT_EQUAL(ROWS("inbox"), 5);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    kill_instance(&one);
    end_world();
}

static void a_duplicate_is_skipped(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    send_ping(1);
    run(&one, 10);
    send_ping(1);
    run(&one, 10);
    CU_ASSERT_EQUAL(seen.handled, 1);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    kill_instance(&one);
    end_world();
}

static void poison_holds_nobody_up(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    send_ping(1);
    send_body("", "{not json");
    send_body("", "{\"specversion\":\"1.0\"}");
    send_body("", "");
    send_ping(2);
    run(&one, 10);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 3);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 3);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    kill_instance(&one);
    end_world();
}

static void refused(enum mood mood)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = mood;
    seen.moody_about = 2;
    for (int64_t n = 1; n <= 3; n++)
        send_ping(n);
    run(&one, 20);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 4); /* nothing of number 2 */
    CU_ASSERT_EQUAL(seen.pong_count, 2);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 1);
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM quarantine WHERE reason LIKE '%never%'"), 1);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    kill_instance(&one);
    end_world();
}

static void invalid_goes_to_quarantine(void)
{
    refused(REFUSES);
}

static void invalid_after_writing_leaves_no_trace(void)
{
    refused(REFUSES_AFTER_WRITING);
    CU_ASSERT_TRUE(seen.forgotten > 0);
}

static void deferred_runs_again_and_passes(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = DEFERS;
    seen.moody_about = 1;
    send_ping(1);
    send_ping(2);
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("deferred"), 1);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 2);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    seen.mood = CONTENT;
    manual_clock_advance(&manual, 3000);
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("deferred"), 0);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 3);
    kill_instance(&one);
    end_world();
}

static void deferred_too_often_is_quarantined(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = DEFERS;
    seen.moody_about = 1;
    send_ping(1);
    for (int i = 0; i < 10; i++) {
        run(&one, 5);
        manual_clock_advance(&manual, 1300000);
    }
    CU_ASSERT_EQUAL(ROWS("deferred"), 0);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 1);
    CU_ASSERT_EQUAL(number("SELECT attempts FROM quarantine"), 6);
    kill_instance(&one);
    end_world();
}

static void conflict_runs_again_at_once(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = CONFLICTS_ONCE;
    seen.moody_about = 2;
    for (int64_t n = 1; n <= 3; n++)
        send_ping(n);
    run(&one, 10);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 6);
    CU_ASSERT_EQUAL(ROWS("total"), 3);
    CU_ASSERT_EQUAL(seen.pong_count, 3);
    CU_ASSERT_EQUAL(seen.forgotten, 1);
    kill_instance(&one);
    end_world();
}

static uint64_t settled(struct service *service, enum message_outcome outcome)
{
    return service_numbers(service)->messages[0][outcome];
}

static void a_failing_store_blames_nobody(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = BREAKS_STORE;
    seen.moody_about = 1;
    send_ping(1);
    send_ping(2);
    run(&one, 20);
    CU_ASSERT_EQUAL(ROWS("total"), 0);
    CU_ASSERT_EQUAL(ROWS("inbox"), 0);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 2); /* nothing acknowledged */
    struct service_state state;
    service_state(one.service, &state);
    CU_ASSERT_TRUE(state.store_reason[0] != '\0');
    CU_ASSERT_EQUAL(settled(one.service, OUTCOME_HANDLED), 0); /* rolled back */
    seen.mood = CONTENT;
    manual_clock_advance(&manual, 20000);
    run(&one, 10);
    service_state(one.service, &state);
    CU_ASSERT_STRING_EQUAL(state.store_reason, "");
    CU_ASSERT_EQUAL(settled(one.service, OUTCOME_HANDLED), 2);
    CU_ASSERT_EQUAL(ROWS("total"), 2);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 0);
    kill_instance(&one);
    end_world();
}

/* Dies after so many steps; what follows must find everything done once. */
static void dies_after(int steps_taken)
{
    start_world();
    struct instance one = start_instance("test-1");
    for (int64_t n = 1; n <= 4; n++)
        send_ping(n);
    for (int i = 0; i < steps_taken; i++)
        service_step(one.service);
    kill_instance(&one);
    one = start_instance("test-1");
    run(&one, 60);
    CU_ASSERT_EQUAL(ROWS("total"), 4);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 10);
    CU_ASSERT_TRUE(seen.pong_count >= 4); /* a fact may be said twice, never lost */
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    CU_ASSERT_EQUAL(ROWS("alone"), 0);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    kill_instance(&one);
    end_world();
}

/* An engine that commits once and says that it could not. */
static const struct store_ops *honest;
static bool lies;

static enum result commit_and_lie(struct store *store, struct err *err)
{
    enum result result = honest->commit(store, err);
    if (!lies)
        return result;
    lies = false;
    return err_set(err, RETRY, "the connection was lost during COMMIT");
}

/* What it left goes out at once, before what comes after it, and nothing is done twice. */
static void the_answer_to_a_commit_gets_lost(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    run(&one, 5);
    honest = one.store->ops;
    struct store_ops lying = *honest;
    lying.commit = commit_and_lie;
    one.store->ops = &lying;
    lies = true;
    seen.mood = CALLS;
    seen.moody_about = 3;
    for (int64_t n = 1; n <= 3; n++)
        send_ping(n);
    for (int rounds = 0; lies && rounds < 10; rounds++)
        run(&one, 1);
    CU_ASSERT_EQUAL(ROWS("inbox"), 3);
    CU_ASSERT_EQUAL(seen.pong_count, 0);
    send_ping(4);
    send_ping(5);
    run(&one, 20); /* far less than it takes until somebody takes over */
    CU_ASSERT_EQUAL(seen.handled, 5);
    CU_ASSERT_EQUAL(settled(one.service, OUTCOME_DUPLICATE), 3);
    CU_ASSERT_EQUAL(bell.calls, 1);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 912);
    CU_ASSERT_EQUAL(seen.pong_count, 5);
    for (int i = 0; i < 4; i++) /* by the time in their ids */
        CU_ASSERT(strncmp(seen.pongs[i / 2], seen.pongs[2 + i % 2], 13) < 0);
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    CU_ASSERT_EQUAL(ROWS("job"), 0);
    kill_instance(&one);
    end_world();
}

static void death_between_any_two_phases(void)
{
    for (int steps_taken = 0; steps_taken < 6 * PHASE_COUNT; steps_taken++)
        dies_after(steps_taken);
}

static void what_the_dead_left_is_taken_over(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    send_ping(1);
    step_until_unsent(&one);
    kill_instance(&one); /* committed, not relayed, and it does not come back */
    struct instance two = start_instance("test-2");
    run(&two, 10);
    CU_ASSERT_EQUAL(seen.pong_count, 0); /* its owner may still be alive */
    manual_clock_advance(&manual, 10000);
    run(&two, 20);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    kill_instance(&two);
    end_world();
}

static void a_returned_publish_goes_out_again(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    memory_broker_unbind(broker, "test.out");
    send_ping(1);
    run(&one, 20);
    struct service_state state;
    service_state(one.service, &state);
    CU_ASSERT_TRUE(state.returned > 0);
    CU_ASSERT_EQUAL(ROWS("outbox"), 1);
    memory_broker_rebind(broker, "test.out");
    manual_clock_advance(&manual, 20000);
    run(&one, 20);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    kill_instance(&one);
    end_world();
}

static void what_is_counted(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    struct service_rows rows;
    seen.mood = REFUSES_AFTER_WRITING; /* the batch is rolled back and run again */
    seen.moody_about = 2;
    for (int64_t n = 1; n <= 3; n++)
        send_ping(n);
    send_ping(1);
    run(&one, 20);
    seen.mood = DEFERS;
    seen.moody_about = 4;
    send_ping(4);
    run(&one, 20);
    CU_ASSERT_EQUAL(settled(one.service, OUTCOME_HANDLED), 2);
    CU_ASSERT_EQUAL(settled(one.service, OUTCOME_DUPLICATE), 1);
    CU_ASSERT_EQUAL(settled(one.service, OUTCOME_QUARANTINED), 1);
    CU_ASSERT_EQUAL(settled(one.service, OUTCOME_DEFERRED), 1);
    CU_ASSERT_EQUAL(service_rows(one.service, &rows, NULL), OK);
    CU_ASSERT_EQUAL(rows.quarantined, 1);
    CU_ASSERT_EQUAL(rows.deferred, 1);
    CU_ASSERT_EQUAL(rows.outbox, 0);
    kill_instance(&one);
    end_world();
}

/* The trace of ping 1 is in the answer's pong, whoever hears the answer. */
static void a_call_keeps_the_trace(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = CALLS;
    seen.moody_about = 1;
    bell.silent = true;
    send_ping(1);
    run(&one, 5);
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM job WHERE traceparent = "
                           "'00-00000000000000000000000000000001-00000000000000aa-01'"),
                    1);
    struct service_rows rows;
    CU_ASSERT_EQUAL(service_rows(one.service, &rows, NULL), OK);
    CU_ASSERT_EQUAL(rows.jobs, 1);
    kill_instance(&one);
    end_world();
}

static void each_message_is_a_span_of_its_cause_trace(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    send_ping(1);
    step_until_unsent(&one);
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM outbox WHERE traceparent LIKE "
                           "'00-00000000000000000000000000000001-%-01'"),
                    ROWS("outbox"));
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM outbox WHERE traceparent LIKE '%00aa-01'"), 0);
    CU_ASSERT_TRUE(ROWS("outbox") > 0);
    kill_instance(&one);
    end_world();
}

static void a_call_is_made_until_it_is_answered(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = CALLS;
    seen.moody_about = 1;
    bell.silent = true;
    send_ping(1);
    run(&one, 10);
    CU_ASSERT_EQUAL(bell.calls, 1);
    CU_ASSERT_EQUAL(ROWS("job"), 1);
    manual_clock_advance(&manual, 3100); /* no answer in time: unknown, again with the same key */
    run(&one, 5);
    CU_ASSERT_EQUAL(seen.answered, 1);
    bell.silent = false;
    bell.fails = true;
    manual_clock_advance(&manual, 1000);
    run(&one, 5);
    CU_ASSERT_EQUAL(bell.calls, 2);
    CU_ASSERT_STRING_EQUAL(seen.last_key, "ring:1");
    bell.fails = false;
    manual_clock_advance(&manual, 3000);
    run(&one, 10);
    CU_ASSERT_EQUAL(bell.calls, 3);
    CU_ASSERT_EQUAL(ROWS("job"), 0);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 900);
    kill_instance(&one);
    end_world();
}

static void a_call_survives_its_caller(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = CALLS;
    seen.moody_about = 1;
    bell.silent = true;
    send_ping(1);
    run(&one, 5);
    kill_instance(&one);
    bell.silent = false;
    bell.job_id[0] = '\0';
    one = start_instance("test-1");
    run(&one, 10);
    CU_ASSERT_EQUAL(bell.calls, 2);
    CU_ASSERT_EQUAL(ROWS("job"), 0);
    kill_instance(&one);
    end_world();
}

static void a_killer_is_quarantined(void)
{
    int deaths = 0;
    start_world();
    seen.mood = KILLS;
    seen.moody_about = 1;
    send_ping(1);
    send_ping(2);
    struct instance one = start_instance("test-1");
    for (int steps_taken = 0; steps_taken < 2000; steps_taken++) {
        service_step(one.service);
        manual_clock_advance(&manual, 1);
        if (!seen.killed)
            continue;
        seen.killed = false; /* before the commit */
        deaths++;
        kill_instance(&one);
        one = start_instance("test-1");
    }
    CU_ASSERT_EQUAL(deaths, 1 + 10);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 1);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 2); /* its neighbour is innocent */
    CU_ASSERT_EQUAL(ROWS("alone"), 0);
    kill_instance(&one);
    end_world();
}

/* Quarantined, redriven: it may kill again, but not for ever, and nobody beside it. */
static void a_redriven_killer_is_quarantined(void)
{
    int deaths = 0;
    struct err err = {{0}};
    int64_t moved = 0;
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = REFUSES;
    seen.moody_about = 1;
    send_ping(1);
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 1);
    seen.mood = KILLS;
    CU_ASSERT_EQUAL(
        quarantine_redrive(one.store, QUARANTINE_ALL, clock_wall_ms(&manual.clock), &moved, &err),
        OK);
    CU_ASSERT_EQUAL(moved, 1);
    for (int steps_taken = 0; steps_taken < 20000; steps_taken++) {
        if (steps_taken % 1000 == 0)
            send_ping(2 + steps_taken / 1000);
        service_step(one.service);
        manual_clock_advance(&manual, 1);
        if (!seen.killed)
            continue;
        seen.killed = false;
        deaths++;
        kill_instance(&one);
        one = start_instance("test-1");
    }
    run(&one, 10);
    CU_ASSERT_EQUAL(deaths, 10);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 1);
    CU_ASSERT_EQUAL(ROWS("deferred"), 0);
    CU_ASSERT_EQUAL(ROWS("alone"), 0);
    CU_ASSERT_EQUAL(ROWS("total"), 20);
    kill_instance(&one);
    end_world();
}

/* What another process moves into `deferred` is noticed within two seconds, though this instance had
 * nothing deferred; the inbox, which has seen it, is not asked; and it runs once. */
static void a_redriven_message_runs_soon(void)
{
    struct err err = {{0}};
    int64_t moved = 0;
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = REFUSES;
    seen.moody_about = 1;
    send_ping(1);
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("inbox"), 1);
    seen.mood = CONTENT;
    CU_ASSERT_EQUAL(quarantine_redrive(one.store, 1, clock_wall_ms(&manual.clock), &moved, &err),
                    OK);
    run(&one, 200); /* of 10 ms each */
    CU_ASSERT_EQUAL(ROWS("quarantine"), 0);
    CU_ASSERT_EQUAL(ROWS("deferred"), 0);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 1);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
    send_ping(1);
    run(&one, 200);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 1);
    kill_instance(&one);
    end_world();
}

/* Undecodable once is undecodable always: it comes back with a fresh row, and there is no loop. */
static void redriven_poison_comes_back(void)
{
    struct err err = {{0}};
    int64_t moved = 0;
    start_world();
    struct instance one = start_instance("test-1");
    send_body("", "{not json");
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 1);
    CU_ASSERT_EQUAL(quarantine_redrive(one.store, 1, clock_wall_ms(&manual.clock), &moved, &err),
                    OK);
    run(&one, 500);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 1);
    CU_ASSERT_EQUAL(number("SELECT number FROM quarantine"), 2);
    CU_ASSERT_EQUAL(ROWS("deferred"), 0);
    CU_ASSERT_EQUAL(ROWS("alone"), 0);
    kill_instance(&one);
    end_world();
}

static void drains(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    send_ping(1);
    step_until_unsent(&one);
    service_drain(one.service);
    CU_ASSERT_FALSE(service_drained(one.service));
    send_ping(2);
    run(&one, 10);
    CU_ASSERT_TRUE(service_drained(one.service));
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    CU_ASSERT_EQUAL(ROWS("total"), 1); /* the second is left to others */
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 1);
    kill_instance(&one);
    end_world();
}

/* What has arrived before is worked on, so that nobody gets it again. */
static void drains_what_is_in_hand(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    run(&one, 5);
    for (int64_t n = 1; n <= 3; n++)
        send_ping(n);
    CU_ASSERT_EQUAL(service_step(one.service), PHASE_PUMP);
    service_drain(one.service);
    CU_ASSERT_FALSE(service_drained(one.service));
    run(&one, 10);
    CU_ASSERT_TRUE(service_drained(one.service));
    CU_ASSERT_EQUAL(seen.handled, 3);
    kill_instance(&one);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    end_world();
}

static const struct unit_case cases[] = {
    {"handled and relayed", handled_and_relayed},
    {"a duplicate is skipped", a_duplicate_is_skipped},
    {"poison holds nobody up", poison_holds_nobody_up},
    {"invalid goes to quarantine", invalid_goes_to_quarantine},
    {"invalid after writing leaves no trace", invalid_after_writing_leaves_no_trace},
    {"deferred runs again and passes", deferred_runs_again_and_passes},
    {"deferred too often is quarantined", deferred_too_often_is_quarantined},
    {"conflict runs again at once", conflict_runs_again_at_once},
    {"a failing store blames nobody", a_failing_store_blames_nobody},
    {"what is counted", what_is_counted},
    {"a call keeps the trace", a_call_keeps_the_trace},
    {"each message is a span of its cause's trace", each_message_is_a_span_of_its_cause_trace},
    {"the answer to a commit gets lost", the_answer_to_a_commit_gets_lost},
    {"death between any two phases", death_between_any_two_phases},
    {"what the dead left is taken over", what_the_dead_left_is_taken_over},
    {"a returned publish goes out again", a_returned_publish_goes_out_again},
    {"a call is made until it is answered", a_call_is_made_until_it_is_answered},
    {"a call survives its caller", a_call_survives_its_caller},
    {"a killer is quarantined", a_killer_is_quarantined},
    {"a redriven killer is quarantined", a_redriven_killer_is_quarantined},
    {"a redriven message runs soon", a_redriven_message_runs_soon},
    {"redriven poison comes back", redriven_poison_comes_back},
    {"drains", drains},
    {"drains what is in hand", drains_what_is_in_hand},
};
UNIT_MAIN("service", cases)
