#include "tests/unit/edge_bottle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/messaging/envelope.h"

static const struct queue_spec command_queues[] = {{.name = COMMANDS, .prefetch = 10}};
static const struct binding_spec command_bindings[] = {
    {COMMANDS, EXCHANGE_COMMANDS, "order.*"},
    {COMMANDS, EXCHANGE_COMMANDS, "catalogue.*"},
    {COMMANDS, EXCHANGE_COMMANDS, "stock.*"},
};
static const struct topology command_topology = {
    .service = "nobody",
    .queues = command_queues,
    .queue_count = 1,
    .bindings = command_bindings,
    .binding_count = 3,
};

static void must(enum result result, const struct err *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "%s: %s\n", result_name(result), err->text);
    abort();
}

static uint64_t choose(void *context, enum memory_fault fault, uint64_t of)
{
    const struct bottle *bottle = context;
    return of > 0 ? bottle->chances[fault] % of : 0;
}

void bottle_open(struct bottle *bottle)
{
    static int number;
    struct err err = {""};
    *bottle = (struct bottle){.tables = {&edge_topology, &command_topology}};
    manual_clock_init(&bottle->clock, INT64_C(1700000000000), 7);
    snprintf(bottle->database, sizeof bottle->database, "memdb:/edge-%d", number++);
    bottle->broker = memory_broker_new(bottle->tables, 2);
    memory_broker_choose(bottle->broker, &(struct memory_chooser){choose, bottle});
    must(store_open_sqlite(bottle->database, STORE_DISPOSABLE, &bottle->keeper, &err), &err);
    must(store_migrate(bottle->keeper, "edge", edge_migrations, edge_migration_count, &err), &err);
    bottle_start(bottle);
    bottle_run(bottle, 2);
}

void bottle_start(struct bottle *bottle)
{
    struct err err = {""};
    const struct switches switches = switches_all_on();
    must(store_open_sqlite(bottle->database, STORE_DISPOSABLE, &bottle->store, &err), &err);
    bottle->bus = memory_bus_new(bottle->broker, &switches);
    bottle->log_bus = memory_bus_new(bottle->broker, &switches);
    const struct edge_parts parts = {.clock = &bottle->clock.clock,
                                     .store = bottle->store,
                                     .bus = bottle->bus,
                                     .log_bus = bottle->log_bus,
                                     .switches = switches};
    must(edge_new(&parts, &bottle->limits, &bottle->edge, &err), &err);
}

void bottle_kill(struct bottle *bottle)
{
    edge_free(bottle->edge);
    bus_free(bottle->bus);
    bus_free(bottle->log_bus);
    store_free(bottle->store);
    bottle->edge = NULL;
    bottle->bus = bottle->log_bus = NULL;
    bottle->store = NULL;
}

void bottle_close(struct bottle *bottle)
{
    bottle_kill(bottle);
    store_free(bottle->keeper);
    memory_broker_free(bottle->broker);
}

void bottle_run(struct bottle *bottle, int rounds)
{
    for (; rounds > 0; rounds--) {
        edge_round(bottle->edge);
        manual_clock_advance(&bottle->clock, 5);
    }
}

void bottle_run_to(struct bottle *bottle, enum edge_phase phase)
{
    while (edge_step(bottle->edge) != phase)
        ;
}

void bottle_fact(struct bottle *bottle, const char *source, const char *type, const char *subject,
                 int64_t sequence, const struct bind_type *payload_type, const void *payload)
{
    struct envelope envelope = {.id = id_new(&bottle->clock.clock),
                                .time_ms = clock_wall_ms(&bottle->clock.clock),
                                .sequence = sequence};
    struct buf body = {0};
    snprintf(envelope.type, sizeof envelope.type, "%s", type);
    snprintf(envelope.source, sizeof envelope.source, "%s", source);
    snprintf(envelope.subject, sizeof envelope.subject, "%s", subject);
    envelope_encode(&envelope, payload_type, payload, &body);
    memory_broker_inject(bottle->broker, STREAM_LOG, envelope.id.text, body.data, body.size);
    buf_release(&body);
    manual_clock_advance(&bottle->clock, 1);
}

