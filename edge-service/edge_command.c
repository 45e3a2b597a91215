/* Commands: from a request to a publish, from its fate to the reply. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bind.h"
#include "common/base/failpoint.h"
#include "common/base/text.h"
#include "common/messaging/envelope.h"
#include "common/messaging/spans.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace.h"
#include "edge-service/edge_private.h"
#include "edge-service/place_request.h"
#include "edge-service/read_model.h"

const char *edge_verdict_name(enum edge_verdict verdict)
{
    static const char *const names[] = {
        [EDGE_ACCEPTED] = "accepted",
        [EDGE_REFUSED] = "refused",
        [EDGE_UNKNOWN] = "unknown",
        [EDGE_NO_ORDER] = "no-order",
        [EDGE_FORBIDDEN] = "forbidden",
        [EDGE_KEY_REUSED] = "key-reused",
        [EDGE_TOO_FAR_AHEAD] = "too-far-ahead",
    };
    return names[verdict];
}

struct id edge_order_id(const char *customer, const char *key)
{
    return ID_DERIVE("order", customer, key);
}

struct id edge_place_id(const char *order_id, const char *request_hash)
{
    return ID_DERIVE("order.place", order_id, request_hash);
}

/* Replies */

static void reply(struct edge_caller caller, enum edge_verdict verdict, const char *order_id,
                  const char *key, const char *reason)
{
    struct edge_reply out = {verdict, order_id, "", key, reason};
    caller.reply(caller.context, &out);
}

/* The fate may be asked for now. */
static void note_sent(struct edge *edge, const struct flight *flight)
{
    struct sent_command command = {.type = flight->type,
                                   .since_mono_ms = clock_mono_ms(edge->parts.clock)};
    memcpy(command.node.id, flight->message_id.text, sizeof command.node.id);
    memcpy(command.request.id, flight->request_id, sizeof command.request.id);
    memcpy(command.owner, flight->owner, sizeof command.owner);
    memcpy(command.about, flight->about, sizeof command.about);
    sent_add(&edge->sent, &command);
}

static void tell_span(struct edge *edge, const struct flight *flight, enum edge_verdict verdict)
{
    if (!edge->parts.otlp)
        return;
    spans_sent(&(struct otlp_send){
        .otlp = edge->parts.otlp,
        .exchange = EXCHANGE_COMMANDS,
        .type = flight->type,
        .message_id = flight->message_id.text,
        .size = flight->body.size,
        .traceparent = flight->traceparent,
        .parent = flight->parent,
        .duration_us = clock_mono_us(edge->parts.clock) - flight->begun_us,
        .failed = verdict != EDGE_ACCEPTED,
    });
}

/* Gives the slot back first: the reply may issue the next command. */
static void finish(struct edge *edge, struct flight *flight, enum edge_verdict verdict,
                   const char *reason)
{
    struct edge_caller caller = flight->caller;
    tell_span(edge, flight, verdict);
    char order_id[UUID_SIZE];
    char key[KEY_SIZE];
    struct id command_id = flight->message_id;
    memcpy(order_id, flight->order_id, sizeof order_id);
    memcpy(key, flight->key, sizeof key);
    if (flight->is_place)
        accepted_end(&edge->accepted, order_id, verdict == EDGE_ACCEPTED);
    else if (verdict == EDGE_ACCEPTED)
        note_sent(edge, flight);
    inflight_give_back(&edge->inflight, flight);
    struct edge_reply out = {verdict, order_id, command_id.text, key, reason};
    caller.reply(caller.context, &out);
}

void edge_settled(struct edge *edge, uint64_t token, enum bus_fate fate)
{
    struct flight *flight = inflight_find(&edge->inflight, token);
    switch (fate) {
    case FATE_CONFIRMED:
        edge->counters.confirmed++;
        if (flight && FAILPOINT("edge-confirm-after"))
            finish(edge, flight, EDGE_UNKNOWN, "failpoint");
        else if (flight)
            finish(edge, flight, EDGE_ACCEPTED, "");
        return;
    case FATE_RETURNED:
        edge->counters.returned++;
        if (flight)
            finish(edge, flight, EDGE_REFUSED, "the shop is not open: no queue takes this command");
        return;
    case FATE_NACKED:
        edge->counters.nacked++;
        if (flight)
            finish(edge, flight, EDGE_REFUSED, "the shop is behind and takes no more for now");
        return;
    }
}

