/* What a chart shows of a long series, and the axes: nothing that happened is smoothed away, every
 * value has a place, every axis has a few round ticks. */
#include <math.h>
#include <stdlib.h>

#include "load/report/curves.h"
#include "load/report/scale.h"
#include "tests/unit/unit.h"

/* `seconds` samples of 10 orders each; in second 500 one latency of 9 s, a queue of 77, 40 orders. */
static struct load_series series_of(int seconds)
{
    struct load_series series = {.count = 0};
    for (int i = 0; i < seconds; i++) {
        struct load_sample *sample = load_series_add(&series);
        sample->at_us = INT64_C(1000000) * (i + 1);
        sample->accepted = i == 500 ? 40 : 10;
        sample->latency[LOAD_SETTLE].p99_us = i == 500 ? 9000000 : 20000;
        if (i % 2 == 0)
            sample->queue_ready[1] = i == 500 ? 77 : 3;
    }
    return series;
}

#define READY (offsetof(struct load_sample, queue_ready) + sizeof(int64_t))
#define NEVER_READ (offsetof(struct load_sample, queue_ready) + 2 * sizeof(int64_t))
#define SETTLE_P99 (offsetof(struct load_sample, latency[LOAD_SETTLE].p99_us))
#define ACCEPT_P99 (offsetof(struct load_sample, latency[LOAD_ACCEPT].p99_us))
#define ACCEPTED (offsetof(struct load_sample, accepted))

static double highest(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, values[i]);
    return most;
}

static void a_short_series_is_drawn_second_by_second(void)
{
    struct load_series series = series_of(CURVE_COLUMNS);
    struct curves *curves = curves_new(&series);
    CU_ASSERT_EQUAL(curves->stride, 1);
    CU_ASSERT_EQUAL(curves->count, CURVE_COLUMNS);
    curves_read(curves, 0, ACCEPTED, CURVE_RATE);
    curves_read(curves, 1, READY, CURVE_LEVEL);
    curves_read(curves, 2, ACCEPT_P99, CURVE_LATENCY);
    CU_ASSERT_EQUAL(curves->x[4], 5);
    CU_ASSERT_EQUAL(curves->values[0][4], 10);
    CU_ASSERT_EQUAL(curves->values[1][4], 3);
    CU_ASSERT(isnan(curves->values[1][5])); /* not read in that second: a gap */
    CU_ASSERT(isnan(curves->values[2][4])); /* nothing became known: a gap */
    free(curves);
    free(series.samples);
}

static void a_long_series_keeps_its_worst(void)
{
    struct load_series series = series_of(1000);
    struct curves *curves = curves_new(&series);
    CU_ASSERT_EQUAL(curves->stride, 5);
    CU_ASSERT_EQUAL(curves->count, 200);
    CU_ASSERT_EQUAL(curves->x[199], 1000);
    curves_read(curves, 0, ACCEPTED, CURVE_RATE);
    curves_read(curves, 1, READY, CURVE_LEVEL);
    curves_read(curves, 2, SETTLE_P99, CURVE_LATENCY);
    CU_ASSERT_EQUAL(curves->values[0][100], 16); /* (40 + 4 * 10) / 5 */
    CU_ASSERT_EQUAL(curves->values[0][99], 10);
    CU_ASSERT_EQUAL(highest(curves->values[1], curves->count), 77);
    CU_ASSERT_EQUAL(highest(curves->values[2], curves->count), 9000000);
    free(curves);
    free(series.samples);
}

static void the_last_column_may_be_short(void)
{
    struct load_series series = series_of(2 * CURVE_COLUMNS + 1);
    struct curves *curves = curves_new(&series);
    CU_ASSERT_EQUAL(curves->count, 161);
    CU_ASSERT_EQUAL(curves->x[160], 2 * CURVE_COLUMNS + 1);
    curves_read(curves, 0, ACCEPTED, CURVE_RATE);
    CU_ASSERT_EQUAL(curves->values[0][160], 10); /* a second, although it is one second */
    free(curves);
    free(series.samples);
}

