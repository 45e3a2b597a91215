/* warren chaos: orders at a rate while faults drawn from a seed hit the suite; then everything must
 * have come right by itself, which the audit judges. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/chaos_clock.h"
#include "cli/chaos_disk.h"
#include "cli/chaos_faults.h"
#include "cli/chaos_plan.h"
#include "cli/exit_codes.h"
#include "cli/progress.h"
#include "cli/survey.h"
#include "common/base/clock.h"
#include "common/base/options.h"

static struct {
    struct suite_options where;
    int64_t seed, duration_s, rate, settle_s;
    const char *faults, *history;
    bool plan_only;
} arguments = {.seed = 1, .duration_s = 60, .rate = 20, .settle_s = 60};

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {"seed", NULL, OPTION_INT, &arguments.seed, "N", "the same seed gives the same plan", 0, 0},
    {"duration", NULL, OPTION_INT, &arguments.duration_s, "S", "how long faults come, seconds", 1,
     86400},
    {"rate", NULL, OPTION_INT, &arguments.rate, "R", "orders a second", 1, 1000},
    {"faults", NULL, OPTION_TEXT, &arguments.faults, "LIST",
     "of kill,stop,broker-kill,broker-stop,alarm,reset,clock,disk-full,broker-disk-full,unbind,"
     "delete-queue,purge, or all (what this suite can have, but for broker-disk-full)",
     0, 0},
    {"settle", NULL, OPTION_INT, &arguments.settle_s, "S", "how long orders in flight get", 1,
     86400},
    {"history", NULL, OPTION_TEXT, &arguments.history, "FILE",
     "the customers' record (a new file in $TMPDIR)", 0, 0},
    {"plan", NULL, OPTION_FLAG, &arguments.plan_only, NULL, "print the plan and do nothing", 0, 0},
};

static const struct options options = {
    .program = "warren chaos",
    .synopsis = "[--seed N] [--duration S] [--rate R] [--faults LIST]",
    .about =
        "Orders at a rate while faults hit a running suite: services and the broker are killed\n"
        "(kill, broker-kill) or stopped for a while (stop, broker-stop), the broker raises a "
        "memory\n"
        "or disk alarm (alarm) or closes every connection (reset), the time of day of a service\n"
        "or of all jumps (clock: needs 'warren up --faketime'), the disk of the stores is full\n"
        "(disk-full) or that of the broker (broker-disk-full: both need a small one of their own,\n"
        "scripts/small-store), a binding or a queue is deleted at the broker and declared again\n"
        "(unbind, delete-queue), what waits in a queue is thrown away (purge). Afterwards all has\n"
        "to come right by itself: 'warren audit' judges it with the customers' own record. Exits\n"
        "0 when all is well, 1 when a promise is broken, an order was never accepted or a planned\n"
        "fault was not reached, 2 when a fault is named that this suite cannot have.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

struct chaos {
    struct suite suite;
    struct http *http;
    struct chaos_plan plan;
    char history[SUITE_PATH_SIZE];
    pid_t crowd;
    int64_t began_ms;
};

static int64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* --- the plan ------------------------------------------------------------------------------- */

/* Whether this suite can have it. */
static enum result possible(const struct suite *suite, enum chaos_kind kind, struct err *err)
{
    char url[1024];
    if (kind == CHAOS_BROKER_DISK && !arguments.faults)
        return err_set(
            err, INVALID,
            "%s: a node may lose its log for good, which nobody makes anew yet; it can be "
            "named",
            chaos_kind_names[kind]);
    if (kind == CHAOS_KILL || kind == CHAOS_STOP)
        return OK;
    if (kind == CHAOS_CLOCK)
        return chaos_clock_possible(suite, err);
    if (kind == CHAOS_DISK_FULL || kind == CHAOS_BROKER_DISK)
        return chaos_disk_possible(suite, kind, err);
    broker_external_url(suite, url, sizeof url);
    if (!url[0])
        return OK;
    return err_set(err, INVALID, "%s: this suite's broker is not its own", chaos_kind_names[kind]);
}

/* What was named must be possible, but for a plan that is only looked at; of what was not, the
 * impossible is left out. */
static enum result choose_kinds(const struct suite *suite, bool kinds[CHAOS_KINDS], struct err *err)
{
    const char *named = arguments.faults;
    enum result result = chaos_kinds_read(named ? named : "all", kinds, err);
    for (size_t i = 0; i < CHAOS_KINDS && result == OK; i++) {
        struct err why = {""};
        if (!kinds[i] || (named && arguments.plan_only) ||
            possible(suite, (enum chaos_kind)i, &why) == OK)
            continue;
        if (named)
            return err_set(err, INVALID, "%s", why.text);
        kinds[i] = false;
        printf("left out, %s\n", why.text);
    }
    return result;
}

