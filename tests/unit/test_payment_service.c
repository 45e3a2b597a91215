/* payment-service on the real loop with the real sandbox: what is said, once, whatever is repeated,
 * raced or killed. */
#include <stdlib.h>
#include <string.h>

#include "payment-service/payment_service.h"
#include "payment-service/provider.h"
#include "tests/unit/loop.h"
#include "tests/unit/unit.h"

#define ORDERS "payment.orders"
#define COMMANDS "payment.commands"

static struct loop loop;
static struct store *ledger;
static char ledger_path[64];

static void must(enum result result, const struct err *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "%s: %s\n", result_name(result), err_text(err));
    abort();
}

static void start(size_t instance)
{
    struct effect *provider;
    struct err err;
    must(provider_sandbox_new(&loop.clock.clock, ledger, NULL, &provider, &err), &err);
    loop_start(&loop, instance, provider, NULL);
}

static void set_up(void)
{
    static unsigned number;
    struct err err;
    loop_open(&loop, &payment_service_spec, payment_migrations, payment_migration_count);
    snprintf(ledger_path, sizeof ledger_path, "memdb:/payment-ledger-%u", ++number);
    must(store_open_sqlite(ledger_path, STORE_DURABLE, &ledger, &err), &err);
    must(store_migrate(ledger, "ledger", ledger_migrations, ledger_migration_count, &err), &err);
    start(0);
    loop_run(&loop, 0, 5);
}

static void tear_down(void)
{
    loop_close(&loop);
    store_free(ledger);
}

static void place_as(unsigned order, const char *token, const char *message_id)
{
    struct order_placed placed = {.customer = CUSTOMER,
                                  .version = 1,
                                  .currency = "EUR",
                                  .line_count = 1,
                                  .lines = {{"SKU-1", "A thing", 1, 1000, 1000}},
                                  .total = 1000,
                                  .deadline_ms = 1};
    snprintf(placed.order_id, sizeof placed.order_id, "%s", loop_order_id(order));
    snprintf(placed.payment.token, sizeof placed.payment.token, "%s", token);
    memset(placed.request_hash, 'a', sizeof placed.request_hash - 1);
    loop_send(&loop, ORDERS, ORDER_PLACED, placed.order_id, &placed, message_id);
}

static void place(unsigned order, const char *token)
{
    place_as(order, token, NULL);
}

static void ask_to_close(unsigned order)
{
    struct payment_close close = {.reason = "cancelled"};
    snprintf(close.order_id, sizeof close.order_id, "%s", loop_order_id(order));
    loop_send(&loop, COMMANDS, PAYMENT_CLOSE, close.order_id, &close, NULL);
}

static void ask_for_refund(unsigned order, int64_t amount)
{
    struct payment_refund refund = {.amount = amount, .currency = "EUR"};
    snprintf(refund.order_id, sizeof refund.order_id, "%s", loop_order_id(order));
    loop_send(&loop, COMMANDS, PAYMENT_REFUND, refund.order_id, &refund, NULL);
}

/* "CDLF", one letter each with its count: how often captured, declined, closed, refunded were said
 * about an order. */
static const char *said(unsigned order)
{
    static char text[16];
    const char *id = loop_order_id(order);
    snprintf(text, sizeof text, "%zu%zu%zu%zu", loop_count(&loop, PAYMENT_CAPTURED, id),
             loop_count(&loop, PAYMENT_DECLINED, id), loop_count(&loop, PAYMENT_CLOSED, id),
             loop_count(&loop, PAYMENT_REFUNDED, id));
    return text;
}

static int64_t in_ledger(const char *kind)
{
    int64_t count = 0;
    struct err err;
    must(store_query_int(ledger, "SELECT count(*) FROM ledger WHERE kind = $1",
                         STORE_ARGS(store_text(kind)), &count, &err),
         &err);
    return count;
}

static int64_t quarantined(void)
{
    return loop_number(&loop, "SELECT count(*) FROM quarantine");
}

