#include "load/report/page.h"

#include <stddef.h>

#include "load/report/curves.h"
#include "load/report/figures.h"
#include "load/report/html.h"
#include "load/report/verdict.h"

static void section(struct buf *out, const char *id, const char *title, const char *about)
{
    html_section_begin(out, id, title);
    if (about)
        html_element(out, "p", about);
}

static void row(struct buf *out, const char *name, struct figure figure)
{
    html_row_begin(out, name);
    html_row_cell(out, figure.text);
    html_row_end(out);
}

/* --- latency ---------------------------------------------------------------------------------------- */

void page_percentiles(const struct load_report *report, struct buf *out)
{
    static const char *const columns[] = {
        "from intended arrival", "count", "median", "p90", "p99", "p99.9", "slowest", "mean", NULL};
    static const char *const names[LOAD_LATENCIES] = {"to the 202", "to settled", "to notified",
                                                      "until it was sent", "query answered"};
    static const int asked[] = {LOAD_P50, LOAD_P90, LOAD_P99, LOAD_P999, LOAD_P100};
    html_table_begin(out, NULL, columns);
    for (size_t i = 0; i < LOAD_LATENCIES; i++) {
        const struct load_histogram *histogram = &report->latency[i];
        if (histogram->count == 0)
            continue;
        html_row_begin(out, names[i]);
        html_row_cell(out, figure_count(histogram->count).text);
        for (size_t j = 0; j < sizeof asked / sizeof asked[0]; j++)
            html_row_cell(out, figure_duration(load_histogram_quantile(histogram, asked[j])).text);
        html_row_cell(out, figure_duration(load_histogram_mean(histogram)).text);
        html_row_end(out);
    }
    html_table_end(out);
}

/* --- steps ------------------------------------------------------------------------------------------ */

static void step_row(const struct load_report *report, size_t index, struct buf *out)
{
    const struct load_phase *phase = &report->plan.phases[index];
    char name[32];
    snprintf(name, sizeof name, "%zu", index + 1);
    html_row_begin(out, name);
    html_row_cell(out, figure_rate(phase->rate).text);
    html_row_cell(out, figure_duration(phase->duration_us).text);
    html_row_cell(out, figure_count(phase->offered).text);
    html_row_cell(out, figure_count(phase->accepted).text);
    html_row_cell(out, figure_count(phase->errors).text);
    html_row_cell(out, figure_duration(phase->accept_p99_us).text);
    html_row_cell(out, figure_duration(phase->settle_p50_us).text);
    html_row_cell(out, figure_duration(phase->settle_p99_us).text);
    html_row_cell(out, figure_duration(phase->settle_max_us).text);
    if (report->limit.bound_us > 0)
        html_row_cell(out, !load_phase_complete(report, index) ? "cut short"
                           : phase->held                       ? "yes"
                                                               : "no");
    html_row_end(out);
}

void page_steps(const struct load_report *report, struct buf *out)
{
    static const char *const with_bound[] = {
        "step",       "orders/s",       "for",         "offered", "accepted", "errors",
        "p99 to 202", "median settled", "p99 settled", "slowest", "kept",     NULL};
    static const char *const without[] = {"step",        "orders/s", "for",        "offered",
                                          "accepted",    "errors",   "p99 to 202", "median settled",
                                          "p99 settled", "slowest",  NULL};
    if (report->plan.phase_count < 2)
        return;
    section(out, "steps", "Steps",
            "What became of the orders whose intended arrival lay in each step.");
    html_table_begin(out, NULL, report->limit.bound_us > 0 ? with_bound : without);
    for (size_t i = 0; i < report->plan.phase_count; i++) {
        if (report->plan.phases[i].offered > 0)
            step_row(report, i, out);
    }
    html_table_end(out);
    html_section_end(out);
}

/* --- queues and processes ---------------------------------------------------------------------------- */

static int64_t at_end_of_load(const struct load_report *report, size_t offset)
{
    int64_t value = LOAD_UNKNOWN;
    for (size_t i = 0; i < report->series.count; i++) {
        const struct load_sample *sample = &report->series.samples[i];
        if (sample->at_us > report->identity.duration_us + 500000)
            break;
        int64_t now = *(const int64_t *)((const char *)sample + offset);
        value = now == LOAD_UNKNOWN ? value : now;
    }
    return value;
}

