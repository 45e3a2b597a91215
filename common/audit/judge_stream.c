/* Promise 5 between the stream and the stores: every stored fact is there, every fact there is
 * stored, and no series has a gap. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"
#include "common/base/clock.h"

/* A log that begins after what it lacks is another log than that which was written: one finding. */
static void miss(struct evidence *e, const char *id, int64_t at_ms, const char *what,
                 const char *subject)
{
    if (!e->log_cut && (evidence_log_count(e) == 0 || at_ms < e->log_begins_ms)) {
        e->report->lost++;
        return;
    }
    e->report->missing++;
    violated(e, 5, "%s: %s (fact %s) never reached the stream", subject, what, id);
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
    if (map_find(&e->unsent, id))
        return NULL;
    if (evidence_log_may_lack(e, at_ms))
        e->report->not_looked_for++;
    else if (evidence_due(e, at_ms))
        miss(e, id, at_ms, what, subject);
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

/* Stores are read after the stream: whatever was there must be in them. */
static void judge_known(struct evidence *e)
{
    for (size_t i = 0; i < e->stream.count; i++) {
        const struct stream_fact *fact = e->stream.records[i];
        if (!fact->known && evidence_type_is_stored(fact->type))
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

/* A cut log lacks the oldest of a series, one that was given up what was told before. */
static void judge_whole(struct evidence *e, const struct series *series)
{
    bool whole = series->count == series->to - series->from + 1;
    bool begins = series->from == 1 || e->log_cut || e->options->log_given_up_ms > 0;
    if (series->count == 0 || (whole && begins) || !evidence_due(e, series->last_ms))
        return;
    if (whole && evidence_log_is_another(e)) {
        e->lost_series++;
        return;
    }
    e->report->missing++;
    violated(e, 5, "%s of %s: %" PRId64 " facts from %" PRId64 " to %" PRId64 " on the stream",
             series->source, series->subject, series->count, series->from, series->to);
}

static void judge_series(struct evidence *e)
{
    for (size_t i = 0; i < e->series.count; i++) {
        const struct series *series = e->series.records[i];
        checked(e, 5);
        judge_whole(e, series);
        judge_product_series(e, series);
    }
}

static void judge_lost(struct evidence *e)
{
    char begins[TIME_TEXT_SIZE];
    if (e->report->lost == 0)
        return;
    time_format(e->log_begins_ms, begins);
    violated(e, 5,
             "the log %s%s and lacks %zu facts that are older, and the beginning of %zu series: it "
             "is another than was written ('warren audit --give-up-log')",
             evidence_log_count(e) ? "begins at " : "is empty", evidence_log_count(e) ? begins : "",
             e->report->lost, e->lost_series);
}

static void note_strangers(struct evidence *e)
{
    if (e->strangers > 0)
        noted(e, "%" PRId64 " messages on the log are of strangers, and were not judged",
              e->strangers);
}

static void note_given_up(struct evidence *e)
{
    char until[TIME_TEXT_SIZE];
    if (e->options->log_given_up_ms == 0)
        return;
    time_format(e->options->log_given_up_ms, until);
    noted(e, "the log up to %s was given up: %zu facts as old as that are not on it", until,
          e->report->not_looked_for);
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
    judge_lost(e);
    note_strangers(e);
    note_given_up(e);
}
