/* The tables against what a broker has: each thing that can be missing, other or too much, and what a
 * service says of it. */
#include <string.h>

#include "common/messaging/bus.h"
#include "common/messaging/topology_compare.h"
#include "tests/unit/unit.h"

static const struct queue_spec money_queues[] = {{.name = "money.in", .kind = QUEUE_QUORUM},
                                                 {.name = "money.ask", .kind = QUEUE_QUORUM}};
static const struct binding_spec money_bindings[] = {
    {"money.in", EXCHANGE_EVENTS, "sale.made"},
    {"money.in", EXCHANGE_EVENTS, "sale.undone"},
    {"money.ask", EXCHANGE_COMMANDS, "money.ask"},
};
static const struct topology money = {.service = "money",
                                      .queues = money_queues,
                                      .queue_count = 2,
                                      .bindings = money_bindings,
                                      .binding_count = 3};
static const struct queue_spec log_queues[] = {{.name = "log.1", .kind = QUEUE_STREAM}};
static const struct binding_spec log_bindings[] = {{"log.1", EXCHANGE_EVENTS, "#"}};
static const struct topology reader = {.service = "reader",
                                       .queues = log_queues,
                                       .queue_count = 1,
                                       .bindings = log_bindings,
                                       .binding_count = 1};
static const struct topology *const tables[] = {&money, &reader};

/* A broker as the tables say, of which a test takes something away. */
static struct exchange_spec exchanges[8];
static const char *queues[8];
static struct binding_spec bindings[16];
static struct topology_found found;
static struct topology_verdict verdict;

static void broker_as_declared(void)
{
    static const char *const names[] = {"money.in", "money.ask", "log.1", QUEUE_DEAD};
    found = (struct topology_found){exchanges, 3, queues, 4, bindings, 5, NULL, 0};
    memcpy(exchanges, topology_exchanges, 3 * sizeof exchanges[0]);
    memcpy(queues, names, sizeof names);
    memcpy(bindings, money_bindings, sizeof money_bindings);
    bindings[3] = log_bindings[0];
    bindings[4] = topology_common.bindings[0];
}

static void compare(void)
{
    verdict = (struct topology_verdict){.looked = true, .at_mono_ms = 5000};
    topology_compare(tables, 2, &found, &verdict);
}

static void finds_one(enum topology_fault fault, const char *queue, const char *text)
{
    compare();
    CU_ASSERT_EQUAL_FATAL(verdict.count, 1);
    CU_ASSERT_EQUAL(verdict.wrong, fault != TOPOLOGY_SURPLUS);
    CU_ASSERT_EQUAL(verdict.findings[0].fault, fault);
    CU_ASSERT_STRING_EQUAL(verdict.findings[0].queue, queue);
    CU_ASSERT_STRING_EQUAL(verdict.findings[0].text, text);
}

static void a_broker_as_declared_is_right(void)
{
    broker_as_declared();
    compare();
    CU_ASSERT_EQUAL(verdict.count, 0);
    CU_ASSERT_EQUAL(verdict.wrong, 0);
}

static void every_missing_binding_is_found(void)
{
    static const char *const texts[] = {
        "binding sale.made -> money.in is missing", "binding sale.undone -> money.in is missing",
        "binding money.ask -> money.ask is missing", "binding # -> log.1 is missing",
        "binding warren.dead -> warren.dead is missing"};
    for (size_t i = 0; i < 5; i++) {
        broker_as_declared();
        const char *queue = bindings[i].queue;
        bindings[i] = bindings[--found.binding_count];
        finds_one(TOPOLOGY_MISSING, queue, texts[i]);
    }
}

static void another_exchange_or_key_is_not_the_binding(void)
{
    broker_as_declared();
    bindings[0].exchange = EXCHANGE_COMMANDS;
    compare();
    CU_ASSERT_EQUAL_FATAL(verdict.count, 2);
    CU_ASSERT_STRING_EQUAL(verdict.findings[0].text, "binding sale.made -> money.in is missing");
    CU_ASSERT_EQUAL(verdict.findings[1].fault, TOPOLOGY_SURPLUS);
    broker_as_declared();
    bindings[0].pattern = "sale.mad";
    compare();
    CU_ASSERT_EQUAL(verdict.count, 2);
    CU_ASSERT_EQUAL(verdict.wrong, 1);
}

