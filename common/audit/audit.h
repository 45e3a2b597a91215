/* The judge: reads what a suite has left behind and says which promises (DESIGN.md 5) hold. The
 * same code judges a live suite (`warren audit`), a simulated one and hand-made databases.
 *
 * It shares no rule with the services: the legal paths of an order, the arithmetic of stock and
 * money are written down here a second time, so that a checker never repeats a service's mistake.
 *
 * It reads effects before their causes (stream, notification, order, payment, ledger), so that on a
 * running suite every effect it has seen must have its cause: safety is judged at once. Whatever is
 * younger than the grace is not judged to be missing, only counted as pending. */
#ifndef WARREN_AUDIT_AUDIT_H
#define WARREN_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/store/store.h"

/* A message of the stream, borrowed until the next one is asked for. */
struct audit_message {
    int64_t offset;
    const char *key; /* its routing key; "": not known, the body says what it is */
    const char *body;
    size_t size;
};

/* The stream's messages from its first offset on. NOT_FOUND at the end; anything else but OK: it
 * cannot be read. */
struct audit_log {
    enum result (*next)(void *context, struct audit_message *ret_message, struct err *err);
    void *context;
};

/* An edge's read model. Whoever opened it has taken a snapshot (store_read_begin and a first query)
 * before asking where the log ends, so that the log knows all that it shows. */
struct audit_edge {
    const char *name; /* "edge 1" */
    struct store *store;
    bool serving; /* an edge that does not run may lack anything: nobody is shown it */
};

enum { AUDIT_EDGES_MAX = 16 };

/* All borrowed. A store that is NULL could not be opened: the audit is then `unreadable`. Read
 * models may be missing: they can be thrown away. */
struct audit_sources {
    struct store *order, *payment, *notification, *ledger;
    const struct audit_edge *edges;
    size_t edge_count; /* AUDIT_EDGES_MAX at most */
    const struct audit_log *log;
    FILE *history; /* JSON lines of INTERFACES.md, optionally with "customer", "request_hash",
                      "status"; NULL: none */
};

enum audit_moment {
    AUDIT_RUNNING, /* what is young is not judged to be missing */
    AUDIT_FINAL,   /* nothing will happen any more: whatever is missing is lost */
};

struct audit_options {
    enum audit_moment moment;
    int64_t now_ms;
    int64_t grace_ms;
    int64_t history_age_ms;  /* how long ago the history was complete: after the grace, what was
                               accepted must exist */
    int64_t log_given_up_ms; /* facts as old as that are not looked for on the log; 0: all are */
    int64_t quarantined;     /* expected; -1: do not judge */
    int64_t dead_letters;    /* found in the broker's safety net: each one too many */
    const char *const
        *amiss; /* what the broker lacks of the topology, or loses; a sentence each; borrowed */
    size_t amiss_count;
    const char *const
        *altered; /* what is otherwise there than the tables say, and loses nothing: noted */
    size_t altered_count;
};

enum audit_verdict { AUDIT_NOT_CHECKED, AUDIT_HELD, AUDIT_VIOLATED };

/* Promise 7 (SIGKILL loses nothing) is held by whoever is killed and audited then: nothing is ever
 * counted under it. */
enum { AUDIT_PROMISES = 8, AUDIT_VIOLATIONS_KEPT = 50, AUDIT_NOTES_KEPT = 60 };

struct audit_promise {
    size_t checked;    /* cases looked at */
    size_t violations; /* all of them; the texts of the first are kept */
    char *texts[AUDIT_VIOLATIONS_KEPT];
};

struct audit_counts {
    int64_t orders, facts, captures, refunds, notifications, stream, outbox_unsent, deferred,
        quarantined;
};

struct audit_report {
    struct audit_promise promises[AUDIT_PROMISES]; /* promise n at n - 1 */
    struct audit_counts counts;
    char *notes[AUDIT_NOTES_KEPT]; /* what was not judged, and why; what is in quarantine */
    size_t note_count;
    size_t pending;        /* young and incomplete: look again later */
    size_t not_looked_for; /* facts that are not on the log, which was given up or was cut */
    size_t lost;           /* facts that are not on the log, and older than all of it */
    size_t missing;        /* facts, or series with a gap, that the log lacks otherwise */
    char unreadable[512];  /* why a source could not be read; "" : all were */
    int64_t captured, refunded, revenue;
};

/* Reads everything once and judges. The report is the caller's: audit_report_release. */
void audit_run(const struct audit_sources *sources, const struct audit_options *options,
               struct audit_report *ret_report);
void audit_report_release(struct audit_report *report);

/* A read model beside the one that the log alone makes, both as they are behind the same offset. */
struct audit_rebuilt {
    const char *edge;
    int64_t offset;          /* the next that it would read */
    const char *live, *anew; /* hashes */
    const char *why_not;     /* NULL: both were made */
};
/* Adds to promise 5, after audit_run. A log that is another (`lost`) is its own finding. */
void audit_judge_rebuilt(struct audit_report *report, const struct audit_rebuilt *rebuilt);

enum audit_verdict audit_promise_verdict(const struct audit_promise *promise);
/* "clean", "violated", "unreadable", "not checked" */
const char *audit_verdict(const struct audit_report *report);
/* For people, and the JSON of INTERFACES.md. */
void audit_print(const struct audit_report *report, struct buf *out);
void audit_print_json(const struct audit_report *report, struct buf *out);

#endif
