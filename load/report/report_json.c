/* summary.json. The member names are documented in load/README.md; others rely on them. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "load/report/curves.h"
#include "load/report/verdict.h"
#include "load/report/writers.h"

static void add_integer(cJSON *json, const char *name, int64_t value)
{
    if (value == LOAD_UNKNOWN)
        cJSON_AddNullToObject(json, name);
    else
        cJSON_AddNumberToObject(json, name, (double)value);
}

static void add_rate(cJSON *json, const char *name, double rate)
{
    if (rate < 0)
        cJSON_AddNullToObject(json, name);
    else
        cJSON_AddNumberToObject(json, name, round(rate * 1000) / 1000);
}

static void add_tallies(cJSON *json, const char *name, const struct load_tallies *tallies)
{
    cJSON *list = cJSON_AddArrayToObject(json, name);
    for (size_t i = 0; i < tallies->count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "kind", tallies->items[i].label);
        add_integer(item, "count", tallies->items[i].count);
        cJSON_AddItemToArray(list, item);
    }
}

static void add_identity(cJSON *json, const struct load_report *report)
{
    char started[TIME_TEXT_SIZE];
    struct buf text = {0};
    time_format(report->identity.started_ms, started);
    cJSON_AddNumberToObject(json, "format", 1);
    cJSON_AddStringToObject(json, "title", report->identity.title);
    cJSON_AddStringToObject(json, "verdict", verdict_name(verdict_of(report)));
    verdict_write(report, &text);
    cJSON_AddStringToObject(json, "verdict_text", text.data);
    buf_clear(&text);
    verdict_warnings(report, &text);
    cJSON_AddStringToObject(json, "warnings", text.data ? text.data : "");
    buf_release(&text);
    cJSON_AddStringToObject(json, "command", report->identity.command);
    cJSON_AddStringToObject(json, "version", report->identity.version);
    cJSON_AddStringToObject(json, "started_at", started);
    add_integer(json, "begun_ns", report->identity.begun_ns);
    add_integer(json, "duration_us", report->identity.duration_us);
    cJSON_AddBoolToObject(json, "interrupted", report->identity.interrupted);
}

static void add_machine(cJSON *json, const struct load_machine *machine)
{
    cJSON *object = cJSON_AddObjectToObject(json, "machine");
    cJSON_AddStringToObject(object, "cpu_model", machine->cpu_model);
    add_integer(object, "cores", machine->cores);
    add_integer(object, "memory_bytes", machine->memory_bytes);
    cJSON_AddStringToObject(object, "kernel", machine->kernel);
    cJSON_AddStringToObject(object, "broker", machine->broker);
}

static cJSON *phase_object(const struct load_phase *phase, bool bounded)
{
    cJSON *object = cJSON_CreateObject();
    add_rate(object, "rate", phase->rate);
    add_integer(object, "duration_us", phase->duration_us);
    add_integer(object, "offered", phase->offered);
    add_integer(object, "sent", phase->sent);
    add_integer(object, "accepted", phase->accepted);
    add_integer(object, "errors", phase->errors);
    add_integer(object, "accept_p99_us", phase->accept_p99_us);
    add_integer(object, "settle_p50_us", phase->settle_p50_us);
    add_integer(object, "settle_p99_us", phase->settle_p99_us);
    add_integer(object, "settle_max_us", phase->settle_max_us);
    if (bounded)
        cJSON_AddBoolToObject(object, "held", phase->held);
    return object;
}

static void add_plan(cJSON *json, const struct load_report *report)
{
    static const char *const modes[] = {"open-even", "open-poisson", "closed"};
    const struct load_plan *plan = &report->plan;
    const struct load_limit *limit = &report->limit;
    cJSON *object = cJSON_AddObjectToObject(json, "plan");
    cJSON_AddStringToObject(object, "mode", modes[plan->mode]);
    add_integer(object, "users", plan->users);
    add_integer(object, "think_us", plan->think_us);
    add_integer(object, "connections", plan->connections);
    add_integer(object, "query_rate", plan->query_rate);
    add_integer(object, "cancel_permille", plan->cancel_permille);
    cJSON *phases = cJSON_AddArrayToObject(object, "phases");
    for (size_t i = 0; i < plan->phase_count; i++)
        cJSON_AddItemToArray(phases, phase_object(&plan->phases[i], limit->bound_us > 0));
    if (limit->bound_us > 0) {
        object = cJSON_AddObjectToObject(json, "limit");
        add_integer(object, "bound_us", limit->bound_us);
        add_rate(object, "best_rate", limit->best_rate);
        add_rate(object, "first_bad_rate", limit->first_bad);
    } else {
        cJSON_AddNullToObject(json, "limit");
    }
}

static void add_totals(cJSON *json, const struct load_report *report)
{
    const struct load_totals *totals = &report->totals;
    cJSON *object = cJSON_AddObjectToObject(json, "totals");
    add_integer(object, "offered", totals->offered);
    add_integer(object, "sent", totals->sent);
    add_integer(object, "late", totals->late);
    add_integer(object, "not_sent", totals->not_sent);
    add_integer(object, "accepted", totals->accepted);
    add_integer(object, "refused", totals->refused);
    add_integer(object, "unknown", totals->unknown);
    add_integer(object, "settled", totals->settled);
    add_integer(object, "notified", totals->notified);
    add_integer(object, "queries", totals->queries);
    add_integer(object, "queries_failed", totals->queries_failed);
    add_integer(object, "cancels", totals->cancels);
    add_integer(object, "cancels_failed", totals->cancels_failed);
    add_tallies(object, "errors", &totals->errors);
    add_tallies(object, "outcomes", &totals->outcomes);
    object = cJSON_AddObjectToObject(json, "rates");
    add_rate(object, "offered", verdict_rate(report, totals->offered));
    add_rate(object, "sent", verdict_rate(report, totals->sent));
    add_rate(object, "accepted", verdict_rate(report, totals->accepted));
    add_rate(object, "settled", verdict_settled_rate(report));
}

static void add_latency(cJSON *json, const struct load_report *report)
{
    static const char *const names[LOAD_LATENCIES] = {"accept", "settle", "notify", "lateness",
                                                      "query"};
    static const struct {
        const char *name;
        int millionths;
    } points[] = {{"p50_us", LOAD_P50},    {"p75_us", LOAD_P75}, {"p90_us", LOAD_P90},
                  {"p95_us", LOAD_P95},    {"p99_us", LOAD_P99}, {"p999_us", LOAD_P999},
                  {"p9999_us", LOAD_P9999}};
    cJSON *object = cJSON_AddObjectToObject(json, "latency");
    for (size_t i = 0; i < LOAD_LATENCIES; i++) {
        const struct load_histogram *histogram = &report->latency[i];
        cJSON *one = cJSON_AddObjectToObject(object, names[i]);
        bool known = histogram->count > 0;
        add_integer(one, "count", histogram->count);
        add_integer(one, "min_us", known ? histogram->min_us : LOAD_UNKNOWN);
        add_integer(one, "mean_us", known ? load_histogram_mean(histogram) : LOAD_UNKNOWN);
        for (size_t j = 0; j < sizeof points / sizeof points[0]; j++)
            add_integer(one, points[j].name,
                        known ? load_histogram_quantile(histogram, points[j].millionths)
                              : LOAD_UNKNOWN);
        add_integer(one, "max_us", known ? histogram->max_us : LOAD_UNKNOWN);
    }
}

#define FIELD(member, index) (offsetof(struct load_sample, member) + (index) * sizeof(int64_t))

static cJSON *named(cJSON *list, const char *name)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", name);
    cJSON_AddItemToArray(list, item);
    return item;
}

static void add_peaks(cJSON *json, const struct load_series *series)
{
    cJSON *object = cJSON_AddObjectToObject(json, "peaks");
    add_integer(object, "in_flight", series_peak(series, FIELD(in_flight, 0)));
    add_integer(object, "unsettled", series_peak(series, FIELD(unsettled, 0)));
    add_integer(object, "projection_lag", series_peak(series, FIELD(projection_lag, 0)));
    cJSON *list = cJSON_AddArrayToObject(object, "queues");
    for (size_t i = 0; i < series->queues.count; i++) {
        cJSON *item = named(list, series->queues.items[i]);
        add_integer(item, "ready", series_peak(series, FIELD(queue_ready, i)));
        add_integer(item, "unacked", series_peak(series, FIELD(queue_unacked, i)));
    }
    list = cJSON_AddArrayToObject(object, "outbox");
    for (size_t i = 0; i < series->services.count; i++)
        add_integer(named(list, series->services.items[i]), "rows",
                    series_peak(series, FIELD(outbox, i)));
    list = cJSON_AddArrayToObject(object, "processes");
    for (size_t i = 0; i < series->processes.count; i++) {
        cJSON *item = named(list, series->processes.items[i]);
        add_integer(item, "cpu_milli_mean", series_mean(series, FIELD(cpu_milli, i)));
        add_integer(item, "cpu_milli", series_peak(series, FIELD(cpu_milli, i)));
        add_integer(item, "rss_bytes", series_peak(series, FIELD(rss_bytes, i)));
    }
}

static void add_after(cJSON *json, const struct load_report *report)
{
    const struct load_after *after = &report->after;
    const struct load_fate *fate = &report->fate;
    cJSON *object = cJSON_AddObjectToObject(json, "after");
    add_integer(object, "backlog_at_end", after->backlog_at_end);
    add_integer(object, "drain_us", after->drain_us);
    add_integer(object, "redeliveries", after->redeliveries);
    add_integer(object, "duplicates", after->duplicates);
    add_integer(object, "deferred", after->deferred);
    add_integer(object, "quarantined", after->quarantined);
    object = cJSON_AddObjectToObject(json, "fate");
    add_integer(object, "checked", fate->checked);
    add_integer(object, "lost", fate->lost);
    add_integer(object, "doubled", fate->doubled);
    add_integer(object, "unsettled", fate->unsettled);
    add_integer(object, "unanswered", fate->unanswered);
    add_integer(object, "unrefused", fate->unrefused);
    cJSON_AddBoolToObject(object, "may_be_unanswered", fate->may_be_unanswered);
    add_integer(object, "unknown_existing", fate->unknown_existing);
    add_integer(object, "unknown_absent", fate->unknown_absent);
    cJSON_AddStringToObject(object, "trouble", fate->trouble);
    cJSON *list = cJSON_AddArrayToObject(object, "findings");
    for (size_t i = 0; i < fate->finding_count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "kind", load_finding_name(fate->findings[i].kind));
        cJSON_AddStringToObject(item, "order_id", fate->findings[i].order_id);
        cJSON_AddStringToObject(item, "key", fate->findings[i].key);
        cJSON_AddItemToArray(list, item);
    }
    object = cJSON_AddObjectToObject(json, "generator");
    cJSON_AddBoolToObject(object, "saturated", report->generator.saturated);
    cJSON_AddStringToObject(object, "reason", report->generator.reason);
    add_integer(object, "cpu_milli", report->generator.cpu_milli);
    add_integer(object, "max_in_flight", report->generator.max_in_flight);
}

void report_json(const struct load_report *report, struct buf *out)
{
    cJSON *json = cJSON_CreateObject();
    add_identity(json, report);
    add_machine(json, &report->machine);
    add_plan(json, report);
    add_totals(json, report);
    add_latency(json, report);
    add_peaks(json, &report->series);
    add_after(json, report);
    char *text = cJSON_Print(json);
    if (!text)
        abort();
    buf_printf(out, "%s\n", text);
    free(text);
    cJSON_Delete(json);
}
