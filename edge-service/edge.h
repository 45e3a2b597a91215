/* The edge without HTTP: commands in, their fate out, and a read model fed by the stream of facts.
 * http.h puts HTTP in front of it; the simulation drives it directly.
 *
 * An edge is made from a clock, a store (the read model, disposable), two buses and a deadline, all
 * borrowed and outliving it. Commands and the log have a bus each: a log that is dead or gone does
 * not touch commands (docs/adr/0017). It belongs to one thread and runs in fixed phases, one per edge_step,
 * so that a simulator can kill it between any two. It owns nothing that must survive: what it
 * knows beyond the read model (requests in flight, orders accepted and not yet read back, waiters)
 * lives in bounded tables in memory, and a full table refuses.
 *
 * A command is accepted only when the broker has confirmed it. Refused is not unknown (promise 2):
 * refused means that nothing was accepted, of this attempt and of every other one under its key that
 * this edge remembers (docs/adr/0026). */
#ifndef WARREN_EDGE_SERVICE_EDGE_H
#define WARREN_EDGE_SERVICE_EDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/id.h"
#include "common/base/switches.h"
#include "common/messaging/bus.h"
#include "common/messaging/topology.h"
#include "common/store/store.h"
#include "common/telemetry/histogram.h"
#include "contracts/messages.h"

struct edge;
struct log;
struct otlp;

#define KEY_SIZE 256 /* of an idempotency key: 1..255 visible ASCII characters */

struct edge_parts {
    const struct clock *clock;
    struct store *store; /* migrated with edge_migrations, owner "edge" */
    struct bus *bus;     /* commands go out on it */
    struct bus *log_bus; /* facts come in on it */
    struct switches switches;
    const struct log *log; /* NULL: silent */
    struct otlp *otlp;     /* NULL: no spans */
};

struct edge_limits {     /* zero: the default */
    int64_t deadline_ms; /* an unconfirmed publish is unknown after so long (5000) */
    size_t inflight_max; /* publishes in flight, those answered without their fate too (8192) */
    size_t accepted_max; /* orders answered 202 or 504 and not read back yet (150000) */
    int64_t
        accepted_age_ms; /* such an order is forgotten after so long (900000); one in doubt too */
    size_t
        sent_max; /* other commands in flight, in doubt or confirmed lately, for as long (8192) */
    size_t waiters_max; /* requests waiting for an order or a command (8192) */
    size_t batch;       /* facts in one transaction of the projection (256) */
};

extern const struct topology edge_topology;
extern const struct migration edge_migrations[];
extern const size_t edge_migration_count;

/* Subscribes to the stream from where the read model stands. `limits` may be NULL. */
enum result edge_new(const struct edge_parts *parts, const struct edge_limits *limits,
                     struct edge **ret_edge, struct err *err) WARN_UNUSED;
/* Ends it as a crash would, wherever it stands: nothing is committed, acknowledged or answered.
 * Frees neither store nor bus. Takes NULL. */
void edge_free(struct edge *edge);

/* Commands */

enum edge_verdict {
    EDGE_ACCEPTED, /* confirmed by the broker, or known to have been */
    EDGE_REFUSED,  /* nothing was accepted: returned, nacked, no connection, no room */
    EDGE_UNKNOWN, /* the connection was lost, or the deadline came, before the fate, of this attempt
                        or of another one under its key: repeat with the same key */
    EDGE_NO_ORDER,      /* there is no such order of this customer, as far as this edge has read */
    EDGE_FORBIDDEN,     /* the order's state forbids it */
    EDGE_KEY_REUSED,    /* the key belongs to another request */
    EDGE_TOO_FAR_AHEAD, /* the revision is more than a day ahead of the clock */
};
const char *edge_verdict_name(enum edge_verdict verdict);

/* Borrowed for the callback. */
struct edge_reply {
    enum edge_verdict verdict;
    const char *order_id;   /* of place and cancel, "" elsewhere */
    const char *command_id; /* "": it was never sent */
    const char *key;        /* the idempotency key: the caller's or the one made for it */
    const char *reason;     /* a sentence for the client */
};
/* Called exactly once per command, unless the edge is freed before: perhaps before the command's
 * own function returns, else from edge_step. It may call commands and queries, not edge_step. */
typedef void edge_reply_fn(void *context, const struct edge_reply *reply);

struct edge_caller {
    edge_reply_fn *reply;
    void *context;
    const char *traceparent; /* the request's, borrowed for the command's function; NULL: none */
};

/* What a customer sends: POST /v1/orders. */
struct place_request {
    size_t line_count;
    struct order_line lines[ORDER_LINES_MAX];
    struct payment_means payment;
};
extern const struct bind_type place_request_type;

/* `key` NULL: one is made. The same customer and key make the same order id and message id through
 * whichever edge. */
