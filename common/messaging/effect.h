/* An outside call behind a port: the payment provider, the mailer. Started only after the intent is
 * committed, never inside a transaction; asynchronous; the answer is committed in a second
 * transaction. The idempotency key is stable across attempts. */
#ifndef WARREN_MESSAGING_EFFECT_H
#define WARREN_MESSAGING_EFFECT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct effect_call {
    const char *job_id;  /* comes back with the answer */
    const char *kind;    /* "capture" */
    const char *key;     /* the idempotency key */
    const char *request; /* JSON */
};

/* OK: `response` is the provider's JSON. RETRY: failed, may pass. UNKNOWN: no answer in time.
 * INVALID: turned down for good, `response` says why. `response` is borrowed, never NULL. */
typedef void effect_done(void *context, const char *job_id, enum result outcome,
                         const char *response);

struct effect;
struct effect_ops {
    /* RETRY: no room now, ask again after the next pump. Everything is borrowed for the call. */
    enum result (*start)(struct effect *effect, const struct effect_call *call);
    int (*fd)(struct effect *effect);              /* -1: none; then the deadline alone counts */
    int64_t (*deadline_ms)(struct effect *effect); /* monotonic; 0 at once; INT64_MAX never */
    void (*pump)(struct effect *effect, effect_done *done, void *context);
    void (*release)(struct effect *effect);
};

/* Embedded first in every implementation. */
struct effect {
    const struct effect_ops *ops;
};

/* Drops the calls in hand unanswered. Takes NULL. */
static inline void effect_free(struct effect *effect)
{
    if (effect)
        effect->ops->release(effect);
}

#endif
