/* What the audit has read, gathered by what it is about; filled by evidence_*.c, judged by
 * judge_*.c. Inside this room only. */
#ifndef WARREN_AUDIT_EVIDENCE_H
#define WARREN_AUDIT_EVIDENCE_H

#include <cjson/cJSON.h>

#include "common/audit/audit.h"
#include "common/audit/map.h"

/* A payload, in short: two are the same exactly if their digests are. */
struct digest {
    uint8_t bytes[16];
};

struct order_fact { /* a row of order_event */
    int64_t version;
    int64_t at_ms;
    const char *type, *reason; /* from evidence_word */
    char id[40];
    struct digest digest;
    bool contradicts; /* what the first fact said of customer, currency, total or lines */
};

/* One line of an order: the texts are from evidence_word. */
struct order_item {
    const char *sku, *name;
    int64_t quantity, unit_price, amount;
};

/* What an order is about, as its first fact and an edge's row of it say it. */
struct terms {
    const char *customer, *currency; /* from evidence_word */
    int64_t total;
    struct digest lines;
};

struct notice { /* a row of notification */
    int64_t version;
    int64_t at_ms;
    const char *kind, *state; /* from evidence_word */
    char id[40], customer[40];
};

/* The first entry of a kind in the provider's ledger. `what` is order, kind, amount, currency and
 * reference in one. */
struct entry {
    const char *currency; /* from evidence_word */
    struct digest what, reference;
};

/* What payment.captured or payment.refunded says of the ledger. */
struct money_fact {
    int64_t sequence; /* 0: there is none */
    struct digest what;
};

struct order_case { /* all that is known about one order */
    char id[40];
    struct order_fact *facts; /* by version */
    size_t fact_count, fact_capacity;
    struct terms terms;
    char request_hash[72];
    int64_t deadline_ms;
    struct order_item *lines;
    size_t line_count;
    unsigned shown_by; /* a bit for each edge that shows it */

    struct notice *notices;
    size_t notice_count, notice_capacity;

    struct {
        bool there;
        char state[16], outcome_fact[40], refund_fact[40];
        int64_t amount, updated_ms;
        const char *currency; /* from evidence_word */
        struct digest reference;
    } payment;

    struct {
        int64_t captures, declines, voids, refunds, captured, refunded, last_ms;
        bool refund_first; /* an entry before any capture's */
        struct entry capture, refund;
    } ledger;
    struct money_fact captured, refunded;
};

/* One order as one edge shows it. */
struct shown {
    struct order_case *order;
    size_t edge;
    int64_t version, placed_ms, updated_ms;
    const char *status, *reason; /* from evidence_word */
    struct terms terms;
    struct digest request_hash;
};

/* One product as one edge shows it. */
struct shown_product {
    size_t edge;
    const char *sku, *name, *currency;   /* from evidence_word */
    int64_t unit_price, available, read; /* read: the last of its facts */
    bool listed;
};

/* A fact that an edge keeps back until the one before it comes. */
struct held_fact {
    size_t edge;
    char subject[72];
    int64_t sequence, time_ms;
};

/* A product.listed or stock.changed of the stream. */
struct told {
    int64_t sequence, time_ms;
    const char *name, *currency; /* NULL: stock.changed; else from evidence_word */
    int64_t unit_price, revision;
    int64_t available, reserved, sold;
};

struct told_case { /* all that was told of one product, by sequence */
    struct told *facts;
    size_t count, capacity;
};

/* A message in some service's quarantine. */
struct quarantined {
    const char *service, *type; /* the type "" : no envelope */
    char id[40], subject[72], reason[160];
};

struct stream_fact { /* the first occurrence of one (source, subject, sequence) */
    char id[40];
    const char *type, *source, *subject; /* from evidence_word; the subject: its series' */
    int64_t sequence, time_ms;
    int64_t order_version; /* of notification.sent */
    struct digest digest;
    char *data; /* JSON; kept of command.refused alone */
    bool known; /* a store has it */
};

struct series { /* one (source, subject) on the stream */
    const char *source;
    char subject[72];
    int64_t highest, last_ms;
    int64_t count, from, to; /* of those that the log must have without a gap */
};

struct product_case {
    int64_t adjusted, available, reserved, sold, sequence;
    int64_t put_in; /* the sum of its adjustments */
    int64_t folded_reserved, folded_sold;
    const char *name, *currency; /* from evidence_word */
    int64_t unit_price, revision, told_ms;
    bool untold; /* the stock has moved since it was told */
    bool there;
};

struct request_case { /* one (customer, key) of the history, and what was answered */
    char order_id[40];
    size_t ok, refused, unknown;
    char hashes[4][72]; /* different ok bodies */
    size_t hash_count;
    bool ids_differ;
};

struct evidence {
    const struct audit_options *options;
    struct audit_report *report;
    struct map orders;   /* order_case by order id */
    struct map products; /* product_case by SKU */
    struct map stream;   /* stream_fact by source, subject, sequence */
    struct map ids;      /* struct stream_fact * by fact id */
    struct map series;   /* series by source, subject */
    struct map told;     /* told_case by SKU */
    struct map listings; /* bool by what a product.listed said */
    struct map unsent;   /* bool: outbox rows of every store, by message id */
    struct map requests; /* request_case by customer, key */
    struct map words;    /* types, sources, states: few, and each kept once */
    struct shown *shown;
    size_t shown_count, shown_capacity;
    struct shown_product *shown_products;
    size_t shown_product_count, shown_product_capacity;
    struct held_fact *held;
    size_t held_count, held_capacity;
    struct {
        const char *name;
        bool serving;
    } edges[AUDIT_EDGES_MAX];
    size_t edge_count;
    struct quarantined *quarantine;
    size_t quarantine_count, quarantine_capacity;
    bool log_read, log_cut;
    int64_t strangers; /* of its messages: not ours, and not judged */
    int64_t
        log_begins_ms; /* what its first message of ours says; facts older than this may have left a
                              cut log */
    size_t lost_series; /* whose beginning went with a lost log */
    size_t handled;     /* inbox rows */
};

