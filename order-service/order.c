#include "order-service/order.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define MOVE(to, what, why, tell, goods)                                                           \
    {                                                                                              \
        .verdict = VERDICT_MOVE, .next = (to), .fact = (what), .reason = (why), .command = (tell), \
        .stock = (goods)                                                                           \
    }
#define IGNORE                                                                                     \
    {                                                                                              \
        .verdict = VERDICT_IGNORE                                                                  \
    }
#define LATER                                                                                      \
    {                                                                                              \
        .verdict = VERDICT_LATER                                                                   \
    }
#define REFUSE(why)                                                                                \
    {                                                                                              \
        .verdict = VERDICT_REFUSE, .reason = (why)                                                 \
    }
#define CONTRADICT                                                                                 \
    {                                                                                              \
        .verdict = VERDICT_CONTRADICT                                                              \
    }
/* clang-format on */

/* What comes back: nothing was taken, or a refund follows. The fold tells by these words. */
#define UNPAID "before-payment"
#define PAID "after-payment"

static const struct order_step steps[STATE_COUNT][EVENT_COUNT] = {
    [STATE_NONE] =
        {
            [EVENT_PLACE] = MOVE(STATE_PLACED, ORDER_PLACED, NULL, NULL, STOCK_RESERVE),
            [EVENT_UNAVAILABLE] = MOVE(STATE_REJECTED, ORDER_REJECTED, NULL, NULL, STOCK_KEEP),
            [EVENT_CANCEL] = LATER,
            [EVENT_DEADLINE] = IGNORE,
            [EVENT_CAPTURED] = LATER,
            [EVENT_DECLINED] = LATER,
            [EVENT_CLOSED] = LATER,
        },
    [STATE_PLACED] =
        {
            [EVENT_PLACE] = IGNORE,
            [EVENT_UNAVAILABLE] = IGNORE,
            [EVENT_CANCEL] = MOVE(STATE_CLOSING_FOR_CANCEL, ORDER_CLOSING, "cancelled",
                                  PAYMENT_CLOSE, STOCK_KEEP),
            [EVENT_DEADLINE] =
                MOVE(STATE_CLOSING_FOR_EXPIRY, ORDER_CLOSING, "expired", PAYMENT_CLOSE, STOCK_KEEP),
            [EVENT_CAPTURED] = MOVE(STATE_CONFIRMED, ORDER_CONFIRMED, NULL, NULL, STOCK_SELL),
            [EVENT_DECLINED] = MOVE(STATE_REJECTED, ORDER_REJECTED, NULL, NULL, STOCK_RELEASE),
            /* Nobody here asked for it, but then no money will ever come: the order must end. */
            [EVENT_CLOSED] = MOVE(STATE_REJECTED, ORDER_REJECTED, NULL, NULL, STOCK_RELEASE),
        },
    [STATE_CLOSING_FOR_CANCEL] =
        {
            [EVENT_PLACE] = IGNORE,
            [EVENT_UNAVAILABLE] = IGNORE,
            [EVENT_CANCEL] = IGNORE,
            [EVENT_DEADLINE] = IGNORE,
            [EVENT_CAPTURED] =
                MOVE(STATE_CANCELLED_PAID, ORDER_CANCELLED, PAID, PAYMENT_REFUND, STOCK_RELEASE),
            [EVENT_DECLINED] =
                MOVE(STATE_CANCELLED_UNPAID, ORDER_CANCELLED, UNPAID, NULL, STOCK_RELEASE),
            [EVENT_CLOSED] =
                MOVE(STATE_CANCELLED_UNPAID, ORDER_CANCELLED, UNPAID, NULL, STOCK_RELEASE),
        },
    [STATE_CLOSING_FOR_EXPIRY] =
        {
            [EVENT_PLACE] = IGNORE,
            [EVENT_UNAVAILABLE] = IGNORE,
            [EVENT_CANCEL] = IGNORE, /* it ends anyhow, and nobody pays for it */
            [EVENT_DEADLINE] = IGNORE,
            [EVENT_CAPTURED] =
                MOVE(STATE_EXPIRED_PAID, ORDER_EXPIRED, PAID, PAYMENT_REFUND, STOCK_RELEASE),
            [EVENT_DECLINED] =
                MOVE(STATE_EXPIRED_UNPAID, ORDER_EXPIRED, UNPAID, NULL, STOCK_RELEASE),
            [EVENT_CLOSED] = MOVE(STATE_EXPIRED_UNPAID, ORDER_EXPIRED, UNPAID, NULL, STOCK_RELEASE),
        },
    [STATE_CONFIRMED] =
        {
            [EVENT_PLACE] = IGNORE,
            [EVENT_UNAVAILABLE] = IGNORE,
            [EVENT_CANCEL] =
                MOVE(STATE_CANCELLED_PAID, ORDER_CANCELLED, PAID, PAYMENT_REFUND, STOCK_RETURN),
            [EVENT_DEADLINE] = IGNORE,
            [EVENT_CAPTURED] = IGNORE,
            [EVENT_DECLINED] = CONTRADICT,
            [EVENT_CLOSED] = CONTRADICT,
        },
    [STATE_REJECTED] =
        {
            [EVENT_PLACE] = IGNORE,
            [EVENT_UNAVAILABLE] = IGNORE,
            [EVENT_CANCEL] = REFUSE("not-cancellable"),
            [EVENT_DEADLINE] = IGNORE,
            [EVENT_CAPTURED] = CONTRADICT,
            [EVENT_DECLINED] = IGNORE,
            [EVENT_CLOSED] = IGNORE,
        },
    [STATE_CANCELLED_UNPAID] =
        {
            [EVENT_PLACE] = IGNORE,
            [EVENT_UNAVAILABLE] = IGNORE,
            [EVENT_CANCEL] = IGNORE,
            [EVENT_DEADLINE] = IGNORE,
            [EVENT_CAPTURED] = CONTRADICT,
            [EVENT_DECLINED] = IGNORE,
            [EVENT_CLOSED] = IGNORE,
        },
    [STATE_CANCELLED_PAID] =
        {
            [EVENT_PLACE] = IGNORE,
            [EVENT_UNAVAILABLE] = IGNORE,
            [EVENT_CANCEL] = IGNORE,
            [EVENT_DEADLINE] = IGNORE,
            [EVENT_CAPTURED] = IGNORE,
            [EVENT_DECLINED] = CONTRADICT,
            [EVENT_CLOSED] = CONTRADICT,
        },
    [STATE_EXPIRED_UNPAID] =
        {
            [EVENT_PLACE] = IGNORE,
            [EVENT_UNAVAILABLE] = IGNORE,
            [EVENT_CANCEL] = REFUSE("not-cancellable"),
            [EVENT_DEADLINE] = IGNORE,
            [EVENT_CAPTURED] = CONTRADICT,
            [EVENT_DECLINED] = IGNORE,
            [EVENT_CLOSED] = IGNORE,
        },
    [STATE_EXPIRED_PAID] =
        {
            [EVENT_PLACE] = IGNORE,
            [EVENT_UNAVAILABLE] = IGNORE,
            [EVENT_CANCEL] = REFUSE("not-cancellable"),
            [EVENT_DEADLINE] = IGNORE,
            [EVENT_CAPTURED] = IGNORE,
            [EVENT_DECLINED] = CONTRADICT,
            [EVENT_CLOSED] = CONTRADICT,
        },
};

