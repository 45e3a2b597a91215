#include "tests/conformance/ear.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct bus_fixture *ear_fixture;

static void hear_delivery(struct ear *ear, const struct bus_delivery *delivery)
{
    if (ear->delivered == EAR_DELIVERIES)
        return;
    struct ear_delivery *note = &ear->deliveries[ear->delivered++];
    snprintf(note->queue, sizeof note->queue, "%s", delivery->queue);
    snprintf(note->id, sizeof note->id, "%s", delivery->message_id);
    snprintf(note->key, sizeof note->key, "%s", delivery->key);
    snprintf(note->body, sizeof note->body, "%.*s", (int)delivery->size, delivery->body);
    note->tag = delivery->tag;
    note->offset = delivery->offset;
    note->redelivered = delivery->redelivered;
    if (!ear->echo)
        return;
    if (ear_try(ear, EXCHANGE_COMMANDS, ear->echo, "echo", 1000 + ear->echoed) == OK)
        ear->echoed++;
    (void)!bus_ack(ear->bus, delivery->tag);
}

static void hear_settled(struct ear *ear, const struct bus_event *event)
{
    ear->settled++;
    ear->fates[event->fate]++;
    if (event->token >= EAR_TOKENS)
        abort();
    ear->times[event->token]++;
    ear->fate[event->token] = event->fate;
}

static void hear(void *context, const struct bus_event *event)
{
    struct ear *ear = context;
    switch (event->kind) {
    case BUS_UP:
        ear->up = true;
        ear->ups++;
        return;
    case BUS_DOWN:
        ear->up = ear->blocked = false;
        ear->downs++;
        snprintf(ear->reason, sizeof ear->reason, "%s", event->reason ? event->reason : "");
        return;
    case BUS_BLOCKED:
        ear->blocked = true;
        ear->blocks++;
        return;
    case BUS_UNBLOCKED:
        ear->blocked = false;
        return;
    case BUS_DELIVERY:
        hear_delivery(ear, event->delivery);
        return;
    case BUS_SETTLED:
        hear_settled(ear, event);
        return;
    }
}

struct ear *ear_new(const struct switches *switches)
{
    struct switches all = switches_all_on();
    struct ear *ear = calloc(1, sizeof *ear);
    if (!ear)
        abort();
    ear->fixture = ear_fixture;
    ear->bus = ear_fixture->open(ear_fixture->self, switches ? switches : &all);
    bus_listen(ear->bus, hear, ear);
    return ear;
}

static void subscribe(struct ear *ear, const struct bus_subscription *subscription)
{
    struct err err = {""};
    if (bus_subscribe(ear->bus, subscription, &err) != OK)
        CU_FAIL_FATAL(err.text);
}

void ear_subscribe(struct ear *ear, const char *queue, int prefetch)
{
    subscribe(ear, &(struct bus_subscription){.queue = queue, .prefetch = prefetch});
}

void ear_follow(struct ear *ear, int64_t from_offset)
{
    subscribe(ear,
              &(struct bus_subscription){
                  .queue = SUITE_LOG, .prefetch = 100, .stream = true, .from_offset = from_offset});
}

void ear_free(struct ear *ear)
{
    bus_free(ear->bus);
    free(ear);
}

void ear_turn(struct ear *ear)
{
    ear->fixture->turn(ear->fixture->self, &ear->bus, 1);
}

static int64_t now_ms(void)
{
    return ear_fixture->now_ms(ear_fixture->self);
}

#define EAR_UNTIL(ear, condition)                                                                  \
    do {                                                                                           \
        int64_t end_ = now_ms() + (ear)->fixture->patience_ms;                                     \
        while (!(condition) && now_ms() < end_)                                                    \
            ear_turn(ear);                                                                         \
        CU_ASSERT(condition);                                                                      \
    } while (0)

void ear_until_up(struct ear *ear)
{
    EAR_UNTIL(ear, ear->up);
}

void ear_until_down(struct ear *ear)
{
    EAR_UNTIL(ear, !ear->up);
}

void ear_until_settled(struct ear *ear, size_t count)
{
    EAR_UNTIL(ear, ear->settled >= count);
}

void ear_until_delivered(struct ear *ear, size_t count)
{
    EAR_UNTIL(ear, ear->delivered >= count);
}

void ear_quiet(struct ear *ear)
{
    int64_t end = now_ms() + ear->fixture->quiet_ms;
    while (now_ms() < end)
        ear_turn(ear);
}

enum result ear_try(struct ear *ear, const char *exchange, const char *key, const char *id,
                    uint64_t token)
{
    struct bus_message message = {.exchange = exchange,
                                  .routing_key = key,
                                  .id = id,
                                  .traceparent = "",
                                  .time_ms = 1700000000000,
                                  .body = id,
                                  .size = strlen(id)};
    return bus_publish(ear->bus, &message, token);
}

void ear_say(struct ear *ear, const char *exchange, const char *key, const char *id, uint64_t token)
{
    enum result result = ear_try(ear, exchange, key, id, token);
    int64_t end = now_ms() + ear->fixture->patience_ms;
    while (result == RETRY && now_ms() < end) {
        ear_turn(ear);
        result = ear_try(ear, exchange, key, id, token);
    }
    CU_ASSERT_EQUAL(result, OK);
}

void ear_fill(struct ear *ear, size_t count)
{
    size_t before = ear->settled;
    for (size_t i = 0; i < count; i++) {
        char id[EAR_ID];
        snprintf(id, sizeof id, "work-%zu", i);
        ear_say(ear, EXCHANGE_COMMANDS, SUITE_WORK, id, i);
    }
    ear_until_settled(ear, before + count);
    CU_ASSERT_EQUAL(ear->fates[FATE_CONFIRMED], before + count);
}
