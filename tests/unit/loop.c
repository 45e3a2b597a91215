#include "tests/unit/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct queue_spec witness_queues[] = {{.name = "test.witness", .kind = QUEUE_STREAM}};
static const struct binding_spec witness_bindings[] = {
    {"test.witness", EXCHANGE_EVENTS, "#"},
    {"test.witness", EXCHANGE_COMMANDS, "order.*"},
};
static const struct topology witness = {
    .service = "test",
    .queues = witness_queues,
    .queue_count = 1,
    .bindings = witness_bindings,
    .binding_count = sizeof witness_bindings / sizeof witness_bindings[0],
};

static void must(enum result result, const struct err *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "loop: %s: %s\n", result_name(result), err_text(err));
    abort();
}

static struct store *store_opened(const char *database)
{
    struct err err = {{0}};
    struct store *store = NULL;
    must(store_open_sqlite(database, STORE_DURABLE, &store, &err), &err);
    return store;
}

void loop_open(struct loop *loop, const struct service_spec *spec, const struct migration *steps,
               size_t count)
{
    static unsigned number;
    struct err err = {{0}};
    *loop = (struct loop){
        .spec = spec, .tables = {spec->topology, &witness}, .switches = switches_all_on()};
    manual_clock_init(&loop->clock, INT64_C(1800000000000), 1);
    loop->broker = memory_broker_new(loop->tables, 2);
    snprintf(loop->database, sizeof loop->database, "memdb:/loop-%u", ++number);
    loop->store = store_opened(loop->database);
    must(store_migrate(loop->store, "service", service_migrations, service_migration_count, &err),
         &err);
    must(store_migrate(loop->store, spec->name, steps, count, &err), &err);
}

void loop_close(struct loop *loop)
{
    for (size_t i = 0; i < LOOP_INSTANCES; i++)
        loop_kill(loop, i);
    store_free(loop->store);
    memory_broker_free(loop->broker);
}

void loop_start(struct loop *loop, size_t i, struct effect *effect, void *self)
{
    struct err err = {{0}};
    struct loop_instance *instance = &loop->instances[i];
    snprintf(instance->owner, sizeof instance->owner, "%.20s-%zu", loop->spec->name, i + 1);
    instance->store = store_opened(loop->database);
    instance->bus = memory_bus_new(loop->broker, &loop->switches);
    instance->effect = effect;
    const struct service_parts parts = {
        .clock = &loop->clock.clock,
        .store = instance->store,
        .bus = instance->bus,
        .effect = effect,
        .switches = loop->switches,
        .owner = instance->owner,
        .self = self,
    };
    must(service_new(loop->spec, &parts, NULL, &instance->service, &err), &err);
}

void loop_kill(struct loop *loop, size_t i)
{
    struct loop_instance *instance = &loop->instances[i];
    service_free(instance->service);
    bus_free(instance->bus);
    effect_free(instance->effect);
    store_free(instance->store);
    *instance = (struct loop_instance){0};
}

void loop_send(struct loop *loop, const char *queue, const char *type, const char *subject,
               const void *payload, const char *id)
{
    struct envelope envelope = {.id = id_new(&loop->clock.clock), .time_ms = loop->clock.wall_ms};
    if (id)
        snprintf(envelope.id.text, sizeof envelope.id.text, "%s", id);
    snprintf(envelope.type, sizeof envelope.type, "%s", type);
    snprintf(envelope.source, sizeof envelope.source, "/test");
    snprintf(envelope.subject, sizeof envelope.subject, "%s", subject);
    struct buf body = {0};
    envelope_encode(&envelope, contract_find(type)->payload, payload, &body);
    memory_broker_inject(loop->broker, queue, envelope.id.text, body.data, body.size);
    buf_release(&body);
}

void loop_run(struct loop *loop, size_t i, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        service_round(loop->instances[i].service);
        manual_clock_advance(&loop->clock, LOOP_ROUND_MS);
    }
}

void loop_run_ms(struct loop *loop, size_t i, int64_t ms)
{
    loop_run(loop, i, (int)(ms / LOOP_ROUND_MS));
}

void loop_run_to(struct loop *loop, size_t i, enum phase phase)
{
    for (int step = 0; step < 2 * PHASE_COUNT; step++) {
        if (service_step(loop->instances[i].service) == phase)
            return;
    }
}

struct search {
    const char *type, *subject;
    size_t count;
    void *out;
    struct envelope *envelope;
};

static void match(struct search *search, const char *body, size_t size)
{
    struct envelope envelope;
    struct err err = {{0}};
    cJSON *document;
    const cJSON *data;
    must(envelope_decode(body, size, &envelope, &document, &data, &err), &err);
    if (strcmp(envelope.type, search->type) == 0 &&
        (!search->subject || strcmp(envelope.subject, search->subject) == 0)) {
        search->count++;
        if (search->envelope)
            *search->envelope = envelope;
        if (search->out)
            must(bind_decode(contract_find(search->type)->payload, data, BIND_OPEN, search->out,
                             &err),
                 &err);
    }
    cJSON_Delete(document);
}

static size_t search_all(struct loop *loop, struct search *search)
{
    size_t size;
    int64_t offset;
    const char *body;
    for (size_t i = 0;
         (body = memory_broker_stream_at(loop->broker, "test.witness", i, &size, &offset)); i++)
        match(search, body, size);
    return search->count;
}

size_t loop_count(struct loop *loop, const char *type, const char *subject)
{
    struct search search = {.type = type, .subject = subject};
    return search_all(loop, &search);
}

bool loop_last(struct loop *loop, const char *type, const char *subject, void *out,
               struct envelope *ret_envelope)
{
    struct search search = {.type = type, .subject = subject, .out = out, .envelope = ret_envelope};
    return search_all(loop, &search) > 0;
}

int64_t loop_number(struct loop *loop, const char *sql)
{
    struct err err = {{0}};
    int64_t number = 0;
    must(store_query_int(loop->store, sql, STORE_NO_ARGS, &number, &err), &err);
    return number;
}

const char *loop_order_id(unsigned order)
{
    static char ids[8][UUID_SIZE];
    static unsigned next;
    char *id = ids[next++ % 8];
    snprintf(id, UUID_SIZE, "%08x-0000-8000-8000-000000000000", order);
    return id;
}
