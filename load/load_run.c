#include "load/load_run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/exit_codes.h"
#include "cli/files.h"
#include "load/fate_check.h"
#include "load/run_private.h"
#include "load/summary.h"
#include "load/wire.h"

enum { MS = 1000000, NOTIFIED_MS = 3000 };
static const int64_t second_ns = 1000000000;

static volatile sig_atomic_t interrupts;
static volatile sig_atomic_t hurry; /* asked twice */

static void on_signal(int number)
{
    (void)number;
    hurry = interrupts > 0;
    interrupts = interrupts + 1;
}

/* --- before -------------------------------------------------------------------------------------- */

static void take_signals(struct run *run)
{
    sigset_t ours;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &run->waiting);
}

static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

static enum result open_history(struct run *run, struct err *err)
{
    const struct settings *settings = run->settings;
    enum result result = settings->out ? directory_make_all(settings->out, err) : OK;
    if (result != OK || (!settings->out && !settings->history))
        return result;
    if (settings->history)
        snprintf(run->history_path, sizeof run->history_path, "%s", settings->history);
    else
        snprintf(run->history_path, sizeof run->history_path, "%.900s/history.jsonl",
                 settings->out);
    run->history = fopen(run->history_path, "we");
    if (!run->history)
        return err_set(err, FATAL, "%s: %s", run->history_path, strerror(errno));
    if (settings->crowd)
        setvbuf(run->history, NULL, _IOLBF, 0); /* whoever judges reads along */
    return OK;
}

static void fill_plan(const struct settings *settings, struct load_report *report,
                      const char *command)
{
    struct load_plan *plan = &report->plan;
    load_text(report->identity.title, sizeof report->identity.title, settings->title);
    load_text(report->identity.command, sizeof report->identity.command, command);
    load_text(report->identity.version, sizeof report->identity.version, PACKAGE_VERSION);
    plan->mode = settings->closed                          ? LOAD_CLOSED
                 : settings->plan.kind == SCHEDULE_POISSON ? LOAD_OPEN_POISSON
                                                           : LOAD_OPEN_EVEN;
    plan->users = settings->users;
    plan->think_us = settings->think_ms * 1000;
    plan->connections = settings->connections;
    plan->query_rate = settings->query_rate;
    plan->cancel_permille = settings->mix.cancel;
    plan->phase_count = settings->plan.count;
    for (size_t i = 0; i < settings->plan.count; i++) {
        const struct schedule_phase *phase = &settings->plan.phases[i];
        plan->phases[i] = (struct load_phase){.rate = (phase->from + phase->to) / 2,
                                              .duration_us = phase->duration_ns / 1000};
    }
    report->limit.bound_us = settings->bound_ms * 1000;
    report->fate.may_be_unanswered = settings->allow_unknown;
}

static size_t expected_orders(const struct settings *settings)
{
    enum { CROWD = 65536 }; /* its schedule has no end: somebody tells it */
    double sum = 0;
    for (size_t i = 0; i < settings->plan.count; i++) {
        const struct schedule_phase *phase = &settings->plan.phases[i];
        sum += (phase->from + phase->to) / 2 * (double)phase->duration_ns / 1e9;
    }
    if (settings->crowd)
        return CROWD;
    return sum > 1e7 ? 10000000 : (size_t)sum + 1024;
}

static enum result open_log(struct run *run, struct err *err)
{
    const struct facts_in_options options = {.suite = &run->target.suite,
                                             .clock = clock_system(),
                                             .customers = run->target.customers.ids,
                                             .customer_count = run->target.customers.count,
                                             .fates = run->fates,
                                             .measure = run->measure,
                                             .report = run->report,
                                             .run = run->target.run};
    enum result result = facts_in_open(&options, &run->facts, err);
    if (result != OK)
        return result;
    watch_count(&run->target.suite, &run->before);
    return watch_start(&run->target.suite, &run->watch, err);
}

static enum result run_open(struct run *run, struct err *err)
{
    enum result result = target_open(run->settings, &run->target, err);
    if (result == OK)
        result = open_history(run, err);
    if (result != OK)
        return result;
    run->fates = fates_new(expected_orders(run->settings));
    run->measure = measure_new(run->report);
    run->drive_options = (struct drive_options){
        .settings = run->settings,
        .url = run->target.url,
        .run = run->target.run,
        .bearers = (const char(*)[BEARER_SIZE])run->target.customers.bearers,
        .customers = run->target.customers.count,
        .fates = run->fates,
        .measure = run->measure,
        .report = run->report,
        .history = run->history,
    };
    result = drive_new(&run->drive_options, &run->drive, err);
    if (result != OK || run->settings->crowd)
        return result;
    watch_machine(run->target.is_suite ? &run->target.suite : NULL, &run->report->machine);
    if (!run->target.is_suite)
        result = fate_check_newest(&run->drive_options, run->target.customers.newest, err);
    else
        result = open_log(run, err);
    return result;
}

static void run_close(struct run *run)
{
    drive_free(run->drive);
    facts_in_free(run->facts);
    watch_free(run->watch);
    measure_free(run->measure);
    fates_free(run->fates);
    if (run->history)
        fclose(run->history);
    load_report_free(run->report);
}

/* --- the loop ------------------------------------------------------------------------------------ */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void tick(struct run *run, int64_t now_ns)
{
    if (now_ns < run->next_tick_ns)
        return;
    struct load_sample *sample = measure_tick(run->measure, now_ns);
    sample->in_flight = (int64_t)drive_in_flight(run->drive);
    if (run->watch)
        watch_sample(run->watch, &run->report->series, sample);
    if (run->history)
        fflush(run->history); /* for those who read along */
    if (!run->settings->quiet && isatty(STDERR_FILENO))
        summary_progress(run->report, sample);
    while (run->next_tick_ns <= now_ns)
        run->next_tick_ns += second_ns;
}

