/* The in-process broker: what it does by itself, and what only a chooser makes it do. What it has
 * in common with AMQP is in the conformance suite. */
#include <string.h>

#include "common/messaging/memory_bus.h"
#include "tests/unit/unit.h"

#define MANY 64

struct ear {
    struct bus *bus;
    int ups, downs, blocked, settled;
    int fates[3];
    uint64_t order[MANY];
    int deliveries;
    char ids[MANY][16];
    bool redelivered[MANY];
    int64_t offsets[MANY];
    uint64_t last_tag;
};

static void hear_delivery(struct ear *ear, const struct bus_delivery *delivery)
{
    snprintf(ear->ids[ear->deliveries], sizeof ear->ids[0], "%s", delivery->message_id);
    ear->redelivered[ear->deliveries] = delivery->redelivered;
    ear->offsets[ear->deliveries] = delivery->offset;
    ear->last_tag = delivery->tag;
    ear->deliveries++;
}

static void hear(void *context, const struct bus_event *event)
{
    struct ear *ear = context;
    ear->ups += event->kind == BUS_UP;
    ear->downs += event->kind == BUS_DOWN;
    ear->blocked += event->kind == BUS_BLOCKED;
    if (event->kind == BUS_DELIVERY)
        hear_delivery(ear, event->delivery);
    if (event->kind != BUS_SETTLED)
        return;
    ear->order[ear->settled++] = event->token;
    ear->fates[event->fate]++;
}

static const struct queue_spec queues[] = {
    {.name = "work", .kind = QUEUE_QUORUM, .max_length = 3, .prefetch = 10},
    {.name = "log", .kind = QUEUE_STREAM, .prefetch = 10},
    {.name = "money", .kind = QUEUE_QUORUM, .prefetch = 10},
};
static const struct binding_spec bindings[] = {
    {"work", EXCHANGE_COMMANDS, "order.*"},
    {"log", EXCHANGE_EVENTS, "#"},
    {"money", EXCHANGE_EVENTS, "payment.*"},
};
static const struct topology table = {.service = "test",
                                      .queues = queues,
                                      .queue_count = 3,
                                      .bindings = bindings,
                                      .binding_count = 3};
static const struct topology *const tables[] = {&table};

/* Which fault happens, always; MEMORY_FAULT_COUNT: none. */
static enum memory_fault wanted = MEMORY_FAULT_COUNT;
static uint64_t wanted_answer;

static uint64_t choose(void *context, enum memory_fault fault, uint64_t of)
{
    (void)context;
    return fault == wanted && wanted_answer < of ? wanted_answer : 0;
}

static struct memory_broker *broker;

static void start(void)
{
    wanted = MEMORY_FAULT_COUNT;
    broker = memory_broker_new(tables, 1);
    memory_broker_choose(broker, &(struct memory_chooser){choose, NULL});
}

static void open_ear(struct ear *ear, const char *queue, int prefetch, int64_t offset)
{
    *ear = (struct ear){0};
    struct switches switches = switches_all_on();
    ear->bus = memory_bus_new(broker, &switches);
    bus_listen(ear->bus, hear, ear);
    struct bus_subscription subscription = {.queue = queue,
                                            .prefetch = prefetch,
                                            .stream = queue && strcmp(queue, "log") == 0,
                                            .from_offset = offset};
    if (queue)
        CU_ASSERT_EQUAL(bus_subscribe(ear->bus, &subscription, NULL), OK);
    bus_pump(ear->bus);
}

static enum result send(struct ear *ear, const char *exchange, const char *key, const char *id,
                        uint64_t token)
{
    struct bus_message message = {.exchange = exchange,
                                  .routing_key = key,
                                  .id = id,
                                  .traceparent = "",
                                  .body = "{}",
                                  .size = 2};
    return bus_publish(ear->bus, &message, token);
}

static void test_unacknowledged_returns_in_place(void)
{
    struct ear one, two;
    start();
    open_ear(&one, "work", 2, 0);
    CU_ASSERT_EQUAL(one.ups, 1);
    CU_ASSERT_EQUAL(send(&one, EXCHANGE_COMMANDS, "order.a", "a", 1), OK);
    CU_ASSERT_EQUAL(send(&one, EXCHANGE_COMMANDS, "order.b", "b", 2), OK);
    CU_ASSERT_EQUAL(send(&one, EXCHANGE_COMMANDS, "order.c", "c", 3), OK);
    bus_pump(one.bus);
    CU_ASSERT_EQUAL(one.fates[FATE_CONFIRMED], 3);
    CU_ASSERT_EQUAL(one.deliveries, 2); /* the prefetch */
    bus_free(one.bus);
    open_ear(&two, "work", 10, 0);
    bus_pump(two.bus);
    CU_ASSERT_EQUAL(two.deliveries, 3);
    CU_ASSERT_STRING_EQUAL(two.ids[0], "a");
    CU_ASSERT_STRING_EQUAL(two.ids[1], "b");
    CU_ASSERT_STRING_EQUAL(two.ids[2], "c");
    CU_ASSERT_TRUE(two.redelivered[0] && two.redelivered[1] && !two.redelivered[2]);
    CU_ASSERT_EQUAL(bus_ack(two.bus, two.last_tag), OK);
    bus_pump(two.bus);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "work"), 0);
    bus_free(two.bus);
    memory_broker_free(broker);
}