static void a_missing_queue_stands_for_its_bindings(void)
{
    broker_as_declared();
    queues[0] = queues[--found.queue_count];
    bindings[0] = bindings[--found.binding_count];
    bindings[1] = bindings[--found.binding_count];
    finds_one(TOPOLOGY_MISSING, "money.in", "queue money.in is missing");
}

static void exchanges_are_compared_with_their_type(void)
{
    broker_as_declared();
    exchanges[1].type = "direct";
    finds_one(TOPOLOGY_OTHER, "", "exchange warren.events is of type direct, not topic");
    broker_as_declared();
    exchanges[2] = exchanges[--found.exchange_count];
    bindings[4] = bindings[--found.binding_count];
    finds_one(TOPOLOGY_MISSING, "", "exchange warren.dead is missing");
}

static void what_a_stranger_binds_is_judged_by_its_queue(void)
{
    broker_as_declared();
    bindings[found.binding_count++] = (struct binding_spec){"loyalty", EXCHANGE_EVENTS, "sale.#"};
    queues[found.queue_count++] = "loyalty";
    compare();
    CU_ASSERT_EQUAL(verdict.count, 0);
    bindings[found.binding_count++] = (struct binding_spec){"money.in", "foreign", "#"};
    finds_one(TOPOLOGY_SURPLUS, "money.in", "binding # of foreign -> money.in is in no table");
}

static void more_than_are_kept_are_counted(void)
{
    static struct binding_spec many[TOPOLOGY_FINDINGS_KEPT + 9];
    broker_as_declared();
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++)
        many[i] = (struct binding_spec){"money.in", EXCHANGE_EVENTS, "x"};
    found.bindings = many;
    found.binding_count = sizeof many / sizeof many[0];
    compare();
    CU_ASSERT_EQUAL(verdict.count, TOPOLOGY_FINDINGS_KEPT + 9 + 5);
    CU_ASSERT_EQUAL(verdict.wrong, 5);
    CU_ASSERT_EQUAL(topology_kept(&verdict), TOPOLOGY_FINDINGS_KEPT);
    CU_ASSERT_EQUAL(verdict.findings[0].fault, TOPOLOGY_MISSING); /* the worst are kept */
}

static void a_verdict_survives_its_file(void)
{
    struct topology_verdict again;
    struct buf text = {0}, printed = {0};
    broker_as_declared();
    bindings[0] = bindings[--found.binding_count];
    exchanges[0].type = "direct";
    compare();
    topology_verdict_print(&verdict, &text);
    CU_ASSERT_EQUAL_FATAL(topology_verdict_read(text.data, &again, NULL), OK);
    CU_ASSERT_EQUAL(again.looked, verdict.looked);
    CU_ASSERT_EQUAL(again.count, verdict.count);
    CU_ASSERT_EQUAL(again.wrong, verdict.wrong);
    topology_verdict_print(&again, &printed);
    CU_ASSERT_STRING_EQUAL(printed.data, text.data);
    buf_release(&printed);
    for (size_t size = 0; size < text.size; size++) { /* every cut one is refused */
        char cut[1024];
        snprintf(cut, sizeof cut, "%.*s", (int)size, text.data);
        CU_ASSERT_EQUAL(topology_verdict_read(cut, &again, NULL), INVALID);
    }
    buf_clear(&text);
    verdict = (struct topology_verdict){.reason = "the broker is not the suite's own"};
    topology_verdict_print(&verdict, &text);
    CU_ASSERT_EQUAL_FATAL(topology_verdict_read(text.data, &again, NULL), OK);
    CU_ASSERT_FALSE(again.looked);
    CU_ASSERT_STRING_EQUAL(again.reason, verdict.reason);
    CU_ASSERT_EQUAL(topology_verdict_read("rubbish", &again, NULL), INVALID);
    CU_ASSERT_EQUAL(topology_verdict_read("1 1 1 1 \n9\tq\tt\n", &again, NULL), INVALID);
    buf_release(&text);
}

