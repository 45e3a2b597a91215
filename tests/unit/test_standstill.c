/* Ready means moving: what stands still although nothing has failed is told after 5 s, once, and so is
 * its end. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/stall.h"
#include "common/messaging/memory_bus.h"
#include "common/messaging/service.h"
#include "common/telemetry/log.h"
#include "edge-service/edge_private.h"
#include "tests/unit/edge_bottle.h"
#include "tests/unit/ping_world.h"
#include "tests/unit/unit.h"

/* The lines of the log so far, and one that has this text. */

static FILE *lines;
static struct log written;

static void begin_log(const struct clock *clock)
{
    lines = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(lines);
    written = (struct log){.clock = clock, .service = "test", .instance = 1, .fd = fileno(lines)};
}

static int lines_with(const char *text)
{
    static char all[1 << 16];
    int count = 0;
    ssize_t size = pread(fileno(lines), all, sizeof all - 1, 0);
    all[size > 0 ? size : 0] = '\0';
    for (const char *at = all; (at = strstr(at, text)); at++)
        count++;
    return count;
}

static void a_stall_is_told_once(void)
{
    static const struct {
        bool waits, moved;
        int64_t now_ms;
        enum stall_news news;
        int64_t age_ms;
    } steps[] = {
        {true, false, 1000, STALL_NONE, 0},       {true, false, 5999, STALL_NONE, 4999},
        {true, false, 6000, STALL_BEGINS, 5000},  {true, false, 9000, STALL_NONE, 8000},
        {true, true, 9001, STALL_ENDS, 8001},     {true, false, 14000, STALL_NONE, 4999},
        {false, false, 14001, STALL_NONE, 5000},  {true, false, 20000, STALL_NONE, 0},
        {true, false, 25000, STALL_BEGINS, 5000}, {false, false, 25001, STALL_ENDS, 5001},
    };
    struct stall stall = {0};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int64_t age_ms;
        CU_ASSERT_EQUAL(
            stall_look(&stall, steps[i].waits, steps[i].moved, steps[i].now_ms, &age_ms),
            steps[i].news);
        CU_ASSERT_EQUAL(age_ms, steps[i].age_ms);
    }
}

static struct service_state state_of(const struct instance *instance)
{
    struct service_state state;
    service_state(instance->service, &state);
    return state;
}

static struct store *hold_lock(const char *database)
{
    struct store *store;
    struct err err = {""};
    CU_ASSERT_EQUAL_FATAL(store_open_sqlite(database, STORE_DURABLE, &store, &err), OK);
    CU_ASSERT_EQUAL_FATAL(store_begin(store, &err), OK);
    return store;
}

static void a_transaction_that_cannot_begin_is_told(void)
{
    start_world();
    begin_log(&manual.clock);
    ping_log = &written;
    struct instance one = start_instance("test-1");
    send_ping(1);
    run(&one, 10);
    struct store *holder = hold_lock("memdb:/service");
    send_ping(2);
    run(&one, 490); /* not 5 s yet */
    CU_ASSERT_STRING_EQUAL(state_of(&one).stall_reason, "");
    CU_ASSERT_STRING_EQUAL(state_of(&one).store_reason, "");
    CU_ASSERT_EQUAL(lines_with("standing-still"), 0);
    run(&one, 30);
    CU_ASSERT_PTR_NOT_NULL(strstr(state_of(&one).stall_reason, "transaction"));
    CU_ASSERT_PTR_NOT_NULL(strstr(state_of(&one).stall_reason, "locked"));
    CU_ASSERT(state_of(&one).stalled_ms[STALL_BEGIN] >= STALL_MS);
    CU_ASSERT(state_of(&one).oldest_ms >= STALL_MS);
    CU_ASSERT_EQUAL(lines_with("\"what\":\"transaction\""), 1);
    run(&one, 500);
    CU_ASSERT_EQUAL(lines_with("\"what\":\"transaction\""), 1);
    store_free(holder);
    run(&one, 10);
    CU_ASSERT_STRING_EQUAL(state_of(&one).stall_reason, "");
    CU_ASSERT_EQUAL(state_of(&one).stalled_ms[STALL_BEGIN], 0);
    CU_ASSERT_EQUAL(state_of(&one).oldest_ms, 0);
    CU_ASSERT_EQUAL(seen.handled, 2);
    CU_ASSERT(lines_with("moving-again") > 0);
    kill_instance(&one);
    ping_log = NULL;
    end_world();
    fclose(lines);
}

