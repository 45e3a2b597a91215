#include "cli/demo_scenes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/store/store.h"

enum { PATIENCE_MS = 60000 };

/* One scene: what it is called, why it is played, what is ordered, what must come of it. */
struct script {
    const char *title;
    const char *why;
    const char *expected;
    struct shop_line line;
    const char *card;
    enum result (*act)(struct day *day, const struct script *script, struct scene *scene,
                       struct err *err);
};

static struct shop_basket basket_of(const struct script *script)
{
    struct shop_basket basket = {.count = 1, .card = script->card};
    basket.lines[0] = script->line;
    return basket;
}

static void saw(struct scene *scene, const char *format, ...) PRINTF_LIKE(2, 3);
static void saw(struct scene *scene, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(scene->seen, sizeof scene->seen, format, args);
    va_end(args);
}

/* A line of our own between the facts. */
static void note(const char *what, const char *means)
{
    printf("%14s%-20s %s\n", "", what, means);
}

/* "confirmed, 1 charge", "rejected: out-of-stock", "cancelled, 1 charge, 1 refund" */
static void saw_order(struct scene *scene, const struct follow *follow)
{
    bool rejected = strcmp(follow->status, "rejected") == 0;
    char money[48] = ", no charge";
    if (follow->captured > 0)
        snprintf(money, sizeof money, ", %d charge%s", follow->captured,
                 follow->captured > 1 ? "s" : "");
    saw(scene, "%s%s%s%s", follow->status[0] ? follow->status : "nothing", rejected ? ": " : "",
        rejected ? follow->reason : "", rejected && follow->captured == 0 ? "" : money);
    if (follow->refunded > 0)
        saw(scene, "%s%s, %d refund%s", follow->status, money, follow->refunded,
            follow->refunded > 1 ? "s" : "");
    scene->ms = follow->settled_ms;
}

static enum result send_order(struct day *day, const struct script *script, const char *key,
                              struct follow *follow, struct err *err)
{
    struct shop_basket basket = basket_of(script);
    struct id order;
    int64_t began_ms = clock_wall_ms(clock_system());
    enum result result = shop_place(&day->shop, &basket, key, &order, err);
    if (result != OK)
        return result;
    follow_begin(follow, &day->shop, &order, began_ms, stdout);
    follow_tell(stdout, clock_wall_ms(clock_system()) - began_ms, "202 accepted", order.text);
    return OK;
}

/* What could not be seen in time is an outcome like any other; a shop that is gone ends the day. */
static enum result outcome(struct scene *scene, const struct follow *follow, enum result result)
{
    saw_order(scene, follow);
    if (result == UNKNOWN)
        saw(scene, "%s, and then nothing", follow->status[0] ? follow->status : "accepted");
    return result == RETRY ? RETRY : OK;
}

static enum result act_order(struct day *day, const struct script *script, struct scene *scene,
                             struct err *err)
{
    struct follow follow;
    struct id key = id_new(clock_system());
    enum result result = send_order(day, script, key.text, &follow, err);
    if (result != OK)
        return result;
    result = outcome(scene, &follow, follow_until(&follow, FOLLOW_NOTIFIED, PATIENCE_MS, err));
    follow_release(&follow);
    return result;
}

static enum result act_twice(struct day *day, const struct script *script, struct scene *scene,
                             struct err *err)
{
    struct follow follow;
    struct id key = id_new(clock_system());
    struct id again = {""};
    struct shop_basket basket = basket_of(script);
    enum result result = send_order(day, script, key.text, &follow, err);
    if (result == OK)
        result = shop_place(&day->shop, &basket, key.text, &again, err);
    if (result != OK)
        return result;
    bool same = strcmp(follow.order.text, again.text) == 0;
    note("and again, 202", again.text);
    result = follow_until(&follow, FOLLOW_NOTIFIED, PATIENCE_MS, err);
    if (result == OK)
        result = shop_place(&day->shop, &basket, key.text, &again, err);
    same = same && strcmp(follow.order.text, again.text) == 0;
    note("and later, 202", again.text);
    result = outcome(scene, &follow, result);
    if (!same)
        saw(scene, "more than one order");
    follow_release(&follow);
    return result;
}

static enum result act_other_basket(struct day *day, const struct script *script,
                                    struct scene *scene, struct err *err)
{
    struct follow follow;
    struct err words = {""};
    struct id key = id_new(clock_system());
    struct id ignored;
    struct shop_basket other = basket_of(script);
    enum result result = send_order(day, script, key.text, &follow, err);
    if (result != OK)
        return result;
    result = follow_until(&follow, FOLLOW_NOTIFIED, PATIENCE_MS, err);
    other.lines[0].quantity++;
    enum result second = shop_place(&day->shop, &other, key.text, &ignored, &words);
    if (second != OK)
        note("the other basket", words.text);
    result = outcome(scene, &follow, result == OK && second == RETRY ? RETRY : result);
    saw(scene, "%s, the second: %d", follow.status, day->shop.response.status);
    follow_release(&follow);
    return result;
}

