/* What chaos does, and when, from a seed alone; and the clocks that it sets wrong. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/chaos_plan.h"
#include "cli/fake_clock.h"
#include "cli/files.h"
#include "common/base/buf.h"
#include "tests/unit/unit.h"

enum { SERVICES = 4, DURATION_MS = 600000 };

static struct chaos_plan plan, other;

static void make(uint64_t seed, const char *names, struct chaos_plan *ret_plan)
{
    bool kinds[CHAOS_KINDS];
    CU_ASSERT_EQUAL_FATAL(chaos_kinds_read(names, kinds, NULL), OK);
    chaos_plan_make(seed, DURATION_MS, kinds, SERVICES, ret_plan);
}

static bool same(const struct chaos_plan *a, const struct chaos_plan *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct chaos_fault *x = &a->faults[i];
        const struct chaos_fault *y = &b->faults[i];
        if (x->at_ms != y->at_ms || x->hold_ms != y->hold_ms || x->kind != y->kind ||
            x->target != y->target || x->offset_ms != y->offset_ms || x->stays != y->stays)
            return false;
    }
    return a->count == b->count;
}

static void names_are_read(void)
{
    bool kinds[CHAOS_KINDS];
    CU_ASSERT_EQUAL_FATAL(chaos_kinds_read("disk-full,kill", kinds, NULL), OK);
    for (int i = 0; i < CHAOS_KINDS; i++)
        CU_ASSERT_EQUAL(kinds[i], i == CHAOS_KILL || i == CHAOS_DISK_FULL);
    CU_ASSERT_EQUAL_FATAL(chaos_kinds_read("all", kinds, NULL), OK);
    for (int i = 0; i < CHAOS_KINDS; i++)
        CU_ASSERT_TRUE(kinds[i]);
    for (int i = 0; i < CHAOS_KINDS; i++) {
        CU_ASSERT_EQUAL_FATAL(chaos_kinds_read(chaos_kind_names[i], kinds, NULL), OK);
        for (int j = 0; j < CHAOS_KINDS; j++)
            CU_ASSERT_EQUAL(kinds[j], i == j);
    }
}

static void what_is_no_name_is_refused(void)
{
    static const char *const bad[] = {"", "kill,", ",kill", "kil", "kills", "clock,disk", "All"};
    bool kinds[CHAOS_KINDS];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(chaos_kinds_read(bad[i], kinds, NULL), INVALID);
}

static void the_seed_decides(void)
{
    make(7, "all", &plan);
    make(7, "all", &other);
    CU_ASSERT_TRUE(same(&plan, &other));
    make(8, "all", &other);
    CU_ASSERT_FALSE(same(&plan, &other));
}

static void every_kind_comes_before_any_comes_again(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        make(seed, "all", &plan);
        for (size_t round = 0; round + CHAOS_KINDS <= plan.count; round += CHAOS_KINDS) {
            unsigned met = 0;
            for (size_t i = round; i < round + CHAOS_KINDS; i++)
                met |= 1U << plan.faults[i].kind;
            CU_ASSERT_EQUAL(met, (1U << CHAOS_KINDS) - 1);
        }
    }
}

static void only_the_kinds_that_are_wanted_come(void)
{
    make(3, "clock,alarm", &plan);
    CU_ASSERT_TRUE(plan.count > 20);
    for (size_t i = 0; i < plan.count; i++)
        CU_ASSERT_TRUE(plan.faults[i].kind == CHAOS_CLOCK || plan.faults[i].kind == CHAOS_ALARM);
}

static void faults_come_one_after_the_other_in_time(void)
{
    make(5, "all", &plan);
    int64_t free_ms = 0;
    for (size_t i = 0; i < plan.count; i++) {
        CU_ASSERT_TRUE(plan.faults[i].at_ms > free_ms);
        CU_ASSERT_TRUE(plan.faults[i].hold_ms > 0);
        free_ms = plan.faults[i].at_ms + plan.faults[i].hold_ms;
    }
    CU_ASSERT_TRUE(free_ms <= DURATION_MS);
    CU_ASSERT_TRUE(free_ms > DURATION_MS - 30000);
}

static void clocks_jump_both_ways_for_one_and_for_all(void)
{
    bool ahead = false, back = false, far = false, stayed = false, came_back = false;
    unsigned targets = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        make(seed, "clock", &plan);
        for (size_t i = 0; i < plan.count; i++) {
            int64_t ms = plan.faults[i].offset_ms;
            CU_ASSERT_TRUE(llabs(ms) >= 2000 && llabs(ms) <= 300000);
            ahead = ahead || ms > 0;
            back = back || ms < 0;
            far = far || llabs(ms) > 60000;
            stayed = stayed || plan.faults[i].stays;
            came_back = came_back || !plan.faults[i].stays;
            CU_ASSERT_TRUE_FATAL(plan.faults[i].target <= SERVICES);
            targets |= 1U << plan.faults[i].target;
        }
    }
    CU_ASSERT_TRUE(ahead && back && far && stayed && came_back);
    CU_ASSERT_EQUAL(targets, (1U << (SERVICES + 1)) - 1);
}

/* What is lost from them nobody would say again. */
static void no_queue_is_emptied_that_holds_the_only_copy(void)
{
    unsigned met = 0;
    for (size_t i = 0; i < CHAOS_QUEUES; i++) {
        CU_ASSERT_STRING_NOT_EQUAL(chaos_queues[i], "order.commands");
        CU_ASSERT_PTR_NULL(strstr(chaos_queues[i], "log"));
        CU_ASSERT_STRING_NOT_EQUAL(chaos_queues[i], "warren.dead");
    }
    make(4, "delete-queue,purge", &plan);
    for (size_t i = 0; i < plan.count; i++) {
        CU_ASSERT_TRUE_FATAL(plan.faults[i].target < CHAOS_QUEUES);
        met |= 1U << plan.faults[i].target;
        CU_ASSERT_TRUE(plan.faults[i].hold_ms >= 1000);
    }
    CU_ASSERT_EQUAL(met, (1U << CHAOS_QUEUES) - 1);
    make(4, "unbind", &plan);
    size_t first = plan.faults[0].target;
    bool others = false;
    for (size_t i = 0; i < plan.count; i++) {
        CU_ASSERT_TRUE(plan.faults[i].target < CHAOS_BINDING_DRAWS);
        others = others || plan.faults[i].target != first;
    }
    CU_ASSERT_TRUE(others);
}