static const char *target_of(const struct chaos_fault *fault)
{
    switch (fault->kind) {
    case CHAOS_KILL:
    case CHAOS_STOP:
        return suite_services[fault->target].name;
    case CHAOS_CLOCK:
        return fault->target < suite_service_count ? suite_services[fault->target].name
                                                   : "every service";
    case CHAOS_ALARM:
        return fault->target == 0 ? "memory" : "disk";
    case CHAOS_DISK_FULL:
        return fault->target == CHAOS_DISK_STORES   ? "stores"
               : fault->target == CHAOS_DISK_LEDGER ? "ledger"
                                                    : "stores and ledger";
    case CHAOS_DELETE:
    case CHAOS_PURGE:
        return chaos_queues[fault->target];
    case CHAOS_BROKER_DISK:
        return "broker";
    default:
        return "";
    }
}

static void print_fault(const struct chaos_fault *fault)
{
    printf("%8.1f s  %-16s %-22s %6.1f s", (double)fault->at_ms / 1000,
           chaos_kind_names[fault->kind], target_of(fault), (double)fault->hold_ms / 1000);
    if (fault->kind == CHAOS_CLOCK)
        printf("  %+.1f s%s", (double)fault->offset_ms / 1000, fault->stays ? ", stays" : "");
    printf("\n");
}

/* --- the customers ---------------------------------------------------------------------------- */

static enum result choose_history(struct chaos *chaos, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    if (arguments.history) {
        snprintf(chaos->history, sizeof chaos->history, "%s", arguments.history);
        return OK;
    }
    snprintf(chaos->history, sizeof chaos->history, "%s/warren-chaos-%" PRId64 "-XXXXXX",
             folder && folder[0] ? folder : "/tmp", arguments.seed);
    int fd = mkstemp(chaos->history);
    if (fd < 0)
        return err_set(err, FATAL, "%s: %s", chaos->history, strerror(errno));
    close(fd);
    return OK;
}

/* How long an order may take to be accepted. A node that its full disk has harmed is restarted twice at
 * most before it is of use again (warden.c). */
static const char *patience_s(const struct chaos_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->faults[i].kind == CHAOS_BROKER_DISK)
            return "300";
    return "60";
}

/* The crowd of `warren load`: until it is told to end, with every card that the sandbox knows. */
static _Noreturn void be_the_crowd(const struct chaos *chaos, const char *program)
{
    char rate[32], port[32], seed[32];
    snprintf(rate, sizeof rate, "%" PRId64, arguments.rate);
    snprintf(port, sizeof port, "%d", chaos->suite.base_port);
    snprintf(seed, sizeof seed, "%" PRId64, arguments.seed);
    setpgid(0, 0); /* an interruption is for us to pass on */
    execl(program, "warren-load", "--home", chaos->suite.home, "--base-port", port, "--crowd",
          "--until-accepted", "--patience", patience_s(&chaos->plan), "--rate", rate, "--seed",
          seed, "--duration", "604800", "--skus", "CARROT-1KG,LETTUCE,SPADE,BOOTS,UMBRELLA",
          "--declined", "90", "--flaky", "90", "--slow", "90", "--no-funds", "90", "--lost-answer",
          "90", "--cancel", "125", "--history", chaos->history, (char *)NULL);
    _exit(CLI_MACHINE);
}

static enum result start_crowd(struct chaos *chaos, struct err *err)
{
    struct suite_path program;
    enum result result = suite_program("warren-load", &program, err);
    if (result == OK)
        result = choose_history(chaos, err);
    if (result != OK)
        return result;
    fflush(stdout);
    chaos->crowd = fork();
    if (chaos->crowd == 0)
        be_the_crowd(chaos, program.text);
    return chaos->crowd > 0 ? OK : err_set(err, FATAL, "fork: %s", strerror(errno));
}

