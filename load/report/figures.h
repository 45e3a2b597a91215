/* Figures as a person reads them: "1,200", "84 ms", "24.3 MiB". UTF-8, with no-break spaces between
 * figure and unit. What is LOAD_UNKNOWN is an en dash. */
#ifndef WARREN_LOAD_FIGURES_H
#define WARREN_LOAD_FIGURES_H

#include <stdint.h>

struct figure {
    char text[48];
};

struct figure figure_count(int64_t count);
/* Three digits: "850 µs", "8.40 ms", "84.0 ms", "1.24 s", "60 s", "2 min 5 s", "3 h 20 min". */
struct figure figure_duration(int64_t us);
/* As short as it can be said: "1 ms", "2.5 s". For the ends of an axis. */
struct figure figure_tick_duration(double us);
struct figure figure_rate(double per_second);
struct figure figure_bytes(int64_t bytes);
/* Thousandths of one core: "34 %". */
struct figure figure_cpu(int64_t milli);
/* A part of a whole: "99.93 %". 100 % only when it is all of it, 0 % only when it is nothing. */
struct figure figure_share(int64_t part, int64_t whole);

#endif