void evidence_init(struct evidence *e, const struct audit_options *options,
                   struct audit_report *report);
void evidence_release(struct evidence *e);
enum result evidence_read_log(struct evidence *e, const struct audit_log *log, struct err *err);
enum result evidence_read_order(struct evidence *e, struct store *store, struct err *err);
enum result evidence_read_payment(struct evidence *e, struct store *store, struct err *err);
enum result evidence_read_ledger(struct evidence *e, struct store *store, struct err *err);
enum result evidence_read_notification(struct evidence *e, struct store *store, struct err *err);
enum result evidence_read_edge(struct evidence *e, const struct audit_edge *edge, struct err *err);
/* inbox, outbox, jobs, deferred, quarantine; judges promise 6 on the way. */
enum result evidence_read_loop(struct evidence *e, const char *service, struct store *store,
                               struct err *err);
enum result evidence_read_history(struct evidence *e, FILE *history, struct err *err);

/* The same text, for as long as the evidence lives, and each text once. */
const char *evidence_word(struct evidence *e, const char *text);
/* Of the JSON in a form of its own, spaces aside. */
struct digest evidence_digest(const cJSON *json);
struct digest evidence_text_digest(const char *text);
/* An entry of the ledger, or what a fact says of it. */
struct digest evidence_entry_digest(const char *order_id, const char *kind, int64_t amount,
                                    const char *currency, const char *reference);
/* Of the lines of an order as everybody must show them; `lines` may be NULL. */
struct digest evidence_lines_digest(const cJSON *lines);
/* The case of this order, made when it is not known yet. */
struct order_case *evidence_order(struct evidence *e, const char *id);
/* "" and 0 for what is not there. */
const char *evidence_member_text(const cJSON *json, const char *name);
int64_t evidence_member_int(const cJSON *json, const char *name);
/* What a fact of the stream says that is judged later: products and money. */
void evidence_told(struct evidence *e, const char *type, const char *subject, int64_t sequence,
                   int64_t time_ms, const cJSON *payload);
/* Once the stream has been read: puts what was told in order. */
void evidence_told_done(struct evidence *e);

/* What a product was like behind the fact of this number, as far as the facts before it say so
 * without a gap. */
struct told_state {
    const struct told *listing, *stock; /* NULL: they do not say */
    bool whole;                         /* they say all that there was */
};
void told_until(const struct told_case *told, int64_t sequence, struct told_state *ret_state);
/* NULL is nothing told. */
int64_t told_last(const struct told_case *told);
bool told_whole(const struct told_case *told);
/* Messages of the log that are not a stranger's. */
int64_t evidence_log_count(const struct evidence *e);
/* Whether each fact of this type is in a store too. */
bool evidence_type_is_stored(const char *type);
/* Whether somebody listed it so; `currency` "": in any. */
bool evidence_listed(const struct evidence *e, const char *sku, const char *name,
                     int64_t unit_price, const char *currency);
/* Room for one more element; aborts without memory. */
void *evidence_grow(void *list, size_t count, size_t *capacity, size_t size);

/* Whether something from then ought to be complete by now; if not, it is pending. */
bool evidence_due(struct evidence *e, int64_t at_ms);
/* Whether facts of that time may be missing from the log: it was cut, or it was given up. */
bool evidence_log_may_lack(const struct evidence *e, int64_t at_ms);
/* Once judge_stream has run: the log begins after what it lacks. That is one finding, and what would
 * follow from it is none. */
bool evidence_log_is_another(const struct evidence *e);
void checked(struct evidence *e, int promise);
void violated(struct evidence *e, int promise, const char *format, ...) PRINTF_LIKE(3, 4);
/* What a reader of the report should know, and what breaks no promise. */
void noted(struct evidence *e, const char *format, ...) PRINTF_LIKE(2, 3);
/* The last fact's type without "order.", "" for an order without facts. */
const char *order_state(const struct order_case *order);
bool order_settled(const struct order_case *order);
const struct order_fact *order_last(const struct order_case *order);

void judge_paths(struct evidence *e);      /* 5, within the order store */
void judge_life(struct evidence *e);       /* 1 */
void judge_requests(struct evidence *e);   /* 2 */
void judge_money(struct evidence *e);      /* 3: the provider's ledger, payments, totals */
void judge_prices(struct evidence *e);     /* 3: sums, and prices that somebody listed */
void judge_stock(struct evidence *e);      /* 3 */
void judge_notices(struct evidence *e);    /* 4 */
void judge_stream(struct evidence *e);     /* 5, stream against stores */
void judge_catalogue(struct evidence *e);  /* 5, products against what was told of them */
void judge_edges(struct evidence *e);      /* 5 and 8, read models against the order store */
void judge_quarantine(struct evidence *e); /* 1 and 6 */

#endif
