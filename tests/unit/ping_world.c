#include "tests/unit/ping_world.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

/* A service that counts: "ping" n adds n to a total and says "pong" n. */

struct ping {
    int64_t n;
};
static const struct bind_field ping_fields[] = {BIND_INT_FIELD(struct ping, n, 0, 1000)};
static const struct bind_type ping_type = BIND_TYPE("ping", struct ping, ping_fields);

static const struct migration steps[] = {{1, "CREATE TABLE total(n INTEGER NOT NULL)"}};

struct ping_seen seen;

static enum result write_total(struct uow *uow, int64_t n, struct err *err)
{
    return store_exec(uow_store(uow), "INSERT INTO total(n) VALUES ($1)", STORE_ARGS(store_int(n)),
                      NULL, err);
}

static enum result say(struct uow *uow, const struct ping *ping, struct said *ret_said,
                       struct err *err)
{
    const struct outgoing pong = {.exchange = EXCHANGE_EVENTS,
                                  .type = "test.pong",
                                  .subject = "pong",
                                  .payload_type = &ping_type,
                                  .payload = ping};
    enum result result = write_total(uow, ping->n, err);
    return result == OK ? uow_publish(uow, &pong, ret_said, err) : result;
}

static enum result say_pong(struct uow *uow, const struct ping *ping, struct err *err)
{
    return say(uow, ping, NULL, err);
}

static enum result keep_pong(struct uow *uow, const struct ping *ping, struct err *err)
{
    struct said said;
    struct pong *kept = &seen.kept;
    enum result result = say(uow, ping, &said, err);
    if (result != OK)
        return result;
    text_copy(kept->exchange, sizeof kept->exchange, said.exchange);
    text_copy(kept->type, sizeof kept->type, said.type);
    text_copy(kept->subject, sizeof kept->subject, said.subject);
    text_copy(kept->id, sizeof kept->id, said.id);
    text_copy(kept->traceparent, sizeof kept->traceparent, said.traceparent);
    kept->time_ms = said.time_ms;
    kept->size = said.size;
    memcpy(kept->body, said.body, said.size);
    kept->position = said.position;
    return uow_keep(uow, &said, err);
}

static enum result pong_again(struct uow *uow, struct err *err)
{
    const struct pong *kept = &seen.kept;
    const struct said said = {.exchange = kept->exchange,
                              .type = kept->type,
                              .subject = kept->subject,
                              .id = kept->id,
                              .traceparent = kept->traceparent,
                              .time_ms = kept->time_ms,
                              .body = kept->body,
                              .size = kept->size};
    return uow_publish_again(uow, &said, err);
}

static enum result in_its_mood(struct uow *uow, const struct ping *ping, struct err *err)
{
    enum result result;
    switch (seen.mood) {
    case CONTENT:
        break;
    case DEFERS:
        return err_set(err, DEFER, "not yet");
    case REFUSES:
        return err_set(err, INVALID, "never");
    case REFUSES_AFTER_WRITING:
        result = say_pong(uow, ping, err);
        return result == OK ? err_set(err, INVALID, "never, on reflection") : result;
    case CONFLICTS_ONCE:
        seen.mood = CONTENT;
        result = say_pong(uow, ping, err);
        return result == OK ? err_set(err, CONFLICT, "stale") : result;
    case CALLS:
        return uow_call(uow, "ring", "ring:1", "{}", err);
    case KEEPS:
        return keep_pong(uow, ping, err);
    case SAYS_AGAIN:
        return pong_again(uow, err);
    case SAYS_KEPT:
        return uow_publish_kept(uow, seen.kept.position, err);
    case KILLS:
        seen.killed = true;
        break;
    case BREAKS_STORE:
        return store_exec(uow_store(uow), "INSERT INTO nowhere VALUES (1)", STORE_NO_ARGS, NULL,
                          err);
    }
    return say_pong(uow, ping, err);
}

