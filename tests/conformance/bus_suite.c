#include "tests/conformance/bus_suite.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/bus_suite_loss.h"
#include "tests/conformance/ear.h"
#include "tests/unit/unit.h"

static const struct queue_spec queues[] = {
    {.name = SUITE_WORK, .kind = QUEUE_QUORUM, .prefetch = 100},
    {.name = SUITE_FULL, .kind = QUEUE_QUORUM, .max_length = 3, .prefetch = 100},
    {.name = SUITE_LOG, .kind = QUEUE_STREAM, .max_length_bytes = 100000000, .prefetch = 100},
};
static const struct binding_spec bindings[] = {
    {SUITE_WORK, EXCHANGE_COMMANDS, SUITE_WORK},
    {SUITE_FULL, EXCHANGE_COMMANDS, SUITE_FULL},
    {SUITE_LOG, EXCHANGE_EVENTS, "#"},
};
const struct topology suite_topology = {
    .service = "suite",
    .queues = queues,
    .queue_count = sizeof queues / sizeof queues[0],
    .bindings = bindings,
    .binding_count = sizeof bindings / sizeof bindings[0],
};

static struct ear *begin(void)
{
    ear_fixture->reset(ear_fixture->self);
    return ear_new(NULL);
}

static void it_comes_up(void)
{
    struct ear *ear = begin();
    CU_ASSERT_EQUAL(ear_try(ear, EXCHANGE_COMMANDS, SUITE_WORK, "early", 0), RETRY);
    CU_ASSERT_EQUAL(bus_ack(ear->bus, 1), RETRY);
    ear_until_up(ear);
    CU_ASSERT_EQUAL(ear->ups, 1);
    CU_ASSERT_EQUAL(ear->downs, 0);
    ear_free(ear);
}

static void a_publish_is_confirmed_and_delivered(void)
{
    struct ear *ear = begin();
    ear_subscribe(ear, SUITE_WORK, 10);
    ear_until_up(ear);
    ear_fill(ear, 1);
    ear_until_delivered(ear, 1);
    const struct ear_delivery *got = &ear->deliveries[0];
    CU_ASSERT_STRING_EQUAL(got->queue, SUITE_WORK);
    CU_ASSERT_STRING_EQUAL(got->id, "work-0");
    CU_ASSERT_STRING_EQUAL(got->key, SUITE_WORK);
    CU_ASSERT_STRING_EQUAL(got->body, "work-0");
    CU_ASSERT_EQUAL(got->offset, -1);
    CU_ASSERT_NOT_EQUAL(got->tag, 0);
    CU_ASSERT_FALSE(got->redelivered);
    CU_ASSERT_EQUAL(ear->times[0], 1);
    ear_free(ear);
}

/* Every third goes nowhere, and two of those share an id with one that arrives. */
static void the_unroutable_comes_back(void)
{
    struct ear *ear = begin();
    ear_until_up(ear);
    for (uint64_t i = 0; i < 30; i++) {
        char id[EAR_ID];
        snprintf(id, sizeof id, "mixed-%d", (int)(i / 2));
        ear_say(ear, EXCHANGE_COMMANDS, i % 3 == 2 ? "suite.nowhere" : SUITE_WORK, id, i);
        ear_turn(ear);
    }
    ear_until_settled(ear, 30);
    CU_ASSERT_EQUAL(ear->fates[FATE_RETURNED], 10);
    CU_ASSERT_EQUAL(ear->fates[FATE_CONFIRMED], 20);
    ear_free(ear);
}

static void returns_name_their_publish(void)
{
    struct ear *ear = begin();
    ear_until_up(ear);
    for (uint64_t i = 0; i < 60; i++) {
        char id[EAR_ID];
        snprintf(id, sizeof id, "single-%d", (int)i);
        ear_say(ear, EXCHANGE_COMMANDS, i % 3 == 2 ? "suite.nowhere" : SUITE_WORK, id, i);
    }
    ear_until_settled(ear, 60);
    for (uint64_t i = 0; i < 60; i++) {
        CU_ASSERT_EQUAL(ear->times[i], 1);
        CU_ASSERT_EQUAL(ear->fate[i], i % 3 == 2 ? FATE_RETURNED : FATE_CONFIRMED);
    }
    ear_free(ear);
}

