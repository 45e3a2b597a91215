#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/fake_clock.h"
#include "cli/supervisor.h"
#include "common/base/digest.h"

/* supervisord reads %(name)s in values. */
static void put_value(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '%')
            buf_text(out, "%");
        buf_append(out, text, 1);
    }
}

static void put_quoted(struct buf *out, const char *text)
{
    buf_text(out, "\"");
    put_value(out, text);
    buf_text(out, "\"");
}

/* One word of a command. supervisord cuts a line at ' ;' and ' #' before it looks at quotes, and then
 * splits as a shell does: "" between the two is nothing to the second. */
static void put_word(struct buf *out, const char *text)
{
    buf_text(out, "\"");
    for (; *text; text++) {
        if (*text == ';' || *text == '#')
            buf_text(out, "\"\"");
        if (*text == '"' || *text == '\\')
            buf_text(out, "\\");
        put_value(out, (const char[]){*text, '\0'});
    }
    buf_text(out, "\"");
}

static void put_variable(void *context, const char *name, const char *value)
{
    struct buf *out = context;
    buf_printf(out, ",%s=", name);
    put_quoted(out, value);
}

/* More files than the usual 1024, for the edge's connections, where the system allows it. */
static unsigned long files_wanted(void)
{
    enum { FILES = 65536 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= FILES)
        return FILES;
    return (unsigned long)limit.rlim_max;
}

static void put_daemon(const struct suite *suite, struct buf *out)
{
    struct suite_path socket = suite_socket(suite);
    buf_printf(out,
               "; Written by warren up; changes are lost. It runs in the home of the suite.\n"
               "[unix_http_server]\nfile=%s\nchmod=0700\n\n"
               "[supervisord]\npidfile=run/supervisord.pid\n"
               "logfile=log/supervisord.log\nlogfile_maxbytes=5MB\nlogfile_backups=1\n"
               "childlogdir=log\numask=077\nnocleanup=true\nminfds=%lu\n",
               suite_inside(suite, &socket), files_wanted());
    if (getuid() == 0)
        buf_text(out, "user=root\n");
    buf_text(out, "\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
                  "supervisor.rpcinterface:make_main_rpcinterface\n");
}

enum start { START_WITH_DAEMON, START_ON_CALL };

/* Everything of a program's section but its command and its environment. */
static void put_section(struct buf *out, const char *name, int instance, enum start start)
{
    buf_printf(out, "\n[program:%s-%d]\n", name, instance);
    buf_printf(out, "autostart=%s\nautorestart=true\nstartsecs=1\nstartretries=1000\n",
               start == START_WITH_DAEMON ? "true" : "false");
    /* TERM to the process alone, for it knows its children; KILL to all of them. */
    buf_text(out, "stopsignal=TERM\nstopwaitsecs=15\nstopasgroup=false\nkillasgroup=true\n");
    buf_printf(out, "redirect_stderr=true\nstdout_logfile=log/%s-%d.log\n", name, instance);
    buf_text(out, "stdout_logfile_maxbytes=20MB\nstdout_logfile_backups=2\n");
}

/* The mark (process.h) is inherited: a value here cannot hold a quote. */
static void put_environment(struct buf *out)
{
    buf_text(out, "environment=LANG=\"C.UTF-8\"");
}

/* What common/telemetry/otlp.h reads. */
static void add_collector(void (*add)(void *context, const char *name, const char *value),
                          void *context)
{
    static const char *const names[] = {
        "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "OTEL_RESOURCE_ATTRIBUTES",    "OTEL_SERVICE_NAME",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && value[0])
            add(context, names[i], value);
    }
}

/* URLs may hold a password: not for a command line, which anybody may read. */
void supervisor_environment(const struct plan *plan,
                            void (*add)(void *context, const char *name, const char *value),
                            void *context)
{
    add_collector(add, context);
    if (plan->amqp_url)
        add(context, "WARREN_AMQP_URL", plan->amqp_url);
    if (plan->amqp_ca)
        add(context, "WARREN_AMQP_CA", plan->amqp_ca);
    if (plan->smtp_url)
        add(context, "WARREN_SMTP_URL", plan->smtp_url);
    if (plan->smtp_from)
        add(context, "WARREN_SMTP_FROM", plan->smtp_from);
}

/* By which another `up` sees whether it is the same. */
static void put_note(void *context, const char *name, const char *value)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(value, strlen(value), hex);
    buf_printf(context, "; %s %.16s\n", name, hex);
}

