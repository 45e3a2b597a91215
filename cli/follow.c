#include "cli/follow.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "common/base/clock.h"

enum { LOOK_EVERY_MS = 20 };

struct money_text money_text(int64_t amount, const char *currency)
{
    struct money_text money;
    snprintf(money.text, sizeof money.text, "%" PRId64 ".%02d %.4s", amount / 100,
             (int)(amount % 100), currency);
    return money;
}

void follow_tell(FILE *out, int64_t ms, const char *what, const char *means)
{
    if (!out)
        return;
    fprintf(out, "  %7" PRId64 " ms  %-20s %s\n", ms, what, means);
    fflush(out);
}

void follow_begin(struct follow *follow, struct shop *shop, const struct id *order,
                  int64_t began_ms, FILE *out)
{
    *follow = (struct follow){.shop = shop, .order = *order, .began_ms = began_ms, .out = out};
}

void follow_release(struct follow *follow)
{
    cJSON_Delete(follow->events);
    follow->events = NULL;
}

static bool is_settled(const char *status)
{
    static const char *const settled[] = {"confirmed", "rejected", "cancelled", "expired"};
    for (size_t i = 0; i < sizeof settled / sizeof settled[0]; i++)
        if (strcmp(status, settled[i]) == 0)
            return true;
    return false;
}

bool follow_settled(const struct follow *follow)
{
    return is_settled(follow->status);
}

/* --- what a fact means, for people -------------------------------------------------- */

static void explain(const char *type, const cJSON *data, char *text, size_t size)
{
    static const struct {
        const char *type, *means;
        bool with_amount, with_reason;
    } facts[] = {
        {"order.placed", "stock is reserved, payment is asked for", true, false},
        {"order.rejected", "turned down", false, true},
        {"order.closing", "payment is asked to close the case", false, true},
        {"order.confirmed", "paid, the goods are sold", true, false},
        {"order.cancelled", "it is over, stock is back on the shelf", false, true},
        {"order.expired", "no payment in time, stock is back", false, true},
        {"payment.captured", "the card was charged", true, false},
        {"payment.declined", "the provider said no", false, true},
        {"payment.closed", "nothing was charged and nothing will be", false, false},
        {"payment.refunded", "the money went back", true, false},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (strcmp(type, facts[i].type) != 0)
            continue;
        const char *reason = facts[i].with_reason ? json_text(data, "reason") : "";
        int64_t amount = json_number(data, "total") + json_number(data, "amount");
        struct money_text money = money_text(amount, json_text(data, "currency"));
        snprintf(text, size, "%s%s%s%s%s", facts[i].with_amount ? money.text : "",
                 facts[i].with_amount ? ": " : "", facts[i].means, *reason ? ": " : "", reason);
        return;
    }
    if (strcmp(type, "notification.sent") == 0)
        snprintf(text, size, "the customer was told: %s (%s)", json_text(data, "kind"),
                 json_text(data, "channel"));
    else
        snprintf(text, size, "%s", json_text(data, "reason"));
}

/* --- what it says about the order --------------------------------------------------- */

static int64_t age_of(const struct follow *follow, const cJSON *event)
{
    int64_t at = 0;
    if (time_parse(json_text(event, "time"), &at) != 0)
        return 0;
    return at > follow->began_ms ? at - follow->began_ms : 0;
}

static void take_order_fact(struct follow *follow, const cJSON *event, const char *status)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");
    int64_t version = json_number(data, "version");
    if (version <= follow->version)
        return;
    follow->version = version;
    snprintf(follow->status, sizeof follow->status, "%s", status);
    snprintf(follow->reason, sizeof follow->reason, "%s", json_text(data, "reason"));
    if (cJSON_HasObjectItem(data, "total")) {
        follow->total = json_number(data, "total");
        snprintf(follow->currency, sizeof follow->currency, "%.7s", json_text(data, "currency"));
    }
    if (is_settled(status))
        follow->settled_ms = age_of(follow, event);
}

static void take_fact(struct follow *follow, const cJSON *event)
{
    char means[200];
    const char *type = json_text(event, "type");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(event, "data");
    if (strncmp(type, "order.", strlen("order.")) == 0)
        take_order_fact(follow, event, type + strlen("order."));
    follow->captured += strcmp(type, "payment.captured") == 0;
    follow->refunded += strcmp(type, "payment.refunded") == 0;
    follow->closed += strcmp(type, "payment.closed") == 0;
    if (strcmp(type, "notification.sent") == 0 &&
        json_number(data, "order_version") > follow->notified)
        follow->notified = json_number(data, "order_version");
    explain(type, data, means, sizeof means);
    follow_tell(follow->out, age_of(follow, event), type, means);
}

static enum result look(struct follow *follow, struct err *err)
{
    cJSON *events = NULL;
    enum result result = shop_events(follow->shop, &follow->order, &events, err);
    if (result != OK)
        return result;
    int count = cJSON_GetArraySize(events);
    for (int i = follow->told; i < count; i++)
        take_fact(follow, cJSON_GetArrayItem(events, i));
    follow->told = count > follow->told ? count : follow->told;
    cJSON_Delete(follow->events);
    follow->events = events;
    return OK;
}

static bool has_come(const struct follow *follow, enum follow_until until)
{
    bool notified = follow_settled(follow) && follow->notified >= follow->version;
    switch (until) {
    case FOLLOW_PLACED:
        return follow->status[0] != '\0';
    case FOLLOW_NOTIFIED:
        return notified;
    case FOLLOW_CANCELLED:
        break;
    }
    return notified && strcmp(follow->status, "confirmed") != 0 &&
           follow->refunded == follow->captured;
}

enum result follow_until(struct follow *follow, enum follow_until until, int64_t patience_ms,
                         struct err *err)
{
    int64_t end = clock_mono_ms(clock_system()) + patience_ms;
    for (;;) {
        enum result result = look(follow, err);
        if (result == OK && has_come(follow, until))
            return OK;
        if (result == REFUSED || result == INVALID)
            return result;
        if (clock_mono_ms(clock_system()) >= end)
            return result == OK || result == NOT_FOUND
                       ? err_set(err, UNKNOWN, "not settled and notified after %d s",
                                 (int)(patience_ms / 1000))
                       : result;
        poll(NULL, 0, LOOK_EVERY_MS);
    }
}