static void a_full_queue_refuses(void)
{
    struct ear *ear = begin();
    ear_until_up(ear);
    for (uint64_t i = 0; i < 100; i++) {
        ear_say(ear, EXCHANGE_COMMANDS, SUITE_FULL, "much", i);
        if (i < 10) /* a quorum queue notices late */
            ear_until_settled(ear, i + 1);
    }
    ear_until_settled(ear, 100);
    CU_ASSERT_TRUE(ear->fates[FATE_CONFIRMED] >= 3);
    CU_ASSERT_TRUE(ear->fates[FATE_NACKED] >= 50);
    CU_ASSERT_EQUAL(ear->fates[FATE_NACKED] + ear->fates[FATE_CONFIRMED], 100);
    CU_ASSERT_EQUAL(ear->fate[0], FATE_CONFIRMED);
    CU_ASSERT_EQUAL(ear->fate[99], FATE_NACKED);
    ear_free(ear);
}

static void order_is_kept(void)
{
    enum { MANY = 2500 };
    struct ear *ear = begin();
    ear_subscribe(ear, SUITE_WORK, MANY);
    ear_until_up(ear);
    ear_fill(ear, MANY);
    ear_until_delivered(ear, MANY);
    for (size_t i = 0; i < MANY; i++) {
        char id[EAR_ID];
        snprintf(id, sizeof id, "work-%zu", i);
        CU_ASSERT_STRING_EQUAL(ear->deliveries[i].id, id);
        CU_ASSERT_TRUE(i == 0 || ear->deliveries[i].tag > ear->deliveries[i - 1].tag);
        CU_ASSERT_EQUAL(ear->times[i], 1);
    }
    ear_free(ear);
}

static void prefetch_bounds(void)
{
    struct ear *ear = begin();
    ear_subscribe(ear, SUITE_WORK, 5);
    ear_until_up(ear);
    ear_fill(ear, 20);
    ear_until_delivered(ear, 5);
    ear_quiet(ear);
    CU_ASSERT_EQUAL(ear->delivered, 5);
    CU_ASSERT_EQUAL(bus_ack(ear->bus, ear->deliveries[2].tag), OK);
    ear_until_delivered(ear, 8);
    ear_quiet(ear);
    CU_ASSERT_EQUAL(ear->delivered, 8);
    CU_ASSERT_EQUAL(bus_ack(ear->bus, ear->deliveries[2].tag), OK); /* again: nothing */
    CU_ASSERT_EQUAL(bus_ack(ear->bus, ear->deliveries[7].tag), OK);
    ear_until_delivered(ear, 13);
    CU_ASSERT_EQUAL(ear->downs, 0);
    ear_free(ear);
}

static void an_ack_covers_all_before_it(void)
{
    struct ear *ear = begin();
    ear_subscribe(ear, SUITE_WORK, 100);
    ear_until_up(ear);
    ear_fill(ear, 20);
    ear_until_delivered(ear, 20);
    CU_ASSERT_EQUAL(bus_ack(ear->bus, ear->deliveries[11].tag), OK);
    ear_quiet(ear);
    ear_free(ear);

    ear = ear_new(NULL);
    ear_subscribe(ear, SUITE_WORK, 100);
    ear_until_up(ear);
    ear_until_delivered(ear, 8);
    ear_quiet(ear);
    CU_ASSERT_EQUAL(ear->delivered, 8);
    CU_ASSERT_STRING_EQUAL(ear->deliveries[0].id, "work-12");
    CU_ASSERT_STRING_EQUAL(ear->deliveries[7].id, "work-19");
    for (size_t i = 0; i < ear->delivered; i++)
        CU_ASSERT_TRUE(ear->deliveries[i].redelivered);
    ear_free(ear);
}

static void the_window_is_bounded(void)
{
    struct ear *ear = begin();
    ear_until_up(ear);
    size_t sent = 0;
    while (sent < EAR_TOKENS && ear_try(ear, EXCHANGE_COMMANDS, SUITE_WORK, "w", sent) == OK)
        sent++;
    CU_ASSERT_TRUE(sent > 0);
    CU_ASSERT_TRUE(sent <= ear_fixture->window);
    ear_until_settled(ear, sent);
    CU_ASSERT_EQUAL(ear->fates[FATE_CONFIRMED], sent);
    CU_ASSERT_EQUAL(ear_try(ear, EXCHANGE_COMMANDS, SUITE_WORK, "w", 0), OK);
    ear_until_settled(ear, sent + 1);
    ear_free(ear);
}

static void the_listener_may_publish_and_ack(void)
{
    struct ear *ear = begin();
    ear_subscribe(ear, SUITE_WORK, 10);
    ear_until_up(ear);
    ear->echo = SUITE_FULL;
    ear_fill(ear, 30);
    ear_until_delivered(ear, 30);
    ear_until_settled(ear, 30 + ear->echoed);
    CU_ASSERT_EQUAL(ear->echoed, 30);
    CU_ASSERT_TRUE(ear->fates[FATE_CONFIRMED] >= 33);
    ear_free(ear);
}

