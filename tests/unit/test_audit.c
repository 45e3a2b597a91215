/* The judge, judged: a clean suite, and the same with exactly one defect each, which must break
 * exactly the promise named (and no other). */
#include <string.h>

#include "common/audit/audit.h"
#include "common/base/buf.h"
#include "tests/unit/unit.h"

enum { ORDER_DB, PAYMENT_DB, NOTIFICATION_DB, LEDGER_DB, DB_COUNT };
enum { NOW_MS = 1000000, GRACE_MS = 60000, FACTS_MAX = 16 };

static const char *const names[DB_COUNT] = {"memdb:/audit-order", "memdb:/audit-payment",
                                            "memdb:/audit-notification", "memdb:/audit-ledger"};

#define LOOP_TABLES                                                                                \
    "CREATE TABLE inbox(message_id TEXT PRIMARY KEY);"                                             \
    "CREATE TABLE outbox(message_id TEXT, type TEXT, since_ms INTEGER);"                           \
    "CREATE TABLE job(kind TEXT, key TEXT, due_ms INTEGER);"                                       \
    "CREATE TABLE deferred(message_id TEXT, due_ms INTEGER, reason TEXT);"                         \
    "CREATE TABLE quarantine(message_id TEXT);"                                                    \
    "INSERT INTO inbox VALUES('m1');"

/* Order A was bought; order B was bought, cancelled and refunded; order C was rejected. */
#define A "00000000-0000-7000-8000-00000000000a"
#define B "00000000-0000-7000-8000-00000000000b"
#define C "00000000-0000-7000-8000-00000000000c"
#define ID(n) "00000000-0000-7000-8000-0000000000" n
#define TERMS(rest)                                                                                \
    "{\"customer\":\"k\",\"currency\":\"EUR\",\"lines\":[{\"sku\":\"TEA\",\"quantity\":2}],"       \
    "\"total\":500,\"request_hash\":\"h\"," rest "}"
#define PLACED TERMS("\"deadline_ms\":2000")
#define REJECTED TERMS("\"reason\":\"out-of-stock\"")
#define ENDED "{\"customer\":\"k\",\"total\":500}"

static const char *const schemas[DB_COUNT] = {
    [ORDER_DB] = LOOP_TABLES
    "CREATE TABLE order_event(order_id TEXT, version INTEGER, type TEXT, fact_id TEXT,"
    " at_ms INTEGER, data TEXT);"
    "CREATE TABLE product(sku TEXT, sequence INTEGER, adjusted INTEGER, available INTEGER,"
    " reserved INTEGER, sold INTEGER);"
    "INSERT INTO product VALUES('TEA', 1, 10, 8, 0, 2);"
    "CREATE TABLE stock_adjustment(command_id TEXT, sku TEXT, delta INTEGER);"
    "INSERT INTO stock_adjustment VALUES('before', 'TEA', 7), ('s1', 'TEA', 3);"
    "INSERT INTO order_event VALUES"
    "('" A "', 1, 'order.placed', '" ID(
        "a1") "', 1000, '" PLACED "'),"
              "('" A "', 2, 'order.confirmed', '" ID(
                  "a2") "', 1000, '" ENDED "'),"
                        "('" B "', 1, 'order.placed', '" ID(
                            "b1") "', 1000, '" PLACED "'),"
                                  "('" B "', 2, 'order.confirmed', '" ID(
                                      "b2") "', 1000, '" ENDED "'),"
                                            "('" B "', 3, 'order.cancelled', '" ID(
                                                "b3") "', 1000, '" ENDED "'),"
                                                      "('" C "', 1, 'order.rejected', '" ID(
                                                          "c1") "', 1000, '" REJECTED "')",
    [PAYMENT_DB] = LOOP_TABLES
    "CREATE TABLE payment(order_id TEXT, state TEXT, amount INTEGER, outcome_fact_id TEXT,"
    " refund_fact_id TEXT, updated_ms INTEGER);"
    "INSERT INTO payment VALUES('" A
    "', 'captured', 500, '" ID("d1") "', NULL, 1000),"
                                     "('" B
                                     "', 'refunded', 500, '" ID("d2") "', '" ID("d3") "', 1000)",
    [NOTIFICATION_DB] = LOOP_TABLES
    "CREATE TABLE notification(order_id TEXT, order_version INTEGER, customer TEXT, kind TEXT,"
    " state TEXT, fact_id TEXT, at_ms INTEGER);"
    "INSERT INTO notification VALUES('" A "', 2, 'k', 'confirmed', 'sent', '" ID(
        "e1") "', 1000),"
              "('" B "', 2, 'k', 'confirmed', 'sent', '" ID(
                  "e2") "', 1000),"
                        "('" B "', 3, 'k', 'cancelled', 'sent', '" ID(
                            "e3") "', 1000),"
                                  "('" C "', 1, 'k', 'rejected', 'sent', '" ID("e4") "', 1000)",
    [LEDGER_DB] =
        "CREATE TABLE ledger(entry INTEGER PRIMARY KEY, order_id TEXT, kind TEXT, amount INTEGER,"
        " at_ms INTEGER);"
        "INSERT INTO ledger VALUES(1, '" A "', 'capture', 500, 1000),"
        "(2, '" B "', 'capture', 500, 1000), (3, '" B "', 'refund', 500, 1000)",
};

