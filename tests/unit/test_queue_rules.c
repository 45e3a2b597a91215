/* What policies and arguments do to a queue: every key of the table, the limits and words that are compared
 * with ours, and keys that nobody knows. */
#include <stdio.h>
#include <string.h>

#include "common/messaging/bus.h"
#include "common/messaging/queue_rules.h"
#include "common/messaging/topology_compare.h"
#include "tests/unit/unit.h"

static const struct queue_spec bounded = {.name = "in", .kind = QUEUE_QUORUM, .max_length = 1000};
static const struct queue_spec plain = {.name = "in", .kind = QUEUE_QUORUM};
static const struct queue_spec stream = {
    .name = "in", .kind = QUEUE_STREAM, .max_length_bytes = 5000, .max_age = "30D"};

#define POLICY "policy p"

/* One setting, alone or beside another one. */
static const struct row {
    const struct queue_spec *queue;
    struct queue_setting setting, beside; /* beside.key NULL: alone */
    enum queue_effect effect;
} rows[] = {
    {&plain, {"in", "message-ttl", "60000", POLICY}, {0}, QUEUE_LOSES},
    {&plain, {"in", "message-ttl", "60000", NULL}, {0}, QUEUE_LOSES},
    {&plain, {"in", "expires", "60000", POLICY}, {0}, QUEUE_LOSES},
    {&plain, {"in", "max-length", "1000000", POLICY}, {0}, QUEUE_LOSES},
    {&plain, {"in", "max-length-bytes", "1000000", POLICY}, {0}, QUEUE_LOSES},
    {&plain,
     {"in", "max-length", "10", POLICY},
     {"in", "overflow", "reject-publish", POLICY},
     QUEUE_ALTERED},
    {&plain,
     {"in", "max-length", "10", POLICY},
     {"in", "overflow", "drop-head", POLICY},
     QUEUE_LOSES},
    {&plain,
     {"in", "max-length", "10", POLICY},
     {"other", "overflow", "reject-publish", POLICY},
     QUEUE_LOSES},
    /* Of a word the argument's counts, of a limit the lower one. */
    {&bounded,
     {"in", "max-length", "10", POLICY},
     {"in", "overflow", "reject-publish", NULL},
     QUEUE_ALTERED},
    {&bounded, {"in", "max-length", "1000", NULL}, {0}, QUEUE_AS_TABLED},
    {&bounded, {"in", "max-length", "2000", POLICY}, {0}, QUEUE_AS_TABLED},
    {&bounded,
     {"in", "overflow", "drop-head", POLICY},
     {"in", "overflow", "reject-publish", NULL},
     QUEUE_AS_TABLED},
    {&bounded,
     {"in", "overflow", "reject-publish", NULL},
     {"in", "overflow", "drop-head", POLICY},
     QUEUE_AS_TABLED},
    {&bounded, {"in", "overflow", "drop-head", NULL}, {0}, QUEUE_LOSES},
    {&bounded, {"in", "overflow", "reject-publish", NULL}, {0}, QUEUE_AS_TABLED},
    {&plain, {"in", "overflow", "drop-head", POLICY}, {0}, QUEUE_AS_TABLED},
    {&plain, {"in", "delivery-limit", "20", POLICY}, {0}, QUEUE_LOSES},
    {&plain, {"in", "delivery-limit", "1000000", NULL}, {0}, QUEUE_AS_TABLED},
    {&plain, {"in", "delivery-limit", "-1", POLICY}, {0}, QUEUE_AS_TABLED},
    {&plain, {"in", "dead-letter-exchange", "elsewhere", POLICY}, {0}, QUEUE_ALTERED},
    {&plain,
     {"in", "dead-letter-exchange", "elsewhere", POLICY},
     {"in", "dead-letter-exchange", EXCHANGE_DEAD, NULL},
     QUEUE_AS_TABLED},
    {&plain, {"in", "dead-letter-routing-key", "x", POLICY}, {0}, QUEUE_AS_TABLED},
    {&plain, {"in", "single-active-consumer", "true", NULL}, {0}, QUEUE_ALTERED},
    {&plain, {"in", "consumer-timeout", "1000", POLICY}, {0}, QUEUE_ALTERED},
    {&plain, {"in", "federation-upstream", "x", POLICY}, {0}, QUEUE_ALTERED},
    {&plain, {"in", "of-a-later-release", "x", POLICY}, {0}, QUEUE_ALTERED},
    {&plain, {"in", "ha-mode", "all", POLICY}, {0}, QUEUE_AS_TABLED},
    {&plain, {"in", "queue-master-locator", "min-masters", POLICY}, {0}, QUEUE_AS_TABLED},
    {&plain, {"in", "queue-leader-locator", "balanced", POLICY}, {0}, QUEUE_AS_TABLED},
    {&plain, {"in", "max-age", "1D", POLICY}, {0}, QUEUE_AS_TABLED},     /* a stream's alone */
    {&stream, {"in", "message-ttl", "1", POLICY}, {0}, QUEUE_AS_TABLED}, /* and these are not */
    {&stream, {"in", "max-length", "1", POLICY}, {0}, QUEUE_AS_TABLED},
    {&stream, {"in", "expires", "1", POLICY}, {0}, QUEUE_AS_TABLED},
    {&stream, {"in", "max-length-bytes", "4999", POLICY}, {0}, QUEUE_ALTERED},
    {&stream, {"in", "max-length-bytes", "5000", NULL}, {0}, QUEUE_AS_TABLED},
    {&stream, {"in", "max-age", "29D", POLICY}, {0}, QUEUE_ALTERED},
    {&stream, {"in", "max-age", "1M", POLICY}, {0}, QUEUE_AS_TABLED},
    {&stream, {"in", "max-age", "720h", POLICY}, {0}, QUEUE_AS_TABLED},
    {&stream, {"in", "max-age", "719h", POLICY}, {0}, QUEUE_ALTERED},
    {&stream, {"in", "max-age", "soon", POLICY}, {0}, QUEUE_ALTERED},
};

