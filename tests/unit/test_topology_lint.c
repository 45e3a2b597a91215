/* The topology lint: silent on sound tables, and a finding for each way to break them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/messaging/deploy.h"
#include "common/messaging/service.h"
#include "tests/unit/unit.h"

static const struct bind_type ask_type = {.name = "ask"}, fact_type = {.name = "fact"},
                              other_type = {.name = "other"};

enum { MANY = 8 };

/* Two services and a reader of the log, sound; a case breaks one thing in its own copy. */
struct world {
    struct queue_spec asker_queues[MANY], worker_queues[MANY], reader_queues[MANY];
    struct binding_spec worker_bindings[MANY], reader_bindings[MANY];
    struct handler worker_handlers[MANY];
    struct publication_spec asker_says[MANY], worker_says[MANY];
    struct publication_spec contracts[MANY];
    size_t contract_count;
    struct topology asker, worker, reader;
};

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->worker_queues[0] =
        (struct queue_spec){.name = "work", .kind = QUEUE_QUORUM, .max_length = 10, .prefetch = 5};
    w->worker_bindings[0] = (struct binding_spec){"work", EXCHANGE_COMMANDS, "work.*"};
    w->worker_handlers[0] = (struct handler){"work", "work.ask", &ask_type, NULL};
    w->worker_says[0] = (struct publication_spec){EXCHANGE_EVENTS, "work.done", &fact_type};
    w->asker_says[0] = (struct publication_spec){EXCHANGE_COMMANDS, "work.ask", &ask_type};
    w->reader_queues[0] =
        (struct queue_spec){.name = "log", .kind = QUEUE_STREAM, .max_age = "1D", .prefetch = 5};
    w->reader_bindings[0] = (struct binding_spec){"log", EXCHANGE_EVENTS, "#"};
    w->contracts[0] = w->asker_says[0];
    w->contracts[1] = w->worker_says[0];
    w->contract_count = 2;
    w->asker = (struct topology){.service = "asker",
                                 .queues = w->asker_queues,
                                 .publications = w->asker_says,
                                 .publication_count = 1};
    w->worker = (struct topology){
        .service = "worker",
        .queues = w->worker_queues,
        .queue_count = 1,
        .bindings = w->worker_bindings,
        .binding_count = 1,
        .handlers = w->worker_handlers,
        .handler_count = 1,
        .publications = w->worker_says,
        .publication_count = 1,
    };
    w->reader = (struct topology){
        .service = "reader",
        .queues = w->reader_queues,
        .queue_count = 1,
        .bindings = w->reader_bindings,
        .binding_count = 1,
    };
    return w;
}

static void sound(struct world *w)
{
    (void)w;
}
static void shared_stream(struct world *w)
{
    w->asker_queues[0] = w->reader_queues[0];
    w->asker.queue_count = 1;
}
static void queue_without_consumer(struct world *w)
{
    w->worker_queues[1] = (struct queue_spec){.name = "idle", .kind = QUEUE_QUORUM, .prefetch = 5};
    w->worker.queue_count = 2;
}
static void stream_of_a_handler(struct world *w)
{
    w->worker_queues[1] = (struct queue_spec){.name = "tape", .kind = QUEUE_STREAM, .prefetch = 5};
    w->worker.queue_count = 2;
}
static void handler_without_contract(struct world *w)
{
    w->worker_handlers[0].type = "work.other";
    w->asker_says[0].type = "work.other";
}
static void handler_with_other_payload(struct world *w)
{
    w->worker_handlers[0].payload = &other_type;
}
static void publication_without_contract(struct world *w)
{
    w->contract_count = 1;
}
static void publication_with_other_payload(struct world *w)
{
    w->worker_says[0].payload = &other_type;
}
static void publication_on_other_exchange(struct world *w)
{
    w->contracts[1].exchange = EXCHANGE_COMMANDS;
}
static void binding_that_nothing_meets(struct world *w)
{
    w->worker_bindings[1] = (struct binding_spec){"work", EXCHANGE_EVENTS, "play.*"};
    w->worker.binding_count = 2;
}
static void binding_of_no_queue(struct world *w)
{
    w->worker_bindings[1] = (struct binding_spec){"none", EXCHANGE_COMMANDS, "work.*"};
    w->worker.binding_count = 2;
}
static void command_without_route(struct world *w)
{
    w->worker_bindings[0].pattern = "play.*";
}
static void handled_and_not_brought(struct world *w)
{
    w->worker_handlers[1] = (struct handler){"work", "work.done", &fact_type, NULL};
    w->worker.handler_count = 2;
}
static void brought_and_not_handled(struct world *w)
{
    w->worker_bindings[1] = (struct binding_spec){"work", EXCHANGE_EVENTS, "work.done"};
    w->worker.binding_count = 2;
}
static void handler_of_no_queue(struct world *w)
{
    w->worker_handlers[1] = (struct handler){"none", "work.ask", &ask_type, NULL};
    w->worker.handler_count = 2;
}
static void queue_declared_in_two_ways(struct world *w)
{
    w->asker_queues[0] = w->reader_queues[0];
    w->asker_queues[0].max_age = "2D";
    w->asker.queue_count = 1;
}
static void queue_without_prefetch(struct world *w)
{
    w->worker_queues[0].prefetch = 0;
}

static const struct {
    const char *name;
    void (*breaks)(struct world *w);
    const char *finding; /* NULL: none */
} table[] = {
    {"sound", sound, NULL},
    {"a stream may have several readers", shared_stream, NULL},
    {"queue without consumer", queue_without_consumer, "worker: nobody consumes queue idle"},
    {"stream of a service with handlers", stream_of_a_handler, "nobody consumes queue tape"},
    {"handler without contract", handler_without_contract, "work.other, which has no contract"},
    {"handler with other payload", handler_with_other_payload,
     "handles work.ask with another payload"},
    {"publication without contract", publication_without_contract,
     "publishes work.done, which has no contract"},
    {"publication with other payload", publication_with_other_payload,
     "publishes work.done with another payload"},
    {"publication on other exchange", publication_on_other_exchange, "its contract says"},
    {"binding that nothing meets", binding_that_nothing_meets, "meets play.* on warren.events"},
    {"binding of no queue", binding_of_no_queue, "binds queue none, which nobody declares"},
    {"command without route", command_without_route, "work.ask, which no binding routes"},
    {"handled and not brought", handled_and_not_brought,
     "work.done, which nobody brings to queue work"},
    {"brought and not handled", brought_and_not_handled, "nobody handles work.done in queue work"},
    {"handler of no queue", handler_of_no_queue, "from queue none, which nobody declares"},
    {"queue declared in two ways", queue_declared_in_two_ways, "in another way"},
    {"queue without prefetch", queue_without_prefetch, "work has no prefetch"},
};

static void each_break_is_found(void)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct world *w = world_new();
        struct buf findings = {0};
        table[i].breaks(w);
        const struct topology *const tables[] = {&w->asker, &w->worker, &w->reader};
        size_t found = topology_lint(tables, 3, w->contracts, w->contract_count, &findings);
        const char *text = findings.data ? findings.data : "";
        int right = table[i].finding ? found > 0 && strstr(text, table[i].finding) : found == 0;
        if (!right)
            fprintf(stderr, "%s: %s\n", table[i].name, text);
        CU_ASSERT_TRUE(right);
        buf_release(&findings);
        free(w);
    }
}

static const struct unit_case cases[] = {{"each break is found", each_break_is_found}};
UNIT_MAIN("topology lint", cases)