struct fact {
    const char *id, *source, *type, *subject, *sequence, *data;
};

static const struct fact clean_log[] = {
    {ID("a1"), "/order-service", "order.placed", A, "1", PLACED},
    {ID("a2"), "/order-service", "order.confirmed", A, "2", ENDED},
    {ID("b1"), "/order-service", "order.placed", B, "1", PLACED},
    {ID("b2"), "/order-service", "order.confirmed", B, "2", ENDED},
    {ID("b2"), "/order-service", "order.confirmed", B, "2", ENDED}, /* twice, as is allowed */
    {ID("b3"), "/order-service", "order.cancelled", B, "3", ENDED},
    {ID("c1"), "/order-service", "order.rejected", C, "1", REJECTED},
    {ID("d1"), "/payment-service", "payment.captured", A, "1", "{}"},
    {ID("d2"), "/payment-service", "payment.captured", B, "1", "{}"},
    {ID("d3"), "/payment-service", "payment.refunded", B, "2", "{}"},
    {ID("e1"), "/notification-service", "notification.sent", A, "1", "{\"order_version\":2}"},
    {ID("e2"), "/notification-service", "notification.sent", B, "1", "{\"order_version\":2}"},
    {ID("e3"), "/notification-service", "notification.sent", B, "2", "{\"order_version\":3}"},
    {ID("e4"), "/notification-service", "notification.sent", C, "1", "{\"order_version\":1}"},
    {ID("f1"), "/order-service", "stock.changed", "TEA", "1", "{}"},
};
enum { CLEAN_FACTS = sizeof clean_log / sizeof clean_log[0] };

struct log {
    struct fact facts[FACTS_MAX];
    size_t count, next;
    struct buf body;
};

static enum result next_fact(void *context, int64_t *ret_offset, const char **ret_body,
                             size_t *ret_size, struct err *err)
{
    struct log *log = context;
    (void)err;
    if (log->next == log->count)
        return NOT_FOUND;
    const struct fact *fact = &log->facts[log->next];
    buf_clear(&log->body);
    buf_printf(&log->body,
               "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"%s\",\"type\":\"%s\","
               "\"subject\":\"%s\",\"time\":\"1970-01-01T00:00:01.000Z\",\"sequence\":\"%s\","
               "\"datacontenttype\":\"application/json\",\"data\":%s}",
               fact->id, fact->source, fact->type, fact->subject, fact->sequence, fact->data);
    *ret_offset = (int64_t)log->next++;
    *ret_body = log->body.data;
    *ret_size = log->body.size;
    return OK;
}

struct suite {
    struct store *stores[DB_COUNT];
    struct log log;
    FILE *history;
};