static void every_setting_has_its_effect(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        const struct queue_setting settings[] = {row->setting, row->beside};
        size_t count = row->beside.key ? 2 : 1;
        struct queue_judgement judgement = queue_judge(row->queue, settings, count, 0);
        if (judgement.effect != row->effect)
            printf("row %zu, %s: %d\n", i, row->setting.key, judgement.effect);
        CU_ASSERT_EQUAL(judgement.effect, row->effect);
        CU_ASSERT_EQUAL(judgement.what != NULL, row->effect != QUEUE_AS_TABLED);
    }
}

/* No key of the table is left to chance: each stands in a row above, or is harmless whatever it says. */
static void every_key_of_the_table_is_tried(void)
{
    const char *key;
    for (size_t n = 0; (key = queue_rule_key(n)) != NULL; n++) {
        const struct queue_setting alone = {"in", key, "1", POLICY};
        bool tried = queue_judge(&plain, &alone, 1, 0).effect == QUEUE_AS_TABLED &&
                     queue_judge(&stream, &alone, 1, 0).effect == QUEUE_AS_TABLED;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            tried = tried || strcmp(rows[i].setting.key, key) == 0;
        if (!tried && strncmp(key, "federation", 10) != 0)
            CU_FAIL(key);
    }
}

static void what_is_lacking_is_told(void)
{
    const struct queue_setting some[] = {{"in", "max-length", "1000", NULL},
                                         {"in", "delivery-limit", "1000000", NULL}};
    CU_ASSERT_STRING_EQUAL(queue_lacks(&bounded, some, 2, 0), "overflow");
    CU_ASSERT_STRING_EQUAL(queue_lacks(&bounded, some, 2, 1), "dead-letter-exchange");
    CU_ASSERT_PTR_NULL(queue_lacks(&bounded, some, 2, 2));
    CU_ASSERT_STRING_EQUAL(queue_lacks(&stream, some, 2, 0), "max-age");
    CU_ASSERT_STRING_EQUAL(queue_lacks(&stream, some, 2, 1), "max-length-bytes");
    CU_ASSERT_PTR_NULL(queue_lacks(&plain, some, 2, 1));
}

/* --- as part of a look at the whole broker ------------------------------------------------------------ */

static const struct queue_spec shop_queues[] = {{.name = "in", .kind = QUEUE_QUORUM}};
static const struct topology shop = {.service = "shop", .queues = shop_queues, .queue_count = 1};
static const struct topology other = {.service = "other"};

static void look(const struct queue_setting *settings, size_t count,
                 struct topology_verdict *verdict)
{
    static const char *const queues[] = {"in", QUEUE_DEAD, "strangers"};
    const struct topology_found found = {.exchanges = topology_exchanges,
                                         .exchange_count = topology_exchange_count,
                                         .queues = queues,
                                         .queue_count = 3,
                                         .bindings = topology_common.bindings,
                                         .binding_count = topology_common.binding_count,
                                         .settings = settings,
                                         .setting_count = count};
    *verdict = (struct topology_verdict){.looked = true, .at_mono_ms = 5000};
    topology_compare(&(const struct topology *){&shop}, 1, &found, verdict);
}

