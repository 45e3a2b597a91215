/* The inside of the loop, shared by its files:
 *   service.c  phases, life cycle          intake.c   what has arrived, and its fate
 *   work.c     the one transaction         outbox.c   rows on their way out
 *   jobs.c     outside calls               outbox_others.c  rows of other instances
 *   schema.c   tables                      spans.c    what a collector hears
 *   fact.c     what is kept to be said again
 *   unlogged.c facts that wait for the log
 *   standstill.c what stands still, and since when
 * Nobody else includes this. */
#ifndef WARREN_MESSAGING_SERVICE_PRIVATE_H
#define WARREN_MESSAGING_SERVICE_PRIVATE_H

#include <sys/queue.h>

#include "common/base/stall.h"
#include "common/messaging/service.h"
#include "common/messaging/spans.h"
#include "common/telemetry/trace.h"

struct log;

/* A message in hand: arrived from the broker (tag > 0) or due again from the table `deferred`. */
struct arrival {
    TAILQ_ENTRY(arrival) next;
    uint64_t tag;
    const char *queue; /* the topology's own text */
    bool redelivered;
    int64_t since_ms;     /* monotonic: in hand since then; 0: due again */
    bool alone;           /* its own transaction from now on */
    bool counted;         /* this delivery's try is on record */
    int64_t tries;        /* times run alone and never finished */
    int64_t attempts;     /* deferred: attempts so far; redelivered: times run alone */
    int64_t conflicts;    /* in a row */
    enum result verdict;  /* DEFER, INVALID: decided in a batch that was rolled back for it */
    char reason[160];     /* of the verdict */
    struct id message_id; /* the property's; "" when there is none */
    char traceparent[TRACEPARENT_SIZE]; /* once it has been decoded */
    size_t size;
    char body[];
};
TAILQ_HEAD(arrival_list, arrival);

enum row_state {
    ROW_WAITING,   /* to be published */
    ROW_BLOCKED,   /* another instance's earlier row of the same subject comes first */
    ROW_IN_FLIGHT, /* published, its fate is open */
    ROW_CONFIRMED, /* to be deleted in the next transaction */
};

struct row {
    TAILQ_ENTRY(row) next;
    int64_t position; /* in the table; 0 with the switch `outbox` off */
    bool foreign;     /* taken over from another owner */
    enum occasion occasion;
    bool to_unlogged; /* CONFIRMED: not at all, but returned for good */
    bool was_unlogged;
    enum row_state state;
    uint64_t token;
    int64_t retry_ms;     /* monotonic; WAITING: not before */
    int64_t published_us; /* monotonic; IN_FLIGHT */
    int64_t refusals;
    struct id id;
    char exchange[32];
    char type[48];
    char subject[64];
    char traceparent[TRACEPARENT_SIZE];
    char parent[TRACEPARENT_SIZE]; /* for its span; "" after a restart */
    char owner[48];
    int64_t time_ms;
    size_t size;
    char body[];
};
TAILQ_HEAD(row_list, row);

enum call_state { CALL_READY, CALL_IN_FLIGHT, CALL_ANSWERED };

struct call {
    TAILQ_ENTRY(call) next;
    enum call_state state;
    char kind[24];
    char key[96];
    char job_id[128];
    int64_t attempts;
    int64_t deadline_ms;                /* monotonic; IN_FLIGHT */
    char traceparent[TRACEPARENT_SIZE]; /* of the message that asked for it */
    enum result outcome;                /* ANSWERED */
    char *request;
    char *response;
};
TAILQ_HEAD(call_list, call);

struct uow {
    struct service *service;
    const char *traceparent; /* of what it is done for; NULL: time alone */
    int64_t now_ms;
    int64_t position; /* of the last outbox row in this transaction; 0: none yet */
};

/* Where a subject's first row of an owner is, in the outbox. Sorted by subject. */
struct other {
    char subject[64];
    char owner[48];
    int64_t position;
};
struct others {
    struct other *items;
    size_t count, capacity;
};