static void finish_unknown(struct edge *edge, struct flight *flight, const char *reason)
{
    if (flight->on_wire) {
        char trace[TRACE_ID_SIZE];
        edge->counters.unknown++;
        LOG_EVENT(edge->parts.log, LOG_WARNING, "command-unknown", LOG_TEXT("type", flight->type),
                  LOG_TEXT("message_id", flight->message_id.text),
                  LOG_TEXT("trace_id", trace_id(flight->traceparent, trace)),
                  LOG_TEXT("reason", reason));
        finish(edge, flight, EDGE_UNKNOWN, reason);
        return;
    }
    edge->counters.no_room++;
    finish(edge, flight, EDGE_REFUSED, "the broker did not take the command in time");
}

/* Commands that a reply issues here are refused, since the bus is down: the loop ends. */
void edge_lost(struct edge *edge)
{
    struct flight *flight;
    while ((flight = TAILQ_FIRST(&edge->inflight.by_age)))
        finish_unknown(edge, flight, "the broker was lost before it confirmed");
}

void edge_abandon(struct edge *edge)
{
    edge->draining = true;
    struct flight *flight;
    while ((flight = TAILQ_FIRST(&edge->inflight.by_age)))
        finish_unknown(edge, flight, "the edge is stopping");
    waiters_expire(&edge->waiters, INT64_MAX);
}

void edge_expire_commands(struct edge *edge, int64_t now_mono_ms)
{
    struct flight *flight;
    while ((flight = TAILQ_FIRST(&edge->inflight.by_age)) &&
           flight->deadline_mono_ms <= now_mono_ms)
        finish_unknown(edge, flight, "the broker has not confirmed in time");
}

/* Sending */

static enum result put_on_wire(struct edge *edge, struct flight *flight)
{
    struct bus_message message = {
        .exchange = EXCHANGE_COMMANDS,
        .routing_key = flight->type,
        .id = flight->message_id.text,
        .traceparent = flight->traceparent,
        .time_ms = flight->time_ms,
        .body = flight->body.data,
        .size = flight->body.size,
    };
    enum result result = bus_publish(edge->parts.bus, &message, flight->token);
    if (result == OK)
        inflight_sent(&edge->inflight, flight);
    return result;
}

void edge_send_waiting(struct edge *edge)
{
    struct flight *flight;
    while ((flight = TAILQ_FIRST(&edge->inflight.unsent)))
        if (put_on_wire(edge, flight) != OK)
            return;
}

struct command {
    const char *type;
    const struct bind_type *payload_type;
    const void *payload;
    const char *subject;
    struct id message_id;
    const char *order_id;   /* "" for none */
    const char *owner;      /* of another than place: the customer, "" for an administrator */
    const char *request_id; /* likewise: the id of the key; "" for none */
    const char *key;
    bool is_place;
    struct edge_caller caller;
};

static void fill_flight(struct edge *edge, struct flight *flight, const struct command *command)
{
    struct envelope envelope = {
        .id = command->message_id,
        .source = EDGE_SOURCE,
        .time_ms = clock_wall_ms(edge->parts.clock),
    };
    trace_child(edge->parts.clock, command->caller.traceparent, envelope.traceparent);
    text_copy(envelope.type, sizeof envelope.type, command->type);
    text_copy(envelope.subject, sizeof envelope.subject, command->subject);
    buf_clear(&flight->body);
    envelope_encode(&envelope, command->payload_type, command->payload, &flight->body);
    flight->type = command->type;
    flight->message_id = command->message_id;
    flight->time_ms = envelope.time_ms;
    flight->caller = command->caller;
    flight->is_place = command->is_place;
    flight->begun_us = edge->parts.otlp ? clock_mono_us(edge->parts.clock) : 0;
    flight->parent[0] = '\0';
    if (trace_valid(command->caller.traceparent))
        snprintf(flight->parent, sizeof flight->parent, "%.55s", command->caller.traceparent);
    memcpy(flight->traceparent, envelope.traceparent, sizeof flight->traceparent);
    text_copy(flight->order_id, sizeof flight->order_id, command->order_id);
    text_copy(flight->key, sizeof flight->key, command->key);
    if (command->is_place)
        return;
    text_copy(flight->owner, sizeof flight->owner, command->owner);
    text_copy(flight->about, sizeof flight->about, command->subject);
    text_copy(flight->request_id, sizeof flight->request_id, command->request_id);
}

/* Why nothing can be sent now; NULL: it can. */
static const char *closed(const struct edge *edge)
{
    if (edge->draining)
        return "the edge is stopping";
    if (!edge->bus_up)
        return "the broker cannot be reached";
    if (edge->blocked)
        return "the broker takes nothing for now";
    return NULL;
}

static void refuse(struct edge *edge, const struct command *command, const char *reason)
{
    edge->counters.no_room++;
    reply(command->caller, EDGE_REFUSED, command->order_id, command->key, reason);
}

