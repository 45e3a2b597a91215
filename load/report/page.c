#include "load/report/page.h"

#include "common/base/clock.h"
#include "load/report/figures.h"
#include "load/report/html.h"
#include "load/report/verdict.h"

static void write_head(const struct load_report *report, struct buf *out)
{
    buf_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>");
    html_printf(out, "%s: load report", report->identity.title);
    buf_printf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", page_css);
}

static void write_title(const struct load_report *report, struct buf *out)
{
    char started[TIME_TEXT_SIZE];
    time_format(report->identity.started_ms, started);
    buf_text(out, "<header>\n<p class=\"kind\">Warren load report</p>\n");
    html_element(out, "h1", report->identity.title);
    buf_text(out, "<p class=\"when\">");
    html_printf(out, "%.10s, %.8s UTC \u00b7 %s \u00b7 %s", started, started + 11,
                figure_duration(report->identity.duration_us).text,
                verdict_mode(report->plan.mode));
    if (report->machine.broker[0])
        html_printf(out, " \u00b7 %s", report->machine.broker);
    if (report->machine.cores > 0)
        html_printf(out, " \u00b7 %s", figure_count(report->machine.cores).text);
    buf_text(out, report->machine.cores > 0 ? " cores</p>\n</header>\n" : "</p>\n</header>\n");
}

static void write_verdict(const struct load_report *report, struct buf *out)
{
    static const struct {
        const char *style, *word;
    } looks[] = {{"clean", "Clean"}, {"failed", "Failed"}, {"open", "Not proved"}};
    enum load_verdict verdict = verdict_of(report);
    struct buf words = {0};
    verdict_write(report, &words);
    buf_printf(out, "<section class=\"verdict %s\" aria-label=\"Verdict\">", looks[verdict].style);
    html_element(out, "p class=\"word\"", looks[verdict].word);
    html_element(out, "p", words.data);
    buf_text(out, "</section>\n");
    buf_clear(&words);
    verdict_warnings(report, &words);
    if (words.size > 0) {
        buf_text(out, "<ul class=\"warnings\">");
        char *rest = words.data;
        for (char *line = strtok_r(rest, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
            html_element(out, "li", line);
        buf_text(out, "</ul>\n");
    }
    buf_release(&words);
}

static void tile(struct buf *out, const char *name, const char *figure, const char *of)
{
    buf_text(out, "<div>");
    html_element(out, "dt", name);
    buf_text(out, "<dd>");
    html_element(out, "span class=\"figure\"", figure);
    html_element(out, "span class=\"of\"", of);
    buf_text(out, "</dd></div>\n");
}

static void latency_tile(const struct load_report *report, enum load_latency which,
                         const char *name, struct buf *out)
{
    const struct load_histogram *histogram = &report->latency[which];
    char of[96];
    int64_t p99 = histogram->count ? load_histogram_quantile(histogram, LOAD_P99) : LOAD_UNKNOWN;
    if (histogram->count > 0)
        snprintf(of, sizeof of, "median %s",
                 figure_duration(load_histogram_quantile(histogram, LOAD_P50)).text);
    else
        snprintf(of, sizeof of, "not measured");
    tile(out, name, figure_duration(p99).text, of);
}

static void write_tiles(const struct load_report *report, struct buf *out)
{
    const struct load_totals *totals = &report->totals;
    char figure[64], of[96];
    buf_text(out, "<dl class=\"tiles\">\n");
    snprintf(figure, sizeof figure, "%s/s",
             figure_rate(verdict_rate(report, totals->accepted)).text);
    snprintf(of, sizeof of, "of %s/s offered",
             figure_rate(verdict_rate(report, totals->offered)).text);
    tile(out, "Accepted", figure, of);
    latency_tile(report, LOAD_ACCEPT, "p99 to the 202", out);
    latency_tile(report, LOAD_SETTLE, "p99 to settled", out);
    latency_tile(report, LOAD_NOTIFY, "p99 to notified", out);
    snprintf(of, sizeof of, "%s unsettled at the end of the load",
             figure_count(report->after.backlog_at_end).text);
    tile(out, "Drained in", figure_duration(report->after.drain_us).text, of);
    bool checked = report->fate.checked > 0;
    snprintf(of, sizeof of, checked ? "lost, doubled or left over, of %s" : "nobody looked",
             figure_count(report->fate.checked).text);
    int64_t wrong = checked ? load_fate_wrong(&report->fate) : LOAD_UNKNOWN;
    tile(out, "Loss check", figure_count(wrong).text, of);
    buf_text(out, "</dl>\n");
}

void page_write(const struct load_report *report, struct buf *out)
{
    write_head(report, out);
    write_title(report, out);
    buf_text(out, "<main>\n");
    write_verdict(report, out);
    write_tiles(report, out);
    page_steps(report, out);
    page_latency(report, out);
    page_rates(report, out);
    page_backlog(report, out);
    page_processes(report, out);
    page_answers(report, out);
    page_fate(report, out);
    page_inside(report, out);
    page_run(report, out);
    buf_text(out, "</main>\n<footer>");
    html_element(out, "p", report->identity.version);
    buf_printf(out, "</footer>\n<script>\n%s</script>\n</body>\n</html>\n", page_js);
}
