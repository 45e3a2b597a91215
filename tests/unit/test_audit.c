/* The judge, judged: a clean suite, and the same with exactly one defect each, which must break
 * exactly the promise named (and no other). */
#include <string.h>

#include "common/base/buf.h"
#include "tests/unit/audit_suite.h"
#include "tests/unit/unit.h"

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
    for (int p = 1; p <= AUDIT_PROMISES; p++)
        CU_ASSERT_EQUAL(audit_promise_verdict(&report.promises[p - 1]),
                        p == 7 ? AUDIT_NOT_CHECKED : AUDIT_HELD);
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
    int64_t quarantined, dead_letters; /* expected; found */
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
     .sql = "INSERT INTO ledger VALUES(9, '" A "', 'capture', 500, 1000, 'EUR', 'rx')"},
    {.name = "refunded twice",
     .promise = 3,
     .db = LEDGER_DB,
     .sql = "INSERT INTO ledger VALUES(9, '" B "', 'refund', 500, 1000, 'EUR', 'rx')"},
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
     .sql = "INSERT INTO ledger VALUES(9, '" A "', 'void', 0, 1000, '', '')"},
    {.name = "charged for a stranger",
     .promise = 3,
     .db = LEDGER_DB,
     .sql = "INSERT INTO ledger VALUES(9, 'nobody', 'capture', 500, 1000, 'EUR', 'rx')"},
    {.name = "stock vanished",
     .promise = 3,
     .db = ORDER_DB,
     .sql = "UPDATE product SET available = 7, untold = 1"},
    {.name = "stock is still reserved",
     .promise = 3,
     .db = ORDER_DB,
     .sql = "UPDATE product SET available = 7, reserved = 1, untold = 1"},
    {.name = "sold too much",
     .promise = 3,
     .db = ORDER_DB,
     .sql = "UPDATE product SET adjusted = 1, available = -1, untold = 1; UPDATE stock_adjustment "
            "SET delta = 1 "
            "WHERE command_id = 's1'; DELETE FROM stock_adjustment WHERE command_id = 'before'"},
    {.name = "one adjustment made twice",
     .promise = 3,
     .db = ORDER_DB,
     .sql = "UPDATE product SET adjusted = 13, available = 11, untold = 1;"
            "INSERT INTO stock_adjustment VALUES('s1', 'TEA', 3)"},
    {.name = "stock that nobody has put in",
     .promise = 3,
     .db = ORDER_DB,
     .sql = "UPDATE product SET adjusted = 13, available = 11, untold = 1"},
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
#define CHANGE(what, promise_number, database, change)                                             \
    {                                                                                              \
        .name = what, .promise = promise_number, .db = database, .sql = change                     \
    }
    CHANGE("charged in another currency", 3, LEDGER_DB,
           "UPDATE ledger SET currency = 'USD' WHERE entry = 1"),
    CHANGE("refunded in another currency", 3, LEDGER_DB,
           "UPDATE ledger SET currency = 'USD' WHERE entry = 3"),
    CHANGE("refunded before the charge", 3, LEDGER_DB,
           "UPDATE ledger SET entry = 0 WHERE entry = 3"),
    CHANGE("a payment in another currency", 3, PAYMENT_DB,
           "UPDATE payment SET currency = 'USD' WHERE state = 'captured'"),
    CHANGE("a payment of another amount", 3, PAYMENT_DB,
           "UPDATE payment SET amount = 499, state = 'closed' WHERE state = 'captured'"),
    CHANGE("a payment's reference is nobody's", 3, PAYMENT_DB,
           "UPDATE payment SET provider_reference = 'rx' WHERE state = 'captured'"),
    CHANGE("the ledger's reference of a charge is another", 3, LEDGER_DB,
           "UPDATE ledger SET reference = 'rx' WHERE entry = 1"),
    CHANGE("the ledger's reference of a refund is another", 3, LEDGER_DB,
           "UPDATE ledger SET reference = 'rx' WHERE entry = 3"),
    CHANGE("a product's price is not the one told", 5, ORDER_DB,
           "UPDATE product SET unit_price = 251"),
    CHANGE("a product's name is not the one told", 5, ORDER_DB, "UPDATE product SET name = 'Pea'"),
    CHANGE("a product's currency is not the one told", 5, ORDER_DB,
           "UPDATE product SET currency = 'USD'"),
    CHANGE("a product's revision is not the one told", 5, ORDER_DB,
           "UPDATE product SET revision = 8"),
    CHANGE("a product is gone", 5, ORDER_DB,
           "UPDATE product SET sku = 'PEA'; UPDATE stock_adjustment SET sku = 'PEA';"
           "UPDATE order_event SET data = replace(data, 'TEA', 'PEA')"),
    CHANGE("an edge shows another status", 5, EDGE_DB,
           "UPDATE orders SET status = 'confirmed' WHERE status = 'rejected'"),
    CHANGE("an edge shows another reason", 5, EDGE_DB,
           "UPDATE orders SET reason = 'unknown-product' WHERE status = 'rejected'"),
    CHANGE("an edge shows a version that never was", 5, EDGE_DB,
           "UPDATE orders SET version = 4 WHERE status = 'cancelled'"),
    CHANGE("an edge shows an order as it was", 5, EDGE_DB,
           "UPDATE orders SET version = 2, status = 'confirmed' WHERE status = 'cancelled'"),
    CHANGE("an edge shows another total", 5, EDGE_DB,
           "UPDATE orders SET total = 501 WHERE status = 'confirmed'"),
    CHANGE("an edge shows another currency", 5, EDGE_DB,
           "UPDATE orders SET currency = 'USD' WHERE status = 'confirmed'"),
    CHANGE("an edge shows other lines", 5, EDGE_DB,
           "UPDATE orders SET lines = replace(lines, '250', '125') WHERE status = 'confirmed'"),
    CHANGE("an edge shows another request", 5, EDGE_DB,
           "UPDATE orders SET request_hash = 'i' WHERE status = 'confirmed'"),
    CHANGE("an edge shows another time of placing", 5, EDGE_DB,
           "UPDATE orders SET placed_ms = 999 WHERE status = 'confirmed'"),
    CHANGE("an edge shows another time of changing", 5, EDGE_DB,
           "UPDATE orders SET updated_ms = 999 WHERE status = 'confirmed'"),
    CHANGE("an edge shows an order to another customer", 8, EDGE_DB,
           "UPDATE orders SET customer = 'l' WHERE status = 'confirmed'"),
    CHANGE("an edge lacks an order", 5, EDGE_DB, "DELETE FROM orders WHERE status = 'confirmed'"),
    CHANGE("an edge shows an order that is not", 5, EDGE_DB,
           "INSERT INTO orders SELECT 'none', customer, status, version, currency, total, reason,"
           " lines, request_hash, placed_ms, updated_ms FROM orders LIMIT 1"),
    CHANGE("an edge's catalogue is empty", 5, EDGE_DB, "DELETE FROM products"),
    CHANGE("an edge shows a product that is not", 5, EDGE_DB,
           "INSERT INTO products VALUES('PEA', 'Pea', 1, 'EUR', 1, 1)"),
    CHANGE("an edge shows another price", 5, EDGE_DB, "UPDATE products SET unit_price = 1"),
    CHANGE("an edge shows another name", 5, EDGE_DB, "UPDATE products SET name = 'Pea'"),
    CHANGE("an edge shows a price in another currency", 5, EDGE_DB,
           "UPDATE products SET currency = 'USD'"),
    CHANGE("an edge shows another stock", 5, EDGE_DB, "UPDATE products SET available = 9"),
    CHANGE("an edge does not list a product", 5, EDGE_DB, "UPDATE products SET listed = 0"),
    CHANGE("an edge shows a product as it was", 5, EDGE_DB,
           "UPDATE expected SET next = 2; UPDATE products SET available = 0"),
    CHANGE("an edge shows a stock before it was told", 5, EDGE_DB, "UPDATE expected SET next = 2"),
    CHANGE("an edge lists a product before it was listed", 5, EDGE_DB,
           "UPDATE expected SET next = 1; UPDATE products SET available = 0"),
    CHANGE("an edge keeps a fact back for ever", 5, EDGE_DB,
           "INSERT INTO held VALUES('" A "', 9, 'no JSON')"),
    {.name = "a charge's fact in another currency",
     .promise = 3,
     .lose = 8,
     .add = {ID("d1"), "/payment-service", "payment.captured", A, "1", MONEY("500", "USD", "ra")}},
    {.name = "a charge's fact of another amount",
     .promise = 3,
     .lose = 8,
     .add = {ID("d1"), "/payment-service", "payment.captured", A, "1", MONEY("499", "EUR", "ra")}},
    {.name = "a charge's fact with nobody's reference",
     .promise = 3,
     .lose = 8,
     .add = {ID("d1"), "/payment-service", "payment.captured", A, "1", MONEY("500", "EUR", "rx")}},
    {.name = "a refund's fact with nobody's reference",
     .promise = 3,
     .lose = 10,
     .add = {ID("d3"), "/payment-service", "payment.refunded", B, "2", MONEY("500", "EUR", "rx")}},
    {.name = "a product that nobody keeps",
     .promise = 5,
     .add = {ID("f3"), "/order-service", "product.listed", "PEA", "1",
             LISTED("Pea", "1", "EUR", "1")}},
    {.name = "a stock that was told and never was",
     .promise = 5,
     .lose = 16,
     .add = {ID("f2"), "/order-service", "stock.changed", "TEA", "2", STOCK("9", "0", "2")}},
    {.name = "a stock that was never told", .promise = 5, .lose = 16},
    {.name = "an order that was accepted is in quarantine",
     .promise = 1,
     .db = ORDER_DB,
     .sql = "INSERT INTO quarantine VALUES(1, 'x', 'refused thrice', '" PUT_ASIDE "')",
     .quarantined = 1},
    {.name = "a dead letter", .promise = 6, .dead_letters = 1},
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
     .sql = "INSERT INTO quarantine VALUES(1, 'x', 'poison', 'no JSON')"},
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
    suite->quarantined = defect->quarantined;
    suite->dead_letters = defect->dead_letters;
    if (defect->history)
        suite_history(suite, defect->history);
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
    static const char *const missing[] = {"a stored fact never left",
                                          "something unsent",
                                          "a notification never sent",
                                          "a payment is stuck",
                                          "an edge lacks an order",
                                          "an edge shows an order as it was",
                                          "an edge shows a product as it was",
                                          "an edge's catalogue is empty",
                                          "a stock that was never told"};
    for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++) {
        bool wanted = false;
        for (size_t m = 0; m < sizeof missing / sizeof missing[0]; m++)
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
    run_sql(suite.stores[EDGE_DB], "empty", "DELETE FROM orders; DELETE FROM products");
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
    suite.amiss = amiss;
    suite.amiss_count = 2;
    suite_audit(&suite, AUDIT_FINAL, NOW_MS, &report);
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
