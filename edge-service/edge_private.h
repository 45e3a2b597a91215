/* The inside of struct edge, shared by edge.c (phases), edge_command.c and edge_query.c. */
#ifndef WARREN_EDGE_SERVICE_EDGE_PRIVATE_H
#define WARREN_EDGE_SERVICE_EDGE_PRIVATE_H

#include "edge-service/accepted.h"
#include "edge-service/edge.h"
#include "edge-service/inflight.h"
#include "edge-service/projection.h"
#include "edge-service/read_model.h"
#include "edge-service/sent.h"
#include "edge-service/waiters.h"

#define EDGE_SOURCE "/edge-service"

/* A fact that has arrived and is not folded in yet. */
struct arrival {
    int64_t offset;
    uint64_t tag;
    char id[LOG_ID_SIZE]; /* the property */
    char key[TYPE_SIZE];  /* a longer one is cut, and no type of ours either way */
    char *body;
    size_t size;
};

struct backlog { /* a ring */
    struct arrival *items;
    size_t capacity, first, count;
};

struct order_change_note {
    char order_id[UUID_SIZE]; /* or a command's id */
    enum order_news news;
};

struct edge {
    struct edge_parts parts;
    struct edge_limits limits;
    struct inflight inflight;
    struct accepted accepted;
    struct sent sent;
    struct waiters waiters;
    struct projection projection;
    struct backlog backlog;
    size_t batch;           /* of the backlog, in the open transaction */
    uint64_t ack_tag;       /* committed, to be acknowledged; 0: nothing */
    struct log_place place; /* committed */
    bool log_unknown;       /* connected, and nothing heard yet that tells which log it is */
    int64_t log_due_mono;
    bool log_begins; /* connected, and nothing heard yet: the next message says where it begins */
    bool rewinding;  /* it is another log: nothing counts until it is read anew */
    int64_t store_retry_mono; /* no transaction before */
    int64_t store_backoff_ms;
    struct order_change_note *changed; /* by the open transaction */
    size_t changed_count, changed_capacity;
    enum edge_phase phase;
    bool bus_up, log_up, blocked, draining;
    char bus_reason[96];
    char log_reason[96];
    char store_reason[96];
    struct edge_state counters;
    struct edge_numbers numbers;
};

/* edge_command.c: fates */
void edge_settled(struct edge *edge, uint64_t token, enum bus_fate fate);
void edge_lost(struct edge *edge);
void edge_send_waiting(struct edge *edge);
void edge_expire_commands(struct edge *edge, int64_t now_mono_ms);

/* edge_fate.c: readers see it now */
void edge_fate_heard(struct edge *edge, const char *command_id);

#endif
