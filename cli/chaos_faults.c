#include "cli/chaos_faults.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/ready.h"
#include "cli/supervisor.h"
#include "common/base/clock.h"

#define CTL "/usr/lib/rabbitmq/bin/rabbitmqctl"

enum { PRESENT_MS = 60000, SEEN_MS = 15000, LOOK_MS = 50 };

static int64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static void pause_ms(int64_t ms)
{
    poll(NULL, 0, (int)ms);
}

/* Whether `look` comes true within that time. */
static bool comes_true(bool (*look)(const void *context), const void *context, int64_t patience_ms)
{
    int64_t end = now_ms() + patience_ms;
    while (!look(context)) {
        if (now_ms() >= end)
            return false;
        pause_ms(LOOK_MS);
    }
    return true;
}

/* --- processes -------------------------------------------------------------------------- */

static pid_t running_pid(struct http *http, const struct suite *suite, const char *program)
{
    struct supervisor_list list;
    if (supervisor_list(http, suite, &list, NULL) != OK)
        return 0;
    const struct supervisor_program *found = supervisor_find(&list, program);
    return found && found->state == SUPERVISOR_RUNNING ? found->pid : 0;
}

/* It may be on its way back from the fault before. */
static pid_t await_pid(struct http *http, const struct suite *suite, const char *program)
{
    int64_t end = now_ms() + PRESENT_MS;
    pid_t pid;
    while ((pid = running_pid(http, suite, program)) == 0 && now_ms() < end)
        pause_ms(LOOK_MS);
    return pid;
}

/* As the kernel says: 'T' stopped, 'Z' dead, 0 gone. */
static char process_state(pid_t pid)
{
    char path[64];
    char text[256];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *end = strrchr(text, ')');
    return end && end[1] ? end[2] : 0;
}

static bool is_dead(const void *context)
{
    char state = process_state(*(const pid_t *)context);
    return state == 0 || state == 'Z' || state == 'X';
}

static bool is_stopped(const void *context)
{
    return process_state(*(const pid_t *)context) == 'T';
}

static void kill_program(struct http *http, const struct suite *suite, const char *program,
                         struct chaos_fault *fault, char *what)
{
    pid_t pid = await_pid(http, suite, program);
    snprintf(what, CHAOS_WHY_SIZE, "%s, pid %ld", program, (long)pid);
    if (pid == 0 || kill(pid, SIGKILL) != 0) {
        snprintf(fault->why, sizeof fault->why, "it does not run");
        return;
    }
    fault->reached = comes_true(is_dead, &pid, SEEN_MS);
    pause_ms(fault->hold_ms);
}

static void stop_program(struct http *http, const struct suite *suite, const char *program,
                         struct chaos_fault *fault, char *what)
{
    pid_t pid = await_pid(http, suite, program);
    snprintf(what, CHAOS_WHY_SIZE, "%s, pid %ld, %lld ms", program, (long)pid,
             (long long)fault->hold_ms);
    if (pid == 0 || kill(pid, SIGSTOP) != 0) {
        snprintf(fault->why, sizeof fault->why, "it does not run");
        return;
    }
    fault->reached = comes_true(is_stopped, &pid, SEEN_MS);
    pause_ms(fault->hold_ms);
    (void)kill(pid, SIGCONT);
}

/* --- the node's own tool -------------------------------------------------------------------- */

static void set_variable(void *context, const char *name, const char *value)
{
    (void)context;
    (void)setenv(name, value, 1);
}

static void ctl_exec(const struct suite *suite, const char *const *arguments)
{
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; null >= 0 && fd < 3; fd++)
        dup2(null, fd);
    broker_environment(suite, set_variable, NULL);
    execv(CTL, (char *const *)arguments);
    _exit(127);
}

static bool ctl(const struct suite *suite, const char *const *arguments)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        ctl_exec(suite, arguments);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool await_broker(struct http *http, const struct suite *suite)
{
    int64_t end = now_ms() + PRESENT_MS;
    cJSON *json = NULL;
    while (ready_management(http, suite, "overview", &json, NULL) != OK) {
        if (now_ms() >= end)
            return false;
        pause_ms(200);
    }
    cJSON_Delete(json);
    return true;
}

/* --- proof in a log ------------------------------------------------------------------------- */

struct log_mark {
    const char *text; /* what is looked for */
    struct suite_path path;
    off_t from;
};

