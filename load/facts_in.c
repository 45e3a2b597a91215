#include "load/facts_in.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/broker.h"
#include "common/messaging/bus.h"
#include "contracts/messages.h"
#include "load/drive.h"
#include "load/wire.h"

/* RabbitMQ hands out what it has read of a stream only when it has reached the end or used up the
 * consumer's credit, and on a busy stream it never reaches the end: facts come in lots as large as the
 * prefetch. 4,000 were up to 1.2 s of them. */
enum { PREFETCH = 256, OPENING_MS = 15000, MS = 1000000 };

struct facts_in {
    struct facts_in_options options;
    struct bus *bus;
    bool up;
    char reason[160];
    int64_t offset, unreadable;
    uint64_t tag; /* to acknowledge; 0: nothing */
};

static bool is_ours(const struct facts_in *facts, const char *customer)
{
    for (size_t i = 0; i < facts->options.customer_count; i++)
        if (strcmp(facts->options.customers[i].text, customer) == 0)
            return true;
    return false;
}

static void note_doubled(struct facts_in *facts, const struct fate *fate)
{
    char id[ID_TEXT_SIZE];
    char key[DRIVE_KEY_SIZE];
    order_key_write(&fate->order, id);
    drive_key(facts->options.run, fate->ordinal, key);
    load_fate_add(&facts->options.report->fate, LOAD_DOUBLED, id, key);
}

/* Under a key that is not of the catalogue nothing has to be readable, and nothing is believed. */
static void take(struct facts_in *facts, const char *key, const char *body, size_t size)
{
    struct fact fact;
    struct fate *fate;
    if (!contract_find(key))
        return;
    if (fact_read(body, size, &fact) != OK) {
        facts->unreadable++;
        return;
    }
    if (fact.kind == FACT_OTHER)
        return;
    unsigned news = fates_note(facts->options.fates, &fact, is_ours(facts, fact.customer),
                               wire_now_ns(), &fate);
    if (news & NEWS_SETTLED)
        measure_settled(facts->options.measure, fate, fates_reason(facts->options.fates, fate));
    if (news & NEWS_NOTIFIED)
        measure_notified(facts->options.measure, fate);
    if (news & NEWS_DOUBLED)
        note_doubled(facts, fate);
}

/* From behind the last one read, when the connection has to be made anew. */
static void subscribe_behind(struct facts_in *facts)
{
    const struct bus_subscription subscription = {
        .queue = STREAM_LOG,
        .prefetch = PREFETCH,
        .stream = true,
        .from_offset = facts->offset >= 0 ? facts->offset + 1 : OFFSET_NEXT};
    (void)bus_subscribe(facts->bus, &subscription, NULL);
}

static void on_bus_event(void *context, const struct bus_event *event)
{
    struct facts_in *facts = context;
    if (event->kind == BUS_UP)
        facts->up = true;
    if (event->kind == BUS_DOWN) {
        facts->up = false;
        snprintf(facts->reason, sizeof facts->reason, "%s", event->reason ? event->reason : "");
        subscribe_behind(facts);
    }
    if (event->kind != BUS_DELIVERY)
        return;
    const struct bus_delivery *delivery = event->delivery;
    facts->tag = delivery->tag;
    if (delivery->offset <= facts->offset)
        return; /* read before a reconnect */
    facts->offset = delivery->offset;
    take(facts, delivery->key, delivery->body, delivery->size);
}

void facts_in_run(struct facts_in *facts)
{
    bus_pump(facts->bus);
    if (facts->tag != 0)
        (void)bus_ack(facts->bus, facts->tag);
    facts->tag = 0;
}

static enum result wait_until_up(struct facts_in *facts, struct err *err)
{
    const struct clock *clock = facts->options.clock;
    int64_t end_ms = clock_mono_ms(clock) + OPENING_MS;
    while (!facts->up) {
        int64_t now_ms = clock_mono_ms(clock);
        int64_t left_ms = bus_deadline_ms(facts->bus) - now_ms;
        struct pollfd fd = {.fd = bus_fd(facts->bus), .events = POLLIN};
        if (now_ms >= end_ms)
            return err_set(err, RETRY, "the log of facts: %s",
                           facts->reason[0] ? facts->reason : "no connection");
        if (left_ms > 0)
            poll(&fd, 1, left_ms < 100 ? (int)left_ms : 100);
        facts_in_run(facts);
    }
    return OK;
}

enum result facts_in_open(const struct facts_in_options *options, struct facts_in **ret_facts,
                          struct err *err)
{
    struct facts_in *facts = calloc(1, sizeof *facts);
    if (!facts)
        abort();
    facts->options = *options;
    facts->offset = -1;
    enum result result =
        broker_bus(options->suite, options->clock, "warren-load", &facts->bus, err);
    if (result == OK) {
        const struct bus_subscription subscription = {
            .queue = STREAM_LOG, .prefetch = PREFETCH, .stream = true, .from_offset = OFFSET_NEXT};
        bus_listen(facts->bus, on_bus_event, facts);
        result = bus_subscribe(facts->bus, &subscription, err);
    }
    if (result == OK)
        result = wait_until_up(facts, err);
    if (result != OK) {
        facts_in_free(facts);
        return result;
    }
    *ret_facts = facts;
    return OK;
}

void facts_in_free(struct facts_in *facts)
{
    if (facts)
        bus_free(facts->bus);
    free(facts);
}

int facts_in_fd(const struct facts_in *facts)
{
    return bus_fd(facts->bus);
}

int64_t facts_in_deadline_ns(const struct facts_in *facts)
{
    int64_t deadline_ms = bus_deadline_ms(facts->bus);
    return deadline_ms > INT64_MAX / MS ? INT64_MAX : deadline_ms * MS;
}

int64_t facts_in_offset(const struct facts_in *facts)
{
    return facts->offset;
}

int64_t facts_in_unreadable(const struct facts_in *facts)
{
    return facts->unreadable;
}

bool facts_in_up(const struct facts_in *facts, const char **ret_reason)
{
    *ret_reason = facts->reason;
    return facts->up;
}
