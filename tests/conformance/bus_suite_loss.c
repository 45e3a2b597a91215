#include "tests/conformance/bus_suite_loss.h"

#include <CUnit/Basic.h>
#include <stdio.h>

#include "tests/conformance/ear.h"

static struct ear *begin(void)
{
    ear_fixture->reset(ear_fixture->self);
    return ear_new(NULL);
}

/* The broker says so only after a publish that it did not take. */
void suite_alarm_blocks_publishers(void)
{
    struct ear *ear = begin();
    ear_until_up(ear);
    ear_fill(ear, 1);
    ear_fixture->block(ear_fixture->self, true);
    uint64_t sent = 1;
    int64_t end = ear_fixture->now_ms(ear_fixture->self) + ear_fixture->patience_ms;
    while (!ear->blocked && ear_fixture->now_ms(ear_fixture->self) < end) {
        if (sent < 100 && ear_try(ear, EXCHANGE_COMMANDS, SUITE_WORK, "held", sent) == OK)
            sent++;
        ear_turn(ear);
    }
    CU_ASSERT_TRUE(ear->blocked);
    CU_ASSERT_EQUAL(ear_try(ear, EXCHANGE_COMMANDS, SUITE_WORK, "held", 0), RETRY);
    ear_fixture->block(ear_fixture->self, false);
    ear_until_settled(ear, sent);
    CU_ASSERT_EQUAL(ear->fates[FATE_CONFIRMED], sent);
    CU_ASSERT_FALSE(ear->blocked);
    CU_ASSERT_EQUAL(ear->downs, 0);
    ear_free(ear);
}

void suite_loss_voids_tags_and_tokens(void)
{
    struct ear *ear = begin();
    ear_subscribe(ear, SUITE_WORK, 10);
    ear_until_up(ear);
    ear_fill(ear, 10);
    ear_until_delivered(ear, 10);
    CU_ASSERT_EQUAL(bus_ack(ear->bus, ear->deliveries[3].tag), OK);
    ear_quiet(ear);
    uint64_t stale = ear->deliveries[9].tag;

    ear_fixture->kill(ear_fixture->self);
    for (uint64_t i = 100; i < 110; i++)
        (void)!ear_try(ear, EXCHANGE_COMMANDS, SUITE_WORK, "in-flight", i);
    ear_until_down(ear);
    CU_ASSERT_EQUAL(ear->downs, 1);
    CU_ASSERT_STRING_NOT_EQUAL(ear->reason, "");
    CU_ASSERT_EQUAL(ear_try(ear, EXCHANGE_COMMANDS, SUITE_WORK, "down", 200), RETRY);
    CU_ASSERT_EQUAL(bus_ack(ear->bus, stale), RETRY);

    size_t settled = ear->settled;
    size_t before = ear->delivered;
    ear_fixture->revive(ear_fixture->self);
    ear_until_up(ear);
    CU_ASSERT_EQUAL(bus_ack(ear->bus, stale), RETRY);
    ear_until_delivered(ear, before + 6);
    CU_ASSERT_EQUAL(ear->settled, settled); /* what was in flight has no fate */
    for (size_t i = 0; i < 6; i++) {
        char id[EAR_ID];
        snprintf(id, sizeof id, "work-%zu", i + 4);
        CU_ASSERT_STRING_EQUAL(ear->deliveries[before + i].id, id);
        CU_ASSERT_TRUE(ear->deliveries[before + i].redelivered);
        CU_ASSERT_TRUE(ear->deliveries[before + i].tag > stale);
    }
    CU_ASSERT_EQUAL(bus_ack(ear->bus, ear->deliveries[before + 5].tag), OK);
    ear_say(ear, EXCHANGE_COMMANDS, SUITE_WORK, "after", 300);
    ear_until_settled(ear, settled + 1);
    CU_ASSERT_EQUAL(ear->times[300], 1);
    ear_free(ear);
}

void suite_reconnect_on_demand(void)
{
    struct ear *ear = begin();
    ear_subscribe(ear, SUITE_WORK, 10);
    bus_reconnect(ear->bus); /* down as it is, that changes nothing */
    ear_until_up(ear);
    ear_fill(ear, 3);
    ear_until_delivered(ear, 3);
    int downs = ear->downs;
    bus_reconnect(ear->bus);
    ear_until_down(ear);
    ear_until_up(ear);
    ear_until_delivered(ear, 6);
    CU_ASSERT_EQUAL(ear->downs, downs + 1);
    CU_ASSERT_TRUE(ear->deliveries[3].redelivered);
    ear_free(ear);
}

void suite_stream_goes_on(void)
{
    struct ear *ear = begin();
    ear_follow(ear, OFFSET_NEXT);
    ear_until_up(ear);
    for (uint64_t i = 0; i < 10; i++) {
        char id[EAR_ID];
        snprintf(id, sizeof id, "fact-%d", (int)i);
        ear_say(ear, EXCHANGE_EVENTS, "suite.fact", id, i);
    }
    ear_until_settled(ear, 10);
    ear_until_delivered(ear, 10);
    ear_follow(ear, ear->deliveries[6].offset);
    ear_quiet(ear);
    CU_ASSERT_EQUAL(ear->delivered, 10); /* it counts from the next connection on */

    ear_fixture->stop(ear_fixture->self);
    ear_until_down(ear);
    ear_fixture->revive(ear_fixture->self);
    ear_until_up(ear);
    ear_until_delivered(ear, 14);
    ear_quiet(ear);
    CU_ASSERT_EQUAL(ear->delivered, 14);
    CU_ASSERT_STRING_EQUAL(ear->deliveries[10].id, "fact-6");
    CU_ASSERT_EQUAL(ear->deliveries[10].offset, ear->deliveries[6].offset);
    ear_free(ear);
}
