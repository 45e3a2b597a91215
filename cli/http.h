/* The HTTP client of the command line: one request at a time on a kept connection, by libcurl. */
#ifndef WARREN_CLI_HTTP_H
#define WARREN_CLI_HTTP_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

struct http; /* one thread */

struct http_request {
    const char *method; /* NULL: GET */
    const char *url;
    const char *bearer; /* NULL: none */
    const char *user;   /* basic authentication; NULL: none */
    const char *password;
    const char *idempotency_key; /* NULL: none */
    const char *content_type;    /* NULL: application/json when there is a body */
    const char *body;            /* NULL: none */
    const char *ca_file; /* https: whom the server must be certified by; NULL: the system's */
    const char *socket;  /* a Unix socket's path; NULL: TCP */
    int64_t timeout_ms;  /* 0: 5000 */
};

struct http_response {
    int status;
    int64_t retry_after_s; /* 0: not said */
    struct buf body;
};

/* Never fails (out of memory aborts). The result is the caller's: http_free. */
struct http *http_new(void);
/* Takes NULL. */
void http_free(struct http *http);

/* OK: there is an answer, whatever its status. RETRY: nobody listens. UNKNOWN: sent, no answer.
 * `response` is reused: zero-initialise it once, http_response_release at the end. */
enum result http_call(struct http *http, const struct http_request *request,
                      struct http_response *response, struct err *err) WARN_UNUSED;
void http_response_release(struct http_response *response);

/* "http[s]://[USER:PASSWORD@]HOST[:PORT]" as the URL without the two, and the two, decoded ("": none), of
 * `name_size` bytes each: a URL may be printed. INVALID: it is none, or has a query; the text never holds the URL. */
enum result http_url_split(const char *url, char *base, size_t size, char *user, char *password,
                           size_t name_size, struct err *err) WARN_UNUSED;

/* The body as JSON, the caller's (cJSON_Delete); INVALID when it is none. */
enum result http_json(const struct http_response *response, cJSON **ret_json,
                      struct err *err) WARN_UNUSED;
/* Puts the answer's own words (a problem's title and detail, RFC 9457) into err; returns REFUSED
 * for 4xx and 503, UNKNOWN for 504, RETRY for other 5xx, OK below 400. */
enum result http_verdict(const struct http_response *response, struct err *err);

#endif
