#include "common/runtime/service_main.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/runtime/loop.h"
#include "common/telemetry/otlp.h"
#include "common/web/ops.h"

enum { DRAIN_MS = 9300, LINGER_MS = 200 }; /* a promise is 10 s, the end included */

struct running {
    const struct service_program *program;
    struct runtime runtime;
    struct loop *loop;
    struct store *store;
    struct service_made made;
    struct bus *bus;
    struct service *service;
    struct ops *ops;
    struct otlp *otlp;
};

/* What keeps it from working comes first: `warren status` shows the first line. */
static bool ready(void *context, struct buf *out)
{
    const struct running *running = context;
    struct service_state state;
    service_state(running->service, &state);
    bool stopping = loop_stopping(running->loop);
    if (!state.bus_up)
        buf_printf(out, "bus: down, %s\n", state.reason);
    else if (state.blocked)
        buf_printf(out, "bus: blocked, %s\n", state.reason);
    if (state.store_reason[0])
        buf_printf(out, "store: failing, %s\n", state.store_reason);
    if (state.stall_reason[0] && !state.blocked)
        buf_printf(out, "stalled: %s\n", state.stall_reason);
    if (stopping)
        buf_text(out, "draining\n");
    struct buf notes = {0};
    (void)runtime_bindings(&running->runtime, running->program->spec->topology, out, &notes);
    bool able = out->size == 0;
    if (state.bus_up && !state.blocked)
        buf_text(out, "bus: up\n");
    buf_append(out, notes.data, notes.size);
    buf_release(&notes);
    if (state.full)
        buf_text(out, "backlog: too much is not confirmed, nothing new is taken\n");
    if (state.log_away)
        buf_text(out, "log: away, facts for it alone wait\n");
    buf_printf(out, "unsent: %zu\nin hand: %zu\ncalls: %zu\noldest in hand: %" PRId64 " ms\n",
               state.unsent, state.arrived, state.calls, state.oldest_ms);
    return able;
}

static void metrics(void *context, struct buf *out)
{
    const struct running *running = context;
    service_metrics(running->service, running->program->spec->topology,
                    clock_wall_ms(running->runtime.clock), out);
    if (running->program->metrics)
        running->program->metrics(running->made.self, out);
    otlp_metrics(running->otlp, out);
    process_metrics(running->runtime.clock, out);
}

static enum result store_start(struct running *running, struct err *err)
{
    const struct service_program *program = running->program;
    char name[64];
    snprintf(name, sizeof name, "store/%s.db", program->store);
    enum result result =
        runtime_store(&running->runtime, name, STORE_DURABLE, "service", service_migrations,
                      service_migration_count, &running->store, err);
    if (result == OK)
        result = runtime_migrate(&running->runtime, running->store, program->store,
                                 program->migrations, program->migration_count, err);
    return result;
}

static enum result service_start(struct running *running, struct err *err)
{
    struct runtime *runtime = &running->runtime;
    struct service_parts parts = {
        .clock = runtime->clock,
        .store = running->store,
        .bus = running->bus,
        .effect = running->made.effect,
        .switches = runtime->switches,
        .owner = runtime->owner,
        .self = running->made.self,
        .log = &runtime->log,
        .otlp = running->otlp,
    };
    return service_new(running->program->spec, &parts, &running->made.limits, &running->service,
                       err);
}

static enum result ops_start(struct running *running, struct err *err)
{
    struct ops_options options = {
        .port = runtime_port(&running->runtime),
        .clock = running->runtime.clock,
        .ready = ready,
        .metrics = metrics,
        .context = running,
    };
    return ops_new(&options, &running->ops, err);
}

static int64_t service_part_deadline(void *context)
{
    return service_deadline_ms(context);
}

static void service_part_run(void *context)
{
    service_round(context);
}

static int64_t ops_part_deadline(void *context)
{
    return ops_deadline_ms(context);
}

static void ops_part_run(void *context)
{
    ops_run(context);
}

static enum result loop_fill(struct running *running, struct err *err)
{
    const struct loop_part service = {
        {service_bus_fd(running->service), service_effect_fd(running->service)},
        service_part_deadline,
        service_part_run,
        running->service,
    };
    const struct loop_part ops = {
        {ops_fd(running->ops), -1}, ops_part_deadline, ops_part_run, running->ops};
    enum result result = loop_add(running->loop, &service, err);
    if (result == OK)
        result = loop_add(running->loop, &ops, err);
    return result == OK ? loop_add_otlp(running->loop, running->otlp, err) : result;
}

static enum result start(struct running *running, struct err *err)
{
    const struct service_program *program = running->program;
    enum result result = store_start(running, err);
    if (result == OK && program->create)
        result = program->create(&running->runtime, program->context, &running->made, err);
    if (result == OK)
        result = runtime_bus(&running->runtime, BUS_OF_SERVICE, &running->bus, err);
    running->otlp = otlp_new(running->runtime.clock, &running->runtime.log, program->spec->name,
                             (int)running->runtime.instance);
    if (result == OK)
        result = service_start(running, err);
    if (result == OK)
        result = ops_start(running, err);
    if (result == OK)
        result = loop_fill(running, err);
    return result;
}

/* In reverse; everything takes NULL. */
static void stop(struct running *running)
{
    ops_free(running->ops);
    service_free(running->service);
    otlp_free(running->otlp);
    bus_free(running->bus);
    if (running->made.effect)
        running->made.effect->ops->release(running->made.effect);
    if (running->program->destroy && running->made.self)
        running->program->destroy(running->made.self);
    store_free(running->made.extra);
    store_free(running->store);
    loop_free(running->loop);
    runtime_end(&running->runtime);
}

static int run(struct running *running)
{
    const struct log *log = &running->runtime.log;
    const struct clock *clock = running->runtime.clock;
    LOG_EVENT(log, LOG_INFO, "started", LOG_NUMBER("port", ops_port(running->ops)),
              LOG_NUMBER("pid", getpid()));
    while (!loop_stopping(running->loop))
        loop_turn(running->loop, INT64_MAX);

    int64_t end = clock_mono_ms(clock) + DRAIN_MS;
    LOG_EVENT(log, LOG_INFO, "draining", LOG_NUMBER("limit_ms", DRAIN_MS));
    service_drain(running->service);
    while (!service_drained(running->service) && clock_mono_ms(clock) < end)
        loop_turn(running->loop, end);
    bool drained = service_drained(running->service);
    /* The broker works through the last acknowledgements before it hears of the end. */
    end = clock_mono_ms(clock) + LINGER_MS;
    while (drained && clock_mono_ms(clock) < end)
        loop_turn(running->loop, end);
    LOG_EVENT(log, drained ? LOG_INFO : LOG_WARNING, "stopped",
              LOG_TEXT("left", drained ? "nothing" : "something, for the next start"));
    return drained ? EXIT_DONE : EXIT_UNKNOWN;
}

int service_main(const struct service_program *program, int argc, char **argv)
{
    struct running running = {.program = program};
    struct err err = {""};
    int code = runtime_start(&running.runtime, &program->runtime, argc, argv);
    if (code != EXIT_DONE)
        return code;
    enum result result = loop_new(running.runtime.clock, &running.loop, &err);
    if (result == OK)
        result = start(&running, &err);
    if (result == OK) {
        code = run(&running);
    } else {
        fprintf(stderr, "%s: %s\n", program->runtime.name, err.text);
        code = EXIT_MACHINE;
    }
    stop(&running);
    return code;
}
