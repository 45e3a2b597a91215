/* What order-service hears and says, as data. */
#include "contracts/messages.h"
#include "order-service/state.h"

#define COMMANDS "order.commands"
#define PAYMENTS "order.payments"
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct queue_spec queues[] = {
    {.name = COMMANDS, .kind = QUEUE_QUORUM, .max_length = 100000, .prefetch = 512},
    {.name = PAYMENTS, .kind = QUEUE_QUORUM, .prefetch = 512},
};

static const struct binding_spec bindings[] = {
    {COMMANDS, COMMANDS_EXCHANGE, "order.*"},      {COMMANDS, COMMANDS_EXCHANGE, "catalogue.*"},
    {COMMANDS, COMMANDS_EXCHANGE, "stock.*"},      {PAYMENTS, EVENTS_EXCHANGE, PAYMENT_CAPTURED},
    {PAYMENTS, EVENTS_EXCHANGE, PAYMENT_DECLINED}, {PAYMENTS, EVENTS_EXCHANGE, PAYMENT_CLOSED},
    {PAYMENTS, EVENTS_EXCHANGE, PAYMENT_REFUNDED},
};

static const struct handler handlers[] = {
    {COMMANDS, ORDER_PLACE, &order_place_type, handle_place},
    {COMMANDS, ORDER_CANCEL, &order_cancel_type, handle_cancel},
    {COMMANDS, ORDER_RETELL, &order_retell_type, handle_retell},
    {COMMANDS, ORDER_RETELL_SETTLED, &order_retell_settled_type, handle_retell_settled},
    {COMMANDS, CATALOGUE_SET_PRODUCT, &set_product_type, handle_set_product},
    {COMMANDS, STOCK_ADJUST, &stock_adjust_type, handle_stock_adjust},
    {PAYMENTS, PAYMENT_CAPTURED, &payment_captured_type, handle_captured},
    {PAYMENTS, PAYMENT_DECLINED, &payment_declined_type, handle_declined},
    {PAYMENTS, PAYMENT_CLOSED, &payment_closed_type, handle_closed},
    {PAYMENTS, PAYMENT_REFUNDED, &payment_refunded_type, handle_refunded},
};

static const struct publication_spec publications[] = {
    {EVENTS_EXCHANGE, ORDER_PLACED, &order_placed_type},
    {EVENTS_EXCHANGE, ORDER_REJECTED, &order_rejected_type},
    {EVENTS_EXCHANGE, ORDER_CLOSING, &order_closing_type},
    {EVENTS_EXCHANGE, ORDER_CONFIRMED, &order_confirmed_type},
    {EVENTS_EXCHANGE, ORDER_CANCELLED, &order_cancelled_type},
    {EVENTS_EXCHANGE, ORDER_EXPIRED, &order_expired_type},
    {EVENTS_EXCHANGE, PRODUCT_LISTED, &product_listed_type},
    {EVENTS_EXCHANGE, STOCK_CHANGED, &stock_changed_type},
    {EVENTS_EXCHANGE, COMMAND_DONE, &command_done_type},
    {EVENTS_EXCHANGE, COMMAND_REFUSED, &command_refused_type},
    {COMMANDS_EXCHANGE, PAYMENT_CLOSE, &payment_close_type},
    {COMMANDS_EXCHANGE, PAYMENT_REFUND, &payment_refund_type},
};

const struct topology order_topology = {
    .service = "order-service",
    .queues = queues,
    .queue_count = COUNT(queues),
    .bindings = bindings,
    .binding_count = COUNT(bindings),
    .handlers = handlers,
    .handler_count = COUNT(handlers),
    .publications = publications,
    .publication_count = COUNT(publications),
};
