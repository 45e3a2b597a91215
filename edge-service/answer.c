/* Writing answers: JSON, problems (RFC 9457), headers. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "edge-service/http_private.h"

#define TYPE_JSON "application/json"
#define TYPE_PROBLEM "application/problem+json"

/* The first answer counts. */
static bool answer_begin(struct request *request, unsigned status, const char *type)
{
    if (request->answer.status)
        return false;
    request->answer.status = status;
    request->answer.content_type = type;
    if (request->stage == STAGE_SUSPENDED)
        TAILQ_INSERT_TAIL(&request->http->ready, request, ready);
    return true;
}

void answer_text(struct request *request, unsigned status, const char *type, struct buf *take_body)
{
    if (answer_begin(request, status, type)) {
        buf_release(&request->answer.body);
        request->answer.body = *take_body;
        *take_body = (struct buf){0};
    }
    buf_release(take_body);
}

void answer_json(struct request *request, unsigned status, struct buf *take_body)
{
    answer_text(request, status, TYPE_JSON, take_body);
}

void answer_header(struct request *request, const char *name, const char *value)
{
    struct answer *answer = &request->answer;
    if (answer->header_count == HEADERS_MAX)
        return;
    answer->headers[answer->header_count].name = name;
    snprintf(answer->headers[answer->header_count++].value, KEY_SIZE, "%s", value);
}

static const char *title_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } titles[] = {
        {400, "The request is malformed"},
        {401, "Who are you?"},
        {403, "Not allowed"},
        {404, "Not found"},
        {405, "Method not allowed"},
        {409, "The state forbids it"},
        {413, "The body is too large"},
        {414, "The target is too long"},
        {415, "Not this content type"},
        {417, "Nobody can expect this"},
        {422, "This cannot be taken as it is"},
        {429, "Too many requests"},
        {431, "The head is too large"},
        {503, "Refused: nothing of this request was accepted"},
        {504, "Unknown: ask again with the same key"},
        {505, "Not this version of HTTP"},
    };
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Something went wrong";
}

static void write_member(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "\"%s\":", name);
    json_write_text(out, text);
}

static void write_problem(struct buf *out, unsigned status, const char *name, const char *detail)
{
    buf_printf(out, "{\"type\":\"urn:warren:problem:%s\",", name);
    write_member(out, "title", title_of(status));
    buf_printf(out, ",\"status\":%u,", status);
    write_member(out, "detail", detail);
}

static void finish_problem(struct request *request, unsigned status, struct buf *take_body)
{
    buf_text(take_body, "}");
    if (status == 503 || status == 504)
        answer_header(request, "Retry-After", "1");
    answer_text(request, status, TYPE_PROBLEM, take_body);
}

void answer_problem(struct request *request, unsigned status, const char *name, const char *detail,
                    ...)
{
    char text[ERR_TEXT_MAX];
    struct buf body = {0};
    va_list arguments;
    va_start(arguments, detail);
    vsnprintf(text, sizeof text, detail, arguments);
    va_end(arguments);
    write_problem(&body, status, name, text);
    finish_problem(request, status, &body);
}

void answer_verdict(struct request *request, const struct edge_reply *reply)
{
    static const struct {
        unsigned status;
        const char *name;
    } codes[] = {
        [EDGE_ACCEPTED] = {202, "accepted"},
        [EDGE_REFUSED] = {503, "refused"},
        [EDGE_UNKNOWN] = {504, "unknown"},
        [EDGE_NO_ORDER] = {404, "no-such-order"},
        [EDGE_FORBIDDEN] = {409, "state-forbids"},
        [EDGE_KEY_REUSED] = {422, "key-reused"},
        [EDGE_TOO_FAR_AHEAD] = {422, "revision-too-far-ahead"},
    };
    unsigned status = codes[reply->verdict].status;
    struct buf body = {0};
    write_problem(&body, status, codes[reply->verdict].name, reply->reason);
    if (reply->order_id[0] && reply->verdict != EDGE_NO_ORDER) {
        buf_text(&body, ",");
        write_member(&body, "order_id", reply->order_id);
    }
    if (reply->key[0]) {
        buf_text(&body, ",");
        write_member(&body, "idempotency_key", reply->key);
    }
    if (reply->verdict == EDGE_UNKNOWN && reply->command_id[0]) {
        buf_text(&body, ",");
        write_member(&body, "command_id", reply->command_id);
    }
    if (status == 404)
        answer_header(request, "Retry-After", "1");
    finish_problem(request, status, &body);
}

