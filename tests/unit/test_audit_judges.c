/* The judge, judged, beyond one defect each: what was ordered and what was told, other logs than the
 * one that was written, and what only looks wrong. */
#include <string.h>

#include "common/base/buf.h"
#include "tests/unit/audit_suite.h"
#include "tests/unit/unit.h"

/* One fact, said by store, stream and edge alike. */
static void say(struct suite *suite, size_t fact, const char *data)
{
    struct buf sql = {0};
    suite->log.facts[fact].data = data;
    buf_printf(&sql, "UPDATE order_event SET data = '%s' WHERE fact_id = '%s'", data,
               suite->log.facts[fact].id);
    run_sql(suite->stores[ORDER_DB], "said", sql.data);
    buf_clear(&sql);
    buf_printf(&sql,
               "UPDATE orders SET lines = json_extract('%s', '$.lines'), "
               "total = json_extract('%s', '$.total'), reason = coalesce("
               "json_extract('%s', '$.reason'), '') WHERE order_id = '%s'",
               data, data, data, suite->log.facts[fact].subject);
    if (strstr(data, "lines"))
        run_sql(suite->stores[EDGE_DB], "said", sql.data);
    buf_release(&sql);
}

enum { SAYS_A_PLACED = 0, SAYS_B_CANCELLED = 5, SAYS_C_REJECTED = 6 };

#define LINE(name, quantity, unit_price, amount)                                                   \
    "{\"sku\":\"TEA\",\"name\":\"" name "\",\"quantity\":" quantity ",\"unit_price\":" unit_price  \
    ",\"amount\":" amount "}"
#define ORDERED(lines, total, rest)                                                                \
    "{\"customer\":\"k\",\"currency\":\"EUR\",\"request_hash\":\"h\",\"lines\":[" lines            \
    "],\"total\":" total rest "}"
#define WAITS ",\"deadline_ms\":2000"
#define LARGE ",\"reason\":\"amount-too-large\""
#define UNKNOWN ",\"reason\":\"unknown-product\""

static const struct saying {
    const char *name;
    int promise; /* 0: nothing is wrong */
    size_t fact;
    const char *data;
    const char *sql; /* in the order store */
} sayings[] = {
    {"two lines", 0, SAYS_A_PLACED,
     ORDERED(LINE("Tea", "1", "250", "250") "," LINE("Tea", "1", "250", "250"), "500", WAITS),
     NULL},
    {"a line's amount is wrong", 3, SAYS_A_PLACED,
     ORDERED(LINE("Tea", "1", "250", "249") "," LINE("Tea", "1", "250", "251"), "500", WAITS),
     NULL},
    {"the sum is wrong", 3, SAYS_A_PLACED, ORDERED(LINE("Tea", "1", "250", "250"), "500", WAITS),
     "UPDATE product SET available = 9, sold = 1, untold = 1"},
    {"a line is more than can be counted", 3, SAYS_A_PLACED,
     ORDERED(LINE("Tea", "9000000000", "9000000000", "0") "," LINE("Tea", "2", "250", "500"), "500",
             WAITS),
     NULL},
    {"a price that nobody listed", 3, SAYS_A_PLACED,
     ORDERED(LINE("Tea", "1", "249", "249") "," LINE("Tea", "1", "251", "251"), "500", WAITS),
     NULL},
    {"a name that nobody listed", 3, SAYS_A_PLACED,
     ORDERED(LINE("Pea", "2", "250", "500"), "500", WAITS), NULL},
    {"no name at all", 3, SAYS_A_PLACED, ORDERED(LINE("", "2", "250", "500"), "500", WAITS), NULL},
    {"rejected for an unknown product", 0, SAYS_C_REJECTED,
     ORDERED(LINE("", "2", "0", "0"), "0", UNKNOWN), NULL},
    {"rejected with a wrong sum", 3, SAYS_C_REJECTED,
     ORDERED(LINE("Tea", "2", "250", "500"), "501", UNKNOWN), NULL},
    {"rejected at a price that nobody listed", 3, SAYS_C_REJECTED,
     ORDERED(LINE("Tea", "2", "251", "502"), "502", UNKNOWN), NULL},
    {"rejected as too large", 0, SAYS_C_REJECTED, ORDERED(LINE("Tea", "2", "250", "0"), "0", LARGE),
     NULL},
    {"cancelled at another total", 5, SAYS_B_CANCELLED, "{\"customer\":\"k\",\"total\":501}", NULL},
    {"cancelled in another currency", 5, SAYS_B_CANCELLED,
     "{\"customer\":\"k\",\"currency\":\"USD\",\"total\":500}", NULL},
    {"cancelled for another customer", 5, SAYS_B_CANCELLED, "{\"customer\":\"l\",\"total\":500}",
     NULL},
    {"cancelled without a total", 0, SAYS_B_CANCELLED, "{\"customer\":\"k\",\"currency\":\"EUR\"}",
     NULL},
    {"cancelled with other lines", 5, SAYS_B_CANCELLED,
     "{\"customer\":\"k\",\"lines\":[" LINE("Tea", "1", "250", "250") "],\"total\":500}", NULL},
};