static struct buf wrong, notes;

static bool ready(const struct topology_verdict *given, const struct topology *table,
                  int64_t now_ms)
{
    buf_clear(&wrong);
    buf_clear(&notes);
    buf_text(&wrong, "");
    return topology_ready(given, table, now_ms, &wrong, &notes);
}

static void only_the_consumer_is_not_ready(void)
{
    broker_as_declared();
    bindings[0] = bindings[--found.binding_count];
    compare();
    CU_ASSERT_FALSE(ready(&verdict, &money, 6000));
    CU_ASSERT_STRING_EQUAL(wrong.data, "binding sale.made -> money.in is missing\n");
    CU_ASSERT_TRUE(ready(&verdict, &reader, 6000));
    CU_ASSERT_EQUAL(wrong.size, 0);
    CU_ASSERT_STRING_EQUAL(notes.data, "bindings: as declared, 1 s ago\n");
    broker_as_declared();
    exchanges[0].type = "direct";
    compare();
    CU_ASSERT_FALSE(ready(&verdict, &money, 6000));
    CU_ASSERT_FALSE(ready(&verdict, &reader, 6000));
}

static void a_surplus_is_a_warning(void)
{
    broker_as_declared();
    bindings[found.binding_count++] = (struct binding_spec){"money.in", EXCHANGE_EVENTS, "#"};
    compare();
    CU_ASSERT_TRUE(ready(&verdict, &money, 5000));
    CU_ASSERT_PTR_NOT_NULL(strstr(notes.data, "warning: binding # of warren.events -> money.in"));
}

/* The wrong thing to say would be "as declared". */
static void what_was_not_looked_at_is_not_called_right(void)
{
    broker_as_declared();
    compare();
    const struct topology_verdict blind = {.reason = "no management here", .at_mono_ms = 5000};
    static const struct {
        int64_t now_ms;
        const char *note;
    } stale[] = {{4999, "too long ago"}, {20001, "too long ago"}};
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(ready(&verdict, &money, stale[i].now_ms));
        CU_ASSERT_PTR_NOT_NULL(strstr(notes.data, stale[i].note));
        CU_ASSERT_PTR_NULL(strstr(notes.data, "as declared"));
    }
    CU_ASSERT_TRUE(ready(&verdict, &money, 20000));
    CU_ASSERT_PTR_NOT_NULL(strstr(notes.data, "as declared"));
    CU_ASSERT_TRUE(ready(&blind, &money, 5000));
    CU_ASSERT_STRING_EQUAL(notes.data, "bindings: not checked, no management here\n");
    CU_ASSERT_TRUE(ready(NULL, &money, 5000));
    CU_ASSERT_STRING_EQUAL(notes.data, "bindings: not checked, nobody looks at them\n");
    buf_release(&wrong);
    buf_release(&notes);
}

static const struct unit_case cases[] = {
    {"a broker as declared is right", a_broker_as_declared_is_right},
    {"every missing binding is found", every_missing_binding_is_found},
    {"another exchange or key is not the binding", another_exchange_or_key_is_not_the_binding},
    {"a missing queue stands for its bindings", a_missing_queue_stands_for_its_bindings},
    {"exchanges are compared with their type", exchanges_are_compared_with_their_type},
    {"what a stranger binds is judged by its queue", what_a_stranger_binds_is_judged_by_its_queue},
    {"more than are kept are counted", more_than_are_kept_are_counted},
    {"a verdict survives its file", a_verdict_survives_its_file},
    {"only the consumer is not ready", only_the_consumer_is_not_ready},
    {"a surplus is a warning", a_surplus_is_a_warning},
    {"what was not looked at is not called right", what_was_not_looked_at_is_not_called_right},
};

UNIT_MAIN("topology compare", cases)
