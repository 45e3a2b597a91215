/* The sandbox provider: every card, every repeat, every race, on a ledger that outlives it. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/telemetry/log.h"
#include "payment-service/provider.h"
#include "tests/unit/unit.h"

enum { ANSWERS_MAX = 64 };

struct answers {
    size_t count;
    struct {
        char job_id[64];
        enum result outcome;
        struct provider_answer answer;
    } list[ANSWERS_MAX];
};

static struct bench {
    struct manual_clock clock;
    struct store *ledger;
    struct effect *provider;
    struct answers answers; /* all of them, in order */
} bench;

static void must(enum result result, const struct err *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "%s: %s\n", result_name(result), err_text(err));
    abort();
}

static void start_provider(void)
{
    struct err err;
    must(provider_sandbox_new(&bench.clock.clock, bench.ledger, NULL, &bench.provider, &err), &err);
}

static char database[64];

static void set_up(void)
{
    static int number;
    struct err err;
    bench = (struct bench){.ledger = NULL};
    snprintf(database, sizeof database, "memdb:/ledger-%d", number++);
    manual_clock_init(&bench.clock, INT64_C(1800000000000), 7);
    must(store_open_sqlite(database, STORE_DURABLE, &bench.ledger, &err), &err);
    must(store_migrate(bench.ledger, "ledger", ledger_migrations, ledger_migration_count, &err),
         &err);
    start_provider();
}

static void tear_down(void)
{
    effect_free(bench.provider);
    store_free(bench.ledger);
}

/* A process that dies: what it held is gone, the ledger is not. */
static void restart(void)
{
    effect_free(bench.provider);
    start_provider();
}

static void take_answer(void *context, const char *job_id, enum result outcome,
                        const char *response)
{
    struct answers *answers = context;
    struct err err;
    if (answers->count == ANSWERS_MAX)
        abort();
    snprintf(answers->list[answers->count].job_id, sizeof answers->list[0].job_id, "%s", job_id);
    answers->list[answers->count].outcome = outcome;
    must(provider_answer_read(response, &answers->list[answers->count].answer, &err), &err);
    answers->count++;
}

static void pump(void)
{
    bench.provider->ops->pump(bench.provider, take_answer, &bench.answers);
}

static const char *order_id(unsigned order)
{
    static char ids[8][UUID_SIZE];
    static unsigned next;
    char *id = ids[next++ % 8];
    snprintf(id, UUID_SIZE, "%08x-0000-8000-8000-000000000000", order);
    return id;
}

static enum result start(const char *kind, const char *key, unsigned order, int64_t amount,
                         const char *token)
{
    struct provider_request request = {.amount = amount};
    snprintf(request.order_id, sizeof request.order_id, "%s", order_id(order));
    snprintf(request.token, sizeof request.token, "%s", token);
    if (strcmp(kind, PROVIDER_VOID) != 0)
        snprintf(request.currency, sizeof request.currency, "EUR");
    struct buf text = {0};
    bind_encode(&provider_request_type, &request, &text);
    const struct effect_call call = {key, kind, key, text.data};
    enum result result = bench.provider->ops->start(bench.provider, &call);
    buf_release(&text);
    return result;
}

/* Starts, pumps once and gives the answer in one word: the result, or the reason of a decline or a
 * refusal; "-" for none. */
static const char *ask(const char *kind, const char *key, unsigned order, int64_t amount,
                       const char *token)
{
    size_t before = bench.answers.count;
    CU_ASSERT_EQUAL(start(kind, key, order, amount, token), OK);
    pump();
    if (bench.answers.count == before)
        return "-";
    CU_ASSERT_EQUAL(bench.answers.count, before + 1);
    CU_ASSERT_STRING_EQUAL(bench.answers.list[before].job_id, key);
    const struct provider_answer *answer = &bench.answers.list[before].answer;
    return answer->reason[0] ? answer->reason : answer->result;
}

static const char *capture(const char *key, unsigned order, const char *token)
{
    return ask(PROVIDER_CAPTURE, key, order, 1000, token);
}

static enum result last_outcome(void)
{
    return bench.answers.count ? bench.answers.list[bench.answers.count - 1].outcome : FATAL;
}

