/* The table `payment`: one row per order. Inside the caller's transaction. */
#ifndef WARREN_PAYMENT_SERVICE_PAYMENT_STORE_H
#define WARREN_PAYMENT_SERVICE_PAYMENT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/id.h"
#include "common/store/store.h"
#include "contracts/messages.h"
#include "payment-service/payment.h"

struct payment {
    char order_id[UUID_SIZE];
    enum payment_state state;
    int64_t amount;
    char currency[CURRENCY_SIZE];
    char token[TOKEN_SIZE];
    char reason[WORD_SIZE]; /* of the close that was asked for, or of the decline */
    char provider_reference[REFERENCE_SIZE];
    char outcome_fact_id[ID_TEXT_SIZE]; /* captured, declined or closed; "" : not yet */
    char refund_fact_id[ID_TEXT_SIZE];
    char refund_reference[REFERENCE_SIZE]; /* on its way into the fact; not stored */
    int64_t outcome_position;              /* where the loop keeps that fact; 0: nowhere */
    int64_t refund_position;               /* of the refund */
    int64_t sequence;                      /* of the last fact said about this order */
    bool stored;                           /* there is a row */
};

/* OK also without a row: state none, nothing stored. FATAL: a row that makes no sense. */
enum result payment_load(struct store *store, const char *order_id, struct payment *ret_payment,
                         struct err *err) WARN_UNUSED;
enum result payment_save(struct store *store, const struct payment *payment, int64_t now_ms,
                         struct err *err) WARN_UNUSED;

#endif