/* Nothing to do is not standing still, and neither is a deep backlog. */
static void who_moves_is_left_alone(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    run(&one, 10);
    struct store *holder = hold_lock("memdb:/service");
    run(&one, 700);
    CU_ASSERT_STRING_EQUAL(state_of(&one).stall_reason, "");
    store_free(holder);
    for (int64_t n = 1; n <= 300; n++) {
        send_ping(n);
        run(&one, 5);
        CU_ASSERT_STRING_EQUAL(state_of(&one).stall_reason, "");
    }
    kill_instance(&one);
    end_world();
}

static bool hold_confirms;

static uint64_t hold(void *context, enum memory_fault fault, uint64_t of)
{
    (void)context;
    return hold_confirms && fault == MEMORY_HOLD_CONFIRM && of > 0;
}

static void publishes_that_nobody_confirms_are_told(void)
{
    start_world();
    memory_broker_choose(broker, &(struct memory_chooser){hold, NULL});
    hold_confirms = true;
    struct instance one = start_instance("test-1");
    send_ping(1);
    run(&one, 490);
    CU_ASSERT_STRING_EQUAL(state_of(&one).stall_reason, "");
    run(&one, 30);
    CU_ASSERT_PTR_NOT_NULL(strstr(state_of(&one).stall_reason, "publishes"));
    CU_ASSERT(state_of(&one).stalled_ms[STALL_PUBLISHES] >= STALL_MS);
    hold_confirms = false;
    run(&one, 10);
    CU_ASSERT_STRING_EQUAL(state_of(&one).stall_reason, "");
    kill_instance(&one);
    end_world();
}

static struct bottle b;
static struct outcome outcome;

static struct edge_state state_of_edge(void)
{
    struct edge_state state;
    edge_state(b.edge, &state);
    return state;
}

static void the_edge_likewise(void)
{
    bottle_open(&b);
    struct store *holder = hold_lock(b.database);
    bottle_placed(&b, edge_order_id(ALICE, "k").text, ALICE, NULL);
    bottle_run(&b, 2);
    CU_ASSERT_NOT_EQUAL(state_of_edge().reason[0], '\0'); /* at once: the batch is rolled back */
    manual_clock_advance(&b.clock, STALL_MS);
    bottle_run(&b, 1);
    CU_ASSERT(state_of_edge().stalled_ms[EDGE_STALL_BEGIN] >= STALL_MS);
    CU_ASSERT(state_of_edge().oldest_ms >= STALL_MS);
    store_free(holder);
    manual_clock_advance(&b.clock, STALL_MS);
    bottle_run(&b, 2);
    CU_ASSERT_STRING_EQUAL(state_of_edge().reason, "");
    CU_ASSERT_EQUAL(state_of_edge().stalled_ms[EDGE_STALL_BEGIN], 0);
    CU_ASSERT_EQUAL(state_of_edge().oldest_ms, 0);
    bottle_close(&b);
}

static void commands_that_nobody_confirms_are_told(void)
{
    bottle_open(&b);
    bottle_kill(&b);
    b.limits = (struct edge_limits){.deadline_ms = 60000};
    bottle_start(&b);
    bottle_run(&b, 2);
    b.chances[MEMORY_HOLD_CONFIRM] = 1;
    place(&b, ALICE, "k", 1, &outcome);
    bottle_run(&b, 2);
    CU_ASSERT_STRING_EQUAL(state_of_edge().reason, "");
    CU_ASSERT(edge_standstill_due_ms(b.edge) <= b.clock.mono_ms + STALL_MS); /* it wakes for that */
    manual_clock_advance(&b.clock, STALL_MS);
    bottle_run(&b, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(state_of_edge().reason, "stalled: publishes"));
    CU_ASSERT_EQUAL(outcome.calls, 0); /* it has more patience than that */
    b.chances[MEMORY_HOLD_CONFIRM] = 0;
    bottle_run(&b, 2);
    CU_ASSERT_STRING_EQUAL(state_of_edge().reason, "");
    CU_ASSERT_EQUAL(outcome.verdict, EDGE_ACCEPTED);
    bottle_close(&b);
}

static const struct unit_case cases[] = {
    {"a stall is told once", a_stall_is_told_once},
    {"a transaction that cannot begin is told", a_transaction_that_cannot_begin_is_told},
    {"who moves is left alone", who_moves_is_left_alone},
    {"publishes that nobody confirms are told", publishes_that_nobody_confirms_are_told},
    {"the edge likewise", the_edge_likewise},
    {"commands that nobody confirms are told", commands_that_nobody_confirms_are_told},
};

UNIT_MAIN("standstill", cases)
