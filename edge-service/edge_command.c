/* Commands: from a request to a publish; edge_settle.c goes on from there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bind.h"
#include "common/base/text.h"
#include "common/messaging/envelope.h"
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
    if (result == OK) {
        inflight_sent(&edge->inflight, flight);
        flight->attempts->open++;
    }
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
    bool unsure; /* whether there was one under its key before could not be seen */
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
    flight->begun_us = edge->parts.otlp ? clock_mono_us(edge->parts.clock) : 0;
    flight->parent[0] = '\0';
    if (trace_valid(command->caller.traceparent))
        snprintf(flight->parent, sizeof flight->parent, "%.55s", command->caller.traceparent);
    memcpy(flight->traceparent, envelope.traceparent, sizeof flight->traceparent);
    text_copy(flight->order_id, sizeof flight->order_id, command->order_id);
    text_copy(flight->key, sizeof flight->key, command->key);
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

static struct accepted_order *begin_order(struct edge *edge, const struct command *command)
{
    const struct order_place *place = command->payload;
    struct accepted_order order = {.since_mono_ms = clock_mono_ms(edge->parts.clock),
                                   .since_wall_ms = clock_wall_ms(edge->parts.clock),
                                   .attempts = {.doubt = command->unsure}};
    memcpy(order.node.id, place->order_id, sizeof order.node.id);
    memcpy(order.command.id, command->message_id.text, sizeof order.command.id);
    memcpy(order.customer, place->customer, sizeof order.customer);
    memcpy(order.request_hash, place->request_hash, sizeof order.request_hash);
    return accepted_begin(&edge->accepted, &order);
}

static struct sent_command *begin_other(struct edge *edge, const struct command *command)
{
    struct sent_command sent = {.type = command->type,
                                .since_mono_ms = clock_mono_ms(edge->parts.clock),
                                .attempts = {.doubt = command->unsure}};
    memcpy(sent.node.id, command->message_id.text, sizeof sent.node.id);
    text_copy(sent.request.id, sizeof sent.request.id, command->request_id);
    text_copy(sent.owner, sizeof sent.owner, command->owner);
    text_copy(sent.about, sizeof sent.about, command->subject);
    return sent_begin(&edge->sent, &sent);
}

/* False: there is no room to remember it. */
static bool begin_attempt(struct edge *edge, struct flight *flight, const struct command *command)
{
    if (command->is_place)
        flight->order = begin_order(edge, command);
    else
        flight->sent = begin_other(edge, command);
    flight->attempts = flight->order  ? &flight->order->attempts
                       : flight->sent ? &flight->sent->attempts
                                      : NULL;
    return flight->attempts != NULL;
}

/* Of the attempts at this command so far; NULL: nothing is known of any. */
static struct attempts *attempts_at(const struct edge *edge, const struct command *command)
{
    return command->is_place ? accepted_attempts(&edge->accepted, command->order_id)
                             : sent_attempts(&edge->sent, command->message_id.text);
}

/* Nothing is on the wire, but somebody was told that it is unknown. */
static void remember_doubt(struct edge *edge, const struct command *command)
{
    struct accepted_order *order = command->is_place ? begin_order(edge, command) : NULL;
    struct sent_command *sent = command->is_place ? NULL : begin_other(edge, command);
    if (order)
        order->attempts.asked--;
    if (sent)
        sent->attempts.asked--;
}