static const char *last_reference(void)
{
    return bench.answers.list[bench.answers.count - 1].answer.reference;
}

static int64_t entries(const char *kind)
{
    int64_t count = 0;
    struct err err;
    must(store_query_int(bench.ledger, "SELECT count(*) FROM ledger WHERE kind = $1",
                         STORE_ARGS(store_text(kind)), &count, &err),
         &err);
    return count;
}

/* --- cards ------------------------------------------------------------------- */

static void each_card_is_decided(void)
{
    static const struct {
        const char *token, *says;
        int64_t captures, declines;
    } cards[] = {
        {"tok_visa", "captured", 1, 0},
        {"tok_declined", "payment-declined", 0, 1},
        {"tok_insufficient_funds", "insufficient-funds", 0, 1},
        {"tok_nobody_knows", "invalid-card", 0, 1},
    };
    for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++) {
        set_up();
        CU_ASSERT_STRING_EQUAL(capture("k", 1, cards[i].token), cards[i].says);
        CU_ASSERT_EQUAL(last_outcome(), OK);
        CU_ASSERT_EQUAL(entries("capture"), cards[i].captures);
        CU_ASSERT_EQUAL(entries("decline"), cards[i].declines);
        tear_down();
    }
}

static void flaky_fails_twice_whoever_asks(void)
{
    set_up();
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_flaky"), "try-again");
    CU_ASSERT_EQUAL(last_outcome(), RETRY);
    restart(); /* the attempts are counted in the ledger's database */
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_flaky"), "try-again");
    CU_ASSERT_EQUAL(entries("capture"), 0);
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_flaky"), "captured");
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_flaky"), "captured");
    CU_ASSERT_STRING_EQUAL(capture("other", 2, "tok_flaky"), "try-again");
    CU_ASSERT_EQUAL(entries("capture"), 1);
    tear_down();
}

static void timeout_captures_and_says_nothing(void)
{
    set_up();
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_timeout"), "-");
    CU_ASSERT_EQUAL(entries("capture"), 1);
    pump();
    CU_ASSERT_EQUAL(bench.answers.count, 0);
    CU_ASSERT_EQUAL(bench.provider->ops->deadline_ms(bench.provider), INT64_MAX);
    restart();
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_timeout"), "captured");
    CU_ASSERT_EQUAL(entries("capture"), 1);
    tear_down();
}

static void slow_takes_two_seconds(void)
{
    set_up();
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_slow"), "-");
    manual_clock_advance(&bench.clock, 1999);
    pump();
    CU_ASSERT_EQUAL(entries("capture"), 0);
    CU_ASSERT_EQUAL(bench.provider->ops->deadline_ms(bench.provider), bench.clock.mono_ms + 1);
    manual_clock_advance(&bench.clock, 1);
    pump();
    CU_ASSERT_EQUAL(entries("capture"), 1);
    CU_ASSERT_EQUAL(bench.answers.count, 1);
    tear_down();
}

/* --- keys --------------------------------------------------------------------- */

static void same_key_same_answer(void)
{
    char reference[WORD_SIZE];
    set_up();
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_visa"), "captured");
    snprintf(reference, sizeof reference, "%s", last_reference());
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_visa"), "captured");
    CU_ASSERT_STRING_EQUAL(last_reference(), reference);
    restart();
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_visa"), "captured");
    CU_ASSERT_STRING_EQUAL(last_reference(), reference);
    CU_ASSERT_EQUAL(entries("capture"), 1);
    CU_ASSERT_STRING_EQUAL(capture("d", 2, "tok_declined"), "payment-declined");
    CU_ASSERT_STRING_EQUAL(capture("d", 2, "tok_declined"), "payment-declined");
    CU_ASSERT_EQUAL(entries("decline"), 1);
    tear_down();
}

