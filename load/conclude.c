#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/exit_codes.h"
#include "load/fate_check.h"
#include "load/run_private.h"
#include "load/summary.h"
#include "load/wire.h"

enum { CHECK_MS = 2000, MS = 1000000 };

static void check_fates(struct run *run, const volatile sig_atomic_t *hurry)
{
    int64_t least_ns = wire_now_ns() + CHECK_MS * (int64_t)MS;
    int64_t ends_ns = run_patience_ends_ns(run);
    const struct fate_check check = {.run = &run->drive_options,
                                     .customers = run->facts ? run->target.customers.ids : NULL,
                                     .newest = run->facts ? NULL : run->target.customers.newest,
                                     .deadline_ns = ends_ns > least_ns ? ends_ns : least_ns,
                                     .hurry = hurry};
    sigprocmask(SIG_SETMASK, &run->waiting, NULL);
    fate_check(&check);
}

static int64_t counted(int64_t before, int64_t after)
{
    if (after == LOAD_UNKNOWN)
        return LOAD_UNKNOWN;
    /* A service that was started again counts from 0. */
    return before == LOAD_UNKNOWN || after < before ? after : after - before;
}

static void count_after(struct run *run)
{
    struct watch_counters after;
    struct load_after *told = &run->report->after;
    watch_count(&run->target.suite, &after);
    told->redeliveries = counted(run->before.redeliveries, after.redeliveries);
    told->duplicates = counted(run->before.duplicates, after.duplicates);
    told->deferred = counted(run->before.deferred, after.deferred);
    told->quarantined = counted(run->before.quarantined, after.quarantined);
}

/* Whether the figures are the suite's or ours. */
static void judge_generator(struct run *run)
{
    /* Its own lateness is in the latencies, as it should be; when it is a fifth of them, they tell
     * of the wrong program. */
    enum { BUSY_MILLI = 900, PART = 5 };
    struct load_generator *generator = &run->report->generator;
    const struct load_totals *totals = &run->report->totals;
    int64_t own = measure_own_lateness(run->measure);
    int64_t held_back = totals->late - own + totals->not_sent;
    int64_t late_us = load_histogram_quantile(&run->report->latency[LOAD_LATENESS], LOAD_P99);
    int64_t answer_us = load_histogram_quantile(&run->report->latency[LOAD_ACCEPT], LOAD_P99);
    char *reason = generator->reason;
    size_t size = sizeof generator->reason;
    if (generator->cpu_milli >= BUSY_MILLI)
        snprintf(reason, size, "CPU at %" PRId64 " %% of one core", generator->cpu_milli / 10);
    else if (own * 100 > totals->offered && late_us * PART > answer_us)
        snprintf(reason, size,
                 "%" PRId64 " of %" PRId64 " orders left late though a connection was free: "
                 "this machine is too busy",
                 own, totals->offered);
    else if (held_back * 100 > totals->offered && run->report->plan.mode != LOAD_CLOSED)
        snprintf(reason, size,
                 "%" PRId64 " of %" PRId64 " orders found all %" PRId64
                 " connections in use (--connections)",
                 held_back, totals->offered, run->settings->connections);
    generator->saturated = reason[0] != '\0' && !run->report->identity.interrupted;
}

static int run_audit(const struct run *run)
{
    struct suite_path program;
    char port[32];
    int status = -1;
    snprintf(port, sizeof port, "%d", run->target.suite.base_port);
    if (suite_program("warren-audit", &program, NULL) != OK)
        return CLI_MACHINE;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl(program.text, "warren-audit", "--home", run->target.suite.home, "--base-port", port,
              run->history_path[0] ? "--history" : (char *)NULL, run->history_path, (char *)NULL);
        _exit(CLI_MACHINE);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return CLI_MACHINE;
    return WEXITSTATUS(status);
}

static enum result write_files(struct run *run, struct err *err)
{
    bool written = !run->history || fclose(run->history) == 0;
    run->history = NULL;
    if (!written)
        return err_set(err, FATAL, "%s: %s", run->history_path, strerror(errno));
    return run->settings->out ? report_write(run->report, run->settings->out, err) : OK;
}

int run_conclude(struct run *run, const volatile sig_atomic_t *hurry)
{
    struct err err = {""};
    struct load_totals *totals = &run->report->totals;
    watch_free(run->watch); /* what follows needs libcurl for itself */
    run->watch = NULL;
    check_fates(run, hurry);
    totals->not_sent = totals->offered - totals->sent;
    measure_finish(run->measure);
    judge_generator(run);
    if (run->facts)
        count_after(run);
    if (write_files(run, &err) != OK) {
        fprintf(stderr, "warren load: %s\n", err.text);
        return CLI_MACHINE;
    }
    summary_print(run->report, run->settings->out);
    int status = load_report_clean(run->report) ? CLI_DONE : CLI_WRONG;
    if (run->settings->until_accepted && totals->accepted < totals->sent)
        status = CLI_WRONG;
    if (run->report->fate.trouble[0])
        status = CLI_UNREACHABLE;
    if (!run->settings->audit)
        return status;
    int audit = run_audit(run);
    return status != CLI_DONE ? status : audit;
}

int run_conclude_crowd(struct run *run)
{
    struct err err = {""};
    if (write_files(run, &err) != OK) {
        fprintf(stderr, "warren load: %s\n", err.text);
        return CLI_MACHINE;
    }
    summary_crowd(run->report);
    const struct load_totals *totals = &run->report->totals;
    return totals->accepted > 0 && totals->accepted == totals->sent ? CLI_DONE : CLI_WRONG;
}
