/* warren audit: which promises hold, proved from the stores, the provider's ledger, the log and,
 * where there is one, a client's own record. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cli/audit_log.h"
#include "cli/bindings.h"
#include "cli/broker.h"
#include "cli/exit_codes.h"
#include "cli/suite.h"
#include "common/audit/audit.h"
#include "common/base/clock.h"
#include "common/base/options.h"
#include "common/messaging/amqp_link.h"

enum { SETTLE_S = 60, LOOK_AGAIN_MS = 1000, LOOKS_AT_A_VIOLATION = 3 };

static struct {
    struct suite_options where;
    bool json, at_rest;
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
    {.name = "history",
     .kind = OPTION_TEXT,
     .value = &arguments.history,
     .metavar = "FILE",
     .help = "a client's record, as JSON lines"},
};

static const struct options options = {
    .program = "warren audit",
    .synopsis = "[--settle SECONDS] [--at-rest] [--history FILE] [--json]",
    .about =
        "Checks the promises 1 to 6. Services may run or not; the broker must. Exits 0 when\n"
        "all that was examined holds, 1 when not or when there was nothing to examine, 5 when\n"
        "a source could not be read.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

/* One look: everything is opened anew, for a suite may be restarted meanwhile. */
struct look {
    struct store *order, *payment, *notification, *ledger;
    struct audit_reader *reader;
    FILE *history;
    int64_t dead_letters;
    struct topology_verdict topology;
    const char *amiss[TOPOLOGY_FINDINGS_KEPT];
    size_t amiss_count;
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

static enum result read_dead_letters(const struct suite *suite, int64_t *ret_count, struct err *err)
{
    struct amqp_target target;
    struct amqp_link link;
    enum result result = broker_target(suite, &target, err);
    if (result == OK)
        result = amqp_link_open(&target, "audit", &link, err);
    if (result != OK)
        return result;
    result = broker_dead_letters(&link, ret_count, err);
    amqp_link_drop(&link);
    return result;
}

/* A broker that is not the suite's own cannot be looked at: that is told, and is no violation. The
 * suite's own can, if perhaps not at once. */
static void look_at_topology(struct look *look, const struct suite *suite)
{
    enum { TRIES = 10, PAUSE_MS = 1000 };
    char url[1024];
    struct http *http = http_new();
    broker_external_url(suite, url, sizeof url);
    for (int i = 0; i < TRIES && !look->topology.looked; i++) {
        if (i > 0)
            poll(NULL, 0, PAUSE_MS);
        bindings_look(http, suite, &look->topology);
        if (url[0])
            break;
    }
    http_free(http);
    if (!look->topology.looked) {
        struct err err = {{0}};
        err_set(&err, RETRY, "bindings: %s", look->topology.reason);
        if (url[0])
            fprintf(stderr, "audit: bindings not checked, %s\n", look->topology.reason);
        else
            note(look, &err);
    }
    for (size_t i = 0; i < topology_kept(&look->topology); i++)
        if (look->topology.findings[i].fault != TOPOLOGY_SURPLUS)
            look->amiss[look->amiss_count++] = look->topology.findings[i].text;
}

static void look_open(struct look *look, const struct suite *suite)
{
    struct err err = {{0}};
    *look = (struct look){0};
    if (arguments.history && !(look->history = fopen(arguments.history, "r"))) {
        err_set(&err, RETRY, "%s: %s", arguments.history, strerror(errno));
        note(look, &err);
    }
    if (audit_reader_open(suite, clock_system(), &look->reader, &err) != OK) {
        err_context(&err, RETRY, "stream");
        note(look, &err);
    }
    if (read_dead_letters(suite, &look->dead_letters, &err) != OK)
        note(look, &err);
    look_at_topology(look, suite);
    look->order = open_store(look, suite, "store/order.db");
    look->payment = open_store(look, suite, "store/payment.db");
    look->notification = open_store(look, suite, "store/notification.db");
    look->ledger = open_store(look, suite, "provider/ledger.db");
}

static void look_close(struct look *look)
{
    audit_reader_free(look->reader);
    store_free(look->order);
    store_free(look->payment);
    store_free(look->notification);
    store_free(look->ledger);
    if (look->history)
        fclose(look->history);
}

static void look_once(const struct suite *suite, int64_t age_ms, struct audit_report *report)
{
    struct look look;
    look_open(&look, suite);
    const struct audit_sources sources = {
        .order = look.order,
        .payment = look.payment,
        .notification = look.notification,
        .ledger = look.ledger,
        .log = look.reader ? audit_reader_log(look.reader) : NULL,
        .history = look.history,
    };
    bool final = arguments.at_rest && age_ms >= arguments.settle_s * 1000;
    const struct audit_options audit = {
        .moment = final ? AUDIT_FINAL : AUDIT_RUNNING,
        .now_ms = clock_wall_ms(clock_system()),
        .grace_ms = arguments.settle_s * 1000,
        .history_age_ms = age_ms,
        .quarantined = -1,
        .dead_letters = look.dead_letters,
        .amiss = look.amiss,
        .amiss_count = look.amiss_count,
    };
    audit_run(&sources, &audit, report);
    if (look.why[0])
        snprintf(report->unreadable, sizeof report->unreadable, "%s", look.why);
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

static void audit_suite(const struct suite *suite, struct audit_report *report)
{
    int64_t begin_ms = clock_mono_ms(clock_system());
    for (int looks = 1;; looks++) {
        int64_t age_ms = clock_mono_ms(clock_system()) - begin_ms;
        look_once(suite, age_ms, report);
        if (!look_again(report, age_ms, looks))
            return;
        if (!arguments.json && report->pending > 0)
            fprintf(stderr, "audit: %zu things under way, looking again\n", report->pending);
        audit_report_release(report);
        poll(NULL, 0, LOOK_AGAIN_MS);
    }
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
    int status = print(&report);
    audit_report_release(&report);
    return status;
}
