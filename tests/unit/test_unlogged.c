/* The loop while the log is away: facts that only it would have taken wait in a table of their own, and
 * hold up nobody. */
#include "tests/unit/ping_world.h"
#include "tests/unit/unit.h"

static bool log_is_away(const struct instance *instance)
{
    struct service_state state;
    service_state(instance->service, &state);
    return state.log_away;
}

/* Every fact is bound for the log: one that comes back says that the log is not there. */
static void what_only_the_log_would_take_waits_apart(void)
{
    enum { MANY = 300 };
    start_world();
    struct instance one = start_instance("test-1");
    memory_broker_unbind(broker, "test.out");
    for (int64_t n = 1; n <= MANY; n++)
        send_ping(n);
    run(&one, 400);
    CU_ASSERT_EQUAL(seen.handled, MANY); /* and nothing was held up */
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    CU_ASSERT_EQUAL(ROWS("unlogged"), MANY);
    CU_ASSERT_TRUE(log_is_away(&one));
    kill_instance(&one);
    one = start_instance("test-2"); /* whoever comes next takes them up */
    run(&one, 400);
    CU_ASSERT_EQUAL(ROWS("outbox") + ROWS("unlogged"), MANY);
    CU_ASSERT_EQUAL(seen.pong_count, 0);
    memory_broker_rebind(broker, "test.out");
    manual_clock_advance(&manual, 10000);
    run(&one, 400);
    CU_ASSERT_FALSE(log_is_away(&one));
    CU_ASSERT_EQUAL(ROWS("outbox") + ROWS("unlogged"), 0);
    CU_ASSERT_EQUAL(seen.pong_count, MANY); /* each once */
    kill_instance(&one);
    end_world();
}

/* A transaction that fails half-way has moved nothing. */
static void a_fact_is_in_one_place_only(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    memory_broker_unbind(broker, "test.out");
    send_ping(1);
    for (int i = 0; i < 400; i++) {
        run(&one, 1);
        CU_ASSERT_TRUE(ROWS("outbox") + ROWS("unlogged") <= 1);
        if (i % 7 == 0) {
            kill_instance(&one);
            one = start_instance("test-1");
        }
    }
    CU_ASSERT_EQUAL(ROWS("outbox") + ROWS("unlogged"), 1);
    memory_broker_rebind(broker, "test.out");
    manual_clock_advance(&manual, 10000);
    run(&one, 100);
    CU_ASSERT_EQUAL(ROWS("outbox") + ROWS("unlogged"), 0);
    CU_ASSERT_TRUE(seen.pong_count >= 1);
    kill_instance(&one);
    end_world();
}

static const struct unit_case cases[] = {
    {"what only the log would take waits apart", what_only_the_log_would_take_waits_apart},
    {"a fact is in one place only", a_fact_is_in_one_place_only},
};
UNIT_MAIN("unlogged", cases)
