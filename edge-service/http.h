/* HTTP in front of the edge, by libmicrohttpd: no thread of its own, its epoll nested in the
 * owner's. A request whose command is in flight is suspended and resumed when the fate is known
 * (docs/adr/0005-the-edge-suspends-until-confirmed.md). Connections, requests and bodies are
 * bounded.
 *
 * Belongs to the edge's thread. Run edge_round before http_run, so that the fates of a round are
 * answered together. */
#ifndef WARREN_EDGE_SERVICE_HTTP_H
#define WARREN_EDGE_SERVICE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/store/store.h"
#include "edge-service/edge.h"

struct http;

/* Open for a moment beyond connections_max: those that are cut take a round to go. */
enum { HTTP_CONNECTIONS_SPARE = 32 };

struct http_options {
    const char *address;              /* NULL: 127.0.0.1 */
    int port;                         /* 0: any free one, see http_port */
    unsigned connections_max;         /* 0: 1000; with one more, the longest idle goes */
    unsigned connections_per_address; /* 0: no limit but that; one more is not let in */
    int64_t step_ms; /* a request's head, its body and its answer have so long each; 0: 30 s */
    int64_t rest_ms; /* a connection without a request is kept for so long; 0: 75 s */
    int64_t rate_per_caller; /* requests a second, 0: any number; a token of SCOPE_LOAD is exempt */
    int64_t rate_per_address; /* likewise */
    struct edge *edge;        /* these are borrowed and outlive the server */
    struct store *accounts;   /* migrated */
    const struct clock *clock;
    struct otlp *otlp; /* NULL: no spans */
    /* For /readyz: whether the broker has what the edge's table names; see topology_ready(). NULL:
     * nobody can say. */
    bool (*bindings)(void *context, struct buf *wrong, struct buf *notes);
    void *bindings_context;
};

/* REFUSED: the port is taken. The result is the caller's: http_free. */
enum result http_new(const struct http_options *options, struct http **ret_http,
                     struct err *err) WARN_UNUSED;
int http_port(const struct http *http);
/* One fd for its life, readable when http_run has something to do. */
int http_fd(const struct http *http);
/* Takes in what has arrived, resumes and answers what is ready. Never blocks. */
void http_run(struct http *http);
/* Monotonic; 0: at once; INT64_MAX: only when http_fd is readable. */
int64_t http_deadline_ms(const struct http *http);
/* From now on nobody new is let in. */
void http_quiesce(struct http *http);
/* How often the library has had its turn, since the beginning. */
uint64_t http_rounds(const struct http *http);
/* Requests taken in and not answered in full yet. */
size_t http_active(const struct http *http);
/* Every request must have been answered by the edge: edge_abandon first. Takes NULL. */
void http_free(struct http *http);

#endif