/* Sleeps until something is to do, and does it. */
static void turn(struct run *run)
{
    struct pollfd fds[2] = {{.fd = drive_fd(run->drive), .events = POLLIN},
                            {.fd = -1, .events = POLLIN}};
    int64_t deadline_ns = earlier(drive_deadline_ns(run->drive), run->next_tick_ns);
    if (run->facts) {
        fds[1].fd = facts_in_fd(run->facts);
        deadline_ns = earlier(deadline_ns, facts_in_deadline_ns(run->facts));
    }
    int64_t left_ns = deadline_ns - wire_now_ns();
    struct timespec wait = {.tv_sec = left_ns > 0 ? left_ns / second_ns : 0,
                            .tv_nsec = left_ns > 0 ? left_ns % second_ns : 0};
    (void)ppoll(fds, 2, &wait, &run->waiting); /* an interruption is seen below, or by our caller */
    if (run->facts)
        facts_in_run(run->facts);
    if (run->watch)
        watch_log_offset(run->watch, facts_in_offset(run->facts));
    drive_run(run->drive);
    tick(run, wire_now_ns());
    if (interrupts > 0 && run->interrupts_heard == 0) {
        run->interrupts_heard = 1;
        run->report->identity.interrupted = true;
        drive_stop(run->drive);
    }
}

/* With a bound: the first phase that has broken it is the last one. */
static void stop_when_broken(struct run *run)
{
    size_t phase = drive_phase(run->drive);
    if (run->report->limit.bound_us == 0 || phase >= run->report->plan.phase_count)
        return;
    for (size_t i = 0; i < phase; i++)
        if (measure_phase_broken(run->measure, i, run->report->limit.bound_us))
            drive_stop(run->drive);
}

static void note_schedule_end(struct run *run)
{
    if (run->scheduled_ns != 0 || !drive_schedule_over(run->drive))
        return;
    struct load_report *report = run->report;
    run->scheduled_ns = wire_now_ns();
    int64_t lasted_ns = run->scheduled_ns - measure_begun_ns(run->measure);
    int64_t planned_ns = schedule_duration_ns(&run->settings->plan);
    report->identity.duration_us = earlier(lasted_ns, planned_ns) / 1000;
    report->generator.cpu_milli =
        (watch_own_cpu_us() - run->cpu_before_us) * 1000 / (lasted_ns / 1000 + 1);
    if (run->facts)
        report->after.backlog_at_end = measure_unsettled(run->measure);
}

static void load(struct run *run)
{
    int64_t now_ns = wire_now_ns();
    run->report->identity.started_ms = clock_wall_ms(clock_system());
    run->report->identity.begun_ns = now_ns;
    run->cpu_before_us = watch_own_cpu_us();
    run->next_tick_ns = now_ns + second_ns;
    measure_begin(run->measure, now_ns);
    drive_begin(run->drive, now_ns);
    while (!drive_idle(run->drive) && !hurry) {
        turn(run);
        note_schedule_end(run);
        stop_when_broken(run);
    }
    note_schedule_end(run);
}

/* Until the log has told of every order, and of every notification. */
static bool drained(const struct run *run, int64_t now_ns)
{
    if (measure_unsettled(run->measure) > 0)
        return false;
    const struct load_totals *totals = &run->report->totals;
    return totals->notified >= totals->settled ||
           now_ns - measure_last_settled_ns(run->measure) > NOTIFIED_MS * (int64_t)MS;
}

int64_t run_patience_ends_ns(const struct run *run)
{
    return run->scheduled_ns + run->settings->settle_s * second_ns;
}

/* What makes the settled and the notified fewer than they were. */
static void tell_of_log(const struct run *run)
{
    const char *reason;
    if (!facts_in_up(run->facts, &reason))
        fprintf(stderr, "warren load: the log of facts cannot be read: %s\n", reason);
    if (facts_in_unreadable(run->facts) > 0)
        fprintf(stderr, "warren load: %" PRId64 " messages of the log are no facts\n",
                facts_in_unreadable(run->facts));
}

static void drain(struct run *run)
{
    while (run->facts && !drained(run, wire_now_ns()) && !hurry &&
           wire_now_ns() < run_patience_ends_ns(run))
        turn(run);
    if (run->facts)
        tell_of_log(run);
    if (!run->facts || measure_unsettled(run->measure) > 0)
        return;
    int64_t last_ns = measure_last_settled_ns(run->measure);
    run->report->after.drain_us =
        last_ns > run->scheduled_ns ? (last_ns - run->scheduled_ns) / 1000 : 0;
}

static int exit_code_of(enum result result)
{
    if (result == RETRY || result == NOT_FOUND)
        return CLI_UNREACHABLE;
    return result == INVALID ? CLI_USAGE : CLI_MACHINE;
}

int run_load(const struct settings *settings, const char *command)
{
    struct err err = {""};
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        abort();
    run->settings = settings;
    run->report = load_report_new();
    fill_plan(settings, run->report, command);
    raise_file_limit();
    int status;
    enum result result = run_open(run, &err);
    if (result == OK) {
        take_signals(run);
        load(run);
        drain(run);
        status = settings->crowd ? run_conclude_crowd(run) : run_conclude(run, &hurry);
    } else {
        fprintf(stderr, "warren load: %s\n", err.text);
        status = exit_code_of(result);
    }
    run_close(run);
    free(run);
    return status;
}
