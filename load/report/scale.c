#include "load/report/scale.h"

#include <math.h>

static void add_tick(struct scale *scale, double value)
{
    if (scale->tick_count < SCALE_TICKS_MAX)
        scale->ticks[scale->tick_count++] = value;
}

/* The smallest of 1, 2, 5 times a power of ten that is at least `least`. */
static double nice_step(double least)
{
    double power = pow(10, floor(log10(least)));
    double part = least / power;
    double nice = part <= 1.000001 ? 1 : part <= 2.000001 ? 2 : part <= 5.000001 ? 5 : 10;
    return nice * power;
}

static void ticks_every(struct scale *scale, double step)
{
    for (int i = 0; i * step <= scale->high * 1.000001; i++)
        add_tick(scale, i * step);
}

struct scale scale_linear(double highest, double unit)
{
    enum { PARTS = 5 };
    double top = highest > 0 ? highest / unit : 1;
    double step = fmax(nice_step(top / PARTS), 1) * unit;
    struct scale scale = {.high = step * fmax(ceil(top * unit / step - 0.000001), 1)};
    ticks_every(&scale, step);
    return scale;
}

struct scale scale_time(double seconds)
{
    static const double steps[] = {1,   2,   5,    10,   15,   30,    60,    120,  300,
                                   600, 900, 1800, 3600, 7200, 14400, 43200, 86400};
    enum { STEPS = sizeof steps / sizeof steps[0], PARTS = 12 };
    struct scale scale = {.high = seconds > 0 ? seconds : 1};
    size_t i = 0;
    while (i + 1 < STEPS && scale.high / steps[i] > PARTS)
        i++;
    ticks_every(&scale, steps[i]);
    return scale;
}

/* Moves the ends inwards, where most of an outer decade would be empty. */
static void trim(struct scale *scale, double lowest, double highest)
{
    double low = scale->low, high = scale->high;
    if (lowest >= 2 * low)
        scale->low = lowest >= 5 * low ? 5 * low : 2 * low;
    if (highest <= 5 * high / 10)
        scale->high = highest <= 2 * high / 10 ? 2 * high / 10 : 5 * high / 10;
    if (scale->high <= 2 * scale->low) {
        scale->low = low;
        scale->high = high;
    }
}

struct scale scale_log(double lowest, double highest, double unit)
{
    enum { FEW_DECADES = 3 };
    static const double parts[] = {1, 2, 5};
    double least = fmax(lowest / unit, 1), most = fmax(highest / unit, least);
    int first = (int)floor(log10(least) + 0.000001);
    int above = (int)ceil(log10(most) - 0.000001);
    int last = above > first ? above : first + 1;
    struct scale scale = {.logarithmic = true, .low = pow(10, first), .high = pow(10, last)};
    trim(&scale, least, most);
    for (int decade = first; decade <= last; decade++) {
        for (size_t i = 0; i < (last - first <= FEW_DECADES ? 3 : 1); i++) {
            double tick = parts[i] * pow(10, decade);
            if (tick >= scale.low * 0.999999 && tick <= scale.high * 1.000001)
                add_tick(&scale, tick * unit);
        }
    }
    scale.low *= unit;
    scale.high *= unit;
    return scale;
}

double scale_place(const struct scale *scale, double value)
{
    double inside = fmin(fmax(value, scale->low), scale->high);
    double part = scale->logarithmic ? log(inside / scale->low) / log(scale->high / scale->low)
                                     : (inside - scale->low) / (scale->high - scale->low);
    return scale->from + part * (scale->to - scale->from);
}