/* One that has to wait for room on the wire waits in its slot, behind those before it. */
static void send_command(struct edge *edge, const struct command *command)
{
    const char *why_not = closed(edge);
    if (why_not) {
        refuse(edge, command, why_not);
        return;
    }
    bool others_wait = !TAILQ_EMPTY(&edge->inflight.unsent);
    struct flight *flight =
        inflight_take(&edge->inflight, clock_mono_ms(edge->parts.clock) + edge->limits.deadline_ms);
    if (!flight) {
        refuse(edge, command, "too many commands are in flight");
        return;
    }
    fill_flight(edge, flight, command);
    if (command->is_place) {
        const struct order_place *place = command->payload;
        struct accepted_order order = {.since_mono_ms = clock_mono_ms(edge->parts.clock),
                                       .since_wall_ms = flight->time_ms};
        memcpy(order.node.id, place->order_id, sizeof order.node.id);
        memcpy(order.command.id, command->message_id.text, sizeof order.command.id);
        memcpy(order.customer, place->customer, sizeof order.customer);
        memcpy(order.request_hash, place->request_hash, sizeof order.request_hash);
        if (accepted_begin(&edge->accepted, &order) != OK) {
            inflight_give_back(&edge->inflight, flight);
            refuse(edge, command, "too many orders are on their way");
            return;
        }
    }
    if (!others_wait)
        (void)!put_on_wire(edge, flight);
}

/* Placing */

enum known { NOT_KNOWN, KNOWN_IN_FLIGHT, KNOWN_ACCEPTED, KNOWN_OTHERWISE };

struct hash_copy {
    char hash[HASH_SIZE];
};

static void copy_hash(void *context, const struct edge_order *order)
{
    struct hash_copy *copy = context;
    memcpy(copy->hash, order->request_hash, sizeof copy->hash);
}

/* What this edge can see of the order; what it cannot see, order-service decides. The read model
 * tells what has really been placed, so it counts first. */
static enum known recognise(struct edge *edge, const struct order_place *place)
{
    struct hash_copy copy = {""};
    enum result result = store_in_transaction(edge->parts.store)
                             ? RETRY
                             : read_model_get(edge->parts.store, place->customer, place->order_id,
                                              copy_hash, &copy, NULL);
    if (result == OK)
        return strcmp(copy.hash, place->request_hash) == 0 ? KNOWN_ACCEPTED : KNOWN_OTHERWISE;
    const struct accepted_order *order = accepted_find(&edge->accepted, place->order_id);
    if (!order)
        return NOT_KNOWN;
    if (strcmp(order->request_hash, place->request_hash) != 0)
        return KNOWN_OTHERWISE;
    return order->confirmed ? KNOWN_ACCEPTED : KNOWN_IN_FLIGHT;
}

static void fill_place(struct order_place *place, const char *customer, const char *key,
                       const struct place_request *request)
{
    struct id order_id = edge_order_id(customer, key);
    memcpy(place->order_id, order_id.text, sizeof place->order_id);
    text_copy(place->customer, sizeof place->customer, customer);
    place->line_count = request->line_count;
    memcpy(place->lines, request->lines, request->line_count * sizeof request->lines[0]);
    place->payment = request->payment;
    place_request_hash(request, place->request_hash);
}

/* A repeat while the first is in flight is published again, under the same message id, so that each
 * request has its own fate and deadline; order-service handles one of them. A repeat of what is
 * known to be accepted needs no publish. */
void edge_place(struct edge *edge, const char *customer, const char *key,
                const struct place_request *request, struct edge_caller caller)
{
    struct order_place place;
    struct id made = {""};
    if (!key) {
        made = id_new(edge->parts.clock);
        fill_place(&place, customer, made.text, request);
    } else {
        fill_place(&place, customer, key, request);
        enum known known = recognise(edge, &place);
        if (known == KNOWN_OTHERWISE) {
            edge->counters.key_reused++;
            reply(caller, EDGE_KEY_REUSED, place.order_id, key,
                  "this key belongs to an order with another content");
            return;
        }
        if (known == KNOWN_ACCEPTED) {
            struct id command_id = edge_place_id(place.order_id, place.request_hash);
            struct edge_reply out = {EDGE_ACCEPTED, place.order_id, command_id.text, key, ""};
            caller.reply(caller.context, &out);
            return;
        }
    }
    struct command command = {
        .type = ORDER_PLACE,
        .payload_type = &order_place_type,
        .payload = &place,
        .subject = place.order_id,
        .message_id = edge_place_id(place.order_id, place.request_hash),
        .order_id = place.order_id,
        .key = key ? key : made.text,
        .is_place = true,
        .caller = caller,
    };
    send_command(edge, &command);
}

