#include "tests/unit/audit_suite.h"

#include <CUnit/CUnit.h>
#include <string.h>

static const char *const names[DB_COUNT] = {"memdb:/audit-order", "memdb:/audit-payment",
                                            "memdb:/audit-notification", "memdb:/audit-ledger",
                                            "memdb:/audit-edge"};

#define LOOP_TABLES                                                                                \
    "CREATE TABLE inbox(message_id TEXT PRIMARY KEY);"                                             \
    "CREATE TABLE outbox(message_id TEXT, type TEXT, since_ms INTEGER);"                           \
    "CREATE TABLE job(kind TEXT, key TEXT, due_ms INTEGER);"                                       \
    "CREATE TABLE deferred(message_id TEXT, due_ms INTEGER, reason TEXT);"                         \
    "CREATE TABLE quarantine(number INTEGER PRIMARY KEY, message_id TEXT, reason TEXT, body "      \
    "BLOB);"                                                                                       \
    "INSERT INTO inbox VALUES('m1');"

static const char *const schemas[DB_COUNT] = {
    [ORDER_DB] = LOOP_TABLES
    "CREATE TABLE order_event(order_id TEXT, version INTEGER, type TEXT, fact_id TEXT,"
    " at_ms INTEGER, data TEXT);"
    "CREATE TABLE product(sku TEXT, name TEXT, unit_price INTEGER, currency TEXT,"
    " revision INTEGER, sequence INTEGER, adjusted INTEGER, available INTEGER, reserved INTEGER,"
    " sold INTEGER, told_ms INTEGER, untold INTEGER);"
    "INSERT INTO product VALUES('TEA', 'Tea', 250, 'EUR', 7, 2, 10, 8, 0, 2, 1000, 0);"
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
    " refund_fact_id TEXT, updated_ms INTEGER, currency TEXT, provider_reference TEXT);"
    "INSERT INTO payment VALUES"
    "('" A "', 'captured', 500, '" ID("d1") "', NULL, 1000, 'EUR', 'ra'),"
                                            "('" B "', 'refunded', 500, '" ID("d2") "', '" ID(
                                                "d3") "', 1000, 'EUR', 'rb')",
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
        " at_ms INTEGER, currency TEXT, reference TEXT);"
        "INSERT INTO ledger VALUES(1, '" A "', 'capture', 500, 1000, 'EUR', 'ra'),"
        "(2, '" B "', 'capture', 500, 1000, 'EUR', 'rb'),"
        "(3, '" B "', 'refund', 500, 1000, 'EUR', 'rc')",
    [EDGE_DB] =
        "CREATE TABLE orders(order_id TEXT, customer TEXT, status TEXT, version INTEGER,"
        " currency TEXT, total INTEGER, reason TEXT, lines TEXT, request_hash TEXT,"
        " placed_ms INTEGER, updated_ms INTEGER);"
        "INSERT INTO orders VALUES"
        "('" A "', 'k', 'confirmed', 2, 'EUR', 500, '', '" LINES "', 'h', 1000, 1000),"
        "('" B "', 'k', 'cancelled', 3, 'EUR', 500, '', '" LINES "', 'h', 1000, 1000),"
        "('" C "', 'k', 'rejected', 1, 'EUR', 500, 'out-of-stock', '" LINES "', 'h', 1000, 1000);"
        "CREATE TABLE products(sku TEXT, name TEXT, unit_price INTEGER, currency TEXT,"
        " available INTEGER, listed INTEGER);"
        "INSERT INTO products VALUES('TEA', 'Tea', 250, 'EUR', 8, 1);"
        "CREATE TABLE expected(source TEXT, subject TEXT, next INTEGER);"
        "INSERT INTO expected VALUES('/order-service', 'TEA', 3);"
        "CREATE TABLE held(subject TEXT, sequence INTEGER, body BLOB)",
};
static const struct fact clean_log[] = {
    {ID("a1"), "/order-service", "order.placed", A, "1", PLACED},
    {ID("a2"), "/order-service", "order.confirmed", A, "2", ENDED},
    {ID("b1"), "/order-service", "order.placed", B, "1", PLACED},
    {ID("b2"), "/order-service", "order.confirmed", B, "2", ENDED},
    {ID("b2"), "/order-service", "order.confirmed", B, "2", ENDED}, /* twice, as is allowed */
    {ID("b3"), "/order-service", "order.cancelled", B, "3", ENDED},
    {ID("c1"), "/order-service", "order.rejected", C, "1", REJECTED},
    {ID("d1"), "/payment-service", "payment.captured", A, "1", MONEY("500", "EUR", "ra")},
    {ID("d2"), "/payment-service", "payment.captured", B, "1", MONEY("500", "EUR", "rb")},
    {ID("d3"), "/payment-service", "payment.refunded", B, "2", MONEY("500", "EUR", "rc")},
    {ID("e1"), "/notification-service", "notification.sent", A, "1", "{\"order_version\":2}"},
    {ID("e2"), "/notification-service", "notification.sent", B, "1", "{\"order_version\":2}"},
    {ID("e3"), "/notification-service", "notification.sent", B, "2", "{\"order_version\":3}"},
    {ID("e4"), "/notification-service", "notification.sent", C, "1", "{\"order_version\":1}"},
    {ID("f1"), "/order-service", "product.listed", "TEA", "1", LISTED("Tea", "250", "EUR", "7")},
    {ID("f2"), "/order-service", "stock.changed", "TEA", "2", STOCK("8", "0", "2")},
};
_Static_assert(sizeof clean_log / sizeof clean_log[0] == CLEAN_FACTS, "as many as said");

