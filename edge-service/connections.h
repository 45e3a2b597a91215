/* How long a connection may take: from its beginning, or the end of an answer, to the end of the
 * next request's head; from there to the end of its body; from an answer's beginning to its end.
 * However steadily the bytes drip, a step that takes longer ends the connection. What waits for the
 * broker has no deadline here: the edge answers it in time.
 *
 * Every step has the same time, so the list is in the order of the deadlines: each call is O(1). */
#ifndef WARREN_EDGE_SERVICE_CONNECTIONS_H
#define WARREN_EDGE_SERVICE_CONNECTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct connection {
    TAILQ_ENTRY(connection) link;
    int fd;
    int64_t deadline_mono_ms; /* 0: not in the list */
};
TAILQ_HEAD(connection_list, connection);

struct connections {
    struct connection_list timed;
    int64_t step_ms;
    uint64_t cut; /* so far */
};

void connections_init(struct connections *connections, int64_t step_ms);
/* A step begins. */
void connection_begin(struct connections *connections, struct connection *connection,
                      int64_t now_mono_ms);
/* It is our turn; or the connection ends. */
void connection_pause(struct connections *connections, struct connection *connection);
/* Shuts those that are too late; their end is then heard of as of any other. */
void connections_cut(struct connections *connections, int64_t now_mono_ms);
/* INT64_MAX: none. */
int64_t connections_deadline_ms(const struct connections *connections);

#endif
