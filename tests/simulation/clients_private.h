/* What clients.c (plans, answers, looks) and clients_judge.c share; nobody else includes it. */
#ifndef WARREN_SIMULATION_CLIENTS_PRIVATE_H
#define WARREN_SIMULATION_CLIENTS_PRIVATE_H

#include "common/base/digest.h"
#include "tests/simulation/world.h"

enum { OPS_MAX = 240, CUSTOMERS = 4, SKUS = 6, ORDERS_LEAST = 20, ATTEMPTS_MAX = 200 };
enum { TURN_READ = 48 };         /* somebody looks every so many turns */
enum { REMEMBERED_MS = 900000 }; /* for so long an edge knows what it has answered */

extern const char *const client_skus[SKUS];
extern const int64_t client_stock[SKUS]; /* of each adjustment */

enum op_kind { OP_PLACE, OP_CANCEL, OP_PRODUCT, OP_STOCK };
enum op_state { OP_WAITING, OP_FLYING, OP_DONE };

struct op {
    struct clients *clients;
    enum op_kind kind;
    enum op_state state;
    int64_t at_ms;
    int64_t invoked_ms;
    int edge; /* flying: through which */
    int attempts;
    size_t sku;
    int64_t revision; /* 0: the next one */
    int64_t price;    /* of no other op on this product */
    int customer;
    char key[32];
    char order_id[UUID_SIZE];
    char command_id[UUID_SIZE]; /* of what was accepted last */
    char hash[SHA256_HEX_SIZE];
    struct place_request request;
    bool repeat, other_body;
    bool first; /* this product's first stock */
};

/* What one edge has shown of one order. */
struct view {
    int64_t version;
    uint64_t accepted_life; /* the edge's life in which it said 202; 0: never */
    uint64_t told_life;     /* in which it said "unknown" or 202 of this key; 0: never */
    int64_t told_ms;        /* when it did, last */
};

struct clients {
    struct world *world;
    char customers[CUSTOMERS][UUID_SIZE];
    struct op ops[OPS_MAX];
    struct view views[OPS_MAX][INSTANCES]; /* of a key, by its first op */
    size_t count;
    int64_t next_ms;
    uint64_t turn;
    size_t unlisted, unstocked; /* products that still wait for their first listing, stock */
    struct buf history;
};

struct look {
    struct op *op;
    struct view *view;
    int edge;
    bool found;
    char status[WORD_SIZE];
    int64_t version, total;
};

enum result look_at(struct world *world, struct process *process, struct look *look);

#endif