struct service {
    const struct service_spec *spec;
    struct service_parts parts;
    struct service_limits limits;
    enum phase phase; /* whose turn it is */
    struct service_state state;
    struct service_numbers numbers;
    uint64_t tally[SERVICE_QUEUES_MAX][OUTCOME_COUNT]; /* of the open transaction */
    int64_t heard_us;  /* monotonic time of this pump; 0: not asked for yet */
    int64_t pumped_ms; /* likewise, always known */
    struct stall stalls[SERVICE_STALLS];
    uint64_t stall_marks[SERVICE_STALLS]; /* what had been done when it was looked at last */
    bool begin_waits;                     /* the last transaction did not begin */
    char begin_reason[96];
    bool draining;
    bool quiet; /* draining, and nothing more can arrive */

    struct arrival_list arrivals; /* in order of their tags */
    struct arrival_list due;      /* the deferred message whose turn it is, or none */
    size_t arrival_count;
    size_t batch_size; /* how many of `arrivals` are in this batch */
    bool counting;     /* this batch only puts an attempt on record */
    void *payload;     /* room for any decoded payload */

    struct row_list fresh;     /* of the open transaction */
    struct row_list unsent;    /* committed, in order */
    struct row_list confirmed; /* to be marked */
    struct row *relay_from;    /* no row before this one is WAITING and due */
    size_t fresh_count, unsent_count, confirmed_count, in_flight, refused_count, blocked_count;
    uint64_t token;
    bool unlogged_left;       /* the table may hold rows */
    int64_t next_unlogged_ms; /* monotonic */
    bool others_write;        /* this batch: other owners' rows are in the outbox */
    struct others others;

    struct call_list calls;       /* READY, IN_FLIGHT, ANSWERED */
    struct call_list fresh_calls; /* of the open transaction */
    size_t call_count, calls_in_flight, calls_answered, calls_ready;

    /* Monotonic times of what comes round again. */
    int64_t backoff_until_ms, backoff_ms;
    int64_t next_tick_ms, next_rescan_ms, next_look_ms, next_blocked_ms, next_mark_ms;
    /* Wall-clock times of what the tables hold; INT64_MAX: nothing. */
    int64_t next_deferred_ms, next_job_ms;
    int64_t last_wall_ms; /* of the last pump */
    bool clock_back;      /* the wall clock was put back, or may have been while nobody ran */
    bool tick_due;
    bool loaded; /* what this owner left, at its last end or in a commit that failed, is taken up */
};

/* intake.c */
void intake_add(struct service *service, const struct bus_delivery *delivery);
void intake_clear(struct service *service); /* the tags are void */
/* Chooses the batch: sets batch_size, counting, and fills `due`. */
enum result intake_choose(struct service *service, struct err *err) WARN_UNUSED;
bool intake_has_work(const struct service *service);
/* Inside the transaction: every message of the batch. */
enum result intake_work(struct service *service, struct uow *uow, struct err *err) WARN_UNUSED;
/* The batch is durable. */
void intake_committed(struct service *service);
void intake_rolled_back(struct service *service);
/* How many messages the transaction handles. */
size_t intake_batch_size(const struct service *service);
void intake_ack(struct service *service);
void intake_release(struct service *service);
enum result intake_refresh(struct service *service, struct err *err) WARN_UNUSED;
/* The clock was put back. */
enum result intake_wait_anew(struct service *service, struct err *err) WARN_UNUSED;

/* outbox.c */
struct row *outbox_row_new(const struct said *said);
/* From a table, ROW_SAID the columns from `first` on. */
#define ROW_SAID "message_id, exchange, type, subject, traceparent, time_ms, body"
struct row *outbox_row_read(const struct store_row *stored, int first);
/* Into the open transaction. Takes the row over, whatever happens. */
enum result outbox_put_take(struct uow *uow, struct row *row, struct said *ret_said,
                            struct err *err) WARN_UNUSED;
