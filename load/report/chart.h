/* A line chart as a <figure>: words, legend, an inline SVG and the same numbers as a table. It knows
 * nothing of load runs. Colours are classes (l0 ... l7) that the page's style sheet defines; each
 * has a dash pattern, too, so that nothing depends on colour alone. */
#ifndef WARREN_LOAD_CHART_H
#define WARREN_LOAD_CHART_H

#include "common/base/buf.h"
#include "load/report/figures.h"
#include "load/report/scale.h"

enum { CHART_STYLES = 8 };

enum chart_size { CHART_WIDE, CHART_HALF };

struct chart_line {
    const char *name;
    const double *values; /* one for each x; NAN where nothing is known: a gap */
    int style;            /* 0 ... CHART_STYLES - 1 */
};

/* A vertical line at something that happened. */
struct chart_mark {
    double x;
    const char *label;
};

struct chart {
    const char *id; /* unique on the page: letters and dashes */
    const char *title;
    const char *about;             /* how to read it; one or two sentences */
    const char *x_title, *y_title; /* what the axes count, with the unit */
    enum chart_size size;
    size_t count;
    const double *x; /* ascending */
    const struct chart_line *lines;
    size_t line_count;
    const struct chart_mark *marks;
    size_t mark_count;
    struct scale x_scale, y_scale;      /* where they lie on the paper is filled in here */
    struct figure (*x_label)(double x); /* of a tick, and in the table */
    struct figure (*y_tick)(double y);
    struct figure (*y_value)(double y); /* in the table: exact */
};

void chart_write(const struct chart *chart, struct buf *out);
/* The largest value of all lines; 0 when there is none. */
double chart_highest(const struct chart_line *lines, size_t line_count, size_t count);
/* The smallest value above 0; 0 when there is none. */
double chart_lowest(const struct chart_line *lines, size_t line_count, size_t count);

#endif
