#include "common/messaging/envelope.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/json.h"

enum { ENVELOPE_DEPTH_MAX = 16, CONTENT_TYPE_MAX = 255 };

static void write_member(struct buf *out, const char *name, const char *text)
{
    buf_append(out, ",\"", 2);
    buf_text(out, name);
    buf_append(out, "\":", 2);
    json_write_text(out, text);
}

/* What comes before the data. No attribute can contain it: in a string its quotes are escaped. */
#define DATA_FOLLOW ",\"datacontenttype\":\"application/json\",\"data\":"

static void write_attributes(const struct envelope *envelope, struct buf *out)
{
    char time[TIME_TEXT_SIZE];
    time_format(envelope->time_ms, time);
    buf_text(out, "{\"specversion\":\"1.0\"");
    write_member(out, "id", envelope->id.text);
    write_member(out, "source", envelope->source);
    write_member(out, "type", envelope->type);
    write_member(out, "subject", envelope->subject);
    write_member(out, "time", time);
    if (envelope->sequence > 0) {
        buf_text(out, ",\"sequence\":\"");
        buf_int(out, envelope->sequence);
        buf_append(out, "\"", 1);
    }
    if (envelope->traceparent[0])
        write_member(out, "traceparent", envelope->traceparent);
    buf_text(out, DATA_FOLLOW);
}

void envelope_encode(const struct envelope *envelope, const struct bind_type *payload_type,
                     const void *payload, struct buf *out)
{
    write_attributes(envelope, out);
    bind_encode(payload_type, payload, out);
    buf_append(out, "}", 1);
}

void envelope_encode_text(const struct envelope *envelope, const char *data, size_t size,
                          struct buf *out)
{
    write_attributes(envelope, out);
    buf_append(out, data, size);
    buf_append(out, "}", 1);
}

const char *envelope_data(const char *body, size_t size, size_t *ret_size)
{
    const char *data = strstr(body, DATA_FOLLOW);
    if (!data) /* nothing that we have written */
        abort();
    data += strlen(DATA_FOLLOW);
    *ret_size = size - (size_t)(data - body) - 1;
    return data;
}

enum presence { MUST, MAY };

static bool all_visible(const char *text)
{
    while (*text >= '!' && *text <= '~')
        text++;
    return *text == '\0';
}

/* A document, and where its next member would be if they came in the order in which we write them. */
struct cursor {
    const cJSON *document, *next;
};

static const cJSON *find(struct cursor *cursor, const char *name)
{
    const cJSON *member = cursor->next;
    if (!member || strcmp(member->string, name) != 0)
        member = cJSON_GetObjectItemCaseSensitive(cursor->document, name);
    if (member)
        cursor->next = member->next;
    return member;
}

static enum result copy_attribute(struct cursor *cursor, const char *name, enum presence presence,
                                  char *out, size_t size, struct err *err)
{
    const cJSON *member = find(cursor, name);
    out[0] = '\0';
    if (presence == MAY && (!member || cJSON_IsNull(member))) /* JSON format 2.2: null is unset */
        return OK;
    if (!cJSON_IsString(member))
        return err_set(err, INVALID, "%s: must be a string", name);
    size_t length = strlen(member->valuestring);
    if (length == 0 || length >= size || !all_visible(member->valuestring))
        return err_set(err, INVALID, "%s: must have 1 to %zu visible ASCII characters", name,
                       size - 1);
    memcpy(out, member->valuestring, length + 1);
    return OK;
}

static enum result read_sequence(struct cursor *cursor, int64_t *ret_sequence, struct err *err)
{
    char text[24];
    enum result result = copy_attribute(cursor, "sequence", MAY, text, sizeof text, err);
    *ret_sequence = 0;
    if (result != OK || !text[0])
        return result;
    if (text[0] < '1' || text[0] > '9' || strlen(text) > 18 ||
        strspn(text, "0123456789") != strlen(text))
        return err_set(err, INVALID, "sequence: must be a positive decimal number in a string");
    *ret_sequence = strtoll(text, NULL, 10);
    return OK;
}

static enum result read_time(struct cursor *cursor, int64_t *ret_ms, struct err *err)
{
    char text[40];
    enum result result = copy_attribute(cursor, "time", MUST, text, sizeof text, err);
    if (result == OK && time_parse(text, ret_ms) != 0)
        result = err_set(err, INVALID, "time: must be RFC 3339");
    return result;
}

