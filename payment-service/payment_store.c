#include "payment-service/payment_store.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "payment-service/payment_service.h"

const struct migration payment_migrations[] = {
    {1, "CREATE TABLE payment(order_id TEXT PRIMARY KEY, state TEXT NOT NULL CHECK (state = "
        "'pending' OR state = 'captured' OR state = 'declined' OR state = 'closed' OR "
        "state = 'refunding' OR state = 'refunded'), "
        "amount INTEGER NOT NULL, currency TEXT NOT NULL, token TEXT NOT NULL, reason TEXT, "
        "provider_reference TEXT, outcome_fact_id TEXT, refund_fact_id TEXT, "
        "sequence INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL)"},
    /* Where the bytes of what was said are kept, in the table `fact`. NULL: said before this step. */
    {2, "ALTER TABLE payment ADD COLUMN outcome_position INTEGER;"
        "ALTER TABLE payment ADD COLUMN refund_position INTEGER"},
};
const size_t payment_migration_count = sizeof payment_migrations / sizeof payment_migrations[0];

static enum result read_row(void *context, const struct store_row *row, struct err *err)
{
    struct payment *payment = context;
    payment->stored = true;
    payment->state = payment_state_named(store_row_text(row, 0));
    payment->amount = store_row_int(row, 1);
    store_row_copy(row, 2, payment->currency, sizeof payment->currency);
    store_row_copy(row, 3, payment->token, sizeof payment->token);
    store_row_copy(row, 4, payment->reason, sizeof payment->reason);
    store_row_copy(row, 5, payment->provider_reference, sizeof payment->provider_reference);
    store_row_copy(row, 6, payment->outcome_fact_id, sizeof payment->outcome_fact_id);
    store_row_copy(row, 7, payment->refund_fact_id, sizeof payment->refund_fact_id);
    payment->sequence = store_row_int(row, 8);
    payment->outcome_position = store_row_int(row, 9);
    payment->refund_position = store_row_int(row, 10);
    if (payment->state == PAYMENT_STATE_NONE || payment->state == PAYMENT_STATE_COUNT)
        return err_set(err, FATAL, "payment %s: state '%s'", payment->order_id,
                       store_row_text(row, 0));
    return OK;
}

enum result payment_load(struct store *store, const char *order_id, struct payment *ret_payment,
                         struct err *err)
{
    *ret_payment = (struct payment){.state = PAYMENT_STATE_NONE};
    text_copy(ret_payment->order_id, sizeof ret_payment->order_id, order_id);
    return store_query(
        store,
        "SELECT state, amount, currency, token, reason, provider_reference, "
        "outcome_fact_id, refund_fact_id, sequence, outcome_position, refund_position "
        "FROM payment "
        "WHERE order_id = $1",
        STORE_ARGS(store_text(order_id)), read_row, ret_payment, err);
}

static struct store_value text_or_null(const char *text)
{
    return store_text(text[0] ? text : NULL);
}

static struct store_value int_or_null(int64_t number)
{
    return number == 0 ? store_text(NULL) : store_int(number);
}

static enum result insert(struct store *store, const struct payment *payment, int64_t now_ms,
                          struct err *err)
{
    return store_exec(
        store,
        "INSERT INTO payment(order_id, state, amount, currency, token, reason, "
        "outcome_fact_id, outcome_position, sequence, created_ms, updated_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        STORE_ARGS(store_text(payment->order_id), store_text(payment_state_name(payment->state)),
                   store_int(payment->amount), store_text(payment->currency),
                   store_text(payment->token), text_or_null(payment->reason),
                   text_or_null(payment->outcome_fact_id), int_or_null(payment->outcome_position),
                   store_int(payment->sequence), store_int(now_ms)),
        NULL, err);
}

static enum result update(struct store *store, const struct payment *payment, int64_t now_ms,
                          struct err *err)
{
    return store_exec(
        store,
        "UPDATE payment SET state = $2, reason = $3, provider_reference = $4, "
        "outcome_fact_id = $5, refund_fact_id = $6, outcome_position = $7, refund_position = $8, "
        "sequence = $9, updated_ms = $10 WHERE order_id = $1",
        STORE_ARGS(store_text(payment->order_id), store_text(payment_state_name(payment->state)),
                   text_or_null(payment->reason), text_or_null(payment->provider_reference),
                   text_or_null(payment->outcome_fact_id), text_or_null(payment->refund_fact_id),
                   int_or_null(payment->outcome_position), int_or_null(payment->refund_position),
                   store_int(payment->sequence), store_int(now_ms)),
        NULL, err);
}

enum result payment_save(struct store *store, const struct payment *payment, int64_t now_ms,
                         struct err *err)
{
    return payment->stored ? update(store, payment, now_ms, err)
                           : insert(store, payment, now_ms, err);
}
