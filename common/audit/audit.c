#include "common/audit/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/audit/evidence.h"

static void note_unreadable(struct audit_report *report, const char *why)
{
    if (!report->unreadable[0])
        snprintf(report->unreadable, sizeof report->unreadable, "%s", why);
}

typedef enum result store_reader(struct evidence *e, struct store *store, struct err *err);

static void read_store(struct evidence *e, const char *name, struct store *store,
                       store_reader *reader)
{
    struct err err = {0};
    if (!store)
        err_set(&err, RETRY, "%s cannot be opened", name);
    else if (reader(e, store, &err) == OK)
        return;
    note_unreadable(e->report, err.text);
}

static void read_loop(struct evidence *e, const char *service, struct store *store)
{
    struct err err = {0};
    if (store && evidence_read_loop(e, service, store, &err) != OK)
        note_unreadable(e->report, err.text);
}

/* Effects before their causes. */
static void read_all(struct evidence *e, const struct audit_sources *sources)
{
    struct err err = {0};
    if (sources->history && evidence_read_history(e, sources->history, &err) != OK)
        note_unreadable(e->report, err.text);
    for (size_t i = 0; i < sources->edge_count && i < AUDIT_EDGES_MAX; i++)
        if (evidence_read_edge(e, &sources->edges[i], &err) != OK) {
            if (sources->edges[i].serving)
                note_unreadable(e->report, err.text);
            else
                noted(e, "what is left of %s cannot be read", sources->edges[i].name);
        }
    if (!sources->log)
        note_unreadable(e->report, "the stream cannot be read");
    else if (evidence_read_log(e, sources->log, &err) != OK)
        note_unreadable(e->report, err.text);
    read_loop(e, "notification-service", sources->notification);
    read_loop(e, "order-service", sources->order);
    read_loop(e, "payment-service", sources->payment);
    read_store(e, "notification store", sources->notification, evidence_read_notification);
    read_store(e, "order store", sources->order, evidence_read_order);
    read_store(e, "payment store", sources->payment, evidence_read_payment);
    read_store(e, "provider's ledger", sources->ledger, evidence_read_ledger);
}

/* What is missing there gets lost, whatever is in the stores by now. */
static void judge_topology(struct evidence *e)
{
    for (size_t i = 0; i < e->options->amiss_count; i++)
        violated(e, 6, "broker: %s", e->options->amiss[i]);
    for (size_t i = 0; i < e->options->altered_count; i++)
        noted(e, "broker: %s", e->options->altered[i]);
}

void audit_run(const struct audit_sources *sources, const struct audit_options *options,
               struct audit_report *ret_report)
{
    struct evidence e;
    *ret_report = (struct audit_report){0};
    evidence_init(&e, options, ret_report);
    read_all(&e, sources);
    if (!ret_report->unreadable[0]) {
        judge_paths(&e);
        judge_life(&e);
        judge_requests(&e);
        judge_money(&e);
        judge_prices(&e);
        judge_stock(&e);
        judge_notices(&e);
        judge_stream(&e);
        judge_topology(&e);
        judge_catalogue(&e);
        judge_edges(&e);
        judge_quarantine(&e);
    }
    evidence_release(&e);
}

void audit_report_release(struct audit_report *report)
{
    for (size_t p = 0; p < AUDIT_PROMISES; p++)
        for (size_t i = 0; i < AUDIT_VIOLATIONS_KEPT; i++)
            free(report->promises[p].texts[i]);
    for (size_t i = 0; i < report->note_count; i++)
        free(report->notes[i]);
    *report = (struct audit_report){0};
}

void audit_judge_rebuilt(struct audit_report *report, const struct audit_rebuilt *rebuilt)
{
    struct evidence e = {.report = report};
    const char *why_not =
        report->lost > 0 ? "the log is another than was written" : rebuilt->why_not;
    if (why_not) {
        noted(&e, "%s was not compared with the log: %s", rebuilt->edge, why_not);
        return;
    }
    checked(&e, 5);
    if (strcmp(rebuilt->live, rebuilt->anew) == 0)
        noted(&e, "%s is what the log makes up to offset %" PRId64 " (%.16s)", rebuilt->edge,
              rebuilt->offset, rebuilt->live);
    else
        violated(&e, 5, "%s is not what the log makes up to offset %" PRId64 ": %.16s, and %.16s",
                 rebuilt->edge, rebuilt->offset, rebuilt->live, rebuilt->anew);
}

enum audit_verdict audit_promise_verdict(const struct audit_promise *promise)
{
    if (promise->violations > 0)
        return AUDIT_VIOLATED;
    return promise->checked > 0 ? AUDIT_HELD : AUDIT_NOT_CHECKED;
}

const char *audit_verdict(const struct audit_report *report)
{
    size_t held = 0;
    if (report->unreadable[0])
        return "unreadable";
    for (size_t p = 0; p < AUDIT_PROMISES; p++) {
        enum audit_verdict verdict = audit_promise_verdict(&report->promises[p]);
        if (verdict == AUDIT_VIOLATED)
            return "violated";
        held += verdict == AUDIT_HELD;
    }
    /* One promise alone proves nothing about the others, but 1 to 5 all rest on orders. */
    return held > 0 && report->counts.orders > 0 ? "clean" : "not checked";
}