void bottle_placed(struct bottle *bottle, const char *order_id, const char *customer,
                   const char *request_hash)
{
    static struct order_placed placed;
    placed = (struct order_placed){.version = 1,
                                   .currency = "EUR",
                                   .line_count = 1,
                                   .lines = {{"MUG", "A \"mug\"", 2, 700, 1400}},
                                   .total = 1400,
                                   .payment = {"tok_visa"},
                                   .deadline_ms = 1};
    snprintf(placed.order_id, sizeof placed.order_id, "%s", order_id);
    snprintf(placed.customer, sizeof placed.customer, "%s", customer);
    memset(placed.request_hash, 'a', HASH_SIZE - 1);
    if (request_hash)
        snprintf(placed.request_hash, sizeof placed.request_hash, "%s", request_hash);
    bottle_fact(bottle, "/order-service", ORDER_PLACED, order_id, 1, &order_placed_type, &placed);
}

void bottle_confirmed(struct bottle *bottle, const char *order_id, const char *customer,
                      int64_t version)
{
    struct order_ended ended = {.version = version, .currency = "EUR", .total = 1400};
    snprintf(ended.order_id, sizeof ended.order_id, "%s", order_id);
    snprintf(ended.customer, sizeof ended.customer, "%s", customer);
    bottle_fact(bottle, "/order-service", ORDER_CONFIRMED, order_id, version, &order_confirmed_type,
                &ended);
}

void bottle_captured(struct bottle *bottle, const char *order_id)
{
    struct payment_outcome captured = {
        .amount = 1400, .currency = "EUR", .provider_reference = "ch-1"};
    snprintf(captured.order_id, sizeof captured.order_id, "%s", order_id);
    bottle_fact(bottle, "/payment-service", PAYMENT_CAPTURED, order_id, 1, &payment_captured_type,
                &captured);
}

static void note(void *context, const struct edge_reply *reply)
{
    struct outcome *outcome = context;
    outcome->calls++;
    outcome->verdict = reply->verdict;
    snprintf(outcome->order_id, sizeof outcome->order_id, "%s", reply->order_id);
    snprintf(outcome->key, sizeof outcome->key, "%s", reply->key);
}

struct edge_caller outcome_of(struct outcome *outcome)
{
    *outcome = (struct outcome){.calls = 0};
    return (struct edge_caller){note, outcome, NULL};
}

struct place_request place_of(const char *sku, int64_t quantity)
{
    struct place_request request = {.line_count = 1, .payment = {"tok_visa"}};
    snprintf(request.lines[0].sku, SKU_SIZE, "%s", sku);
    request.lines[0].quantity = quantity;
    return request;
}

void place(struct bottle *bottle, const char *customer, const char *key, int64_t quantity,
           struct outcome *outcome)
{
    struct place_request request = place_of("MUG", quantity);
    edge_place(bottle->edge, customer, key, &request, outcome_of(outcome));
}

void cancel(struct bottle *bottle, const char *customer, const char *order_id,
            struct outcome *outcome)
{
    edge_cancel(bottle->edge, customer, order_id, outcome_of(outcome));
}

static void copy_seen(void *context, const struct edge_order *order)
{
    struct seen *seen = context;
    seen->order = *order;
    snprintf(seen->lines, sizeof seen->lines, "%s", order->lines);
}

struct seen see(struct bottle *bottle, const char *customer, const char *order_id)
{
    struct seen seen = {.result = FATAL};
    seen.result = edge_get_order(bottle->edge, customer, order_id, copy_seen, &seen, NULL);
    return seen;
}

struct joined {
    char *out;
    size_t size, used;
};

static void join_type(void *context, const char *cloudevent, size_t size)
{
    struct joined *joined = context;
    struct envelope envelope;
    cJSON *document;
    const cJSON *data;
    struct err err = {""};
    must(envelope_decode(cloudevent, size, &envelope, &document, &data, &err), &err);
    cJSON_Delete(document);
    joined->used += (size_t)snprintf(joined->out + joined->used, joined->size - joined->used,
                                     "%s%s", joined->used ? " " : "", envelope.type);
}

void timeline(struct bottle *bottle, const char *customer, const char *order_id, char *out,
              size_t size)
{
    struct joined joined = {out, size, 0};
    out[0] = '\0';
    (void)!edge_timeline(bottle->edge, customer, order_id, join_type, &joined, NULL);
}

void model_hash(struct bottle *bottle, char hex[65])
{
    struct err err = {""};
    must(edge_read_model_hash(bottle->keeper, hex, &err), &err);
}