static void same_key_twice_before_a_pump(void)
{
    set_up();
    CU_ASSERT_EQUAL(start(PROVIDER_CAPTURE, "k", 1, 1000, "tok_visa"), OK);
    CU_ASSERT_EQUAL(start(PROVIDER_CAPTURE, "k", 1, 1000, "tok_visa"), OK);
    pump();
    CU_ASSERT_EQUAL(bench.answers.count, 2);
    CU_ASSERT_STRING_EQUAL(bench.answers.list[0].answer.reference,
                           bench.answers.list[1].answer.reference);
    CU_ASSERT_EQUAL(entries("capture"), 1);
    tear_down();
}

static void key_is_not_reused_for_something_else(void)
{
    set_up();
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_visa"), "captured");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_CAPTURE, "k", 1, 999, "tok_visa"), "key-reused");
    CU_ASSERT_EQUAL(last_outcome(), INVALID);
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_CAPTURE, "k", 2, 1000, "tok_visa"), "key-reused");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_CAPTURE, "k", 2, 1000, "tok_timeout"), "key-reused");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_REFUND, "k", 1, 1000, ""), "key-reused");
    CU_ASSERT_EQUAL(entries("capture"), 1);
    CU_ASSERT_EQUAL(entries("refund"), 0);
    tear_down();
}

static void fresh_key_captures_again(void)
{
    set_up();
    CU_ASSERT_STRING_EQUAL(capture("k1", 1, "tok_timeout"), "-");
    CU_ASSERT_STRING_EQUAL(capture("k2", 1, "tok_timeout"), "captured");
    CU_ASSERT_EQUAL(entries("capture"), 2); /* as a real one would: the audit has to see it */
    tear_down();
}

/* --- capture, void, refund -------------------------------------------------------- */

static void whoever_is_first_wins(void)
{
    set_up();
    CU_ASSERT_STRING_EQUAL(capture("c1", 1, "tok_visa"), "captured");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_VOID, "v1", 1, 0, ""), "captured");
    CU_ASSERT_STRING_NOT_EQUAL(last_reference(), "");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_VOID, "v2", 2, 0, ""), "voided");
    CU_ASSERT_STRING_EQUAL(capture("c2", 2, "tok_visa"), "voided");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_VOID, "v2", 2, 0, ""), "voided");
    CU_ASSERT_STRING_EQUAL(capture("c3", 3, "tok_declined"), "payment-declined");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_VOID, "v3", 3, 0, ""), "payment-declined");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_VOID, "v4", 4, 0, ""), "voided");
    CU_ASSERT_STRING_EQUAL(capture("c4", 4, "tok_flaky"), "voided");
    CU_ASSERT_EQUAL(entries("capture"), 1);
    CU_ASSERT_EQUAL(entries("void"), 2);
    tear_down();
}

static void void_overtakes_a_slow_capture(void)
{
    set_up();
    CU_ASSERT_STRING_EQUAL(capture("c", 1, "tok_slow"), "-");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_VOID, "v", 1, 0, ""), "voided");
    manual_clock_advance(&bench.clock, 2000);
    pump();
    CU_ASSERT_EQUAL(bench.answers.count, 2);
    CU_ASSERT_STRING_EQUAL(bench.answers.list[1].answer.result, "voided");
    CU_ASSERT_EQUAL(entries("capture"), 0);
    tear_down();
}

static void refund_needs_a_capture(void)
{
    set_up();
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_REFUND, "r0", 1, 1000, ""), "not-captured");
    CU_ASSERT_EQUAL(last_outcome(), INVALID);
    (void)capture("c", 1, "tok_visa");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_REFUND, "r1", 1, 1001, ""), "more-than-captured");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_REFUND, "r", 1, 1000, ""), "refunded");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_REFUND, "r", 1, 1000, ""), "refunded");
    CU_ASSERT_STRING_EQUAL(ask(PROVIDER_REFUND, "r2", 1, 1, ""), "more-than-captured");
    CU_ASSERT_EQUAL(entries("refund"), 1);
    tear_down();
}

/* --- the ledger, and limits ---------------------------------------------------------- */