static bool end_crowd(const struct chaos *chaos)
{
    int status = -1;
    (void)kill(chaos->crowd, SIGTERM);
    while (waitpid(chaos->crowd, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == CLI_DONE;
}

/* --- the run ------------------------------------------------------------------------------------ */

static void sleep_until(int64_t end_ms)
{
    while (!interrupted && now_ms() < end_ms) {
        struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
        nanosleep(&pause, NULL);
    }
}

static void inject_all(struct chaos *chaos)
{
    for (size_t i = 0; i < chaos->plan.count && !interrupted; i++) {
        struct chaos_fault *fault = &chaos->plan.faults[i];
        char what[CHAOS_WHY_SIZE] = "";
        sleep_until(chaos->began_ms + fault->at_ms);
        if (interrupted)
            return;
        double at = (double)(now_ms() - chaos->began_ms) / 1000;
        chaos_inject(chaos->http, &chaos->suite, fault, what);
        printf("%8.1f s  %-16s %s%s%s\n", at, chaos_kind_names[fault->kind], what,
               fault->reached ? "" : "  NOT REACHED: ", fault->reached ? "" : fault->why);
        fflush(stdout);
    }
    sleep_until(chaos->began_ms + arguments.duration_s * 1000);
}

static bool wait_ready(struct chaos *chaos)
{
    enum { PATIENCE_MS = 180000 }; /* the node may have to be restarted first (warden.c) */
    struct survey survey;
    int64_t end = now_ms() + PATIENCE_MS;
    while (survey_suite(chaos->http, &chaos->suite, &survey) != OK || !survey.ready) {
        if (now_ms() >= end)
            return false;
        sleep_until(now_ms() + 250);
        if (interrupted)
            return false;
    }
    return true;
}

/* Runs `warren audit`; its words go to our output. */
static int judge(const struct chaos *chaos)
{
    struct suite_path program;
    char settle[32], port[32];
    int status = -1;
    snprintf(settle, sizeof settle, "%" PRId64, arguments.settle_s);
    snprintf(port, sizeof port, "%d", chaos->suite.base_port);
    if (suite_program("warren-audit", &program, NULL) != OK)
        return CLI_MACHINE;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl(program.text, "warren-audit", "--home", chaos->suite.home, "--base-port", port,
              "--settle", settle, "--at-rest", "--history", chaos->history, (char *)NULL);
        _exit(CLI_MACHINE);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return CLI_MACHINE;
    return WEXITSTATUS(status);
}

/* Planned and reached, by kind. */
static bool print_table(const struct chaos_plan *plan)
{
    size_t planned[CHAOS_KINDS] = {0}, reached[CHAOS_KINDS] = {0};
    bool all = true;
    for (size_t i = 0; i < plan->count; i++) {
        planned[plan->faults[i].kind]++;
        reached[plan->faults[i].kind] += plan->faults[i].reached;
        all = all && plan->faults[i].reached;
    }
    printf("\nfault             planned  reached\n");
    for (size_t i = 0; i < CHAOS_KINDS; i++) {
        if (planned[i] > 0)
            printf("%-16s %8zu %8zu\n", chaos_kind_names[i], planned[i], reached[i]);
    }
    return all;
}

static int run(struct chaos *chaos)
{
    struct err err = {""};
    if (start_crowd(chaos, &err) != OK) {
        fprintf(stderr, "warren chaos: %s\n", err.text);
        return CLI_MACHINE;
    }
    chaos->began_ms = now_ms();
    inject_all(chaos);
    printf("healing\n");
    fflush(stdout);
    chaos_heal(chaos->http, &chaos->suite);
    bool accepted = end_crowd(chaos);
    bool ready = wait_ready(chaos);
    printf("history: %s\n", chaos->history);
    int audit = judge(chaos);
    bool reached = print_table(&chaos->plan);
    if (!ready)
        printf("the suite is not ready again\n");
    bool well = audit == CLI_DONE && reached && accepted && ready && !interrupted;
    printf("chaos: seed %" PRId64 ", %s\n", arguments.seed, well ? "clean" : "NOT CLEAN");
    if (audit != CLI_DONE && audit != CLI_WRONG)
        return audit;
    return well ? CLI_DONE : CLI_WRONG;
}

static int prepare(struct chaos *chaos)
{
    bool kinds[CHAOS_KINDS];
    struct err err = {""};
    if (choose_kinds(&chaos->suite, kinds, &err) != OK) {
        fprintf(stderr, "warren chaos: %s\nTry 'warren chaos --help'.\n", err.text);
        return CLI_USAGE;
    }
    chaos_plan_make((uint64_t)arguments.seed, arguments.duration_s * 1000, kinds,
                    suite_service_count, &chaos->plan);
    for (size_t i = 0; i < chaos->plan.count && arguments.plan_only; i++)
        print_fault(&chaos->plan.faults[i]);
    return CLI_DONE;
}

int main(int argc, char **argv)
{
    static struct chaos chaos;
    if (options_parse(&options, argc, argv) != argc) {
        fprintf(stderr, "warren chaos: unexpected argument\nTry 'warren chaos --help'.\n");
        return CLI_USAGE;
    }
    chaos.suite = suite_resolve_or_exit(options.program, &arguments.where);
    int status = prepare(&chaos);
    if (status != CLI_DONE || arguments.plan_only)
        return status;
    struct survey survey;
    chaos.http = http_new();
    if (survey_suite(chaos.http, &chaos.suite, &survey) != OK || !survey.ready) {
        fprintf(stderr, "warren chaos: the suite in %s is not up and ready\n", chaos.suite.home);
        status = CLI_UNREACHABLE;
    } else {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        status = run(&chaos);
    }
    http_free(chaos.http);
    return status;
}
