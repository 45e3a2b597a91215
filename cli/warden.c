/* warren-warden: looks after the suite's own node, as a program of the supervisor's. A node that dies
 * the supervisor starts again; one that is up and useless it takes for well. This program asks the
 * node every few seconds, and ends one that has been useless for too long (docs/adr/0018).
 *
 * It also compares the broker with the tables, and writes for the services, which may not look
 * themselves, what is missing and which policies lose messages (docs/adr/0021, 0029). With --watch it does
 * that alone: the node is somebody else's.
 *
 * A node whose disk has become full is ended at once: it takes nothing from anybody any more, and what it
 * writes of itself has holes from now on.
 *
 * With --start it becomes the node itself, once the disk has room: one that starts on a full disk
 * writes its books anew to where there is no room, and may be lost for good. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/bindings.h"
#include "cli/broker.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/http.h"
#include "cli/node_state.h"
#include "cli/supervisor.h"
#include "cli/topology.h"
#include "common/base/clock.h"
#include "common/base/options.h"
#include "common/telemetry/log.h"

enum {
    BINDINGS_EVERY_MS = 2000,
    LOOK_EVERY_MS = 5000,
    PATIENCE_MS = 15000, /* a node that starts answers the same, for 3 s or so */
    SOON_MAX = 3, /* restarts in a row before it waits: the second may help (docs/adr/0018) */
    AGAIN_MS = 5 * 60 * 1000,
    AGAIN_MOST_MS = 60 * 60 * 1000,
    END_MS = 20000, /* from TERM to KILL */
    ROOM_EVERY_MS = 500,
    FULL_EVERY_MS =
        100, /* a look costs a microsecond, and each moment on a full disk may cost the log */
    FULL_MB = 16,
};

struct warden {
    struct suite suite;
    struct http *http;
    struct log log;
    int64_t useless_since_ms; /* monotonic; 0: it is not */
    int64_t next_ms;          /* no restart before */
    int64_t again_ms;
    int restarts;                     /* since it was of use */
    struct topology_verdict bindings; /* as they were last */
};

static struct {
    struct suite_options where;
    bool start, watch;
} arguments;

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "start",
     .kind = OPTION_FLAG,
     .value = &arguments.start,
     .help = "become the node, once the disk has room"},
    {.name = "watch",
     .kind = OPTION_FLAG,
     .value = &arguments.watch,
     .help = "only look: the node is somebody else's"},
};

