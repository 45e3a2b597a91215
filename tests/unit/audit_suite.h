/* A suite's stores, log and read model made by hand: clean, until a test damages them. */
#ifndef WARREN_TESTS_UNIT_AUDIT_SUITE_H
#define WARREN_TESTS_UNIT_AUDIT_SUITE_H

#include <stdio.h>

#include "common/audit/audit.h"

enum { ORDER_DB, PAYMENT_DB, NOTIFICATION_DB, LEDGER_DB, EDGE_DB, DB_COUNT };
enum { NOW_MS = 1000000, GRACE_MS = 60000, FACTS_MAX = 32, CLEAN_FACTS = 16 };

/* Order A was bought; order B was bought, cancelled and refunded; order C was rejected. */
#define A "00000000-0000-7000-8000-00000000000a"
#define B "00000000-0000-7000-8000-00000000000b"
#define C "00000000-0000-7000-8000-00000000000c"
#define ID(n) "00000000-0000-7000-8000-0000000000" n
#define LINES                                                                                      \
    "[{\"sku\":\"TEA\",\"name\":\"Tea\",\"quantity\":2,\"unit_price\":250,\"amount\":500}]"
#define TERMS(rest)                                                                                \
    "{\"customer\":\"k\",\"currency\":\"EUR\",\"lines\":" LINES                                    \
    ",\"total\":500,\"request_hash\":\"h\"," rest "}"
#define PLACED TERMS("\"deadline_ms\":2000")
#define REJECTED TERMS("\"reason\":\"out-of-stock\"")
#define ENDED "{\"customer\":\"k\",\"total\":500}"

#define MONEY(amount, currency, reference)                                                         \
    "{\"amount\":" amount ",\"currency\":\"" currency "\",\"provider_reference\":\"" reference "\"}"
#define LISTED(name, price, currency, revision)                                                    \
    "{\"name\":\"" name "\",\"unit_price\":" price ",\"currency\":\"" currency                     \
    "\",\"revision\":" revision "}"
#define STOCK(available, reserved, sold)                                                           \
    "{\"available\":" available ",\"reserved\":" reserved ",\"sold\":" sold "}"
#define PUT_ASIDE                                                                                  \
    "{\"specversion\":\"1.0\",\"id\":\"" ID(                                                       \
        "77") "\",\"source\":\"/edge-service\","                                                   \
              "\"type\":\"order.place\",\"subject\":\"" ID(                                        \
                  "76") "\","                                                                      \
                        "\"time\":\"1970-01-01T00:00:01.000Z\",\"datacontenttype\":\"application/" \
                        "json\",\"data\":{}}"

struct fact {
    const char *id, *source, *type, *subject, *sequence, *data; /* the sequence NULL: none */
};

struct log {
    struct fact facts[FACTS_MAX];
    size_t count, next;
    int64_t begins; /* the first offset; 0: it was never cut */
    struct buf body;
    const char *times[FACTS_MAX];  /* NULL: a second after the epoch */
    const char *keys[FACTS_MAX];   /* NULL: the type */
    const char *bodies[FACTS_MAX]; /* instead of all else; NULL: none */
};

struct suite {
    struct store *stores[DB_COUNT];
    struct log log;
    FILE *history;
    bool edge_stopped;
    int64_t log_given_up_ms, quarantined, dead_letters;
    const char *const *amiss;
    size_t amiss_count;
};
void suite_open(struct suite *suite);
void suite_close(struct suite *suite);
/* `owner` names the step: once a store and name. */
void run_sql(struct store *store, const char *owner, const char *sql);
void suite_history(struct suite *suite, const char *lines);
/* Reads the log from its beginning. */
void suite_audit(struct suite *suite, enum audit_moment moment, int64_t now_ms,
                 struct audit_report *report);
void show(const struct audit_report *report);
/* This promise and no other; 0: none. */
bool only_broken(const struct audit_report *report, int promise);
/* Whether one of the texts holds these words. */
bool says(char *const *texts, size_t count, const char *words);
bool notes(const struct audit_report *report, const char *words);

#endif
