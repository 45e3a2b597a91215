#include "cli/stop.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/process.h"
#include "cli/supervisor.h"

enum { LOOK_EVERY_MS = 50, STAGE_PATIENCE_MS = 30000, LEFT_MAX = 256 };

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Front to back: who takes orders stops before who works on them, the broker last. */
static int stage_of(const char *program)
{
    if (starts_with(program, "edge-service-"))
        return 0;
    if (starts_with(program, "rabbitmq-server-"))
        return 2;
    if (starts_with(program, "epmd-"))
        return 3;
    return 1;
}

static bool is_down(const struct supervisor_program *program)
{
    return program->state == SUPERVISOR_STOPPED || program->state == SUPERVISOR_EXITED ||
           program->state == SUPERVISOR_FATAL;
}

static size_t count_up(const struct supervisor_list *list, int stage)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (stage_of(list->programs[i].name) == stage && !is_down(&list->programs[i]))
            count++;
    return count;
}

static enum result stop_stage(struct http *http, const struct suite *suite,
                              struct progress *progress, int stage, struct err *err)
{
    static const char *const names[] = {"edge", "services", "broker", "epmd"};
    struct supervisor_list list;
    enum result result = supervisor_list(http, suite, &list, err);
    if (result != OK || count_up(&list, stage) == 0)
        return result;
    progress_step(progress, names[stage]);
    for (size_t i = 0; i < list.count && result == OK; i++) {
        if (stage_of(list.programs[i].name) != stage || is_down(&list.programs[i]))
            continue;
        result = supervisor_stop(http, suite, list.programs[i].name, err);
        if (result == DUPLICATE)
            result = OK;
    }
    while (result == OK) {
        result = supervisor_list(http, suite, &list, err);
        if (result == OK && count_up(&list, stage) == 0)
            break;
        if (result == OK)
            result = progress_pause(progress, LOOK_EVERY_MS, STAGE_PATIENCE_MS, NULL, err);
    }
    if (result == OK)
        progress_done(progress, "stopped");
    return result;
}

/* What a supervisor that died has left behind, or a child that left its group. */
static enum result end_marked(const struct suite *suite, struct progress *progress, int patience_ms,
                              int signal_number, struct err *err)
{
    struct process_entry left[LEFT_MAX];
    enum result result = OK;
    size_t count = process_of_suite(suite, left, LEFT_MAX);
    for (size_t i = 0; i < count && signal_number != 0; i++)
        kill(left[i].pid, signal_number);
    progress_step(progress, "processes left");
    while (count > 0 && result == OK) {
        result = progress_pause(progress, LOOK_EVERY_MS, patience_ms, NULL, err);
        count = process_of_suite(suite, left, LEFT_MAX);
    }
    if (count > 0)
        return err_set(err, FATAL, "%zu processes are left, the first is %s, pid %d", count,
                       left[0].name, (int)left[0].pid);
    return OK;
}

/* `up` makes it again. */
static void plain_home_remove(const struct suite *suite)
{
    struct suite_path link = suite_plain_home(suite);
    if (strcmp(link.text, suite->home) == 0)
        return;
    (void)unlink(link.text);
    *strrchr(link.text, '/') = '\0';
    (void)rmdir(link.text);
}

enum result suite_stop(struct http *http, const struct suite *suite, struct progress *progress,
                       struct err *err)
{
    enum { QUIET_MS = 5000, TERM_MS = 15000, KILL_MS = 5000 };
    struct process_entry any;
    bool running = process_of_suite(suite, &any, 1) > 0;
    enum result result = OK;
    for (int stage = 0; stage <= 3 && result == OK; stage++)
        result = stop_stage(http, suite, progress, stage, err);
    if (result != NOT_FOUND)
        result = supervisor_shutdown(http, suite, err);
    if (!running)
        return NOT_FOUND;
    int signals[] = {result == OK ? 0 : SIGTERM, SIGTERM, SIGKILL};
    int waits[] = {QUIET_MS, TERM_MS, KILL_MS};
    result = FATAL;
    for (int i = 0; i < 3 && result != OK; i++)
        result = end_marked(suite, progress, waits[i], signals[i], err);
    if (result == OK)
        plain_home_remove(suite);
    return result;
}
