#include "cli/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bindings.h"
#include "cli/broker.h"
#include "cli/fake_clock.h"
#include "cli/files.h"
#include "cli/node_state.h"
#include "cli/preflight.h"
#include "cli/ready.h"
#include "cli/refusal.h"
#include "cli/seed.h"
#include "cli/topology.h"
#include "common/messaging/amqp_link.h"
#include "edge-service/edge.h"

enum {
    LOOK_EVERY_MS = 50,
    LOG_PATIENCE_MS = 100000, /* the services' own (bus_amqp_options), and a bit */
};

static void show_tail(const struct suite *suite, const char *name)
{
    enum { LINES = 15 };
    struct buf text = {0};
    struct suite_path path = suite_path(suite, "log/%s.log", name);
    if (file_load(path.text, &text, NULL) == OK && text.size > 0) {
        const char *at = text.data + text.size - 1;
        for (int lines = 0; at > text.data && lines <= LINES; at--)
            lines += at[-1] == '\n';
        fprintf(stderr, "--- the end of %s\n%s---\n", path.text, at);
    }
    buf_release(&text);
}

/* --- before anything runs --------------------------------------------------------- */

static enum result step_machine(struct start *start, struct err *err)
{
    struct buf findings = {0};
    size_t count = preflight(start->suite, start->plan, &findings);
    if (count > 0) {
        fprintf(stderr, "warren up: cannot start:\n");
        for (char *line = findings.data; *line;) {
            size_t size = strcspn(line, "\n");
            fprintf(stderr, "  - %.*s\n", (int)size, line);
            line += size + (line[size] == '\n');
        }
        err->text[0] = '\0';
    }
    buf_release(&findings);
    return count > 0 ? FATAL : OK;
}

/* The directory that the path is in: outside the home anybody might have made it. */
static enum result parent_make(struct suite_path path, struct err *err)
{
    struct stat there;
    *strrchr(path.text, '/') = '\0';
    enum result result = directory_make(path.text, err);
    if (result == OK && (lstat(path.text, &there) != 0 || there.st_uid != getuid() ||
                         (there.st_mode & 0077) != 0 || !S_ISDIR(there.st_mode)))
        result = err_set(err, FATAL, "%s is not a directory of our own", path.text);
    return result;
}

static enum result plain_home_make(const struct suite *suite, struct err *err)
{
    struct suite_path link = suite_plain_home(suite);
    if (strcmp(link.text, suite->home) == 0)
        return OK;
    enum result result = parent_make(link, err);
    if (result != OK)
        return result;
    (void)unlink(link.text); /* what is left of another time */
    if (symlink(suite->home, link.text) != 0)
        return err_set(err, FATAL, "%s: %s", link.text, strerror(errno));
    return OK;
}

static enum result make_directories(const struct suite *suite, struct err *err)
{
    static const char *const names[] = {"run", "log", "store", "provider"};
    enum result result = OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && result == OK; i++)
        result = directory_make(suite_path(suite, "%s", names[i]).text, err);
    if (result != OK)
        return result;
    struct suite_path socket = suite_socket(suite);
    result = parent_make(socket, err);
    return result == OK ? plain_home_make(suite, err) : result;
}

/* For the commands that come later: status, audit. */
static enum result write_url(struct start *start, struct err *err)
{
    const char *const lines[][2] = {{"secrets/amqp-url", start->plan->amqp_url},
                                    {"secrets/amqp-ca", start->plan->amqp_ca},
                                    {MANAGEMENT_URL_FILE, start->plan->management_url}};
    enum result result = OK;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0] && result == OK; i++) {
        struct suite_path path = suite_path(start->suite, "%s", lines[i][0]);
        if (lines[i][1])
            result = file_write(path.text, lines[i][1], strlen(lines[i][1]), err);
        else
            unlink(path.text);
    }
    return result;
}