void page_queue_table(const struct load_report *report, struct buf *out)
{
    static const char *const columns[] = {"queue", "most ready", "ready at the end of load",
                                          "most unacked", NULL};
    const struct load_names *queues = &report->series.queues;
    if (queues->count == 0)
        return;
    html_table_begin(out, NULL, columns);
    for (size_t i = 0; i < queues->count; i++) {
        size_t ready = offsetof(struct load_sample, queue_ready) + i * sizeof(int64_t);
        size_t unacked = offsetof(struct load_sample, queue_unacked) + i * sizeof(int64_t);
        html_row_begin(out, queues->items[i]);
        html_row_cell(out, figure_count(series_peak(&report->series, ready)).text);
        html_row_cell(out, figure_count(at_end_of_load(report, ready)).text);
        html_row_cell(out, figure_count(series_peak(&report->series, unacked)).text);
        html_row_end(out);
    }
    html_table_end(out);
}

void page_process_table(const struct load_report *report, struct buf *out)
{
    static const char *const columns[] = {"process",         "CPU, mean", "CPU, most",
                                          "RSS, first seen", "RSS, most", NULL};
    const struct load_series *series = &report->series;
    if (series->processes.count == 0 || series->count == 0)
        return;
    html_table_begin(out, NULL, columns);
    for (size_t i = 0; i < series->processes.count; i++) {
        size_t cpu = offsetof(struct load_sample, cpu_milli) + i * sizeof(int64_t);
        size_t rss = offsetof(struct load_sample, rss_bytes) + i * sizeof(int64_t);
        int64_t first = LOAD_UNKNOWN;
        for (size_t j = 0; j < series->count && first == LOAD_UNKNOWN; j++)
            first = series->samples[j].rss_bytes[i];
        html_row_begin(out, series->processes.items[i]);
        html_row_cell(out, figure_cpu(series_mean(series, cpu)).text);
        html_row_cell(out, figure_cpu(series_peak(series, cpu)).text);
        html_row_cell(out, figure_bytes(first).text);
        html_row_cell(out, figure_bytes(series_peak(series, rss)).text);
        html_row_end(out);
    }
    html_table_end(out);
}

/* --- answers ----------------------------------------------------------------------------------------- */

static void tallies(const struct load_tallies *list, const char *caption,
                    const char *const *columns, struct buf *out)
{
    if (list->count == 0)
        return;
    html_table_begin(out, caption, columns);
    for (size_t i = 0; i < list->count; i++)
        row(out, list->items[i].label, figure_count(list->items[i].count));
    html_table_end(out);
}

void page_answers(const struct load_report *report, struct buf *out)
{
    static const char *const orders[] = {"orders", "count", NULL};
    static const char *const errors[] = {"error", "count", NULL};
    static const char *const outcomes[] = {"settled as", "count", NULL};
    const struct load_totals *totals = &report->totals;
    section(out, "answers", "Answers", totals->errors.count ? NULL : "No request failed.");
    buf_text(out, "<div class=\"tables\">\n");
    html_table_begin(out, NULL, orders);
    row(out, "offered", figure_count(totals->offered));
    row(out, "sent", figure_count(totals->sent));
    row(out, "of these late", figure_count(totals->late));
    row(out, "never sent", figure_count(totals->not_sent));
    row(out, "accepted (202)", figure_count(totals->accepted));
    row(out, "refused: nothing was accepted", figure_count(totals->refused));
    row(out, "unknown: may have been accepted", figure_count(totals->unknown));
    row(out, "settled", figure_count(totals->settled));
    row(out, "notified", figure_count(totals->notified));
    if (totals->cancels > 0) {
        row(out, "cancels", figure_count(totals->cancels));
        row(out, "cancels that failed", figure_count(totals->cancels_failed));
    }
    if (totals->queries > 0) {
        row(out, "queries", figure_count(totals->queries));
        row(out, "queries that failed", figure_count(totals->queries_failed));
    }
    html_table_end(out);
    tallies(&totals->outcomes, NULL, outcomes, out);
    tallies(&totals->errors, NULL, errors, out);
    buf_text(out, "</div>\n");
    html_section_end(out);
}

/* --- the loss check ----------------------------------------------------------------------------------- */

static void finding_rows(const struct load_fate *fate, struct buf *out)
{
    static const char *const columns[] = {"what", "order", "key", NULL};
    if (fate->finding_count == 0)
        return;
    html_table_begin(out, "The first ones", columns);
    for (size_t i = 0; i < fate->finding_count; i++) {
        html_row_begin(out, load_finding_name(fate->findings[i].kind));
        html_row_cell(out, fate->findings[i].order_id);
        html_row_cell(out, fate->findings[i].key);
        html_row_end(out);
    }
    html_table_end(out);
}