const struct order_step *order_step(enum order_state state, enum order_event event)
{
    return &steps[state][event];
}

const char *order_state_name(enum order_state state)
{
    static const char *const names[STATE_COUNT] = {
        "none",     "placed",           "closing-for-cancel", "closing-for-expiry", "confirmed",
        "rejected", "cancelled-unpaid", "cancelled-paid",     "expired-unpaid",     "expired-paid",
    };
    return names[state];
}

const char *order_event_name(enum order_event event)
{
    static const char *const names[EVENT_COUNT] = {
        "place", "unavailable", "cancel", "deadline", "captured", "declined", "closed",
    };
    return names[event];
}

static struct order *order_new(size_t line_count)
{
    struct order *order = calloc(1, sizeof *order + line_count * sizeof order->lines[0]);
    if (order == NULL)
        abort();
    order->line_count = line_count;
    order->version = 1;
    return order;
}

static void lines_copy(struct order *order, const struct priced_line *lines)
{
    for (size_t i = 0; i < order->line_count; i++) {
        memcpy(order->lines[i].sku, lines[i].sku, SKU_SIZE);
        order->lines[i].quantity = lines[i].quantity;
    }
}

struct order *order_from_placed(const struct order_placed *fact)
{
    struct order *order = order_new(fact->line_count);
    memcpy(order->id, fact->order_id, UUID_SIZE);
    memcpy(order->customer, fact->customer, UUID_SIZE);
    memcpy(order->request_hash, fact->request_hash, HASH_SIZE);
    memcpy(order->currency, fact->currency, CURRENCY_SIZE);
    order->state = STATE_PLACED;
    order->total = fact->total;
    lines_copy(order, fact->lines);
    return order;
}

struct order *order_from_rejected(const struct order_rejected *fact)
{
    struct order *order = order_new(fact->line_count);
    memcpy(order->id, fact->order_id, UUID_SIZE);
    memcpy(order->customer, fact->customer, UUID_SIZE);
    memcpy(order->request_hash, fact->request_hash, HASH_SIZE);
    memcpy(order->currency, fact->currency, CURRENCY_SIZE);
    order->state = STATE_REJECTED;
    order->total = fact->total;
    lines_copy(order, fact->lines);
    return order;
}

static int step_tells(const struct order_step *step, const char *fact, const char *reason)
{
    return step->verdict == VERDICT_MOVE && strcmp(step->fact, fact) == 0 &&
           (step->reason == NULL || strcmp(step->reason, reason) == 0);
}

enum result order_apply(struct order *order, int64_t version, const char *fact, const char *reason,
                        struct err *err)
{
    if (version != order->version + 1)
        return err_set(err, FATAL, "version %lld follows %lld", (long long)version,
                       (long long)order->version);
    for (int event = 0; event < EVENT_COUNT; event++) {
        const struct order_step *step = &steps[order->state][event];
        if (step_tells(step, fact, reason)) {
            order->state = step->next;
            order->version = version;
            return OK;
        }
    }
    return err_set(err, FATAL, "%s cannot follow %s", fact, order_state_name(order->state));
}