static bool is_said(const struct audit_report *report, int promise)
{
    return strcmp(audit_verdict(report), promise ? "violated" : "clean") == 0 &&
           only_broken(report, promise);
}

static void test_each_saying(void)
{
    for (size_t i = 0; i < sizeof sayings / sizeof sayings[0]; i++) {
        struct suite suite;
        struct audit_report report;
        suite_open(&suite);
        say(&suite, sayings[i].fact, sayings[i].data);
        if (sayings[i].fact == SAYS_B_CANCELLED) /* of what it shows only the first fact tells */
            run_sql(suite.stores[EDGE_DB], "as before",
                    "UPDATE orders SET total = 500, lines = '" LINES "' WHERE order_id = '" B "'");
        if (sayings[i].sql)
            run_sql(suite.stores[ORDER_DB], "besides", sayings[i].sql);
        suite_audit(&suite, AUDIT_RUNNING, NOW_MS, &report);
        CU_ASSERT_TRUE(is_said(&report, sayings[i].promise));
        if (!is_said(&report, sayings[i].promise)) {
            printf("saying: %s\n", sayings[i].name);
            show(&report);
        }
        audit_report_release(&report);
        suite_close(&suite);
    }
}
/* What is judged to be right, though it looks unusual. */
static void expect_clean(struct suite *suite, const char *note)
{
    struct audit_report report;
    suite_audit(suite, AUDIT_RUNNING, NOW_MS, &report);
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "clean");
    CU_ASSERT_TRUE(!note || notes(&report, note));
    if (strcmp(audit_verdict(&report), "clean") != 0 || (note && !notes(&report, note)))
        show(&report);
    audit_report_release(&report);
}

static void test_another_currency_was_listed(void)
{
    struct suite suite;
    struct audit_report report;
    suite_open(&suite);
    suite.log.facts[14].data = LISTED("Tea", "250", "USD", "7");
    run_sql(suite.stores[ORDER_DB], "dollars", "UPDATE product SET currency = 'USD'");
    run_sql(suite.stores[EDGE_DB], "dollars", "UPDATE products SET currency = 'USD'");
    suite_audit(&suite, AUDIT_RUNNING, NOW_MS, &report);
    CU_ASSERT_TRUE(only_broken(&report, 3));
    CU_ASSERT_EQUAL(report.promises[2].violations, 2); /* A and B; C was rejected */
    audit_report_release(&report);
    suite_close(&suite);
}

