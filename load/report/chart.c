#include "load/report/chart.h"

#include <math.h>

#include "load/report/html.h"

/* In the units of the viewBox: pixels, on a screen that is wide enough. */
enum {
    WIDE = 1040,
    HALF = 508,
    WIDE_HEIGHT = 308,
    HALF_HEIGHT = 248,
    LEFT = 66,
    RIGHT = 14,
    TOP = 42,
    BOTTOM = 44,
};

struct frame {
    const struct chart *chart;
    struct scale x, y;
    double width, height;
};

static struct frame frame_of(const struct chart *chart)
{
    struct frame frame = {.chart = chart, .x = chart->x_scale, .y = chart->y_scale};
    frame.width = chart->size == CHART_WIDE ? WIDE : HALF;
    frame.height = chart->size == CHART_WIDE ? WIDE_HEIGHT : HALF_HEIGHT;
    frame.x.from = LEFT;
    frame.x.to = frame.width - RIGHT;
    frame.y.from = frame.height - BOTTOM;
    frame.y.to = TOP;
    return frame;
}

double chart_highest(const struct chart_line *lines, size_t line_count, size_t count)
{
    double highest = 0;
    for (size_t line = 0; line < line_count; line++) {
        for (size_t i = 0; i < count; i++)
            highest = fmax(highest, lines[line].values[i]);
    }
    return highest;
}

double chart_lowest(const struct chart_line *lines, size_t line_count, size_t count)
{
    double lowest = 0;
    for (size_t line = 0; line < line_count; line++) {
        for (size_t i = 0; i < count; i++) {
            double value = lines[line].values[i];
            if (value > 0 && (lowest <= 0 || value < lowest))
                lowest = value;
        }
    }
    return lowest;
}

static void write_y_axis(const struct frame *frame, struct buf *out)
{
    buf_text(out, "<g class=\"grid\">");
    for (size_t i = 0; i < frame->y.tick_count; i++) {
        double y = scale_place(&frame->y, frame->y.ticks[i]);
        buf_printf(out, "<path d=\"M%d %.1fH%.0f\"/>", LEFT, y, frame->x.to);
    }
    buf_text(out, "</g>\n<g class=\"end\">");
    for (size_t i = 0; i < frame->y.tick_count; i++) {
        double y = scale_place(&frame->y, frame->y.ticks[i]);
        buf_printf(out, "<text x=\"%d\" y=\"%.1f\">", LEFT - 8, y + 4);
        html_text(out, frame->chart->y_tick(frame->y.ticks[i]).text);
        buf_text(out, "</text>");
    }
    buf_printf(out, "</g>\n<text class=\"axis\" x=\"0\" y=\"14\">");
    html_text(out, frame->chart->y_title);
    buf_text(out, "</text>\n");
}

static void write_x_axis(const struct frame *frame, struct buf *out)
{
    double base = frame->y.from;
    buf_printf(out, "<path class=\"base\" d=\"M%d %.0fH%.0f", LEFT, base, frame->x.to);
    for (size_t i = 0; i < frame->x.tick_count; i++)
        buf_printf(out, "M%.1f %.0fv5", scale_place(&frame->x, frame->x.ticks[i]), base);
    buf_text(out, "\"/>\n<g class=\"mid\">");
    for (size_t i = 0; i < frame->x.tick_count; i++) {
        buf_printf(out, "<text x=\"%.1f\" y=\"%.0f\">", scale_place(&frame->x, frame->x.ticks[i]),
                   base + 20);
        html_text(out, frame->chart->x_label(frame->x.ticks[i]).text);
        buf_text(out, "</text>");
    }
    buf_printf(out, "</g>\n<text class=\"axis last\" x=\"%.0f\" y=\"%.0f\">", frame->x.to,
               frame->height - 4);
    html_text(out, frame->chart->x_title);
    buf_text(out, "</text>\n");
}

static void write_marks(const struct frame *frame, struct buf *out)
{
    double last = -1e9;
    for (size_t i = 0; i < frame->chart->mark_count; i++) {
        double x = scale_place(&frame->x, frame->chart->marks[i].x);
        buf_printf(out, "<path class=\"mark\" d=\"M%.1f %dV%.0f\"/>", x, TOP - 18, frame->y.from);
        /* A label that would lie on the one before it is left out. */
        if (x - last < 90 || !frame->chart->marks[i].label)
            continue;
        last = x;
        bool flip = x > frame->x.to - 120;
        buf_printf(out, "<text class=\"note%s\" x=\"%.1f\" y=\"%d\">", flip ? " last" : "",
                   x + (flip ? -5 : 5), TOP - 8);
        html_text(out, frame->chart->marks[i].label);
        buf_text(out, "</text>\n");
    }
}

