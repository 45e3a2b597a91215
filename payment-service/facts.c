#include "payment-service/facts.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/text.h"
#include "contracts/messages.h"
#include "payment-service/payment_service.h"

union fact {
    struct payment_outcome outcome;
    struct payment_declined declined;
    struct payment_closed closed;
};

static void fill_outcome(const struct payment *payment, union fact *fact)
{
    struct payment_outcome *outcome = &fact->outcome;
    text_copy(outcome->order_id, sizeof outcome->order_id, payment->order_id);
    outcome->amount = payment->amount;
    text_copy(outcome->currency, sizeof outcome->currency, payment->currency);
    text_copy(outcome->provider_reference, sizeof outcome->provider_reference,
              payment->provider_reference);
}

static void fill_refunded(const struct payment *payment, union fact *fact)
{
    fill_outcome(payment, fact);
    text_copy(fact->outcome.provider_reference, sizeof fact->outcome.provider_reference,
              payment->refund_reference);
}

static void fill_declined(const struct payment *payment, union fact *fact)
{
    struct payment_declined *declined = &fact->declined;
    text_copy(declined->order_id, sizeof declined->order_id, payment->order_id);
    declined->amount = payment->amount;
    text_copy(declined->currency, sizeof declined->currency, payment->currency);
    text_copy(declined->reason, sizeof declined->reason, payment->reason);
}

static void fill_closed(const struct payment *payment, union fact *fact)
{
    struct payment_closed *closed = &fact->closed;
    text_copy(closed->order_id, sizeof closed->order_id, payment->order_id);
    text_copy(closed->reason, sizeof closed->reason, payment->reason);
}

static const struct fact_kind {
    const char *type;
    const struct bind_type *payload_type;
    void (*fill)(const struct payment *payment, union fact *fact);
} fact_kinds[] = {
    {PAYMENT_CAPTURED, &payment_captured_type, fill_outcome},
    {PAYMENT_REFUNDED, &payment_refunded_type, fill_refunded},
    {PAYMENT_DECLINED, &payment_declined_type, fill_declined},
    {PAYMENT_CLOSED, &payment_closed_type, fill_closed},
};

static const struct fact_kind *kind_of(const char *type)
{
    const struct fact_kind *kind = fact_kinds;
    while (strcmp(kind->type, type) != 0)
        kind++; /* the table says nothing else */
    return kind;
}

/* Where a payment remembers this fact. The outcome is the first, a refund the second. */

static int64_t sequence_of(const char *type)
{
    return strcmp(type, PAYMENT_REFUNDED) == 0 ? 2 : 1;
}

static int64_t position_of(const struct payment *payment, const char *type)
{
    return sequence_of(type) == 1 ? payment->outcome_position : payment->refund_position;
}

static void remember(struct payment *payment, const char *type, const struct said *said)
{
    bool outcome = sequence_of(type) == 1;
    text_copy(outcome ? payment->outcome_fact_id : payment->refund_fact_id, ID_TEXT_SIZE, said->id);
    *(outcome ? &payment->outcome_position : &payment->refund_position) = said->position;
    payment->sequence = sequence_of(type);
}

enum result payment_say(struct uow *uow, struct payment *payment, const char *type, struct err *err)
{
    const struct fact_kind *kind = kind_of(type);
    union fact fact = {0};
    kind->fill(payment, &fact);
    const struct outgoing message = {
        .exchange = EXCHANGE_EVENTS,
        .type = type,
        .subject = payment->order_id,
        .sequence = sequence_of(type),
        .payload_type = kind->payload_type,
        .payload = &fact,
    };
    struct said said;
    enum result result = uow_publish(uow, &message, &said, err);
    if (result == OK)
        result = uow_keep(uow, &said, err);
    if (result == OK)
        remember(payment, type, &said);
    return result;
}

bool payment_keeps(const struct payment *payment, const char *type)
{
    return position_of(payment, type) != 0;
}

enum result payment_say_kept(struct uow *uow, const struct payment *payment, const char *type,
                             struct err *err)
{
    return uow_publish_kept(uow, position_of(payment, type), err);
}

/* Exact for the last fact of a payment, unless something else has been written since. */
static enum result time_of(struct uow *uow, const struct payment *payment, const char *type,
                           int64_t *ret_ms, struct err *err)
{
    return store_query_int(
        uow_store(uow),
        "SELECT CASE sequence WHEN $2 THEN updated_ms ELSE created_ms END FROM payment "
        "WHERE order_id = $1",
        STORE_ARGS(store_text(payment->order_id), store_int(sequence_of(type))), ret_ms, err);
}

enum result payment_say_remade(struct uow *uow, const struct payment *payment, const char *type,
                               struct err *err)
{
    const struct fact_kind *kind = kind_of(type);
    struct envelope envelope = {.sequence = sequence_of(type)};
    enum result result = time_of(uow, payment, type, &envelope.time_ms, err);
    if (result != OK)
        return result;
    text_copy(envelope.id.text, sizeof envelope.id.text,
              sequence_of(type) == 1 ? payment->outcome_fact_id : payment->refund_fact_id);
    text_copy(envelope.type, sizeof envelope.type, type);
    text_copy(envelope.source, sizeof envelope.source, payment_service_spec.source);
    text_copy(envelope.subject, sizeof envelope.subject, payment->order_id);
    union fact fact = {0};
    kind->fill(payment, &fact);
    struct buf body = {0};
    envelope_encode(&envelope, kind->payload_type, &fact, &body);
    result = uow_publish_again(uow,
                               &(struct said){
                                   .exchange = EXCHANGE_EVENTS,
                                   .type = type,
                                   .subject = payment->order_id,
                                   .id = envelope.id.text,
                                   .traceparent = "",
                                   .time_ms = envelope.time_ms,
                                   .body = body.data,
                                   .size = body.size,
                               },
                               err);
    buf_release(&body);
    return result;
}
