/* Who asks payment-service for what it has settled has not heard of it, and is told again: the same
 * fact, byte for byte, however much later and whoever is asked. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/payment_till.h"
#include "tests/unit/unit.h"

enum { BODY_MAX = 1024, SEEN_MAX = 16 };

/* Everything of this type that was said about an order, as it was on the wire. */
struct seen {
    size_t count;
    char bodies[SEEN_MAX][BODY_MAX];
};

static struct seen see(unsigned order, const char *type)
{
    struct seen seen = {0};
    char subject[80], kind[80];
    snprintf(subject, sizeof subject, "\"subject\":\"%s\"", loop_order_id(order));
    snprintf(kind, sizeof kind, "\"type\":\"%s\"", type);
    const char *body;
    size_t size;
    int64_t offset;
    for (size_t i = 0;
         (body = memory_broker_stream_at(till.broker, "test.witness", i, &size, &offset)); i++) {
        if (!strstr(body, subject) || !strstr(body, kind))
            continue;
        CU_ASSERT_FATAL(seen.count < SEEN_MAX && size < BODY_MAX);
        memcpy(seen.bodies[seen.count++], body, size);
    }
    return seen;
}

/* So often, and each time the same. */
static void check_said(unsigned order, const char *type, size_t times)
{
    struct seen seen = see(order, type);
    CU_ASSERT_EQUAL(seen.count, times);
    for (size_t i = 1; i < seen.count; i++)
        CU_ASSERT_STRING_EQUAL(seen.bodies[i], seen.bodies[0]);
}

static void hours_go_by(void)
{
    manual_clock_advance(&till.clock, 3 * 3600 * 1000);
}

/* Days later by a process that has never seen the order. */
static void each_outcome_is_said_again(void)
{
    static const struct {
        const char *card, *type;
    } outcomes[] = {
        {"tok_visa", PAYMENT_CAPTURED},
        {"tok_declined", PAYMENT_DECLINED},
        {NULL, PAYMENT_CLOSED},
    };
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        till_open();
        if (outcomes[i].card)
            till_place(1, outcomes[i].card);
        else
            till_ask_to_close(1);
        loop_run(&till, 0, 20);
        check_said(1, outcomes[i].type, 1);
        loop_kill(&till, 0);
        hours_go_by();
        till_start(1);
        till_ask_to_close(1);
        loop_run(&till, 1, 20);
        check_said(1, outcomes[i].type, 2);
        till_ask_to_close(1);
        loop_run(&till, 1, 20);
        check_said(1, outcomes[i].type, 3);
        CU_ASSERT_EQUAL(till_in_ledger("void"), 0);
        CU_ASSERT_EQUAL(till_in_ledger("capture"), outcomes[i].type == outcomes[0].type);
        CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM fact"), 1);
        CU_ASSERT_EQUAL(till_quarantined(), 0);
        till_close();
    }
}

/* While the refund is open, and after it: a close asks for the outcome, a refund for the refund. */
static void a_refunded_payment_says_both(void)
{
    till_open();
    till_place(1, "tok_visa");
    loop_run(&till, 0, 20);
    till_ask_for_refund(1, 1000);
    till_ask_to_close(1);
    till_ask_for_refund(1, 1000); /* its job is open, and will tell */
    loop_run(&till, 0, 20);
    check_said(1, PAYMENT_CAPTURED, 2);
    check_said(1, PAYMENT_REFUNDED, 1);
    hours_go_by();
    till_ask_for_refund(1, 1000);
    loop_run(&till, 0, 20);
    check_said(1, PAYMENT_REFUNDED, 2);
    till_ask_to_close(1);
    loop_run(&till, 0, 20);
    check_said(1, PAYMENT_CAPTURED, 3);
    check_said(1, PAYMENT_REFUNDED, 2);
    CU_ASSERT_EQUAL(till_in_ledger("refund"), 1);
    till_close();
}

/* A pending payment has nothing to say yet: the void that was asked for first will tell. */
static void a_pending_payment_asks_once(void)
{
    till_open();
    till_place(1, "tok_slow");
    loop_run_ms(&till, 0, 200);
    for (int i = 0; i < 3; i++)
        till_ask_to_close(1);
    loop_run_ms(&till, 0, 5000);
    check_said(1, PAYMENT_CLOSED, 1);
    CU_ASSERT_EQUAL(till_in_ledger("void"), 1);
    till_close();
}

/* A refund of another amount is not asked by anybody who knows what was captured. */
static void a_wrong_refund_is_told_nothing(void)
{
    till_open();
    till_place(1, "tok_visa");
    loop_run(&till, 0, 20);
    till_ask_for_refund(1, 1000);
    loop_run(&till, 0, 20);
    till_ask_for_refund(1, 999);
    loop_run(&till, 0, 20);
    check_said(1, PAYMENT_REFUNDED, 1);
    CU_ASSERT_EQUAL(till_quarantined(), 1);
    till_close();
}

