#include "common/telemetry/trace.h"

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

static void put_hex(char *at, uint64_t number)
{
    for (int i = 15; i >= 0; i--, number >>= 4)
        at[i] = "0123456789abcdef"[number & 15];
}

void trace_child(const struct clock *clock, const char *parent, char out[TRACEPARENT_SIZE])
{
    uint64_t span = clock_random64(clock);
    if (trace_valid(parent)) {
        memmove(out, parent, LENGTH);
    } else {
        memcpy(out + FLAGS_AT, "01", 2);
        uint64_t high = clock_random64(clock);
        put_hex(out + TRACE_AT, high);
        put_hex(out + TRACE_AT + 16, clock_random64(clock) | 1);
        out[SPAN_AT - 1] = out[FLAGS_AT - 1] = '-';
    }
    memcpy(out, "00-", TRACE_AT);
    put_hex(out + SPAN_AT, span ? span : 1);
    out[LENGTH] = '\0';
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