/* Without having been sent. */
static void refuse(struct edge *edge, const struct command *command, const char *reason)
{
    struct attempts *known = attempts_at(edge, command);
    struct attempts none = {.doubt = command->unsure};
    enum edge_verdict verdict = edge_about_key(edge, known ? known : &none, EDGE_REFUSED);
    edge->counters.no_room += verdict == EDGE_REFUSED;
    edge->counters.unknown += verdict == EDGE_UNKNOWN;
    if (!known && verdict == EDGE_UNKNOWN)
        remember_doubt(edge, command);
    struct edge_reply out = {verdict, command->order_id,
                             verdict == EDGE_REFUSED ? "" : command->message_id.text, command->key,
                             edge_reason_of(verdict, EDGE_REFUSED, reason)};
    command->caller.reply(command->caller.context, &out);
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
    if (!begin_attempt(edge, flight, command)) {
        inflight_give_back(&edge->inflight, flight);
        refuse(edge, command,
               command->is_place ? "too many orders are on their way"
                                 : "too many commands are on their way");
        return;
    }
    if (!others_wait)
        (void)!put_on_wire(edge, flight);
}

/* Placing */

enum known { NOT_KNOWN, NOT_VISIBLE, KNOWN_ACCEPTED, KNOWN_OTHERWISE };

struct hash_copy {
    char hash[HASH_SIZE];
};

static void copy_hash(void *context, const struct edge_order *order)
{
    struct hash_copy *copy = context;
    memcpy(copy->hash, order->request_hash, sizeof copy->hash);
}

/* Whether what the read model does not show may be there all the same. */
static bool is_sure(const struct edge *edge, enum result result)
{
    return result == NOT_FOUND && edge->place.cut_at == 0;
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
        return is_sure(edge, result) ? NOT_KNOWN : NOT_VISIBLE;
    if (strcmp(order->request_hash, place->request_hash) != 0)
        return KNOWN_OTHERWISE;
    return order->attempts.confirmed ? KNOWN_ACCEPTED : NOT_KNOWN;
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

/* A repeat while the first is in flight, or in doubt, is published again, under the same message id, so
 * that each request has its own fate and deadline; order-service handles one of them. A repeat of what
 * is known to be accepted needs no publish. */
void edge_place(struct edge *edge, const char *customer, const char *key,
                const struct place_request *request, struct edge_caller caller)
{
    struct order_place place;
    struct id made = {""};
    enum known known = NOT_KNOWN;
    if (!key) {
        made = id_new(edge->parts.clock);
        fill_place(&place, customer, made.text, request);
    } else {
        fill_place(&place, customer, key, request);
        known = recognise(edge, &place);
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
        .unsure = known == NOT_VISIBLE,
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

/* Whether this command, under a key, has been accepted before: as this edge has heard, else as its read
 * model has it. */
static enum known recognise_command(struct edge *edge, const struct command *command)
{
    struct edge_fate fate;
    const char *id = command->message_id.text;
    const struct sent_command *sent = sent_find(&edge->sent, id);
    if (sent_key_is_of_another(&edge->sent, command->request_id, id))
        return KNOWN_OTHERWISE;
    if (sent && sent->attempts.confirmed)
        return KNOWN_ACCEPTED;
    enum result result = store_in_transaction(edge->parts.store)
                             ? RETRY
                             : read_model_fate(edge->parts.store, "", id, &fate, NULL);
    if (result == OK)
        return KNOWN_ACCEPTED;
    return is_sure(edge, result) ? NOT_KNOWN : NOT_VISIBLE;
}

/* Administrators: a repeat is known by its message id; another content under the same key by the
 * request id, here if this edge has sent the first lately, else by order-service. */
static void send_of_admin(struct edge *edge, struct command *command)
{
    command->order_id = command->owner = "";
    enum known known = command->request_id[0] ? recognise_command(edge, command) : NOT_KNOWN;
    if (known == KNOWN_OTHERWISE) {
        edge->counters.key_reused++;
        reply(command->caller, EDGE_KEY_REUSED, "", command->key,
              "this key belongs to a command with another content");
        return;
    }
    if (known == KNOWN_ACCEPTED) {
        struct edge_reply out = {EDGE_ACCEPTED, "", command->message_id.text, command->key, ""};
        command->caller.reply(command->caller.context, &out);
        return;
    }
    command->unsure = known == NOT_VISIBLE;
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
