/* What is counted, in whatever order answers and facts come, and what a bound says of the phases. */
#include <stdlib.h>

#include "load/measure.h"
#include "tests/unit/unit.h"

enum { MS = 1000000 };
static const int64_t begin_ns = 5000000000;

static struct load_report *report;
static struct measure *measure;

static void begin(size_t phases, int64_t bound_ms)
{
    report = load_report_new();
    report->plan.phase_count = phases;
    for (size_t i = 0; i < phases; i++)
        report->plan.phases[i] = (struct load_phase){.rate = 100.0 * (double)(i + 1)};
    report->limit.bound_us = bound_ms * 1000;
    measure = measure_new(report);
    measure_begin(measure, begin_ns);
}

static void end(void)
{
    measure_free(measure);
    load_report_free(report);
}

/* One order of that phase that settles after so long; INT64_MAX: never. */
static void order(size_t phase, int64_t settles_ms)
{
    struct fate fate = {.intended_ns = begin_ns, .phase = (uint8_t)phase, .end = FACT_CONFIRMED};
    measure_offered(measure, phase);
    measure_sent(measure, &fate, begin_ns, true);
    fate.answer = ANSWER_ACCEPTED;
    measure_accepted(measure, &fate, begin_ns + MS);
    if (settles_ms == INT64_MAX)
        return;
    fate.settled_ns = begin_ns + settles_ms * MS;
    measure_settled(measure, &fate, "");
}

static void levels(void)
{
    struct fate fate = {.intended_ns = begin_ns, .end = FACT_REJECTED};
    begin(1, 0);
    order(0, 5);
    order(0, INT64_MAX);
    CU_ASSERT_EQUAL(measure_unsettled(measure), 1);
    /* The log was faster than the answer: it settles first, and then it is accepted. */
    fate.answer = ANSWER_UNKNOWN;
    fate.settled_ns = begin_ns + 2 * MS;
    measure_settled(measure, &fate, "out-of-stock");
    CU_ASSERT_EQUAL(measure_unsettled(measure), 1);
    fate.answer = ANSWER_ACCEPTED;
    measure_accepted(measure, &fate, begin_ns + 3 * MS);
    CU_ASSERT_EQUAL(measure_unsettled(measure), 1);
    CU_ASSERT_EQUAL(report->totals.settled, 2);
    CU_ASSERT_EQUAL(report->totals.accepted, 3);
    CU_ASSERT_EQUAL(measure_last_settled_ns(measure), begin_ns + 5 * MS);
    CU_ASSERT_EQUAL(report->totals.outcomes.count, 2);
    CU_ASSERT_STRING_EQUAL(report->totals.outcomes.items[1].label, "rejected: out-of-stock");
    end();
}

/* Late by its own fault, or for want of a connection. */
static void lateness(void)
{
    struct fate fate = {.intended_ns = begin_ns};
    begin(1, 0);
    measure_sent(measure, &fate, begin_ns + (LATE_AFTER_US - 1) * 1000, true);
    measure_sent(measure, &fate, begin_ns + (LATE_AFTER_US + 1) * 1000, true);
    measure_sent(measure, &fate, begin_ns + (LATE_AFTER_US + 1) * 1000, false);
    CU_ASSERT_EQUAL(report->totals.late, 2);
    CU_ASSERT_EQUAL(measure_own_lateness(measure), 1);
    end();
}

static void seconds(void)
{
    begin(1, 0);
    order(0, 5);
    const struct load_sample *sample = measure_tick(measure, begin_ns + 1000 * (int64_t)MS);
    CU_ASSERT_EQUAL(sample->at_us, 1000000);
    CU_ASSERT_EQUAL(sample->offered, 1);
    CU_ASSERT_EQUAL(sample->settled, 1);
    CU_ASSERT_EQUAL(sample->latency[LOAD_SETTLE].max_us, 5000);
    sample = measure_tick(measure, begin_ns + 2000 * (int64_t)MS);
    CU_ASSERT_EQUAL(sample->offered, 0);
    CU_ASSERT_EQUAL(sample->latency[LOAD_SETTLE].count, 0);
    CU_ASSERT_EQUAL(report->series.count, 2);
    end();
}

/* Of 100 orders one may be over the bound, be it late or never; two may not. */
static void bounds(void)
{
    static const struct {
        int late, never;
        bool held;
    } phases[] = {{0, 0, true}, {1, 0, true}, {0, 1, true}, {1, 1, false}, {2, 0, false}};
    enum { PHASES = sizeof phases / sizeof phases[0] };
    begin(PHASES, 250);
    for (size_t p = 0; p < PHASES; p++)
        for (int i = 0; i < 100; i++)
            order(p, i < phases[p].late                     ? 300
                     : i < phases[p].late + phases[p].never ? INT64_MAX
                                                            : 200);
    CU_ASSERT_FALSE(measure_phase_broken(measure, 1, 250000));
    CU_ASSERT_TRUE(measure_phase_broken(measure, 4, 250000));
    measure_finish(measure);
    for (size_t p = 0; p < PHASES; p++)
        CU_ASSERT_EQUAL(report->plan.phases[p].held, phases[p].held);
    CU_ASSERT_EQUAL(report->limit.best_rate, 300);
    CU_ASSERT_EQUAL(report->limit.first_bad, 400);
    end();
}

static const struct unit_case cases[] = {
    {"levels", levels}, {"lateness", lateness}, {"seconds", seconds}, {"bounds", bounds}};

UNIT_MAIN("measure", cases)
