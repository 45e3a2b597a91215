#include "payment-service/provider_ledger.h"

#include <stdio.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/text.h"

const struct migration ledger_migrations[] = {
    {1, "CREATE TABLE ledger(entry INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, "
        "order_id TEXT NOT NULL, kind TEXT NOT NULL "
        "CHECK (kind = 'capture' OR kind = 'decline' OR kind = 'void' OR kind = 'refund'), "
        "amount INTEGER NOT NULL, "
        "currency TEXT NOT NULL, reference TEXT NOT NULL, at_ms INTEGER NOT NULL);"
        "CREATE INDEX ledger_order ON ledger(order_id);"
        "CREATE TABLE attempt(key TEXT PRIMARY KEY, count INTEGER NOT NULL)"},
};
const size_t ledger_migration_count = 1;

enum { FLAKY_FAILURES = 2 };

struct entry {
    bool found;
    char kind[8];
    int64_t amount;
    char currency[CURRENCY_SIZE];
    char reference[WORD_SIZE];
};

/* All that is written about one order. */
struct account {
    const char *key;      /* of the call in hand */
    struct entry same;    /* the entry under that key */
    struct entry capture; /* the first of each */
    struct entry decline;
    struct entry voided;
    int64_t captured, refunded; /* sums */
};

static enum result fold_row(void *context, const struct store_row *row, struct err *err)
{
    struct account *account = context;
    (void)err;
    struct entry entry = {.found = true, .amount = store_row_int(row, 2)};
    store_row_copy(row, 1, entry.kind, sizeof entry.kind);
    store_row_copy(row, 3, entry.currency, sizeof entry.currency);
    store_row_copy(row, 4, entry.reference, sizeof entry.reference);
    if (strcmp(store_row_text(row, 0), account->key) == 0)
        account->same = entry;
    if (strcmp(entry.kind, "capture") == 0) {
        account->captured += entry.amount;
        if (!account->capture.found)
            account->capture = entry;
    } else if (strcmp(entry.kind, "decline") == 0) {
        account->decline = entry;
    } else if (strcmp(entry.kind, "void") == 0) {
        account->voided = entry;
    } else {
        account->refunded += entry.amount;
    }
    return OK;
}

/* --- replies ---------------------------------------------------------------- */

static void reply(struct ledger_reply *out, enum result outcome, const char *result,
                  const char *reference, const char *reason)
{
    *out = (struct ledger_reply){.outcome = outcome};
    text_copy(out->answer.result, sizeof out->answer.result, result);
    text_copy(out->answer.reference, sizeof out->answer.reference, reference);
    text_copy(out->answer.reason, sizeof out->answer.reason, reason);
}

static void refuse(struct ledger_reply *out, const char *reason)
{
    reply(out, INVALID, "refused", "", reason);
}

static void reply_by_entry(struct ledger_reply *out, const struct entry *entry)
{
    if (strcmp(entry->kind, "capture") == 0)
        reply(out, OK, "captured", entry->reference, "");
    else if (strcmp(entry->kind, "decline") == 0)
        reply(out, OK, "declined", "", entry->reference);
    else if (strcmp(entry->kind, "void") == 0)
        reply(out, OK, "voided", "", "");
    else
        reply(out, OK, "refunded", entry->reference, "");
}

/* --- entries ------------------------------------------------------------------ */

static enum result write_entry(struct store *ledger, const struct clock *clock,
                               const struct ledger_call *call, const struct entry *entry,
                               struct ledger_reply *out, struct err *err)
{
    const struct provider_request *request = call->request;
    int64_t written = 0;
    enum result result = store_exec(
        ledger,
        "INSERT INTO ledger(key, order_id, kind, amount, currency, reference, at_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT(key) DO NOTHING",
        STORE_ARGS(store_text(call->key), store_text(request->order_id), store_text(entry->kind),
                   store_int(request->amount), store_text(request->currency),
                   store_text(entry->reference), store_int(clock_wall_ms(clock))),
        &written, err);
    if (result != OK)
        return result;
    if (written)
        reply_by_entry(out, entry);
    else
        refuse(out, "key-reused"); /* for another order */
    return OK;
}

static void name_entry(struct entry *entry, const struct clock *clock, const char *kind)
{
    struct id id = id_new(clock);
    text_copy(entry->kind, sizeof entry->kind, kind);
    snprintf(entry->reference, sizeof entry->reference, "%s-%s", kind, id.text);
}

/* --- the three calls ------------------------------------------------------------ */

static enum result count_attempt(struct store *ledger, const char *order_id, int64_t *ret_count,
                                 struct err *err)
{
    enum result result = store_exec(ledger,
                                    "INSERT INTO attempt(key, count) VALUES ($1, 1) "
                                    "ON CONFLICT(key) DO UPDATE SET count = attempt.count + 1",
                                    STORE_ARGS(store_text(order_id)), NULL, err);
    if (result == OK)
        result = store_query_int(ledger, "SELECT count FROM attempt WHERE key = $1",
                                 STORE_ARGS(store_text(order_id)), ret_count, err);
    return result;
}