static enum result cancel(struct follow *follow, struct err *err)
{
    enum result result = shop_cancel(follow->shop, &follow->order, err);
    if (result == OK)
        follow_tell(stdout, clock_wall_ms(clock_system()) - follow->began_ms, "cancel, 202",
                    "the customer has changed their mind");
    return result;
}

static enum result act_cancel(struct day *day, const struct script *script, struct scene *scene,
                              enum follow_until moment, struct err *err)
{
    struct follow follow;
    struct id key = id_new(clock_system());
    enum result result = send_order(day, script, key.text, &follow, err);
    if (result != OK)
        return result;
    result = follow_until(&follow, moment, PATIENCE_MS, err);
    if (result == OK)
        result = cancel(&follow, err);
    if (result == OK)
        result = follow_until(&follow, FOLLOW_CANCELLED, PATIENCE_MS, err);
    result = outcome(scene, &follow, result);
    follow_release(&follow);
    return result;
}

static enum result act_cancel_early(struct day *day, const struct script *script,
                                    struct scene *scene, struct err *err)
{
    return act_cancel(day, script, scene, FOLLOW_PLACED, err);
}

static enum result act_cancel_late(struct day *day, const struct script *script,
                                   struct scene *scene, struct err *err)
{
    return act_cancel(day, script, scene, FOLLOW_NOTIFIED, err);
}

static const struct script scripts[] = {
    {"an order",
     "An order is accepted once the broker has confirmed it; the rest are facts.",
     "confirmed, 1 charge",
     {"CARROT-1KG", 2},
     "tok_visa",
     act_order},
    {"a declined card",
     "Payment says no: the order is rejected, its stock goes back.",
     "rejected: payment-declined",
     {"MUFFLER", 1},
     "tok_declined",
     act_order},
    {"an empty account",
     "The same, with a reason of its own.",
     "rejected: insufficient-funds",
     {"POCKET-WATCH", 1},
     "tok_insufficient_funds",
     act_order},
    {"an unknown product",
     "The edge does not know the catalogue; order-service decides.",
     "rejected: unknown-product",
     {"SQUARE-WHEEL", 1},
     "tok_visa",
     act_order},
    {"more than there is",
     "Stock is reserved before anybody is charged.",
     "rejected: out-of-stock",
     {"GOLDEN-CARROT", 1000},
     "tok_visa",
     act_order},
    {"the same submit, three times",
     "Same key, same order: its id is derived from the key.",
     "confirmed, 1 charge",
     {"LETTUCE", 3},
     "tok_visa",
     act_twice},
    {"another basket under the same key",
     "The key is taken: nothing changes, and it is said.",
     "confirmed, the second: 422",
     {"SPADE", 1},
     "tok_visa",
     act_other_basket},
    {"a cancel before payment",
     "Payment alone decides about money: it closes the case first.",
     "cancelled, no charge",
     {"BOOTS", 1},
     "tok_slow",
     act_cancel_early},
    {"a cancel after payment",
     "Confirmed means paid: the money goes back, the stock too.",
     "cancelled, 1 charge, 1 refund",
     {"UMBRELLA", 1},
     "tok_visa",
     act_cancel_late},
    {"a provider that fails twice",
     "A call outside is tried again, always with the same key.",
     "confirmed, 1 charge",
     {"TUNNEL-MAP", 1},
     "tok_flaky",
     act_order},
    {"an answer that is lost",
     "Charged, but nobody heard: the same key asks again, safely.",
     "confirmed, 1 charge",
     {"DANDELION-TEA", 4},
     "tok_timeout",
     act_order},
};

enum result day_open(struct day *day, struct err *err)
{
    day->began_ms = clock_wall_ms(clock_system());
    enum result result = shop_open(&day->shop, day->http, day->suite, "demo", NULL, err);
    return result == OK ? OK : err_context(err, RETRY, "customer");
}

enum result day_play(struct day *day, struct err *err)
{
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        const struct script *script = &scripts[i];
        struct scene *scene = &day->scenes[day->count++];
        *scene = (struct scene){.title = script->title, .expected = script->expected};
        printf("\n%zu. %s: %d x %s, %s\n   %s\n", i + 1, script->title, (int)script->line.quantity,
               script->line.sku, script->card, script->why);
        enum result result = script->act(day, script, scene, err);
        if (result == REFUSED || result == UNKNOWN) {
            saw(scene, "%.90s", err_text(err));
            result = OK;
        }
        if (result != OK)
            return err_context(err, result, "%s", script->title);
    }
    return OK;
}

bool day_alarm(const struct day *day)
{
    struct store *store = NULL;
    int64_t count = 0;
    struct suite_path path = suite_path(day->suite, "store/notification.db");
    if (store_open_sqlite(path.text, STORE_READ_ONLY, &store, NULL) != OK)
        return false;
    if (store_query_int(store, "SELECT count(*) FROM alert WHERE at_ms >= $1",
                        STORE_ARGS(store_int(day->began_ms)), &count, NULL) != OK)
        count = 0;
    store_free(store);
    return count > 0;
}

void day_close(struct day *day)
{
    shop_close(&day->shop);
}
