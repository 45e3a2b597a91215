#include "payment-service/payment.h"

#include <assert.h>
#include <string.h>

#include "contracts/messages.h"
#include "payment-service/provider.h"

static const char *const state_names[PAYMENT_STATE_COUNT] = {
    [PAYMENT_STATE_NONE] = "none",         [PAYMENT_STATE_PENDING] = "pending",
    [PAYMENT_STATE_CAPTURED] = "captured", [PAYMENT_STATE_DECLINED] = "declined",
    [PAYMENT_STATE_CLOSED] = "closed",     [PAYMENT_STATE_REFUNDING] = "refunding",
    [PAYMENT_STATE_REFUNDED] = "refunded",
};

static const char *const event_names[PAYMENT_EVENT_COUNT] = {
    [PAYMENT_EVENT_PLACED] = "placed",
    [PAYMENT_EVENT_CLOSE] = "close",
    [PAYMENT_EVENT_REFUND] = "refund",
    [PAYMENT_EVENT_CAPTURE_OK] = "capture-ok",
    [PAYMENT_EVENT_CAPTURE_DECLINED] = "capture-declined",
    [PAYMENT_EVENT_CAPTURE_VOIDED] = "capture-voided",
    [PAYMENT_EVENT_CAPTURE_REFUSED] = "capture-refused",
    [PAYMENT_EVENT_CAPTURE_OPEN] = "capture-open",
    [PAYMENT_EVENT_VOID_OK] = "void-ok",
    [PAYMENT_EVENT_VOID_CAPTURED] = "void-captured",
    [PAYMENT_EVENT_VOID_DECLINED] = "void-declined",
    [PAYMENT_EVENT_VOID_OPEN] = "void-open",
    [PAYMENT_EVENT_REFUND_OK] = "refund-ok",
    [PAYMENT_EVENT_REFUND_OPEN] = "refund-open",
};

/* clang-format off */
#define MOVE(state, said, asked)                                                                   \
    {                                                                                              \
        PAYMENT_MOVE, PAYMENT_STATE_##state, said, asked                                           \
    }
#define IGNORE                                                                                     \
    {                                                                                              \
        PAYMENT_IGNORE, PAYMENT_STATE_NONE, NULL, NULL                                             \
    }
#define AGAIN                                                                                      \
    {                                                                                              \
        PAYMENT_AGAIN, PAYMENT_STATE_NONE, NULL, NULL                                              \
    }
#define WAIT                                                                                       \
    {                                                                                              \
        PAYMENT_WAIT, PAYMENT_STATE_NONE, NULL, NULL                                               \
    }
#define CONTRADICT                                                                                 \
    {                                                                                              \
        PAYMENT_CONTRADICT, PAYMENT_STATE_NONE, NULL, NULL                                         \
    }
/* clang-format on */
/* Once it is over, an answer means nothing any more, and an open call needs no other attempt. */
#define IGNORE_ANSWERS_OF_PENDING                                                                  \
    [PAYMENT_EVENT_CAPTURE_OK] = IGNORE, [PAYMENT_EVENT_CAPTURE_DECLINED] = IGNORE,                \
    [PAYMENT_EVENT_CAPTURE_VOIDED] = IGNORE, [PAYMENT_EVENT_CAPTURE_REFUSED] = IGNORE,             \
    [PAYMENT_EVENT_CAPTURE_OPEN] = IGNORE, [PAYMENT_EVENT_VOID_OK] = IGNORE,                       \
    [PAYMENT_EVENT_VOID_CAPTURED] = IGNORE, [PAYMENT_EVENT_VOID_DECLINED] = IGNORE,                \
    [PAYMENT_EVENT_VOID_OPEN] = IGNORE
#define IGNORE_ANSWERS_OF_REFUND                                                                   \
    [PAYMENT_EVENT_REFUND_OK] = IGNORE, [PAYMENT_EVENT_REFUND_OPEN] = IGNORE

