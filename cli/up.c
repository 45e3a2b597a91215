/* warren up: brings a suite to where every part is ready, from wherever it is. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/exit_codes.h"
#include "cli/refusal.h"
#include "cli/start.h"
#include "cli/stop.h"
#include "common/base/options.h"
#include "common/base/switches.h"
#include "common/messaging/amqp_link.h"

static struct {
    struct suite_options where;
    struct plan plan;
    int64_t instances;
    int64_t patience_s;
    bool unsafe;
} arguments = {.plan = {.rate_per_caller = 100,
                        .rate_per_address = 1000,
                        .connections_per_address = 1200,
                        .request_s = 30,
                        .idle_s = 75},
               .instances = 1,
               .patience_s = 180}; /* of a busy machine: what cannot come right is told at once */

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "amqp-url",
     .environment = "WARREN_AMQP_URL",
     .kind = OPTION_TEXT,
     .value = &arguments.plan.amqp_url,
     .metavar = "URL",
     .help = "use this broker instead of a private one; with a password, better by environment"},
    {.name = "amqp-ca",
     .environment = "WARREN_AMQP_CA",
     .kind = OPTION_TEXT,
     .value = &arguments.plan.amqp_ca,
     .metavar = "FILE",
     .help = "authorities that an amqps broker is believed by"},
    {.name = "management-url",
     .environment = "WARREN_MANAGEMENT_URL",
     .kind = OPTION_TEXT,
     .value = &arguments.plan.management_url,
     .metavar = "URL",
     .help = "that broker's management interface, to see its policies and bindings; without a name "
             "in it, asked with that of --amqp-url"},
    {.name = "adopt-broker",
     .kind = OPTION_FLAG,
     .value = &arguments.plan.adopt_broker,
     .help = "take over a broker that is another suite's, or does not say whose: its log must be "
             "that of these stores"},
    {.name = "smtp-url",
     .environment = "WARREN_SMTP_URL",
     .kind = OPTION_TEXT,
     .value = &arguments.plan.smtp_url,
     .metavar = "URL",
     .help = "mail goes to this server; without it nowhere"},
    {.name = "smtp-from",
     .environment = "WARREN_SMTP_FROM",
     .kind = OPTION_TEXT,
     .value = &arguments.plan.smtp_from,
     .metavar = "ADDRESS",
     .help = "who mail is from"},
    {.name = "instances",
     .kind = OPTION_INT,
     .value = &arguments.instances,
     .metavar = "N",
     .help = "of each service",
     .min = 1,
     .max = SUITE_INSTANCES_MAX},
    {.name = "patience",
     .kind = OPTION_INT,
     .value = &arguments.patience_s,
     .metavar = "SECONDS",
     .help = "how long to wait for each part",
     .min = 1,
     .max = 3600},
    {.name = "rate-per-caller",
     .kind = OPTION_INT,
     .value = &arguments.plan.rate_per_caller,
     .metavar = "N",
     .help = "requests a second that the edge takes of one customer; 0: any number",
     .min = 0,
     .max = 1000000},
    {.name = "rate-per-address",
     .kind = OPTION_INT,
     .value = &arguments.plan.rate_per_address,
     .metavar = "N",
     .help = "likewise, from one address",
     .min = 0,
     .max = 1000000},
    {.name = "log-max-bytes",
     .kind = OPTION_INT,
     .value = &arguments.plan.log_max_bytes,
     .metavar = "N",
     .help = "how large the log may grow before its oldest facts go; kept for a suite's life "
             "(default: as at first, or 5 GB)",
     .min = 0,
     .max = INT64_C(1) << 50},
    {.name = "connections-per-address",
     .kind = OPTION_INT,
     .value = &arguments.plan.connections_per_address,
     .metavar = "N",
     .help = "connections that the edge keeps with one address; 0: any number",
     .min = 0,
     .max = 100000},
    {.name = "request-time",
     .environment = "WARREN_REQUEST_TIME",
     .kind = OPTION_INT,
     .value = &arguments.plan.request_s,
     .metavar = "SECONDS",
     .help = "the edge gives a request's head, its body and its answer so long each",
     .min = 1,
     .max = 3600},
    {.name = "idle-time",
     .environment = "WARREN_IDLE_TIME",
     .kind = OPTION_INT,
     .value = &arguments.plan.idle_s,
     .metavar = "SECONDS",
     .help = "the edge keeps a connection without a request for so long: longer than a proxy "
             "in front of it does",
     .min = 1,
     .max = 86400},
    {.name = "faketime",
     .kind = OPTION_FLAG,
     .value = &arguments.plan.faketime,
     .help = "for tests: clocks that 'warren chaos' can set wrong, by libfaketime"},
    {.name = "without",
     .kind = OPTION_REPEAT,
     .value = &arguments.plan.without,
     .metavar = "NAME",
     .help = "switch a guarantee off, for a lesson (needs --unsafe)"},
    {.name = "unsafe",
     .kind = OPTION_FLAG,
     .value = &arguments.unsafe,
     .help = "yes, switch guarantees off"},
};

