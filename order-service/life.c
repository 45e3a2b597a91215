/* What happens to an order after it was placed: cancel, payment's word, the deadline. Each looks up
 * the order, asks the table, and carries out the step. */
#include <stdio.h>
#include <string.h>

#include "order-service/state.h"

/* How long an answer is waited for before it is asked for again: each time twice as long. */
enum { ASK_FIRST_MS = 5000, ASK_LAST_MS = 60000 };
/* An order that cannot be read must not keep the others waiting: it is looked at again later. */
enum { UNREADABLE_AGAIN_MS = 600000 };

/* What has happened to which order. */
struct happening {
    enum order_event event;
    const char *order_id;
    const char *reason; /* brought by the event, where the step has none of its own */
};

/* A decision to write is guarded by the version: on a stale order it ends in CONFLICT. A decision
 * not to write has no such guard, so it is taken on what the store says now. */
static enum result step_find(struct order_service *service, struct uow *uow,
                             const struct happening *what, struct order **ret_order,
                             const struct order_step **ret_step, struct err *err)
{
    bool fresh = false;
    enum result result =
        order_store_find(service->orders, uow_store(uow), what->order_id, ret_order, &fresh, err);
    if (result == OK && !fresh &&
        order_step((*ret_order)->state, what->event)->verdict != VERDICT_MOVE)
        result =
            order_store_reload(service->orders, uow_store(uow), what->order_id, ret_order, err);
    if (result == NOT_FOUND) {
        *ret_order = NULL;
        *ret_step = order_step(STATE_NONE, what->event);
        return OK;
    }
    if (result == OK)
        *ret_step = order_step((*ret_order)->state, what->event);
    return result;
}

static enum result append(struct order_service *service, struct uow *uow, const struct order *order,
                          const char *type, const struct bind_type *payload_type,
                          const void *payload, int64_t *settlement, struct err *err)
{
    return order_store_append(service->orders, uow,
                              &(struct order_fact){
                                  .order_id = order->id,
                                  .version = order->version + 1,
                                  .type = type,
                                  .payload_type = payload_type,
                                  .payload = payload,
                                  .settlement = settlement,
                              },
                              err);
}

static enum result append_closing(struct order_service *service, struct uow *uow,
                                  const struct order *order, const char *reason, struct err *err)
{
    struct order_closing fact = {.version = order->version + 1};
    memcpy(fact.order_id, order->id, UUID_SIZE);
    memcpy(fact.customer, order->customer, UUID_SIZE);
    snprintf(fact.reason, sizeof fact.reason, "%s", reason);
    return append(service, uow, order, ORDER_CLOSING, &order_closing_type, &fact, NULL, err);
}

static enum result append_ended(struct order_service *service, struct uow *uow,
                                const struct order *order, const struct order_step *step,
                                struct err *err)
{
    struct order_ended fact = {.version = order->version + 1, .total = order->total};
    memcpy(fact.order_id, order->id, UUID_SIZE);
    memcpy(fact.customer, order->customer, UUID_SIZE);
    memcpy(fact.currency, order->currency, CURRENCY_SIZE);
    snprintf(fact.reason, sizeof fact.reason, "%s", step->reason == NULL ? "" : step->reason);
    const struct bind_type *type = step->next == STATE_CONFIRMED            ? &order_confirmed_type
                                   : strcmp(step->fact, ORDER_EXPIRED) == 0 ? &order_expired_type
                                                                            : &order_cancelled_type;
    return append(service, uow, order, step->fact, type, &fact, &fact.settlement, err);
}

/* Says again what was placed: names and prices are not kept in memory. */
static enum result append_rejected(struct order_service *service, struct uow *uow,
                                   const struct order *order, const char *reason, struct err *err)
{
    struct order_placed *placed = &service->placed;
    struct order_rejected *fact = &service->rejected;
    enum result result = order_store_placed(uow_store(uow), order->id, placed, err);
    if (result != OK)
        return result;
    memcpy(fact->order_id, order->id, UUID_SIZE);
    memcpy(fact->customer, order->customer, UUID_SIZE);
    fact->version = order->version + 1;
    snprintf(fact->reason, sizeof fact->reason, "%s", reason);
    memcpy(fact->currency, placed->currency, CURRENCY_SIZE);
    fact->line_count = placed->line_count;
    memcpy(fact->lines, placed->lines, placed->line_count * sizeof fact->lines[0]);
    fact->total = placed->total;
    memcpy(fact->request_hash, placed->request_hash, HASH_SIZE);
    return append(service, uow, order, ORDER_REJECTED, &order_rejected_type, fact,
                  &fact->settlement, err);
}

