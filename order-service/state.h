/* What the handlers of this room share: the service's state, and who handles what. Private. */
#ifndef WARREN_ORDER_SERVICE_STATE_H
#define WARREN_ORDER_SERVICE_STATE_H

#include "common/messaging/service.h"
#include "contracts/messages.h"
#include "order-service/order_service.h"
#include "order-service/order_store.h"
#include "order-service/stock.h"

enum { REFUSAL_REASONS = 8 };

/* fate.c: refusals, counted by reason once they are committed. */
struct refusals {
    uint64_t counted[REFUSAL_REASONS];
    struct refusal *open; /* of the open transaction */
    size_t count, capacity;
};

struct order_service {
    int64_t payment_deadline_ms;
    const struct log *log; /* NULL: silent */
    struct refusals refusals;
    struct order_store *orders;
    struct stock *stock;
    /* Too large for the stack's comfort, and never alive beyond one message. */
    struct order_placed placed;
    struct order_rejected rejected;
    struct retell_settled asked; /* in this transaction, to be answered at its end; or nothing */
};

#define EVENTS_EXCHANGE "warren.events"
#define COMMANDS_EXCHANGE "warren.commands"

/* place.c */
handler_fn handle_place;
/* life.c */
handler_fn handle_cancel, handle_captured, handle_declined, handle_closed, handle_refunded;
/* It has waited long enough: out of `placed`, or what it asked for is asked for again. Never fails for
 * reasons that lie in this one order. */
enum result order_overdue(struct order_service *service, struct uow *uow,
                          const struct due_order *due, struct err *err) WARN_UNUSED;
/* catalogue.c */
handler_fn handle_set_product, handle_stock_adjust;

/* retell.c */
handler_fn handle_retell, handle_retell_settled;
/* Last in the transaction: answers what was asked in it. */
enum result retell_flush(struct order_service *service, struct uow *uow,
                         struct err *err) WARN_UNUSED;

/* fate.c: tells the sender of a command, by a fact, what came of it. OK when told. */
struct command {
    const struct envelope *envelope;
    const char *about;    /* an order id or a SKU */
    const char *customer; /* "": an administrator's */
};
enum result command_done(struct uow *uow, const struct command *command,
                         struct err *err) WARN_UNUSED;
/* `reason` is one of fate.c's table. */
enum result command_refuse(struct order_service *service, struct uow *uow,
                           const struct command *command, const char *reason,
                           struct err *err) WARN_UNUSED;
void refusals_committed(struct refusals *refusals, const struct log *log);
void refusals_release(struct refusals *refusals);

#endif