static enum result step_files(struct start *start, struct err *err)
{
    const struct suite *suite = start->suite;
    struct buf config = {0};
    char port[16];
    int size = snprintf(port, sizeof port, "%d", suite->base_port);
    enum result result = broker_make_secrets(suite, clock_system(), err);
    node_restarts_forget(suite);
    if (result == OK)
        result = write_url(start, err);
    if (result == OK && !start->plan->amqp_url)
        result = broker_configure(suite, clock_system(), topology_tables, topology_count, err);
    if (result == OK)
        result = fake_clock_prepare(suite, start->plan->faketime ? start->plan->instances : 0, err);
    if (result == OK)
        result = supervisor_write_config(suite, start->plan, &config, err);
    if (result == OK)
        result = file_write(suite_path(suite, "run/supervisord.conf").text, config.data,
                            config.size, err);
    if (result == OK && start->plan->log_max_bytes > 0)
        result = topology_set_log_max(suite, start->plan->log_max_bytes, err);
    if (result == OK)
        result = file_write(suite_path(suite, "run/base-port").text, port, (size_t)size, err);
    buf_release(&config);
    return result;
}

/* --- running ----------------------------------------------------------------------- */

static enum result step_supervisor(struct start *start, struct err *err)
{
    struct supervisor_list list;
    progress_step(&start->progress, "supervisor");
    start->launched = true;
    enum result result = supervisor_launch(start->suite, start->plan, err);
    while (result == OK) {
        result = supervisor_list(start->http, start->suite, &list, err);
        if (result != NOT_FOUND)
            break;
        result = progress_pause(&start->progress, LOOK_EVERY_MS, start->patience_ms, NULL, err);
    }
    return result;
}

/* FATAL once the supervisor has given a program up, or keeps starting it in vain. */
static enum result check_alive(struct start *start, const char *program, struct err *err)
{
    enum { RESTARTS_MAX = 3 };
    struct supervisor_list list;
    enum result result = supervisor_list(start->http, start->suite, &list, err);
    if (result != OK)
        return result;
    const struct supervisor_program *entry = supervisor_find(&list, program);
    if (!entry)
        return err_set(err, FATAL, "%s is not part of this suite", program);
    bool hopeless = entry->state == SUPERVISOR_BACKOFF &&
                    supervisor_restarts(start->suite, program) >= RESTARTS_MAX;
    if (entry->state != SUPERVISOR_FATAL && !hopeless)
        return OK;
    return err_set(err, FATAL, "%s does not stay up", program);
}

/* A node that dies while it starts is told of at once; once more, and it is the end. Those that the
 * warden ended because they were of no use are not counted. */
static enum result check_broker(struct start *start, const char *program, int *deaths_told,
                                struct err *err)
{
    enum { DEATHS_MAX = 2 };
    struct supervisor_list list;
    if (!start->launched) /* somebody else may have killed it */
        return check_alive(start, program, err);
    int restarts = supervisor_restarts(start->suite, program); /* first: a restart ends a death */
    enum result result = supervisor_list(start->http, start->suite, &list, err);
    if (result != OK)
        return result;
    const struct supervisor_program *entry = supervisor_find(&list, program);
    bool dead = entry && (entry->state == SUPERVISOR_BACKOFF || entry->state == SUPERVISOR_EXITED ||
                          entry->state == SUPERVISOR_FATAL);
    struct node_restarts ended;
    node_restarts_read(start->suite, &ended);
    int deaths = restarts + dead - (int)ended.count;
    if (deaths >= DEATHS_MAX)
        return err_set(err, FATAL, "%s dies while it starts", program);
    if (deaths > *deaths_told) {
        *deaths_told = deaths;
        show_tail(start->suite, program);
        fprintf(stderr, "warren up: %s has died while it started; it is started once more\n",
                program);
    }
    return OK;
}