/* --- how it goes ------------------------------------------------------------------ */

static void a_good_card_is_captured(void)
{
    struct payment_outcome captured;
    struct envelope envelope;
    set_up();
    place(1, "tok_visa");
    loop_run(&loop, 0, 20);
    CU_ASSERT_STRING_EQUAL(said(1), "1000");
    CU_ASSERT(loop_last(&loop, PAYMENT_CAPTURED, NULL, &captured, &envelope));
    CU_ASSERT_EQUAL(captured.amount, 1000);
    CU_ASSERT_STRING_EQUAL(captured.currency, "EUR");
    CU_ASSERT(strncmp(captured.provider_reference, "capture-", 8) == 0);
    CU_ASSERT_EQUAL(envelope.sequence, 1);
    CU_ASSERT_STRING_EQUAL(envelope.source, "/payment-service");
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM payment WHERE state = 'captured' AND "
                                       "outcome_fact_id IS NOT NULL AND sequence = 1"),
                    1);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM job"), 0);
    tear_down();
}

static void a_bad_card_is_declined(void)
{
    struct payment_declined declined;
    set_up();
    place(1, "tok_insufficient_funds");
    loop_run(&loop, 0, 20);
    CU_ASSERT_STRING_EQUAL(said(1), "0100");
    CU_ASSERT(loop_last(&loop, PAYMENT_DECLINED, NULL, &declined, NULL));
    CU_ASSERT_STRING_EQUAL(declined.reason, "insufficient-funds");
    ask_to_close(1); /* too late to mean anything */
    loop_run(&loop, 0, 20);
    CU_ASSERT_STRING_EQUAL(said(1), "0100");
    CU_ASSERT_EQUAL(in_ledger("void"), 0);
    tear_down();
}

static void a_flaky_provider_is_asked_until_it_answers(void)
{
    set_up();
    place(1, "tok_flaky");
    loop_run_ms(&loop, 0, 3000);
    CU_ASSERT_STRING_EQUAL(said(1), "1000");
    CU_ASSERT_EQUAL(in_ledger("capture"), 1);
    tear_down();
}

static void a_lost_answer_is_asked_for_again(void)
{
    set_up();
    place(1, "tok_timeout");
    loop_run_ms(&loop, 0, 2500);
    CU_ASSERT_EQUAL(in_ledger("capture"), 1);
    CU_ASSERT_STRING_EQUAL(said(1), "0000"); /* charged, and nobody knows */
    loop_run_ms(&loop, 0, 3000);
    CU_ASSERT_STRING_EQUAL(said(1), "1000");
    CU_ASSERT_EQUAL(in_ledger("capture"), 1);
    tear_down();
}

static void without_stable_keys_it_charges_twice(void)
{
    set_up();
    loop_kill(&loop, 0);
    loop.switches.stable_provider_key = false;
    start(0);
    place(1, "tok_timeout");
    loop_run_ms(&loop, 0, 6000);
    CU_ASSERT_STRING_EQUAL(said(1), "1000");
    CU_ASSERT_EQUAL(in_ledger("capture"), 2);
    tear_down();
}

/* --- closing ------------------------------------------------------------------------- */

static void a_close_before_the_order_leaves_a_tombstone(void)
{
    struct payment_closed closed;
    set_up();
    ask_to_close(1);
    loop_run(&loop, 0, 20);
    CU_ASSERT_STRING_EQUAL(said(1), "0010");
    CU_ASSERT(loop_last(&loop, PAYMENT_CLOSED, NULL, &closed, NULL));
    CU_ASSERT_STRING_EQUAL(closed.reason, "cancelled");
    place(1, "tok_visa");
    ask_to_close(1);
    loop_run(&loop, 0, 20);
    CU_ASSERT_STRING_EQUAL(said(1), "0010");
    CU_ASSERT_EQUAL(in_ledger("capture"), 0);
    tear_down();
}

