#include "load/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static double ms(int64_t us)
{
    return (double)us / 1000;
}

static int64_t backlog(const struct load_sample *sample)
{
    int64_t sum = 0;
    for (size_t i = 0; i < LOAD_QUEUES_MAX; i++)
        if (sample->queue_ready[i] != LOAD_UNKNOWN)
            sum += sample->queue_ready[i];
    return sum;
}

void summary_progress(const struct load_report *report, const struct load_sample *sample)
{
    (void)report;
    fprintf(stderr,
            "\r%5" PRId64 " s  due %" PRId64 "/s  202 %" PRId64 "/s  in flight %" PRId64
            "  unsettled %" PRId64 "  queued %" PRId64 "  errors %" PRId64 "  p99 %.1f ms\033[K",
            sample->at_us / 1000000, sample->offered, sample->accepted, sample->in_flight,
            sample->unsettled, backlog(sample), sample->errors,
            ms(sample->latency[LOAD_ACCEPT].p99_us));
}

static void print_mode(const struct load_report *report)
{
    const struct load_plan *plan = &report->plan;
    double seconds = (double)report->identity.duration_us / 1e6;
    if (plan->mode == LOAD_CLOSED)
        printf("closed loop: %" PRId64 " users, %.0f ms to think, %.1f s\n", plan->users,
               ms(plan->think_us), seconds);
    else
        printf("open loop: arrivals %s, fixed in advance, %.1f s\n",
               plan->mode == LOAD_OPEN_POISSON ? "at random distances" : "at equal distances",
               seconds);
}

static void print_rates(const struct load_report *report)
{
    const struct load_totals *totals = &report->totals;
    double seconds = (double)report->identity.duration_us / 1e6;
    double per = seconds > 0 ? 1 / seconds : 0;
    printf("\n%-10s %12s %12s\n", "orders", "count", "a second");
    const struct {
        const char *name;
        int64_t count;
    } rows[] = {{"offered", totals->offered},  {"sent", totals->sent},
                {"late", totals->late},        {"not sent", totals->not_sent},
                {"202", totals->accepted},     {"refused", totals->refused},
                {"unknown", totals->unknown},  {"settled", totals->settled},
                {"notified", totals->notified}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        printf("%-10s %12" PRId64 " %12.1f\n", rows[i].name, rows[i].count,
               (double)rows[i].count * per);
}

static void print_latencies(const struct load_report *report)
{
    static const struct {
        const char *name;
        enum load_latency which;
    } rows[] = {{"202", LOAD_ACCEPT},
                {"settled", LOAD_SETTLE},
                {"notified", LOAD_NOTIFY},
                {"sent late", LOAD_LATENESS},
                {"queries", LOAD_QUERY}};
    printf("\n%-10s %9s %9s %9s %9s %9s %9s   ms, from the intended time\n", "latency", "p50",
           "p90", "p99", "p99.9", "max", "mean");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct load_histogram *h = &report->latency[rows[i].which];
        if (h->count > 0)
            printf(
                "%-10s %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f\n", rows[i].name,
                ms(load_histogram_quantile(h, LOAD_P50)), ms(load_histogram_quantile(h, LOAD_P90)),
                ms(load_histogram_quantile(h, LOAD_P99)), ms(load_histogram_quantile(h, LOAD_P999)),
                ms(h->max_us), ms(load_histogram_mean(h)));
    }
}

static void print_tallies(const char *title, const struct load_tallies *tallies)
{
    if (tallies->count == 0)
        return;
    printf("%-10s", title);
    for (size_t i = 0; i < tallies->count; i++)
        printf("%s %s %" PRId64, i ? "," : "", tallies->items[i].label, tallies->items[i].count);
    printf("\n");
}

static void print_known(const char *name, int64_t value)
{
    if (value != LOAD_UNKNOWN)
        printf("%s %" PRId64, name, value);
    else
        printf("%s not measured", name);
}

static void print_after(const struct load_report *report)
{
    const struct load_after *after = &report->after;
    if (after->backlog_at_end != LOAD_UNKNOWN) {
        printf("at the end %" PRId64 " orders were not settled; ", after->backlog_at_end);
        if (after->drain_us != LOAD_UNKNOWN)
            printf("drained in %.1f s\n", (double)after->drain_us / 1e6);
        else
            printf("NOT drained\n");
        print_known("counted    redeliveries", after->redeliveries);
        print_known(", duplicates", after->duplicates);
        print_known(", deferred", after->deferred);
        print_known(", quarantined", after->quarantined);
        printf("\n");
    }
    if (report->limit.bound_us > 0)
        printf("limit      %.1f orders/s is the highest rate with p99 to settled within %.0f ms\n",
               report->limit.best_rate, ms(report->limit.bound_us));
    printf("generator  %.0f %% of a core, at most %" PRId64 " in flight\n",
           (double)report->generator.cpu_milli / 10, report->generator.max_in_flight);
    if (report->generator.saturated)
        printf("THE GENERATOR WAS THE BOTTLENECK: %s\n", report->generator.reason);
}

static void print_fate(const struct load_report *report)
{
    const struct load_fate *fate = &report->fate;
    printf("\nfate of %" PRId64 " orders: %" PRId64 " lost, %" PRId64 " doubled, %" PRId64
           " not settled, %" PRId64 " not answered",
           fate->checked, fate->lost, fate->doubled, fate->unsettled, fate->unanswered);
    if (fate->unanswered > 0)
        printf(" (%" PRId64 " exist, %" PRId64 " do not)", fate->unknown_existing,
               fate->unknown_absent);
    if (fate->unrefused > 0)
        printf(", %" PRId64 " refused and exist", fate->unrefused);
    printf("\n");
    for (size_t i = 0; i < fate->finding_count; i++)
        printf("  %-12s %s  key %s\n", load_finding_name(fate->findings[i].kind),
               fate->findings[i].order_id[0] ? fate->findings[i].order_id : "(no id)",
               fate->findings[i].key[0] ? fate->findings[i].key : "(none of ours)");
    if (fate->trouble[0])
        printf("  the check could not be made: %s\n", fate->trouble);
}

void summary_print(const struct load_report *report, const char *out)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    print_mode(report);
    print_rates(report);
    print_latencies(report);
    printf("\n");
    print_tallies("outcomes", &report->totals.outcomes);
    print_tallies("errors", &report->totals.errors);
    if (report->totals.cancels > 0)
        printf("cancels    %" PRId64 ", %" PRId64 " failed\n", report->totals.cancels,
               report->totals.cancels_failed);
    if (report->totals.queries > 0)
        printf("queries    %" PRId64 ", %" PRId64 " failed\n", report->totals.queries,
               report->totals.queries_failed);
    print_after(report);
    print_fate(report);
    if (out)
        printf("report     %s\n", out);
    printf("load: %s%s\n", load_report_clean(report) ? "clean" : "NOT CLEAN",
           report->identity.interrupted ? ", interrupted" : "");
}

void summary_crowd(const struct load_report *report)
{
    const struct load_totals *totals = &report->totals;
    int64_t failed = 0;
    for (size_t i = 0; i < totals->errors.count; i++)
        failed += totals->errors.items[i].count;
    printf("%" PRId64 " orders, %" PRId64 " attempts, %" PRId64 " failed, %" PRId64
           " not sent, %" PRId64 " given up\n",
           totals->accepted, totals->accepted + failed, failed, totals->offered - totals->sent,
           totals->sent - totals->accepted);
    print_tallies("errors", &totals->errors);
}
