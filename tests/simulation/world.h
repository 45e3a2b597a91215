/* One seed's world: two instances of every service over shared stores, a broker in memory, a
 * provider behind a bad network, and a clock that moves when nobody has work. Processes die between
 * any two phases and come back as new ones over the same stores. */
#ifndef WARREN_SIMULATION_WORLD_H
#define WARREN_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/switches.h"
#include "common/messaging/memory_bus.h"
#include "common/messaging/service.h"
#include "common/store/store.h"
#include "common/telemetry/log.h"
#include "edge-service/edge.h"
#include "tests/simulation/chance.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/faulty.h"
#include "tests/simulation/postman.h"

enum { INSTANCES = 2, PROCESSES = KIND_COUNT * INSTANCES, ORPHANS_MAX = 32 };
enum {
    DB_ORDER,
    DB_PAYMENT,
    DB_NOTIFICATION,
    DB_LEDGER,
    DB_EDGE_1,
    DB_EDGE_2,
    DB_ACCOUNTS,
    DB_COUNT
};

struct clients;

struct process {
    const struct manual_clock *time; /* the world's */
    struct clock clock;              /* what it goes by: the world's, but for the skew */
    int64_t skew_ms;                 /* of its time of day */
    enum process_kind kind;
    int instance; /* 0, 1 */
    char name[32];
    bool alive, never_back;
    int64_t back_ms;   /* dead: when it comes back */
    int64_t wake_ms;   /* asleep until then, or until its bus has something */
    size_t last_phase; /* the last one it ran */
    uint64_t lives;    /* how often it has been started */
    struct store *store;
    struct store *other; /* payment: the ledger; notification: accounts */
    struct bus *bus;
    struct bus *log_bus; /* an edge's; NULL: none */
    struct faulty *provider;
    void *self;
    struct log log;          /* used in a trace */
    struct service *service; /* NULL for an edge */
    struct edge *edge;
};

struct orphan {
    struct faulty *provider;
    struct store *other;
};

struct world {
    uint64_t seed;
    bool trace;
    struct switches switches;
    struct manual_clock clock;
    struct chance chance;
    struct coverage coverage;
    struct memory_broker *broker;
    struct store *stores[DB_COUNT]; /* the world's own handles; they keep the databases alive */
    struct process processes[PROCESSES];
    struct orphan orphans[ORPHANS_MAX];
    size_t orphan_count;
    struct clients *clients;
    uint64_t steps;
    int64_t rebind_ms, unblock_ms; /* 0: nothing unbound, not blocked */
    const char *unbound;
    struct mailbox *mailbox;
    int64_t poison;        /* injected, distinct */
    struct buf violations; /* what was seen on the way, one a line */
    bool broken[8];        /* promises, by number */
};

void world_init(struct world *world, uint64_t seed, const struct switches *switches, bool trace);
void world_release(struct world *world);
/* One phase of one process, and what chance adds. */
void world_step(struct world *world);
/* No more faults: everything is bound, unblocked and (but for what stays dead) back. */
void world_heal(struct world *world);
/* Nothing is under way any more, anywhere. */
bool world_quiescent(struct world *world);
struct process *world_edge(struct world *world, int instance);
void world_note(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3); /* trace only */
void world_violated(struct world *world, int promise, const char *format, ...) PRINTF_LIKE(3, 4);

/* rebuild.c */
void rebuild_judge(struct world *world);

/* process.c */
void process_start(struct world *world, struct process *process);
void process_kill(struct world *world, struct process *process);
/* Frees it quietly. */
void process_release(struct world *world, struct process *process);
void process_step(struct process *process);
/* When it wants to run: what it said when it fell asleep, or at once if its bus has work. */
int64_t process_deadline_ms(const struct process *process);
/* Gives it its clock; once, before it starts. */
void process_init(struct world *world, struct process *process);
/* Opens and migrates all databases, as a deployment does. */
void process_databases(struct world *world);

#endif