void edge_place(struct edge *edge, const char *customer, const char *key,
                const struct place_request *request, struct edge_caller caller);
void edge_cancel(struct edge *edge, const char *customer, const char *order_id,
                 struct edge_caller caller);
/* `revision` 0: order-service gives the next one. With a key the same change is made once, however
 * often it is sent, and no other one. */
void edge_set_product(struct edge *edge, const struct set_product *product, const char *key,
                      struct edge_caller caller);
/* The key as above. */
void edge_adjust_stock(struct edge *edge, const struct stock_adjust *adjustment, const char *key,
                       struct edge_caller caller);

/* The order's id under this key. */
struct id edge_order_id(const char *customer, const char *key);
/* The id of the command that places it with this content. */
struct id edge_place_id(const char *order_id, const char *request_hash);

/* A burst of commands and queries, of one moment: what they read is one snapshot of the read model.
 * Within it no edge_step. */
void edge_burst_begin(struct edge *edge);
/* The commands leave now. */
void edge_burst_end(struct edge *edge);

/* Queries: always of one customer. RETRY while a transaction of the projection is open, that is,
 * between the phases BEGIN and COMMIT, when the store is busy, and instead of "there is none" and of
 * any list when the log was cut before it had been read: what is asked for may be in what is missing. */

struct edge_order {
    char order_id[UUID_SIZE];
    char status[WORD_SIZE]; /* accepted placed closing confirmed rejected cancelled expired */
    int64_t version;        /* 0: accepted, not yet read back */
    char currency[CURRENCY_SIZE];
    int64_t total;
    char reason[WORD_SIZE]; /* "" for none */
    char request_hash[HASH_SIZE];
    int64_t placed_ms; /* epoch */
    int64_t updated_ms;
    const char *lines; /* JSON: [{sku, name, quantity, unit_price, amount}]; borrowed */
};
typedef void edge_order_fn(void *context, const struct edge_order *order);

/* An order is settled when nothing but a cancel can change it. */
bool edge_order_settled(const struct edge_order *order);

/* NOT_FOUND: not there, or another's. */
enum result edge_get_order(struct edge *edge, const char *customer, const char *order_id,
                           edge_order_fn *each, void *context, struct err *err) WARN_UNUSED;

/* Where a page of the list begins: strictly behind this order. placed_ms < 0: at the newest. */
struct edge_position {
    int64_t placed_ms;
    char order_id[UUID_SIZE];
};
/* Newest first, at most `limit`. */
enum result edge_list_orders(struct edge *edge, const char *customer, int limit,
                             const struct edge_position *behind, edge_order_fn *each, void *context,
                             struct err *err) WARN_UNUSED;

/* The order's facts as they came, each a whole CloudEvent. */
typedef void edge_fact_fn(void *context, const char *cloudevent, size_t size);
enum result edge_timeline(struct edge *edge, const char *customer, const char *order_id,
                          edge_fact_fn *each, void *context, struct err *err) WARN_UNUSED;

struct edge_product {
    char sku[SKU_SIZE];
    char name[NAME_SIZE];
    int64_t unit_price;
    char currency[CURRENCY_SIZE];
    int64_t available;
};
typedef void edge_product_fn(void *context, const struct edge_product *product);
enum result edge_products(struct edge *edge, edge_product_fn *each, void *context,
                          struct err *err) WARN_UNUSED;

/* Calls back once: when the order has settled and a query says so, or when `until_mono_ms` has
 * come; at once when it has settled already. RETRY: too many wait. The caller asks edge_get_order
 * what has become of it. */
typedef void edge_settled_fn(void *context);
enum result edge_wait(struct edge *edge, const char *customer, const char *order_id,
                      int64_t until_mono_ms, edge_settled_fn *settled, void *context,
                      struct err *err) WARN_UNUSED;

/* What became of a command. */
struct edge_fate {
    char command_id[UUID_SIZE];
    char type[TYPE_SIZE];
    char about[ABOUT_SIZE]; /* an order id or a SKU */
    char status[WORD_SIZE]; /* accepted done refused */
    char reason[WORD_SIZE]; /* why it was refused, else "" */
};
enum { EDGE_PLACES_TRIED = 200 };
/* `owner` is the customer whose command it is, "" for administrators. NOT_FOUND: not there, another's,
 * or too long ago: the last FATES_KEPT (read_model.h) are kept, and of commands that placed an order
 * those of the customer's newest EDGE_PLACES_TRIED orders. */
enum result edge_get_command(struct edge *edge, const char *owner, const char *command_id,
                             struct edge_fate *ret_fate, struct err *err) WARN_UNUSED;
