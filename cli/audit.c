/* warren audit: which promises hold, proved from the stores, the provider's ledger, the log and,
 * where there is one, a client's own record. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cli/audit_edges.h"
#include "cli/audit_given_up.h"
#include "cli/audit_log.h"
#include "cli/bindings.h"
#include "cli/broker.h"
#include "cli/exit_codes.h"
#include "cli/identity.h"
#include "cli/suite.h"
#include "common/audit/audit.h"
#include "common/base/clock.h"
#include "common/base/options.h"
#include "common/messaging/amqp_link.h"

enum { SETTLE_S = 60, LOOK_AGAIN_MS = 1000, LOOKS_AT_A_VIOLATION = 3 };

static struct {
    struct suite_options where;
    bool json, at_rest, no_rebuild, give_up_log;
    int64_t settle_s;
    const char *history;
} arguments = {.settle_s = SETTLE_S};

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "json", .kind = OPTION_FLAG, .value = &arguments.json, .help = "as one JSON object"},
    {.name = "settle",
     .kind = OPTION_INT,
     .value = &arguments.settle_s,
     .metavar = "SECONDS",
     .help = "how long orders in flight get",
     .max = 86400},
    {.name = "at-rest",
     .kind = OPTION_FLAG,
     .value = &arguments.at_rest,
     .help =
         "nobody orders any more: what is not complete then is lost, however young it says it is"},
    {.name = "no-rebuild",
     .kind = OPTION_FLAG,
     .value = &arguments.no_rebuild,
     .help = "does not fold the log into a read model of its own to compare the edges' with"},
    {.name = "give-up-log",
     .kind = OPTION_FLAG,
     .value = &arguments.give_up_log,
     .help = "facts that the log has lost until now are not looked for on it any more"},
    {.name = "history",
     .kind = OPTION_TEXT,
     .value = &arguments.history,
     .metavar = "FILE",
     .help = "a client's record, as JSON lines"},
};

static const struct options options = {
    .program = "warren audit",
    .synopsis = "[--settle SECONDS] [--at-rest] [--no-rebuild] [--give-up-log]\n"
                "                    [--history FILE] [--json]",
    .about =
        "Checks the promises 1 to 6 and 8. Services may run or not; the broker must. Exits 0 when\n"
        "all that was examined holds, 1 when not or when there was nothing to examine, 5 when\n"
        "a source could not be read.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

/* One look: everything is opened anew, for a suite may be restarted meanwhile. */
struct look {
    struct store *order, *payment, *notification, *ledger;
    struct audit_edges edges;
    struct audit_reader *reader;
    FILE *history;
    int64_t dead_letters;
    struct topology_verdict topology;
    char others[ERR_TEXT_MAX]; /* the broker is another suite's; "": it is not */
    const char *amiss[TOPOLOGY_FINDINGS_KEPT + 1], *altered[TOPOLOGY_FINDINGS_KEPT];
    size_t amiss_count, altered_count;
    char why[ERR_TEXT_MAX]; /* the first thing that could not be opened */
};

static void note(struct look *look, const struct err *err)
{
    if (!look->why[0])
        snprintf(look->why, sizeof look->why, "%s", err->text);
}

static struct store *open_store(struct look *look, const struct suite *suite, const char *file)
{
    struct err err = {{0}};
    struct store *store = NULL;
    struct suite_path path = suite_path(suite, "%s", file);
    if (store_open_sqlite(path.text, STORE_READ_ONLY, &store, &err) == OK)
        return store;
    note(look, &err);
    return NULL;
}

static void look_at_identity(struct look *look, const struct suite *suite, struct amqp_link *link)
{
    struct err err = {{0}};
    enum result result = identity_look(suite, link, &err);
    if (result == CONFLICT || result == NOT_FOUND) {
        snprintf(look->others, sizeof look->others, "%s", err.text);
        look->amiss[look->amiss_count++] = look->others;
    } else if (result != OK) {
        note(look, &err);
    }
}

static enum result look_at_broker(struct look *look, const struct suite *suite, struct err *err)
{
    struct amqp_target target;
    struct amqp_link link;
    enum result result = broker_target(suite, &target, err);
    if (result == OK)
        result = amqp_link_open(&target, "audit", &link, err);
    if (result != OK)
        return result;
    result = broker_dead_letters(&link, &look->dead_letters, err);
    if (result == OK)
        look_at_identity(look, suite, &link);
    amqp_link_farewell(&link);
    return result;
}

