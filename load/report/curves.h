/* The series of a run as columns for charts: at most CURVE_COLUMNS, so that a run of hours is still
 * a page that opens. A column of several seconds shows the mean of what is counted, and the worst
 * of what is a level or a latency: nothing that happened is smoothed away. */
#ifndef WARREN_LOAD_CURVES_H
#define WARREN_LOAD_CURVES_H

#include "load/report/report.h"

enum { CURVE_COLUMNS = 240, CURVE_LINES = 24 };

enum curve_kind {
    CURVE_RATE,    /* a count of a second: a second, over the column */
    CURVE_LEVEL,   /* the largest; LOAD_UNKNOWN is a gap */
    CURVE_LATENCY, /* the largest; 0 is a gap: nothing became known */
};

struct curves {
    const struct load_series *series; /* borrowed */
    size_t count;                     /* columns */
    size_t stride;                    /* samples in a column */
    double x[CURVE_COLUMNS];          /* seconds from the start, the end of the column */
    double values[CURVE_LINES][CURVE_COLUMNS];
};

/* Heap; free() it. */
struct curves *curves_new(const struct load_series *series);
/* Fills values[line] from the field at `offset` of struct load_sample. */
void curves_read(struct curves *curves, size_t line, size_t offset, enum curve_kind kind);
/* The largest value of a field over the whole run; LOAD_UNKNOWN when it was never known. */
int64_t series_peak(const struct load_series *series, size_t offset);
/* The mean of the known values of a field; LOAD_UNKNOWN when it was never known. */
int64_t series_mean(const struct load_series *series, size_t offset);
/* The sum of a count over the samples that ended by `until_us` (and half a second). */
int64_t series_sum(const struct load_series *series, size_t offset, int64_t until_us);

#endif