static void busy_ledger_is_tried_again(void)
{
    struct store *other;
    struct err err;
    set_up();
    must(store_open_sqlite(database, STORE_DURABLE, &other, &err), &err);
    must(store_begin(other, &err), &err);
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_visa"), "-");
    int64_t deadline_ms = bench.provider->ops->deadline_ms(bench.provider);
    CU_ASSERT(deadline_ms > bench.clock.mono_ms && deadline_ms < bench.clock.mono_ms + 100);
    store_rollback(other);
    manual_clock_advance(&bench.clock, deadline_ms - bench.clock.mono_ms);
    CU_ASSERT_EQUAL(bench.provider->ops->deadline_ms(bench.provider), 0);
    pump();
    CU_ASSERT_EQUAL(bench.answers.count, 1);
    CU_ASSERT_EQUAL(entries("capture"), 1);
    store_free(other);
    tear_down();
}

static void nothing_is_answered_that_is_not_committed(void)
{
    struct err err;
    set_up();
    must(store_begin(bench.ledger, &err), &err); /* then the sandbox cannot begin */
    CU_ASSERT_STRING_EQUAL(capture("k", 1, "tok_visa"), "-");
    store_rollback(bench.ledger);
    restart();
    pump();
    CU_ASSERT_EQUAL(bench.answers.count, 0);
    CU_ASSERT_EQUAL(entries("capture"), 0);
    tear_down();
}

static void room_is_bounded(void)
{
    struct err err;
    set_up();
    effect_free(bench.provider);
    const struct provider_sandbox_options options = {.calls_max = 2, .answer_delay_ms = 10};
    must(provider_sandbox_new(&bench.clock.clock, bench.ledger, &options, &bench.provider, &err),
         &err);
    CU_ASSERT_EQUAL(start(PROVIDER_CAPTURE, "a", 1, 1, "tok_visa"), OK);
    CU_ASSERT_EQUAL(start(PROVIDER_CAPTURE, "b", 2, 1, "tok_visa"), OK);
    CU_ASSERT_EQUAL(start(PROVIDER_CAPTURE, "c", 3, 1, "tok_visa"), RETRY);
    pump();
    CU_ASSERT_EQUAL(bench.answers.count, 0); /* committed, not yet told */
    CU_ASSERT_EQUAL(entries("capture"), 2);
    manual_clock_advance(&bench.clock, 10);
    pump();
    CU_ASSERT_EQUAL(bench.answers.count, 2);
    CU_ASSERT_EQUAL(start(PROVIDER_CAPTURE, "c", 3, 1, "tok_visa"), OK);
    tear_down();
}

static void change_ledger(const char *sql)
{
    struct err err = {""};
    must(store_begin(bench.ledger, &err), &err);
    must(store_exec(bench.ledger, sql, STORE_NO_ARGS, NULL, &err), &err);
    must(store_commit(bench.ledger, &err), &err);
}

/* How often it was tried in that time: each failure sets another moment. */
static int tries_in(int64_t ms)
{
    int tries = 0;
    int64_t last_ms = 0;
    for (int64_t i = 0; i < ms; i++) {
        pump();
        int64_t next_ms = bench.provider->ops->deadline_ms(bench.provider);
        tries += next_ms != last_ms;
        last_ms = next_ms;
        manual_clock_advance(&bench.clock, 1);
    }
    return tries;
}

/* As when its disk is full: told once, tried ever more slowly, then all is decided once. */
static void a_failing_ledger_is_told_and_waited_for(void)
{
    struct err err;
    char line[500] = "";
    set_up();
    effect_free(bench.provider);
    const struct log log = {.clock = &bench.clock.clock,
                            .service = "payment-service",
                            .level = LOG_INFO,
                            .fd = memfd_create("log", MFD_CLOEXEC)};
    const struct provider_sandbox_options options = {.log = &log};
    must(provider_sandbox_new(&bench.clock.clock, bench.ledger, &options, &bench.provider, &err),
         &err);
    change_ledger("ALTER TABLE ledger RENAME TO away");
    CU_ASSERT_EQUAL(start(PROVIDER_CAPTURE, "a", 1, 1, "tok_visa"), OK);
    int tries = tries_in(10000);
    CU_ASSERT_TRUE(tries > 5 && tries < 40);
    CU_ASSERT_EQUAL(start(PROVIDER_CAPTURE, "a", 1, 1, "tok_visa"), OK); /* asked again meanwhile */
    CU_ASSERT_EQUAL(bench.answers.count, 0);
    change_ledger("ALTER TABLE away RENAME TO ledger");
    manual_clock_advance(&bench.clock, 1000);
    pump();
    CU_ASSERT_EQUAL(bench.answers.count, 2);
    CU_ASSERT_EQUAL(entries("capture"), 1);
    CU_ASSERT_TRUE(pread(log.fd, line, sizeof line - 1, 0) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"event\":\"ledger-failing\""));
    CU_ASSERT_PTR_EQUAL(strchr(line, '\n'), line + strlen(line) - 1); /* one line */
    close(log.fd);
    tear_down();
}

