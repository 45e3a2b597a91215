/* The table of a payment's life: every pair against a second statement of it, and what has to hold
 * on every walk through it. */
#include <string.h>

#include "contracts/messages.h"
#include "payment-service/payment.h"
#include "payment-service/provider.h"
#include "tests/unit/unit.h"

/* One letter a pair: '.' ignore, 's' say again, 'a' ask the provider again, 'w' wait, 'x' contradiction; else the
 * state that follows: P pending, C captured, D declined, L closed, R refunding, F refunded.
 * Messages placed close refund | answers to a capture: ok declined voided refused open | to a void:
 * ok captured declined open | to a refund: ok open. */
static const char *const expected[PAYMENT_STATE_COUNT] = {
    [PAYMENT_STATE_NONE] = "PLx"
                           "....."
                           "...."
                           "..",
    [PAYMENT_STATE_PENDING] = ".Pw"
                              "CDLDa"
                              "LCDa"
                              "..",
    [PAYMENT_STATE_CAPTURED] = ".sR"
                               "....."
                               "...."
                               "..",
    [PAYMENT_STATE_DECLINED] = ".sx"
                               "....."
                               "...."
                               "..",
    [PAYMENT_STATE_CLOSED] = ".sx"
                             "....."
                             "...."
                             "..",
    [PAYMENT_STATE_REFUNDING] = ".s."
                                "....."
                                "...."
                                "Fa",
    [PAYMENT_STATE_REFUNDED] = ".ss"
                               "....."
                               "...."
                               "sa",
};

static char letter(const struct payment_step *step)
{
    static const char verdicts[] = {[PAYMENT_IGNORE] = '.',
                                    [PAYMENT_SAY_AGAIN] = 's',
                                    [PAYMENT_AGAIN] = 'a',
                                    [PAYMENT_WAIT] = 'w',
                                    [PAYMENT_CONTRADICT] = 'x'};
    return step->verdict == PAYMENT_MOVE ? "?PCDLRF"[step->next] : verdicts[step->verdict];
}

static void every_pair_is_decided(void)
{
    for (int state = 0; state < PAYMENT_STATE_COUNT; state++) {
        CU_ASSERT_EQUAL_FATAL(strlen(expected[state]), PAYMENT_EVENT_COUNT);
        for (int event = 0; event < PAYMENT_EVENT_COUNT; event++) {
            const struct payment_step *step =
                payment_step((enum payment_state)state, (enum payment_event)event);
            if (letter(step) == expected[state][event])
                continue;
            fprintf(stderr, "%s x %s: '%c'\n", payment_state_name((enum payment_state)state),
                    payment_event_name((enum payment_event)event), letter(step));
            CU_FAIL("the table says otherwise");
        }
    }
}

