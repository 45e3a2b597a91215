/* The lists that OpenTelemetry's environment variables hold (OTEL_EXPORTER_OTLP_HEADERS,
 * OTEL_RESOURCE_ATTRIBUTES): "name=value,name=value", percent-encoded as W3C Baggage has it. */
#ifndef WARREN_TELEMETRY_OTLP_PAIRS_H
#define WARREN_TELEMETRY_OTLP_PAIRS_H

#include <stddef.h>

#include "common/base/err.h"

struct otlp_pair {
    char *name, *value; /* decoded */
};

struct otlp_pairs {
    struct otlp_pair *items;
    size_t count;
};

enum { OTLP_PAIRS_MAX = 64, OTLP_PAIRS_SIZE_MAX = 8192 };

enum otlp_pairs_of { OTLP_HEADERS, OTLP_ATTRIBUTES };

/* As a whole or not at all: INVALID says which entry is wrong and why, and nothing of its value, which may be a
 * secret. A header's name is a token and its value visible ASCII and blanks; an attribute is UTF-8. Of
 * a name that comes twice the last counts. *ret_pairs is the caller's: otlp_pairs_release. */
enum result otlp_pairs_read(const char *text, enum otlp_pairs_of of, struct otlp_pairs *ret_pairs,
                            struct err *err) WARN_UNUSED;
/* Takes one that is zeroed, too. */
void otlp_pairs_release(struct otlp_pairs *pairs);
/* NULL: not there. */
const char *otlp_pairs_find(const struct otlp_pairs *pairs, const char *name);

#endif