static void nonsense_is_refused(void)
{
    static const char *const requests[] = {"", "{}", "[]", "{\"order_id\":\"1\"}"};
    set_up();
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const struct effect_call call = {"j", PROVIDER_CAPTURE, "k", requests[i]};
        CU_ASSERT_EQUAL(bench.provider->ops->start(bench.provider, &call), OK);
        pump();
        CU_ASSERT_EQUAL(bench.answers.count, i + 1);
        CU_ASSERT_EQUAL(last_outcome(), INVALID);
    }
    CU_ASSERT_STRING_EQUAL(ask("give", "k", 1, 1, "tok_visa"), "unknown-call");
    CU_ASSERT_EQUAL(last_outcome(), INVALID);
    tear_down();
}

/* --- any sequence ---------------------------------------------------------------------- */

static void one_random_life(uint64_t seed)
{
    static const char *const tokens[] = {"tok_visa", "tok_flaky", "tok_timeout", "tok_slow",
                                         "tok_declined"};
    set_up();
    bench.clock.state = seed;
    struct clock *clock = &bench.clock.clock;
    const char *token = tokens[clock_random64(clock) % 5];
    for (int i = 0; i < 30; i++) {
        uint64_t random = clock_random64(clock);
        switch (random % 6) {
        case 0:
            (void)start(PROVIDER_CAPTURE, "capture", 1, 1000, token);
            break;
        case 1:
            if (random >> 60 < 4)
                (void)start(PROVIDER_VOID, "void", 1, 0, "");
            break;
        case 2:
            (void)start(PROVIDER_REFUND, "refund", 1, 1000, "");
            break;
        case 3:
            if (random >> 60 < 4)
                restart();
            break;
        default:
            manual_clock_advance(&bench.clock, (int64_t)(random >> 8) % 1500);
            pump();
        }
    }
    manual_clock_advance(&bench.clock, 5000);
    pump();
    CU_ASSERT(entries("capture") + entries("decline") + entries("void") <= 1);
    CU_ASSERT(entries("refund") <= entries("capture"));
    tear_down();
}

static void stable_keys_keep_the_books(void)
{
    for (uint64_t seed = 1; seed <= 300; seed++)
        one_random_life(seed);
}

static const struct unit_case cases[] = {
    {"each card is decided", each_card_is_decided},
    {"flaky fails twice, whoever asks", flaky_fails_twice_whoever_asks},
    {"timeout captures and says nothing", timeout_captures_and_says_nothing},
    {"slow takes two seconds", slow_takes_two_seconds},
    {"same key, same answer", same_key_same_answer},
    {"same key twice before a pump", same_key_twice_before_a_pump},
    {"a key is not reused for something else", key_is_not_reused_for_something_else},
    {"a fresh key captures again", fresh_key_captures_again},
    {"whoever is first wins", whoever_is_first_wins},
    {"a void overtakes a slow capture", void_overtakes_a_slow_capture},
    {"a refund needs a capture", refund_needs_a_capture},
    {"a busy ledger is tried again", busy_ledger_is_tried_again},
    {"nothing is answered that is not committed", nothing_is_answered_that_is_not_committed},
    {"room is bounded", room_is_bounded},
    {"a failing ledger is told and waited for", a_failing_ledger_is_told_and_waited_for},
    {"nonsense is refused", nonsense_is_refused},
    {"stable keys keep the books", stable_keys_keep_the_books},
};
UNIT_MAIN("provider sandbox", cases)
