/* A world for the loop's tests: a service that counts pings, an effect that answers as it is told,
 * one broker in memory, one database in memory, up to two instances. One world at a time. */
#ifndef WARREN_TESTS_PING_WORLD_H
#define WARREN_TESTS_PING_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/switches.h"
#include "common/messaging/memory_bus.h"
#include "common/messaging/service.h"
#include "common/telemetry/trace.h"

/* What the handler does about the ping `moody_about`; of the others it takes a note in the table
 * "total" and says "pong". */
enum mood {
    CONTENT,
    DEFERS,
    REFUSES,
    REFUSES_AFTER_WRITING,
    CONFLICTS_ONCE,
    CALLS,
    BREAKS_STORE,
    KEEPS,      /* says pong, and keeps it in seen.kept */
    SAYS_AGAIN, /* seen.kept */
    SAYS_KEPT,  /* what the table keeps of it */
    KILLS
};

/* A pong, with all that could differ. */
struct pong {
    int64_t position;
    char id[ID_TEXT_SIZE], traceparent[TRACEPARENT_SIZE], type[48], exchange[32], subject[64];
    int64_t time_ms;
    size_t size;
    char body[600];
};

struct ping_seen {
    enum mood mood;
    int64_t moody_about; /* this n only */
    int handled, answered, forgotten;
    bool killed;
    char last_key[128];
    char pongs[64][ID_TEXT_SIZE]; /* seen by the listener */
    int pong_count;
    struct pong kept, heard; /* KEEPS; the last one seen by the listener */
};
extern struct ping_seen seen;

struct bell {
    struct effect effect;
    int calls;
    bool silent; /* takes the call and never answers */
    bool fails;
    char job_id[128];
};
extern struct bell bell;

extern struct manual_clock manual;
extern struct switches switches;
extern struct memory_broker *broker;
struct log;
extern struct log *ping_log; /* NULL, as at the beginning: silent */

struct instance {
    struct store *store;
    struct bus *bus;
    struct service *service;
};

/* A fresh world; every test begins and ends with one. */
void start_world(void);
void end_world(void);
struct instance start_instance(const char *owner);
/* As kill -9 does. */
void kill_instance(struct instance *instance);
/* Rounds with 10 ms between them. */
void run(struct instance *instance, int rounds);
/* Committed, not relayed. */
void step_until_unsent(struct instance *instance);
void send_body(const char *id, const char *body);
struct id ping_id(int64_t n);
void send_ping(int64_t n);
/* What the store answers to a question for one number. */
int64_t number(const char *sql);
#define ROWS(table) number("SELECT count(*) FROM " table)

#endif
