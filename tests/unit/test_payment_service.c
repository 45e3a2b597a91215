/* payment-service on the real loop with the real sandbox: what is said, once, whatever is repeated,
 * raced or killed. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/payment_till.h"
#include "tests/unit/unit.h"

/* --- how it goes ------------------------------------------------------------------ */

static void a_good_card_is_captured(void)
{
    struct payment_outcome captured;
    struct envelope envelope;
    till_open();
    till_place(1, "tok_visa");
    loop_run(&till, 0, 20);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1000");
    CU_ASSERT(loop_last(&till, PAYMENT_CAPTURED, NULL, &captured, &envelope));
    CU_ASSERT_EQUAL(captured.amount, 1000);
    CU_ASSERT_STRING_EQUAL(captured.currency, "EUR");
    CU_ASSERT(strncmp(captured.provider_reference, "capture-", 8) == 0);
    CU_ASSERT_EQUAL(envelope.sequence, 1);
    CU_ASSERT_STRING_EQUAL(envelope.source, "/payment-service");
    CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM payment WHERE state = 'captured' AND "
                                       "outcome_fact_id IS NOT NULL AND sequence = 1"),
                    1);
    CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM job"), 0);
    till_close();
}

static void a_bad_card_is_declined(void)
{
    struct payment_declined declined;
    till_open();
    till_place(1, "tok_insufficient_funds");
    loop_run(&till, 0, 20);
    CU_ASSERT_STRING_EQUAL(till_said(1), "0100");
    CU_ASSERT(loop_last(&till, PAYMENT_DECLINED, NULL, &declined, NULL));
    CU_ASSERT_STRING_EQUAL(declined.reason, "insufficient-funds");
    till_ask_to_close(1); /* who asks has not heard it */
    loop_run(&till, 0, 20);
    CU_ASSERT_STRING_EQUAL(till_said(1), "0200");
    CU_ASSERT_EQUAL(till_in_ledger("void"), 0);
    till_close();
}

static void a_flaky_provider_is_asked_until_it_answers(void)
{
    till_open();
    till_place(1, "tok_flaky");
    loop_run_ms(&till, 0, 3000);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1000");
    CU_ASSERT_EQUAL(till_in_ledger("capture"), 1);
    till_close();
}

static void a_lost_answer_is_asked_for_again(void)
{
    till_open();
    till_place(1, "tok_timeout");
    loop_run_ms(&till, 0, 2500);
    CU_ASSERT_EQUAL(till_in_ledger("capture"), 1);
    CU_ASSERT_STRING_EQUAL(till_said(1), "0000"); /* charged, and nobody knows */
    loop_run_ms(&till, 0, 3000);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1000");
    CU_ASSERT_EQUAL(till_in_ledger("capture"), 1);
    till_close();
}

static void without_stable_keys_it_charges_twice(void)
{
    till_open();
    loop_kill(&till, 0);
    till.switches.stable_provider_key = false;
    till_start(0);
    till_place(1, "tok_timeout");
    loop_run_ms(&till, 0, 6000);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1000");
    CU_ASSERT_EQUAL(till_in_ledger("capture"), 2);
    till_close();
}

/* --- closing ------------------------------------------------------------------------- */

static void a_close_before_the_order_leaves_a_tombstone(void)
{
    struct payment_closed closed;
    till_open();
    till_ask_to_close(1);
    loop_run(&till, 0, 20);
    CU_ASSERT_STRING_EQUAL(till_said(1), "0010");
    CU_ASSERT(loop_last(&till, PAYMENT_CLOSED, NULL, &closed, NULL));
    CU_ASSERT_STRING_EQUAL(closed.reason, "cancelled");
    till_place(1, "tok_visa");
    till_ask_to_close(1);
    loop_run(&till, 0, 20);
    CU_ASSERT_STRING_EQUAL(till_said(1), "0020"); /* the same one, to who asks again */
    CU_ASSERT_EQUAL(till_in_ledger("capture"), 0);
    till_close();
}

static void a_close_overtakes_a_slow_capture(void)
{
    struct payment_closed closed;
    till_open();
    till_place(1, "tok_slow");
    loop_run_ms(&till, 0, 500);
    till_ask_to_close(1);
    loop_run_ms(&till, 0, 3000);
    CU_ASSERT_STRING_EQUAL(till_said(1), "0010");
    CU_ASSERT(loop_last(&till, PAYMENT_CLOSED, NULL, &closed, NULL));
    CU_ASSERT_STRING_EQUAL(closed.reason, "cancelled");
    CU_ASSERT_EQUAL(till_in_ledger("capture"), 0);
    CU_ASSERT_EQUAL(till_in_ledger("void"), 1);
    till_close();
}

static void a_close_that_comes_too_late_finds_the_capture(void)
{
    till_open();
    till_place(1, "tok_timeout"); /* captured, but we do not know it yet */
    loop_run_ms(&till, 0, 500);
    till_ask_to_close(1);
    loop_run_ms(&till, 0, 500);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1000"); /* the void's answer says so */
    loop_run_ms(&till, 0, 6000);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1000");
    CU_ASSERT_EQUAL(till_in_ledger("void"), 0);
    CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM job"), 0);
    till_close();
}

