/* What passes from a connection's socket to libmicrohttpd: whole heads that head.h has taken, and
 * their bodies, as soon as they come; never a piece of a head, and nothing of a bad one. In the
 * place of what is refused it gets the ending of head_ending, and then nothing more: so exactly one
 * request answers for it, in its turn, and http.c knows which.
 *
 * The bytes are seen where the library reads them: it calls recv(), and this program's own is found
 * first (docs/adr/0015-the-edge-reads-heads-first.md). No byte more is read than it asked for, or
 * copied unless it stops in the middle of a head. Were its bytes to come by another way, its first
 * request would find that no head had passed, and end the connection.
 *
 * Belongs to the edge's thread; other threads' recv() is not touched, nor that of any other
 * descriptor. */
#ifndef WARREN_EDGE_SERVICE_GATE_H
#define WARREN_EDGE_SERVICE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "edge-service/head.h"

/* Of one connection. Zeroed it is new. */
struct gate {
    struct head_reader reader;
    int fd;
    bool rests;       /* between two requests, and no byte of the next one has come */
    bool woken;       /* one has: it is in that list */
    bool leaves;      /* what comes is read and forgotten, until the other side has closed */
    size_t forgotten; /* so much of it so far */
    TAILQ_ENTRY(gate) wake_link;
    char *held; /* what the library has not got yet: NULL, nothing */
    size_t held_size, held_room;
    size_t whole; /* so much of it may go on */
    bool ended;   /* after a refusal: it has been given its ending */
    TAILQ_ENTRY(gate) link;
    uint64_t filled_in; /* the round in which it gave all that was asked for, and the library will
                           ask again by itself; 0: it waits for the socket */
};
TAILQ_HEAD(gate_list, gate);

/* Of the request with this number, from 1, in the order in which the library tells of them. */
enum gate_verdict { GATE_GOOD, GATE_REFUSED, GATE_NEVER_SEEN };
enum gate_verdict gate_verdict(const struct gate *gate, uint64_t number);

/* The gates of a server, by descriptor. */
struct gates {
    struct gate **of;
    size_t size;
    struct gate_list filled;
    struct gate_list woken; /* they rested until a byte came */
    uint64_t round;
};

void gates_init(struct gates *gates);
void gates_release(struct gates *gates);
void gates_add(struct gates *gates, struct gate *gate, int fd);
void gates_remove(struct gates *gates, struct gate *gate);
/* Between them this thread's recv() from these descriptors goes through their gates: one round. */
void gates_begin(struct gates *gates);
void gates_end(void);

/* It rests from now on, unless the beginning of a request has come already: false. */
bool gate_rest(struct gates *gates, struct gate *gate);
void gate_wake(struct gates *gates, struct gate *gate);
/* No request of it will be read any more. */
void gate_leave(struct gates *gates, struct gate *gate);

/* The library has no reason to read on now: its request is complete, or it writes. */
void gate_pause(struct gates *gates, struct gate *gate);
/* One from which the library said it would read on, and did not for GATE_ROUNDS_MAX rounds: there is
 * something that it cannot get rid of, and it would ask for its turn for ever. NULL: none. */
enum { GATE_ROUNDS_MAX = 256 };
struct gate *gates_stuck(struct gates *gates);

#endif
