/* The one loop of every consumer: take a batch; one transaction for inbox, state, outbox and jobs;
 * COMMIT; acknowledge; relay the outbox. DESIGN.md 4 is its specification.
 *
 * A service is a struct made from a clock, a store, a bus and perhaps an effect; main() gives it
 * the real ones, a test others. It runs in fixed phases, one per service_step, so that a simulator
 * can kill it between any two. One thread. */
#ifndef WARREN_MESSAGING_SERVICE_H
#define WARREN_MESSAGING_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bind.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/id.h"
#include "common/base/switches.h"
#include "common/messaging/bus.h"
#include "common/messaging/effect.h"
#include "common/messaging/envelope.h"
#include "common/messaging/topology.h"
#include "common/store/store.h"
#include "common/telemetry/histogram.h"

struct service;
struct log;
struct otlp;

/* What a handler may do, all inside the open transaction: read and write uow_store, publish, ask
 * for an outside call. It asks nobody else for the time. */
struct uow;
struct store *uow_store(struct uow *uow);
int64_t uow_now_ms(const struct uow *uow); /* wall clock, one value per batch */
struct id uow_new_id(struct uow *uow);
const struct switches *uow_switches(const struct uow *uow);

enum occasion {
    FIRST_TIME,
    AGAIN, /* it was said before, and may have been lost: counted, and told in the log */
};
struct outgoing {
    enum occasion occasion;
    const char *exchange;
    const char *type; /* routing key too */
    const char *subject;
    int64_t sequence; /* facts: gap-free per (source, subject); commands: 0 */
    const char *id;   /* NULL: a new one */
    const struct bind_type *payload_type;
    const void *payload;
};
/* A message as it went out. */
struct said {
    int64_t position; /* of its row in the outbox: ascending, never used twice; 0: not known */
    const char *exchange;
    const char *type;
    const char *subject;
    const char *id;
    const char *traceparent; /* "": none */
    int64_t time_ms;         /* epoch; when it was said first */
    const void *body;        /* the encoded envelope */
    size_t size;
};
/* Into the outbox, in order; leaves after the commit. `ret_said` may be NULL; what it points to is
 * the outbox's, until the handler returns. */
enum result uow_publish(struct uow *uow, const struct outgoing *message, struct said *ret_said,
                        struct err *err) WARN_UNUSED;
/* Says again what was said before, byte for byte: whoever has heard it knows it by its id, sequence
 * and content. Goes the way of any other message; copies what `said` points to. */
enum result uow_publish_again(struct uow *uow, const struct said *said,
                              struct err *err) WARN_UNUSED;
/* Keeps for ever what uow_publish has just said, in the table `fact`, under said->position. */
enum result uow_keep(struct uow *uow, const struct said *said, struct err *err) WARN_UNUSED;
/* Says again what is kept under `position`. NOT_FOUND: nothing is. */
enum result uow_publish_kept(struct uow *uow, int64_t position, struct err *err) WARN_UNUSED;
/* Into the jobs table. Made after the commit, with `key` at every attempt, until its answer has
 * been accepted. The same (kind, key) again is OK and changes nothing. */
enum result uow_call(struct uow *uow, const char *kind, const char *key, const char *request,
                     struct err *err) WARN_UNUSED;

/* Handles one decoded message. OK or DUPLICATE: done. DEFER: later again. CONFLICT: at once again,
 * alone. INVALID: quarantine. Whatever store_* returned is handed up as it is. May have written
 * before it fails: the loop rolls back and runs the message again alone. */
typedef enum result handler_fn(void *self, struct uow *uow, const struct envelope *envelope,
                               const void *payload, struct err *err);

struct handler {
    const char *queue;
    const char *type;
    const struct bind_type *payload;
    handler_fn *handle;
};

/* A job's answer. OK: the job is done. DEFER: ask again, later, with the same key. */
typedef enum result job_done_fn(void *self, struct uow *uow, const char *kind, const char *key,
                                const char *request, enum result outcome, const char *response,
                                struct err *err);

struct service_spec {
    const char *name;   /* "order-service": log, user, inbox consumer */
    const char *source; /* "/order-service" */
    const struct topology *topology;
    job_done_fn *job_done; /* NULL: makes no calls */
    /* Work that time alone brings (deadlines). `due` reads outside a transaction and answers
     * whether there is any; `tick` does a bounded amount inside one. NULL: none. */
    bool (*due)(void *self, struct store *store, int64_t now_ms);
    enum result (*tick)(void *self, struct uow *uow, int64_t now_ms, struct err *err);
    /* Inside a transaction: the wall clock was put back, or may have been while nobody ran. What waits
     * for a time and has begun after `now_ms` is to wait from now on. NULL: nothing waits. */
    enum result (*wait_anew)(void *self, struct uow *uow, int64_t now_ms, struct err *err);
    /* Last inside the transaction, once the batch's messages, answers and tick are through and
     * before COMMIT: writes and publishes what was collected (coalesced facts). Not OK: the whole
     * batch is rolled back. Runs too when a message is tried alone. NULL: nothing collected. */
    enum result (*before_commit)(void *self, struct uow *uow, struct err *err);
    /* The batch was rolled back or its fate is unknown: drop what memory keeps of the store. NULL:
     * nothing kept. */
    void (*forget)(void *self);
    /* After each commit, before anything leaves: what memory keeps may now be trusted. NULL: none.
     */
    void (*committed)(void *self);
};