/* One path; a gap where a value is unknown, and a dot for a value with gaps on both sides. */
static void write_line(const struct frame *frame, const struct chart_line *line, struct buf *out)
{
    bool pen_down = false;
    buf_printf(out, "<path class=\"line l%d\" d=\"", line->style);
    for (size_t i = 0; i < frame->chart->count; i++) {
        double value = line->values[i];
        if (isnan(value)) {
            pen_down = false;
            continue;
        }
        buf_printf(out, "%c%.1f %.1f", pen_down ? 'L' : 'M',
                   scale_place(&frame->x, frame->chart->x[i]), scale_place(&frame->y, value));
        if (!pen_down)
            buf_text(out, "h0");
        pen_down = true;
    }
    buf_text(out, "\"/>\n");
}

static void write_svg(const struct frame *frame, struct buf *out)
{
    const struct chart *chart = frame->chart;
    html_scroll_begin(out, chart->title);
    buf_printf(out,
               "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
               "aria-labelledby=\"%s-t %s-d\">\n<title id=\"%s-t\">",
               frame->width, frame->height, chart->id, chart->id, chart->id);
    html_text(out, chart->title);
    buf_printf(out, "</title>\n<desc id=\"%s-d\">", chart->id);
    html_text(out, chart->about);
    buf_text(out, "</desc>\n");
    write_y_axis(frame, out);
    write_marks(frame, out);
    /* The first line matters most: it is drawn last, above the others. */
    for (size_t i = chart->line_count; i-- > 0;)
        write_line(frame, &chart->lines[i], out);
    write_x_axis(frame, out);
    buf_printf(out, "<path class=\"cursor\" d=\"M0 %dV%.0f\"/></svg>", TOP, frame->y.from);
    html_scroll_end(out);
}

static void write_legend(const struct chart *chart, struct buf *out)
{
    buf_text(out, "<ul class=\"legend\">");
    for (size_t i = 0; i < chart->line_count; i++) {
        buf_printf(out,
                   "<li><svg viewBox=\"0 0 28 10\" aria-hidden=\"true\"><path class=\"line l%d\" "
                   "d=\"M2 5H26\"/></svg>",
                   chart->lines[i].style);
        html_text(out, chart->lines[i].name);
        buf_text(out, "</li>");
    }
    buf_text(out, "</ul>\n");
}

/* The script finds the row by its data-x: the place on the paper. */
static void write_table(const struct frame *frame, struct buf *out)
{
    const struct chart *chart = frame->chart;
    buf_text(out, "<details><summary>The same as a table</summary>\n");
    html_scroll_begin(out, chart->title);
    buf_text(out, "<table><thead><tr>");
    html_element(out, "th scope=\"col\"", chart->x_title);
    for (size_t i = 0; i < chart->line_count; i++)
        html_element(out, "th scope=\"col\"", chart->lines[i].name);
    buf_text(out, "</tr></thead>\n<tbody>");
    for (size_t row = 0; row < chart->count; row++) {
        buf_printf(out, "<tr data-x=\"%.1f\">", scale_place(&frame->x, chart->x[row]));
        html_element(out, "th scope=\"row\"", chart->x_label(chart->x[row]).text);
        for (size_t i = 0; i < chart->line_count; i++) {
            double value = chart->lines[i].values[row];
            html_element(out, "td", isnan(value) ? "\u2013" : chart->y_value(value).text);
        }
        buf_text(out, "</tr>\n");
    }
    buf_text(out, "</tbody></table>");
    html_scroll_end(out);
    buf_text(out, "</details>\n");
}

void chart_write(const struct chart *chart, struct buf *out)
{
    struct frame frame = frame_of(chart);
    buf_printf(out, "<figure class=\"chart %s\"><figcaption>",
               chart->size == CHART_WIDE ? "wide" : "half");
    html_element(out, "h3", chart->title);
    html_element(out, "p", chart->about);
    buf_text(out, "</figcaption>\n");
    write_legend(chart, out);
    write_svg(&frame, out);
    write_table(&frame, out);
    buf_text(out, "</figure>\n");
}