void outbox_add_unsent(struct service *service, struct row *row);
void outbox_settled(struct service *service, uint64_t token, enum bus_fate fate);
void outbox_down(struct service *service); /* every fate is open again */
void outbox_expire(struct service *service);
/* Last in the transaction: the table remembers the last position given out. */
enum result outbox_keep_position(struct uow *uow, struct err *err) WARN_UNUSED;
bool outbox_has_work(const struct service *service);
enum result outbox_mark(struct service *service, struct err *err) WARN_UNUSED;
void outbox_committed(struct service *service);
void outbox_rolled_back(struct service *service);
void outbox_relay(struct service *service);
int64_t outbox_deadline_ms(const struct service *service);
void outbox_release(struct service *service);

/* unlogged.c */
/* Of a row that was returned: whether it is to wait apart for the log. */
bool unlogged_wants(struct service *service, const struct row *row);
void unlogged_confirmed(struct service *service, const struct row *row);
/* From the outbox to the table apart, in the open transaction. */
enum result unlogged_put(struct service *service, const struct row *first, const struct row *last,
                         struct err *err) WARN_UNUSED;
bool unlogged_waiting(const struct service *service);
int64_t unlogged_deadline_ms(const struct service *service);
/* And back. */
enum result unlogged_work(struct service *service, struct uow *uow, struct err *err) WARN_UNUSED;

/* outbox_others.c */
enum result outbox_look_for_others(struct service *service, struct err *err) WARN_UNUSED;
/* As far as was last looked: whether no other owner's row of this subject comes before this one. */
bool outbox_comes_first(const struct service *service, const struct row *row);
void outbox_recheck(struct service *service); /* may blocked rows go now? */
enum result outbox_load(struct service *service,
                        struct err *err) WARN_UNUSED; /* our own, at start */
enum result outbox_rescan(struct service *service,
                          struct err *err) WARN_UNUSED; /* what others left */

/* jobs.c */
void jobs_pump(struct service *service);
/* Wall-clock time at which a stored job may be taken up; INT64_MAX: none, or not now. */
int64_t jobs_next_ms(const struct service *service);
bool jobs_have_work(const struct service *service);
enum result jobs_work(struct service *service, struct uow *uow, struct err *err) WARN_UNUSED;
void jobs_committed(struct service *service);
void jobs_rolled_back(struct service *service);
void jobs_start_calls(struct service *service);
enum result jobs_load(struct service *service, struct err *err) WARN_UNUSED;
enum result jobs_refresh(struct service *service, struct err *err) WARN_UNUSED;
enum result jobs_wait_anew(struct service *service, struct err *err) WARN_UNUSED;
int64_t jobs_deadline_ms(struct service *service);
void jobs_release(struct service *service);

/* spans.c */
/* `own` becomes the span in which a message is handled, or what caused it when nobody wants spans.
 */
int64_t spans_begin(const struct service *service, const char *cause, char own[TRACEPARENT_SIZE]);
void spans_processed(const struct service *service, const struct arrival *arrival,
                     const struct envelope *envelope, const char *own, int64_t begun_us,
                     enum result outcome);

/* standstill.c: looks once a round */
void standstill_look(struct service *service);
void standstill_state(const struct service *service, struct service_state *state);

/* work.c */
bool work_waiting(struct service *service);
enum result work_do(struct service *service, struct err *err) WARN_UNUSED;

static inline int64_t service_mono_ms(const struct service *service)
{
    return clock_mono_ms(service->parts.clock);
}
static inline int64_t service_mono_us(const struct service *service)
{
    return clock_mono_us(service->parts.clock);
}
static inline int64_t service_wall_ms(const struct service *service)
{
    return clock_wall_ms(service->parts.clock);
}
/* `base` and up to as much again, at random. */
int64_t service_jitter_ms(struct service *service, int64_t base);
/* malloc that aborts: a service that cannot hold one message cannot do anything else either. */
void *service_alloc(size_t size);

#endif
