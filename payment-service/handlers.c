#include "payment-service/handlers.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/text.h"
#include "contracts/messages.h"
#include "payment-service/facts.h"
#include "payment-service/payment_store.h"
#include "payment-service/provider.h"

/* One event on its way into the table, with what it brings. NULL: does not bring it. */
struct input {
    const char *order_id;
    enum payment_event event;
    int64_t amount;
    const char *currency;
    const char *token;
    const char *reason;
    const char *reference;
};

static void set_text(char *to, size_t size, const char *from)
{
    if (from)
        text_copy(to, size, from);
}

/* --- calls ------------------------------------------------------------------- */

static enum result ask(struct uow *uow, const struct payment *payment, const char *kind,
                       struct err *err)
{
    struct provider_request request = {0};
    set_text(request.order_id, sizeof request.order_id, payment->order_id);
    if (strcmp(kind, PROVIDER_VOID) != 0) {
        request.amount = payment->amount;
        set_text(request.currency, sizeof request.currency, payment->currency);
    }
    if (strcmp(kind, PROVIDER_CAPTURE) == 0)
        set_text(request.token, sizeof request.token, payment->token);
    char key[WORD_SIZE];
    snprintf(key, sizeof key, "%s:%s", kind, payment->order_id);
    struct buf text = {0};
    bind_encode(&provider_request_type, &request, &text);
    enum result result = uow_call(uow, kind, key, text.data, err);
    buf_release(&text);
    return result;
}

/* --- the table, applied --------------------------------------------------------- */

static void take_input(struct payment *payment, const struct input *input)
{
    if (input->event == PAYMENT_EVENT_PLACED)
        payment->amount = input->amount;
    set_text(payment->currency, sizeof payment->currency, input->currency);
    set_text(payment->token, sizeof payment->token, input->token);
    set_text(payment->reason, sizeof payment->reason, input->reason);
    if (input->event == PAYMENT_EVENT_REFUND_OK)
        set_text(payment->refund_reference, sizeof payment->refund_reference, input->reference);
    else
        set_text(payment->provider_reference, sizeof payment->provider_reference, input->reference);
}

/* A refund gives back all of it: that is the only kind that this shop knows. */
static enum result check_refund(const struct payment *payment, const struct input *input,
                                struct err *err)
{
    if (input->amount == payment->amount && strcmp(input->currency, payment->currency) == 0)
        return OK;
    return err_set(err, INVALID, "refund of %lld %s, but %lld %s were captured",
                   (long long)input->amount, input->currency, (long long)payment->amount,
                   payment->currency);
}

/* What was said before bytes were kept is made again from its row. What the row does not have, the
 * reference of a refund, the provider tells again under the same key. */
static enum result say_unkept(struct uow *uow, struct payment *payment, const char *fact,
                              const struct input *input, struct err *err)
{
    if (input->event == PAYMENT_EVENT_REFUND)
        return ask(uow, payment, PROVIDER_REFUND, err);
    set_text(payment->refund_reference, sizeof payment->refund_reference, input->reference);
    return payment_say_remade(uow, payment, fact, err);
}

static enum result say_again(struct uow *uow, struct payment *payment, const char *fact,
                             const struct input *input, struct err *err)
{
    enum result result = OK;
    if (!uow_switches(uow)->say_again)
        return DUPLICATE;
    if (input->event == PAYMENT_EVENT_REFUND)
        result = check_refund(payment, input, err);
    if (result != OK)
        return result;
    if (!payment_keeps(payment, fact))
        return say_unkept(uow, payment, fact, input, err);
    /* An answer that came twice: nobody has asked. */
    return input->event == PAYMENT_EVENT_REFUND_OK ? DUPLICATE
                                                   : payment_say_kept(uow, payment, fact, err);
}

static enum result move(struct uow *uow, struct payment *payment, const struct payment_step *step,
                        const struct input *input, struct err *err)
{
    enum result result = OK;
    if (input->event == PAYMENT_EVENT_REFUND)
        result = check_refund(payment, input, err);
    if (result != OK)
        return result;
    take_input(payment, input);
    payment->state = step->next;
    if (step->fact)
        result = payment_say(uow, payment, step->fact, err);
    if (result == OK && step->call)
        result = ask(uow, payment, step->call, err);
    if (result == OK)
        result = payment_save(uow_store(uow), payment, uow_now_ms(uow), err);
    return result;
}

static enum result apply(struct uow *uow, const struct input *input, struct err *err)
{
    struct payment payment;
    enum result result = payment_load(uow_store(uow), input->order_id, &payment, err);
    if (result != OK)
        return result;
    const struct payment_step *step = payment_step(payment.state, input->event);
    switch (step->verdict) {
    case PAYMENT_MOVE:
        return move(uow, &payment, step, input, err);
    case PAYMENT_IGNORE:
        return DUPLICATE;
    case PAYMENT_SAY_AGAIN:
        return say_again(uow, &payment, step->fact, input, err);
    case PAYMENT_AGAIN:
    case PAYMENT_WAIT:
        return err_set(err, DEFER, "payment is %s", payment_state_name(payment.state));
    case PAYMENT_CONTRADICT:
        break;
    }
    return err_set(err, INVALID, "%s of a payment that is %s", payment_event_name(input->event),
                   payment_state_name(payment.state));
}

/* --- messages -------------------------------------------------------------------- */

enum result payment_on_placed(void *self, struct uow *uow, const struct envelope *envelope,
                              const void *payload, struct err *err)
{
    (void)self, (void)envelope;
    const struct order_placed *placed = payload;
    struct input input = {
        .order_id = placed->order_id,
        .event = PAYMENT_EVENT_PLACED,
        .amount = placed->total,
        .currency = placed->currency,
        .token = placed->payment.token,
    };
    return apply(uow, &input, err);
}

