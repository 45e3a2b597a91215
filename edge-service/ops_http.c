/* What operators and tools ask: alive, ready, numbers, the description of the API. */
#include <string.h>

#include "common/runtime/service_main.h"
#include "common/telemetry/metrics.h"
#include "edge-service/http_private.h"
#include "edge-service/openapi.h"

#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_YAML "application/yaml"

void handle_livez(struct request *request)
{
    struct buf body = {0};
    buf_text(&body, "alive\n");
    answer_text(request, 200, TYPE_TEXT, &body);
}

void handle_readyz(struct request *request)
{
    struct edge_state state;
    struct buf body = {0};
    edge_state(request->http->options.edge, &state);
    bool ready = !state.reason[0];
    buf_text(&body, ready ? "ready\n" : "not ready\n");
    if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, "verbose", 7,
                                      NULL, NULL) == MHD_YES) {
        buf_printf(&body, "bus: %s\n", state.bus_up ? "up" : "down");
        buf_printf(&body, "read model: next offset %lld, %zu facts waiting\n",
                   (long long)state.next_offset, state.backlog);
        if (!ready)
            buf_printf(&body, "reason: %s\n", state.reason);
    }
    answer_text(request, ready ? 200 : 503, TYPE_TEXT, &body);
}

static void write_answers(const struct http *http, struct buf *out)
{
    static const char *const classes[6] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
    static const char name[] = "warren_edge_http_answers_total";
    metric_head(out, name, METRIC_COUNTER, "Answers by class of status.");
    for (int i = 2; i < 6; i++)
        metric_sample(out, name, "class", classes[i], (int64_t)http->answered[i]);
}

void handle_metrics(struct request *request)
{
    struct edge_state s;
    struct buf body = {0};
    const struct http *http = request->http;
    edge_state(http->options.edge, &s);
    const struct {
        const char *name;
        enum metric_kind kind;
        const char *help;
        uint64_t number;
    } metrics[] = {
        {"warren_edge_bus_up", METRIC_GAUGE, "Connected to the broker.", s.bus_up},
        {"warren_edge_requests_active", METRIC_GAUGE, "Requests being answered.", http->active},
        {"warren_edge_commands_inflight", METRIC_GAUGE, "Commands without a fate.", s.inflight},
        {"warren_edge_accepted_unread", METRIC_GAUGE, "Orders accepted, not read back yet.",
         s.accepted_unread},
        {"warren_edge_waiters", METRIC_GAUGE, "Requests waiting for an order.", s.waiters},
        {"warren_edge_backlog", METRIC_GAUGE, "Facts received, not folded in yet.", s.backlog},
        {"warren_edge_next_offset", METRIC_GAUGE, "Where the stream is read on.",
         (uint64_t)s.next_offset},
        {"warren_edge_confirmed_total", METRIC_COUNTER, "Commands confirmed.", s.confirmed},
        {"warren_edge_returned_total", METRIC_COUNTER, "Commands no queue took.", s.returned},
        {"warren_edge_nacked_total", METRIC_COUNTER, "Commands the broker refused.", s.nacked},
        {"warren_edge_no_room_total", METRIC_COUNTER, "Commands never sent.", s.no_room},
        {"warren_edge_unknown_total", METRIC_COUNTER, "Commands of unknown fate.", s.unknown},
        {"warren_edge_key_reused_total", METRIC_COUNTER, "Keys used for another order.",
         s.key_reused},
        {"warren_edge_reconnects_total", METRIC_COUNTER, "Times the broker was lost.",
         s.reconnects},
        {"warren_edge_facts_total", METRIC_COUNTER, "Facts folded in.", s.facts},
        {"warren_edge_duplicates_total", METRIC_COUNTER, "Facts read before.", s.duplicates},
        {"warren_edge_held_total", METRIC_COUNTER, "Facts that came before their turn.", s.held},
        {"warren_edge_ignored_total", METRIC_COUNTER, "Facts of other types.", s.ignored},
        {"warren_edge_poison_total", METRIC_COUNTER, "Messages nobody could read.", s.poison},
        {"warren_edge_rollbacks_total", METRIC_COUNTER, "Transactions given up.", s.rollbacks},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
        metric_write(&body, metrics[i].name, metrics[i].kind, metrics[i].help,
                     (int64_t)metrics[i].number);
    write_answers(http, &body);
    process_metrics(&body);
    answer_text(request, 200, TYPE_PROMETHEUS, &body);
}

void handle_openapi(struct request *request)
{
    struct buf empty = {0};
    request->answer.shared_body = openapi_yaml;
    answer_text(request, 200, TYPE_YAML, &empty);
}