static void run_sql(struct store *store, const char *owner, const char *sql)
{
    struct err err = {0};
    CU_ASSERT_EQUAL(store_migrate(store, owner, &(struct migration){1, sql}, 1, &err), OK);
    if (err.text[0])
        printf("%s\n", err.text);
}

static void suite_open(struct suite *suite)
{
    *suite = (struct suite){0};
    for (int i = 0; i < DB_COUNT; i++) {
        CU_ASSERT_EQUAL_FATAL(
            store_open_sqlite(names[i], STORE_DISPOSABLE, &suite->stores[i], NULL), OK);
        run_sql(suite->stores[i], "clean", schemas[i]);
    }
    memcpy(suite->log.facts, clean_log, sizeof clean_log);
    suite->log.count = CLEAN_FACTS;
}

static void suite_close(struct suite *suite)
{
    for (int i = 0; i < DB_COUNT; i++)
        store_free(suite->stores[i]);
    buf_release(&suite->log.body);
    if (suite->history)
        fclose(suite->history);
}

static void suite_history(struct suite *suite, const char *lines)
{
    suite->history = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(suite->history);
    fputs(lines, suite->history);
    rewind(suite->history);
}

static void suite_audit(struct suite *suite, enum audit_moment moment, int64_t now_ms,
                        struct audit_report *report)
{
    struct audit_log log = {next_fact, &suite->log};
    struct audit_sources sources = {.order = suite->stores[ORDER_DB],
                                    .payment = suite->stores[PAYMENT_DB],
                                    .notification = suite->stores[NOTIFICATION_DB],
                                    .ledger = suite->stores[LEDGER_DB],
                                    .log = &log,
                                    .history = suite->history};
    struct audit_options options = {
        .moment = moment, .now_ms = now_ms, .grace_ms = GRACE_MS, .history_age_ms = GRACE_MS};
    audit_run(&sources, &options, report);
}

static void show(const struct audit_report *report)
{
    struct buf text = {0};
    audit_print(report, &text);
    printf("%s", text.data);
    buf_release(&text);
}

static void test_clean(void)
{
    struct suite suite;
    struct audit_report report;
    suite_open(&suite);
    suite_history(&suite,
                  "{\"op\":\"place\",\"key\":\"1\",\"order_id\":\"" A "\",\"result\":\"unknown\"}\n"
                  "{\"op\":\"place\",\"key\":\"1\",\"order_id\":\"" A
                  "\",\"result\":\"ok\",\"request_hash\":\"h\"}\n"
                  "{\"op\":\"place\",\"key\":\"2\",\"order_id\":\"gone\","
                  "\"result\":\"refused\"}\n");
    suite_audit(&suite, AUDIT_FINAL, NOW_MS, &report);
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "clean");
    for (int p = 0; p < AUDIT_PROMISES; p++)
        CU_ASSERT_EQUAL(audit_promise_verdict(&report.promises[p]), AUDIT_HELD);
    if (strcmp(audit_verdict(&report), "clean") != 0)
        show(&report);
    CU_ASSERT_EQUAL(report.counts.orders, 3);
    CU_ASSERT_EQUAL(report.counts.stream, CLEAN_FACTS);
    CU_ASSERT_EQUAL(report.captured - report.refunded, report.revenue);
    CU_ASSERT_EQUAL(report.pending, 0);
    audit_report_release(&report);
    suite_close(&suite);
}

/* What is wrong with one suite. */
struct defect {
    const char *name;
    int promise;
    int db; /* where `sql` goes */
    const char *sql;
    int lose; /* the fact in the log that is missing, counted from 1 */
    struct fact add;
    const char *history;
};

#define HISTORY(key, id, result, hash)                                                             \
    "{\"op\":\"place\",\"key\":\"" key "\",\"order_id\":\"" id "\",\"result\":\"" result           \
    "\",\"request_hash\":\"" hash "\"}\n"