/* The last word counts, and the first orders were of their time. */
static void test_what_was_told_again(void)
{
    struct suite suite;
    suite_open(&suite);
    struct log *log = &suite.log;
    log->facts[15].data = STOCK("5", "0", "0");
    log->facts[log->count++] = (struct fact){ID("f3"),
                                             "/order-service",
                                             "product.listed",
                                             "TEA",
                                             "3",
                                             LISTED("Old tea", "300", "EUR", "8")};
    log->facts[log->count++] = (struct fact){ID("f4"), "/order-service",    "stock.changed", "TEA",
                                             "4",      STOCK("8", "0", "2")};
    run_sql(suite.stores[ORDER_DB], "again",
            "UPDATE product SET sequence = 4, name = 'Old tea', unit_price = 300, revision = 8");
    run_sql(suite.stores[EDGE_DB], "again",
            "UPDATE products SET name = 'Old tea', unit_price = 300; UPDATE expected SET next = 5");
    expect_clean(&suite, NULL);
    suite_close(&suite);
}

static void test_strangers_are_welcome(void)
{
    struct suite suite;
    suite_open(&suite);
    suite.log.facts[suite.log.count++] =
        (struct fact){ID("91"), "/order-service", "command.done", ID("90"), NULL, "{}"};
    suite.log.facts[suite.log.count++] =
        (struct fact){ID("92"), "/order-service", "order.archived", ID("90"), "1", "{}"};
    expect_clean(&suite, NULL);
    suite_close(&suite);
}

/* The log takes what anybody may say. Nothing of it is judged, not even what claims to be ours: an
 * order's fact under a key that its service does not use, or a text. */
static void test_neighbours_are_not_judged(void)
{
    static const struct {
        const char *key, *body;
        struct fact fact;
    } others[] = {
        {"neighbour.greeted", "hello", {0}},
        {"lesson.begun", "{\"specversion\":\"1.0\",\"type\":\"lesson.begun\"}", {0}},
        {NULL, NULL, {ID("91"), "/neighbour", "neighbour.shipped", A, "7", "{}"}},
        {NULL, NULL, {ID("92"), "/order-service", "neighbour.shipped", A, "9", "{}"}},
        {NULL, NULL, {ID("93"), "/lesson", "lesson.begun", "one", "3", "{}"}},
        {NULL, NULL, {ID("94"), "/lesson", "lesson.begun", "one", NULL, "{}"}},
        {"neighbour.shipped", NULL, {ID("95"), "/order-service", "order.confirmed", A, "2", "{}"}},
        {"order.lost", NULL, {ID("96"), "/order-service", "order.expired", A, "3", ENDED}},
    };
    enum { OTHERS = sizeof others / sizeof others[0] };
    struct suite suite;
    suite_open(&suite);
    struct log *log = &suite.log;
    memmove(&log->facts[OTHERS], log->facts, CLEAN_FACTS * sizeof log->facts[0]);
    for (size_t i = 0; i < OTHERS; i++) {
        log->facts[i] = others[i].fact;
        log->keys[i] = others[i].key;
        log->bodies[i] = others[i].body;
    }
    log->count += OTHERS;
    expect_clean(&suite, "8 messages on the log are of strangers, and were not judged");
    log->begins = 5; /* cut or not, the first of them says nothing of our time */
    expect_clean(&suite, "8 messages");
    suite_close(&suite);
}

/* What is allowed twice is not allowed under another key. */
static void test_a_key_and_its_fact_agree(void)
{
    static const char *const bodies[] = {NULL, "hello"};
    for (size_t i = 0; i < 2; i++) {
        struct suite suite;
        struct audit_report report;
        suite_open(&suite);
        suite.log.facts[CLEAN_FACTS] = suite.log.facts[CLEAN_FACTS - 1];
        suite.log.count++;
        expect_clean(&suite, NULL);
        suite.log.keys[CLEAN_FACTS] = "product.listed";
        suite.log.bodies[CLEAN_FACTS] = bodies[i];
        suite_audit(&suite, AUDIT_RUNNING, NOW_MS, &report);
        CU_ASSERT_TRUE(only_broken(&report, 5));
        audit_report_release(&report);
        suite_close(&suite);
    }
}

static void test_a_fact_without_a_sequence(void)
{
    struct suite suite;
    struct audit_report report;
    suite_open(&suite);
    suite.log.facts[suite.log.count++] =
        (struct fact){ID("91"), "/order-service", "stock.changed", "TEA", NULL, "{}"};
    suite_audit(&suite, AUDIT_RUNNING, NOW_MS, &report);
    CU_ASSERT_TRUE(only_broken(&report, 5));
    audit_report_release(&report);
    suite_close(&suite);
}

