#include "load/report/page.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "load/report/chart.h"
#include "load/report/curves.h"
#include "load/report/html.h"

/* --- labels --------------------------------------------------------------------------------------- */

static struct figure second_label(double x)
{
    return x < 600 && x != floor(x) ? figure_tick_duration(round(x * 10) * 1e5)
                                    : figure_tick_duration(x * 1e6);
}

static struct figure duration_label(double us)
{
    return figure_duration(llround(us));
}

static struct figure count_label(double count)
{
    return figure_count(llround(count));
}

static struct figure bytes_label(double bytes)
{
    return figure_bytes(llround(bytes));
}

static struct figure cpu_label(double milli)
{
    return figure_cpu(llround(milli));
}

/* 1/(1-p) back to p: "99.9 %". */
static struct figure percentile_label(double x)
{
    struct figure figure;
    snprintf(figure.text, sizeof figure.text, "%.6g\u00a0%%", 100 - 100 / x);
    return figure;
}

/* --- the frame that all charts over time share ----------------------------------------------------- */

struct canvas {
    const struct load_report *report;
    struct curves *curves;
    struct chart_line lines[CURVE_LINES];
    size_t line_count;
    struct chart_mark marks[LOAD_PHASES_MAX + 1];
    char labels[LOAD_PHASES_MAX][LOAD_LABEL_MAX];
    size_t mark_count;
};

/* Where the rate changed, and where the load ended. */
static void mark_phases(struct canvas *canvas)
{
    const struct load_plan *plan = &canvas->report->plan;
    double at = 0, end = (double)canvas->report->identity.duration_us / 1e6;
    for (size_t i = 0; i < plan->phase_count && plan->phase_count > 1 && at < end; i++) {
        const struct load_phase *phase = &plan->phases[i];
        snprintf(canvas->labels[i], LOAD_LABEL_MAX, "%s/s", figure_rate(phase->rate).text);
        if (phase->offered > 0 || phase->rate <= 0) /* else the run ended just before it */
            canvas->marks[canvas->mark_count++] = (struct chart_mark){at, canvas->labels[i]};
        at += (double)phase->duration_us / 1e6;
    }
    canvas->marks[canvas->mark_count++] = (struct chart_mark){end, "end of load"};
}

static struct canvas *canvas_new(const struct load_report *report)
{
    struct canvas *canvas = calloc(1, sizeof *canvas);
    if (!canvas)
        abort();
    canvas->report = report;
    canvas->curves = curves_new(&report->series);
    mark_phases(canvas);
    return canvas;
}

static void canvas_free(struct canvas *canvas)
{
    free(canvas->curves);
    free(canvas);
}

static void add_line(struct canvas *canvas, const char *name, size_t offset, enum curve_kind kind)
{
    size_t line = canvas->line_count++;
    curves_read(canvas->curves, line, offset, kind);
    canvas->lines[line] = (struct chart_line){
        .name = name, .values = canvas->curves->values[line], .style = (int)(line % CHART_STYLES)};
}

/* What every chart over time has; the rest is the caller's. Takes the lines that were added. Ticks
 * are at whole units. */
static void draw(struct canvas *canvas, struct chart chart, double unit, struct buf *out)
{
    const struct curves *curves = canvas->curves;
    chart.count = curves->count;
    chart.x = curves->x;
    chart.lines = canvas->lines;
    chart.line_count = canvas->line_count;
    chart.marks = canvas->marks;
    chart.mark_count = canvas->mark_count;
    chart.x_scale = scale_time(curves->count ? curves->x[curves->count - 1] : 1);
    chart.x_label = second_label;
    chart.x_title = "time since the start";
    double highest = chart_highest(chart.lines, chart.line_count, chart.count);
    if (chart.y_scale.logarithmic)
        chart.y_scale =
            scale_log(chart_lowest(chart.lines, chart.line_count, chart.count), highest, unit);
    else
        chart.y_scale = scale_linear(highest, unit);
    chart_write(&chart, out);
    canvas->line_count = 0;
}

/* --- latency --------------------------------------------------------------------------------------- */

