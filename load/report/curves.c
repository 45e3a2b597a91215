#include "load/report/curves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t field(const struct load_sample *sample, size_t offset)
{
    int64_t value = 0;
    memcpy(&value, (const char *)sample + offset, sizeof value);
    return value;
}

struct curves *curves_new(const struct load_series *series)
{
    struct curves *curves = calloc(1, sizeof *curves);
    if (!curves)
        abort();
    curves->series = series;
    curves->stride = (series->count + CURVE_COLUMNS - 1) / CURVE_COLUMNS;
    for (size_t end = curves->stride; series->count > 0; end += curves->stride) {
        size_t last = end < series->count ? end : series->count;
        curves->x[curves->count++] = (double)series->samples[last - 1].at_us / 1e6;
        if (last == series->count)
            break;
    }
    return curves;
}

static double column_level(const struct curves *curves, size_t first, size_t last, size_t offset)
{
    int64_t highest = LOAD_UNKNOWN;
    for (size_t i = first; i < last; i++) {
        int64_t value = field(&curves->series->samples[i], offset);
        highest = value > highest ? value : highest;
    }
    return highest == LOAD_UNKNOWN ? NAN : (double)highest;
}

static double column_rate(const struct curves *curves, size_t first, size_t last, size_t offset)
{
    const struct load_sample *samples = curves->series->samples;
    int64_t sum = 0;
    int64_t began_us = first > 0 ? samples[first - 1].at_us : 0;
    int64_t took_us = samples[last - 1].at_us - began_us;
    for (size_t i = first; i < last; i++)
        sum += field(&samples[i], offset);
    return took_us > 0 ? (double)sum * 1e6 / (double)took_us : NAN;
}

void curves_read(struct curves *curves, size_t line, size_t offset, enum curve_kind kind)
{
    for (size_t column = 0; column < curves->count; column++) {
        size_t first = column * curves->stride;
        size_t last = first + curves->stride;
        last = last < curves->series->count ? last : curves->series->count;
        double value = kind == CURVE_RATE ? column_rate(curves, first, last, offset)
                                          : column_level(curves, first, last, offset);
        curves->values[line][column] = kind == CURVE_LATENCY && value <= 0 ? NAN : value;
    }
}

int64_t series_peak(const struct load_series *series, size_t offset)
{
    int64_t highest = LOAD_UNKNOWN;
    for (size_t i = 0; i < series->count; i++) {
        int64_t value = field(&series->samples[i], offset);
        highest = value > highest ? value : highest;
    }
    return highest;
}

int64_t series_mean(const struct load_series *series, size_t offset)
{
    int64_t sum = 0, known = 0;
    for (size_t i = 0; i < series->count; i++) {
        int64_t value = field(&series->samples[i], offset);
        if (value != LOAD_UNKNOWN) {
            sum += value;
            known++;
        }
    }
    return known > 0 ? (sum + known / 2) / known : LOAD_UNKNOWN;
}

int64_t series_sum(const struct load_series *series, size_t offset, int64_t until_us)
{
    enum { HALF_A_SECOND_US = 500000 };
    int64_t sum = 0;
    for (size_t i = 0; i < series->count; i++) {
        if (series->samples[i].at_us <= until_us + HALF_A_SECOND_US)
            sum += field(&series->samples[i], offset);
    }
    return sum;
}
