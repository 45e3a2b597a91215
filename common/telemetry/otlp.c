#include "common/telemetry/otlp.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/telemetry/log.h"
#include "common/telemetry/otlp_pairs.h"
#include "common/telemetry/trace.h"

enum {
    PENDING_MAX = 2048, /* spans */
    AT_ONCE = 256,      /* so many are sent without waiting for more */
    FLUSH_MS = 500,
    POLL_MS = 10, /* while a request is under way */
    TIMEOUT_MS = 5000,
    BACKOFF_MS = 1000, /* after the first failure, then twice as long each time */
};

struct otlp {
    const struct clock *clock;
    const char *service;
    const char *own_name; /* OTEL_SERVICE_NAME; NULL: not set */
    int instance;
    char url[512];
    struct otlp_pairs attributes; /* the user's, of the resource */
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct buf pending; /* JSON objects, joined by commas */
    uint64_t pending_count;
    struct buf body; /* under way */
    uint64_t body_count;
    bool busy;
    int tries;        /* of the body; 0: there is none that waits */
    int64_t begun_ms; /* monotonic: the first of them */
    int64_t next_ms;  /* monotonic: the next flush, the next look, or the next try */
    struct otlp_counts counts;
};

static size_t ignore(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

/* OTEL_EXPORTER_OTLP_NAME, before which one for traces alone comes; NULL: neither is set. */
static const char *setting(const char *for_traces, const char *for_all)
{
    const char *value = getenv(for_traces);
    if (!value || !value[0])
        value = getenv(for_all);
    return value && value[0] ? value : NULL;
}

/* The values are not told: a header may be a key to the collector. */
static void read_pairs(const struct log *log, const char *name, const char *value,
                       enum otlp_pairs_of of, struct otlp_pairs *pairs)
{
    struct err err = {""};
    if (value && otlp_pairs_read(value, of, pairs, &err) != OK)
        LOG_EVENT(log, LOG_WARNING, "setting-ignored", LOG_TEXT("name", name),
                  LOG_TEXT("reason", err.text));
}

static bool add_header(struct otlp *otlp, const char *line)
{
    struct curl_slist *longer = curl_slist_append(otlp->headers, line);
    if (longer)
        otlp->headers = longer;
    return longer != NULL;
}

/* A value of "" takes a semicolon, or libcurl would leave the header out. */
static bool add_headers(struct otlp *otlp, const struct log *log)
{
    struct otlp_pairs pairs = {0};
    bool fine = add_header(otlp, "Content-Type: application/json") &&
                add_header(otlp, "Expect:"); /* a collector that waits is not waited for */
    read_pairs(log, "OTEL_EXPORTER_OTLP_HEADERS",
               setting("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"),
               OTLP_HEADERS, &pairs);
    for (size_t i = 0; i < pairs.count && fine; i++) {
        struct buf line = {0};
        const struct otlp_pair *pair = &pairs.items[i];
        buf_printf(&line, pair->value[0] ? "%s: %s" : "%s;%s", pair->name, pair->value);
        fine = add_header(otlp, line.data);
        buf_release(&line);
    }
    otlp_pairs_release(&pairs);
    return fine;
}

static bool open_handles(struct otlp *otlp, const struct log *log)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return false;
    otlp->multi = curl_multi_init();
    otlp->easy = curl_easy_init();
    if (!otlp->multi || !otlp->easy || !add_headers(otlp, log))
        return false;
    curl_easy_setopt(otlp->easy, CURLOPT_URL, otlp->url);
    curl_easy_setopt(otlp->easy, CURLOPT_HTTPHEADER, otlp->headers);
    curl_easy_setopt(otlp->easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(otlp->easy, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(otlp->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(otlp->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    return true;
}

/* That for traces is the URL as it stands, the other one its beginning. False: none is set. */
static bool choose_url(struct otlp *otlp)
{
    const char *whole = setting("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "");
    const char *endpoint = setting("", "OTEL_EXPORTER_OTLP_ENDPOINT");
    if (whole)
        snprintf(otlp->url, sizeof otlp->url, "%s", whole);
    if (whole || !endpoint)
        return whole != NULL;
    size_t length = strlen(endpoint);
    while (length > 0 && endpoint[length - 1] == '/')
        length--;
    snprintf(otlp->url, sizeof otlp->url, "%.*s/v1/traces", (int)length, endpoint);
    return true;
}

static void choose_resource(struct otlp *otlp, const struct log *log)
{
    const char *name = getenv("OTEL_SERVICE_NAME");
    read_pairs(log, "OTEL_RESOURCE_ATTRIBUTES", setting("", "OTEL_RESOURCE_ATTRIBUTES"),
               OTLP_ATTRIBUTES, &otlp->attributes);
    if (name && name[0])
        otlp->own_name = name;
}

struct otlp *otlp_new(const struct clock *clock, const struct log *log, const char *service,
                      int instance)
{
    struct otlp *otlp = calloc(1, sizeof *otlp);
    if (!otlp)
        return NULL;
    *otlp = (struct otlp){.clock = clock, .service = service, .instance = instance};
    if (!choose_url(otlp) || !open_handles(otlp, log)) {
        otlp_free(otlp);
        return NULL;
    }
    choose_resource(otlp, log);
    return otlp;
}

static void write_attribute(struct buf *out, const struct span_attribute *attribute)
{
    buf_text(out, "{\"key\":");
    json_write_text(out, attribute->name);
    buf_text(out, ",\"value\":{");
    if (attribute->text) {
        buf_text(out, "\"stringValue\":");
        json_write_text(out, attribute->text);
    } else {
        buf_printf(out, "\"intValue\":\"%" PRId64 "\"", attribute->number);
    }
    buf_text(out, "}}");
}

static void write_attributes(struct buf *out, const struct span_attribute *attributes, size_t count)
{
    buf_text(out, "\"attributes\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_text(out, ",");
        write_attribute(out, &attributes[i]);
    }
    buf_text(out, "]");
}

/* Ids stand where W3C says: trace 3-34, span 36-51, flags 53-54. */
static void write_span(struct otlp *otlp, const struct span *span)
{
    struct buf *out = &otlp->pending;
    int64_t end_us = 1000 * clock_wall_ms(otlp->clock);
    buf_printf(out, "%s{\"traceId\":\"%.32s\",\"spanId\":\"%.16s\",", out->size > 0 ? "," : "",
               span->traceparent + 3, span->traceparent + 36);
    if (trace_valid(span->parent))
        buf_printf(out, "\"parentSpanId\":\"%.16s\",", span->parent + 36);
    buf_text(out, "\"name\":");
    json_write_text(out, span->name);
    buf_printf(out,
               ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64
               "000\",\"endTimeUnixNano\":\"%" PRId64 "000\",\"status\":{%s},",
               (int)span->kind, end_us - span->duration_us, end_us,
               span->failed ? "\"code\":2" : "");
    write_attributes(out, span->attributes, span->attribute_count);
    buf_text(out, "}");
    otlp->pending_count++;
}

static bool is_sampled(const char *traceparent)
{
    return trace_valid(traceparent) && strchr("13579bdf", traceparent[54]);
}

void otlp_record(struct otlp *otlp, const struct span *span)
{
    if (!otlp || !is_sampled(span->traceparent))
        return;
    if (otlp->pending_count >= PENDING_MAX) {
        otlp->counts.dropped++;
        return;
    }
    if (otlp->pending_count == 0 && !otlp->busy && otlp->tries == 0)
        otlp->next_ms = clock_mono_ms(otlp->clock) + FLUSH_MS;
    write_span(otlp, span);
}

/* What the user says of the resource comes before what we know of it. */
static void write_resource(struct otlp *otlp)
{
    enum { OWN = 3 };
    char instance[16];
    const struct otlp_pairs *pairs = &otlp->attributes;
    struct span_attribute all[OWN + OTLP_PAIRS_MAX];
    size_t count = 0;
    snprintf(instance, sizeof instance, "%d", otlp->instance);
    const struct span_attribute own[OWN] = {
        {"service.namespace", "warren", 0},
        {"service.name", otlp->own_name ? otlp->own_name : otlp->service, 0},
        {"service.instance.id", instance, 0}};
    for (size_t i = 0; i < OWN; i++)
        if (!otlp_pairs_find(pairs, own[i].name) || (i == 1 && otlp->own_name))
            all[count++] = own[i];
    for (size_t i = 0; i < pairs->count; i++)
        if (!otlp->own_name || strcmp(pairs->items[i].name, "service.name") != 0)
            all[count++] = (struct span_attribute){pairs->items[i].name, pairs->items[i].value, 0};
    write_attributes(&otlp->body, all, count);
}

static void write_body(struct otlp *otlp)
{
    struct buf *body = &otlp->body;
    buf_clear(body);
    buf_text(body, "{\"resourceSpans\":[{\"resource\":{");
    write_resource(otlp);
    buf_text(body, "},\"scopeSpans\":[{\"scope\":{\"name\":\"warren\"},\"spans\":[");
    buf_append(body, otlp->pending.data, otlp->pending.size);
    buf_text(body, "]}]}]}");
    otlp->body_count = otlp->pending_count;
    otlp->pending_count = 0;
    buf_clear(&otlp->pending);
}

static void end_body(struct otlp *otlp, bool taken)
{
    if (taken)
        otlp->counts.exported += otlp->body_count;
    else
        otlp->counts.dropped += otlp->body_count;
    otlp->tries = 0;
}

static void send_body(struct otlp *otlp)
{
    otlp->tries++;
    curl_easy_setopt(otlp->easy, CURLOPT_POSTFIELDS, otlp->body.data);
    curl_easy_setopt(otlp->easy, CURLOPT_POSTFIELDSIZE, (long)otlp->body.size);
    otlp->busy = curl_multi_add_handle(otlp->multi, otlp->easy) == CURLM_OK;
    if (!otlp->busy)
        end_body(otlp, false);
}

/* A request that broke in the middle may have been taken, and is not sent twice. */
static bool may_try_again(CURLcode code, long status)
{
    if (code != CURLE_OK)
        return code == CURLE_COULDNT_CONNECT;
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* A jitter of up to a half keeps those who failed together from coming together. */
static int64_t pause_ms(const struct otlp *otlp)
{
    curl_off_t told_s = 0;
    int64_t backoff_ms = (int64_t)BACKOFF_MS << (otlp->tries - 1);
    if (curl_easy_getinfo(otlp->easy, CURLINFO_RETRY_AFTER, &told_s) == CURLE_OK && told_s > 0)
        return told_s < OTLP_PATIENCE_MS / 1000 ? 1000 * (int64_t)told_s : OTLP_PATIENCE_MS;
    return backoff_ms + (int64_t)(clock_random64(otlp->clock) % (uint64_t)(backoff_ms / 2));
}

/* False: its time is up, or nothing would be gained. */
static bool wait_for_another_try(struct otlp *otlp, CURLcode code, long status)
{
    int64_t now_ms = clock_mono_ms(otlp->clock);
    if (!may_try_again(code, status) || otlp->tries >= OTLP_TRIES_MAX)
        return false;
    otlp->next_ms = now_ms + pause_ms(otlp);
    return otlp->next_ms - otlp->begun_ms < OTLP_PATIENCE_MS;
}

static void hear(struct otlp *otlp)
{
    int left = 0;
    long status = 0;
    CURLMsg *message = curl_multi_info_read(otlp->multi, &left);
    if (!message || message->msg != CURLMSG_DONE)
        return;
    CURLcode code = message->data.result;
    if (code == CURLE_OK)
        curl_easy_getinfo(otlp->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(otlp->multi, otlp->easy);
    otlp->busy = false;
    otlp->next_ms = clock_mono_ms(otlp->clock) + FLUSH_MS;
    if (!wait_for_another_try(otlp, code, status))
        end_body(otlp, status >= 200 && status < 300);
}

/* A body that waits for another try goes first; meanwhile the buffer fills. */
static void send_what_is_due(struct otlp *otlp, int64_t now_ms)
{
    bool due = now_ms >= otlp->next_ms;
    if (otlp->tries > 0) {
        if (due)
            send_body(otlp);
        return;
    }
    if (otlp->pending_count == 0 || (!due && otlp->pending_count < AT_ONCE))
        return;
    write_body(otlp);
    otlp->begun_ms = now_ms;
    send_body(otlp);
}

void otlp_run(struct otlp *otlp)
{
    if (!otlp)
        return;
    int running = 0;
    int64_t now_ms = clock_mono_ms(otlp->clock);
    if (!otlp->busy)
        send_what_is_due(otlp, now_ms);
    if (otlp->busy) {
        otlp->next_ms = now_ms + POLL_MS;
        curl_multi_perform(otlp->multi, &running);
        hear(otlp);
    }
}

int64_t otlp_deadline_ms(const struct otlp *otlp)
{
    if (!otlp || (!otlp->busy && otlp->tries == 0 && otlp->pending_count == 0))
        return INT64_MAX;
    bool at_once = !otlp->busy && otlp->tries == 0 && otlp->pending_count >= AT_ONCE;
    return at_once ? 0 : otlp->next_ms;
}

struct otlp_counts otlp_counts(const struct otlp *otlp)
{
    return otlp ? otlp->counts : (struct otlp_counts){0};
}

void otlp_free(struct otlp *otlp)
{
    if (!otlp)
        return;
    if (otlp->busy)
        curl_multi_remove_handle(otlp->multi, otlp->easy);
    curl_easy_cleanup(otlp->easy);
    curl_multi_cleanup(otlp->multi);
    curl_slist_free_all(otlp->headers);
    buf_release(&otlp->pending);
    buf_release(&otlp->body);
    otlp_pairs_release(&otlp->attributes);
    free(otlp);
}
