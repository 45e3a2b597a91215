/* Reading requests: headers, query, body. Whatever is not exactly right is a 400 and leaves no
 * trace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/telemetry/otlp.h"
#include "edge-service/http_private.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 100 };

const char *read_header(struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool read_key(struct request *request, char key[KEY_SIZE], bool *ret_given)
{
    const char *value = read_header(request, "Idempotency-Key");
    *ret_given = value != NULL;
    if (!value)
        return true;
    size_t length = strlen(value);
    bool visible = true;
    for (size_t i = 0; i < length; i++)
        visible = visible && value[i] > 0x20 && value[i] < 0x7f;
    if (length == 0 || length >= KEY_SIZE || !visible) {
        answer_problem(request, 400, "bad-key", "Idempotency-Key: 1 to %d visible ASCII characters",
                       KEY_SIZE - 1);
        return false;
    }
    memcpy(key, value, length + 1);
    return true;
}

const char *read_traceparent(struct request *request)
{
    const struct http_options *options = &request->http->options;
    const char *header = read_header(request, "traceparent");
    if (!options->otlp)
        return header;
    trace_child(options->clock, header, request->traceparent);
    return request->traceparent;
}

/* Only requests that have sent a command have a span. */
void tell_request_span(struct request *request)
{
    char name[128];
    const struct http_options *options = &request->http->options;
    if (!options->otlp || !request->traceparent[0])
        return;
    snprintf(name, sizeof name, "%s %s", request->route->method, request->route->pattern);
    const struct span_attribute attributes[] = {
        {"http.request.method", request->route->method, 0},
        {"http.route", request->route->pattern, 0},
        {"http.response.status_code", NULL, (int64_t)request->answer.status},
        {"url.scheme", "http", 0},
    };
    otlp_record(options->otlp,
                &(struct span){.traceparent = request->traceparent,
                               .parent = read_header(request, "traceparent"),
                               .kind = SPAN_SERVER,
                               .name = name,
                               .duration_us = clock_mono_us(options->clock) - request->begun_us,
                               .failed = request->answer.status >= 500,
                               .attributes = attributes,
                               .attribute_count = sizeof attributes / sizeof attributes[0]});
}

/* --- lists, which may stand in several lines ------------------------------------------------------- */

struct each_line {
    const char *name;
    bool (*line)(void *context, const char *value); /* false: no further ones */
    void *context;
};

static enum MHD_Result visit(void *context, enum MHD_ValueKind kind, const char *name,
                             const char *value)
{
    const struct each_line *each = context;
    (void)kind;
    if (strcasecmp(name, each->name) != 0)
        return MHD_YES;
    return each->line(each->context, value ? value : "") ? MHD_YES : MHD_NO;
}

static void read_lines(struct request *request, struct each_line each)
{
    (void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND, visit, &each);
}

/* White space that may stand about anywhere. */
static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t");
}

