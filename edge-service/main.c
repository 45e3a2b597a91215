/* edge-service: what it is made of. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/accounts/accounts.h"
#include "common/runtime/loop.h"
#include "common/runtime/runtime.h"
#include "common/telemetry/otlp.h"
#include "edge-service/edge.h"
#include "edge-service/http.h"

enum { DRAIN_MS = 9000, FLUSH_MS = 500 }; /* a promise is 10 s, the end included */

enum { CONNECTIONS_WANTED = 8000, OTHER_FILES = 128 + HTTP_CONNECTIONS_SPARE };

struct program {
    struct runtime runtime;
    const char *listen;
    int64_t deadline_s;
    int64_t request_s, idle_s;
    int64_t rate_per_caller, rate_per_address;
    int64_t connections_per_address;
    struct loop *loop;
    struct store *read_model;
    struct store *accounts;
    struct bus *bus;
    struct bus *log_bus;
    struct edge *edge;
    struct http *http;
    struct otlp *otlp;
};

static int64_t edge_due(void *context)
{
    return edge_deadline_ms(context);
}

static void edge_run(void *context)
{
    edge_round(context);
}

static int64_t http_due(void *context)
{
    return http_deadline_ms(context);
}

static void http_turn(void *context)
{
    http_run(context);
}

static enum result open_once(struct program *p, const char *name, struct err *err)
{
    return runtime_store(&p->runtime, name, STORE_DISPOSABLE, "edge", edge_migrations,
                         edge_migration_count, &p->read_model, err);
}

static void read_model_name(const struct program *p, char name[64])
{
    snprintf(name, 64, "store/edge-read-%d.db", (int)p->runtime.instance);
}

/* One that is damaged is built again from the stream. */
static enum result open_read_model(struct program *p, struct err *err)
{
    char name[64];
    char path[PATH_MAX];
    read_model_name(p, name);
    enum result result = open_once(p, name, err);
    if (result != FATAL)
        return result;
    LOG_EVENT(&p->runtime.log, LOG_WARNING, "read-model-rebuilt", LOG_TEXT("reason", err->text));
    result = runtime_path(&p->runtime, name, path, err);
    if (result == OK)
        result = store_set_aside(path, err);
    return result == OK ? open_once(p, name, err) : result;
}

/* It breaks in the middle: this process ends, and the next one begins with an empty one. */
static bool read_model_damaged(const struct program *p)
{
    return store_damaged(p->read_model);
}

static int set_read_model_aside(struct program *p, int code)
{
    struct err err = {""};
    char name[64];
    char path[PATH_MAX];
    const char *file = path;
    if (!read_model_damaged(p))
        return code;
    read_model_name(p, name);
    enum result result = runtime_path(&p->runtime, name, path, &err);
    if (result == OK)
        result = store_set_aside(path, &err);
    LOG_EVENT(&p->runtime.log, LOG_ERROR, "read-model-damaged", LOG_TEXT("file", file),
              LOG_TEXT("result", result == OK ? "set aside, to be built again" : err.text));
    return EXIT_MACHINE;
}

static enum result open_parts(struct program *p, struct err *err)
{
    enum result result = loop_new(p->runtime.clock, &p->loop, err);
    if (result == OK)
        result = open_read_model(p, err);
    if (result == OK)
        result = runtime_store(&p->runtime, "store/accounts.db", STORE_DURABLE, "accounts",
                               accounts_migrations, accounts_migration_count, &p->accounts, err);
    if (result == OK)
        result = runtime_bus(&p->runtime, BUS_OF_COMMANDS, &p->bus, err);
    if (result == OK)
        result = runtime_bus(&p->runtime, BUS_OF_LOG, &p->log_bus, err);
    return result;
}

/* A connection is a file; systems allow a process 1,024 until it asks for more. */
static unsigned connections_possible(void)
{
    struct rlimit files;
    const rlim_t wanted = CONNECTIONS_WANTED + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 1000 - OTHER_FILES;
    if (files.rlim_cur < wanted) {
        files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &files);
        (void)getrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur >= wanted)
        return CONNECTIONS_WANTED;
    return files.rlim_cur > 2 * OTHER_FILES ? (unsigned)files.rlim_cur - OTHER_FILES : OTHER_FILES;
}

static bool bindings(void *context, struct buf *wrong, struct buf *notes)
{
    const struct program *p = context;
    return runtime_bindings(&p->runtime, &edge_topology, wrong, notes);
}

static enum result open_edge(struct program *p, struct err *err)
{
    const struct edge_parts parts = {
        .clock = p->runtime.clock,
        .otlp = p->otlp,
        .store = p->read_model,
        .bus = p->bus,
        .log_bus = p->log_bus,
        .switches = p->runtime.switches,
        .log = &p->runtime.log,
    };
    const struct edge_limits limits = {.deadline_ms = p->deadline_s * 1000};
    enum result result = edge_new(&parts, &limits, &p->edge, err);
    if (result != OK)
        return result;
    const struct http_options options = {
        .address = p->listen,
        .port = runtime_port(&p->runtime),
        .connections_max = connections_possible(),
        .connections_per_address = (unsigned)p->connections_per_address,
        .rate_per_caller = p->rate_per_caller,
        .rate_per_address = p->rate_per_address,
        .step_ms = p->request_s * 1000,
        .rest_ms = p->idle_s * 1000,
        .edge = p->edge,
        .accounts = p->accounts,
        .clock = p->runtime.clock,
        .otlp = p->otlp,
        .bindings = bindings,
        .bindings_context = p,
    };
    return http_new(&options, &p->http, err);
}