enum result payment_on_close(void *self, struct uow *uow, const struct envelope *envelope,
                             const void *payload, struct err *err)
{
    (void)self, (void)envelope;
    const struct payment_close *close = payload;
    struct input input = {
        .order_id = close->order_id,
        .event = PAYMENT_EVENT_CLOSE,
        .reason = close->reason,
    };
    return apply(uow, &input, err);
}

enum result payment_on_refund(void *self, struct uow *uow, const struct envelope *envelope,
                              const void *payload, struct err *err)
{
    (void)self, (void)envelope;
    const struct payment_refund *refund = payload;
    struct input input = {
        .order_id = refund->order_id,
        .event = PAYMENT_EVENT_REFUND,
        .amount = refund->amount,
        .currency = refund->currency,
    };
    return apply(uow, &input, err);
}

static enum result retell_fact(struct uow *uow, struct payment *payment, const char *fact,
                               enum payment_event event, struct err *err)
{
    return payment_keeps(payment, fact)
               ? payment_say_kept(uow, payment, fact, err)
               : say_unkept(uow, payment, fact, &(struct input){.event = event}, err);
}

/* The outcome, if there is one, and the refund. Of an order that nobody knows there is nothing to say. */
enum result payment_on_retell(void *self, struct uow *uow, const struct envelope *envelope,
                              const void *payload, struct err *err)
{
    (void)self, (void)envelope;
    const struct retell *retell = payload;
    struct payment payment;
    enum result result = payment_load(uow_store(uow), retell->order_id, &payment, err);
    if (result == OK && payment.outcome_fact_id[0]) /* which is what answers a close */
        result = retell_fact(uow, &payment, payment_step(payment.state, PAYMENT_EVENT_CLOSE)->fact,
                             PAYMENT_EVENT_CLOSE, err);
    if (result == OK && payment.refund_fact_id[0])
        result = retell_fact(uow, &payment, PAYMENT_REFUNDED, PAYMENT_EVENT_REFUND, err);
    return result;
}

/* --- answers ---------------------------------------------------------------------- */

static const struct {
    const char *kind, *result;
    enum payment_event event;
} answer_events[] = {
    {PROVIDER_CAPTURE, "captured", PAYMENT_EVENT_CAPTURE_OK},
    {PROVIDER_CAPTURE, "declined", PAYMENT_EVENT_CAPTURE_DECLINED},
    {PROVIDER_CAPTURE, "voided", PAYMENT_EVENT_CAPTURE_VOIDED},
    {PROVIDER_VOID, "voided", PAYMENT_EVENT_VOID_OK},
    {PROVIDER_VOID, "captured", PAYMENT_EVENT_VOID_CAPTURED},
    {PROVIDER_VOID, "declined", PAYMENT_EVENT_VOID_DECLINED},
    {PROVIDER_REFUND, "refunded", PAYMENT_EVENT_REFUND_OK},
};

/* No answer, or one that says nothing: the question stays open. */
static enum payment_event open_event(const char *kind)
{
    if (strcmp(kind, PROVIDER_CAPTURE) == 0)
        return PAYMENT_EVENT_CAPTURE_OPEN;
    return strcmp(kind, PROVIDER_VOID) == 0 ? PAYMENT_EVENT_VOID_OPEN : PAYMENT_EVENT_REFUND_OPEN;
}

static void read_answer(const char *kind, const char *response, struct provider_answer *answer,
                        struct input *input)
{
    struct err ignored;
    if (provider_answer_read(response, answer, &ignored) != OK)
        return;
    for (size_t i = 0; i < sizeof answer_events / sizeof answer_events[0]; i++) {
        if (strcmp(answer_events[i].kind, kind) == 0 &&
            strcmp(answer_events[i].result, answer->result) == 0)
            input->event = answer_events[i].event;
    }
    if (answer->reference[0])
        input->reference = answer->reference;
    if (answer->reason[0])
        input->reason = answer->reason;
}

/* Without its particulars an answer cannot become a fact: then it was none. */
static void check_particulars(const char *kind, struct input *input)
{
    bool done = input->event == PAYMENT_EVENT_CAPTURE_OK ||
                input->event == PAYMENT_EVENT_VOID_CAPTURED ||
                input->event == PAYMENT_EVENT_REFUND_OK;
    bool declined = input->event == PAYMENT_EVENT_CAPTURE_DECLINED ||
                    input->event == PAYMENT_EVENT_VOID_DECLINED;
    if ((done && !input->reference) || (declined && !input->reason))
        input->event = open_event(kind);
}

enum result payment_on_answer(void *self, struct uow *uow, const char *kind, const char *key,
                              const char *request, enum result outcome, const char *response,
                              struct err *err)
{
    (void)self, (void)key;
    struct provider_request asked;
    struct provider_answer answer = {0};
    if (provider_request_read(request, &asked, err) != OK)
        return DEFER; /* our own words, unreadable: somebody has to look */
    struct input input = {.order_id = asked.order_id, .event = open_event(kind)};
    if (outcome == OK)
        read_answer(kind, response, &answer, &input);
    check_particulars(kind, &input);
    if (outcome == INVALID && strcmp(kind, PROVIDER_CAPTURE) == 0) {
        input.event = PAYMENT_EVENT_CAPTURE_REFUSED;
        input.reason = "refused-by-provider";
    }
    enum result result = apply(uow, &input, err);
    if (result == DEFER)
        return err_context(err, DEFER, "%s of order %s: %s", kind, asked.order_id,
                           result_name(outcome));
    return result == DUPLICATE ? OK : result;
}