static const struct payment_step steps[PAYMENT_STATE_COUNT][PAYMENT_EVENT_COUNT] = {
    [PAYMENT_STATE_NONE] =
        {
            [PAYMENT_EVENT_PLACED] = MOVE(PENDING, NULL, PROVIDER_CAPTURE),
            [PAYMENT_EVENT_CLOSE] = MOVE(CLOSED, PAYMENT_CLOSED, NULL),
            [PAYMENT_EVENT_REFUND] = CONTRADICT, /* a refund follows what we said ourselves */
            IGNORE_ANSWERS_OF_PENDING,
            IGNORE_ANSWERS_OF_REFUND,
        },
    [PAYMENT_STATE_PENDING] =
        {
            [PAYMENT_EVENT_PLACED] = IGNORE,
            /* Stays pending: only the provider knows whether the capture was first. */
            [PAYMENT_EVENT_CLOSE] = MOVE(PENDING, NULL, PROVIDER_VOID),
            [PAYMENT_EVENT_REFUND] = WAIT,
            [PAYMENT_EVENT_CAPTURE_OK] = MOVE(CAPTURED, PAYMENT_CAPTURED, NULL),
            [PAYMENT_EVENT_CAPTURE_DECLINED] = MOVE(DECLINED, PAYMENT_DECLINED, NULL),
            [PAYMENT_EVENT_CAPTURE_VOIDED] = MOVE(CLOSED, PAYMENT_CLOSED, NULL),
            [PAYMENT_EVENT_CAPTURE_REFUSED] = MOVE(DECLINED, PAYMENT_DECLINED, NULL),
            [PAYMENT_EVENT_CAPTURE_OPEN] = AGAIN,
            [PAYMENT_EVENT_VOID_OK] = MOVE(CLOSED, PAYMENT_CLOSED, NULL),
            [PAYMENT_EVENT_VOID_CAPTURED] = MOVE(CAPTURED, PAYMENT_CAPTURED, NULL),
            [PAYMENT_EVENT_VOID_DECLINED] = MOVE(DECLINED, PAYMENT_DECLINED, NULL),
            [PAYMENT_EVENT_VOID_OPEN] = AGAIN,
            IGNORE_ANSWERS_OF_REFUND,
        },
    [PAYMENT_STATE_CAPTURED] =
        {
            [PAYMENT_EVENT_PLACED] = IGNORE,
            [PAYMENT_EVENT_CLOSE] = IGNORE, /* payment.captured has been said: a refund follows */
            [PAYMENT_EVENT_REFUND] = MOVE(REFUNDING, NULL, PROVIDER_REFUND),
            IGNORE_ANSWERS_OF_PENDING,
            IGNORE_ANSWERS_OF_REFUND,
        },
    [PAYMENT_STATE_DECLINED] =
        {
            [PAYMENT_EVENT_PLACED] = IGNORE,
            [PAYMENT_EVENT_CLOSE] = IGNORE,
            [PAYMENT_EVENT_REFUND] = CONTRADICT,
            IGNORE_ANSWERS_OF_PENDING,
            IGNORE_ANSWERS_OF_REFUND,
        },
    [PAYMENT_STATE_CLOSED] =
        {
            [PAYMENT_EVENT_PLACED] = IGNORE, /* the tombstone */
            [PAYMENT_EVENT_CLOSE] = IGNORE,
            [PAYMENT_EVENT_REFUND] = CONTRADICT,
            IGNORE_ANSWERS_OF_PENDING,
            IGNORE_ANSWERS_OF_REFUND,
        },
    [PAYMENT_STATE_REFUNDING] =
        {
            [PAYMENT_EVENT_PLACED] = IGNORE,
            [PAYMENT_EVENT_CLOSE] = IGNORE,
            [PAYMENT_EVENT_REFUND] = IGNORE, /* once */
            IGNORE_ANSWERS_OF_PENDING,
            [PAYMENT_EVENT_REFUND_OK] = MOVE(REFUNDED, PAYMENT_REFUNDED, NULL),
            [PAYMENT_EVENT_REFUND_OPEN] = AGAIN,
        },
    [PAYMENT_STATE_REFUNDED] =
        {
            [PAYMENT_EVENT_PLACED] = IGNORE,
            [PAYMENT_EVENT_CLOSE] = IGNORE,
            [PAYMENT_EVENT_REFUND] = IGNORE,
            IGNORE_ANSWERS_OF_PENDING,
            IGNORE_ANSWERS_OF_REFUND,
        },
};

const struct payment_step *payment_step(enum payment_state state, enum payment_event event)
{
    assert(state < PAYMENT_STATE_COUNT && event < PAYMENT_EVENT_COUNT);
    return &steps[state][event];
}

const char *payment_state_name(enum payment_state state)
{
    return state < PAYMENT_STATE_COUNT ? state_names[state] : "?";
}

enum payment_state payment_state_named(const char *name)
{
    for (int state = 0; state < PAYMENT_STATE_COUNT; state++) {
        if (strcmp(name, state_names[state]) == 0)
            return (enum payment_state)state;
    }
    return PAYMENT_STATE_COUNT;
}

const char *payment_event_name(enum payment_event event)
{
    return event < PAYMENT_EVENT_COUNT ? event_names[event] : "?";
}