static const struct options options = {
    .program = "warren up",
    .synopsis = "[--home DIR] [--base-port N]",
    .about = "Starts a suite and returns when every part of it is ready: a private RabbitMQ, the "
             "services, the edge, a catalogue. Done again, it changes nothing.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

/* A URL that cannot be right is known before anything is started. */
static void check_url(const char *url, struct err *err)
{
    struct amqp_target target;
    if (url && amqp_target_parse(url, BROKER_DEPLOY_USER, "", &target, err) == OK)
        explicit_bzero(&target, sizeof target);
}

static void check_management(struct err *err)
{
    char base[1024], user[256], password[256];
    const char *url = arguments.plan.management_url;
    if (!url || err->text[0])
        return;
    if (!arguments.plan.amqp_url)
        err_set(err, INVALID, "--management-url is for the broker of --amqp-url");
    else if (http_url_split(url, base, sizeof base, user, password, sizeof user, err) != OK)
        err_context(err, INVALID, "--management-url");
    explicit_bzero(password, sizeof password);
}

/* The switches are checked here, so that a slip is told at once and not by four services. */
static void check_arguments(int operand, int argc)
{
    struct err err = {""};
    struct switches switches = switches_all_on();
    if (operand != argc)
        err_set(&err, INVALID, "unexpected argument");
    for (size_t i = 0; i < arguments.plan.without.count && !err.text[0]; i++)
        if (switches_turn_off(&switches, arguments.plan.without.items[i], &err) != OK)
            err_context(&err, INVALID, "--without");
    if (!err.text[0] && arguments.plan.without.count > 0 && !arguments.unsafe)
        err_set(&err, INVALID, "--without breaks a promise: say --unsafe too");
    check_management(&err);
    if (!err.text[0])
        check_url(arguments.plan.amqp_url, &err);
    if (!err.text[0])
        return;
    fprintf(stderr, "warren up: %s\nTry 'warren up --help'.\n", err.text);
    _exit(CLI_USAGE);
}

/* Anybody may read a command line. */
static void warn_of_password(const char *url)
{
    const char *environment = getenv("WARREN_AMQP_URL");
    const char *authority = url ? strstr(url, "://") : NULL;
    if (!authority || (environment && strcmp(environment, url) == 0))
        return;
    authority += strlen("://");
    const char *at = memchr(authority, '@', strcspn(authority, "/"));
    if (at && memchr(authority, ':', (size_t)(at - authority)))
        fprintf(stderr, "warren up: others can see the password in --amqp-url while this runs: "
                        "set WARREN_AMQP_URL instead\n");
}

int main(int argc, char **argv)
{
    struct err err = {""};
    check_arguments(options_parse(&options, argc, argv), argc);
    warn_of_password(arguments.plan.amqp_url);
    arguments.plan.instances = (int)arguments.instances;
    char ca_file[PATH_MAX]; /* the services run elsewhere */
    if (arguments.plan.amqp_ca) {
        if (!realpath(arguments.plan.amqp_ca, ca_file)) {
            fprintf(stderr, "warren up: --amqp-ca %s: %s\n", arguments.plan.amqp_ca,
                    strerror(errno));
            return CLI_USAGE;
        }
        arguments.plan.amqp_ca = ca_file;
    }
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    struct start start = {.suite = &suite,
                          .plan = &arguments.plan,
                          .http = http_new(),
                          .patience_ms = arguments.patience_s * 1000};
    progress_begin(&start.progress, false);
    enum cli_exit status = start_suite(&start, &err);
    if (status != CLI_DONE && start.launched) {
        struct progress stopping = {.signals = -1, .quiet = true};
        enum result result = suite_stop(start.http, &suite, &stopping, NULL);
        fprintf(stderr, "warren up: %s\n",
                result == OK || result == NOT_FOUND ? "what had been started is stopped again"
                                                    : "not everything could be stopped again");
    }
    progress_end(&start.progress);
    http_free(start.http);
    if (status != CLI_DONE) {
        if (err.text[0])
            fprintf(stderr, "warren up: %s\n", err.text);
        if (start.advice && start.advice[0])
            fprintf(stderr, "  %s; see " REFUSAL_PAGE "\n", start.advice);
        return (int)status;
    }
    if (start.without_log[0])
        fprintf(stderr,
                "warren up: the suite runs WITHOUT ITS LOG (%s): orders are taken and settle, but "
                "what has happened since is not seen, and the audit will miss it; "
                "see docs/operations.md, \"The log is lost\"\n",
                start.without_log);
    printf("%s%s at %s\n", start.was_running ? "running" : "ready",
           start.log_cut ? ", but for old orders," : "", suite_url(&suite, "/").text);
    return CLI_DONE;
}
