/* A span for a message that has been sent, for services and the edge alike. */
#ifndef WARREN_MESSAGING_SPANS_H
#define WARREN_MESSAGING_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/telemetry/otlp.h"

/* All borrowed for the call. */
struct otlp_send {
    struct otlp *otlp; /* NULL: nothing happens */
    const char *exchange, *type, *message_id;
    size_t size;
    const char *traceparent; /* the message's: this span */
    const char *parent;      /* what it was sent for; "" when that is not known any more */
    int64_t duration_us;     /* from the publish to its fate */
    bool failed;
};
void spans_sent(const struct otlp_send *send);

#endif
