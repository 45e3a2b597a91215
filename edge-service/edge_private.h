/* The inside of struct edge, shared by edge.c (phases), edge_command.c and edge_query.c. */
#ifndef WARREN_EDGE_SERVICE_EDGE_PRIVATE_H
#define WARREN_EDGE_SERVICE_EDGE_PRIVATE_H

#include "common/base/stall.h"
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
    int64_t since_mono_ms;
    char key[TYPE_SIZE]; /* a longer one is cut, and no type of ours either way */
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
    int64_t pumped_mono_ms; /* of the last PUMP */
    char bus_reason[96];
    char log_reason[96];
    char store_reason[96];
    char stall_reason[96]; /* what has stood still for too long */
    bool begin_waits;      /* the last transaction did not begin */
    struct stall stalls[EDGE_STALLS];
    uint64_t stall_marks[EDGE_STALLS]; /* what had been done when it was looked at last */
    struct edge_state counters;
    struct edge_numbers numbers;
};

/* edge_command.c */
void edge_send_waiting(struct edge *edge);

/* edge_settle.c */
void edge_settled(struct edge *edge, uint64_t token, enum bus_fate fate);
void edge_lost(struct edge *edge);
void edge_expire_commands(struct edge *edge, int64_t now_mono_ms);
/* What is said of the key, when `own` is what became of this attempt; and why. */
enum edge_verdict edge_about_key(const struct edge *edge, struct attempts *attempts,
                                 enum edge_verdict own);
const char *edge_reason_of(enum edge_verdict verdict, enum edge_verdict own, const char *reason);

/* edge_standstill.c: looks once a round */
void edge_look_for_standstill(struct edge *edge, int64_t now_mono_ms);
void edge_standstill_state(const struct edge *edge, struct edge_state *state);
/* When it has to look again, for what stands still now; INT64_MAX: nothing does. */
int64_t edge_standstill_due_ms(const struct edge *edge);

/* edge_fate.c: readers see it now */
void edge_fate_heard(struct edge *edge, const char *command_id);

#endif