static void take_findings(struct look *look)
{
    for (size_t i = 0; i < topology_kept(&look->topology); i++) {
        const struct topology_finding *finding = &look->topology.findings[i];
        if (topology_is_warning(finding->fault))
            look->altered[look->altered_count++] = finding->text;
        else
            look->amiss[look->amiss_count++] = finding->text;
    }
}

/* A broker whose management interface is not known cannot be looked at: that is told, and is no violation. The
 * others can, if perhaps not at once. */
static void look_at_topology(struct look *look, const struct suite *suite)
{
    enum { TRIES = 10, PAUSE_MS = 1000 };
    bool known = bindings_known(suite);
    struct http *http = http_new();
    for (int i = 0; i < TRIES && !look->topology.looked; i++) {
        if (i > 0)
            poll(NULL, 0, PAUSE_MS);
        bindings_look(http, suite, &look->topology);
        if (!known)
            break;
    }
    http_free(http);
    if (!look->topology.looked) {
        struct err err = {{0}};
        err_set(&err, RETRY, "bindings: %s", look->topology.reason);
        if (!known)
            fprintf(stderr, "audit: bindings and policies not checked, %s\n",
                    look->topology.reason);
        else
            note(look, &err);
    }
    if (look->topology.untold > 0)
        fprintf(stderr, "audit: policies of %zu queues not told by the broker\n",
                look->topology.untold);
    take_findings(look);
}

static void look_open(struct look *look, const struct suite *suite)
{
    struct err err = {{0}};
    *look = (struct look){0};
    if (arguments.history && !(look->history = fopen(arguments.history, "r"))) {
        err_set(&err, RETRY, "%s: %s", arguments.history, strerror(errno));
        note(look, &err);
    }
    if (audit_edges_open(suite, &look->edges, &err) != OK)
        note(look, &err);
    if (audit_reader_open(suite, clock_system(), &look->reader, &err) != OK) {
        err_context(&err, RETRY, "stream");
        note(look, &err);
    }
    if (look_at_broker(look, suite, &err) != OK)
        note(look, &err);
    look_at_topology(look, suite);
    look->order = open_store(look, suite, "store/order.db");
    look->payment = open_store(look, suite, "store/payment.db");
    look->notification = open_store(look, suite, "store/notification.db");
    look->ledger = open_store(look, suite, "provider/ledger.db");
}

static void look_close(struct look *look)
{
    audit_edges_close(&look->edges);
    audit_reader_free(look->reader);
    store_free(look->order);
    store_free(look->payment);
    store_free(look->notification);
    store_free(look->ledger);
    if (look->history)
        fclose(look->history);
}

/* What all looks have in common. */
struct audit {
    const struct suite *suite;
    int64_t log_given_up_ms;
    struct audit_rebuild *rebuild; /* made by the first look; NULL: none */
};

/* The log as it is to be read: once, at the first look, it is folded as well. */
static const struct audit_log *look_log(struct look *look, struct audit *audit, int looks)
{
    const struct audit_log *log = look->reader ? audit_reader_log(look->reader) : NULL;
    if (!log || looks > 1 || arguments.no_rebuild || audit->log_given_up_ms > 0)
        return log;
    audit->rebuild =
        audit_rebuild_new(audit->suite, &look->edges, log, audit_reader_messages(look->reader));
    return audit_rebuild_log(audit->rebuild);
}

static void look_once(struct audit *whole, int64_t age_ms, int looks, struct audit_report *report)
{
    struct look look;
    int64_t now_ms = clock_wall_ms(clock_system()); /* all that is read is younger */
    look_open(&look, whole->suite);
    const struct audit_sources sources = {
        .order = look.order,
        .payment = look.payment,
        .notification = look.notification,
        .ledger = look.ledger,
        .edges = look.edges.list,
        .edge_count = look.edges.count,
        .log = look_log(&look, whole, looks),
        .history = look.history,
    };
    bool final = arguments.at_rest && age_ms >= arguments.settle_s * 1000;
    const struct audit_options audit = {
        .moment = final ? AUDIT_FINAL : AUDIT_RUNNING,
        .now_ms = now_ms,
        .grace_ms = arguments.settle_s * 1000,
        .history_age_ms = age_ms,
        .log_given_up_ms = whole->log_given_up_ms,
        .quarantined = -1,
        .dead_letters = look.dead_letters,
        .amiss = look.amiss,
        .amiss_count = look.amiss_count,
        .altered = look.altered,
        .altered_count = look.altered_count,
    };
    audit_run(&sources, &audit, report);
    if (look.why[0])
        snprintf(report->unreadable, sizeof report->unreadable, "%s", look.why);
    if (looks == 1 && whole->rebuild)
        audit_rebuild_finish(whole->rebuild);
    look_close(&look);
}

