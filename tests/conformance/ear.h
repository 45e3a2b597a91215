/* A bus with a listener that writes everything down, and waiting for it to hear something. */
#ifndef WARREN_TESTS_CONFORMANCE_EAR_H
#define WARREN_TESTS_CONFORMANCE_EAR_H

#include "tests/conformance/bus_suite.h"

enum { EAR_DELIVERIES = 4096, EAR_TOKENS = 4096, EAR_ID = 40 };

struct ear_delivery {
    char queue[32];
    char id[EAR_ID];
    char key[EAR_ID];
    char body[64];
    uint64_t tag;
    int64_t offset;
    bool redelivered;
};

struct ear {
    const struct bus_fixture *fixture;
    struct bus *bus;
    bool up, blocked;
    int ups, downs, blocks;
    char reason[256];
    size_t delivered;
    struct ear_delivery deliveries[EAR_DELIVERIES];
    size_t settled;
    size_t fates[3];
    int times[EAR_TOKENS]; /* settled per token */
    enum bus_fate fate[EAR_TOKENS];
    const char *echo; /* answer each delivery with a publish under this routing key */
    size_t echoed;
};

/* The only fixture of this process. */
extern const struct bus_fixture *ear_fixture;

struct ear *ear_new(const struct switches *switches); /* NULL: all on */
void ear_subscribe(struct ear *ear, const char *queue, int prefetch);
void ear_follow(struct ear *ear, int64_t from_offset); /* the stream */
/* Drops the handle as a dying process does. */
void ear_free(struct ear *ear);

void ear_turn(struct ear *ear);
/* Until so many, or patience is out: then the case fails. */
void ear_until_up(struct ear *ear);
void ear_until_down(struct ear *ear);
void ear_until_settled(struct ear *ear, size_t count);
void ear_until_delivered(struct ear *ear, size_t count);
void ear_quiet(struct ear *ear);

/* Publishes, waiting while there is no room. The id is "ID-number", the body the id. */
void ear_say(struct ear *ear, const char *exchange, const char *key, const char *id,
             uint64_t token);
enum result ear_try(struct ear *ear, const char *exchange, const char *key, const char *id,
                    uint64_t token);
/* So many to the work queue, tokens from 0, all confirmed. */
void ear_fill(struct ear *ear, size_t count);

#endif