static enum result append_fact(struct order_service *service, struct uow *uow,
                               const struct order *order, const struct order_step *step,
                               const char *reason, struct err *err)
{
    if (strcmp(step->fact, ORDER_CLOSING) == 0)
        return append_closing(service, uow, order, step->reason, err);
    if (strcmp(step->fact, ORDER_REJECTED) == 0)
        return append_rejected(service, uow, order, reason, err);
    return append_ended(service, uow, order, step, err);
}

static enum result command_send(struct uow *uow, const struct order *order, enum occasion occasion,
                                const struct bind_type *payload_type, const void *payload,
                                struct err *err)
{
    return uow_publish(uow,
                       &(struct outgoing){
                           .occasion = occasion,
                           .exchange = COMMANDS_EXCHANGE,
                           .type = payload_type->name,
                           .subject = order->id,
                           .payload_type = payload_type,
                           .payload = payload,
                       },
                       NULL, err);
}

static enum result command_payment(struct uow *uow, const struct order *order,
                                   const struct order_step *step, enum occasion occasion,
                                   struct err *err)
{
    if (strcmp(step->command, PAYMENT_CLOSE) == 0) {
        struct payment_close close = {0};
        memcpy(close.order_id, order->id, UUID_SIZE);
        snprintf(close.reason, sizeof close.reason, "%s", step->reason);
        return command_send(uow, order, occasion, &payment_close_type, &close, err);
    }
    struct payment_refund refund = {.amount = order->total};
    memcpy(refund.order_id, order->id, UUID_SIZE);
    memcpy(refund.currency, order->currency, CURRENCY_SIZE);
    return command_send(uow, order, occasion, &payment_refund_type, &refund, err);
}

static bool will_ask(const struct uow *uow, enum order_state state)
{
    const struct switches *switches = uow_switches(uow);
    const char *command = order_asks(state);
    return command != NULL &&
           (strcmp(command, PAYMENT_CLOSE) == 0 ? switches->repeat_close : switches->repeat_refund);
}

/* What the order waits for from now on, if anything, and until when. */
static enum result wait_for_next(struct uow *uow, const struct order *order, enum order_state next,
                                 struct err *err)
{
    bool waits = order->state == STATE_PLACED || will_ask(uow, order->state);
    int64_t now_ms = uow_now_ms(uow);
    if (will_ask(uow, next))
        return order_store_open(uow_store(uow), order->id, now_ms, now_ms + ASK_FIRST_MS, err);
    return waits ? order_store_close(uow_store(uow), order->id, err) : OK;
}

static enum result step_take(struct order_service *service, struct uow *uow, struct order *order,
                             const struct order_step *step, const char *reason, struct err *err)
{
    enum result result = append_fact(service, uow, order, step, reason, err);
    if (result == OK)
        result = wait_for_next(uow, order, step->next, err);
    if (result == OK && step->command != NULL)
        result = command_payment(uow, order, step, FIRST_TIME, err);
    if (result == OK)
        result = stock_move_lines(service->stock, uow_store(uow), step->stock, order->lines,
                                  order->line_count, err);
    if (result == OK)
        result = order_apply(order, order->version + 1, step->fact,
                             step->reason == NULL ? reason : step->reason, err);
    return result;
}

/* Everything but VERDICT_REFUSE, which only a command's handler can carry out, and VERDICT_ASK, which
 * only time brings. */
static enum result step_follow(struct order_service *service, struct uow *uow, struct order *order,
                               const struct order_step *step, const struct happening *what,
                               struct err *err)
{
    enum result result = FATAL;
    if (!order && step->verdict != VERDICT_IGNORE && step->verdict != VERDICT_LATER)
        return err_set(err, FATAL, "%s on no order", order_event_name(what->event));
    switch (step->verdict) {
    case VERDICT_MOVE:
        result = step_take(service, uow, order, step, what->reason, err);
        break;
    case VERDICT_IGNORE:
        return DUPLICATE;
    case VERDICT_REST:
        result = order_store_close(uow_store(uow), order->id, err);
        break;
    case VERDICT_LATER:
        result = err_set(err, DEFER, "not known yet");
        break;
    case VERDICT_CONTRADICT:
        result = err_set(err, INVALID, "%s contradicts %s", order_event_name(what->event),
                         order_state_name(order->state));
        break;
    case VERDICT_REFUSE:
    case VERDICT_ASK:
        break;
    }
    return result == OK ? OK : err_context(err, result, "order %s", what->order_id);
}