/* --- refunds --------------------------------------------------------------------------- */

static void a_refund_is_given_once(void)
{
    struct payment_outcome refunded;
    struct envelope envelope;
    till_open();
    till_place(1, "tok_visa");
    loop_run(&till, 0, 20);
    till_ask_for_refund(1, 1000);
    till_ask_for_refund(1, 1000);
    loop_run(&till, 0, 20);
    till_ask_for_refund(1, 1000);
    loop_run(&till, 0, 20);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1002");
    CU_ASSERT(loop_last(&till, PAYMENT_REFUNDED, NULL, &refunded, &envelope));
    CU_ASSERT_EQUAL(refunded.amount, 1000);
    CU_ASSERT(strncmp(refunded.provider_reference, "refund-", 7) == 0);
    CU_ASSERT_EQUAL(envelope.sequence, 2);
    CU_ASSERT_EQUAL(till_in_ledger("refund"), 1);
    CU_ASSERT_EQUAL(till_quarantined(), 0);
    CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM payment WHERE state = 'refunded' AND "
                                       "provider_reference LIKE 'capture-%'"),
                    1);
    till_close();
}

static void a_refund_without_its_capture_is_quarantined(void)
{
    till_open();
    till_ask_for_refund(1, 1000);
    till_place(2, "tok_declined");
    till_place(3, "tok_visa");
    till_ask_to_close(4);
    loop_run(&till, 0, 20);
    CU_ASSERT_EQUAL(till_quarantined(), 1);
    till_ask_for_refund(2, 1000);
    till_ask_for_refund(3, 999); /* not what was captured */
    till_ask_for_refund(4, 1000);
    loop_run(&till, 0, 20);
    CU_ASSERT_EQUAL(till_quarantined(), 4);
    CU_ASSERT_EQUAL(till_in_ledger("refund"), 0);
    till_close();
}

static void a_refund_that_is_early_waits(void)
{
    till_open();
    till_place(1, "tok_slow");
    loop_run_ms(&till, 0, 100);
    till_ask_for_refund(1, 1000);
    loop_run_ms(&till, 0, 100);
    CU_ASSERT_EQUAL(till_quarantined(), 0);
    CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM deferred"), 1);
    loop_run_ms(&till, 0, 40000);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1001");
    till_close();
}

/* --- repeats, crashes, two instances ------------------------------------------------------- */

static void a_repeat_changes_nothing(void)
{
    const char *id = "0190b0c0-0000-7000-8000-0000000000aa";
    till_open();
    till_place_as(1, "tok_visa", id);
    till_place_as(1, "tok_visa", id); /* the same message */
    till_place(1, "tok_visa");        /* the same fact under another id: the row knows */
    loop_run(&till, 0, 20);
    till_place_as(1, "tok_declined", NULL);
    loop_run(&till, 0, 20);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1000");
    CU_ASSERT_EQUAL(till_in_ledger("capture"), 1);
    CU_ASSERT_EQUAL(till_in_ledger("decline"), 0);
    till_close();
}

static void killed_after_any_phase_it_ends_the_same(void)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int rounds = 0; rounds < 4; rounds++) {
            till_open();
            till_place(1, "tok_visa");
            till_place(2, "tok_declined");
            loop_run(&till, 0, rounds);
            loop_run_to(&till, 0, (enum phase)phase);
            loop_kill(&till, 0);
            till_start(0);
            loop_run_ms(&till, 0, 1000);
            till_ask_for_refund(1, 1000);
            loop_run(&till, 0, rounds);
            loop_run_to(&till, 0, (enum phase)phase);
            loop_kill(&till, 0);
            till_start(0);
            loop_run_ms(&till, 0, 1000);
            CU_ASSERT_EQUAL(till_in_ledger("capture"), 1);
            CU_ASSERT_EQUAL(till_in_ledger("refund"), 1);
            CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM outbox"), 0);
            CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM payment WHERE "
                                               "state IN ('refunded', 'declined')"),
                            2);
            /* A fact may leave twice (the relay repeats), never not at all. */
            CU_ASSERT(loop_count(&till, PAYMENT_CAPTURED, NULL) >= 1);
            CU_ASSERT(loop_count(&till, PAYMENT_DECLINED, NULL) >= 1);
            CU_ASSERT(loop_count(&till, PAYMENT_REFUNDED, NULL) >= 1);
            till_close();
        }
}

static void another_instance_takes_over(void)
{
    till_open();
    till_place(1, "tok_slow");
    loop_run_ms(&till, 0, 500);
    loop_kill(&till, 0); /* and stays away */
    till_start(1);
    loop_run_ms(&till, 1, 30000);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1000");
    CU_ASSERT_EQUAL(till_in_ledger("capture"), 1);
    till_close();
}

/* --- a provider of little sense ------------------------------------------------------------ */

struct oracle {
    struct effect effect;
    char job_id[128];
    bool pending;
};

static struct {
    enum result outcome;
    const char *response;
    int calls;
} next_answer;