static const struct options options = {
    .program = "warren-warden",
    .synopsis = "[--start | --watch]",
    .about = "Looks after the suite's own broker: restarts it when it is up and useless, and "
             "writes down "
             "what of the topology is missing. Started by the suite's supervisor.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

static void pause_ms(int64_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static int64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static pid_t node_pid(const struct warden *warden)
{
    struct supervisor_list list;
    if (supervisor_list(warden->http, &warden->suite, &list, NULL) != OK)
        return 0;
    const struct supervisor_program *node = supervisor_find(&list, "rabbitmq-server-1");
    return node && node->state == SUPERVISOR_RUNNING ? node->pid : 0;
}

static void write_down(const struct warden *warden, const char *why)
{
    struct err err = {""};
    struct node_restarts restarts;
    node_restarts_read(&warden->suite, &restarts);
    restarts.count++;
    restarts.last_ms = clock_wall_ms(clock_system());
    snprintf(restarts.why, sizeof restarts.why, "%.150s", why);
    if (node_restarts_write(&warden->suite, &restarts, &err) != OK)
        LOG_EVENT(&warden->log, LOG_WARNING, "broker-restart-not-written",
                  LOG_TEXT("reason", err.text));
}

/* Its end is all that is needed: the supervisor starts what dies, unless it was told to stop it. */
static void end_node(const struct warden *warden, pid_t pid)
{
    int64_t end_ms = now_ms() + END_MS;
    (void)kill(pid, SIGTERM);
    while (node_pid(warden) == pid && now_ms() < end_ms)
        pause_ms(200);
    if (node_pid(warden) == pid)
        (void)kill(pid, SIGKILL);
}

static void restart(struct warden *warden, pid_t pid, const char *why)
{
    LOG_EVENT(&warden->log, LOG_ERROR, "broker-restarted", LOG_TEXT("reason", why),
              LOG_NUMBER("pid", pid));
    write_down(warden, why);
    end_node(warden, pid);
    warden->useless_since_ms = 0;
    if (++warden->restarts < SOON_MAX)
        return;
    warden->next_ms = now_ms() + warden->again_ms;
    warden->again_ms = 2 * warden->again_ms < AGAIN_MOST_MS ? 2 * warden->again_ms : AGAIN_MOST_MS;
}

static void is_useless(struct warden *warden, pid_t pid, const char *why)
{
    int64_t now = now_ms();
    if (warden->useless_since_ms == 0) {
        warden->useless_since_ms = now;
        LOG_EVENT(&warden->log, LOG_WARNING, "broker-useless", LOG_TEXT("reason", why));
    }
    if (now - warden->useless_since_ms < PATIENCE_MS || now < warden->next_ms)
        return;
    if (node_has_room(&warden->suite, BROKER_ROOM_MB)) /* else it would not come up again */
        restart(warden, pid, why);
}

static void look(struct warden *warden)
{
    struct err err = {""};
    pid_t pid = node_pid(warden);
    if (pid == 0) {
        warden->useless_since_ms = 0;
        return;
    }
    switch (node_ask(&warden->suite, topology_tables, topology_count, &err)) {
    case OK:
        warden->useless_since_ms = 0;
        warden->again_ms = AGAIN_MS;
        warden->restarts = 0;
        return;
    case REFUSED:
        is_useless(warden, pid, err.text);
        return;
    default: /* it says nothing: neither well nor useless */
        return;
    }
}

/* And not yet, or again, the one that waits for room. */
static bool is_the_node(pid_t pid)
{
    char path[64];
    char name[32] = "";
    snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
    return file_read(path, name, sizeof name, NULL) == OK && strncmp(name, "beam", 4) == 0;
}

static void end_on_full_disk(struct http *http, const struct warden *warden, pid_t *ended)
{
    struct supervisor_list list;
    if (supervisor_list(http, &warden->suite, &list, NULL) != OK)
        return;
    const struct supervisor_program *node = supervisor_find(&list, "rabbitmq-server-1");
    if (!node || node->pid <= 0 || !is_the_node(node->pid))
        return;
    if (node->pid != *ended)
        LOG_EVENT(&warden->log, LOG_ERROR, "broker-disk-full", LOG_NUMBER("pid", node->pid));
    *ended = node->pid;             /* the supervisor takes a moment to notice */
    (void)kill(node->pid, SIGKILL); /* to end in order it would have to write */
}

/* A thread of its own, for the others' looks may wait for a node that says nothing. */
static void *watch_disk(void *context)
{
    const struct warden *warden = context;
    struct http *http = http_new();
    pid_t ended = 0;
    for (;; pause_ms(FULL_EVERY_MS))
        if (!node_has_room(&warden->suite, FULL_MB))
            end_on_full_disk(http, warden, &ended);
    return NULL;
}

static int become_node(const struct warden *warden)
{
    static const char *const words[] = {BROKER_SERVER, NULL};
    bool told = false;
    while (!node_has_room(&warden->suite, BROKER_ROOM_MB)) {
        if (!told)
            LOG_EVENT(&warden->log, LOG_WARNING, "broker-waits-for-room",
                      LOG_NUMBER("mb", BROKER_ROOM_MB));
        told = true;
        pause_ms(ROOM_EVERY_MS);
    }
    execv(BROKER_SERVER, (char *const *)words);
    fprintf(stderr, "warren-warden: %s: %s\n", BROKER_SERVER, strerror(errno));
    return CLI_MACHINE;
}

int main(int argc, char **argv)
{
    if (options_parse(&options, argc, argv) != argc) {
        fprintf(stderr, "warren-warden: unexpected argument\n");
        return CLI_USAGE;
    }
    struct warden warden = {.suite = suite_resolve_or_exit(options.program, &arguments.where),
                            .again_ms = AGAIN_MS};
    warden.log = (struct log){clock_system(), "warden", 1, LOG_INFO, STDOUT_FILENO};
    if (arguments.start)
        return become_node(&warden);
    warden.http = http_new();
    LOG_EVENT(&warden.log, LOG_INFO, "started", LOG_NUMBER("pid", getpid()));
    pthread_t watcher;
    if (!arguments.watch && pthread_create(&watcher, NULL, watch_disk, &warden) != 0) {
        fprintf(stderr, "warren-warden: no thread\n");
        return CLI_MACHINE;
    }
    for (int64_t next_ms = 0;; pause_ms(BINDINGS_EVERY_MS)) {
        bindings_watch(warden.http, &warden.suite, &warden.log, &warden.bindings);
        if (arguments.watch || now_ms() < next_ms)
            continue;
        look(&warden);
        next_ms = now_ms() + LOOK_EVERY_MS;
    }
}
