/* The payment service as data: what it hears, what it says, who handles what. */
#include "common/messaging/bus.h"
#include "contracts/messages.h"
#include "payment-service/handlers.h"
#include "payment-service/payment_service.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ORDERS "payment.orders"
#define COMMANDS "payment.commands"

static const struct queue_spec queues[] = {
    {.name = ORDERS, .kind = QUEUE_QUORUM, .prefetch = 512},
    {.name = COMMANDS, .kind = QUEUE_QUORUM, .prefetch = 512},
};

static const struct binding_spec bindings[] = {
    {ORDERS, EXCHANGE_EVENTS, ORDER_PLACED},
    {COMMANDS, EXCHANGE_COMMANDS, PAYMENT_CLOSE},
    {COMMANDS, EXCHANGE_COMMANDS, PAYMENT_REFUND},
    {COMMANDS, EXCHANGE_COMMANDS, PAYMENT_RETELL},
};

static const struct handler handlers[] = {
    {ORDERS, ORDER_PLACED, &order_placed_type, payment_on_placed},
    {COMMANDS, PAYMENT_CLOSE, &payment_close_type, payment_on_close},
    {COMMANDS, PAYMENT_REFUND, &payment_refund_type, payment_on_refund},
    {COMMANDS, PAYMENT_RETELL, &payment_retell_type, payment_on_retell},
};

static const struct publication_spec publications[] = {
    {EXCHANGE_EVENTS, PAYMENT_CAPTURED, &payment_captured_type},
    {EXCHANGE_EVENTS, PAYMENT_DECLINED, &payment_declined_type},
    {EXCHANGE_EVENTS, PAYMENT_CLOSED, &payment_closed_type},
    {EXCHANGE_EVENTS, PAYMENT_REFUNDED, &payment_refunded_type},
};

const struct topology payment_topology = {
    .service = "payment-service",
    .queues = queues,
    .queue_count = COUNT(queues),
    .bindings = bindings,
    .binding_count = COUNT(bindings),
    .handlers = handlers,
    .handler_count = COUNT(handlers),
    .publications = publications,
    .publication_count = COUNT(publications),
};

const struct service_spec payment_service_spec = {
    .name = "payment-service",
    .source = "/payment-service",
    .topology = &payment_topology,
    .job_done = payment_on_answer,
};
