#include "load/report/verdict.h"

#include "load/report/curves.h"
#include "load/report/figures.h"

enum load_verdict verdict_of(const struct load_report *report)
{
    if (load_fate_wrong(&report->fate) > 0)
        return VERDICT_FAILED;
    return load_report_clean(report) ? VERDICT_CLEAN : VERDICT_NOT_CHECKED;
}

const char *verdict_name(enum load_verdict verdict)
{
    static const char *const names[] = {"clean", "failed", "not checked"};
    return names[verdict];
}

const char *verdict_mode(enum load_mode mode)
{
    static const char *const names[] = {"open loop, evenly spaced", "open loop, Poisson arrivals",
                                        "closed loop"};
    return names[mode];
}

double verdict_rate(const struct load_report *report, int64_t count)
{
    int64_t duration = report->identity.duration_us;
    return duration > 0 && count >= 0 ? (double)count * 1e6 / (double)duration : LOAD_UNKNOWN;
}

double verdict_settled_rate(const struct load_report *report)
{
    if (report->series.count == 0)
        return LOAD_UNKNOWN;
    return verdict_rate(report, series_sum(&report->series, offsetof(struct load_sample, settled),
                                           report->identity.duration_us));
}

/* "1,200 orders/s were offered for 60 s (open loop, evenly spaced)." */
static void say_load(const struct load_report *report, struct buf *out)
{
    const struct load_plan *plan = &report->plan;
    struct figure time = figure_duration(report->identity.duration_us);
    double low = plan->phases[0].rate, high = low;
    size_t steps = 1; /* that were reached */
    for (size_t i = 1; i < plan->phase_count; i++) {
        if (plan->phases[i].offered == 0)
            continue;
        steps++;
        low = plan->phases[i].rate < low ? plan->phases[i].rate : low;
        high = plan->phases[i].rate > high ? plan->phases[i].rate : high;
    }
    if (plan->mode == LOAD_CLOSED)
        buf_printf(
            out, "%s users ordered for %s, each thinking %s between its orders (%s): %s orders/s",
            figure_count(plan->users).text, time.text, figure_duration(plan->think_us).text,
            verdict_mode(plan->mode), figure_rate(verdict_rate(report, report->totals.sent)).text);
    else if (low < high)
        buf_printf(out, "%s to %s orders/s were offered in %zu steps over %s (%s)",
                   figure_rate(low).text, figure_rate(high).text, steps, time.text,
                   verdict_mode(plan->mode));
    else
        buf_printf(out, "%s orders/s were offered for %s (%s)",
                   figure_rate(verdict_rate(report, report->totals.offered)).text, time.text,
                   verdict_mode(plan->mode));
}

static void say_answers(const struct load_totals *totals, struct buf *out)
{
    if (totals->offered > 0 && totals->accepted == totals->offered) {
        buf_printf(out, "; all %s were accepted. ", figure_count(totals->accepted).text);
        return;
    }
    buf_printf(out, "; %s of %s were accepted (%s)", figure_count(totals->accepted).text,
               figure_count(totals->offered).text,
               figure_share(totals->accepted, totals->offered).text);
    if (totals->refused > 0)
        buf_printf(out, ", %s refused", figure_count(totals->refused).text);
    if (totals->unknown > 0)
        buf_printf(out, ", %s without a certain answer", figure_count(totals->unknown).text);
    if (totals->not_sent > 0)
        buf_printf(out, ", %s never sent", figure_count(totals->not_sent).text);
    buf_text(out, ". ");
}

static void say_latency(const struct load_report *report, struct buf *out)
{
    static const struct {
        enum load_latency which;
        const char *until;
    } parts[] = {
        {LOAD_ACCEPT, "to the 202"}, {LOAD_SETTLE, "to settled"}, {LOAD_NOTIFY, "to notified"}};
    const char *between = "The 99th percentile from intended arrival ";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct load_histogram *histogram = &report->latency[parts[i].which];
        if (histogram->count == 0)
            continue;
        buf_printf(out, "%s%s was %s", between, parts[i].until,
                   figure_duration(load_histogram_quantile(histogram, LOAD_P99)).text);
        between = ", ";
    }
    if (between[0] == ',')
        buf_text(out, ". ");
}

