/* JSON from strangers. cJSON parses; this module first refuses what cJSON would let through, so
 * that every reader of the same bytes sees the same document (RFC 8259, RFC 7493 I-JSON): bytes
 * behind the document, duplicate keys, bad UTF-8, control characters, NUL and lone surrogates in
 * strings, numbers that are not JSON or do not fit a double, too deep or too large a document. */
#ifndef WARREN_BASE_JSON_H
#define WARREN_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct json_limits {
    size_t max_size; /* bytes */
    int max_depth;   /* nesting of arrays and objects */
};

/* On OK *ret_json is the caller's (cJSON_Delete). INVALID: the reason is fit for the sender's eyes.
 * `text` need not end in NUL. */
enum result json_parse(const char *text, size_t size, const struct json_limits *limits,
                       cJSON **ret_json, struct err *err) WARN_UNUSED;

/* The largest integer whose neighbours a double can still tell apart, 2^53 - 1 (RFC 7493). */
#define JSON_INTEGER_MAX INT64_C(9007199254740991)

/* An integer, |n| <= JSON_INTEGER_MAX; INVALID for everything else. 1.0 and 1e2 are the integers 1
 * and 100, as JSON Schema says; that rounding makes no integer of another number, json_parse sees
 * to. */
enum result json_integer(const cJSON *json, int64_t *ret_value, struct err *err) WARN_UNUSED;

struct buf;
/* Appends a JSON string with its quotes. `text` is UTF-8. */
void json_write_text(struct buf *out, const char *text);

#endif