static void without_the_switch_it_is_silent(void)
{
    till_open();
    loop_kill(&till, 0);
    till.switches.say_again = false;
    till_start(0);
    till_place(1, "tok_visa");
    loop_run(&till, 0, 20);
    till_ask_to_close(1);
    loop_run(&till, 0, 20);
    check_said(1, PAYMENT_CAPTURED, 1);
    till_close();
}

/* --- an operator asks ------------------------------------------------------------------------ */

static void ask_to_tell(unsigned order)
{
    struct retell retell;
    snprintf(retell.order_id, sizeof retell.order_id, "%s", loop_order_id(order));
    loop_send(&till, "payment.commands", PAYMENT_RETELL, retell.order_id, &retell, NULL);
}

static void an_operator_is_told_all_there_is(void)
{
    till_open();
    till_place(1, "tok_visa");
    till_place(2, "tok_declined");
    till_ask_to_close(3);
    loop_run(&till, 0, 20);
    till_ask_for_refund(1, 1000);
    loop_run(&till, 0, 20);
    hours_go_by();
    for (unsigned order = 1; order <= 4; order++) /* of the fourth nobody knows anything */
        ask_to_tell(order);
    loop_run(&till, 0, 20);
    check_said(1, PAYMENT_CAPTURED, 2);
    check_said(1, PAYMENT_REFUNDED, 2);
    check_said(2, PAYMENT_DECLINED, 2);
    check_said(3, PAYMENT_CLOSED, 2);
    CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM payment"), 3);
    CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM job"), 0);
    CU_ASSERT_EQUAL(till_quarantined(), 0);
    till_close();
}

/* --- a store from before bytes were kept ------------------------------------------------------ */

static void forget_the_bytes(void)
{
    struct err err = {{0}};
    enum result result = store_begin(till.store, &err);
    if (result == OK)
        result = store_exec(till.store, "DELETE FROM fact", STORE_NO_ARGS, NULL, &err);
    if (result == OK)
        result = store_exec(till.store,
                            "UPDATE payment SET outcome_position = NULL, refund_position = NULL",
                            STORE_NO_ARGS, NULL, &err);
    if (result == OK)
        result = store_commit(till.store, &err);
    CU_ASSERT_EQUAL_FATAL(result, OK);
}

/* Without its last attribute before the data: the trace is lost. */
static void drop_trace(char *body)
{
    char *trace = strstr(body, ",\"traceparent\"");
    if (trace)
        memmove(trace, strstr(trace, ",\"datacontenttype\""),
                strlen(strstr(trace, ",\"datacontenttype\"")) + 1);
}

static void check_said_the_same_but_for_the_trace(unsigned order, const char *type)
{
    struct seen seen = see(order, type);
    CU_ASSERT_EQUAL_FATAL(seen.count, 2);
    drop_trace(seen.bodies[0]);
    CU_ASSERT_STRING_EQUAL(seen.bodies[1], seen.bodies[0]);
}

static void what_was_not_kept_is_made_again(void)
{
    till_open();
    till_place(1, "tok_visa");
    till_place(2, "tok_declined");
    till_ask_to_close(3);
    loop_run(&till, 0, 20);
    forget_the_bytes();
    hours_go_by();
    till_ask_to_close(1);
    till_ask_to_close(2);
    ask_to_tell(3);
    loop_run(&till, 0, 20);
    check_said_the_same_but_for_the_trace(1, PAYMENT_CAPTURED);
    check_said_the_same_but_for_the_trace(2, PAYMENT_DECLINED);
    check_said_the_same_but_for_the_trace(3, PAYMENT_CLOSED);
    till_close();
}

/* Its reference is in no row: the provider is asked, under the same key, and refunds nothing more. */
static void a_refund_that_was_not_kept_is_asked_for(void)
{
    till_open();
    till_place(1, "tok_visa");
    loop_run(&till, 0, 20);
    till_ask_for_refund(1, 1000);
    loop_run(&till, 0, 20);
    forget_the_bytes();
    hours_go_by();
    till_ask_for_refund(1, 1000);
    loop_run(&till, 0, 20);
    check_said_the_same_but_for_the_trace(1, PAYMENT_REFUNDED);
    CU_ASSERT_EQUAL(till_in_ledger("refund"), 1);
    CU_ASSERT_EQUAL(loop_number(&till, "SELECT count(*) FROM job"), 0);
    till_close();
}

static const struct unit_case cases[] = {
    {"each outcome is said again", each_outcome_is_said_again},
    {"a refunded payment says both", a_refunded_payment_says_both},
    {"a pending payment asks once", a_pending_payment_asks_once},
    {"a wrong refund is told nothing", a_wrong_refund_is_told_nothing},
    {"without the switch it is silent", without_the_switch_it_is_silent},
    {"what was not kept is made again", what_was_not_kept_is_made_again},
    {"a refund that was not kept is asked for", a_refund_that_was_not_kept_is_asked_for},
    {"an operator is told all there is", an_operator_is_told_all_there_is},
};
UNIT_MAIN("payment again", cases)
