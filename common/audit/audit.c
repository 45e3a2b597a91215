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
}

static void judge_quarantine(struct evidence *e)
{
    int64_t expected = e->options->quarantined;
    int64_t found = e->report->counts.quarantined;
    if (expected >= 0 && found != expected)
        violated(e, 6, "%" PRId64 " messages are in quarantine, %" PRId64 " belong there", found,
                 expected);
    if (e->options->dead_letters > 0)
        violated(e, 6, "the broker has dead-lettered %" PRId64 " messages",
                 e->options->dead_letters);
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
        judge_stock(&e);
        judge_notices(&e);
        judge_stream(&e);
        judge_topology(&e);
        judge_quarantine(&e);
    }
    evidence_release(&e);
}

void audit_report_release(struct audit_report *report)
{
    for (size_t p = 0; p < AUDIT_PROMISES; p++)
        for (size_t i = 0; i < AUDIT_VIOLATIONS_KEPT; i++)
            free(report->promises[p].texts[i]);
    *report = (struct audit_report){0};
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