static const struct defect defects[] = {
    {.name = "an accepted order is lost", .promise = 1, .history = HISTORY("9", "lost", "ok", "h")},
    {.name = "an order was refused and exists",
     .promise = 2,
     .history = HISTORY("1", A, "refused", "h")},
    {.name = "one key, two orders",
     .promise = 2,
     .history = HISTORY("1", A, "ok", "h") HISTORY("1", B, "ok", "h")},
    {.name = "the wrong body won", .promise = 2, .history = HISTORY("1", A, "ok", "other")},
    {.name = "another body was accepted in silence",
     .promise = 2,
     .history = HISTORY("1", A, "ok", "h") HISTORY("1", A, "ok", "other")},
    {.name = "charged twice",
     .promise = 3,
     .db = LEDGER_DB,
     .sql = "INSERT INTO ledger VALUES(9, '" A "', 'capture', 500, 1000)"},
    {.name = "refunded twice",
     .promise = 3,
     .db = LEDGER_DB,
     .sql = "INSERT INTO ledger VALUES(9, '" B "', 'refund', 500, 1000)"},
    {.name = "the refund is missing",
     .promise = 3,
     .db = LEDGER_DB,
     .sql = "DELETE FROM ledger WHERE kind = 'refund'"},
    {.name = "a payment is stuck",
     .promise = 3,
     .db = PAYMENT_DB,
     .sql = "UPDATE payment SET state = 'refunding' WHERE state = 'refunded'"},
    {.name = "charged less",
     .promise = 3,
     .db = LEDGER_DB,
     .sql = "UPDATE ledger SET amount = 499 WHERE entry = 1"},
    {.name = "charged and voided",
     .promise = 3,
     .db = LEDGER_DB,
     .sql = "INSERT INTO ledger VALUES(9, '" A "', 'void', 0, 1000)"},
    {.name = "charged for a stranger",
     .promise = 3,
     .db = LEDGER_DB,
     .sql = "INSERT INTO ledger VALUES(9, 'nobody', 'capture', 500, 1000)"},
    {.name = "stock vanished",
     .promise = 3,
     .db = ORDER_DB,
     .sql = "UPDATE product SET available = 7"},
    {.name = "stock is still reserved",
     .promise = 3,
     .db = ORDER_DB,
     .sql = "UPDATE product SET available = 7, reserved = 1"},
    {.name = "sold too much",
     .promise = 3,
     .db = ORDER_DB,
     .sql =
         "UPDATE product SET adjusted = 1, available = -1; UPDATE stock_adjustment SET delta = 1 "
         "WHERE command_id = 's1'; DELETE FROM stock_adjustment WHERE command_id = 'before'"},
    {.name = "one adjustment made twice",
     .promise = 3,
     .db = ORDER_DB,
     .sql = "UPDATE product SET adjusted = 13, available = 11;"
            "INSERT INTO stock_adjustment VALUES('s1', 'TEA', 3)"},
    {.name = "stock that nobody has put in",
     .promise = 3,
     .db = ORDER_DB,
     .sql = "UPDATE product SET adjusted = 13, available = 11"},
    {.name = "a notification is missing",
     .promise = 4,
     .db = NOTIFICATION_DB,
     .lose = 14,
     .sql = "DELETE FROM notification WHERE order_id = '" C "'"},
    {.name = "a notification twice",
     .promise = 4,
     .db = NOTIFICATION_DB,
     .sql = "INSERT INTO notification SELECT * FROM notification WHERE order_id = '" C "'"},
    {.name = "a notification never sent",
     .promise = 4,
     .db = NOTIFICATION_DB,
     .sql = "UPDATE notification SET state = 'queued' WHERE order_id = '" C "'"},
    {.name = "a wrong notification",
     .promise = 4,
     .db = NOTIFICATION_DB,
     .sql = "UPDATE notification SET kind = 'expired' WHERE order_id = '" C "'"},
    {.name = "somebody else was told",
     .promise = 4,
     .db = NOTIFICATION_DB,
     .sql = "UPDATE notification SET customer = 'x' WHERE order_id = '" C "'"},
    {.name = "a stored fact never left", .promise = 5, .lose = 3},
    {.name = "a payment's fact never left", .promise = 5, .lose = 8},
    {.name = "a gap at the end of a product's facts",
     .promise = 5,
     .add = {ID("f3"), "/order-service", "stock.changed", "COFFEE", "2", "{}"}},
    {.name = "a fact from nowhere",
     .promise = 5,
     .add = {ID("99"), "/order-service", "order.placed", ID("98"), "1", PLACED}},
    {.name = "one place, two facts",
     .promise = 5,
     .add = {ID("99"), "/order-service", "order.confirmed", A, "2", ENDED}},
    {.name = "one fact, two contents",
     .promise = 5,
     .add = {ID("a2"), "/order-service", "order.confirmed", A, "2", "{}"}},
    {.name = "another content on the stream",
     .promise = 5,
     .db = ORDER_DB,
     .sql = "UPDATE order_event SET data = '{\"total\":501}' WHERE type = 'order.cancelled'"},
    {.name = "an illegal step",
     .promise = 5,
     .db = ORDER_DB,
     .sql = "UPDATE order_event SET type = 'order.closing' WHERE fact_id = '" ID("b2") "'"},
    {.name = "something unsent",
     .promise = 6,
     .db = ORDER_DB,
     .sql = "INSERT INTO outbox VALUES('x', 'order.placed', 1000)"},
    {.name = "a call never ended",
     .promise = 6,
     .db = PAYMENT_DB,
     .sql = "INSERT INTO job VALUES('capture', 'x', 1000)"},
    {.name = "something deferred for ever",
     .promise = 6,
     .db = NOTIFICATION_DB,
     .sql = "INSERT INTO deferred VALUES('x', 1000, 'why')"},
    {.name = "something in quarantine",
     .promise = 6,
     .db = ORDER_DB,
     .sql = "INSERT INTO quarantine VALUES('x')"},
};