/* Other commands */

static void judge_cancel(void *context, const struct edge_order *order)
{
    enum edge_verdict *verdict = context;
    bool forbidden = edge_order_settled(order) && strcmp(order->status, "confirmed") != 0;
    *verdict = forbidden ? EDGE_FORBIDDEN : EDGE_ACCEPTED;
}

void edge_cancel(struct edge *edge, const char *customer, const char *order_id,
                 struct edge_caller caller)
{
    enum edge_verdict verdict = EDGE_ACCEPTED;
    enum result result = edge_get_order(edge, customer, order_id, judge_cancel, &verdict, NULL);
    if (result == NOT_FOUND) {
        reply(caller, EDGE_NO_ORDER, order_id, "", "there is no such order of yours");
        return;
    }
    if (result != OK) {
        reply(caller, EDGE_REFUSED, order_id, "", "the read model is busy");
        return;
    }
    if (verdict == EDGE_FORBIDDEN) {
        reply(caller, EDGE_FORBIDDEN, order_id, "", "the order has ended already");
        return;
    }
    struct order_cancel cancel;
    text_copy(cancel.order_id, sizeof cancel.order_id, order_id);
    text_copy(cancel.customer, sizeof cancel.customer, customer);
    struct command command = {
        .type = ORDER_CANCEL,
        .payload_type = &order_cancel_type,
        .payload = &cancel,
        .subject = order_id,
        .message_id = id_new(edge->parts.clock),
        .order_id = order_id,
        .owner = customer,
        .request_id = "",
        .key = "",
        .caller = caller,
    };
    send_command(edge, &command);
}

/* Administrators: a repeat is known by its message id; another content under the same key by the
 * request id, here if this edge has sent the first lately, else by order-service. */
static void send_of_admin(struct edge *edge, struct command *command)
{
    command->order_id = command->owner = "";
    if (command->request_id[0] &&
        sent_key_is_of_another(&edge->sent, command->request_id, command->message_id.text)) {
        edge->counters.key_reused++;
        reply(command->caller, EDGE_KEY_REUSED, "", command->key,
              "this key belongs to a command with another content");
        return;
    }
    send_command(edge, command);
}

static struct id listing_id(const struct set_product *product)
{
    char price[24], revision[24];
    snprintf(price, sizeof price, "%" PRId64, product->unit_price);
    snprintf(revision, sizeof revision, "%" PRId64, product->revision);
    return ID_DERIVE("catalogue.set-product", product->request_id, product->name, price,
                     product->currency, revision);
}

void edge_set_product(struct edge *edge, const struct set_product *product, const char *key,
                      struct edge_caller caller)
{
    struct set_product known = *product;
    struct id message_id = id_new(edge->parts.clock);
    if (known.revision > clock_wall_ms(edge->parts.clock) + REVISION_AHEAD_MAX_MS) {
        reply(caller, EDGE_TOO_FAR_AHEAD, "", key ? key : "",
              "the revision is more than a day ahead of the time in milliseconds");
        return;
    }
    known.request_id[0] = '\0';
    if (key) {
        memcpy(known.request_id, ID_DERIVE("catalogue.set-product", known.sku, key).text,
               UUID_SIZE);
        message_id = listing_id(&known);
    }
    struct command command = {
        .type = CATALOGUE_SET_PRODUCT,
        .payload_type = &set_product_type,
        .payload = &known,
        .subject = known.sku,
        .message_id = message_id,
        .request_id = known.request_id,
        .key = key ? key : "",
        .caller = caller,
    };
    send_of_admin(edge, &command);
}

void edge_adjust_stock(struct edge *edge, const struct stock_adjust *adjustment, const char *key,
                       struct edge_caller caller)
{
    struct stock_adjust known = *adjustment;
    struct id message_id = id_new(edge->parts.clock);
    known.request_id[0] = '\0';
    if (key) {
        char delta[24];
        snprintf(delta, sizeof delta, "%" PRId64, known.delta);
        memcpy(known.request_id, ID_DERIVE("stock.adjust", known.sku, key).text, UUID_SIZE);
        message_id = ID_DERIVE("stock.adjust", known.request_id, delta);
    }
    struct command command = {
        .type = STOCK_ADJUST,
        .payload_type = &stock_adjust_type,
        .payload = &known,
        .subject = known.sku,
        .message_id = message_id,
        .request_id = known.request_id,
        .key = key ? key : "",
        .caller = caller,
    };
    send_of_admin(edge, &command);
}
