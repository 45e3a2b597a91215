#include "load/report/figures.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SPACE "\u00a0" /* does not break */

static const struct figure unknown = {"\u2013"};

static struct figure with_unit(double value, int digits, const char *unit)
{
    struct figure figure;
    snprintf(figure.text, sizeof figure.text, "%.*f" SPACE "%s", digits, value, unit);
    return figure;
}

struct figure figure_count(int64_t count)
{
    if (count < 0)
        return unknown;
    struct figure figure = {""};
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%" PRId64, count);
    char *out = figure.text;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    return figure;
}

/* The number of decimals that make three digits of a value that is shown rounded. */
static int decimals(double value)
{
    return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

static struct figure two_units(int64_t large, const char *large_unit, int64_t small,
                               const char *small_unit)
{
    struct figure figure;
    if (small == 0)
        snprintf(figure.text, sizeof figure.text, "%" PRId64 SPACE "%s", large, large_unit);
    else
        snprintf(figure.text, sizeof figure.text, "%" PRId64 SPACE "%s" SPACE "%" PRId64 SPACE "%s",
                 large, large_unit, small, small_unit);
    return figure;
}

struct figure figure_duration(int64_t us)
{
    enum { MINUTE = 60, HOUR = 3600, FEW_MINUTES = 2 * MINUTE };
    if (us < 0)
        return unknown;
    if (us < 1000)
        return with_unit((double)us, 0, "µs");
    if (us < 999500)
        return with_unit((double)us / 1e3, decimals((double)us / 1e3), "ms");
    int64_t seconds = (us + 500000) / 1000000;
    if (seconds < FEW_MINUTES)
        return us % 1000000 == 0 ? with_unit((double)us / 1e6, 0, "s")
                                 : with_unit((double)us / 1e6, decimals((double)us / 1e6), "s");
    if (seconds < HOUR)
        return two_units(seconds / MINUTE, "min", seconds % MINUTE, "s");
    return two_units(seconds / HOUR, "h", seconds % HOUR / MINUTE, "min");
}

static struct figure shortest(double value, const char *unit)
{
    struct figure figure;
    snprintf(figure.text, sizeof figure.text, "%.3g" SPACE "%s", value, unit);
    return figure;
}

struct figure figure_tick_duration(double us)
{
    if (us <= 0)
        return (struct figure){"0"};
    if (us < 1e3)
        return shortest(us, "µs");
    if (us < 1e6)
        return shortest(us / 1e3, "ms");
    return us < 600e6 ? shortest(us / 1e6, "s") : figure_duration((int64_t)us);
}

struct figure figure_rate(double per_second)
{
    struct figure figure;
    if (per_second < 0)
        return unknown;
    if (per_second >= 99.95 || per_second == floor(per_second))
        return figure_count(llround(per_second));
    snprintf(figure.text, sizeof figure.text, "%.1f", per_second);
    return figure;
}

struct figure figure_bytes(int64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 0)
        return unknown;
    double value = (double)bytes / 1024;
    size_t unit = 0;
    while (value >= 1023.5 && unit < 3) {
        value /= 1024;
        unit++;
    }
    return with_unit(value, value < 99.95 && value != floor(value) ? 1 : 0, units[unit]);
}

struct figure figure_cpu(int64_t milli)
{
    return milli < 0 ? unknown
                     : with_unit((double)milli / 10, milli > 0 && milli < 100 ? 1 : 0, "%");
}

struct figure figure_share(int64_t part, int64_t whole)
{
    if (part < 0 || whole <= 0)
        return unknown;
    double percent = 100.0 * (double)part / (double)whole;
    if (part != 0 && part != whole) {
        /* Never round a single lost one away. */
        percent = fmin(fmax(percent, 0.01), 99.99);
        return with_unit(percent, 2, "%");
    }
    return with_unit(percent, 0, "%");
}