static void test_quarantine_is_shown(void)
{
    struct suite suite;
    suite_open(&suite);
    suite.quarantined = 2;
    run_sql(suite.stores[ORDER_DB], "put aside",
            "INSERT INTO quarantine VALUES(1, 'x', 'refused thrice', replace('" PUT_ASIDE
            "', '" ID("76") "', '" A "'));"
                            "INSERT INTO quarantine VALUES(2, '', 'no JSON', '?')");
    expect_clean(&suite,
                 "in the quarantine of order-service: order.place x of " A ": refused thrice");
    expect_clean(&suite, "no envelope, without an id of nothing known: no JSON");
    suite.quarantined = -1;
    expect_clean(&suite, NULL);
    suite_close(&suite);
}

static void test_an_edge_that_does_not_run(void)
{
    static const char *const lacks[] = {
        "DELETE FROM orders WHERE status = 'rejected'", "DELETE FROM products",
        "INSERT INTO held VALUES('x', 9, 'no JSON')",
        "UPDATE orders SET version = 2, status = 'confirmed' WHERE version = 3",
        "UPDATE expected SET next = 2; UPDATE products SET available = 0"};
    for (size_t i = 0; i < sizeof lacks / sizeof lacks[0]; i++) {
        struct suite suite;
        suite_open(&suite);
        suite.edge_stopped = true;
        run_sql(suite.stores[EDGE_DB], "lacks", lacks[i]);
        expect_clean(&suite, "edge 1 does not run");
        suite_close(&suite);
    }
}

/* The broker's data is gone: another log, which begins with what was told since. */
static void lose_log(struct suite *suite, size_t left)
{
    struct log *log = &suite->log;
    memmove(log->facts, &log->facts[log->count - left], left * sizeof log->facts[0]);
    log->count = left;
    for (size_t i = 0; i < left; i++)
        log->times[i] = "1970-01-01T00:08:20.000Z";
}

static void expect_finding(struct suite *suite, const char *what, size_t lost)
{
    struct audit_report report;
    suite_audit(suite, AUDIT_RUNNING, NOW_MS, &report);
    CU_ASSERT_TRUE(only_broken(&report, 5));
    CU_ASSERT_EQUAL(report.promises[4].violations, 1);
    CU_ASSERT_TRUE(says(report.promises[4].texts, 1, what));
    CU_ASSERT_EQUAL(report.lost, lost);
    if (report.promises[4].violations != 1 || report.lost != lost)
        show(&report);
    audit_report_release(&report);
}

static void test_a_log_that_is_another(void)
{
    struct suite suite;
    suite_open(&suite);
    lose_log(&suite, 1); /* stock.changed 2 */
    expect_finding(&suite, "the log begins at 1970-01-01T00:08:20.000Z and lacks 13 facts", 13);
    suite.log.count = 0;
    expect_finding(&suite, "the log is empty and lacks 13 facts", 13);

    suite.log_given_up_ms = 1000;
    struct audit_report report;
    suite_audit(&suite, AUDIT_RUNNING, NOW_MS, &report);
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "clean");
    CU_ASSERT_EQUAL(report.not_looked_for, 13);
    CU_ASSERT_EQUAL(report.lost, 0);
    audit_report_release(&report);
    suite_close(&suite);
}

/* What a neighbour says, and when, is no beginning of our log. */
static void test_a_lost_log_with_a_neighbour_in_it(void)
{
    struct suite suite;
    suite_open(&suite);
    lose_log(&suite, 1);
    suite.log.facts[1] = suite.log.facts[0];
    suite.log.times[1] = suite.log.times[0];
    suite.log.facts[0] = (struct fact){ID("91"), "/neighbour", "neighbour.x", "one", "1", "{}"};
    suite.log.times[0] = NULL;
    suite.log.count = 2;
    expect_finding(&suite, "the log begins at 1970-01-01T00:08:20.000Z and lacks 13 facts", 13);
    suite.log.count = 1;
    expect_finding(&suite, "the log is empty and lacks 13 facts", 13);
    suite_close(&suite);
}

