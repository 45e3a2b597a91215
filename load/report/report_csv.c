/* series.csv and latency.csv (RFC 4180). What is not known is an empty cell. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "load/report/writers.h"

/* Quoted where it must be. A leading '=', '+', '-' or '@' would be a formula to a spreadsheet. */
static void cell_text(struct buf *out, const char *text)
{
    bool formula = text[0] && strchr("=+-@", text[0]);
    if (!formula && !strpbrk(text, ",\"\r\n")) {
        buf_text(out, text);
        return;
    }
    buf_text(out, formula ? "\"'" : "\"");
    for (const char *at = text; *at; at++) {
        if (*at == '"')
            buf_text(out, "\"");
        buf_append(out, at, 1);
    }
    buf_text(out, "\"");
}

static void head(struct buf *out, const char *prefix, const char *name, const char *suffix)
{
    char text[2 * LOAD_LABEL_MAX];
    snprintf(text, sizeof text, "%s%s%s", prefix, name, suffix);
    buf_text(out, ",");
    cell_text(out, text);
}

static void cell(struct buf *out, int64_t value)
{
    if (value == LOAD_UNKNOWN)
        buf_text(out, ",");
    else
        buf_printf(out, ",%" PRId64, value);
}

static void series_head(const struct load_series *series, struct buf *out)
{
    static const char *const latencies[] = {"accept", "settle", "notify"};
    buf_text(out, "at_us,offered,sent,accepted,errors,settled,notified,in_flight,unsettled");
    for (size_t i = 0; i < 3; i++) {
        head(out, latencies[i], "", "_count");
        head(out, latencies[i], "", "_p50_us");
        head(out, latencies[i], "", "_p99_us");
        head(out, latencies[i], "", "_max_us");
    }
    buf_text(out, ",projection_lag");
    for (size_t i = 0; i < series->queues.count; i++) {
        head(out, "ready ", series->queues.items[i], "");
        head(out, "unacked ", series->queues.items[i], "");
    }
    for (size_t i = 0; i < series->services.count; i++)
        head(out, "outbox ", series->services.items[i], "");
    for (size_t i = 0; i < series->processes.count; i++) {
        head(out, "cpu_milli ", series->processes.items[i], "");
        head(out, "rss_bytes ", series->processes.items[i], "");
    }
    buf_text(out, "\n");
}

static void moment(struct buf *out, const struct load_moment *moment)
{
    bool known = moment->count > 0;
    cell(out, moment->count);
    cell(out, known ? moment->p50_us : LOAD_UNKNOWN);
    cell(out, known ? moment->p99_us : LOAD_UNKNOWN);
    cell(out, known ? moment->max_us : LOAD_UNKNOWN);
}

static void series_row(const struct load_series *series, const struct load_sample *sample,
                       struct buf *out)
{
    buf_printf(out, "%" PRId64, sample->at_us);
    cell(out, sample->offered);
    cell(out, sample->sent);
    cell(out, sample->accepted);
    cell(out, sample->errors);
    cell(out, sample->settled);
    cell(out, sample->notified);
    cell(out, sample->in_flight);
    cell(out, sample->unsettled);
    for (size_t i = 0; i <= LOAD_NOTIFY; i++)
        moment(out, &sample->latency[i]);
    cell(out, sample->projection_lag);
    for (size_t i = 0; i < series->queues.count; i++) {
        cell(out, sample->queue_ready[i]);
        cell(out, sample->queue_unacked[i]);
    }
    for (size_t i = 0; i < series->services.count; i++)
        cell(out, sample->outbox[i]);
    for (size_t i = 0; i < series->processes.count; i++) {
        cell(out, sample->cpu_milli[i]);
        cell(out, sample->rss_bytes[i]);
    }
    buf_text(out, "\n");
}

void report_series_csv(const struct load_report *report, struct buf *out)
{
    series_head(&report->series, out);
    for (size_t i = 0; i < report->series.count; i++)
        series_row(&report->series, &report->series.samples[i], out);
}

void report_latency_csv(const struct load_report *report, struct buf *out)
{
    enum { PER_DECADE = 20, LAST = 6 * PER_DECADE };
    static const char *const names[LOAD_LATENCIES] = {"accept", "settle", "notify", "lateness",
                                                      "query"};
    buf_text(out, "latency,percentile,value_us\n");
    for (size_t i = 0; i < LOAD_LATENCIES; i++) {
        const struct load_histogram *histogram = &report->latency[i];
        for (int step = 0; step <= LAST && histogram->count > 0; step++) {
            int millionths = (int)lround(1e6 * (1 - pow(10, -(double)step / PER_DECADE)));
            buf_printf(out, "%s,%.4f,%" PRId64 "\n", names[i], (double)millionths / 10000,
                       load_histogram_quantile(histogram, millionths));
        }
        if (histogram->count > 0)
            buf_printf(out, "%s,100.0000,%" PRId64 "\n", names[i], histogram->max_us);
    }
}