static void write_fact(struct log *log)
{
    const struct fact *fact = &log->facts[log->next];
    const char *time = log->times[log->next];
    buf_clear(&log->body);
    if (log->bodies[log->next]) {
        buf_text(&log->body, log->bodies[log->next]);
        return;
    }
    buf_printf(&log->body,
               "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"%s\",\"type\":\"%s\","
               "\"subject\":\"%s\",\"time\":\"%s\",%s%s%s"
               "\"datacontenttype\":\"application/json\",\"data\":%s}",
               fact->id, fact->source, fact->type, fact->subject,
               time ? time : "1970-01-01T00:00:01.000Z", fact->sequence ? "\"sequence\":\"" : "",
               fact->sequence ? fact->sequence : "", fact->sequence ? "\"," : "", fact->data);
}

static enum result next_fact(void *context, struct audit_message *ret_message, struct err *err)
{
    struct log *log = context;
    (void)err;
    if (log->next == log->count)
        return NOT_FOUND;
    const char *key = log->keys[log->next];
    write_fact(log);
    *ret_message = (struct audit_message){log->begins + (int64_t)log->next,
                                          key ? key : log->facts[log->next].type, log->body.data,
                                          log->body.size};
    log->next++;
    return OK;
}

void run_sql(struct store *store, const char *owner, const char *sql)
{
    struct err err = {0};
    CU_ASSERT_EQUAL(store_migrate(store, owner, &(struct migration){1, sql}, 1, &err), OK);
    if (err.text[0])
        printf("%s\n", err.text);
}

void suite_open(struct suite *suite)
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

void suite_close(struct suite *suite)
{
    for (int i = 0; i < DB_COUNT; i++)
        store_free(suite->stores[i]);
    buf_release(&suite->log.body);
    if (suite->history)
        fclose(suite->history);
}

void suite_history(struct suite *suite, const char *lines)
{
    suite->history = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(suite->history);
    fputs(lines, suite->history);
    rewind(suite->history);
}

void suite_audit(struct suite *suite, enum audit_moment moment, int64_t now_ms,
                 struct audit_report *report)
{
    struct audit_log log = {next_fact, &suite->log};
    suite->log.next = 0;
    const struct audit_edge edge = {"edge 1", suite->stores[EDGE_DB], !suite->edge_stopped};
    struct audit_sources sources = {.order = suite->stores[ORDER_DB],
                                    .edges = &edge,
                                    .edge_count = 1,
                                    .payment = suite->stores[PAYMENT_DB],
                                    .notification = suite->stores[NOTIFICATION_DB],
                                    .ledger = suite->stores[LEDGER_DB],
                                    .log = &log,
                                    .history = suite->history};
    struct audit_options options = {.moment = moment,
                                    .now_ms = now_ms,
                                    .grace_ms = GRACE_MS,
                                    .history_age_ms = GRACE_MS,
                                    .log_given_up_ms = suite->log_given_up_ms,
                                    .amiss = suite->amiss,
                                    .amiss_count = suite->amiss_count,
                                    .quarantined = suite->quarantined,
                                    .dead_letters = suite->dead_letters};
    audit_run(&sources, &options, report);
}

void show(const struct audit_report *report)
{
    struct buf text = {0};
    audit_print(report, &text);
    printf("%s", text.data);
    buf_release(&text);
}
bool only_broken(const struct audit_report *report, int promise)
{
    for (int p = 1; p <= AUDIT_PROMISES; p++) /* 0: none */
        if ((report->promises[p - 1].violations > 0) != (p == promise))
            return false;
    return true;
}
bool says(char *const *texts, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(texts[i], what))
            return true;
    return false;
}

bool notes(const struct audit_report *report, const char *what)
{
    return says(report->notes, report->note_count, what);
}