/* Up to a moment, and no further. */
static void test_a_log_that_was_given_up(void)
{
    struct suite suite;
    suite_open(&suite);
    lose_log(&suite, 1);
    suite.log_given_up_ms = 1000;
    expect_clean(&suite, NULL);
    suite.log_given_up_ms = 999;
    expect_finding(&suite, "lacks 13 facts", 13);

    /* An edge that begins anew knows of nothing that was given up. */
    suite.log_given_up_ms = 1000;
    run_sql(suite.stores[EDGE_DB], "anew",
            "DELETE FROM orders; DELETE FROM products; DELETE FROM expected;"
            "INSERT INTO held VALUES('TEA', 2, 'no JSON')");
    suite.log.times[0] = NULL;
    expect_clean(&suite, "edge 1 does not show 3 orders");
    expect_clean(&suite, "1 facts are kept back");
    suite_close(&suite);
}

/* A cut log lacks its oldest facts by rule. */
static void test_a_log_that_was_cut(void)
{
    struct suite suite;
    struct audit_report report;
    suite_open(&suite);
    lose_log(&suite, 1);
    suite.log.begins = 100;
    expect_clean(&suite, NULL);
    run_sql(suite.stores[ORDER_DB], "nearly", "UPDATE order_event SET at_ms = 560000");
    run_sql(suite.stores[EDGE_DB], "nearly",
            "UPDATE orders SET placed_ms = 560000, updated_ms = 560000");
    expect_clean(&suite, NULL);
    run_sql(suite.stores[ORDER_DB], "young", "UPDATE order_event SET at_ms = 560001");
    run_sql(suite.stores[EDGE_DB], "young",
            "UPDATE orders SET placed_ms = 560001, updated_ms = 560001");
    suite_audit(&suite, AUDIT_RUNNING, NOW_MS, &report);
    CU_ASSERT_TRUE(only_broken(&report, 5));
    CU_ASSERT_EQUAL(report.promises[4].violations, 6);
    CU_ASSERT_EQUAL(report.not_looked_for, 7);
    audit_report_release(&report);
    suite_close(&suite);
}

static void test_a_gap_before_what_was_given_up(void)
{
    struct suite suite;
    struct audit_report report;
    suite_open(&suite);
    run_sql(suite.stores[ORDER_DB], "more", "UPDATE product SET sequence = 5");
    run_sql(suite.stores[EDGE_DB], "more", "UPDATE expected SET next = 6");
    suite.log.facts[15].sequence = "4";
    suite.log.times[suite.log.count] = "1970-01-01T00:08:20.000Z";
    suite.log.facts[suite.log.count++] = (struct fact){
        ID("f5"), "/order-service", "stock.changed", "TEA", "5", STOCK("8", "0", "2")};
    suite.log_given_up_ms = 1000;
    expect_clean(&suite, NULL);
    suite.log_given_up_ms = 0;
    suite_audit(&suite, AUDIT_RUNNING, NOW_MS, &report);
    CU_ASSERT_TRUE(only_broken(&report, 5));
    CU_ASSERT_EQUAL(report.promises[4].violations, 1);
    CU_ASSERT_TRUE(says(report.promises[4].texts, 1, "3 facts from 1 to 5"));
    audit_report_release(&report);
    suite_close(&suite);
}

static void expect_history(const char *lines, const char *verdict, const char *why)
{
    struct suite suite;
    struct audit_report report;
    suite_open(&suite);
    suite_history(&suite, lines);
    suite_audit(&suite, AUDIT_RUNNING, NOW_MS, &report);
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), verdict);
    CU_ASSERT_STRING_EQUAL(report.unreadable, why);
    audit_report_release(&report);
    suite_close(&suite);
}