static void latency_over_time(struct canvas *canvas, enum load_latency which,
                              const struct chart *words, struct buf *out)
{
    size_t base =
        offsetof(struct load_sample, latency) + (size_t)which * sizeof(struct load_moment);
    struct chart chart = *words;
    if (canvas->report->latency[which].count == 0)
        return;
    add_line(canvas, "p99", base + offsetof(struct load_moment, p99_us), CURVE_LATENCY);
    add_line(canvas, "slowest", base + offsetof(struct load_moment, max_us), CURVE_LATENCY);
    add_line(canvas, "median", base + offsetof(struct load_moment, p50_us), CURVE_LATENCY);
    chart.y_scale.logarithmic = true;
    chart.y_tick = figure_tick_duration;
    chart.y_value = duration_label;
    chart.y_title = "from intended arrival (logarithmic)";
    draw(canvas, chart, 1, out);
}

/* Twenty points for each factor of ten in 1/(1-p), as far as there are values beyond. */
static size_t percentile_points(int64_t most, double *x)
{
    size_t count = 0;
    for (int i = 0; i < 100 && pow(10, i / 20.0) <= (double)most; i++)
        x[count++] = pow(10, i / 20.0);
    return count;
}

static void percentile_line(const struct load_report *report, enum load_latency which,
                            const double *x, double *values, size_t count)
{
    const struct load_histogram *histogram = &report->latency[which];
    for (size_t i = 0; i < count; i++) {
        int millionths = (int)lround(1e6 * (1 - 1 / x[i]));
        bool known = x[i] <= (double)histogram->count * 1.0001;
        values[i] = known ? (double)load_histogram_quantile(histogram, millionths) : NAN;
    }
}

static struct scale percentile_scale(double last)
{
    struct scale scale = {.logarithmic = true, .low = 1, .high = fmax(last, 20)};
    scale.ticks[scale.tick_count++] = 2;
    double tick = 10;
    while (tick <= scale.high && scale.tick_count < SCALE_TICKS_MAX) {
        scale.ticks[scale.tick_count++] = tick;
        tick *= 10;
    }
    return scale;
}

static void latency_by_percentile(struct canvas *canvas, struct buf *out)
{
    static const struct {
        enum load_latency which;
        const char *name;
    } parts[] = {
        {LOAD_SETTLE, "to settled"}, {LOAD_ACCEPT, "to the 202"}, {LOAD_NOTIFY, "to notified"}};
    double x[100];
    int64_t most = 0;
    for (size_t i = 0; i < 3; i++) {
        int64_t count = canvas->report->latency[parts[i].which].count;
        most = count > most ? count : most;
    }
    size_t count = percentile_points(most, x);
    for (size_t i = 0; i < 3; i++) {
        if (canvas->report->latency[parts[i].which].count == 0)
            continue;
        size_t line = canvas->line_count++;
        double *values = canvas->curves->values[line];
        percentile_line(canvas->report, parts[i].which, x, values, count);
        canvas->lines[line] = (struct chart_line){parts[i].name, values, (int)i};
    }
    struct chart chart = {
        .id = "percentiles",
        .title = "Latency by percentile",
        .about = "How long the slowest 1 in 10, 1 in 100, 1 in 1,000 orders took. A flat line is a "
                 "suite whose customers all see the same; a step is a pause that hit some of them.",
        .x_title = "percentile of orders",
        .y_title = "from intended arrival (logarithmic)",
        .size = CHART_WIDE,
        .count = count,
        .x = x,
        .lines = canvas->lines,
        .line_count = canvas->line_count,
        .x_scale = percentile_scale(count ? x[count - 1] : 1),
        .y_scale = scale_log(chart_lowest(canvas->lines, canvas->line_count, count),
                             chart_highest(canvas->lines, canvas->line_count, count), 1),
        .x_label = percentile_label,
        .y_tick = figure_tick_duration,
        .y_value = duration_label,
    };
    if (count > 0)
        chart_write(&chart, out);
    canvas->line_count = 0;
}