static void peaks_and_means_leave_out_what_is_not_known(void)
{
    struct load_series series = series_of(1000);
    CU_ASSERT_EQUAL(series_peak(&series, READY), 77);
    CU_ASSERT_EQUAL(series_mean(&series, READY), 3); /* (499 * 3 + 77) / 500 */
    CU_ASSERT_EQUAL(series_peak(&series, NEVER_READ), LOAD_UNKNOWN);
    CU_ASSERT_EQUAL(series_mean(&series, NEVER_READ), LOAD_UNKNOWN);
    CU_ASSERT_EQUAL(series_sum(&series, ACCEPTED, 10000000), 100);
    free(series.samples);
}

static void no_series_is_no_curve(void)
{
    struct load_series series = {.count = 0};
    struct curves *curves = curves_new(&series);
    CU_ASSERT_EQUAL(curves->count, 0);
    curves_read(curves, 0, ACCEPTED, CURVE_RATE);
    CU_ASSERT_EQUAL(series_peak(&series, READY), LOAD_UNKNOWN);
    free(curves);
}

/* --- axes ------------------------------------------------------------------------------------------- */

static void expect_axis(struct scale scale, double lowest, double highest_value)
{
    scale.from = 300;
    scale.to = 20;
    CU_ASSERT(scale.low <= lowest * 1.000001 && scale.high * 1.000001 >= highest_value);
    CU_ASSERT(scale.tick_count >= 2 && scale.tick_count <= SCALE_TICKS_MAX);
    for (size_t i = 0; i < scale.tick_count; i++) {
        double place = scale_place(&scale, scale.ticks[i]);
        CU_ASSERT(place <= 300.001 && place >= 19.999);
        CU_ASSERT(i == 0 || place < scale_place(&scale, scale.ticks[i - 1]));
    }
    CU_ASSERT_DOUBLE_EQUAL(scale_place(&scale, scale.low), 300, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(scale_place(&scale, scale.high), 20, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(scale_place(&scale, scale.high * 2), 20, 1e-6);
}

static void every_axis_has_a_few_ticks(void)
{
    for (int i = 0; i < 77; i++) {
        double top = 0.3 * pow(1.37, i);
        expect_axis(scale_linear(top, 1), 0, top);
        expect_axis(scale_linear(top, 1 << 20), 0, top);
        expect_axis(scale_time(fmin(fmax(top, 1), 700000)), 0, fmin(fmax(top, 1), 700000));
        expect_axis(scale_log(top, top, 1), fmax(top, 1), top);
        expect_axis(scale_log(fmax(top / 700, 1), top, 1), fmax(top / 700, 1), top);
        expect_axis(scale_log(1, top, 1), 1, top);
    }
    expect_axis(scale_linear(0, 1), 0, 0);
    expect_axis(scale_log(0, 0, 1), 1, 0);
}

static void ticks_are_round(void)
{
    struct scale scale = scale_linear(2454, 1);
    CU_ASSERT_EQUAL(scale.ticks[1], 500);
    CU_ASSERT_EQUAL(scale.high, 2500);
    scale = scale_linear(3, 1); /* no halves of a message */
    CU_ASSERT_EQUAL(scale.ticks[1], 1);
    scale = scale_time(64);
    CU_ASSERT_EQUAL(scale.ticks[1], 10);
    CU_ASSERT_EQUAL(scale.high, 64);
    scale = scale_time(1800);
    CU_ASSERT_EQUAL(scale.ticks[1], 300);
    scale = scale_log(21000, 84000, 1);
    CU_ASSERT_DOUBLE_EQUAL(scale.ticks[0], 20000, 0.001);
    CU_ASSERT_DOUBLE_EQUAL(scale.high, 100000, 0.001);
}

static const struct unit_case cases[] = {
    {"a short series is drawn second by second", a_short_series_is_drawn_second_by_second},
    {"a long series keeps its worst", a_long_series_keeps_its_worst},
    {"the last column may be short", the_last_column_may_be_short},
    {"peaks and means leave out what is not known", peaks_and_means_leave_out_what_is_not_known},
    {"no series is no curve", no_series_is_no_curve},
    {"every axis has a few ticks", every_axis_has_a_few_ticks},
    {"ticks are round", ticks_are_round},
};

UNIT_MAIN("load_curves", cases)