static void test_return_and_reject(void)
{
    struct ear ear;
    start();
    open_ear(&ear, NULL, 0, 0);
    CU_ASSERT_EQUAL(send(&ear, EXCHANGE_COMMANDS, "nobody.cares", "x", 1), OK);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(ear.fates[FATE_RETURNED], 1);
    for (uint64_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(send(&ear, EXCHANGE_COMMANDS, "order.a", "a", i), OK);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(ear.fates[FATE_CONFIRMED], 3); /* max_length */
    CU_ASSERT_EQUAL(ear.fates[FATE_NACKED], 1);
    memory_broker_unbind(broker, "work");
    CU_ASSERT_EQUAL(send(&ear, EXCHANGE_COMMANDS, "order.a", "a", 9), OK);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(ear.fates[FATE_RETURNED], 2);
    bus_free(ear.bus);
    memory_broker_free(broker);
}

static void test_a_drop_loses_what_was_in_flight(void)
{
    struct ear ear;
    start();
    open_ear(&ear, NULL, 0, 0);
    for (uint64_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(send(&ear, EXCHANGE_EVENTS, "order.placed", "a", i), OK);
    wanted = MEMORY_CUT;
    wanted_answer = 1;
    memory_bus_drop(ear.bus);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(ear.downs, 1);
    CU_ASSERT_EQUAL(ear.settled, 0);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "log"), 2);
    CU_ASSERT_EQUAL(memory_broker_happened(broker)->publishes_lost, 1);
    CU_ASSERT_EQUAL(memory_broker_happened(broker)->confirms_lost, 2);
    CU_ASSERT_EQUAL(send(&ear, EXCHANGE_EVENTS, "order.placed", "a", 7), RETRY);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(ear.ups, 2);
    bus_free(ear.bus);
    memory_broker_free(broker);
}

static void test_without_confirms_a_loss_is_silent(void)
{
    struct ear ear = {0};
    struct switches switches = switches_all_on();
    CU_ASSERT_EQUAL(switches_turn_off(&switches, "confirms", NULL), OK);
    start();
    ear.bus = memory_bus_new(broker, &switches);
    bus_listen(ear.bus, hear, &ear);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(send(&ear, EXCHANGE_EVENTS, "order.placed", "a", 1), OK);
    wanted = MEMORY_CUT;
    wanted_answer = 1;
    memory_bus_drop(ear.bus);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(ear.fates[FATE_CONFIRMED], 1);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "log"), 0);
    bus_free(ear.bus);
    memory_broker_free(broker);
}

static void test_a_cut_stream_begins_later(void)
{
    struct ear writer, reader, slow;
    start();
    open_ear(&writer, NULL, 0, 0);
    open_ear(&slow, "log", 1, OFFSET_FIRST);
    for (uint64_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(send(&writer, EXCHANGE_EVENTS, "order.placed", "a", i), OK);
    bus_pump(writer.bus);
    bus_pump(slow.bus);
    CU_ASSERT_EQUAL(slow.offsets[0], 0);
    memory_broker_cut(broker, "log", 2);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "log"), 3);
    open_ear(&reader, "log", 2, OFFSET_FIRST);
    bus_pump(reader.bus);
    CU_ASSERT_EQUAL(reader.deliveries, 2);
    CU_ASSERT_EQUAL(reader.offsets[0], 2);
    CU_ASSERT_EQUAL(bus_ack(slow.bus, slow.last_tag), OK); /* what was not sent yet is gone */
    bus_pump(slow.bus);
    CU_ASSERT_EQUAL(slow.offsets[1], 2);
    memory_broker_cut(broker, "log", 99);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "log"), 0);
    bus_free(slow.bus);
    bus_free(reader.bus);
    bus_free(writer.bus);
    memory_broker_free(broker);
}

