/* The loop, on the broker in memory and a database in memory: what becomes of a message whatever the
 * handler says, whenever the process dies. */
#include <stdio.h>
#include <string.h>

#include "common/messaging/memory_bus.h"
#include "common/messaging/service.h"
#include "tests/unit/unit.h"

/* A service that counts: "ping" n adds n to a total and says "pong" n. */

struct ping {
    int64_t n;
};
static const struct bind_field ping_fields[] = {BIND_INT_FIELD(struct ping, n, 0, 1000)};
static const struct bind_type ping_type = BIND_TYPE("ping", struct ping, ping_fields);

static const struct migration steps[] = {{1, "CREATE TABLE total(n INTEGER NOT NULL)"}};

enum mood {
    CONTENT,
    DEFERS,
    REFUSES,
    REFUSES_AFTER_WRITING,
    CONFLICTS_ONCE,
    CALLS,
    BREAKS_STORE,
    KILLS
};

static struct {
    enum mood mood;
    int64_t moody_about; /* this n only */
    int handled, answered, forgotten;
    bool killed;
    char last_key[128];
    char pongs[64][ID_TEXT_SIZE]; /* seen by the listener */
    int pong_count;
} seen;

static enum result write_total(struct uow *uow, int64_t n, struct err *err)
{
    return store_exec(uow_store(uow), "INSERT INTO total(n) VALUES ($1)", STORE_ARGS(store_int(n)),
                      NULL, err);
}

static enum result say_pong(struct uow *uow, const struct ping *ping, struct err *err)
{
    const struct outgoing pong = {.exchange = EXCHANGE_EVENTS,
                                  .type = "test.pong",
                                  .subject = "pong",
                                  .payload_type = &ping_type,
                                  .payload = ping};
    enum result result = write_total(uow, ping->n, err);
    return result == OK ? uow_publish(uow, &pong, NULL, err) : result;
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
static const struct topology table = {.service = "test-service",
                                      .queues = queues,
                                      .queue_count = 1,
                                      .bindings = bindings,
                                      .binding_count = 1,
                                      .handlers = handlers,
                                      .handler_count = 1};
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

static struct {
    struct effect effect;
    int calls;
    bool silent; /* takes the call and never answers */
    bool fails;
    char job_id[128];
} bell;

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

static struct manual_clock manual;
static struct switches switches;
static struct memory_broker *broker;
static struct store *keeper; /* keeps the database in memory alive */
static struct bus *ear;

struct instance {
    struct store *store;
    struct bus *bus;
    struct service *service;
};

static void hear(void *context, const struct bus_event *event)
{
    (void)context;
    if (event->kind != BUS_DELIVERY)
        return;
    snprintf(seen.pongs[seen.pong_count++ % 64], ID_TEXT_SIZE, "%s", event->delivery->message_id);
    (void)bus_ack(ear, event->delivery->tag);
}

static void start_world(void)
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

static void end_world(void)
{
    bus_free(ear);
    memory_broker_free(broker);
    store_free(keeper);
}

static struct instance start_instance(const char *owner)
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
                                        .owner = owner};
    CU_ASSERT_EQUAL_FATAL(service_new(&spec, &parts, NULL, &instance.service, &err), OK);
    return instance;
}

/* As kill -9 does. */
static void kill_instance(struct instance *instance)
{
    service_free(instance->service);
    bus_free(instance->bus);
    store_free(instance->store);
    *instance = (struct instance){0};
}

/* Rounds with 10 ms between them. */
static void run(struct instance *instance, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        service_round(instance->service);
        bus_pump(ear);
        manual_clock_advance(&manual, 10);
    }
}

/* Committed, not relayed. */
static void step_until_unsent(struct instance *instance)
{
    struct service_state state = {0};
    while (state.unsent == 0) {
        service_step(instance->service);
        service_state(instance->service, &state);
    }
}

static void send_body(const char *id, const char *body)
{
    memory_broker_inject(broker, "test.in", id, body, strlen(body));
}

static struct id ping_id(int64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)n);
    return ID_DERIVE("ping", text);
}

static void send_ping(int64_t n)
{
    struct envelope envelope = {
        .type = "test.ping", .source = "/test", .subject = "s", .id = ping_id(n)};
    struct ping ping = {n};
    struct buf body = {0};
    envelope_encode(&envelope, &ping_type, &ping, &body);
    send_body(envelope.id.text, body.data);
    buf_release(&body);
}

static int64_t number(const char *sql)
{
    struct err err = {{0}};
    int64_t value = -1;
    CU_ASSERT_EQUAL(store_query_int(keeper, sql, STORE_NO_ARGS, &value, &err), OK);
    return value;
}
#define ROWS(table) number("SELECT count(*) FROM " table)

