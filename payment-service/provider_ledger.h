/* The sandbox provider's book: what one call means, given what is written about its order, and the
 * entry that it leaves. Inside the caller's transaction. */
#ifndef WARREN_PAYMENT_SERVICE_PROVIDER_LEDGER_H
#define WARREN_PAYMENT_SERVICE_PROVIDER_LEDGER_H

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/store/store.h"
#include "payment-service/provider.h"

struct ledger_call {
    const char *kind;
    const char *key;
    const struct provider_request *request;
};

struct ledger_reply {
    enum result outcome; /* as in effect_done: OK, RETRY, INVALID */
    struct provider_answer answer;
    bool silent; /* done, and nobody is told */
};

#define CARD_SLOW "tok_slow"

/* What store_* returned. The reply counts only once the transaction has been committed. */
enum result ledger_decide(struct store *ledger, const struct clock *clock,
                          const struct ledger_call *call, struct ledger_reply *ret_reply,
                          struct err *err) WARN_UNUSED;

#endif
