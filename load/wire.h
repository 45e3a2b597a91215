/* An HTTP/1.1 client for one server: many requests at once, each on a kept connection of its own,
 * non-blocking, one thread. Made for load: two system calls a request, no allocation once warm, and
 * the moment of sending is known. Not made for the open internet: no TLS, no redirects, no cookies.
 *
 * Why not libcurl: docs/adr/0009-a-client-of-our-own-for-load.md. What is understood of an answer:
 * Content-Length, chunked, or until the end of the connection (RFC 9112, 6.3); 1xx is skipped. An
 * answer has at most 1 MiB. */
#ifndef WARREN_LOAD_WIRE_H
#define WARREN_LOAD_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

enum wire_outcome {
    WIRE_ANSWERED,
    WIRE_NO_CONNECTION, /* it could not be made: nothing was sent */
    WIRE_BROKEN,        /* it ended before the answer had */
    WIRE_TIMEOUT,       /* sent, and no whole answer in time */
    WIRE_GARBLED,       /* what came is no HTTP, or too much of it */
    WIRE_OUTCOMES
};

/* Valid inside the listener only. */
struct wire_answer {
    enum wire_outcome outcome;
    int status;          /* with WIRE_ANSWERED */
    int64_t finished_ns; /* monotonic: when the last of it was read */
    const char *body;    /* NUL at the end; "" but for WIRE_ANSWERED */
    size_t size;
};

/* May send, but not run or free. */
typedef void wire_listener(void *context, uint64_t token, const struct wire_answer *answer);

struct wire_options {
    const char *url;       /* http://HOST[:PORT][/PREFIX]; copied */
    size_t connections;    /* at most */
    int64_t timeout_ms;    /* from sending to the whole answer */
    int64_t connecting_ms; /* for making a connection */
    wire_listener *listener;
    void *context;
};

/* One request. Everything is borrowed for the call. */
struct wire_request {
    const char *method;
    const char *path;    /* below the URL's prefix: "/v1/orders" */
    const char *headers; /* whole lines, each with CRLF at its end; "" for none */
    const char *body;    /* NULL: none */
    size_t size;
};

struct wire;

/* Looks the host up (the only call that may block) and connects to nothing yet. INVALID: the URL.
 * RETRY: the host is not known. Free with wire_free. */
enum result wire_new(const struct wire_options *options, struct wire **ret_wire,
                     struct err *err) WARN_UNUSED;
/* Takes NULL. Requests in flight end without an answer. */
void wire_free(struct wire *wire);

/* Sends; the listener is told how it went, once, from wire_run. RETRY: every connection has a
 * request on its way. */
enum result wire_send(struct wire *wire, const struct wire_request *request,
                      uint64_t token) WARN_UNUSED;

/* Readable when wire_run has something to do. */
int wire_fd(const struct wire *wire);
/* Monotonic: when it must run even so; INT64_MAX: never. */
int64_t wire_deadline_ns(const struct wire *wire);
/* Takes what has arrived, and ends what is overdue. Never blocks. */
void wire_run(struct wire *wire);

size_t wire_in_flight(const struct wire *wire);

/* Monotonic nanoseconds: the clock of everything here. */
int64_t wire_now_ns(void);

#endif