/* Behind a word, or a text in quotes (RFC 9110 5.6.4). */
static const char *skip_word(const char *at)
{
    if (*at != '"')
        return at + strcspn(at, " \t,;=\"");
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

/* To the next element of the list, or its end. */
static const char *skip_element(const char *at)
{
    while (*at && *at != ',') {
        const char *behind = skip_word(at);
        at = behind > at ? behind : at + 1;
    }
    return at;
}

/* The value of `name` in a list like "respond-async, wait=10; x" (RFC 7240); NULL: not there. */
static const char *preference(const char *list, const char *name)
{
    size_t length = strlen(name);
    while (*list) {
        list += strspn(list, " \t,");
        const char *behind = skip_word(list);
        bool found = (size_t)(behind - list) == length && strncasecmp(list, name, length) == 0;
        const char *equals = skip_space(behind);
        if (found)
            return *equals == '=' ? skip_space(equals + 1) : equals;
        list = skip_element(list);
    }
    return NULL;
}

/* RFC 7240 2: of one that comes twice, the first counts. */
static bool find_wait(void *context, const char *value)
{
    const char **wait = context;
    *wait = preference(value, "wait");
    return *wait == NULL;
}

/* More than there is to be had is as much as there is; -1: no number. */
static int seconds_of(const char *value)
{
    bool quoted = *value == '"';
    value += quoted;
    size_t digits = strspn(value, "0123456789");
    const char *behind = value + digits;
    if (digits == 0 || (quoted && *behind++ != '"'))
        return -1;
    behind = skip_space(behind);
    if (*behind != '\0' && *behind != ',' && *behind != ';')
        return -1;
    long seconds = digits < 9 ? strtol(value, NULL, 10) : WAIT_MAX_S;
    return seconds < WAIT_MAX_S ? (int)seconds : WAIT_MAX_S;
}

bool read_wait(struct request *request)
{
    const char *value = NULL;
    read_lines(request, (struct each_line){"Prefer", find_wait, &value});
    request->wait_s = 0;
    if (!value)
        return true;
    int seconds = seconds_of(value);
    if (seconds < 0) {
        answer_problem(request, 400, "bad-wait", "Prefer: wait is a number of seconds");
        return false;
    }
    request->wait_s = seconds;
    return true;
}

static bool all_identity(void *context, const char *value)
{
    bool *fine = context;
    for (value += strspn(value, " \t,"); *value && *fine; value += strspn(value, " \t,")) {
        const char *behind = skip_word(value);
        *fine = behind - value == 8 && strncasecmp(value, "identity", 8) == 0;
        value = behind > value ? behind : value + 1;
    }
    return *fine;
}

bool read_coding_is_identity(struct request *request)
{
    bool fine = true;
    read_lines(request, (struct each_line){"Content-Encoding", all_identity, &fine});
    return fine;
}

bool check_key_and_wait(struct request *request)
{
    char key[KEY_SIZE];
    bool given;
    return read_key(request, key, &given) && read_wait(request);
}

static bool read_json(struct request *request, cJSON **ret_json)
{
    static const struct json_limits limits = {BODY_MAX, BODY_DEPTH_MAX};
    struct err err = {""};
    if (request->body.size == 0) {
        answer_problem(request, 400, "bad-body", "the body is empty");
        return false;
    }
    if (json_parse(request->body.data, request->body.size, &limits, ret_json, &err) != OK) {
        answer_problem(request, 400, "bad-body", "%s", err.text);
        return false;
    }
    return true;
}

bool read_body(struct request *request, const struct bind_type *type, void *out)
{
    cJSON *json;
    struct err err = {""};
    if (!read_json(request, &json))
        return false;
    enum result result = bind_decode(type, json, BIND_CLOSED, out, &err);
    cJSON_Delete(json);
    if (result != OK)
        answer_problem(request, 400, "bad-body", "%s", err.text);
    return result == OK;
}

/* Some clients cannot send a POST without a body: an empty object will do. */
bool read_no_body(struct request *request)
{
    cJSON *json;
    if (request->body.size == 0)
        return true;
    if (!read_json(request, &json))
        return false;
    bool empty = cJSON_IsObject(json) && !json->child;
    cJSON_Delete(json);
    if (!empty)
        answer_problem(request, 400, "bad-body", "this takes no body");
    return empty;
}

static const char *query(struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool read_limit(struct request *request, int *ret_limit)
{
    const char *value = query(request, "limit");
    *ret_limit = LIMIT_DEFAULT;
    if (!value)
        return true;
    size_t length = strlen(value);
    long limit = length > 0 && length < 6 && strspn(value, "0123456789") == length
                     ? strtol(value, NULL, 10)
                     : 0;
    if (limit < 1 || limit > LIMIT_MAX) {
        answer_problem(request, 400, "bad-limit", "limit is a number between 1 and %d", LIMIT_MAX);
        return false;
    }
    *ret_limit = (int)limit;
    return true;
}

/* A cursor is the position in hexadecimal: 16 digits of time and the id's 32. It grants nothing:
 * whatever it says, only the caller's own orders are listed. */
enum { CURSOR_LENGTH = 48 };

void write_cursor(struct buf *out, const struct edge_position *position)
{
    buf_printf(out, "%016llx", (unsigned long long)position->placed_ms);
    for (const char *at = position->order_id; *at; at++)
        if (*at != '-')
            buf_append(out, at, 1);
}

bool read_cursor(struct request *request, struct edge_position *ret_position)
{
    const char *text = query(request, "cursor");
    struct edge_position position = {.placed_ms = -1, .order_id = ""};
    if (text) {
        char time[17];
        const char *id = text + 16;
        if (strlen(text) != CURSOR_LENGTH || strspn(text, "0123456789abcdef") != CURSOR_LENGTH ||
            text[0] > '7') {
            answer_problem(request, 400, "bad-cursor", "not a cursor that this API has given out");
            return false;
        }
        memcpy(time, text, 16);
        time[16] = '\0';
        position.placed_ms = strtoll(time, NULL, 16);
        snprintf(position.order_id, sizeof position.order_id, "%.8s-%.4s-%.4s-%.4s-%.12s", id,
                 id + 8, id + 12, id + 16, id + 20);
    }
    *ret_position = position;
    return true;
}