static enum result join_loop(struct program *p, struct err *err)
{
    const struct loop_part parts[] = {
        {{edge_bus_fd(p->edge), edge_log_fd(p->edge)}, edge_due, edge_run, p->edge},
        {{http_fd(p->http), -1}, http_due, http_turn, p->http},
    };
    enum result result = loop_add(p->loop, &parts[0], err);
    if (result == OK)
        result = loop_add(p->loop, &parts[1], err);
    return result == OK ? loop_add_otlp(p->loop, p->otlp, err) : result;
}

/* Nobody new; what is in flight gets its fate or, in the end, "unknown"; then all is sent. */
static int drain(struct program *p)
{
    int64_t now = clock_mono_ms(p->runtime.clock);
    int64_t end = now + DRAIN_MS;
    http_quiesce(p->http);
    edge_drain(p->edge);
    while (!edge_drained(p->edge) && now < end) {
        loop_turn(p->loop, end);
        now = clock_mono_ms(p->runtime.clock);
    }
    int code = edge_drained(p->edge) ? EXIT_DONE : EXIT_UNKNOWN;
    edge_abandon(p->edge);
    end = now + FLUSH_MS;
    do
        http_run(p->http);
    while (http_active(p->http) > 0 && clock_mono_ms(p->runtime.clock) < end);
    return code;
}

static int run(struct program *p)
{
    struct err err = {""};
    enum result result = open_parts(p, &err);
    p->otlp = otlp_new(p->runtime.clock, &p->runtime.log, "edge-service", (int)p->runtime.instance);
    if (result == OK)
        result = open_edge(p, &err);
    if (result == OK)
        result = join_loop(p, &err);
    if (result != OK) {
        fprintf(stderr, "edge-service: %s\n", err.text);
        return EXIT_MACHINE;
    }
    LOG_EVENT(&p->runtime.log, LOG_INFO, "started", LOG_NUMBER("port", http_port(p->http)));
    while (!loop_stopping(p->loop) && !read_model_damaged(p))
        loop_turn(p->loop, INT64_MAX);
    int code = set_read_model_aside(p, drain(p));
    LOG_EVENT(&p->runtime.log, LOG_INFO, "stopped", LOG_NUMBER("code", code));
    return code;
}

static void close_all(struct program *p)
{
    http_free(p->http);
    edge_free(p->edge);
    otlp_free(p->otlp);
    bus_free(p->log_bus);
    bus_free(p->bus);
    store_free(p->accounts);
    store_free(p->read_model);
    loop_free(p->loop);
    runtime_end(&p->runtime);
}

int main(int argc, char **argv)
{
    struct program p = {.deadline_s = 5,
                        .request_s = 30,
                        .idle_s = 75,
                        .connections_per_address = 1200,
                        .rate_per_caller = 100,
                        .rate_per_address = 1000};
    const struct option table[] = {
        {"listen", "WARREN_LISTEN", OPTION_TEXT, &p.listen, "ADDRESS",
         "where HTTP is served (default 127.0.0.1)", 0, 0},
        {"confirm-deadline", NULL, OPTION_INT, &p.deadline_s, "SECONDS",
         "an unconfirmed command is unknown after so long", 1, 60},
        {"request-time", "WARREN_REQUEST_TIME", OPTION_INT, &p.request_s, "SECONDS",
         "a request's head, its body and its answer have so long each", 1, 3600},
        {"idle-time", "WARREN_IDLE_TIME", OPTION_INT, &p.idle_s, "SECONDS",
         "a connection without a request is kept for so long: longer than a proxy in front "
         "keeps it",
         1, 86400},
        {"rate-per-caller", "WARREN_RATE_PER_CALLER", OPTION_INT, &p.rate_per_caller, "N",
         "requests a second of one customer; 0: any number", 0, 1000000},
        {"rate-per-address", "WARREN_RATE_PER_ADDRESS", OPTION_INT, &p.rate_per_address, "N",
         "requests a second from one address; 0: any number", 0, 1000000},
        {"connections-per-address", "WARREN_CONNECTIONS_PER_ADDRESS", OPTION_INT,
         &p.connections_per_address, "N",
         "so many at once from one address; 0: as many as over all", 0, 100000},
    };
    const struct runtime_program program = {"edge-service", "Takes orders and questions over HTTP.",
                                            0, table, sizeof table / sizeof table[0]};
    int code = runtime_start(&p.runtime, &program, argc, argv);
    if (code != EXIT_DONE)
        return code;
    code = run(&p);
    close_all(&p);
    return code;
}
