/* What the HTTP layer and the edge count, as Prometheus text. */
#include <stdio.h>
#include <string.h>

#include "common/runtime/service_main.h"
#include "common/telemetry/metrics.h"
#include "edge-service/http_private.h"

static const unsigned statuses[HTTP_STATUSES] = {200,
                                                 202,
                                                 204,
                                                 400,
                                                 401,
                                                 403,
                                                 404,
                                                 405,
                                                 409,
                                                 413,
                                                 414,
                                                 415,
                                                 417,
                                                 422,
                                                 429,
                                                 431,
                                                 500,
                                                 503,
                                                 504,
                                                 505,
                                                 /* any other */ 0};

static size_t status_index(unsigned status)
{
    size_t i = 0;
    while (i < HTTP_STATUSES - 1 && statuses[i] != status)
        i++;
    return i;
}

void http_count_answer(struct request *request)
{
    struct http *http = request->http;
    unsigned status = request->answer.status;
    size_t route = request->route ? route_index(request->route) : HTTP_ROUTES_MAX;
    http->answers[route][status_index(status)]++;
    bool placed = request->route && request->route->handle == handle_place;
    if (status == 202 && placed && request->wait_s == 0)
        histogram_add(&http->accepted, clock_mono_us(http->options.clock) - request->begun_us);
}

static void write_answers_of(const struct http *http, size_t index, struct buf *out)
{
    const struct route *route = route_at(index);
    for (size_t i = 0; i < HTTP_STATUSES; i++) {
        char status[16] = "other";
        if (http->answers[index][i] == 0)
            continue;
        if (statuses[i])
            snprintf(status, sizeof status, "%u", statuses[i]);
        const struct metric_label labels[] = {{"method", route ? route->method : ""},
                                              {"route", route ? route->pattern : ""},
                                              {"status", status}};
        metric_sample_of(out, "warren_http_requests_total", labels, 3,
                         (int64_t)http->answers[index][i]);
    }
}

static void write_connections(const struct connections *connections, struct buf *out)
{
    static const char *const reasons[CUT_REASONS] = {
        [CUT_LATE] = "late", [CUT_FULL] = "full", [CUT_STUCK] = "stuck"};
    metric_write(out, "warren_http_connections", METRIC_GAUGE, "Connections open now.",
                 (int64_t)connections->count);
    metric_head(
        out, "warren_http_connections_cut_total", METRIC_COUNTER,
        "Connections that the edge has cut: late with a step, idle when there were too many, "
        "or stuck.");
    for (int i = 0; i < CUT_REASONS; i++)
        metric_sample(out, "warren_http_connections_cut_total", "reason", reasons[i],
                      (int64_t)connections->cut[i]);
}

static void write_http(const struct http *http, struct buf *out)
{
    write_connections(&http->connections, out);
    metric_head(out, "warren_http_requests_total", METRIC_COUNTER,
                "Requests answered, by route; one that no route took has none.");
    for (size_t i = 0; i <= HTTP_ROUTES_MAX; i++)
        write_answers_of(http, i, out);
    metric_write(out, "warren_http_requests_in_flight", METRIC_GAUGE,
                 "Requests taken in, not answered in full.", (int64_t)http->active);
    metric_write_histogram(out, "warren_http_accepted_seconds",
                           "From an order's headers to its 202, without those that wait.",
                           &http->accepted);
}

struct sample {
    const char *value;
    uint64_t number;
};

static void write_family(struct buf *out, const char *name, const char *help, const char *label,
                         const struct sample *samples, size_t count)
{
    metric_head(out, name, METRIC_COUNTER, help);
    for (size_t i = 0; i < count; i++)
        metric_sample(out, name, label, samples[i].value, (int64_t)samples[i].number);
}
#define WRITE_FAMILY(out, name, help, label, samples)                                              \
    write_family(out, name, help, label, samples, sizeof(samples) / sizeof((samples)[0]))