static void test_histories(void)
{
    expect_history("{\"op\":\"cancel\",\"key\":\"1\",\"order_id\":\"gone\",\"result\":\"what\"}\n\n"
                   "{\"op\":\"place\",\"key\":\"2\",\"order_id\":\"" A "\",\"result\":\"ok\"}\n",
                   "clean", "");
    expect_history("\n{\"op\":\"place\",\"key\":\"1\",\"order_id\":\"gone\",\"result\":\"what\"}\n",
                   "unreadable", "history, line 2: result: \"what\"");
    expect_history("{\"op\":\"place\"", "unreadable", "history, line 1: not JSON");
}

/* All are counted, the first are told, and none spills over. */
static void test_many_violations(void)
{
    struct suite suite;
    struct audit_report report;
    struct buf text = {0};
    suite_open(&suite);
    run_sql(suite.stores[ORDER_DB], "many",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 55) "
            "INSERT INTO outbox SELECT 'm' || i, 'order.placed', 1000 FROM n");
    suite_audit(&suite, AUDIT_RUNNING, NOW_MS, &report);
    CU_ASSERT_TRUE(only_broken(&report, 6));
    CU_ASSERT_EQUAL(report.promises[5].violations, 55);
    CU_ASSERT_EQUAL(report.promises[6].checked, 0);
    audit_print(&report, &text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "     - and 5 more\n"));
    buf_release(&text);
    audit_report_release(&report);
    suite_close(&suite);
}

static void test_rebuilt(void)
{
    struct suite suite;
    struct audit_report report;
    suite_open(&suite);
    suite_audit(&suite, AUDIT_FINAL, NOW_MS, &report);
    size_t before = report.promises[4].checked;
    audit_judge_rebuilt(&report,
                        &(struct audit_rebuilt){.edge = "edge 1", .why_not = "it is late"});
    CU_ASSERT_EQUAL(report.promises[4].checked, before);
    CU_ASSERT_TRUE(notes(&report, "edge 1 was not compared with the log: it is late"));
    audit_judge_rebuilt(&report, &(struct audit_rebuilt){"edge 1", 17, "aa", "aa", NULL});
    CU_ASSERT_EQUAL(report.promises[4].checked, before + 1);
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "clean");
    CU_ASSERT_TRUE(notes(&report, "up to offset 17"));
    report.lost = 1;
    audit_judge_rebuilt(&report, &(struct audit_rebuilt){"edge 1", 17, "aa", "ab", NULL});
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "clean");
    CU_ASSERT_TRUE(notes(&report, "the log is another than was written"));
    report.lost = 0;
    audit_judge_rebuilt(&report, &(struct audit_rebuilt){"edge 1", 17, "aa", "ab", NULL});
    CU_ASSERT_STRING_EQUAL(audit_verdict(&report), "violated");
    CU_ASSERT_TRUE(only_broken(&report, 5));
    audit_report_release(&report);
    suite_close(&suite);
}
static const struct unit_case cases[] = {
    {"each saying is judged", test_each_saying},
    {"another currency was listed", test_another_currency_was_listed},
    {"what was told again", test_what_was_told_again},
    {"strangers are welcome", test_strangers_are_welcome},
    {"neighbours are not judged", test_neighbours_are_not_judged},
    {"a key and its fact agree", test_a_key_and_its_fact_agree},
    {"a fact without a sequence", test_a_fact_without_a_sequence},
    {"quarantine is shown", test_quarantine_is_shown},
    {"an edge that does not run", test_an_edge_that_does_not_run},
    {"a log that is another", test_a_log_that_is_another},
    {"a lost log with a neighbour in it", test_a_lost_log_with_a_neighbour_in_it},
    {"a log that was given up", test_a_log_that_was_given_up},
    {"a log that was cut", test_a_log_that_was_cut},
    {"a gap before what was given up", test_a_gap_before_what_was_given_up},
    {"histories", test_histories},
    {"many violations", test_many_violations},
    {"rebuilt", test_rebuilt},
};
UNIT_MAIN("audit judges", cases)
