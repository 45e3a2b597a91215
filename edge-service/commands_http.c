/* What became of a command: asked for by its id, or waited for by whoever sends one about the
 * catalogue. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "edge-service/http_private.h"

/* All administrators are one. */
static const char *owner_of(const struct request *request)
{
    return request->account.role == ROLE_ADMIN ? "" : request->account.customer.text;
}

static void answer_fate(struct request *request, const struct edge_fate *fate)
{
    struct buf body = {0};
    write_fate(&body, fate);
    answer_json(request, 200, &body);
}

void handle_command(struct request *request)
{
    struct edge_fate fate;
    enum result result = NOT_FOUND;
    if (id_valid(request->parameter))
        result = edge_get_command(request->http->options.edge, owner_of(request),
                                  request->parameter, &fate, NULL);
    if (result == OK) {
        answer_fate(request, &fate);
    } else if (result == NOT_FOUND) {
        /* Its fate may be one that this edge has not read yet. */
        answer_header(request, "Retry-After", "1");
        answer_problem(request, 404, "no-such-command", "there is no such command of yours");
    } else {
        answer_query_failed(request, result);
    }
}

static void answer_accepted(struct request *request)
{
    char location[64];
    struct buf body = {0};
    snprintf(location, sizeof location, "/v1/commands/%s", request->command_id);
    buf_printf(&body, "{\"sku\":\"%s\",\"status\":\"accepted\",\"command_id\":\"%s\"}",
               request->parameter, request->command_id);
    answer_header(request, "Location", location);
    if (request->key[0])
        answer_header(request, "Idempotency-Key", request->key);
    answer_applied(request);
    answer_json(request, 202, &body);
}

/* Its fate is known, or the time is up. */
static void wait_is_over(void *context)
{
    struct request *request = context;
    struct edge_fate fate;
    enum result result = edge_get_command(request->http->options.edge, owner_of(request),
                                          request->command_id, &fate, NULL);
    if (result != OK || strcmp(fate.status, "accepted") == 0) {
        answer_accepted(request);
        return;
    }
    answer_applied(request);
    if (request->key[0])
        answer_header(request, "Idempotency-Key", request->key);
    if (strcmp(fate.status, "refused") == 0)
        answer_refusal(request, &fate);
    else
        answer_fate(request, &fate);
}

void command_has_verdict(void *context, const struct edge_reply *reply)
{
    struct request *request = context;
    const struct http_options *options = &request->http->options;
    if (reply->verdict != EDGE_ACCEPTED) {
        answer_verdict(request, reply);
        return;
    }
    snprintf(request->command_id, sizeof request->command_id, "%s", reply->command_id);
    snprintf(request->key, sizeof request->key, "%s", reply->key);
    int64_t until = clock_mono_ms(options->clock) + (int64_t)request->wait_s * 1000;
    if (request->wait_s == 0 ||
        edge_wait_command(options->edge, owner_of(request), request->command_id, until,
                          wait_is_over, request, NULL) != OK)
        answer_accepted(request);
}