static void put_limits(const struct plan *plan, struct buf *out)
{
    buf_printf(out,
               " --rate-per-caller %" PRId64 " --rate-per-address %" PRId64
               " --connections-per-address %" PRId64 " --request-time %" PRId64
               " --idle-time %" PRId64,
               plan->rate_per_caller, plan->rate_per_address, plan->connections_per_address,
               plan->request_s, plan->idle_s);
}

static void put_warden(const struct suite *suite, const struct suite_path *warden, const char *flag,
                       struct buf *out)
{
    buf_text(out, "command=");
    put_word(out, warden->text);
    buf_text(out, " --home ");
    put_word(out, suite->home);
    buf_printf(out, " --base-port %d%s\n", suite->base_port, flag);
    put_environment(out);
}

/* Somebody else's broker is looked at and left alone. */
static enum result put_watcher(const struct suite *suite, struct buf *out, struct err *err)
{
    struct suite_path warden;
    enum result result = suite_program("warren-warden", &warden, err);
    if (result != OK)
        return result;
    put_section(out, "warden", 1, START_WITH_DAEMON);
    buf_text(out, "priority=3\n");
    put_warden(suite, &warden, " --watch", out);
    buf_text(out, "\n");
    return OK;
}

static enum result put_broker(const struct suite *suite, struct buf *out, struct err *err)
{
    struct suite_path warden;
    enum result result = suite_program("warren-warden", &warden, err);
    if (result != OK)
        return result;
    put_section(out, "epmd", 1, START_WITH_DAEMON);
    buf_printf(out, "priority=1\ncommand=epmd -port %d -address 127.0.0.1\n",
               suite->base_port + PORT_EPMD);
    put_environment(out);
    buf_text(out, "\n");
    put_section(out, "rabbitmq-server", 1, START_WITH_DAEMON);
    buf_text(out, "priority=2\n");
    put_warden(suite, &warden, " --start", out);
    broker_environment(suite, put_variable, out);
    buf_text(out, "\n");
    put_section(out, "warden", 1, START_WITH_DAEMON);
    buf_text(out, "priority=3\n");
    put_warden(suite, &warden, "", out);
    buf_text(out, "\n");
    return OK;
}

static enum result put_clock(const struct suite *suite, const struct plan *plan, struct buf *out,
                             const char *program, struct err *err)
{
    struct suite_path library;
    if (!plan->faketime)
        return OK;
    enum result result = fake_clock_library(&library, err);
    if (result == OK)
        fake_clock_environment(suite, &library, program, put_variable, out);
    return result;
}

static enum result put_service(const struct suite *suite, const struct plan *plan, struct buf *out,
                               const struct suite_service *service, int instance, struct err *err)
{
    struct suite_path program;
    enum result result = suite_program(service->name, &program, err);
    if (result != OK)
        return result;
    put_section(out, service->name, instance, START_ON_CALL);
    buf_text(out, "priority=10\ncommand=");
    put_word(out, program.text);
    buf_text(out, " --home ");
    put_word(out, suite->home);
    buf_printf(out, " --base-port %d --instance %d", suite->base_port, instance);
    if (service->port == PORT_EDGE)
        put_limits(plan, out);
    for (size_t i = 0; i < plan->without.count; i++) {
        buf_text(out, " --without ");
        put_word(out, plan->without.items[i]);
    }
    if (plan->without.count > 0)
        buf_text(out, " --unsafe");
    buf_text(out, "\n");
    put_environment(out);
    char name[64];
    snprintf(name, sizeof name, "%s-%d", service->name, instance);
    result = put_clock(suite, plan, out, name, err);
    buf_text(out, "\n");
    return result;
}

enum result supervisor_write_config(const struct suite *suite, const struct plan *plan,
                                    struct buf *out, struct err *err)
{
    enum result result = OK;
    put_daemon(suite, out);
    buf_text(out, "\n; inherited, by their digests:\n");
    supervisor_environment(plan, put_note, out);
    if (!plan->amqp_url)
        result = put_broker(suite, out, err);
    else if (plan->management_url)
        result = put_watcher(suite, out, err);
    for (size_t i = 0; i < suite_service_count && result == OK; i++)
        for (int n = 1; n <= plan->instances && result == OK; n++)
            result = put_service(suite, plan, out, &suite_services[i], n, err);
    return result;
}