/* Whether another look may still change the answer. A violation is looked at more than once: it
 * stays one, while something half done between two reads does not. */
static bool look_again(const struct audit_report *report, int64_t age_ms, int looks)
{
    const char *verdict = audit_verdict(report);
    if (strcmp(verdict, "unreadable") == 0)
        return false;
    if (strcmp(verdict, "violated") == 0)
        return looks < LOOKS_AT_A_VIOLATION;
    return report->pending > 0 && age_ms < arguments.settle_s * 1000;
}

static void look_until_sure(struct audit *audit, struct audit_report *report)
{
    int64_t begin_ms = clock_mono_ms(clock_system());
    for (int looks = 1;; looks++) {
        int64_t age_ms = clock_mono_ms(clock_system()) - begin_ms;
        look_once(audit, age_ms, looks, report);
        if (!look_again(report, age_ms, looks))
            return;
        if (!arguments.json && report->pending > 0)
            fprintf(stderr, "audit: %zu things under way, looking again\n", report->pending);
        audit_report_release(report);
        poll(NULL, 0, LOOK_AGAIN_MS);
    }
}

static void audit_suite(const struct suite *suite, struct audit_report *report)
{
    struct err err = {{0}};
    struct audit audit = {.suite = suite};
    enum result result = log_given_up_read(suite, &audit.log_given_up_ms, &err);
    look_until_sure(&audit, report);
    if (result != OK)
        snprintf(report->unreadable, sizeof report->unreadable, "%s", err.text);
    if (audit.rebuild)
        audit_rebuild_judge(audit.rebuild, report);
    else if (audit.log_given_up_ms > 0 && !arguments.no_rebuild)
        audit_judge_rebuilt(report, &(struct audit_rebuilt){.edge = "the read model of an edge",
                                                            .why_not = "it was given up"});
    audit_rebuild_free(audit.rebuild);
}

/* Only what is known to be gone can be given up: a mistyped option must not blind the audit. */
static int give_up_log(const struct suite *suite, struct audit_report *report)
{
    struct err err = {{0}};
    if (strcmp(audit_verdict(report), "unreadable") == 0)
        return CLI_DONE;
    if (report->lost + report->missing == 0) {
        fprintf(stderr, "audit: the log lacks nothing: nothing was given up\n");
        return CLI_DONE;
    }
    fprintf(stderr, "audit: the log lacks %zu facts: until now it is given up\n",
            report->lost + report->missing);
    if (log_given_up_write(suite, clock_wall_ms(clock_system()), &err) != OK) {
        fprintf(stderr, "audit: %s\n", err.text);
        return CLI_MACHINE;
    }
    audit_report_release(report);
    audit_suite(suite, report);
    return CLI_DONE;
}

static int print(const struct audit_report *report)
{
    struct buf text = {0};
    const char *verdict = audit_verdict(report);
    if (arguments.json)
        audit_print_json(report, &text);
    else
        audit_print(report, &text);
    fputs(text.data, stdout);
    buf_release(&text);
    if (strcmp(verdict, "unreadable") == 0)
        return CLI_UNREACHABLE;
    return strcmp(verdict, "clean") == 0 ? CLI_DONE : CLI_WRONG;
}

int main(int argc, char **argv)
{
    struct audit_report report;
    if (options_parse(&options, argc, argv) != argc) {
        fprintf(stderr, "warren audit: unexpected argument\nTry 'warren audit --help'.\n");
        return CLI_USAGE;
    }
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    audit_suite(&suite, &report);
    int status = arguments.give_up_log ? give_up_log(&suite, &report) : CLI_DONE;
    if (status == CLI_DONE)
        status = print(&report);
    audit_report_release(&report);
    return status;
}