static void a_close_overtakes_a_slow_capture(void)
{
    struct payment_closed closed;
    set_up();
    place(1, "tok_slow");
    loop_run_ms(&loop, 0, 500);
    ask_to_close(1);
    loop_run_ms(&loop, 0, 3000);
    CU_ASSERT_STRING_EQUAL(said(1), "0010");
    CU_ASSERT(loop_last(&loop, PAYMENT_CLOSED, NULL, &closed, NULL));
    CU_ASSERT_STRING_EQUAL(closed.reason, "cancelled");
    CU_ASSERT_EQUAL(in_ledger("capture"), 0);
    CU_ASSERT_EQUAL(in_ledger("void"), 1);
    tear_down();
}

static void a_close_that_comes_too_late_finds_the_capture(void)
{
    set_up();
    place(1, "tok_timeout"); /* captured, but we do not know it yet */
    loop_run_ms(&loop, 0, 500);
    ask_to_close(1);
    loop_run_ms(&loop, 0, 500);
    CU_ASSERT_STRING_EQUAL(said(1), "1000"); /* the void's answer says so */
    loop_run_ms(&loop, 0, 6000);
    CU_ASSERT_STRING_EQUAL(said(1), "1000");
    CU_ASSERT_EQUAL(in_ledger("void"), 0);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM job"), 0);
    tear_down();
}

/* --- refunds --------------------------------------------------------------------------- */

static void a_refund_is_given_once(void)
{
    struct payment_outcome refunded;
    struct envelope envelope;
    set_up();
    place(1, "tok_visa");
    loop_run(&loop, 0, 20);
    ask_for_refund(1, 1000);
    ask_for_refund(1, 1000);
    loop_run(&loop, 0, 20);
    ask_for_refund(1, 1000);
    loop_run(&loop, 0, 20);
    CU_ASSERT_STRING_EQUAL(said(1), "1001");
    CU_ASSERT(loop_last(&loop, PAYMENT_REFUNDED, NULL, &refunded, &envelope));
    CU_ASSERT_EQUAL(refunded.amount, 1000);
    CU_ASSERT(strncmp(refunded.provider_reference, "refund-", 7) == 0);
    CU_ASSERT_EQUAL(envelope.sequence, 2);
    CU_ASSERT_EQUAL(in_ledger("refund"), 1);
    CU_ASSERT_EQUAL(quarantined(), 0);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM payment WHERE state = 'refunded' AND "
                                       "provider_reference LIKE 'capture-%'"),
                    1);
    tear_down();
}

static void a_refund_without_its_capture_is_quarantined(void)
{
    set_up();
    ask_for_refund(1, 1000);
    place(2, "tok_declined");
    place(3, "tok_visa");
    ask_to_close(4);
    loop_run(&loop, 0, 20);
    CU_ASSERT_EQUAL(quarantined(), 1);
    ask_for_refund(2, 1000);
    ask_for_refund(3, 999); /* not what was captured */
    ask_for_refund(4, 1000);
    loop_run(&loop, 0, 20);
    CU_ASSERT_EQUAL(quarantined(), 4);
    CU_ASSERT_EQUAL(in_ledger("refund"), 0);
    tear_down();
}

static void a_refund_that_is_early_waits(void)
{
    set_up();
    place(1, "tok_slow");
    loop_run_ms(&loop, 0, 100);
    ask_for_refund(1, 1000);
    loop_run_ms(&loop, 0, 100);
    CU_ASSERT_EQUAL(quarantined(), 0);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM deferred"), 1);
    loop_run_ms(&loop, 0, 40000);
    CU_ASSERT_STRING_EQUAL(said(1), "1001");
    tear_down();
}

/* --- repeats, crashes, two instances ------------------------------------------------------- */

static void a_repeat_changes_nothing(void)
{
    const char *id = "0190b0c0-0000-7000-8000-0000000000aa";
    set_up();
    place_as(1, "tok_visa", id);
    place_as(1, "tok_visa", id); /* the same message */
    place(1, "tok_visa");        /* the same fact under another id: the row knows */
    loop_run(&loop, 0, 20);
    place_as(1, "tok_declined", NULL);
    loop_run(&loop, 0, 20);
    CU_ASSERT_STRING_EQUAL(said(1), "1000");
    CU_ASSERT_EQUAL(in_ledger("capture"), 1);
    CU_ASSERT_EQUAL(in_ledger("decline"), 0);
    tear_down();
}