static enum result read_id(struct cursor *cursor, struct id *ret_id, struct err *err)
{
    enum result result = copy_attribute(cursor, "id", MUST, ret_id->text, sizeof ret_id->text, err);
    if (result == OK && !id_valid(ret_id->text))
        result = err_set(err, INVALID, "id: must be a UUID in lower case");
    return result;
}

/* --- datacontenttype: a media type that stands for JSON (RFC 9110 8.3.1, RFC 6838 4.2.8) --------- */

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_token(const char *at)
{
    while (is_token_char(*at))
        at++;
    return at;
}

/* Behind the closing quote; NULL: there is none. */
static const char *skip_quoted(const char *at)
{
    for (at++; *at != '"'; at++) {
        if (*at == '\\')
            at++;
        if (*at != '\t' && (*at < ' ' || *at > '~'))
            return NULL;
    }
    return at + 1;
}

static const char *skip_spaces(const char *at)
{
    return at + strspn(at, " \t");
}

/* `; charset=utf-8`, and so on to the end. */
static bool are_parameters(const char *at)
{
    while (*(at = skip_spaces(at)) == ';') {
        const char *name = skip_spaces(at + 1);
        at = skip_token(name);
        if (at == name) /* an empty one is allowed */
            continue;
        const char *value = at + 1;
        if (*at != '=')
            return false;
        at = *value == '"' ? skip_quoted(value) : skip_token(value);
        if (!at || at == value)
            return false;
    }
    return *at == '\0';
}

static bool is_json_type(const char *text)
{
    static const char json[] = "json";
    enum { JSON_SIZE = sizeof json - 1 };
    const char *slash = skip_token(text);
    if (slash == text || *slash != '/')
        return false;
    const char *end = skip_token(slash + 1);
    if (end - slash <= JSON_SIZE || strncasecmp(end - JSON_SIZE, json, JSON_SIZE) != 0)
        return false;
    char before = end[-JSON_SIZE - 1];
    return (before == '/' || before == '+') && are_parameters(end);
}

static enum result check_content_type(struct cursor *cursor, struct err *err)
{
    const cJSON *member = find(cursor, "datacontenttype");
    if (!member || cJSON_IsNull(member))
        return OK;
    if (!cJSON_IsString(member) || strlen(member->valuestring) > CONTENT_TYPE_MAX ||
        !is_json_type(member->valuestring))
        return err_set(err, INVALID, "datacontenttype: must be application/json or the like");
    return OK;
}

static enum result read_attributes(struct cursor *cursor, struct envelope *envelope,
                                   struct err *err)
{
    char version[8];
    enum result result = copy_attribute(cursor, "specversion", MUST, version, sizeof version, err);
    if (result == OK && strcmp(version, "1.0") != 0)
        result = err_set(err, INVALID, "specversion: %s is not 1.0", version);
    if (result == OK)
        result = read_id(cursor, &envelope->id, err);
    if (result == OK)
        result =
            copy_attribute(cursor, "source", MUST, envelope->source, sizeof envelope->source, err);
    if (result == OK)
        result = copy_attribute(cursor, "type", MUST, envelope->type, sizeof envelope->type, err);
    if (result == OK)
        result = copy_attribute(cursor, "subject", MUST, envelope->subject,
                                sizeof envelope->subject, err);
    if (result == OK)
        result = read_time(cursor, &envelope->time_ms, err);
    if (result == OK)
        result = read_sequence(cursor, &envelope->sequence, err);
    if (result == OK)
        result = copy_attribute(cursor, "traceparent", MAY, envelope->traceparent,
                                sizeof envelope->traceparent, err);
    return result == OK ? check_content_type(cursor, err) : result;
}

enum result envelope_decode(const char *body, size_t size, struct envelope *ret_envelope,
                            cJSON **ret_document, const cJSON **ret_data, struct err *err)
{
    static const struct json_limits limits = {ENVELOPE_SIZE_MAX, ENVELOPE_DEPTH_MAX};
    cJSON *document;
    enum result result = json_parse(body, size, &limits, &document, err);
    if (result != OK)
        return err_context(err, result, "envelope");
    struct cursor cursor = {document, document->child};
    if (!cJSON_IsObject(document))
        result = err_set(err, INVALID, "must be an object");
    else
        result = read_attributes(&cursor, ret_envelope, err);
    const cJSON *data = result == OK ? find(&cursor, "data") : NULL;
    if (result == OK && !cJSON_IsObject(data))
        result = err_set(err, INVALID, "data: must be an object");
    if (result != OK) {
        cJSON_Delete(document);
        return err_context(err, result, "envelope");
    }
    *ret_document = document;
    *ret_data = data;
    return OK;
}