static void write_counters(const struct edge_state *s, struct buf *out)
{
    const struct sample commands[] = {{"confirmed", s->confirmed}, {"returned", s->returned},
                                      {"nacked", s->nacked},       {"no-room", s->no_room},
                                      {"unknown", s->unknown},     {"key-reused", s->key_reused}};
    const struct sample fates[] = {{"done", s->commands_done}, {"refused", s->commands_refused}};
    const struct sample facts[] = {{"folded", s->facts},
                                   {"duplicate", s->duplicates},
                                   {"held", s->held},
                                   {"ignored", s->ignored},
                                   {"poison", s->poison}};
    WRITE_FAMILY(out, "warren_edge_commands_total", "Commands by their fate.", "fate", commands);
    WRITE_FAMILY(out, "warren_edge_command_fates_total",
                 "What order-service has said of commands that this edge has sent.", "fate", fates);
    WRITE_FAMILY(out, "warren_edge_facts_total", "Facts read, by what became of them.", "outcome",
                 facts);
    metric_write(out, "warren_bus_reconnects_total", METRIC_COUNTER, "Connections lost.",
                 (int64_t)s->reconnects);
    metric_write(out, "warren_batches_total", METRIC_COUNTER, "Transactions committed.",
                 (int64_t)s->batches);
    metric_write(out, "warren_rollbacks_total", METRIC_COUNTER, "Transactions rolled back.",
                 (int64_t)s->rollbacks);
}

static void write_standstill(const struct edge_state *s, struct buf *out)
{
    static const char name[] = "warren_standing_still_seconds";
    metric_head(out, name, METRIC_GAUGE, "For how long nothing has moved there; 0: it moves.");
    for (int i = 0; i < EDGE_STALLS; i++)
        metric_sample(out, name, "what", edge_stall_name((enum edge_stall)i),
                      s->stalled_ms[i] / 1000);
    metric_write_ms(out, "warren_oldest_in_hand_seconds", "Age of the oldest message in hand.",
                    s->oldest_ms);
}

static void write_gauges(const struct edge_state *s, struct buf *out)
{
    const struct {
        const char *name, *help;
        int64_t number;
    } gauges[] = {
        {"warren_bus_up", "1 while connected to the broker.", s->bus_up},
        {"warren_edge_log_up", "1 while the stream of facts can be read.", s->log_up},
        {"warren_bus_blocked", "1 while the broker asks to hold.", s->blocked},
        {"warren_edge_commands_in_flight", "Commands without a fate.", (int64_t)s->inflight},
        {"warren_edge_accepted_unread", "Orders accepted, not read back yet.",
         (int64_t)s->accepted_unread},
        {"warren_edge_waiters", "Requests waiting for an order.", (int64_t)s->waiters},
        {"warren_edge_backlog_facts", "Facts received, not folded in yet.", (int64_t)s->backlog},
        {"warren_edge_projection_offset", "Where the stream is read on.", s->next_offset},
    };
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++)
        metric_write(out, gauges[i].name, METRIC_GAUGE, gauges[i].help, gauges[i].number);
    metric_write_ms(out, "warren_edge_projection_fact_timestamp_seconds",
                    "Time of the last fact folded in; 0: none yet.", s->last_fact_ms);
}

void http_write_metrics(const struct http *http, struct buf *out)
{
    struct edge_state state;
    const struct edge_numbers *numbers = edge_numbers(http->options.edge);
    edge_state(http->options.edge, &state);
    write_gauges(&state, out);
    write_standstill(&state, out);
    write_counters(&state, out);
    metric_write_histogram(out, "warren_batch_messages", "Messages of one transaction.",
                           &numbers->batch);
    metric_write_histogram(out, "warren_commit_seconds", "COMMIT of a transaction.",
                           &numbers->commit);
    metric_write_histogram(out, "warren_edge_projection_lag_seconds",
                           "From a fact's time to when readers see it, the last of each batch.",
                           &numbers->lag);
    write_http(http, out);
    otlp_metrics(http->options.otlp, out);
    process_metrics(http->options.clock, out);
}