static void handled_and_relayed(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    for (int64_t n = 1; n <= 5; n++)
        send_ping(n);
    run(&one, 20);
    CU_ASSERT_EQUAL(seen.handled, 5);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 15);
    CU_ASSERT_EQUAL(seen.pong_count, 5);
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    CU_ASSERT_EQUAL(ROWS("inbox"), 5);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    kill_instance(&one);
    end_world();
}

static void a_duplicate_is_skipped(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    send_ping(1);
    run(&one, 10);
    send_ping(1);
    run(&one, 10);
    CU_ASSERT_EQUAL(seen.handled, 1);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    kill_instance(&one);
    end_world();
}

static void poison_holds_nobody_up(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    send_ping(1);
    send_body("", "{not json");
    send_body("", "{\"specversion\":\"1.0\"}");
    send_body("", "");
    send_ping(2);
    run(&one, 10);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 3);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 3);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    kill_instance(&one);
    end_world();
}

static void refused(enum mood mood)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = mood;
    seen.moody_about = 2;
    for (int64_t n = 1; n <= 3; n++)
        send_ping(n);
    run(&one, 20);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 4); /* nothing of number 2 */
    CU_ASSERT_EQUAL(seen.pong_count, 2);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 1);
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM quarantine WHERE reason LIKE '%never%'"), 1);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    kill_instance(&one);
    end_world();
}

static void invalid_goes_to_quarantine(void)
{
    refused(REFUSES);
}

static void invalid_after_writing_leaves_no_trace(void)
{
    refused(REFUSES_AFTER_WRITING);
    CU_ASSERT_TRUE(seen.forgotten > 0);
}

static void deferred_runs_again_and_passes(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = DEFERS;
    seen.moody_about = 1;
    send_ping(1);
    send_ping(2);
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("deferred"), 1);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 2);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    seen.mood = CONTENT;
    manual_clock_advance(&manual, 3000);
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("deferred"), 0);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 3);
    kill_instance(&one);
    end_world();
}

static void deferred_too_often_is_quarantined(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = DEFERS;
    seen.moody_about = 1;
    send_ping(1);
    for (int i = 0; i < 10; i++) {
        run(&one, 5);
        manual_clock_advance(&manual, 1300000);
    }
    CU_ASSERT_EQUAL(ROWS("deferred"), 0);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 1);
    CU_ASSERT_EQUAL(number("SELECT attempts FROM quarantine"), 6);
    kill_instance(&one);
    end_world();
}

static void conflict_runs_again_at_once(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = CONFLICTS_ONCE;
    seen.moody_about = 2;
    for (int64_t n = 1; n <= 3; n++)
        send_ping(n);
    run(&one, 10);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 6);
    CU_ASSERT_EQUAL(ROWS("total"), 3);
    CU_ASSERT_EQUAL(seen.pong_count, 3);
    CU_ASSERT_EQUAL(seen.forgotten, 1);
    kill_instance(&one);
    end_world();
}

static void a_failing_store_blames_nobody(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = BREAKS_STORE;
    seen.moody_about = 1;
    send_ping(1);
    send_ping(2);
    run(&one, 20);
    CU_ASSERT_EQUAL(ROWS("total"), 0);
    CU_ASSERT_EQUAL(ROWS("inbox"), 0);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 2); /* nothing acknowledged */
    seen.mood = CONTENT;
    manual_clock_advance(&manual, 20000);
    run(&one, 10);
    CU_ASSERT_EQUAL(ROWS("total"), 2);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 0);
    kill_instance(&one);
    end_world();
}

/* Dies after so many steps; what follows must find everything done once. */
static void dies_after(int steps_taken)
{
    start_world();
    struct instance one = start_instance("test-1");
    for (int64_t n = 1; n <= 4; n++)
        send_ping(n);
    for (int i = 0; i < steps_taken; i++)
        service_step(one.service);
    kill_instance(&one);
    one = start_instance("test-1");
    run(&one, 60);
    CU_ASSERT_EQUAL(ROWS("total"), 4);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 10);
    CU_ASSERT_TRUE(seen.pong_count >= 4); /* a fact may be said twice, never lost */
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    CU_ASSERT_EQUAL(ROWS("alone"), 0);
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 0);
    kill_instance(&one);
    end_world();
}

static void death_between_any_two_phases(void)
{
    for (int steps_taken = 0; steps_taken < 6 * PHASE_COUNT; steps_taken++)
        dies_after(steps_taken);
}

static void what_the_dead_left_is_taken_over(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    send_ping(1);
    step_until_unsent(&one);
    kill_instance(&one); /* committed, not relayed, and it does not come back */
    struct instance two = start_instance("test-2");
    run(&two, 10);
    CU_ASSERT_EQUAL(seen.pong_count, 0); /* its owner may still be alive */
    manual_clock_advance(&manual, 10000);
    run(&two, 20);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    kill_instance(&two);
    end_world();
}