static const char *fact_on_entering(enum payment_state from, enum payment_state to)
{
    static const char *const facts[PAYMENT_STATE_COUNT] = {
        [PAYMENT_STATE_CAPTURED] = PAYMENT_CAPTURED,
        [PAYMENT_STATE_DECLINED] = PAYMENT_DECLINED,
        [PAYMENT_STATE_CLOSED] = PAYMENT_CLOSED,
        [PAYMENT_STATE_REFUNDED] = PAYMENT_REFUNDED,
    };
    return from == to ? NULL : facts[to];
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void facts_and_calls_follow_the_states(void)
{
    for (int state = 0; state < PAYMENT_STATE_COUNT; state++)
        for (int event = 0; event < PAYMENT_EVENT_COUNT; event++) {
            const struct payment_step *step =
                payment_step((enum payment_state)state, (enum payment_event)event);
            if (step->verdict != PAYMENT_MOVE) {
                CU_ASSERT_EQUAL(step->fact != NULL, step->verdict == PAYMENT_SAY_AGAIN);
                CU_ASSERT_PTR_NULL(step->call);
                continue;
            }
            CU_ASSERT(
                same_text(step->fact, fact_on_entering((enum payment_state)state, step->next)));
            const char *call = NULL;
            if (step->next == PAYMENT_STATE_PENDING)
                call = event == PAYMENT_EVENT_PLACED ? PROVIDER_CAPTURE : PROVIDER_VOID;
            if (step->next == PAYMENT_STATE_REFUNDING)
                call = PROVIDER_REFUND;
            CU_ASSERT(same_text(step->call, call));
        }
}

/* Said again is only what was said on the way to this state; and whoever asks for what has been settled
 * is told, or the job that is open will tell. */
static void what_is_said_again_was_said(void)
{
    for (int state = PAYMENT_STATE_CAPTURED; state < PAYMENT_STATE_COUNT; state++) {
        bool money = state != PAYMENT_STATE_DECLINED && state != PAYMENT_STATE_CLOSED;
        const char *outcome =
            money ? PAYMENT_CAPTURED : fact_on_entering(PAYMENT_STATE_PENDING, state);
        const struct payment_step *close = payment_step(state, PAYMENT_EVENT_CLOSE);
        const struct payment_step *refund = payment_step(state, PAYMENT_EVENT_REFUND);
        CU_ASSERT_EQUAL(close->verdict, PAYMENT_SAY_AGAIN);
        CU_ASSERT(same_text(close->fact, outcome));
        CU_ASSERT_EQUAL(refund->verdict == PAYMENT_SAY_AGAIN, state == PAYMENT_STATE_REFUNDED);
        CU_ASSERT(state != PAYMENT_STATE_REFUNDED || same_text(refund->fact, PAYMENT_REFUNDED));
    }
}

struct said {
    int outcomes, captures, refunds, refund_calls, capture_calls;
};

static void walk(uint64_t *random, struct said *said)
{
    enum payment_state state = PAYMENT_STATE_NONE;
    for (int i = 0; i < 40; i++) {
        *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const struct payment_step *step =
            payment_step(state, (enum payment_event)((*random >> 33) % PAYMENT_EVENT_COUNT));
        if (step->verdict != PAYMENT_MOVE)
            continue;
        state = step->next;
        const char *fact = step->fact ? step->fact : "";
        bool refunded = strcmp(fact, PAYMENT_REFUNDED) == 0;
        CU_ASSERT(!refunded || said->captures == 1);
        said->refunds += refunded;
        said->captures += strcmp(fact, PAYMENT_CAPTURED) == 0;
        said->outcomes += fact[0] && !refunded;
        said->refund_calls += same_text(step->call, PROVIDER_REFUND);
        said->capture_calls += same_text(step->call, PROVIDER_CAPTURE);
    }
}

static void no_walk_says_two_outcomes(void)
{
    uint64_t random = 20261123;
    int reached[3] = {0};
    for (int i = 0; i < 20000; i++) {
        struct said said = {0};
        walk(&random, &said);
        CU_ASSERT(said.outcomes <= 1);
        CU_ASSERT(said.refunds <= 1);
        CU_ASSERT(said.refund_calls <= 1 && said.capture_calls <= 1);
        reached[0] += said.captures;
        reached[1] += said.refunds;
        reached[2] += said.outcomes;
    }
    CU_ASSERT(reached[0] > 1000 && reached[1] > 100 && reached[2] > 15000);
}

static void names_go_there_and_back(void)
{
    for (int state = 0; state < PAYMENT_STATE_COUNT; state++)
        CU_ASSERT_EQUAL(payment_state_named(payment_state_name((enum payment_state)state)),
                        (enum payment_state)state);
    CU_ASSERT_EQUAL(payment_state_named("lost"), PAYMENT_STATE_COUNT);
}

static const struct unit_case cases[] = {
    {"every pair is decided", every_pair_is_decided},
    {"facts and calls follow the states", facts_and_calls_follow_the_states},
    {"what is said again was said", what_is_said_again_was_said},
    {"no walk says two outcomes", no_walk_says_two_outcomes},
    {"names go there and back", names_go_there_and_back},
};
UNIT_MAIN("payment", cases)
