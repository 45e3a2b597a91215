/* The payment provider as payment-service sees it: a struct effect that knows three kinds of call,
 * each with an idempotency key, and answers in JSON. And the one that is built in: a sandbox with a
 * ledger of its own in a database of its own, which decides by the card's token.
 *
 *     capture  {order_id, amount, currency, token}   -> captured | declined | voided
 *     void     {order_id}                            -> voided | captured | declined
 *     refund   {order_id, amount, currency}          -> refunded
 *
 * What any provider has to keep: the same key gives the same answer and no second entry; capture
 * and void of one order are serialised, whoever is first wins and the other is told so; a refund
 * needs a capture and never exceeds it. A key met again with another order, amount or currency is
 * refused (the outcome INVALID). */
#ifndef WARREN_PAYMENT_SERVICE_PROVIDER_H
#define WARREN_PAYMENT_SERVICE_PROVIDER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bind.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/messaging/effect.h"
#include "common/store/store.h"
#include "contracts/messages.h"

#define PROVIDER_CAPTURE "capture"
#define PROVIDER_VOID "void"
#define PROVIDER_REFUND "refund"

struct provider_request {
    char order_id[UUID_SIZE];
    int64_t amount;               /* minor units; 0 in a void */
    char currency[CURRENCY_SIZE]; /* "" in a void */
    char token[TOKEN_SIZE];       /* "" but in a capture */
};

struct provider_answer {
    char result[WORD_SIZE];         /* captured | declined | voided | refunded */
    char reference[REFERENCE_SIZE]; /* captured, refunded: the provider's own name of the entry */
    char reason[WORD_SIZE];         /* declined */
};

extern const struct bind_type provider_request_type, provider_answer_type;

/* The text is written by our own code, yet read as strictly as a stranger's. */
enum result provider_request_read(const char *text, struct provider_request *ret_request,
                                  struct err *err) WARN_UNUSED;
enum result provider_answer_read(const char *text, struct provider_answer *ret_answer,
                                 struct err *err) WARN_UNUSED;

/* The sandbox. Cards:
 *     tok_visa                captured
 *     tok_declined            declined: payment-declined
 *     tok_insufficient_funds  declined: insufficient-funds
 *     tok_flaky               fails twice (RETRY), then captured; counted in the ledger, per order
 *     tok_timeout             captured, but the call that captures is never answered
 *     tok_slow                captured slow_ms after the call; until then nothing is in the ledger
 *     any other               declined: invalid-card
 *
 * Asynchronous, one thread: calls started between two pumps share one ledger transaction, and are
 * answered after its commit, never before. Several sandboxes (instances) may share a ledger file:
 * one that finds it locked tries again at the next pump. What it holds in memory (calls not yet
 * answered) may be lost at any time: whoever calls asks again with the same key. */
struct provider_sandbox_options { /* zero: the default */
    int64_t answer_delay_ms;      /* between commit and answer (0) */
    int64_t slow_ms;              /* tok_slow (2000) */
    size_t calls_max;             /* held at the same time; more are told RETRY (1024) */
    const struct log *log;        /* borrowed; NULL: silent */
};

/* Table ledger(entry, key, order_id, kind, amount, currency, reference, at_ms), kind capture |
 * decline | void | refund, a decline's reason in `reference`; table attempt(key, count).
 * Owner "ledger". */
extern const struct migration ledger_migrations[];
extern const size_t ledger_migration_count;

/* Clock and ledger (migrated, used by nobody else while pumping) are borrowed and outlive it; the
 * result is the caller's: effect_free. `options` may be NULL. */
enum result provider_sandbox_new(const struct clock *clock, struct store *ledger,
                                 const struct provider_sandbox_options *options,
                                 struct effect **ret_effect, struct err *err) WARN_UNUSED;

#endif