static enum result on_ping(void *self, struct uow *uow, const struct envelope *envelope,
                           const void *payload, struct err *err)
{
    const struct ping *ping = payload;
    (void)self;
    CU_ASSERT_STRING_EQUAL(envelope->type, "test.ping");
    seen.handled++;
    if (ping->n == seen.moody_about)
        return in_its_mood(uow, ping, err);
    return say_pong(uow, ping, err);
}

static enum result on_answer(void *self, struct uow *uow, const char *kind, const char *key,
                             const char *request, enum result outcome, const char *response,
                             struct err *err)
{
    const struct ping ping = {900};
    (void)self;
    CU_ASSERT_STRING_EQUAL(kind, "ring");
    CU_ASSERT_STRING_EQUAL(key, "ring:1");
    CU_ASSERT_STRING_EQUAL(request, "{}");
    seen.answered++;
    if (outcome != OK)
        return DEFER;
    CU_ASSERT_STRING_EQUAL(response, "hello");
    return say_pong(uow, &ping, err);
}

static void on_forget(void *self)
{
    (void)self;
    seen.forgotten++;
}

static const struct queue_spec queues[] = {
    {.name = "test.in", .kind = QUEUE_QUORUM, .prefetch = 50}};
static const struct binding_spec bindings[] = {{"test.in", EXCHANGE_COMMANDS, "test.ping"}};
static const struct handler handlers[] = {{"test.in", "test.ping", &ping_type, on_ping}};
static const struct publication_spec publications[] = {{EXCHANGE_EVENTS, "test.pong", &ping_type}};
static const struct topology table = {.service = "test-service",
                                      .queues = queues,
                                      .queue_count = 1,
                                      .bindings = bindings,
                                      .binding_count = 1,
                                      .handlers = handlers,
                                      .handler_count = 1,
                                      .publications = publications,
                                      .publication_count = 1};
static const struct queue_spec listener_queues[] = {
    {.name = "test.out", .kind = QUEUE_QUORUM, .prefetch = 50}};
static const struct binding_spec listener_bindings[] = {{"test.out", EXCHANGE_EVENTS, "#"}};
static const struct topology listener_table = {.service = "listener",
                                               .queues = listener_queues,
                                               .queue_count = 1,
                                               .bindings = listener_bindings,
                                               .binding_count = 1};
static const struct topology *const tables[] = {&table, &listener_table};
static const struct service_spec spec = {.name = "test-service",
                                         .source = "/test-service",
                                         .topology = &table,
                                         .job_done = on_answer,
                                         .forget = on_forget};

/* An effect that answers as it is told. */

struct bell bell;

static enum result bell_start(struct effect *effect, const struct effect_call *call)
{
    (void)effect;
    bell.calls++;
    snprintf(bell.job_id, sizeof bell.job_id, "%s", call->job_id);
    snprintf(seen.last_key, sizeof seen.last_key, "%s", call->key);
    return OK;
}

static int bell_fd(struct effect *effect)
{
    (void)effect;
    return -1;
}

static int64_t bell_deadline(struct effect *effect)
{
    (void)effect;
    return INT64_MAX;
}

static void bell_pump(struct effect *effect, effect_done *done, void *context)
{
    (void)effect;
    if (bell.silent || !bell.job_id[0])
        return;
    done(context, bell.job_id, bell.fails ? RETRY : OK, bell.fails ? "" : "hello");
    bell.job_id[0] = '\0';
}

static const struct effect_ops bell_ops = {
    .start = bell_start, .fd = bell_fd, .deadline_ms = bell_deadline, .pump = bell_pump};

/* The world: one broker, one database, up to two instances. */

struct manual_clock manual;
struct switches switches;
struct memory_broker *broker;
struct log *ping_log;
static struct store *keeper; /* keeps the database in memory alive */
static struct bus *ear;

