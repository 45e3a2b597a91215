/* An axis: which values it shows, where its ticks are, and where on the paper a value lies. */
#ifndef WARREN_LOAD_SCALE_H
#define WARREN_LOAD_SCALE_H

#include <stdbool.h>
#include <stddef.h>

enum { SCALE_TICKS_MAX = 16 };

struct scale {
    bool logarithmic;
    double low, high; /* values at the ends of the axis */
    double from, to;  /* places of `low` and `high` on the paper */
    double ticks[SCALE_TICKS_MAX];
    size_t tick_count;
};

/* From 0 to at least `highest`, with 4 to 8 ticks at 1, 2 or 5 times a power of ten of `unit`: of
 * whole units. */
struct scale scale_linear(double highest, double unit);
/* The same with ticks that a clock knows: 1, 2, 5, 10, 15, 30 seconds, minutes, ... Ends exactly at
 * `seconds`. */
struct scale scale_time(double seconds);
/* From at most `lowest` to at least `highest`, not below one unit; ticks at powers of ten of `unit`,
 * and at 2 and 5 times these where they are few. */
struct scale scale_log(double lowest, double highest, double unit);

/* Where `value` lies; a value beyond an end lies at that end. */
double scale_place(const struct scale *scale, double value);

#endif
