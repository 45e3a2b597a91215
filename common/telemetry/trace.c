#include "common/telemetry/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* version 0-1, trace id 3-34, span id 36-51, flags 53-54 */
enum { TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, LENGTH = 55 };

static bool is_hex(const char *text, size_t length)
{
    return strspn(text, "0123456789abcdef") >= length;
}

static bool is_id(const char *text, size_t length)
{
    return is_hex(text, length) && strspn(text, "0") < length;
}

bool trace_valid(const char *traceparent)
{
    if (!traceparent || strnlen(traceparent, LENGTH) < LENGTH)
        return false;
    if (!is_hex(traceparent, 2) || strncmp(traceparent, "ff", 2) == 0)
        return false;
    bool first_version = strncmp(traceparent, "00", 2) == 0;
    char after = traceparent[LENGTH];
    if (after != '\0' && (first_version || after != '-'))
        return false;
    return traceparent[2] == '-' && is_id(traceparent + TRACE_AT, 32) &&
           traceparent[SPAN_AT - 1] == '-' && is_id(traceparent + SPAN_AT, 16) &&
           traceparent[FLAGS_AT - 1] == '-' && is_hex(traceparent + FLAGS_AT, 2);
}

void trace_child(const struct clock *clock, const char *parent, char out[TRACEPARENT_SIZE])
{
    uint64_t span = clock_random64(clock);
    char trace[TRACE_ID_SIZE];
    char flags[3] = "01";
    if (trace_valid(parent)) {
        trace_id(parent, trace);
        memcpy(flags, parent + FLAGS_AT, 2);
    } else {
        uint64_t high = clock_random64(clock);
        snprintf(trace, sizeof trace, "%016" PRIx64 "%016" PRIx64, high, clock_random64(clock) | 1);
    }
    snprintf(out, TRACEPARENT_SIZE, "00-%s-%016" PRIx64 "-%s", trace, span ? span : 1, flags);
}

const char *trace_id(const char *traceparent, char out[TRACE_ID_SIZE])
{
    out[0] = '\0';
    if (trace_valid(traceparent)) {
        memcpy(out, traceparent + TRACE_AT, TRACE_ID_SIZE - 1);
        out[TRACE_ID_SIZE - 1] = '\0';
    }
    return out;
}