static void say_facts(struct ear *ear, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        char id[EAR_ID];
        snprintf(id, sizeof id, "fact-%zu", i);
        ear_say(ear, EXCHANGE_EVENTS, "suite.fact", id, i);
    }
    ear_until_settled(ear, to);
}

static void a_stream_is_read_from_anywhere(void)
{
    struct ear *next = begin();
    ear_follow(next, OFFSET_NEXT);
    ear_until_up(next);
    say_facts(next, 0, 20);
    ear_until_delivered(next, 20);
    CU_ASSERT_EQUAL(bus_ack(next->bus, next->deliveries[19].tag), OK);
    CU_ASSERT_STRING_EQUAL(next->deliveries[0].id, "fact-0");
    CU_ASSERT_STRING_EQUAL(next->deliveries[0].key, "suite.fact");
    for (size_t i = 1; i < 20; i++)
        CU_ASSERT_TRUE(next->deliveries[i].offset > next->deliveries[i - 1].offset);

    struct ear *exact = ear_new(NULL);
    ear_follow(exact, next->deliveries[7].offset);
    ear_until_up(exact);
    ear_until_delivered(exact, 13);
    CU_ASSERT_STRING_EQUAL(exact->deliveries[0].id, "fact-7");
    CU_ASSERT_EQUAL(exact->deliveries[0].offset, next->deliveries[7].offset);
    CU_ASSERT_STRING_EQUAL(exact->deliveries[12].id, "fact-19");

    struct ear *first = ear_new(NULL);
    ear_follow(first, OFFSET_FIRST);
    ear_until_up(first);
    ear_until_delivered(first, 20);
    CU_ASSERT_TRUE(first->deliveries[0].offset <= next->deliveries[0].offset);

    struct ear *early = ear_new(NULL);
    ear_follow(early, next->deliveries[19].offset + 10);
    ear_until_up(early);
    say_facts(next, 20, 40);
    ear_until_delivered(early, 1);
    CU_ASSERT_TRUE(early->deliveries[0].offset >= next->deliveries[19].offset + 10);
    ear_free(early);
    ear_free(first);
    ear_free(exact);
    ear_free(next);
}

static void without_confirms_all_is_well(void)
{
    struct switches switches = switches_all_on();
    switches.confirms = false;
    ear_fixture->reset(ear_fixture->self);
    struct ear *ear = ear_new(&switches);
    ear_until_up(ear);
    ear_say(ear, EXCHANGE_COMMANDS, "suite.nowhere", "lost", 0);
    ear_say(ear, EXCHANGE_COMMANDS, SUITE_WORK, "kept", 1);
    CU_ASSERT_EQUAL(ear->settled, 0);
    bus_pump(ear->bus);
    CU_ASSERT_EQUAL(ear->settled, 2);
    CU_ASSERT_EQUAL(ear->fates[FATE_CONFIRMED], 2);
    ear_free(ear);
}

static void without_mandatory_the_unroutable_vanishes(void)
{
    struct switches switches = switches_all_on();
    switches.mandatory = false;
    ear_fixture->reset(ear_fixture->self);
    struct ear *ear = ear_new(&switches);
    ear_until_up(ear);
    ear_say(ear, EXCHANGE_COMMANDS, "suite.nowhere", "lost", 0);
    ear_until_settled(ear, 1);
    CU_ASSERT_EQUAL(ear->fate[0], FATE_CONFIRMED);
    ear_free(ear);
}

static const struct unit_case cases[] = {
    {"it comes up", it_comes_up},
    {"a publish is confirmed and delivered", a_publish_is_confirmed_and_delivered},
    {"the unroutable comes back", the_unroutable_comes_back},
    {"returns name their publish", returns_name_their_publish},
    {"a full queue refuses", a_full_queue_refuses},
    {"order is kept", order_is_kept},
    {"prefetch bounds", prefetch_bounds},
    {"an ack covers all before it", an_ack_covers_all_before_it},
    {"the window is bounded", the_window_is_bounded},
    {"the listener may publish and ack", the_listener_may_publish_and_ack},
    {"a stream is read from anywhere", a_stream_is_read_from_anywhere},
    {"without confirms all is well", without_confirms_all_is_well},
    {"without mandatory the unroutable vanishes", without_mandatory_the_unroutable_vanishes},
    {"an alarm blocks publishers", suite_alarm_blocks_publishers},
    {"a stream goes on where it was told", suite_stream_goes_on},
    {"it connects anew when asked", suite_reconnect_on_demand},
    {"a loss voids tags and tokens", suite_loss_voids_tags_and_tokens},
};

int bus_suite_run(const char *name, const struct bus_fixture *fixture)
{
    ear_fixture = fixture;
    return unit_run(name, cases, sizeof cases / sizeof cases[0]);
}