static enum result oracle_start(struct effect *effect, const struct effect_call *call)
{
    struct oracle *self = (struct oracle *)effect;
    if (self->pending)
        return RETRY;
    self->pending = true;
    snprintf(self->job_id, sizeof self->job_id, "%s", call->job_id);
    next_answer.calls++;
    return OK;
}

static int oracle_fd(struct effect *effect)
{
    (void)effect;
    return -1;
}

static int64_t oracle_deadline_ms(struct effect *effect)
{
    return ((struct oracle *)effect)->pending ? 0 : INT64_MAX;
}

static void oracle_pump(struct effect *effect, effect_done *done, void *context)
{
    struct oracle *self = (struct oracle *)effect;
    if (!self->pending)
        return;
    self->pending = false;
    done(context, self->job_id, next_answer.outcome, next_answer.response);
    done(context, self->job_id, next_answer.outcome, next_answer.response); /* twice */
}

static void oracle_release(struct effect *effect)
{
    free(effect);
}

static const struct effect_ops oracle_ops = {oracle_start, oracle_fd, oracle_deadline_ms,
                                             oracle_pump, oracle_release};

static void start_oracle(enum result outcome, const char *response)
{
    struct oracle *oracle = calloc(1, sizeof *oracle);
    if (!oracle)
        abort();
    oracle->effect.ops = &oracle_ops;
    next_answer.outcome = outcome;
    next_answer.response = response;
    next_answer.calls = 0;
    loop_kill(&till, 0);
    loop_start(&till, 0, &oracle->effect, NULL);
}

static void an_answer_that_says_nothing_is_none(void)
{
    static const char *const answers[] = {
        "",
        "null",
        "{}",
        "{\"result\":\"captured\"}",
        "{\"result\":\"captured\",\"reference\":\"\"}",
        "{\"result\":\"declined\"}",
        "{\"result\":\"declined\",\"reason\":\"Not kebab\"}",
        "{\"result\":\"refunded\",\"reference\":\"r\"}",
        "{\"result\":\"maybe\",\"reference\":\"r\"}",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        till_open();
        start_oracle(OK, answers[i]);
        till_place(1, "tok_visa");
        loop_run_ms(&till, 0, 1500);
        CU_ASSERT_STRING_EQUAL(till_said(1), "0000");
        CU_ASSERT(next_answer.calls >= 2);
        next_answer.response = "{\"result\":\"captured\",\"reference\":\"R 1\",\"more\":[]}";
        loop_run_ms(&till, 0, 5000);
        CU_ASSERT_STRING_EQUAL(till_said(1), "1000");
        till_close();
    }
}

static void a_capture_that_is_refused_is_a_decline(void)
{
    struct payment_declined declined;
    till_open();
    start_oracle(INVALID, "{\"result\":\"refused\"}");
    till_place(1, "tok_visa");
    loop_run(&till, 0, 20);
    CU_ASSERT_STRING_EQUAL(till_said(1), "0100");
    CU_ASSERT(loop_last(&till, PAYMENT_DECLINED, NULL, &declined, NULL));
    CU_ASSERT_STRING_EQUAL(declined.reason, "refused-by-provider");
    till_close();
}

static void a_refund_that_is_refused_is_asked_for_again(void)
{
    till_open();
    till_place(1, "tok_visa");
    loop_run(&till, 0, 20);
    start_oracle(INVALID, "{\"result\":\"refused\"}");
    till_ask_for_refund(1, 1000);
    loop_run_ms(&till, 0, 5000);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1000");
    CU_ASSERT(next_answer.calls >= 3);
    loop_kill(&till, 0);
    till_start(0);
    loop_run_ms(&till, 0, 60000);
    CU_ASSERT_STRING_EQUAL(till_said(1), "1001");
    till_close();
}

static const struct unit_case cases[] = {
    {"a good card is captured", a_good_card_is_captured},
    {"a bad card is declined", a_bad_card_is_declined},
    {"a flaky provider is asked until it answers", a_flaky_provider_is_asked_until_it_answers},
    {"a lost answer is asked for again", a_lost_answer_is_asked_for_again},
    {"without stable keys it charges twice", without_stable_keys_it_charges_twice},
    {"a close before the order leaves a tombstone", a_close_before_the_order_leaves_a_tombstone},
    {"a close overtakes a slow capture", a_close_overtakes_a_slow_capture},
    {"a close that comes too late finds the capture",
     a_close_that_comes_too_late_finds_the_capture},
    {"a refund is given once", a_refund_is_given_once},
    {"a refund without its capture is quarantined", a_refund_without_its_capture_is_quarantined},
    {"a refund that is early waits", a_refund_that_is_early_waits},
    {"a repeat changes nothing", a_repeat_changes_nothing},
    {"killed after any phase it ends the same", killed_after_any_phase_it_ends_the_same},
    {"another instance takes over", another_instance_takes_over},
    {"an answer that says nothing is none", an_answer_that_says_nothing_is_none},
    {"a capture that is refused is a decline", a_capture_that_is_refused_is_a_decline},
    {"a refund that is refused is asked for again", a_refund_that_is_refused_is_asked_for_again},
};
UNIT_MAIN("payment-service", cases)