void page_fate(const struct load_report *report, struct buf *out)
{
    static const char *const columns[] = {"orders", "count", NULL};
    const struct load_fate *fate = &report->fate;
    section(
        out, "fate", "Loss check",
        "After the load the suite was asked what became of every order that was sent. An answer "
        "that was unknown may end either way; an order that was accepted must be there, once, "
        "and settled.");
    if (fate->trouble[0])
        html_element(out, "p", fate->trouble);
    buf_text(out, "<div class=\"tables\">\n");
    html_table_begin(out, NULL, columns);
    row(out, "asked for", figure_count(fate->checked));
    row(out, "lost", figure_count(fate->lost));
    row(out, "doubled", figure_count(fate->doubled));
    row(out, "not settled in time", figure_count(fate->unsettled));
    row(out, "refused, and exists", figure_count(fate->unrefused));
    row(out, "never answered", figure_count(fate->unanswered));
    row(out, "of these it exists", figure_count(fate->unknown_existing));
    row(out, "of these it does not", figure_count(fate->unknown_absent));
    html_table_end(out);
    finding_rows(fate, out);
    buf_text(out, "</div>\n");
    html_section_end(out);
}

void page_inside(const struct load_report *report, struct buf *out)
{
    static const char *const columns[] = {"during the run", "measured", NULL};
    const struct load_after *after = &report->after;
    section(out, "inside", "Inside the suite",
            "What the services counted. Redeliveries and duplicates are no fault: each was "
            "recognised and had no effect.");
    buf_text(out, "<div class=\"tables\">\n");
    html_table_begin(out, NULL, columns);
    row(out, "unsettled when the load ended", figure_count(after->backlog_at_end));
    row(out, "time to drain", figure_duration(after->drain_us));
    row(out, "messages redelivered", figure_count(after->redeliveries));
    row(out, "duplicates absorbed", figure_count(after->duplicates));
    row(out, "deferred", figure_count(after->deferred));
    row(out, "quarantined", figure_count(after->quarantined));
    html_table_end(out);
    page_queue_table(report, out);
    buf_text(out, "</div>\n");
    html_section_end(out);
}

/* --- the run itself ------------------------------------------------------------------------------------ */

static void words_row(struct buf *out, const char *name, const char *text)
{
    if (!text[0])
        return;
    html_row_begin(out, name);
    html_row_cell(out, text);
    html_row_end(out);
}

static void generator_row(const struct load_report *report, struct buf *out)
{
    const struct load_generator *generator = &report->generator;
    struct buf text = {0};
    buf_printf(&text, "%s CPU, at most %s requests in flight; ",
               figure_cpu(generator->cpu_milli).text, figure_count(generator->max_in_flight).text);
    if (generator->saturated)
        buf_printf(&text, "it was the bottleneck: %s", generator->reason);
    else
        buf_text(&text, "it was not the bottleneck");
    words_row(out, "generator", text.data);
    buf_release(&text);
}

static void machine_table(const struct load_report *report, struct buf *out)
{
    const struct load_machine *machine = &report->machine;
    char text[64];
    html_scroll_begin(out, "The machine and the load");
    buf_text(out, "<table class=\"words\"><tbody>");
    words_row(out, "CPU", machine->cpu_model);
    words_row(out, "cores", figure_count(machine->cores).text);
    words_row(out, "memory", figure_bytes(machine->memory_bytes).text);
    words_row(out, "kernel", machine->kernel);
    words_row(out, "broker", machine->broker);
    words_row(out, "warren", report->identity.version);
    words_row(out, "load", verdict_mode(report->plan.mode));
    if (report->plan.connections > 0) {
        snprintf(text, sizeof text, "%s at most", figure_count(report->plan.connections).text);
        words_row(out, "connections", text);
    }
    generator_row(report, out);
    buf_text(out, "</tbody></table>");
    html_scroll_end(out);
}

static void glossary(struct buf *out)
{
    static const struct {
        const char *word, *meaning;
    } words[] = {
        {"intended arrival", "When the schedule wanted the order to be sent. Latency counts from "
                             "then, so an order that "
                             "had to wait because the suite stood still is as late as its customer "
                             "would have found it."},
        {"p99", "99 of 100 orders took at most this long. Quantiles are nearest ranks, within 1 %; "
                "the slowest is exact."},
        {"settled", "Confirmed, rejected, cancelled or expired; seen in the log of facts."},
        {"ready, unacknowledged",
         "Messages that wait in a queue, and messages that a consumer has taken and not finished."},
        {"unknown",
         "No answer, or 504: the order may have been accepted. The loss check found out which."},
    };
    html_section_begin(out, "words", "How to read this");
    buf_text(out, "<dl class=\"words\">");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        html_element(out, "dt", words[i].word);
        html_element(out, "dd", words[i].meaning);
    }
    buf_text(out, "</dl>\n");
    html_section_end(out);
}

void page_run(const struct load_report *report, struct buf *out)
{
    section(out, "run", "The run", "To repeat it:");
    html_element(out, "pre", report->identity.command);
    machine_table(report, out);
    html_element(out, "p",
                 "Beside this page: summary.json (the figures), series.csv (one row a "
                 "second), latency.csv (every percentile).");
    html_section_end(out);
    glossary(out);
}
