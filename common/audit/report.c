/* The report as people and as programs read it. */
#include <inttypes.h>

#include "common/audit/audit.h"
#include "common/base/json.h"

static const char *const promise_texts[AUDIT_PROMISES] = {
    "an order answered 202 is never lost and settles",
    "one key, one order; what was refused does not exist",
    "one charge, one refund; money and stock are conserved",
    "every settled order has its notification recorded once",
    "versions without gaps; stream, catalogue and read models agree",
    "nothing stands still: outbox, calls, deferred, quarantine",
    NULL, /* nothing that was left behind can tell */
    "a customer sees only their own orders",
};

static const char *verdict_name(enum audit_verdict verdict)
{
    switch (verdict) {
    case AUDIT_HELD:
        return "held";
    case AUDIT_VIOLATED:
        return "violated";
    case AUDIT_NOT_CHECKED:
        break;
    }
    return "not checked";
}

static size_t kept(const struct audit_promise *promise)
{
    return promise->violations < AUDIT_VIOLATIONS_KEPT ? promise->violations
                                                       : AUDIT_VIOLATIONS_KEPT;
}

static enum audit_verdict verdict_of(const struct audit_report *report, size_t p)
{
    if (report->unreadable[0] && report->promises[p].violations == 0)
        return AUDIT_NOT_CHECKED;
    return audit_promise_verdict(&report->promises[p]);
}

static void print_promise(const struct audit_report *report, size_t p, struct buf *out)
{
    const struct audit_promise *promise = &report->promises[p];
    buf_printf(out, "%zu  %-11s  %-66s %8zu checked\n", p + 1, verdict_name(verdict_of(report, p)),
               promise_texts[p], promise->checked);
    for (size_t i = 0; i < kept(promise); i++)
        buf_printf(out, "     - %s\n", promise->texts[i]);
    if (promise->violations > kept(promise))
        buf_printf(out, "     - and %zu more\n", promise->violations - kept(promise));
}

void audit_print(const struct audit_report *report, struct buf *out)
{
    const struct audit_counts *counts = &report->counts;
    for (size_t p = 0; p < AUDIT_PROMISES; p++)
        if (promise_texts[p])
            print_promise(report, p, out);
    buf_printf(out,
               "\n%" PRId64 " orders, %" PRId64 " facts, %" PRId64 " captures, %" PRId64
               " refunds, %" PRId64 " notifications, %" PRId64 " messages on the stream\n",
               counts->orders, counts->facts, counts->captures, counts->refunds,
               counts->notifications, counts->stream);
    buf_printf(
        out, "captured %" PRId64 " - refunded %" PRId64 " = %" PRId64 "; revenue %" PRId64 "\n",
        report->captured, report->refunded, report->captured - report->refunded, report->revenue);
    buf_printf(out, "unsent %" PRId64 ", deferred %" PRId64 ", in quarantine %" PRId64 "\n",
               counts->outbox_unsent, counts->deferred, counts->quarantined);
    for (size_t i = 0; i < report->note_count; i++)
        buf_printf(out, "note: %s\n", report->notes[i]);
    if (report->pending > 0)
        buf_printf(out, "%zu things are still under way and were not judged\n", report->pending);
    if (report->unreadable[0])
        buf_printf(out, "unreadable: %s\n", report->unreadable);
    buf_printf(out, "verdict: %s\n", audit_verdict(report));
}

static void print_list(char *const *texts, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_text(out, ",");
        json_write_text(out, texts[i]);
    }
}

static void print_promise_json(const struct audit_report *report, size_t p, struct buf *out)
{
    const struct audit_promise *promise = &report->promises[p];
    buf_printf(out, "%s{\"number\":%zu,\"verdict\":\"%s\",\"checked\":%zu,\"violations\":[",
               p ? "," : "", p + 1, verdict_name(verdict_of(report, p)), promise->checked);
    print_list(promise->texts, kept(promise), out);
    buf_text(out, "]}");
}

void audit_print_json(const struct audit_report *report, struct buf *out)
{
    const struct audit_counts *c = &report->counts;
    buf_printf(out, "{\"verdict\":\"%s\",\"promises\":[", audit_verdict(report));
    for (size_t p = 0; p < AUDIT_PROMISES; p++)
        if (promise_texts[p])
            print_promise_json(report, p, out);
    buf_printf(out,
               "],\"counts\":{\"orders\":%" PRId64 ",\"facts\":%" PRId64 ",\"captures\":%" PRId64
               ",\"refunds\":%" PRId64 ",\"notifications\":%" PRId64 ",\"stream\":%" PRId64
               ",\"outbox_unsent\":%" PRId64 ",\"deferred\":%" PRId64 ",\"quarantined\":%" PRId64
               "},\"pending\":%zu,\"notes\":[",
               c->orders, c->facts, c->captures, c->refunds, c->notifications, c->stream,
               c->outbox_unsent, c->deferred, c->quarantined, report->pending);
    print_list(report->notes, report->note_count, out);
    buf_text(out, "]");
    if (report->unreadable[0]) {
        buf_text(out, ",\"unreadable\":");
        json_write_text(out, report->unreadable);
    }
    buf_text(out, "}\n");
}
