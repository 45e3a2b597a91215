#include "common/telemetry/otlp.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/telemetry/trace.h"

enum {
    PENDING_MAX = 2048, /* spans */
    AT_ONCE = 256,      /* so many are sent without waiting for more */
    FLUSH_MS = 500,
    POLL_MS = 10, /* while a request is under way */
    TIMEOUT_MS = 5000,
};

struct otlp {
    const struct clock *clock;
    const char *service;
    int instance;
    char url[512];
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct buf pending; /* JSON objects, joined by commas */
    uint64_t pending_count;
    struct buf body; /* under way */
    uint64_t body_count;
    bool busy;
    int64_t next_ms; /* monotonic: the next flush, or the next look */
    struct otlp_counts counts;
};

static size_t ignore(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static bool open_handles(struct otlp *otlp)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return false;
    otlp->multi = curl_multi_init();
    otlp->easy = curl_easy_init();
    otlp->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (!otlp->multi || !otlp->easy || !otlp->headers)
        return false;
    curl_slist_append(otlp->headers, "Expect:"); /* a collector that waits is not waited for */
    curl_easy_setopt(otlp->easy, CURLOPT_URL, otlp->url);
    curl_easy_setopt(otlp->easy, CURLOPT_HTTPHEADER, otlp->headers);
    curl_easy_setopt(otlp->easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(otlp->easy, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(otlp->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(otlp->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    return true;
}

struct otlp *otlp_new(const struct clock *clock, const char *service, int instance)
{
    const char *endpoint = getenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    if (!endpoint || !endpoint[0])
        return NULL;
    struct otlp *otlp = calloc(1, sizeof *otlp);
    if (!otlp)
        return NULL;
    *otlp = (struct otlp){.clock = clock, .service = service, .instance = instance};
    size_t length = strlen(endpoint);
    while (length > 0 && endpoint[length - 1] == '/')
        length--;
    snprintf(otlp->url, sizeof otlp->url, "%.*s/v1/traces", (int)length, endpoint);
    if (!open_handles(otlp)) {
        otlp_free(otlp);
        return NULL;
    }
    return otlp;
}

static void write_attribute(struct buf *out, const struct span_attribute *attribute)
{
    buf_printf(out, "{\"key\":\"%s\",\"value\":{", attribute->name);
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
    if (otlp->pending_count == 0 && !otlp->busy)
        otlp->next_ms = clock_mono_ms(otlp->clock) + FLUSH_MS;
    write_span(otlp, span);
}

static void write_body(struct otlp *otlp)
{
    char instance[16];
    snprintf(instance, sizeof instance, "%d", otlp->instance);
    const struct span_attribute resource[] = {{"service.namespace", "warren", 0},
                                              {"service.name", otlp->service, 0},
                                              {"service.instance.id", instance, 0}};
    struct buf *body = &otlp->body;
    buf_clear(body);
    buf_text(body, "{\"resourceSpans\":[{\"resource\":{");
    write_attributes(body, resource, sizeof resource / sizeof resource[0]);
    buf_text(body, "},\"scopeSpans\":[{\"scope\":{\"name\":\"warren\"},\"spans\":[");
    buf_append(body, otlp->pending.data, otlp->pending.size);
    buf_text(body, "]}]}]}");
    otlp->body_count = otlp->pending_count;
    otlp->pending_count = 0;
    buf_clear(&otlp->pending);
}

static void send_pending(struct otlp *otlp)
{
    write_body(otlp);
    curl_easy_setopt(otlp->easy, CURLOPT_POSTFIELDS, otlp->body.data);
    curl_easy_setopt(otlp->easy, CURLOPT_POSTFIELDSIZE, (long)otlp->body.size);
    otlp->busy = curl_multi_add_handle(otlp->multi, otlp->easy) == CURLM_OK;
    if (!otlp->busy)
        otlp->counts.dropped += otlp->body_count;
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
    if (status >= 200 && status < 300)
        otlp->counts.exported += otlp->body_count;
    else
        otlp->counts.dropped += otlp->body_count;
    curl_multi_remove_handle(otlp->multi, otlp->easy);
    otlp->busy = false;
}

void otlp_run(struct otlp *otlp)
{
    if (!otlp)
        return;
    int running = 0;
    int64_t now_ms = clock_mono_ms(otlp->clock);
    bool due = now_ms >= otlp->next_ms || otlp->pending_count >= AT_ONCE;
    if (!otlp->busy && otlp->pending_count > 0 && due)
        send_pending(otlp);
    if (otlp->busy) {
        curl_multi_perform(otlp->multi, &running);
        hear(otlp);
    }
    otlp->next_ms = now_ms + (otlp->busy ? POLL_MS : FLUSH_MS);
}

int64_t otlp_deadline_ms(const struct otlp *otlp)
{
    if (!otlp || (!otlp->busy && otlp->pending_count == 0))
        return INT64_MAX;
    return !otlp->busy && otlp->pending_count >= AT_ONCE ? 0 : otlp->next_ms;
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
    free(otlp);
}
