/* The CloudEvents 1.0 envelope in structured JSON (content type application/cloudevents+json). */
#ifndef WARREN_MESSAGING_ENVELOPE_H
#define WARREN_MESSAGING_ENVELOPE_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bind.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/id.h"

#define ENVELOPE_CONTENT_TYPE "application/cloudevents+json"
#define ENVELOPE_SIZE_MAX (256 * 1024)

struct envelope {
    struct id id;
    char type[48];    /* "order.placed" */
    char source[40];  /* "/order-service" */
    char subject[64]; /* an order id, a SKU */
    int64_t time_ms;
    int64_t sequence;     /* 0: none; travels as a decimal string */
    char traceparent[56]; /* "" : none */
};

/* Appends the whole CloudEvent with its data. */
void envelope_encode(const struct envelope *envelope, const struct bind_type *payload_type,
                     const void *payload, struct buf *out);
/* The same with data that are JSON text already. */
void envelope_encode_text(const struct envelope *envelope, const char *data, size_t size,
                          struct buf *out);
/* The data in what one of the two has written, as text: *ret_size bytes inside `body`. */
const char *envelope_data(const char *body, size_t size, size_t *ret_size);

/* Reads the envelope of a message of the catalogue; *ret_data is its `data`, inside *ret_document,
 * which the caller deletes with cJSON_Delete on OK. INVALID says why. Whatever CloudEvents 1.0 leaves
 * open is taken: any offset of the time, any media type that stands for JSON, null for an optional
 * attribute, attributes that are not known. What the catalogue wants besides is asked for: a subject,
 * a time, an id that is a UUID, a sequence that counts. */
enum result envelope_decode(const char *body, size_t size, struct envelope *ret_envelope,
                            cJSON **ret_document, const cJSON **ret_data,
                            struct err *err) WARN_UNUSED;

#endif
