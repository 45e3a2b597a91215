#include "cli/chaos_faults.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/broker_tool.h"
#include "cli/chaos_broker.h"
#include "cli/chaos_clock.h"
#include "cli/chaos_disk.h"
#include "cli/chaos_watch.h"
#include "cli/fake_clock.h"
#include "cli/files.h"
#include "cli/ready.h"
#include "cli/supervisor.h"

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
    int64_t end = watch_now_ms() + WATCH_PRESENT_MS;
    pid_t pid;
    while ((pid = running_pid(http, suite, program)) == 0 && watch_now_ms() < end)
        watch_pause_ms(WATCH_LOOK_MS);
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
    fault->reached = watch_until(is_dead, &pid, WATCH_SEEN_MS);
    fake_clock_forget(pid);
    watch_pause_ms(fault->hold_ms);
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
    fault->reached = watch_until(is_stopped, &pid, WATCH_SEEN_MS);
    watch_pause_ms(fault->hold_ms);
    (void)kill(pid, SIGCONT);
}

/* --- the node's own tool -------------------------------------------------------------------- */

/* It is a node of its own, which has to come up first, on a machine under load. */
static bool ctl(const struct suite *suite, const char *const *words, struct err *err)
{
    enum { TRIES = 3 };
    for (int i = 0; i < TRIES; i++) {
        if (i > 0)
            watch_pause_ms(1000);
        if (broker_tool(suite, words, err) == OK)
            return true;
    }
    return false;
}

static void ctl_complaint(const struct err *err, const char *vain, char why[CHAOS_WHY_SIZE])
{
    snprintf(why, CHAOS_WHY_SIZE, "%s: %.150s", vain, err->text[0] ? err->text : "no broker");
}

static bool await_broker(struct http *http, const struct suite *suite)
{
    int64_t end = watch_now_ms() + WATCH_PRESENT_MS;
    cJSON *json = NULL;
    while (ready_management(http, suite, "overview", &json, NULL) != OK) {
        if (watch_now_ms() >= end)
            return false;
        watch_pause_ms(200);
    }
    cJSON_Delete(json);
    return true;
}

static const char *const *const clear_alarms[] = {
    (const char *const[]){"set_vm_memory_high_watermark", "0.6", NULL},
    (const char *const[]){"set_disk_free_limit", "200MB", NULL},
};

/* Raised and cleared by one call: the node clears it by itself, for the tool takes seconds to start, and
 * on a busy machine more of them than a customer has patience. */
static const struct {
    const char *raise, *clear; /* Erlang; the latter as arguments of apply */
} alarms[] = {
    {"vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1000000})",
     "vm_memory_monitor, set_vm_memory_high_watermark, [0.6]"},
    {"rabbit_disk_monitor:set_disk_free_limit(\"900000GB\")",
     "rabbit_disk_monitor, set_disk_free_limit, [\"200MB\"]"},
};

static void alarm_broker(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                         char *what)
{
    snprintf(what, CHAOS_WHY_SIZE, "%s, %lld ms", fault->target == 0 ? "memory" : "disk",
             (long long)fault->hold_ms);
    char command[300];
    snprintf(command, sizeof command, "%s, {ok, _} = timer:apply_after(%lld, %s), ok.",
             alarms[fault->target].raise, (long long)fault->hold_ms, alarms[fault->target].clear);
    const char *const words[] = {"eval", command, NULL};
    struct err err = {""};
    bool there = await_broker(http, suite);
    struct log_mark set = watch_mark_log(suite, "rabbitmq-server-1", "resource limit alarm set");
    struct log_mark cleared =
        watch_mark_log(suite, "rabbitmq-server-1", "resource limit alarm cleared");
    if (!there || !ctl(suite, words, &err)) {
        ctl_complaint(&err, "the limit cannot be set", fault->why);
        return;
    }
    fault->reached = watch_until(watch_log_says, &set, WATCH_SEEN_MS);
    if (!fault->reached)
        snprintf(fault->why, sizeof fault->why, "the node raises no alarm");
    if (!watch_until(watch_log_says, &cleared, fault->hold_ms + WATCH_SEEN_MS))
        (void)ctl(suite, clear_alarms[fault->target], NULL);
}

/* Who is not connected has nothing to lose. */
static bool await_connected(struct http *http, const struct suite *suite)
{
    int64_t end = watch_now_ms() + WATCH_PRESENT_MS;
    while (ready_service(http, suite->base_port + PORT_ORDER, NULL) != OK) {
        if (watch_now_ms() >= end)
            return false;
        watch_pause_ms(WATCH_LOOK_MS);
    }
    return true;
}

static void reset_connections(struct http *http, const struct suite *suite,
                              struct chaos_fault *fault, char *what)
{
    static const char *const words[] = {"close_all_connections", "--vhost", BROKER_VHOST, "chaos",
                                        NULL};
    struct err err = {""};
    snprintf(what, CHAOS_WHY_SIZE, "every connection");
    bool there = await_broker(http, suite) && await_pid(http, suite, "order-service-1") != 0 &&
                 await_connected(http, suite);
    struct log_mark down = watch_mark_log(suite, "order-service-1", "bus-down");
    if (!there || !ctl(suite, words, &err)) {
        ctl_complaint(&err, "they cannot be closed", fault->why);
        return;
    }
    fault->reached = watch_until(watch_log_says, &down, WATCH_SEEN_MS);
    if (!fault->reached)
        snprintf(fault->why, sizeof fault->why, "order-service-1 did not lose its connection");
    watch_pause_ms(fault->hold_ms);
}

/* --- all --------------------------------------------------------------------------------------- */

void chaos_inject(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                  char what[CHAOS_WHY_SIZE])
{
    char service[64];
    snprintf(service, sizeof service, "%s-1",
             suite_services[fault->target % suite_service_count].name);
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
    case CHAOS_CLOCK:
        chaos_clock(http, suite, fault, what);
        return;
    case CHAOS_DISK_FULL:
        chaos_disk_full(suite, fault, what);
        return;
    case CHAOS_UNBIND:
        chaos_unbind(http, suite, fault, what);
        return;
    case CHAOS_DELETE:
        chaos_delete(http, suite, fault, what);
        return;
    case CHAOS_PURGE:
        chaos_purge(http, suite, fault, what);
        return;
    case CHAOS_BROKER_DISK:
        if (await_broker(http, suite))
            chaos_broker_disk_full(http, suite, fault, what);
        else
            snprintf(fault->why, sizeof fault->why, "the broker does not run");
        return;
    case CHAOS_KINDS:
        break;
    }
    abort();
}

void chaos_heal(struct http *http, const struct suite *suite)
{
    struct supervisor_list list;
    chaos_disk_heal(suite);
    chaos_clock_heal(suite);
    if (supervisor_list(http, suite, &list, NULL) != OK)
        return;
    for (size_t i = 0; i < list.count; i++) {
        if (list.programs[i].pid > 0)
            (void)kill(list.programs[i].pid, SIGCONT);
    }
    if (!await_broker(http, suite))
        return;
    chaos_broker_heal(suite);
    for (size_t i = 0; i < sizeof clear_alarms / sizeof clear_alarms[0]; i++)
        (void)ctl(suite, clear_alarms[i], NULL);
}