/* A log that does not come back keeps nobody from starting (docs/adr/0017). */
static bool do_without_log(struct start *start, const char *why)
{
    int64_t now_ms = clock_mono_ms(clock_system());
    if (start->log_missed_ms == 0)
        start->log_missed_ms = now_ms;
    if (!start->without_log[0] && now_ms - start->log_missed_ms < LOG_PATIENCE_MS)
        return false;
    if (!start->without_log[0])
        snprintf(start->without_log, sizeof start->without_log, "%.150s", why);
    return true;
}

/* Our own node lets nobody in before it has read its users. */
static bool broker_says_no(struct start *start, enum result result, const char *words)
{
    bool settled = start->plan->amqp_url || amqp_words_code(words) == AMQP_PRECONDITION_FAILED;
    if (result != INVALID && !(settled && refusal_is_final(result, words)))
        return false;
    start->advice = refusal_advice(words);
    return true;
}

static void tell_what_was_not_done(const struct topology_told *told)
{
    const char *const texts[] = {told->identity, told->rights};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i][0])
            fprintf(stderr, "warren up: warning: %s\n", texts[i]);
}

static enum result step_broker(struct start *start, struct err *err)
{
    static const char broker[] = "rabbitmq-server-1";
    struct err why = {""};
    int deaths_told = 0;
    struct topology_told told;
    const struct topology_how how = {start->plan->amqp_url, start->plan->amqp_ca,
                                     start->plan->adopt_broker};
    progress_step(&start->progress, "broker");
    for (;;) {
        enum result result = topology_deploy(start->suite, &how, &told, &why);
        if (result == OK) {
            progress_done(&start->progress, "ready, topology declared");
            tell_what_was_not_done(&told);
            start->log_missed_ms = 0;
            return OK;
        }
        if (result == NOT_FOUND && do_without_log(start, why.text)) {
            progress_done(&start->progress, "ready, but its log is lost");
            return OK;
        }
        if (result == CONFLICT || broker_says_no(start, result, why.text))
            return err_set(err, result, "broker: %s", why.text);
        result = start->plan->amqp_url ? OK : check_broker(start, broker, &deaths_told, err);
        if (result == OK)
            result =
                progress_pause(&start->progress, LOOK_EVERY_MS, start->patience_ms, why.text, err);
        if (result != OK) {
            if (!start->plan->amqp_url && !start->progress.interrupted)
                show_tail(start->suite, broker);
            return result;
        }
    }
}

static enum result step_management(struct start *start, struct err *err)
{
    struct err why = {""};
    progress_step(&start->progress, "broker management");
    for (;;) {
        cJSON *json = NULL;
        if (ready_management(start->http, start->suite, "overview", &json, &why) == OK) {
            cJSON_Delete(json);
            return OK;
        }
        enum result result =
            progress_pause(&start->progress, LOOK_EVERY_MS, start->patience_ms, why.text, err);
        if (result != OK)
            return result;
    }
}

/* A queue that loses messages would lose orders that were answered 202: not even a start. */
static enum result refuse_lossy(const struct topology_verdict *verdict, struct err *err)
{
    for (size_t i = 0; i < topology_kept(verdict); i++)
        if (verdict->findings[i].fault == TOPOLOGY_LOSSY)
            return err_set(
                err, REFUSED,
                "broker: %s. No order would be safe there; docs/operations.md, \"A policy "
                "changes a queue\", tells how to go on",
                verdict->findings[i].text);
    return OK;
}

/* What a policy does is told some 5 s late, of a new queue and of one that was just cleared. What else is
 * amiss shows in a moment at the services. */