static void file_says(const struct suite *suite, const char *program, const char *wanted)
{
    char text[32];
    CU_ASSERT_EQUAL_FATAL(
        file_read(suite_path(suite, "run/clock/%s", program).text, text, sizeof text, NULL), OK);
    CU_ASSERT_STRING_EQUAL(text, wanted);
}

static void add_variable(void *context, const char *name, const char *value)
{
    buf_printf(context, "%s=%s\n", name, value);
}

static void a_clock_is_set_by_its_file(void)
{
    struct suite suite = {.base_port = 20000};
    struct suite_path library = {"/lib/faketime.so"};
    struct buf variables = {0};
    const char *temporary = getenv("TMPDIR");
    snprintf(suite.home, sizeof suite.home, "%.200s/warren-clock-XXXXXX",
             temporary ? temporary : "/tmp");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(suite.home));
    CU_ASSERT_EQUAL_FATAL(directory_make(suite_path(&suite, "run").text, NULL), OK);
    CU_ASSERT_FALSE(fake_clock_there(&suite));
    CU_ASSERT_EQUAL_FATAL(fake_clock_prepare(&suite, 2, NULL), OK);
    CU_ASSERT_TRUE(fake_clock_there(&suite));
    file_says(&suite, "edge-service-2", "+0.000");
    CU_ASSERT_EQUAL(fake_clock_set(&suite, "order-service-1", 120000, NULL), OK);
    file_says(&suite, "order-service-1", "+120.000");
    CU_ASSERT_EQUAL(fake_clock_set(&suite, "order-service-1", -30500, NULL), OK);
    file_says(&suite, "order-service-1", "-30.500");
    fake_clock_environment(&suite, &library, "order-service-1", add_variable, &variables);
    CU_ASSERT_PTR_NOT_NULL(strstr(variables.data, "LD_PRELOAD=/lib/faketime.so\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(variables.data, "=run/clock/order-service-1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(variables.data, "FAKETIME_DONT_FAKE_MONOTONIC=1\n"));
    buf_release(&variables);
    CU_ASSERT_EQUAL_FATAL(fake_clock_prepare(&suite, 0, NULL), OK);
    CU_ASSERT_FALSE(fake_clock_there(&suite));
    CU_ASSERT_EQUAL(rmdir(suite_path(&suite, "run/clock").text), 0); /* it is empty */
    CU_ASSERT_EQUAL(rmdir(suite_path(&suite, "run").text), 0);
    CU_ASSERT_EQUAL(rmdir(suite.home), 0);
}

static const struct unit_case cases[] = {
    {"names are read", names_are_read},
    {"what is no name is refused", what_is_no_name_is_refused},
    {"the seed decides", the_seed_decides},
    {"every kind comes before any comes again", every_kind_comes_before_any_comes_again},
    {"only the kinds that are wanted come", only_the_kinds_that_are_wanted_come},
    {"faults come one after the other, in time", faults_come_one_after_the_other_in_time},
    {"clocks jump both ways, for one and for all", clocks_jump_both_ways_for_one_and_for_all},
    {"no queue is emptied that holds the only copy", no_queue_is_emptied_that_holds_the_only_copy},
    {"a clock is set by its file", a_clock_is_set_by_its_file},
};

UNIT_MAIN("chaos plan", cases)
