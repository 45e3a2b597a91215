/* The connections of the edge, each with its gate, and how long they may take: from a connection's
 * beginning, or the first byte of a later request, to the end of its head; from there to the end of its
 * body; from an answer's beginning to its end. However steadily the bytes drip, a step that takes longer
 * ends the connection. Between two requests it rests, for longer than proxies and balancers let theirs
 * (docs/adr/0028). What waits for the broker has no deadline here: the edge answers it in time.
 *
 * Every step has the same time, and every rest, so the lists are in the order of the deadlines: each call is
 * O(1). When there are too many, the one that has waited longest for a request to begin makes room.
 *
 * One that has no request in hand is not just shut: it is told 408, which answers a request that is on its
 * way, and nothing more is read of it but to forget it, until the other side has closed or a moment has
 * passed. */
#ifndef WARREN_EDGE_SERVICE_CONNECTIONS_H
#define WARREN_EDGE_SERVICE_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "edge-service/gate.h"

TAILQ_HEAD(connection_list, connection);

struct connection {
    struct gate gate;
    TAILQ_ENTRY(connection) link;
    TAILQ_ENTRY(connection) idle_link;
    struct connection_list *list; /* that of its deadline; NULL: it has none */
    int64_t deadline_mono_ms;
    uint64_t requests; /* that the library has told of */
    bool idle;         /* no request in hand: in that list */
    bool leaves;       /* told so */
    bool cut;          /* and soon to be gone */
    bool unread;       /* it was answered before all of its request had been read */
};

enum cut { CUT_LATE, CUT_FULL, CUT_STUCK, CUT_REASONS };

enum { CONNECTION_FAREWELL_MS = 2000 };

struct connections {
    struct connection_list timed, resting, leaving; /* by deadline */
    struct connection_list idle;                    /* the longest first */
    struct gates gates;
    int64_t step_ms, rest_ms;
    size_t count, count_max;   /* without those that are cut */
    uint64_t cut[CUT_REASONS]; /* so far */
};

/* `count_max` 0: any number. */
void connections_init(struct connections *connections, int64_t step_ms, int64_t rest_ms,
                      size_t count_max);
void connections_release(struct connections *connections);

/* A new one, zeroed, and its first step. Cuts another one when there are too many. */
void connection_open(struct connections *connections, struct connection *connection, int fd,
                     int64_t now_mono_ms);
void connection_close(struct connections *connections, struct connection *connection);
/* A request has begun: it is in hand until connection_rest. */
void connection_take(struct connections *connections, struct connection *connection);
/* Its answer is out. */
void connection_rest(struct connections *connections, struct connection *connection,
                     int64_t now_mono_ms);
/* A step begins. */
void connection_begin(struct connections *connections, struct connection *connection,
                      int64_t now_mono_ms);
/* It is our turn. */
void connection_pause(struct connections *connections, struct connection *connection);
/* Shuts those that are too late, or stuck; their end is then heard of as of any other. */
void connections_cut(struct connections *connections, int64_t now_mono_ms);
/* After each turn of the library: those of which the beginning of a head has come have to get on. */
void connections_wake(struct connections *connections, int64_t now_mono_ms);
/* All that rest leave. */
void connections_dismiss(struct connections *connections, int64_t now_mono_ms);
/* INT64_MAX: none. */
int64_t connections_deadline_ms(const struct connections *connections);

#endif