#define AS_DECLARED                                                                                \
    {"in", "queue-type", "quorum", NULL}, {"in", "delivery-limit", "1000000", NULL},               \
        {"in", "dead-letter-exchange", EXCHANGE_DEAD, NULL},                                       \
        {QUEUE_DEAD, "queue-type", "quorum", NULL},                                                \
    {                                                                                              \
        QUEUE_DEAD, "delivery-limit", "1000000", NULL                                              \
    }

static void a_lossy_queue_concerns_everybody(void)
{
    const struct queue_setting settings[] = {AS_DECLARED,
                                             {"in", "message-ttl", "60000", "policy\tshort\n"},
                                             {"strangers", "message-ttl", "1", "policy short"}};
    struct topology_verdict verdict, again;
    struct buf wrong = {0}, notes = {0}, text = {0};
    look(settings, 7, &verdict);
    CU_ASSERT_EQUAL(verdict.wrong, 1);
    CU_ASSERT_EQUAL_FATAL(verdict.count, 1);
    CU_ASSERT_EQUAL(verdict.findings[0].fault, TOPOLOGY_LOSSY);
    CU_ASSERT_STRING_EQUAL(
        verdict.findings[0].text,
        "queue in has message-ttl 60000 by policy?short?: messages expire unheard");
    CU_ASSERT_FALSE(topology_ready(&verdict, &other, 5000, &wrong, &notes));
    topology_verdict_print(&verdict, &text);
    CU_ASSERT_EQUAL_FATAL(topology_verdict_read(text.data, &again, NULL), OK);
    CU_ASSERT_STRING_EQUAL(again.findings[0].text, verdict.findings[0].text);
    buf_release(&wrong);
    buf_release(&notes);
    buf_release(&text);
}

static void an_altered_queue_is_a_warning_to_its_consumer(void)
{
    const struct queue_setting settings[] = {AS_DECLARED,
                                             {"in", "consumer-timeout", "1000", "policy p"}};
    struct topology_verdict verdict;
    struct buf wrong = {0}, notes = {0};
    look(settings, 6, &verdict);
    CU_ASSERT_EQUAL(verdict.wrong, 0);
    CU_ASSERT_EQUAL_FATAL(verdict.count, 1);
    CU_ASSERT_EQUAL(verdict.findings[0].fault, TOPOLOGY_ALTERED);
    CU_ASSERT_TRUE(topology_ready(&verdict, &shop, 5000, &wrong, &notes));
    CU_ASSERT_PTR_NOT_NULL(strstr(notes.data, "warning: queue in has consumer-timeout 1000"));
    buf_release(&wrong);
    buf_release(&notes);
}

static void a_queue_of_another_type_is_another_queue(void)
{
    const struct queue_setting settings[] = {{"in", "queue-type", "classic", NULL}};
    struct topology_verdict verdict;
    look(settings, 1, &verdict);
    CU_ASSERT_EQUAL(verdict.wrong, 1);
    CU_ASSERT_EQUAL(verdict.findings[0].fault, TOPOLOGY_OTHER);
    CU_ASSERT_STRING_EQUAL(verdict.findings[0].text, "queue in is of type classic, not quorum");
}

/* The wrong thing to say would be that it lacks everything. */
static void settings_that_were_not_looked_at_are_not_judged(void)
{
    struct topology_verdict verdict;
    look(NULL, 0, &verdict);
    CU_ASSERT_EQUAL(verdict.count, 0);
}

static const struct unit_case cases[] = {
    {"every setting has its effect", every_setting_has_its_effect},
    {"every key of the table is tried", every_key_of_the_table_is_tried},
    {"what is lacking is told", what_is_lacking_is_told},
    {"a lossy queue concerns everybody", a_lossy_queue_concerns_everybody},
    {"an altered queue is a warning to its consumer",
     an_altered_queue_is_a_warning_to_its_consumer},
    {"a queue of another type is another queue", a_queue_of_another_type_is_another_queue},
    {"settings that were not looked at are not judged",
     settings_that_were_not_looked_at_are_not_judged},
};

UNIT_MAIN("queue rules", cases)