static enum result step_policies(struct start *start, struct err *err)
{
    enum { TOLD_MS = 6000, ENOUGH_MS = 15000 };
    struct topology_verdict verdict;
    struct err lossy = {""};
    enum result result = OK;
    progress_step(&start->progress, "queues");
    for (;;) {
        bindings_look(start->http, start->suite, &verdict);
        bool loses = refuse_lossy(&verdict, &lossy) != OK;
        if (!loses && verdict.untold == 0)
            break;
        result = progress_pause(&start->progress, LOOK_EVERY_MS, loses ? TOLD_MS : ENOUGH_MS,
                                loses ? lossy.text : "the broker has not told its policies", err);
        if (result == UNKNOWN && !loses)
            break;
        if (result != OK)
            return result == UNKNOWN ? err_set(err, REFUSED, "%s", lossy.text) : result;
    }
    if (!verdict.looked)
        progress_done(&start->progress, "policies and bindings not checked, %s", verdict.reason);
    else if (verdict.untold > 0)
        progress_done(&start->progress, "the broker does not tell what its policies do to them");
    else
        progress_done(&start->progress, "no policy makes them lose anything");
    for (size_t i = 0; i < topology_kept(&verdict); i++)
        if (topology_is_warning(verdict.findings[i].fault))
            fprintf(stderr, "warren up: warning: %s\n", verdict.findings[i].text);
    return OK;
}

static enum result each_service(struct start *start,
                                enum result (*work)(struct start *start, const char *program,
                                                    int port, struct err *err),
                                struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; i < suite_service_count && result == OK; i++) {
        for (int n = 1; n <= start->plan->instances && result == OK; n++) {
            char program[64];
            snprintf(program, sizeof program, "%s-%d", suite_services[i].name, n);
            result =
                work(start, program, start->suite->base_port + suite_services[i].port + n - 1, err);
        }
    }
    return result;
}

static enum result launch_service(struct start *start, const char *program, int port,
                                  struct err *err)
{
    (void)port;
    enum result result = supervisor_start(start->http, start->suite, program, err);
    return result == DUPLICATE ? OK : result;
}

/* Waiting helps nobody: the edge will not know again what retention has taken from the log. */
static bool is_cut(const struct err *why)
{
    return strncmp(why->text, EDGE_LOG_CUT, sizeof EDGE_LOG_CUT - 1) == 0;
}

static enum result await_service(struct start *start, const char *program, int port,
                                 struct err *err)
{
    struct err why = {""};
    progress_step(&start->progress, program);
    start->log_missed_ms = 0;
    while (ready_service(start->http, port, &why) != OK) {
        if (is_cut(&why)) {
            start->log_cut = true;
            progress_done(&start->progress, "takes orders; not ready, %s", why.text);
            return OK;
        }
        if (strncmp(why.text, "log: ", 5) == 0 && do_without_log(start, why.text)) {
            progress_done(&start->progress, "works, without the log");
            return OK;
        }
        enum result result = check_alive(start, program, err);
        if (result == OK)
            result =
                progress_pause(&start->progress, LOOK_EVERY_MS, start->patience_ms, why.text, err);
        if (result != OK) {
            if (!start->progress.interrupted)
                show_tail(start->suite, program);
            return result;
        }
    }
    progress_done(&start->progress, "ready");
    return OK;
}

/* What they hear of their bindings is true from now on: the warden looks only now and then. */
static enum result step_services(struct start *start, struct err *err)
{
    bindings_refresh(start->http, start->suite);
    bool watched = !start->plan->amqp_url || start->plan->management_url;
    enum result result = watched ? launch_service(start, "warden-1", 0, err) : OK;
    if (result == OK)
        result = each_service(start, launch_service, err);
    return result == OK ? each_service(start, await_service, err) : result;
}

static enum result step_catalogue(struct start *start, struct err *err)
{
    if (start->without_log[0]) /* what is sold would not be seen */
        return OK;
    progress_step(&start->progress, "catalogue");
    enum result result = start->log_cut
                             ? NOT_FOUND
                             : seed_catalogue(start->http, start->suite, &start->progress, err);
    if (result == NOT_FOUND) { /* an edge that begins may hear of it only now */
        start->log_cut = true;
        progress_done(&start->progress,
                      "not looked at: it may be in the part of the log that is cut");
        return OK;
    }
    if (result == OK)
        progress_done(&start->progress, "%zu products", seed_product_count);
    return result;
}

/* From "ready" on, killing the broker shall lose nothing. It is no reason not to start, and another
 * broker may keep its register elsewhere. */
