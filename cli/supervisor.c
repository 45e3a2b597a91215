#include "cli/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/process.h"

extern char **environ;

enum { ENVIRONMENT_MAX = 64 };

/* What tests and sanitizers want to reach every process. Nothing else does: what somebody's shell
 * has set for RabbitMQ, Erlang or Python would make another broker of ours. */
static bool handed_on(const char *variable)
{
    static const char *const prefixes[] = {
        "WARREN_TEST_", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "TZ="};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

struct environment {
    char *list[ENVIRONMENT_MAX]; /* ended by NULL */
    size_t count;
};

/* Nothing is given back: exec follows. */
static void add_variable(void *context, const char *name, const char *value)
{
    struct environment *environment = context;
    char *text = NULL;
    if (environment->count == ENVIRONMENT_MAX - 1 || asprintf(&text, "%s=%s", name, value) < 0)
        abort();
    environment->list[environment->count++] = text;
}

static void clean_environment(const struct suite *suite, const struct plan *plan,
                              struct environment *environment)
{
    add_variable(environment, "PATH",
                 "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    add_variable(environment, "LANG", "C.UTF-8");
    add_variable(environment, "HOME", suite->home);
    add_variable(environment, PROCESS_MARK, suite->home);
    supervisor_environment(plan, add_variable, environment);
    for (char **variable = environ; *variable && environment->count < ENVIRONMENT_MAX - 1;
         variable++)
        if (handed_on(*variable))
            environment->list[environment->count++] = *variable;
}

/* Everything that it starts runs in the home and knows it by its mark; no path is quoted. */
static void become_supervisor(const struct suite *suite, const struct plan *plan)
{
    struct environment environment = {.count = 0};
    sigset_t none;
    clean_environment(suite, plan, &environment);
    if (chdir(suite->home) != 0)
        _exit(125);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int out = open("log/supervisord.out", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    const char *const arguments[] = {"supervisord", "-c", "run/supervisord.conf", NULL};
    execvpe("supervisord", (char *const *)arguments, environment.list);
    _exit(127);
}

enum result supervisor_launch(const struct suite *suite, const struct plan *plan, struct err *err)
{
    int status = 0;
    pid_t child = fork();
    if (child < 0)
        return err_set(err, FATAL, "fork: %s", strerror(errno));
    if (child == 0)
        become_supervisor(suite, plan);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return OK;
    return err_set(err, FATAL, "supervisord did not start; see %s",
                   suite_path(suite, "log/supervisord.out").text);
}

/* --- its interface: XML-RPC, written by one known program ------------------------- */

static enum result call(struct http *http, const struct suite *suite, const char *method,
                        const char *parameters, struct http_response *response, struct err *err)
{
    struct buf body = {0};
    buf_printf(&body,
               "<?xml version=\"1.0\"?><methodCall><methodName>%s</methodName>"
               "<params>%s</params></methodCall>",
               method, parameters);
    struct suite_path socket = suite_socket(suite);
    struct http_request request = {.method = "POST",
                                   .url = "http://localhost/RPC2",
                                   .socket = socket.text,
                                   .content_type = "text/xml",
                                   .body = body.data,
                                   .timeout_ms = 20000};
    enum result result = http_call(http, &request, response, err);
    buf_release(&body);
    if (result == RETRY)
        return err_set(err, NOT_FOUND, "no supervisor runs in %s", suite->home);
    if (result == OK && response->status != 200)
        return err_set(err, FATAL, "supervisor: %s: HTTP %d", method, response->status);
    return result == OK ? OK : err_context(err, result, "supervisor");
}

/* The text between `open` and `close` of the member NAME, inside [from, end). */
static bool member(const char *from, const char *end, const char *name, char *text, size_t size)
{
    char tag[64];
    snprintf(tag, sizeof tag, "<name>%s</name>", name);
    const char *at = strstr(from, tag);
    if (!at || at >= end)
        return false;
    at = strstr(at + strlen(tag), "<value>");
    at = at ? strchr(at + strlen("<value>"), '>') : NULL;
    if (!at || at >= end)
        return false;
    at++;
    snprintf(text, size, "%.*s", (int)strcspn(at, "<"), at);
    return true;
}

static int64_t member_number(const char *from, const char *end, const char *name)
{
    char text[32];
    return member(from, end, name, text, sizeof text) ? strtoll(text, NULL, 10) : 0;
}

enum result supervisor_list(struct http *http, const struct suite *suite,
                            struct supervisor_list *ret_list, struct err *err)
{
    struct http_response response = {0};
    enum result result = call(http, suite, "supervisor.getAllProcessInfo", "", &response, err);
    ret_list->count = 0;
    const char *at = result == OK && response.body.size > 0 ? response.body.data : "";
    while ((at = strstr(at, "<struct>")) && ret_list->count < SUPERVISOR_PROGRAMS_MAX) {
        const char *end = strstr(at, "</struct>");
        if (!end)
            break;
        struct supervisor_program *program = &ret_list->programs[ret_list->count++];
        *program = (struct supervisor_program){.pid = (pid_t)member_number(at, end, "pid"),
                                               .state = (int)member_number(at, end, "state"),
                                               .started_s = member_number(at, end, "start")};
        member(at, end, "name", program->name, sizeof program->name);
        at = end;
    }
    http_response_release(&response);
    return result;
}

/* A fault of the interface: 60 ALREADY_STARTED, 70 NOT_RUNNING, others are failures. */
static enum result call_for(struct http *http, const struct suite *suite, const char *method,
                            const char *program, struct err *err)
{
    enum { FAULT_ALREADY_STARTED = 60, FAULT_NOT_RUNNING = 70 };
    struct http_response response = {0};
    char parameters[256];
    snprintf(parameters, sizeof parameters,
             "<param><value><string>%s</string></value></param>"
             "<param><value><boolean>0</boolean></value></param>",
             program);
    enum result result = call(http, suite, method, parameters, &response, err);
    if (result == OK && response.body.size > 0 && strstr(response.body.data, "<fault>")) {
        const char *end = response.body.data + response.body.size;
        int64_t fault = member_number(response.body.data, end, "faultCode");
        char text[128] = "";
        member(response.body.data, end, "faultString", text, sizeof text);
        result = fault == FAULT_ALREADY_STARTED || fault == FAULT_NOT_RUNNING
                     ? DUPLICATE
                     : err_set(err, FATAL, "supervisor: %s: %s", program, text);
    }
    http_response_release(&response);
    return result;
}

enum result supervisor_start(struct http *http, const struct suite *suite, const char *program,
                             struct err *err)
{
    return call_for(http, suite, "supervisor.startProcess", program, err);
}

enum result supervisor_stop(struct http *http, const struct suite *suite, const char *program,
                            struct err *err)
{
    return call_for(http, suite, "supervisor.stopProcess", program, err);
}

enum result supervisor_shutdown(struct http *http, const struct suite *suite, struct err *err)
{
    struct http_response response = {0};
    enum result result = call(http, suite, "supervisor.shutdown", "", &response, err);
    http_response_release(&response);
    return result;
}

int supervisor_restarts(const struct suite *suite, const char *program)
{
    struct buf text = {0};
    char line[128];
    int spawned = 0;
    if (file_load(suite_path(suite, "log/supervisord.log").text, &text, NULL) == OK && text.size) {
        const char *at = text.data;
        for (const char *next = at; (next = strstr(next, "supervisord started with pid")); next++)
            at = next;
        snprintf(line, sizeof line, "spawned: '%s' with pid", program);
        while ((at = strstr(at, line))) {
            spawned++;
            at++;
        }
    }
    buf_release(&text);
    return spawned > 0 ? spawned - 1 : 0;
}

const struct supervisor_program *supervisor_find(const struct supervisor_list *list,
                                                 const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->programs[i].name, name) == 0)
            return &list->programs[i];
    return NULL;
}
