/* An edge in a bottle with HTTP in front and real sockets, in one thread: the client writes, the
 * edge takes its turns, the client reads. Time is the bottle's, turned by hand. Aborts when it
 * cannot be. */
#ifndef WARREN_TESTS_UNIT_EDGE_FRONT_H
#define WARREN_TESTS_UNIT_EDGE_FRONT_H

#include <stdbool.h>

#include "common/accounts/accounts.h"
#include "edge-service/http.h"
#include "tests/unit/edge_bottle.h"

enum who { WHO_NOBODY, WHO_A, WHO_B, WHO_ADMIN, WHO_EXPIRED, WHO_TAMPERED, WHO_COUNT };

struct front {
    struct bottle bottle;
    struct store *accounts;
    struct http *http;
    char bearer[WHO_COUNT][BEARER_SIZE]; /* "" for nobody */
    struct id customer[2];               /* of A and B */
    enum scope scope;                    /* of the tokens: front_open keeps it */
};

struct answered {
    int status; /* 0: none */
    bool closed;
    size_t size;
    char text[65536]; /* head and body, ended by NUL */
};

/* Zero-initialise but for the scope. `options` NULL: the defaults; its edge, accounts and clock are filled in. */
void front_open(struct front *front, const struct http_options *options);
void front_close(struct front *front);
void front_turns(struct front *front, int turns);

int front_connect(struct front *front);
/* Writes it all, taking turns; false when the other side has closed. */
bool front_write(struct front *front, int fd, const void *bytes, size_t size);
/* Reads until the other side closes, or has been silent for some turns. */
void front_read(struct front *front, int fd, struct answered *answered);
/* Sends bytes on a connection of their own, then the end, and reads what comes. */
void front_exchange(struct front *front, const void *bytes, size_t size, struct answered *answered);
/* Takes what was read apart: the statuses of its answers, `max` at most, but for 100s. `method` is
 * that of the last of their requests. Returns their number, -1 when it is anything else than whole
 * answers, one behind the other. */
int front_answers(const struct answered *answered, const char *method, int *statuses, int max);
/* Lets the edge do what it has to do, and nothing more. */
void front_settle(struct front *front);
/* A whole request; `body` NULL for none. Returns the status. */
int front_ask(struct front *front, enum who who, const char *method, const char *path,
              const char *body, struct answered *answered);

#endif