static void killed_after_any_phase_it_ends_the_same(void)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int rounds = 0; rounds < 4; rounds++) {
            set_up();
            place(1, "tok_visa");
            place(2, "tok_declined");
            loop_run(&loop, 0, rounds);
            loop_run_to(&loop, 0, (enum phase)phase);
            loop_kill(&loop, 0);
            start(0);
            loop_run_ms(&loop, 0, 1000);
            ask_for_refund(1, 1000);
            loop_run(&loop, 0, rounds);
            loop_run_to(&loop, 0, (enum phase)phase);
            loop_kill(&loop, 0);
            start(0);
            loop_run_ms(&loop, 0, 1000);
            CU_ASSERT_EQUAL(in_ledger("capture"), 1);
            CU_ASSERT_EQUAL(in_ledger("refund"), 1);
            CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM outbox"), 0);
            CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM payment WHERE "
                                               "state IN ('refunded', 'declined')"),
                            2);
            /* A fact may leave twice (the relay repeats), never not at all. */
            CU_ASSERT(loop_count(&loop, PAYMENT_CAPTURED, NULL) >= 1);
            CU_ASSERT(loop_count(&loop, PAYMENT_DECLINED, NULL) >= 1);
            CU_ASSERT(loop_count(&loop, PAYMENT_REFUNDED, NULL) >= 1);
            tear_down();
        }
}

static void another_instance_takes_over(void)
{
    set_up();
    place(1, "tok_slow");
    loop_run_ms(&loop, 0, 500);
    loop_kill(&loop, 0); /* and stays away */
    start(1);
    loop_run_ms(&loop, 1, 30000);
    CU_ASSERT_STRING_EQUAL(said(1), "1000");
    CU_ASSERT_EQUAL(in_ledger("capture"), 1);
    tear_down();
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
    loop_kill(&loop, 0);
    loop_start(&loop, 0, &oracle->effect, NULL);
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
        set_up();
        start_oracle(OK, answers[i]);
        place(1, "tok_visa");
        loop_run_ms(&loop, 0, 1500);
        CU_ASSERT_STRING_EQUAL(said(1), "0000");
        CU_ASSERT(next_answer.calls >= 2);
        next_answer.response = "{\"result\":\"captured\",\"reference\":\"R 1\",\"more\":[]}";
        loop_run_ms(&loop, 0, 5000);
        CU_ASSERT_STRING_EQUAL(said(1), "1000");
        tear_down();
    }
}

static void a_capture_that_is_refused_is_a_decline(void)
{
    struct payment_declined declined;
    set_up();
    start_oracle(INVALID, "{\"result\":\"refused\"}");
    place(1, "tok_visa");
    loop_run(&loop, 0, 20);
    CU_ASSERT_STRING_EQUAL(said(1), "0100");
    CU_ASSERT(loop_last(&loop, PAYMENT_DECLINED, NULL, &declined, NULL));
    CU_ASSERT_STRING_EQUAL(declined.reason, "refused-by-provider");
    tear_down();
}

static void a_refund_that_is_refused_is_asked_for_again(void)
{
    set_up();
    place(1, "tok_visa");
    loop_run(&loop, 0, 20);
    start_oracle(INVALID, "{\"result\":\"refused\"}");
    ask_for_refund(1, 1000);
    loop_run_ms(&loop, 0, 5000);
    CU_ASSERT_STRING_EQUAL(said(1), "1000");
    CU_ASSERT(next_answer.calls >= 3);
    loop_kill(&loop, 0);
    start(0);
    loop_run_ms(&loop, 0, 60000);
    CU_ASSERT_STRING_EQUAL(said(1), "1001");
    tear_down();
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
