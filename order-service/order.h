/* The life of an order: one table that decides every (state, event) pair, and the fold of an
 * order's facts to its state, which reads the same table. Pure: no store, no clock, no messages.
 *
 *   none -> placed | rejected
 *   placed -> confirmed | rejected | closing
 *   closing -> cancelled | expired          (with a refund if money turns out to have been taken)
 *   confirmed -> cancelled                  (with a refund)
 *
 * Payment alone knows about money: whoever wants out of `placed` asks it to close and waits. Who has
 * asked payment for something, a close or a refund, asks again until it has heard the answer. */
#ifndef WARREN_ORDER_SERVICE_ORDER_H
#define WARREN_ORDER_SERVICE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "contracts/messages.h"

enum order_state {
    STATE_NONE,
    STATE_PLACED,
    STATE_CLOSING_FOR_CANCEL,
    STATE_CLOSING_FOR_EXPIRY,
    STATE_CONFIRMED,
    STATE_REJECTED,
    STATE_CANCELLED_UNPAID, /* nothing was ever taken */
    STATE_CANCELLED_PAID,   /* captured; its refund is asked for until it is heard of */
    STATE_EXPIRED_UNPAID,
    STATE_EXPIRED_PAID,
    STATE_COUNT
};

enum order_event {
    EVENT_PLACE,       /* priced, and everything in stock */
    EVENT_UNAVAILABLE, /* asked for, and cannot be had */
    EVENT_CANCEL,
    EVENT_DEADLINE, /* it has waited long enough for what comes next */
    EVENT_CAPTURED,
    EVENT_DECLINED,
    EVENT_CLOSED,
    EVENT_REFUNDED,
    EVENT_COUNT
};

enum order_verdict {
    VERDICT_MOVE,       /* a new version: state, fact, command, stock as the step says */
    VERDICT_IGNORE,     /* heard before or no longer of interest: change nothing */
    VERDICT_LATER,      /* its cause has not been seen yet: DEFER */
    VERDICT_ASK,        /* no answer yet: the step's command again, and go on waiting */
    VERDICT_REST,       /* what it asked for has been done: it waits for nothing any more */
    VERDICT_REFUSE,     /* say so with command.refused */
    VERDICT_CONTRADICT, /* payment says two things that exclude each other: quarantine */
};

enum stock_move {
    STOCK_KEEP,
    STOCK_RESERVE, /* available -> reserved */
    STOCK_SELL,    /* reserved -> sold */
    STOCK_RELEASE, /* reserved -> available */
    STOCK_RETURN,  /* sold -> available */
};

struct order_step {
    enum order_verdict verdict;
    enum order_state next;
    const char *fact;    /* type */
    const char *reason;  /* the fact's, or the refusal's; NULL: the event brings it, or none */
    const char *command; /* type, or NULL */
    enum stock_move stock;
};

/* Never NULL: every pair is decided. */
const struct order_step *order_step(enum order_state state, enum order_event event);
/* The command that an order in this state has sent and wants answered; NULL: none. */
const char *order_asks(enum order_state state);

/* "closing-for-cancel"; for texts and traces. */
const char *order_state_name(enum order_state state);
const char *order_event_name(enum order_event event);

/* One order, folded. Lines are what stock needs to know. */
struct order {
    char id[UUID_SIZE];
    char customer[UUID_SIZE];
    char request_hash[HASH_SIZE];
    char currency[CURRENCY_SIZE];
    enum order_state state;
    int64_t version;
    int64_t total;
    size_t line_count;
    struct order_line lines[];
};

/* From the first fact. The result is the caller's to free(). Never NULL. */
struct order *order_from_placed(const struct order_placed *fact);
struct order *order_from_rejected(const struct order_rejected *fact);

/* Folds a later fact in. FATAL, order unchanged: no step of the table leads there. */
enum result order_apply(struct order *order, int64_t version, const char *fact, const char *reason,
                        struct err *err) WARN_UNUSED;

#endif