static void a_returned_publish_goes_out_again(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    memory_broker_unbind(broker, "test.out");
    send_ping(1);
    run(&one, 20);
    struct service_state state;
    service_state(one.service, &state);
    CU_ASSERT_TRUE(state.returned > 0);
    CU_ASSERT_EQUAL(ROWS("outbox"), 1);
    memory_broker_rebind(broker, "test.out");
    manual_clock_advance(&manual, 20000);
    run(&one, 20);
    CU_ASSERT_EQUAL(seen.pong_count, 1);
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    kill_instance(&one);
    end_world();
}

static void a_call_is_made_until_it_is_answered(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = CALLS;
    seen.moody_about = 1;
    bell.silent = true;
    send_ping(1);
    run(&one, 10);
    CU_ASSERT_EQUAL(bell.calls, 1);
    CU_ASSERT_EQUAL(ROWS("job"), 1);
    manual_clock_advance(&manual, 3100); /* no answer in time: unknown, again with the same key */
    run(&one, 5);
    CU_ASSERT_EQUAL(seen.answered, 1);
    bell.silent = false;
    bell.fails = true;
    manual_clock_advance(&manual, 1000);
    run(&one, 5);
    CU_ASSERT_EQUAL(bell.calls, 2);
    CU_ASSERT_STRING_EQUAL(seen.last_key, "ring:1");
    bell.fails = false;
    manual_clock_advance(&manual, 3000);
    run(&one, 10);
    CU_ASSERT_EQUAL(bell.calls, 3);
    CU_ASSERT_EQUAL(ROWS("job"), 0);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 900);
    kill_instance(&one);
    end_world();
}

static void a_call_survives_its_caller(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    seen.mood = CALLS;
    seen.moody_about = 1;
    bell.silent = true;
    send_ping(1);
    run(&one, 5);
    kill_instance(&one);
    bell.silent = false;
    bell.job_id[0] = '\0';
    one = start_instance("test-1");
    run(&one, 10);
    CU_ASSERT_EQUAL(bell.calls, 2);
    CU_ASSERT_EQUAL(ROWS("job"), 0);
    kill_instance(&one);
    end_world();
}

static void a_killer_is_quarantined(void)
{
    int deaths = 0;
    start_world();
    seen.mood = KILLS;
    seen.moody_about = 1;
    send_ping(1);
    send_ping(2);
    struct instance one = start_instance("test-1");
    for (int steps_taken = 0; steps_taken < 2000; steps_taken++) {
        service_step(one.service);
        manual_clock_advance(&manual, 1);
        if (!seen.killed)
            continue;
        seen.killed = false; /* before the commit */
        deaths++;
        kill_instance(&one);
        one = start_instance("test-1");
    }
    CU_ASSERT_EQUAL(deaths, 1 + 10);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 1);
    CU_ASSERT_EQUAL(number("SELECT sum(n) FROM total"), 2); /* its neighbour is innocent */
    CU_ASSERT_EQUAL(ROWS("alone"), 0);
    kill_instance(&one);
    end_world();
}

static void drains(void)
{
    start_world();
    struct instance one = start_instance("test-1");
    send_ping(1);
    step_until_unsent(&one);
    service_drain(one.service);
    CU_ASSERT_FALSE(service_drained(one.service));
    send_ping(2);
    run(&one, 10);
    CU_ASSERT_TRUE(service_drained(one.service));
    CU_ASSERT_EQUAL(ROWS("outbox"), 0);
    CU_ASSERT_EQUAL(ROWS("total"), 1); /* the second is left to others */
    CU_ASSERT_EQUAL(memory_broker_depth(broker, "test.in"), 1);
    kill_instance(&one);
    end_world();
}

static const struct unit_case cases[] = {
    {"handled and relayed", handled_and_relayed},
    {"a duplicate is skipped", a_duplicate_is_skipped},
    {"poison holds nobody up", poison_holds_nobody_up},
    {"invalid goes to quarantine", invalid_goes_to_quarantine},
    {"invalid after writing leaves no trace", invalid_after_writing_leaves_no_trace},
    {"deferred runs again and passes", deferred_runs_again_and_passes},
    {"deferred too often is quarantined", deferred_too_often_is_quarantined},
    {"conflict runs again at once", conflict_runs_again_at_once},
    {"a failing store blames nobody", a_failing_store_blames_nobody},
    {"death between any two phases", death_between_any_two_phases},
    {"what the dead left is taken over", what_the_dead_left_is_taken_over},
    {"a returned publish goes out again", a_returned_publish_goes_out_again},
    {"a call is made until it is answered", a_call_is_made_until_it_is_answered},
    {"a call survives its caller", a_call_survives_its_caller},
    {"a killer is quarantined", a_killer_is_quarantined},
    {"drains", drains},
};
UNIT_MAIN("service", cases)