/* Everything a service is made of. All borrowed, and outliving it. */
struct service_parts {
    const struct clock *clock;
    struct store *store; /* migrated with service_migrations and the service's own */
    struct bus *bus;
    struct effect *effect; /* NULL: none */
    struct switches switches;
    const char
        *owner; /* "order-service-1": whose outbox rows and jobs are ours at once after a restart */
    void *self; /* the service's own state, handed to its handlers */
    struct log *log;   /* NULL: silent */
    struct otlp *otlp; /* NULL: no spans */
};

struct service_limits {         /* zero: the default */
    size_t batch;               /* messages in one transaction (256) */
    size_t unsent_max;          /* take nothing while more outbox rows are unsent (2000) */
    size_t calls_max;           /* outside calls in flight (64) */
    int64_t call_timeout_ms;    /* after which a call's outcome is UNKNOWN (3000) */
    int64_t takeover_ms;        /* rows and jobs of others are taken up when this old (5000) */
    int64_t confirm_timeout_ms; /* a publish unconfirmed for so long is published again (10000) */
};

/* The tables of the loop itself: inbox, outbox, fact, job, deferred, quarantine. Owner "service". */
extern const struct migration service_migrations[];
extern const size_t service_migration_count;

enum result service_new(const struct service_spec *spec, const struct service_parts *parts,
                        const struct service_limits *limits, struct service **ret_service,
                        struct err *err) WARN_UNUSED;
/* Ends it as a crash would, wherever it stands: nothing is committed, acknowledged or sent. Drain
 * first for a polite end. Frees neither store nor bus. Takes NULL. */
void service_free(struct service *service);

enum phase {
    PHASE_PUMP,   /* hear from the bus and from outside calls */
    PHASE_BEGIN,  /* choose the batch, take the write lock */
    PHASE_WORK,   /* marks, answers, timers, deferred and arrived messages */
    PHASE_COMMIT, /* one fsync */
    PHASE_ACK,    /* multiple */
    PHASE_RELAY,  /* publish what the outbox holds */
    PHASE_CALL,   /* start outside calls */
    PHASE_COUNT
};
const char *phase_name(enum phase phase);

/* Runs the phase whose turn it is and says which it was. Never blocks. */
enum phase service_step(struct service *service);
/* One whole round: steps up to and including the next PHASE_CALL. */
void service_round(struct service *service);
/* Monotonic time until which nothing is to do unless an fd becomes readable; 0: go on at once. */
int64_t service_deadline_ms(struct service *service);
/* Readable when there is work; for an epoll of the owner's. -1: none. */
int service_bus_fd(struct service *service);
int service_effect_fd(struct service *service);

/* From now on take no new message: what has arrived is still worked on. */
void service_drain(struct service *service);
/* Whether a draining service has nothing left in hand: no message, outbox confirmed, no call in
 * flight. */
bool service_drained(const struct service *service);

/* What can stand still while everything else looks well: a transaction that cannot begin (somebody else
 * holds the write lock), messages in hand of which none gets done, publishes of which none is confirmed. */
enum service_stall { STALL_BEGIN, STALL_IN_HAND, STALL_PUBLISHES, SERVICE_STALLS };
const char *service_stall_name(enum service_stall stall);

struct service_state {
    bool bus_up;
    bool blocked;
    bool draining;
    bool full;              /* takes nothing while so much is unsent */
    bool log_away;          /* facts have come back: the log is not there */
    char reason[128];       /* why the bus is down or blocked, "" when it is neither */
    char store_reason[128]; /* why the last transaction was rolled back, "" since it went through */
    char stall_reason[192]; /* what has stood still for STALL_MS (stall.h), "" when all moves */
    int64_t stalled_ms[SERVICE_STALLS]; /* how long each stands still; 0: it moves */
    int64_t oldest_ms;                  /* age of the oldest message in hand; 0: none */
    size_t unsent;    /* outbox rows not yet confirmed, as far as this instance knows */
    size_t in_flight; /* of those, published and not confirmed */
    size_t arrived;   /* messages in hand: delivered, not acknowledged */
    size_t calls;     /* in flight */
    uint64_t handled, duplicates, deferred, quarantined, conflicts, rollbacks, reconnects, batches;
    uint64_t published, confirmed, returned, nacked;
};
void service_state(const struct service *service, struct service_state *ret_state);

enum message_outcome {
    OUTCOME_HANDLED,
    OUTCOME_DUPLICATE, /* known from before */
    OUTCOME_DEFERRED,
    OUTCOME_QUARANTINED,
    OUTCOME_COUNT
};
const char *outcome_name(enum message_outcome outcome);

enum { SERVICE_QUEUES_MAX = 8, SERVICE_PUBLICATIONS_MAX = 16 }; /* of one topology */

/* Counted as it goes: what was rolled back is not in it. */
struct service_numbers {
    uint64_t messages[SERVICE_QUEUES_MAX][OUTCOME_COUNT]; /* by the topology's queue */
    uint64_t repeats[SERVICE_PUBLICATIONS_MAX]; /* said AGAIN, by the topology's publication */
    struct histogram batch;                     /* messages of one transaction */
    struct histogram handle;  /* us: the work of a transaction with messages in it */
    struct histogram commit;  /* us: its COMMIT, any transaction's */
    struct histogram confirm; /* us: from a publish to its confirm */
};
/* Lives as long as the service. */
const struct service_numbers *service_numbers(const struct service *service);

/* What the tables hold now, of all instances that share them. */
struct service_rows {
    int64_t outbox, outbox_oldest_ms; /* epoch; 0: empty */
    int64_t jobs, deferred, quarantined;
    int64_t unlogged; /* facts that wait for the log, of which they alone know */
};
/* Reads them; RETRY while a transaction is open. */
enum result service_rows(const struct service *service, struct service_rows *ret_rows,
                         struct err *err) WARN_UNUSED;

#endif
