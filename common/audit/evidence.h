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
    const char *type; /* from evidence_word */
    char id[40];
    struct digest digest;
};

struct order_item {
    char sku[40];
    int64_t quantity;
};

struct notice { /* a row of notification */
    int64_t version;
    int64_t at_ms;
    const char *kind, *state; /* from evidence_word */
    char id[40], customer[40];
};

struct order_case { /* all that is known about one order */
    char id[40];
    struct order_fact *facts; /* by version */
    size_t fact_count, fact_capacity;
    char customer[40], currency[8], request_hash[72];
    int64_t total, deadline_ms;
    struct order_item *lines;
    size_t line_count;

    struct notice *notices;
    size_t notice_count, notice_capacity;

    struct {
        bool there;
        char state[16], outcome_fact[40], refund_fact[40];
        int64_t amount, updated_ms;
    } payment;

    struct {
        int64_t captures, declines, voids, refunds, captured, refunded, last_ms;
    } ledger;
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
    int64_t count, lowest, highest, last_ms;
};

struct product_case {
    int64_t adjusted, available, reserved, sold, sequence;
    int64_t put_in; /* the sum of its adjustments */
    int64_t folded_reserved, folded_sold;
    bool there;
};

struct unsent {
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
    struct map unsent;   /* outbox rows of every store, by message id */
    struct map requests; /* request_case by customer, key */
    struct map words;    /* types, sources, states: few, and each kept once */
    bool log_read, log_cut;
    int64_t log_begins_ms; /* facts older than this may have left a cut log */
    size_t handled;        /* inbox rows */
};

void evidence_init(struct evidence *e, const struct audit_options *options,
                   struct audit_report *report);
void evidence_release(struct evidence *e);
enum result evidence_read_log(struct evidence *e, const struct audit_log *log, struct err *err);
enum result evidence_read_order(struct evidence *e, struct store *store, struct err *err);
enum result evidence_read_payment(struct evidence *e, struct store *store, struct err *err);
enum result evidence_read_ledger(struct evidence *e, struct store *store, struct err *err);
enum result evidence_read_notification(struct evidence *e, struct store *store, struct err *err);
/* inbox, outbox, jobs, deferred, quarantine; judges promise 6 on the way. */
enum result evidence_read_loop(struct evidence *e, const char *service, struct store *store,
                               struct err *err);
enum result evidence_read_history(struct evidence *e, FILE *history, struct err *err);

/* The same text, for as long as the evidence lives, and each text once. */
const char *evidence_word(struct evidence *e, const char *text);
/* Of the JSON in a form of its own, spaces aside. */
struct digest evidence_digest(const cJSON *json);
/* Room for one more element; aborts without memory. */
void *evidence_grow(void *list, size_t count, size_t *capacity, size_t size);

/* Whether something from then ought to be complete by now; if not, it is pending. */
bool evidence_due(struct evidence *e, int64_t at_ms);
void checked(struct evidence *e, int promise);
void violated(struct evidence *e, int promise, const char *format, ...) PRINTF_LIKE(3, 4);
/* The last fact's type without "order.", "" for an order without facts. */
const char *order_state(const struct order_case *order);
bool order_settled(const struct order_case *order);
const struct order_fact *order_last(const struct order_case *order);

void judge_paths(struct evidence *e);    /* 5, within the order store */
void judge_life(struct evidence *e);     /* 1 */
void judge_requests(struct evidence *e); /* 2 */
void judge_money(struct evidence *e);    /* 3 */
void judge_stock(struct evidence *e);    /* 3 */
void judge_notices(struct evidence *e);  /* 4 */
void judge_stream(struct evidence *e);   /* 5, stream against stores */

#endif