void page_latency(const struct load_report *report, struct buf *out)
{
    static const struct chart settle = {
        .id = "settle",
        .title = "To settled, over time",
        .about = "From intended arrival to the fact that settles the order: what a customer waits "
                 "for. Of the orders that settled in that second.",
        .size = CHART_WIDE,
    };
    static const struct chart accept = {
        .id = "accept",
        .title = "To the 202, over time",
        .about = "Until the broker had confirmed the order.",
        .size = CHART_HALF,
    };
    static const struct chart notify = {
        .id = "notify",
        .title = "To notified, over time",
        .about = "Until the customer had been told.",
        .size = CHART_HALF,
    };
    struct canvas *canvas = canvas_new(report);
    html_section_begin(out, "latency", "Latency");
    page_percentiles(report, out);
    buf_text(out, "<div class=\"charts\">\n");
    latency_over_time(canvas, LOAD_SETTLE, &settle, out);
    latency_over_time(canvas, LOAD_ACCEPT, &accept, out);
    latency_over_time(canvas, LOAD_NOTIFY, &notify, out);
    latency_by_percentile(canvas, out);
    buf_text(out, "</div>\n");
    html_section_end(out);
    canvas_free(canvas);
}

/* --- rates ------------------------------------------------------------------------------------------ */

void page_rates(const struct load_report *report, struct buf *out)
{
    static const struct chart words = {
        .id = "rates",
        .title = "Orders a second",
        .about = "What was asked for and what was done. Where settled stays below accepted, a "
                 "backlog grows; after the load, settled is how fast it drains.",
        .y_title = "orders a second",
        .size = CHART_WIDE,
        .y_tick = count_label,
        .y_value = figure_rate,
    };
    struct canvas *canvas = canvas_new(report);
    html_section_begin(out, "rates", "Rates");
    buf_text(out, "<div class=\"charts\">\n");
    add_line(canvas, "offered", offsetof(struct load_sample, offered), CURVE_RATE);
    add_line(canvas, "accepted", offsetof(struct load_sample, accepted), CURVE_RATE);
    add_line(canvas, "settled", offsetof(struct load_sample, settled), CURVE_RATE);
    /* They often lie on each other: dots over a thin line over a thick one. */
    canvas->lines[0].style = CHART_STYLES - 1;
    canvas->lines[2].style = 0;
    if (series_peak(&report->series, offsetof(struct load_sample, errors)) > 0)
        add_line(canvas, "errors", offsetof(struct load_sample, errors), CURVE_RATE);
    draw(canvas, words, 1, out);
    buf_text(out, "</div>\n");
    html_section_end(out);
    canvas_free(canvas);
}

/* --- levels ----------------------------------------------------------------------------------------- */

struct ranked {
    size_t index;
    int64_t peak;
};

static int by_peak(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->peak != right->peak)
        return left->peak < right->peak ? 1 : -1;
    return left->index < right->index ? -1 : 1;
}

/* A line for each name whose peak is above 0, the highest first, as many as there are styles. The
 * same name looks the same in every chart. */
static void add_levels(struct canvas *canvas, const struct load_names *names, size_t offset)
{
    struct ranked ranked[LOAD_PROCESSES_MAX];
    for (size_t i = 0; i < names->count; i++)
        ranked[i] =
            (struct ranked){i, series_peak(&canvas->report->series, offset + i * sizeof(int64_t))};
    qsort(ranked, names->count, sizeof ranked[0], by_peak);
    for (size_t i = 0; i < names->count && i < CHART_STYLES && ranked[i].peak > 0; i++) {
        size_t index = ranked[i].index;
        add_line(canvas, names->items[index], offset + index * sizeof(int64_t), CURVE_LEVEL);
        canvas->lines[i].style = (int)(index % CHART_STYLES);
    }
}

/* Draws what was added; where nothing was, says so in words. */
static void draw_levels(struct canvas *canvas, const struct chart *words, double unit,
                        const char *empty, struct buf *out)
{
    if (canvas->line_count > 0) {
        draw(canvas, *words, unit, out);
        return;
    }
    buf_text(out, "<figure class=\"half\"><figcaption>");
    html_element(out, "h3", words->title);
    html_element(out, "p", empty);
    buf_text(out, "</figcaption></figure>\n");
}