static void test_a_stream_resumes_at_an_offset(void)
{
    struct ear writer, reader;
    start();
    open_ear(&writer, NULL, 0, 0);
    wanted = MEMORY_SKIP_OFFSET; /* offsets are not dense, but begin with 0 */
    wanted_answer = 1;
    for (uint64_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(send(&writer, EXCHANGE_EVENTS, "order.placed", "a", i), OK);
    bus_pump(writer.bus);
    open_ear(&reader, "log", 2, 1);
    bus_pump(reader.bus);
    CU_ASSERT_EQUAL(reader.deliveries, 2);
    CU_ASSERT_EQUAL(reader.offsets[0], 2);
    CU_ASSERT_EQUAL(reader.offsets[1], 4);
    CU_ASSERT_EQUAL(bus_ack(reader.bus, reader.last_tag), OK);
    bus_pump(reader.bus);
    CU_ASSERT_EQUAL(reader.deliveries, 3);
    CU_ASSERT_EQUAL(reader.offsets[2], 6);
    bus_free(reader.bus);
    open_ear(&reader, "log", 2, OFFSET_NEXT);
    bus_pump(reader.bus);
    CU_ASSERT_EQUAL(reader.deliveries, 0);
    bus_free(reader.bus);
    bus_free(writer.bus);
    memory_broker_free(broker);
}

static void test_confirms_come_out_of_order(void)
{
    struct ear ear;
    start();
    open_ear(&ear, NULL, 0, 0);
    for (uint64_t i = 1; i <= 2; i++)
        CU_ASSERT_EQUAL(send(&ear, EXCHANGE_EVENTS, "order.placed", "a", i), OK);
    wanted = MEMORY_SWAP_CONFIRM;
    wanted_answer = 1;
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(ear.settled, 2);
    CU_ASSERT_EQUAL(ear.order[0], 2);
    CU_ASSERT_EQUAL(ear.order[1], 1);
    bus_free(ear.bus);
    memory_broker_free(broker);
}

static void test_an_alarm_holds_publishers(void)
{
    struct ear ear;
    start();
    open_ear(&ear, NULL, 0, 0);
    memory_broker_block(broker, true);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(ear.blocked, 1);
    CU_ASSERT_EQUAL(send(&ear, EXCHANGE_EVENTS, "order.placed", "a", 1), RETRY);
    memory_broker_block(broker, false);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(send(&ear, EXCHANGE_EVENTS, "order.placed", "a", 1), OK);
    bus_free(ear.bus);
    memory_broker_free(broker);
}

static void test_an_acknowledgement_can_be_lost(void)
{
    struct ear ear;
    start();
    open_ear(&ear, "work", 10, 0);
    CU_ASSERT_EQUAL(send(&ear, EXCHANGE_COMMANDS, "order.a", "a", 1), OK);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(bus_ack(ear.bus, ear.last_tag), OK);
    wanted = MEMORY_CUT;
    wanted_answer = 1;
    memory_bus_drop(ear.bus);
    bus_pump(ear.bus);
    bus_pump(ear.bus);
    bus_pump(ear.bus);
    CU_ASSERT_EQUAL(ear.deliveries, 2);
    CU_ASSERT_TRUE(ear.redelivered[1]);
    CU_ASSERT_EQUAL(memory_broker_happened(broker)->acks_lost, 1);
    bus_free(ear.bus);
    memory_broker_free(broker);
}

static uint64_t confirmed_of(struct ear *ear, const char *key, uint64_t token)
{
    int before = ear->fates[FATE_CONFIRMED];
    CU_ASSERT_EQUAL(send(ear, EXCHANGE_EVENTS, key, "a", token), OK);
    bus_pump(ear->bus);
    CU_ASSERT_EQUAL(ear->fates[FATE_CONFIRMED], before + 1);
    return memory_broker_vanished(broker, "money");
}

/* Confirmed, in the log, and not where somebody waits for it. */
static void test_a_confirmed_message_vanishes(void)
{
    struct ear ear;
    start();
    open_ear(&ear, NULL, 0, 0);
    wanted = MEMORY_VANISH;
    wanted_answer = 1;
    CU_ASSERT_EQUAL(confirmed_of(&ear, "payment.captured", 1), 0);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "money"), 1); /* not one that may lose */
    memory_broker_may_lose(broker, "money");
    CU_ASSERT_EQUAL(confirmed_of(&ear, "payment.captured", 2), 1);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "money"), 1);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "log"), 2);
    bus_free(ear.bus);
    memory_broker_free(broker);
}

static void test_an_unbound_queue_misses_facts(void)
{
    struct ear ear;
    start();
    open_ear(&ear, NULL, 0, 0);
    memory_broker_unbind(broker, "money");
    CU_ASSERT_EQUAL(confirmed_of(&ear, "order.placed", 1), 0);
    CU_ASSERT_EQUAL(confirmed_of(&ear, "payment.captured", 2), 1);
    memory_broker_rebind(broker, "money");
    CU_ASSERT_EQUAL(confirmed_of(&ear, "payment.captured", 3), 1);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "money"), 1);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "log"), 3);
    bus_free(ear.bus);
    memory_broker_free(broker);
}

static const struct unit_case cases[] = {
    {"unacknowledged messages return in place", test_unacknowledged_returns_in_place},
    {"returns and rejects", test_return_and_reject},
    {"a drop loses what was in flight", test_a_drop_loses_what_was_in_flight},
    {"without confirms a loss is silent", test_without_confirms_a_loss_is_silent},
    {"a cut stream begins later", test_a_cut_stream_begins_later},
    {"a stream resumes at an offset", test_a_stream_resumes_at_an_offset},
    {"confirms come out of order", test_confirms_come_out_of_order},
    {"an alarm holds publishers", test_an_alarm_holds_publishers},
    {"an acknowledgement can be lost", test_an_acknowledgement_can_be_lost},
    {"a confirmed message vanishes", test_a_confirmed_message_vanishes},
    {"an unbound queue misses facts", test_an_unbound_queue_misses_facts},
};
UNIT_MAIN("memory bus", cases)