static void say_limit(const struct load_limit *limit, struct buf *out)
{
    if (limit->bound_us <= 0)
        return;
    struct figure bound = figure_duration(limit->bound_us);
    if (limit->best_rate > 0)
        buf_printf(out, "The highest rate that kept the p99 to settled under %s was %s orders/s",
                   bound.text, figure_rate(limit->best_rate).text);
    else
        buf_printf(out, "No rate kept the p99 to settled under %s", bound.text);
    if (limit->first_bad > 0)
        buf_printf(out, "; %s orders/s did not", figure_rate(limit->first_bad).text);
    buf_text(out, ". ");
}

static void say_drain(const struct load_report *report, struct buf *out)
{
    if (report->after.drain_us >= 0)
        buf_printf(out, "Everything was settled %s after the load ended. ",
                   figure_duration(report->after.drain_us).text);
    else if (report->after.backlog_at_end > 0)
        buf_printf(out, "Not everything was settled when the patience ended. ");
}

/* "3 lost, 1 doubled": only what there is. */
static void say_findings(const struct load_fate *fate, struct buf *out)
{
    const int64_t counts[] = {
        [LOAD_LOST] = fate->lost,           [LOAD_DOUBLED] = fate->doubled,
        [LOAD_UNSETTLED] = fate->unsettled, [LOAD_UNANSWERED] = fate->unanswered,
        [LOAD_UNREFUSED] = fate->unrefused,
    };
    const char *between = "";
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (counts[i] == 0)
            continue;
        buf_printf(out, "%s%s %s", between, figure_count(counts[i]).text,
                   load_finding_name((enum load_finding_kind)i));
        between = ", ";
    }
}

static void say_fate(const struct load_report *report, struct buf *out)
{
    const struct load_fate *fate = &report->fate;
    if (verdict_of(report) == VERDICT_NOT_CHECKED)
        buf_printf(out, "Whether anything was lost is not known%s%s.", fate->trouble[0] ? ": " : "",
                   fate->trouble);
    else if (verdict_of(report) == VERDICT_CLEAN)
        buf_printf(out,
                   "Nothing was lost: the fate of %s orders was asked for; none was lost, doubled "
                   "or left unsettled.",
                   figure_count(fate->checked).text);
    if (verdict_of(report) != VERDICT_FAILED)
        return;
    buf_printf(out, "Of %s orders whose fate was asked for: ", figure_count(fate->checked).text);
    say_findings(fate, out);
    buf_text(out, ".");
}

void verdict_write(const struct load_report *report, struct buf *out)
{
    say_load(report, out);
    say_answers(&report->totals, out);
    say_latency(report, out);
    say_limit(&report->limit, out);
    say_drain(report, out);
    say_fate(report, out);
}

void verdict_warnings(const struct load_report *report, struct buf *out)
{
    const struct load_totals *totals = &report->totals;
    if (report->identity.interrupted)
        buf_text(out, "The run was ended early by a signal.\n");
    if (report->generator.saturated)
        buf_printf(out,
                   "The generator was itself the bottleneck (%s): the figures say more about it "
                   "than about the suite.\n",
                   report->generator.reason);
    if (totals->not_sent > 0)
        buf_printf(out,
                   "%s of %s intended orders were never sent; no latency counts them, so the "
                   "percentiles are better than a customer would have seen.\n",
                   figure_count(totals->not_sent).text, figure_count(totals->offered).text);
    if (report->plan.mode == LOAD_CLOSED)
        buf_text(out, "In a closed loop users wait for the suite: when it is slow, less is asked "
                      "of it. Use its figures for capacity, not for latency.\n");
    if (report->after.quarantined > 0)
        buf_printf(out, "%s messages are in quarantine: 'warren quarantine list' shows them.\n",
                   figure_count(report->after.quarantined).text);
}
