/* Promise 5 between the stream and the stores: every stored fact is there, every fact there is
 * stored, and no series has a gap. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"

/* A cut log has lost its oldest facts by rule, not by fault. */
static bool log_may_lack(const struct evidence *e, int64_t at_ms)
{
    return e->log_cut && at_ms <= e->log_begins_ms + e->options->grace_ms;
}

/* Finds a stored fact on the stream and marks it as known. */
static struct stream_fact *expect(struct evidence *e, const char *id, int64_t at_ms,
                                  const char *what, const char *subject)
{
    struct stream_fact **fact = map_find(&e->ids, id);
    checked(e, 5);
    if (fact) {
        (*fact)->known = true;
        return *fact;
    }
    if (!log_may_lack(e, at_ms) && !map_find(&e->unsent, id) && evidence_due(e, at_ms))
        violated(e, 5, "%s: %s (fact %s) never reached the stream", subject, what, id);
    return NULL;
}

static void judge_order_facts(struct evidence *e, const struct order_case *order)
{
    for (size_t i = 0; i < order->fact_count; i++) {
        const struct order_fact *stored = &order->facts[i];
        const struct stream_fact *fact =
            expect(e, stored->id, stored->at_ms, stored->type, order->id);
        if (!fact)
            continue;
        if (strcmp(fact->type, stored->type) != 0 || fact->sequence != stored->version ||
            strcmp(fact->subject, order->id) != 0)
            violated(e, 5, "order %s: %s %" PRId64 " is on the stream as %s %" PRId64 " of %s",
                     order->id, stored->type, stored->version, fact->type, fact->sequence,
                     fact->subject);
        else if (memcmp(&fact->digest, &stored->digest, sizeof fact->digest) != 0)
            violated(e, 5, "order %s: %s says something else on the stream", order->id,
                     stored->type);
    }
}

static void judge_other_facts(struct evidence *e, const struct order_case *order)
{
    if (order->payment.outcome_fact[0])
        expect(e, order->payment.outcome_fact, order->payment.updated_ms, order->payment.state,
               order->id);
    if (order->payment.refund_fact[0])
        expect(e, order->payment.refund_fact, order->payment.updated_ms, "payment.refunded",
               order->id);
    for (size_t i = 0; i < order->notice_count; i++)
        if (order->notices[i].id[0])
            expect(e, order->notices[i].id, order->notices[i].at_ms, "notification.sent",
                   order->id);
}

static bool is_stored_kind(const char *type)
{
    return strncmp(type, "order.", 6) == 0 || strncmp(type, "payment.", 8) == 0 ||
           strcmp(type, "notification.sent") == 0;
}

/* Stores are read after the stream: whatever was there must be in them. */
static void judge_known(struct evidence *e)
{
    for (size_t i = 0; i < e->stream.count; i++) {
        const struct stream_fact *fact = e->stream.records[i];
        if (!fact->known && is_stored_kind(fact->type))
            violated(e, 5, "%s: %s (fact %s) is on the stream and in no store", fact->subject,
                     fact->type, fact->id);
    }
}

static void judge_product_series(struct evidence *e, const struct series *series)
{
    const struct product_case *product = map_find(&e->products, series->subject);
    if (strcmp(series->source, "/order-service") != 0 || !product)
        return;
    if (series->highest > product->sequence)
        violated(e, 5, "product %s: fact %" PRId64 " is on the stream, its store is at %" PRId64,
                 series->subject, series->highest, product->sequence);
}

static void judge_series(struct evidence *e)
{
    for (size_t i = 0; i < e->series.count; i++) {
        const struct series *series = e->series.records[i];
        bool whole = series->count == series->highest - series->lowest + 1;
        checked(e, 5);
        if ((!whole || (series->lowest > 1 && !e->log_cut)) && evidence_due(e, series->last_ms))
            violated(
                e, 5, "%s of %s: %" PRId64 " facts from %" PRId64 " to %" PRId64 " on the stream",
                series->source, series->subject, series->count, series->lowest, series->highest);
        judge_product_series(e, series);
    }
}

void judge_stream(struct evidence *e)
{
    if (!e->log_read)
        return;
    for (size_t i = 0; i < e->orders.count; i++) {
        judge_order_facts(e, e->orders.records[i]);
        judge_other_facts(e, e->orders.records[i]);
    }
    judge_known(e);
    judge_series(e);
}
