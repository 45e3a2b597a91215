/* The life of a payment: one table that decides every (state, event) pair. Pure: no store, no
 * clock, no messages, no provider.
 *
 *   none -> pending -> captured | declined | closed
 *   none -> closed                                   (a tombstone: closed before it was placed)
 *   captured -> refunding -> refunded
 *
 * Exactly one of captured, declined and closed is said per order, and each of them is an end for
 * the other two. What is heard late or twice finds a state in which it means nothing; but who asks
 * for what has been settled has not heard of it, and is told again. */
#ifndef WARREN_PAYMENT_SERVICE_PAYMENT_H
#define WARREN_PAYMENT_SERVICE_PAYMENT_H

enum payment_state {
    PAYMENT_STATE_NONE,
    PAYMENT_STATE_PENDING,
    PAYMENT_STATE_CAPTURED,
    PAYMENT_STATE_DECLINED,
    PAYMENT_STATE_CLOSED,
    PAYMENT_STATE_REFUNDING,
    PAYMENT_STATE_REFUNDED,
    PAYMENT_STATE_COUNT
};

enum payment_event {
    /* messages */
    PAYMENT_EVENT_PLACED,
    PAYMENT_EVENT_CLOSE,
    PAYMENT_EVENT_REFUND,
    /* answers to a capture */
    PAYMENT_EVENT_CAPTURE_OK,
    PAYMENT_EVENT_CAPTURE_DECLINED,
    PAYMENT_EVENT_CAPTURE_VOIDED,  /* a void was there first */
    PAYMENT_EVENT_CAPTURE_REFUSED, /* the provider will never do it */
    PAYMENT_EVENT_CAPTURE_OPEN,    /* failed, or nobody knows */
    /* answers to a void */
    PAYMENT_EVENT_VOID_OK,
    PAYMENT_EVENT_VOID_CAPTURED, /* the capture was there first */
    PAYMENT_EVENT_VOID_DECLINED, /* so was a decline */
    PAYMENT_EVENT_VOID_OPEN,
    /* answers to a refund */
    PAYMENT_EVENT_REFUND_OK,
    PAYMENT_EVENT_REFUND_OPEN,
    PAYMENT_EVENT_COUNT
};

enum payment_verdict {
    PAYMENT_MOVE,       /* into `next`, with `fact` and `call` */
    PAYMENT_IGNORE,     /* late or twice: change nothing */
    PAYMENT_SAY_AGAIN,  /* settled: whoever asks has not heard `fact`, so say it again */
    PAYMENT_AGAIN,      /* ask the provider again, later, with the same key */
    PAYMENT_WAIT,       /* a command whose cause has not been seen yet: later again */
    PAYMENT_CONTRADICT, /* a command that nobody can rightly have sent: quarantine */
};

struct payment_step {
    enum payment_verdict verdict;
    enum payment_state next;
    const char *fact; /* type, or NULL */
    const char *call; /* kind of an outside call, or NULL */
};

/* Never NULL: every pair is decided. */
const struct payment_step *payment_step(enum payment_state state, enum payment_event event);

/* "pending", as stored; "none" for no row. */
const char *payment_state_name(enum payment_state state);
/* PAYMENT_STATE_COUNT: there is no such state. */
enum payment_state payment_state_named(const char *name);
const char *payment_event_name(enum payment_event event);

#endif