static void inflict(struct suite *suite, const struct defect *defect)
{
    struct log *log = &suite->log;
    if (defect->sql)
        run_sql(suite->stores[defect->db], "defect", defect->sql);
    if (defect->lose) {
        memmove(&log->facts[defect->lose - 1], &log->facts[defect->lose],
                (log->count - (size_t)defect->lose) * sizeof log->facts[0]);
        log->count--;
    }
    if (defect->add.id)
        log->facts[log->count++] = defect->add;
    if (defect->history)
        suite_history(suite, defect->history);
}

static bool only_broken(const struct audit_report *report, int promise)
{
    for (int p = 1; p <= AUDIT_PROMISES; p++)
        if ((report->promises[p - 1].violations > 0) != (p == promise))
            return false;
    return true;
}

static void test_each_defect(void)
{
    for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++) {
        struct suite suite;
        struct audit_report report;
        suite_open(&suite);
        inflict(&suite, &defects[i]);
        suite_audit(&suite, AUDIT_RUNNING, NOW_MS, &report);
        /* An illegal step also changes what the order is: others may see that too. */
        bool right = strcmp(audit_verdict(&report), "violated") == 0 &&
                     (only_broken(&report, defects[i].promise) ||
                      strcmp(defects[i].name, "an illegal step") == 0);
        CU_ASSERT_TRUE(right);
        if (!right) {
            printf("defect: %s\n", defects[i].name);
            show(&report);
        }
        audit_report_release(&report);
        suite_close(&suite);
    }
}

/* The same things missing, but young: under way, not lost. */
static void test_young_is_pending(void)
{
    static const char *const missing[] = {"a stored fact never left", "something unsent",
                                          "a notification never sent", "a payment is stuck",
                                          "the refund is missing"};
    for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++) {
        bool wanted = false;
        for (size_t m = 0; m < sizeof missing / sizeof missing[0] - 1; m++)
            wanted = wanted || strcmp(defects[i].name, missing[m]) == 0;
        if (!wanted)
            continue;
        struct suite suite;
        struct audit_report report;
        suite_open(&suite);
        inflict(&suite, &defects[i]);
        suite_audit(&suite, AUDIT_RUNNING, 1000 + GRACE_MS - 1, &report);
        CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "clean");
        CU_ASSERT_TRUE(report.pending > 0);
        audit_report_release(&report);
        suite_close(&suite);
    }
}

