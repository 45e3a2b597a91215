/* Promise 4: every settled (order, version) has its notification recorded once. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"

static bool type_settles(const char *type)
{
    return strcmp(type, "order.confirmed") == 0 || strcmp(type, "order.rejected") == 0 ||
           strcmp(type, "order.cancelled") == 0 || strcmp(type, "order.expired") == 0;
}

static size_t notices_of(const struct order_case *order, int64_t version)
{
    size_t count = 0;
    for (size_t i = 0; i < order->notice_count; i++)
        count += order->notices[i].version == version;
    return count;
}

static void judge_fact(struct evidence *e, const struct order_case *order,
                       const struct order_fact *fact)
{
    size_t count = notices_of(order, fact->version);
    checked(e, 4);
    if (count == 0 && evidence_due(e, fact->at_ms))
        violated(e, 4, "order %s: nobody was told of %s", order->id, fact->type);
    if (count > 1)
        violated(e, 4, "order %s: told %zu times of %s", order->id, count, fact->type);
}

static const struct order_fact *fact_of(const struct order_case *order, int64_t version)
{
    for (size_t i = 0; i < order->fact_count; i++)
        if (order->facts[i].version == version)
            return &order->facts[i];
    return NULL;
}

static void judge_notice(struct evidence *e, const struct order_case *order,
                         const struct notice *notice)
{
    const struct order_fact *fact = fact_of(order, notice->version);
    if (!fact || !type_settles(fact->type) || strcmp(fact->type + 6, notice->kind) != 0)
        violated(e, 4, "order %s: told of \"%s\" at version %" PRId64 ", which was %s", order->id,
                 notice->kind, notice->version, fact ? fact->type : "never");
    else if (strcmp(notice->customer, order->terms.customer) != 0)
        violated(e, 4, "order %s: somebody else was told", order->id);
    if (strcmp(notice->state, "sent") != 0 && evidence_due(e, notice->at_ms))
        violated(e, 4, "order %s: the notification of %s is still %s", order->id, notice->kind,
                 notice->state);
}

static void judge_order_notices(struct evidence *e, const struct order_case *order)
{
    for (size_t i = 0; i < order->fact_count; i++)
        if (type_settles(order->facts[i].type))
            judge_fact(e, order, &order->facts[i]);
    for (size_t i = 0; i < order->notice_count; i++)
        judge_notice(e, order, &order->notices[i]);
}

static void count_sent(struct evidence *e, struct map *sent)
{
    for (size_t i = 0; i < e->stream.count; i++) {
        const struct stream_fact *fact = e->stream.records[i];
        if (strcmp(fact->type, "notification.sent") != 0)
            continue;
        char key[96];
        snprintf(key, sizeof key, "%.40s %" PRId64, fact->subject, fact->order_version);
        size_t *count = map_get(sent, key);
        if (++*count == 2)
            violated(e, 4, "order %s: two facts say that its customer was told once",
                     fact->subject);
    }
}

void judge_notices(struct evidence *e)
{
    struct map sent;
    map_init(&sent, sizeof(size_t));
    for (size_t i = 0; i < e->orders.count; i++)
        judge_order_notices(e, e->orders.records[i]);
    count_sent(e, &sent);
    map_release(&sent);
}
