/* Spans to an OpenTelemetry collector, OTLP over HTTP as JSON
 * (https://opentelemetry.io/docs/specs/otlp/), when OTEL_EXPORTER_OTLP_ENDPOINT is set.
 *
 * Never in anybody's way: recording fills a bounded buffer, one request is under way at a time, and
 * what finds no room, or no collector, is dropped and counted. No thread of its own: call otlp_run
 * when otlp_deadline_ms has come. Every function takes NULL, which exports nothing. */
#ifndef WARREN_TELEMETRY_OTLP_H
#define WARREN_TELEMETRY_OTLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"

struct otlp;

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

/* NULL: the environment names no collector, or there is no memory for one. `service` is borrowed. */
struct otlp *otlp_new(const struct clock *clock, const char *service, int instance);
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