static void test_nothing_is_not_clean(void)
{
    struct suite suite;
    struct audit_report report;
    suite_open(&suite);
    run_sql(suite.stores[ORDER_DB], "empty",
            "DELETE FROM order_event; DELETE FROM product; DELETE FROM stock_adjustment;"
            "DELETE FROM inbox");
    run_sql(suite.stores[PAYMENT_DB], "empty", "DELETE FROM payment; DELETE FROM inbox");
    run_sql(suite.stores[NOTIFICATION_DB], "empty", "DELETE FROM notification; DELETE FROM inbox");
    run_sql(suite.stores[LEDGER_DB], "empty", "DELETE FROM ledger");
    suite.log.count = 0;
    suite_audit(&suite, AUDIT_FINAL, NOW_MS, &report);
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "not checked");
    for (int p = 0; p < AUDIT_PROMISES; p++)
        CU_ASSERT_EQUAL(audit_promise_verdict(&report.promises[p]), AUDIT_NOT_CHECKED);
    audit_report_release(&report);
    suite_close(&suite);
}

static void test_unreadable(void)
{
    struct suite suite;
    struct audit_report report;
    suite_open(&suite);
    struct store *order = suite.stores[ORDER_DB];
    suite.stores[ORDER_DB] = NULL;
    suite_audit(&suite, AUDIT_FINAL, NOW_MS, &report);
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "unreadable");
    audit_report_release(&report);
    suite.stores[ORDER_DB] = order;
    run_sql(order, "torn", "DROP TABLE order_event");
    suite.log.next = 0;
    suite_audit(&suite, AUDIT_FINAL, NOW_MS, &report);
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "unreadable");
    CU_ASSERT_PTR_NOT_NULL(strstr(report.unreadable, "order store"));
    audit_report_release(&report);
    suite_close(&suite);
}

static void test_what_the_broker_lacks(void)
{
    static const char *const amiss[] = {"binding a -> b is missing", "queue c is missing"};
    struct suite suite;
    struct audit_report report;
    suite_open(&suite);
    struct audit_log log = {next_fact, &suite.log};
    struct audit_sources sources = {.order = suite.stores[ORDER_DB],
                                    .payment = suite.stores[PAYMENT_DB],
                                    .notification = suite.stores[NOTIFICATION_DB],
                                    .ledger = suite.stores[LEDGER_DB],
                                    .log = &log};
    const struct audit_options options = {.moment = AUDIT_FINAL,
                                          .now_ms = NOW_MS,
                                          .quarantined = -1,
                                          .amiss = amiss,
                                          .amiss_count = 2};
    audit_run(&sources, &options, &report);
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "violated");
    CU_ASSERT_EQUAL_FATAL(report.promises[5].violations, 2);
    CU_ASSERT_STRING_EQUAL(report.promises[5].texts[0], "broker: binding a -> b is missing");
    audit_report_release(&report);
    suite_close(&suite);
}

static void test_json(void)
{
    struct suite suite;
    struct audit_report report;
    struct buf text = {0};
    suite_open(&suite);
    inflict(&suite, &defects[5]);
    suite_audit(&suite, AUDIT_FINAL, NOW_MS, &report);
    audit_print_json(&report, &text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "{\"verdict\":\"violated\",\"promises\":["));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "{\"number\":3,\"verdict\":\"violated\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "was charged 2 times"));
    buf_release(&text);
    audit_report_release(&report);
    suite_close(&suite);
}

static const struct unit_case cases[] = {
    {"a clean suite", test_clean},
    {"each defect breaks its promise", test_each_defect},
    {"what is young is pending", test_young_is_pending},
    {"nothing is not clean", test_nothing_is_not_clean},
    {"unreadable", test_unreadable},
    {"what the broker lacks", test_what_the_broker_lacks},
    {"json", test_json},
};
UNIT_MAIN("audit", cases)