static struct log_mark mark_log(const struct suite *suite, const char *program, const char *text)
{
    struct stat info;
    struct log_mark mark = {.text = text, .path = suite_path(suite, "log/%s.log", program)};
    mark.from = stat(mark.path.text, &info) == 0 ? info.st_size : 0;
    return mark;
}

/* Since the mark was made. A log that was rotated meanwhile is read from its beginning. */
static bool log_says(const void *context)
{
    const struct log_mark *mark = context;
    struct stat info;
    char line[4096];
    bool found = false;
    FILE *file = fopen(mark->path.text, "re");
    if (!file)
        return false;
    if (fstat(fileno(file), &info) == 0 && info.st_size >= mark->from)
        (void)fseeko(file, mark->from, SEEK_SET);
    while (!found && fgets(line, sizeof line, file))
        found = strstr(line, mark->text) != NULL;
    fclose(file);
    return found;
}

static const char *const *const clear_alarms[] = {
    (const char *const[]){CTL, "set_vm_memory_high_watermark", "0.6", NULL},
    (const char *const[]){CTL, "set_disk_free_limit", "200MB", NULL},
};
static const char *const *const raise_alarms[] = {
    (const char *const[]){CTL, "set_vm_memory_high_watermark", "absolute", "1MB", NULL},
    (const char *const[]){CTL, "set_disk_free_limit", "900TB", NULL},
};

static void alarm_broker(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                         char *what)
{
    snprintf(what, CHAOS_WHY_SIZE, "%s, %lld ms", fault->target == 0 ? "memory" : "disk",
             (long long)fault->hold_ms);
    bool there = await_broker(http, suite);
    struct log_mark set = mark_log(suite, "rabbitmq-server-1", "resource limit alarm set");
    if (!there || !ctl(suite, raise_alarms[fault->target])) {
        snprintf(fault->why, sizeof fault->why, "rabbitmqctl cannot set the limit");
        return;
    }
    fault->reached = comes_true(log_says, &set, SEEN_MS);
    if (!fault->reached)
        snprintf(fault->why, sizeof fault->why, "the node raises no alarm");
    pause_ms(fault->hold_ms);
    for (int tries = 0; tries < 3 && !ctl(suite, clear_alarms[fault->target]); tries++)
        pause_ms(1000);
}

static void reset_connections(struct http *http, const struct suite *suite,
                              struct chaos_fault *fault, char *what)
{
    static const char *const arguments[] = {
        CTL, "close_all_connections", "--vhost", "warren", "chaos", NULL};
    snprintf(what, CHAOS_WHY_SIZE, "every connection");
    bool there = await_broker(http, suite) && await_pid(http, suite, "order-service-1") != 0;
    struct log_mark down = mark_log(suite, "order-service-1", "bus-down");
    if (!there || !ctl(suite, arguments)) {
        snprintf(fault->why, sizeof fault->why, "rabbitmqctl cannot close them");
        return;
    }
    fault->reached = comes_true(log_says, &down, SEEN_MS);
    if (!fault->reached)
        snprintf(fault->why, sizeof fault->why, "order-service-1 did not lose its connection");
    pause_ms(fault->hold_ms);
}

/* --- all --------------------------------------------------------------------------------------- */

void chaos_inject(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                  char what[CHAOS_WHY_SIZE])
{
    char service[64];
    snprintf(service, sizeof service, "%s-1", suite_services[fault->target].name);
    switch (fault->kind) {
    case CHAOS_KILL:
        kill_program(http, suite, service, fault, what);
        return;
    case CHAOS_STOP:
        stop_program(http, suite, service, fault, what);
        return;
    case CHAOS_BROKER_KILL:
        kill_program(http, suite, "rabbitmq-server-1", fault, what);
        return;
    case CHAOS_BROKER_STOP:
        stop_program(http, suite, "rabbitmq-server-1", fault, what);
        return;
    case CHAOS_ALARM:
        alarm_broker(http, suite, fault, what);
        return;
    case CHAOS_RESET:
        reset_connections(http, suite, fault, what);
        return;
    case CHAOS_KINDS:
        break;
    }
    abort();
}

void chaos_heal(struct http *http, const struct suite *suite)
{
    struct supervisor_list list;
    if (supervisor_list(http, suite, &list, NULL) != OK)
        return;
    for (size_t i = 0; i < list.count; i++) {
        if (list.programs[i].pid > 0)
            (void)kill(list.programs[i].pid, SIGCONT);
    }
    if (!await_broker(http, suite))
        return;
    for (size_t i = 0; i < sizeof clear_alarms / sizeof clear_alarms[0]; i++)
        (void)ctl(suite, clear_alarms[i]);
}
