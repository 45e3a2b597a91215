/* What operators and tools ask: alive, ready, numbers, the description of the API. */
#include <string.h>

#include "edge-service/http_private.h"
#include "edge-service/openapi.h"

#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_YAML "application/yaml"

/* What a balancer asks for that has not been told what else to ask. */
void handle_root(struct request *request)
{
    struct buf body = {0};
    buf_text(&body, "{\"service\":\"warren\",\"description\":\"/openapi.yaml\"}");
    answer_json(request, 200, &body);
}

void handle_livez(struct request *request)
{
    struct buf body = {0};
    buf_text(&body, "alive\n");
    answer_text(request, 200, TYPE_TEXT, &body);
}

static bool look_at_bindings(const struct http *http, struct buf *wrong, struct buf *notes)
{
    const struct http_options *options = &http->options;
    return !options->bindings || options->bindings(options->bindings_context, wrong, notes);
}

void handle_readyz(struct request *request)
{
    struct edge_state state;
    struct buf body = {0};
    edge_state(request->http->options.edge, &state);
    struct buf wrong = {0};
    struct buf notes = {0};
    bool bound = look_at_bindings(request->http, &wrong, &notes);
    bool ready = !state.reason[0] && bound;
    buf_text(&body, ready ? "ready\n" : "not ready\n");
    if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, "verbose", 7,
                                      NULL, NULL) == MHD_YES) {
        if (state.reason[0])
            buf_printf(&body, "%s\n", state.reason);
        buf_append(&body, wrong.data, wrong.size);
        buf_printf(&body, "bus: %s\n", state.blocked ? "blocked" : state.bus_up ? "up" : "down");
        buf_printf(&body, "log: %s\n", state.log_up ? "up" : "down");
        buf_printf(&body, "read model: next offset %lld, %zu facts waiting\n",
                   (long long)state.next_offset, state.backlog);
        buf_printf(&body, "commands in flight: %zu\naccepted, not read back: %zu\n", state.inflight,
                   state.accepted_unread);
        buf_append(&body, notes.data, notes.size);
    }
    buf_release(&wrong);
    buf_release(&notes);
    answer_text(request, ready ? 200 : 503, TYPE_TEXT, &body);
}

void handle_metrics(struct request *request)
{
    struct buf body = {0};
    http_write_metrics(request->http, &body);
    answer_text(request, 200, TYPE_PROMETHEUS, &body);
}

void handle_openapi(struct request *request)
{
    struct buf empty = {0};
    request->answer.shared_body = openapi_yaml;
    answer_text(request, 200, TYPE_YAML, &empty);
}