static enum result step_log(struct start *start, struct err *err)
{
    enum { ENOUGH_MS = 6000 };
    if (start->without_log[0] || broker_streams_registered(start->suite))
        return OK;
    progress_step(&start->progress, "log");
    while (!broker_streams_registered(start->suite)) {
        enum result result = progress_pause(&start->progress, LOOK_EVERY_MS, ENOUGH_MS, NULL, err);
        if (result == REFUSED)
            return result;
        if (result != OK) {
            progress_done(&start->progress, "not seen on disk");
            return OK;
        }
    }
    progress_done(&start->progress, "on disk");
    return OK;
}

/* --- all of it --------------------------------------------------------------------- */

/* What runs was started with other settings: changing them under way is not offered. */
static enum result check_same(struct start *start, struct err *err)
{
    struct buf wanted = {0};
    struct buf there = {0};
    enum result result = supervisor_write_config(start->suite, start->plan, &wanted, err);
    if (result == OK)
        result = file_load(suite_path(start->suite, "run/supervisord.conf").text, &there, err);
    int64_t log_max = start->plan->log_max_bytes;
    if (result == OK && log_max > 0 && log_max != topology_log_max(start->suite))
        result = err_set(err, INVALID, "--log-max-bytes is for the first start in %s",
                         start->suite->home);
    if (result == OK && (wanted.size != there.size || memcmp(wanted.data, there.data, there.size)))
        result = err_set(err, INVALID, "a suite with other settings runs in %s: warren down first",
                         start->suite->home);
    buf_release(&wanted);
    buf_release(&there);
    return result;
}

static enum result take_lock(const struct suite *suite, int *ret_fd, struct err *err)
{
    int fd = open(suite_path(suite, "run/lock").text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, FATAL, "%s: cannot be locked", suite->home);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return err_set(err, FATAL, "another 'warren up' is at work in %s", suite->home);
    }
    *ret_fd = fd;
    return OK;
}

static const struct step {
    enum result (*run)(struct start *start, struct err *err);
    enum cli_exit failed;
    enum { ALWAYS, WHEN_NEW, WHEN_PRIVATE } when;
} steps[] = {
    {step_files, CLI_MACHINE, WHEN_NEW},       {step_supervisor, CLI_MACHINE, WHEN_NEW},
    {step_broker, CLI_UNREACHABLE, ALWAYS},    {step_management, CLI_UNREACHABLE, WHEN_PRIVATE},
    {step_policies, CLI_REFUSED, ALWAYS},      {step_services, CLI_UNREACHABLE, ALWAYS},
    {step_catalogue, CLI_UNREACHABLE, ALWAYS}, {step_log, CLI_UNREACHABLE, WHEN_PRIVATE},
};

static enum cli_exit run_steps(struct start *start, struct err *err)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].when == WHEN_NEW && start->was_running)
            continue;
        if (steps[i].when == WHEN_PRIVATE && start->plan->amqp_url)
            continue;
        enum result result = steps[i].run(start, err);
        if (result != OK) /* a broker of another suite's is there, and says no */
            return result == CONFLICT ? CLI_REFUSED : steps[i].failed;
    }
    return CLI_DONE;
}

enum cli_exit start_suite(struct start *start, struct err *err)
{
    struct supervisor_list list;
    int lock = -1;
    start->was_running = supervisor_list(start->http, start->suite, &list, NULL) == OK;
    printf("%s, ports %d to %d\n", start->suite->home, start->suite->base_port,
           start->suite->base_port + 99);
    if (!start->was_running && step_machine(start, err) != OK)
        return CLI_MACHINE;
    enum result result = start->was_running ? check_same(start, err) : OK;
    if (result != OK)
        return CLI_USAGE;
    result = make_directories(start->suite, err);
    if (result == OK)
        result = take_lock(start->suite, &lock, err);
    if (result != OK)
        return CLI_MACHINE;
    enum cli_exit status = run_steps(start, err);
    close(lock);
    return status;
}