enum result handle_cancel(void *self, struct uow *uow, const struct envelope *envelope,
                          const void *payload, struct err *err)
{
    const struct order_cancel *cancel = payload;
    struct happening what = {EVENT_CANCEL, cancel->order_id, ""};
    struct order *order = NULL;
    const struct order_step *step = NULL;
    enum result result = step_find(self, uow, &what, &order, &step, err);
    if (result != OK)
        return result;
    if (order != NULL && strcmp(order->customer, cancel->customer) != 0)
        return command_refuse(uow, envelope, cancel->order_id, "not-found", err);
    if (step->verdict == VERDICT_REFUSE)
        return command_refuse(uow, envelope, cancel->order_id, step->reason, err);
    return step_follow(self, uow, order, step, &what, err);
}

/* What payment says it has moved must be what the order costs. */
static enum result money_moved(struct order_service *service, struct uow *uow,
                               enum order_event event, const struct payment_outcome *money,
                               struct err *err)
{
    struct happening what = {event, money->order_id, ""};
    struct order *order = NULL;
    const struct order_step *step = NULL;
    enum result result = step_find(service, uow, &what, &order, &step, err);
    if (result != OK)
        return result;
    if (order != NULL &&
        (money->amount != order->total || strcmp(money->currency, order->currency) != 0))
        return err_set(err, INVALID, "order %s: %s %lld %s of %lld %s", order->id,
                       order_event_name(event), (long long)money->amount, money->currency,
                       (long long)order->total, order->currency);
    return step_follow(service, uow, order, step, &what, err);
}

enum result handle_captured(void *self, struct uow *uow, const struct envelope *envelope,
                            const void *payload, struct err *err)
{
    (void)envelope;
    return money_moved(self, uow, EVENT_CAPTURED, payload, err);
}

enum result handle_refunded(void *self, struct uow *uow, const struct envelope *envelope,
                            const void *payload, struct err *err)
{
    (void)envelope;
    return money_moved(self, uow, EVENT_REFUNDED, payload, err);
}

static enum result happen(struct order_service *service, struct uow *uow,
                          const struct happening *what, struct err *err)
{
    struct order *order = NULL;
    const struct order_step *step = NULL;
    enum result result = step_find(service, uow, what, &order, &step, err);
    return result == OK ? step_follow(service, uow, order, step, what, err) : result;
}

enum result handle_declined(void *self, struct uow *uow, const struct envelope *envelope,
                            const void *payload, struct err *err)
{
    const struct payment_declined *declined = payload;
    (void)envelope;
    return happen(self, uow,
                  &(struct happening){EVENT_DECLINED, declined->order_id, declined->reason}, err);
}

enum result handle_closed(void *self, struct uow *uow, const struct envelope *envelope,
                          const void *payload, struct err *err)
{
    const struct payment_closed *closed = payload;
    (void)envelope;
    return happen(self, uow, &(struct happening){EVENT_CLOSED, closed->order_id, "payment-closed"},
                  err);
}

static enum result ask_again(struct uow *uow, const struct order *order,
                             const struct order_step *step, int64_t waited_ms, struct err *err)
{
    int64_t now_ms = uow_now_ms(uow);
    int64_t wait_ms = waited_ms > ASK_LAST_MS / 2 ? ASK_LAST_MS : 2 * waited_ms;
    if (wait_ms < ASK_FIRST_MS)
        wait_ms = ASK_FIRST_MS;
    enum result result = order_store_open(uow_store(uow), order->id, now_ms, now_ms + wait_ms, err);
    return result == OK ? command_payment(uow, order, step, AGAIN, err) : result;
}

static enum result follow_overdue(struct order_service *service, struct uow *uow,
                                  const struct due_order *due, struct err *err)
{
    struct happening what = {EVENT_DEADLINE, due->id, ""};
    struct order *order = NULL;
    const struct order_step *step = NULL;
    enum result result = step_find(service, uow, &what, &order, &step, err);
    if (result != OK)
        return result;
    if (order == NULL || step->verdict != VERDICT_ASK)
        return step_follow(service, uow, order, step, &what, err);
    return will_ask(uow, order->state) ? ask_again(uow, order, step, due->waited_ms, err)
                                       : DUPLICATE;
}

enum result order_overdue(struct order_service *service, struct uow *uow,
                          const struct due_order *due, struct err *err)
{
    enum result result = follow_overdue(service, uow, due, err);
    if (result == INVALID)
        return order_store_open(uow_store(uow), due->id, uow_now_ms(uow),
                                uow_now_ms(uow) + UNREADABLE_AGAIN_MS, err);
    /* It waits for nothing, so that it has no business among the open ones. */
    return result == DUPLICATE ? order_store_close(uow_store(uow), due->id, err) : result;
}