static const struct chart backlog_charts[] = {
    {.id = "ready",
     .title = "Ready in the queues",
     .about = "Messages that wait for a consumer.",
     .y_title = "messages",
     .size = CHART_HALF,
     .y_tick = count_label,
     .y_value = count_label},
    {.id = "unacked",
     .title = "Delivered, not yet acknowledged",
     .about = "Messages that a consumer has in hand.",
     .y_title = "messages",
     .size = CHART_HALF,
     .y_tick = count_label,
     .y_value = count_label},
    {.id = "orders",
     .title = "Orders on their way",
     .about = "Sent without an answer yet, and accepted without being settled yet.",
     .y_title = "orders",
     .size = CHART_HALF,
     .y_tick = count_label,
     .y_value = count_label},
    {.id = "outbox",
     .title = "Outboxes and the read model",
     .about = "Facts that a service has stored and not published yet, and facts on the log that "
              "the edge has not read yet.",
     .y_title = "facts",
     .size = CHART_HALF,
     .y_tick = count_label,
     .y_value = count_label},
};

void page_backlog(const struct load_report *report, struct buf *out)
{
    const struct load_series *series = &report->series;
    struct canvas *canvas = canvas_new(report);
    html_section_begin(out, "backlog", "Backlog");
    buf_text(out, "<div class=\"charts\">\n");
    add_levels(canvas, &series->queues, offsetof(struct load_sample, queue_ready));
    draw_levels(canvas, &backlog_charts[0], 1, "No message was seen waiting in any queue.", out);
    add_levels(canvas, &series->queues, offsetof(struct load_sample, queue_unacked));
    draw_levels(canvas, &backlog_charts[1], 1, "No message was seen unacknowledged.", out);
    add_line(canvas, "unsettled", offsetof(struct load_sample, unsettled), CURVE_LEVEL);
    add_line(canvas, "unanswered", offsetof(struct load_sample, in_flight), CURVE_LEVEL);
    draw_levels(canvas, &backlog_charts[2], 1, "", out);
    add_levels(canvas, &series->services, offsetof(struct load_sample, outbox));
    if (series_peak(series, offsetof(struct load_sample, projection_lag)) > 0)
        add_line(canvas, "read model behind by", offsetof(struct load_sample, projection_lag),
                 CURVE_LEVEL);
    draw_levels(canvas, &backlog_charts[3], 1, "Nothing was seen waiting there.", out);
    buf_text(out, "</div>\n");
    html_section_end(out);
    canvas_free(canvas);
}

void page_processes(const struct load_report *report, struct buf *out)
{
    static const struct chart cpu = {
        .id = "cpu",
        .title = "CPU",
        .about = "Of one core: two busy cores are 200 %.",
        .y_title = "of one core",
        .size = CHART_HALF,
        .y_tick = cpu_label,
        .y_value = cpu_label,
    };
    static const struct chart rss = {
        .id = "rss",
        .title = "Resident memory",
        .about = "A line that keeps climbing under a steady load is a leak.",
        .y_title = "RSS (logarithmic)",
        .y_scale.logarithmic = true,
        .size = CHART_HALF,
        .y_tick = bytes_label,
        .y_value = bytes_label,
    };
    enum { PERCENT = 10, MEBIBYTE = 1 << 20 };
    struct canvas *canvas = canvas_new(report);
    const struct load_names *processes = &report->series.processes;
    html_section_begin(out, "processes", "Processes");
    buf_text(out, "<div class=\"charts\">\n");
    add_levels(canvas, processes, offsetof(struct load_sample, cpu_milli));
    draw_levels(canvas, &cpu, PERCENT, "Not measured.", out);
    add_levels(canvas, processes, offsetof(struct load_sample, rss_bytes));
    draw_levels(canvas, &rss, MEBIBYTE, "Not measured.", out);
    buf_text(out, "</div>\n");
    page_process_table(report, out);
    html_section_end(out);
    canvas_free(canvas);
}