void answer_refusal(struct request *request, const struct edge_fate *fate)
{
    static const struct {
        const char *reason;
        unsigned status; /* of all others 409 */
        const char *detail;
    } refusals[] = {
        {"unknown-product", 404, "there is no such product"},
        {"idempotency-key-reused", 422, "this key belongs to a command with another content"},
        {"revision-too-far-ahead", 422, "the revision is more than a day ahead of the time"},
        {"stale-revision", 409, "the catalogue has a newer revision, or another under this number"},
        {"stock-below-zero", 409, "there is not as much available as would be taken away"},
        {"stock-too-large", 409, "there would be more in stock than can be counted"},
    };
    unsigned status = 409;
    const char *detail = "the command was refused";
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (strcmp(refusals[i].reason, fate->reason) == 0) {
            status = refusals[i].status;
            detail = refusals[i].detail;
        }
    struct buf body = {0};
    write_problem(&body, status, fate->reason, detail);
    buf_text(&body, ",");
    write_member(&body, "command_id", fate->command_id);
    finish_problem(request, status, &body);
}

void answer_query_failed(struct request *request, enum result result)
{
    if (result == NOT_FOUND) {
        /* It may be one that this edge has not read yet; that must not tell whether it is another's. */
        answer_header(request, "Retry-After", "1");
        answer_problem(request, 404, "no-such-order", "there is no such order of yours");
        return;
    }
    struct edge_state state;
    edge_state(request->http->options.edge, &state);
    if (state.cut_at > 0)
        answer_problem(request, 503, "log-cut",
                       "the log was cut before this edge had read it: what is asked for may be in "
                       "what is missing here");
    else
        answer_problem(request, 503, "busy", "the read model cannot be read now");
}

static void write_optional(struct buf *out, const char *name, const char *text)
{
    if (text[0])
        write_member(out, name, text);
    else
        buf_printf(out, "\"%s\":null", name);
}

static void write_time(struct buf *out, const char *name, int64_t wall_ms)
{
    char time[TIME_TEXT_SIZE];
    time_format(wall_ms, time);
    write_member(out, name, time);
}

/* Of an order that is only accepted nothing is known but its id. */
void write_order(struct buf *out, const struct edge_order *order)
{
    buf_printf(out, "{\"order_id\":\"%s\",\"status\":\"%s\",\"version\":%" PRId64 ",",
               order->order_id, order->status, order->version);
    write_optional(out, "currency", order->currency);
    buf_printf(out, ",\"lines\":%s,", order->lines);
    if (order->version > 0)
        buf_printf(out, "\"total\":%" PRId64 ",", order->total);
    else
        buf_text(out, "\"total\":null,");
    write_optional(out, "reason", order->reason);
    buf_text(out, ",");
    write_time(out, "placed_at", order->placed_ms);
    buf_text(out, ",");
    write_time(out, "updated_at", order->updated_ms);
    buf_text(out, "}");
}

void write_fate(struct buf *out, const struct edge_fate *fate)
{
    buf_printf(out, "{\"command_id\":\"%s\",\"type\":\"%s\",\"about\":\"%s\",\"status\":\"%s\",",
               fate->command_id, fate->type, fate->about, fate->status);
    write_optional(out, "reason", fate->reason);
    buf_text(out, "}");
}

static struct MHD_Response *response_of(struct answer *answer)
{
    if (answer->shared_body)
        return MHD_create_response_from_buffer(strlen(answer->shared_body),
                                               (void *)(uintptr_t)answer->shared_body,
                                               MHD_RESPMEM_PERSISTENT);
    size_t size = answer->body.size;
    return MHD_create_response_from_buffer(size, buf_take(&answer->body), MHD_RESPMEM_MUST_FREE);
}

void answer_applied(struct request *request)
{
    char text[32];
    if (request->wait_s == 0)
        return;
    snprintf(text, sizeof text, "wait=%d", request->wait_s);
    answer_header(request, "Preference-Applied", text);
}

enum MHD_Result answer_send(struct request *request)
{
    struct answer *answer = &request->answer;
    struct MHD_Response *response = response_of(answer);
    if (!response)
        return MHD_NO;
    if (answer->content_type)
        MHD_add_response_header(response, "Content-Type", answer->content_type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    for (size_t i = 0; i < answer->header_count; i++)
        MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    if (request->http->quiesced_fd >= 0) /* stopping: the next request had better go elsewhere */
        MHD_add_response_header(response, "Connection", "close");
    http_answer_begins(request->http, request->connection, request_is_unread(request));
    enum MHD_Result result = MHD_queue_response(request->connection, answer->status, response);
    MHD_destroy_response(response);
    http_count_answer(request);
    tell_request_span(request);
    request->stage = STAGE_SENT;
    return result;
}
