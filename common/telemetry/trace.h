/* W3C trace context, https://www.w3.org/TR/trace-context/: "00-TRACE-SPAN-FLAGS" in lower-case
 * hexadecimal. One trace goes from a request through everything it causes; each hop is a span of
 * its own in it. */
#ifndef WARREN_TELEMETRY_TRACE_H
#define WARREN_TELEMETRY_TRACE_H

#include <stdbool.h>

#include "common/base/clock.h"

#define TRACEPARENT_SIZE 56 /* with its end */
#define TRACE_ID_SIZE 33

/* Whether the header is one to be carried on: version 00 exactly, a later one by its first part; no
 * id all zeros. NULL is none. */
bool trace_valid(const char *traceparent);
/* A new span in the trace of `parent`, its flags kept; in a new, sampled trace when that is not
 * valid. `out` may be `parent`. */
void trace_child(const struct clock *clock, const char *parent, char out[TRACEPARENT_SIZE]);
/* For a log line; "" when there is none. Returns `out`. */
const char *trace_id(const char *traceparent, char out[TRACE_ID_SIZE]);

#endif
