/* Spans to an OpenTelemetry collector, OTLP over HTTP as JSON
 * (https://opentelemetry.io/docs/specs/otlp/), when OTEL_EXPORTER_OTLP_ENDPOINT is set. Read too are
 * OTEL_EXPORTER_OTLP_TRACES_ENDPOINT (the whole URL), OTEL_EXPORTER_OTLP_HEADERS and
 * OTEL_EXPORTER_OTLP_TRACES_HEADERS, OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, each as
 * OpenTelemetry says; one that cannot be read counts as not set, and a log line says so.
 *
 * Never in anybody's way: recording fills a bounded buffer, one request is under way at a time, and
 * what finds no room, or no collector, is dropped and counted. A collector that says 429, 502, 503 or 504, or
 * is not there, is asked again, when it says (Retry-After) or later and later, OTLP_TRIES_MAX times within
 * OTLP_PATIENCE_MS. No thread of its own: call otlp_run when otlp_deadline_ms has come. Every function
 * takes NULL, which exports nothing. */
#ifndef WARREN_TELEMETRY_OTLP_H
#define WARREN_TELEMETRY_OTLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"

struct otlp;
struct log;

enum { OTLP_TRIES_MAX = 5, OTLP_PATIENCE_MS = 60000 };

enum span_kind { SPAN_SERVER = 2, SPAN_PRODUCER = 4, SPAN_CONSUMER = 5 }; /* OTLP's numbers */

struct span_attribute {
    const char *name;
    const char *text; /* NULL: the number counts */
    int64_t number;
};

/* Borrowed for the call. */
struct span {
    const char *traceparent; /* its own; not recorded when it is not sampled */
    const char *parent;      /* a traceparent of the same trace; else it is a root */
    enum span_kind kind;
    const char *name;
    int64_t duration_us; /* until now */
    bool failed;
    const struct span_attribute *attributes;
    size_t attribute_count;
};

/* NULL: the environment names no collector, or there is no memory for one. `service` is borrowed; `log`,
 * which may be NULL, for this call only. */
struct otlp *otlp_new(const struct clock *clock, const struct log *log, const char *service,
                      int instance);
void otlp_record(struct otlp *otlp, const struct span *span);
void otlp_run(struct otlp *otlp);
int64_t otlp_deadline_ms(const struct otlp *otlp);
struct otlp_counts {
    uint64_t exported, dropped;
};
struct otlp_counts otlp_counts(const struct otlp *otlp);
/* What has not been sent is dropped. */
void otlp_free(struct otlp *otlp);

#endif