static const struct {
    const char *token;
    const char *decline; /* NULL: captures */
} cards[] = {
    {"tok_visa", NULL},
    {"tok_flaky", NULL},
    {"tok_timeout", NULL},
    {CARD_SLOW, NULL},
    {"tok_declined", "payment-declined"},
    {"tok_insufficient_funds", "insufficient-funds"},
};

static const char *decline_reason(const char *token)
{
    for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++) {
        if (strcmp(cards[i].token, token) == 0)
            return cards[i].decline;
    }
    return "invalid-card";
}

static enum result decide_capture(struct store *ledger, const struct clock *clock,
                                  const struct ledger_call *call, const struct account *account,
                                  struct ledger_reply *out, struct err *err)
{
    const char *token = call->request->token;
    if (account->voided.found) {
        reply_by_entry(out, &account->voided);
        return OK;
    }
    if (strcmp(token, "tok_flaky") == 0) {
        int64_t attempts = 0;
        enum result result = count_attempt(ledger, call->request->order_id, &attempts, err);
        if (result != OK)
            return result;
        if (attempts <= FLAKY_FAILURES) {
            reply(out, RETRY, "failed", "", "try-again");
            return OK;
        }
    }
    struct entry entry = {.kind = "decline"};
    const char *reason = decline_reason(token);
    if (reason)
        text_copy(entry.reference, sizeof entry.reference, reason);
    else
        name_entry(&entry, clock, "capture");
    enum result result = write_entry(ledger, clock, call, &entry, out, err);
    out->silent =
        out->outcome == OK && !account->capture.found && strcmp(token, "tok_timeout") == 0;
    return result;
}

static enum result decide_void(struct store *ledger, const struct clock *clock,
                               const struct ledger_call *call, const struct account *account,
                               struct ledger_reply *out, struct err *err)
{
    const struct entry *first[] = {&account->capture, &account->decline, &account->voided};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        if (first[i]->found) {
            reply_by_entry(out, first[i]);
            return OK;
        }
    }
    struct entry entry;
    name_entry(&entry, clock, "void");
    return write_entry(ledger, clock, call, &entry, out, err);
}

static enum result decide_refund(struct store *ledger, const struct clock *clock,
                                 const struct ledger_call *call, const struct account *account,
                                 struct ledger_reply *out, struct err *err)
{
    const struct provider_request *request = call->request;
    if (!account->capture.found || strcmp(account->capture.currency, request->currency) != 0) {
        refuse(out, "not-captured");
        return OK;
    }
    if (request->amount > account->captured - account->refunded) {
        refuse(out, "more-than-captured");
        return OK;
    }
    struct entry entry;
    name_entry(&entry, clock, "refund");
    return write_entry(ledger, clock, call, &entry, out, err);
}

static const struct {
    const char *kind;
    const char *entries[2]; /* what such a call may have left under its key */
    enum result (*decide)(struct store *, const struct clock *, const struct ledger_call *,
                          const struct account *, struct ledger_reply *, struct err *);
} kinds[] = {
    {PROVIDER_CAPTURE, {"capture", "decline"}, decide_capture},
    {PROVIDER_VOID, {"void", "void"}, decide_void},
    {PROVIDER_REFUND, {"refund", "refund"}, decide_refund},
};

/* --- the whole ---------------------------------------------------------------------- */

static bool repeats(const struct entry *same, const char *const entries[2],
                    const struct provider_request *request)
{
    bool kind = strcmp(same->kind, entries[0]) == 0 || strcmp(same->kind, entries[1]) == 0;
    return kind && same->amount == request->amount &&
           strcmp(same->currency, request->currency) == 0;
}

enum result ledger_decide(struct store *ledger, const struct clock *clock,
                          const struct ledger_call *call, struct ledger_reply *ret_reply,
                          struct err *err)
{
    size_t k = 0;
    while (k < sizeof kinds / sizeof kinds[0] && strcmp(kinds[k].kind, call->kind) != 0)
        k++;
    if (k == sizeof kinds / sizeof kinds[0]) {
        refuse(ret_reply, "unknown-call");
        return OK;
    }
    struct account account = {.key = call->key};
    enum result result =
        store_query(ledger,
                    "SELECT key, kind, amount, currency, reference FROM ledger "
                    "WHERE order_id = $1 ORDER BY entry",
                    STORE_ARGS(store_text(call->request->order_id)), fold_row, &account, err);
    if (result != OK)
        return result;
    if (!account.same.found)
        return kinds[k].decide(ledger, clock, call, &account, ret_reply, err);
    if (repeats(&account.same, kinds[k].entries, call->request))
        reply_by_entry(ret_reply, &account.same);
    else
        refuse(ret_reply, "key-reused");
    return OK;
}
