/* Every guarantee is one named switch, on by default. A lesson turns one off to show what breaks; a
 * test turns each off to prove that the checker notices. A value passed in, never an #ifdef. */
#ifndef WARREN_BASE_SWITCHES_H
#define WARREN_BASE_SWITCHES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

struct switches {
    bool confirms;            /* a publish counts only when the broker has confirmed it */
    bool mandatory;           /* an unroutable message comes back instead of vanishing */
    bool inbox;               /* a message handled before is recognised and skipped */
    bool outbox;              /* messages leave through the transaction that caused them */
    bool ack_after_commit;    /* a delivery is acknowledged only once its effects are durable */
    bool sent_when_confirmed; /* an outbox row is done when confirmed, not when published */
    bool rescan; /* rows, jobs and messages left by a dead instance are taken up again */
    bool stable_provider_key; /* every attempt at one effect carries the same idempotency key */
    bool version_check;       /* a write on a stale version is refused */
    bool repeat_close;        /* an order that closes asks again until it hears what became of it */
    bool repeat_refund;       /* a refund is asked for again until it has been heard of */
    bool say_again;           /* payment answers a question asked again by saying its fact again */
    bool reconcile;           /* settled orders of which nothing has been heard are asked for */
    bool answer_per_key;      /* a repeat is not refused while an earlier attempt may be accepted */
};

struct switches switches_all_on(void);

/* Turns the named one off ("ack-after-commit"). INVALID: no such switch. */
enum result switches_turn_off(struct switches *switches, const char *name,
                              struct err *err) WARN_UNUSED;

/* The i-th switch's name, NULL past the end. */
const char *switches_name(size_t i);

#endif