/* As edge_wait, for a command that has been accepted: until its fate is known. */
enum result edge_wait_command(struct edge *edge, const char *owner, const char *command_id,
                              int64_t until_mono_ms, edge_settled_fn *settled, void *context,
                              struct err *err) WARN_UNUSED;

/* Running */

enum edge_phase {
    EDGE_PHASE_PUMP,   /* hear from the bus: fates are answered, facts queue up */
    EDGE_PHASE_BEGIN,  /* take the read model's write lock for a batch of facts */
    EDGE_PHASE_APPLY,  /* fold them in, the stream offset too */
    EDGE_PHASE_COMMIT, /* now readers see them; waiters are called */
    EDGE_PHASE_ACK,    /* give the stream credit */
    EDGE_PHASE_EXPIRE, /* deadlines of publishes and waiters, age of accepted orders */
    EDGE_PHASE_COUNT
};
const char *edge_phase_name(enum edge_phase phase);

/* Runs the phase whose turn it is and says which it was. Never blocks. */
enum edge_phase edge_step(struct edge *edge);
/* One whole round: steps up to and including the next EDGE_PHASE_EXPIRE. */
void edge_round(struct edge *edge);
/* Monotonic time until which nothing is to do unless edge_bus_fd or edge_log_fd becomes readable; 0:
 * go on. */
int64_t edge_deadline_ms(struct edge *edge);
int edge_bus_fd(struct edge *edge);
int edge_log_fd(struct edge *edge);

/* From now on commands are refused. */
void edge_drain(struct edge *edge);
/* Whether a draining edge has answered all that was in flight. */
bool edge_drained(const struct edge *edge);
/* Answers everything in flight as unknown and calls every waiter: before the bus goes. */
void edge_abandon(struct edge *edge);

/* So begins the reason of an edge that cannot become ready by itself: the log was cut before it had
 * read it, and facts are missing in its read model. It takes commands all the same. */
#define EDGE_LOG_CUT "log: cut"

/* What can stand still while everything else looks well: as common/messaging/service.h has it, of the
 * read model's transaction, the facts received and the commands published. */
enum edge_stall { EDGE_STALL_BEGIN, EDGE_STALL_FACTS, EDGE_STALL_PUBLISHES, EDGE_STALLS };
const char *edge_stall_name(enum edge_stall stall);

struct edge_state {
    bool bus_up;
    bool log_up; /* the stream of facts is being read */
    bool blocked;
    char reason
        [128]; /* why not ready, "" when ready; begins with "log: " when only the log is away */
    size_t inflight, accepted_unread, waiters, backlog;
    int64_t stalled_ms[EDGE_STALLS]; /* how long each stands still; 0: it moves */
    int64_t oldest_ms;    /* age of the oldest fact received and not folded in; 0: none */
    int64_t next_offset;  /* in the stream; 0: nothing read yet */
    int64_t cut_at;       /* facts before this offset are missing; 0: none */
    int64_t last_fact_ms; /* epoch: of the last one folded in; 0: none since the start */
    uint64_t confirmed, returned, nacked, no_room, unknown, key_reused, reconnects;
    uint64_t commands_done, commands_refused; /* of this edge's, as far as heard */
    uint64_t facts, duplicates, held, ignored, poison, rollbacks, batches;
};
void edge_state(const struct edge *edge, struct edge_state *ret_state);

struct edge_numbers {
    struct histogram batch;  /* facts of one transaction */
    struct histogram commit; /* us */
    struct histogram lag;    /* us: from the time of a batch's last fact to its commit */
};
/* Lives as long as the edge. */
const struct edge_numbers *edge_numbers(const struct edge *edge);

/* SHA-256 over what readers can see, offsets excluded: equal for equal logs (promise 7). */
enum result edge_read_model_hash(struct store *store, char hex[65], struct err *err) WARN_UNUSED;
/* The offset of the message that this read model wants next; 0: it has read nothing. */
enum result edge_read_model_offset(struct store *store, int64_t *ret_next,
                                   struct err *err) WARN_UNUSED;

/* A read model made from the log alone, without an edge, for whoever compares. */
struct edge_rebuild;
/* Into an empty store, borrowed. The result is the caller's: edge_rebuild_free. */
enum result edge_rebuild_new(struct store *store, struct edge_rebuild **ret_rebuild,
                             struct err *err) WARN_UNUSED;
/* Takes NULL. */
void edge_rebuild_free(struct edge_rebuild *rebuild);
/* The log's next message; `key` is its routing key. */
enum result edge_rebuild_take(struct edge_rebuild *rebuild, const char *key, const char *body,
                              size_t size, struct err *err) WARN_UNUSED;
/* Of what the messages taken so far make. */
enum result edge_rebuild_hash(struct edge_rebuild *rebuild, char hex[65],
                              struct err *err) WARN_UNUSED;

#endif
