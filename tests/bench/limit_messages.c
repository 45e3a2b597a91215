#include "tests/bench/limit_messages.h"

#include <string.h>

#include "common/messaging/bus.h"
#include "common/messaging/envelope.h"
#include "contracts/messages.h"

#define ORDER LIMIT_ORDER
#define CUSTOMER LIMIT_CUSTOMER
#define HASH LIMIT_HASH

struct limit_author {
    const char *exchange, *type, *app_id, *source, *subject;
    int64_t sequence;
};

static const struct limit_author authors[LIMIT_KINDS] = {
    [LIMIT_PLACE] = {EXCHANGE_COMMANDS, ORDER_PLACE, "edge-service", "/edge-service", ORDER, 0},
    [LIMIT_PLACED] = {EXCHANGE_EVENTS, ORDER_PLACED, "order-service", "/order-service", ORDER, 1},
    [LIMIT_STOCK] = {EXCHANGE_EVENTS, STOCK_CHANGED, "order-service", "/order-service",
                     "CARROT-1KG", 12345},
    [LIMIT_CAPTURED] = {EXCHANGE_EVENTS, PAYMENT_CAPTURED, "payment-service", "/payment-service",
                        ORDER, 1},
    [LIMIT_CONFIRMED] = {EXCHANGE_EVENTS, ORDER_CONFIRMED, "order-service", "/order-service", ORDER,
                         2},
    [LIMIT_SENT] = {EXCHANGE_EVENTS, NOTIFICATION_SENT, "notification-service",
                    "/notification-service", ORDER, 1},
};

static void make(struct limit_message *message, const struct limit_author *author,
                 const struct bind_type *type, const void *payload)
{
    struct envelope envelope = {
        .id = {LIMIT_ID},
        .time_ms = 1795761086252,
        .sequence = author->sequence,
        .traceparent = LIMIT_TRACEPARENT,
    };
    snprintf(envelope.type, sizeof envelope.type, "%s", author->type);
    snprintf(envelope.source, sizeof envelope.source, "%s", author->source);
    snprintf(envelope.subject, sizeof envelope.subject, "%s", author->subject);
    *message = (struct limit_message){author->exchange, author->type, author->app_id, {0}};
    envelope_encode(&envelope, type, payload, &message->body);
}

void limit_messages_make(struct limit_message messages[LIMIT_KINDS])
{
    static const struct order_place place = {ORDER,        CUSTOMER, 1, {{"CARROT-1KG", 2}},
                                             {"tok_visa"}, HASH};
    static const struct order_placed placed = {
        ORDER, CUSTOMER,     1,    "EUR",        1, {{"CARROT-1KG", "Carrots, 1 kg", 2, 199, 398}},
        398,   {"tok_visa"}, HASH, 1795761116252};
    static const struct stock_changed stock = {"CARROT-1KG", 9876543, 234, 123223};
    static const struct payment_outcome captured = {ORDER, 398, "EUR", "capture-" LIMIT_REFERENCE};
    static const struct order_ended confirmed = {ORDER, CUSTOMER, 2, "", "EUR", 398, 1234567};
    static const struct notification_sent sent = {ORDER, 2, CUSTOMER, "confirmed", "in-app"};
    const struct {
        const struct bind_type *type;
        const void *payload;
    } payloads[LIMIT_KINDS] = {
        [LIMIT_PLACE] = {&order_place_type, &place},
        [LIMIT_PLACED] = {&order_placed_type, &placed},
        [LIMIT_STOCK] = {&stock_changed_type, &stock},
        [LIMIT_CAPTURED] = {&payment_captured_type, &captured},
        [LIMIT_CONFIRMED] = {&order_confirmed_type, &confirmed},
        [LIMIT_SENT] = {&notification_sent_type, &sent},
    };
    for (size_t i = 0; i < LIMIT_KINDS; i++)
        make(&messages[i], &authors[i], payloads[i].type, payloads[i].payload);
}

void limit_messages_release(struct limit_message messages[LIMIT_KINDS])
{
    for (size_t i = 0; i < LIMIT_KINDS; i++)
        buf_release(&messages[i].body);
}

const char *limit_kind_name(enum limit_kind kind)
{
    return authors[kind].type;
}

enum limit_kind limit_kind_of(const char *type, size_t size)
{
    for (enum limit_kind kind = 0; kind < LIMIT_KINDS; kind++)
        if (strlen(authors[kind].type) == size && memcmp(authors[kind].type, type, size) == 0)
            return kind;
    return LIMIT_KINDS;
}

/* The kind is the first digit, the order's number the last twelve. */
void limit_id_write(enum limit_kind kind, uint64_t order, char id[ID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    memcpy(id, "00000000-0000-7000-8000-000000000000", ID_TEXT_SIZE);
    id[0] = digits[kind & 15];
    for (size_t i = ID_TEXT_SIZE - 2; order > 0 && i > 23; i--, order >>= 4)
        id[i] = digits[order & 15];
}

uint64_t limit_id_order(const char *id, size_t size)
{
    uint64_t order = 0;
    if (size != ID_TEXT_SIZE - 1)
        return UINT64_MAX;
    for (size_t i = 24; i < size; i++) {
        char digit = id[i];
        if (digit >= '0' && digit <= '9')
            order = order << 4 | (uint64_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            order = order << 4 | (uint64_t)(digit - 'a' + 10);
        else
            return UINT64_MAX;
    }
    return order;
}