static void listen_to(const struct bus_delivery *delivery)
{
    struct pong *heard = &seen.heard;
    text_copy(heard->id, sizeof heard->id, delivery->message_id);
    CU_ASSERT_FATAL(delivery->size <= sizeof heard->body);
    heard->size = delivery->size;
    memcpy(heard->body, delivery->body, delivery->size);
}

static void hear(void *context, const struct bus_event *event)
{
    (void)context;
    if (event->kind != BUS_DELIVERY)
        return;
    listen_to(event->delivery);
    snprintf(seen.pongs[seen.pong_count++ % 64], ID_TEXT_SIZE, "%s", event->delivery->message_id);
    (void)bus_ack(ear, event->delivery->tag);
}

void start_world(void)
{
    struct err err = {{0}};
    memset(&seen, 0, sizeof seen);
    memset(&bell, 0, sizeof bell);
    bell.effect.ops = &bell_ops;
    seen.moody_about = -1;
    manual_clock_init(&manual, INT64_C(1700000000000), 1);
    switches = switches_all_on();
    broker = memory_broker_new(tables, 2);
    CU_ASSERT_EQUAL_FATAL(store_open_sqlite("memdb:/service", STORE_DURABLE, &keeper, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        store_migrate(keeper, "service", service_migrations, service_migration_count, &err), OK);
    CU_ASSERT_EQUAL_FATAL(store_migrate(keeper, "test", steps, 1, &err), OK);
    ear = memory_bus_new(broker, &switches);
    bus_listen(ear, hear, NULL);
    const struct bus_subscription subscription = {.queue = "test.out", .prefetch = 50};
    CU_ASSERT_EQUAL_FATAL(bus_subscribe(ear, &subscription, &err), OK);
}

void end_world(void)
{
    bus_free(ear);
    memory_broker_free(broker);
    store_free(keeper);
}

struct instance start_instance(const char *owner)
{
    struct err err = {{0}};
    struct instance instance = {0};
    CU_ASSERT_EQUAL_FATAL(store_open_sqlite("memdb:/service", STORE_DURABLE, &instance.store, &err),
                          OK);
    instance.bus = memory_bus_new(broker, &switches);
    const struct service_parts parts = {.clock = &manual.clock,
                                        .store = instance.store,
                                        .bus = instance.bus,
                                        .effect = &bell.effect,
                                        .switches = switches,
                                        .owner = owner,
                                        .log = ping_log};
    CU_ASSERT_EQUAL_FATAL(service_new(&spec, &parts, NULL, &instance.service, &err), OK);
    return instance;
}

void kill_instance(struct instance *instance)
{
    service_free(instance->service);
    bus_free(instance->bus);
    store_free(instance->store);
    *instance = (struct instance){0};
}

void run(struct instance *instance, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        service_round(instance->service);
        bus_pump(ear);
        manual_clock_advance(&manual, 10);
    }
}

void step_until_unsent(struct instance *instance)
{
    struct service_state state = {0};
    while (state.unsent == 0) {
        service_step(instance->service);
        service_state(instance->service, &state);
    }
}

void send_body(const char *id, const char *body)
{
    memory_broker_inject(broker, "test.in", id, body, strlen(body));
}

struct id ping_id(int64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)n);
    return ID_DERIVE("ping", text);
}

void send_ping(int64_t n)
{
    struct envelope envelope = {
        .type = "test.ping", .source = "/test", .subject = "s", .id = ping_id(n)};
    snprintf(envelope.traceparent, sizeof envelope.traceparent, "00-%032llx-00000000000000aa-01",
             (unsigned long long)n);
    struct ping ping = {n};
    struct buf body = {0};
    envelope_encode(&envelope, &ping_type, &ping, &body);
    send_body(envelope.id.text, body.data);
    buf_release(&body);
}

int64_t number(const char *sql)
{
    struct err err = {{0}};
    int64_t value = -1;
    CU_ASSERT_EQUAL(store_query_int(keeper, sql, STORE_NO_ARGS, &value, &err), OK);
    return value;
}
