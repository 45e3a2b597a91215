#include "tests/unit/order_shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct queue_spec queues[] = {
    {.name = "test.events", .kind = QUEUE_STREAM},
    {.name = "test.commands", .kind = QUEUE_STREAM},
};
static const struct binding_spec bindings[] = {
    {"test.events", "warren.events", "#"},
    {"test.commands", "warren.commands", "payment.*"},
};
static const struct topology witness = {
    .service = "test",
    .queues = queues,
    .queue_count = 2,
    .bindings = bindings,
    .binding_count = 2,
};

static void must(enum result result, const struct err *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "shop: %s: %s\n", result_name(result), err_text(err));
    abort();
}

static struct store *store_opened(struct shop *shop)
{
    struct err err = {{0}};
    struct store *store = NULL;
    must(store_open_sqlite(shop->database, STORE_DURABLE, &store, &err), &err);
    return store;
}

void shop_start(struct shop *shop, size_t i)
{
    struct err err = {{0}};
    struct shop_instance *self = &shop->instances[i];
    snprintf(self->owner, sizeof self->owner, "order-service-%zu", i + 1);
    self->store = store_opened(shop);
    self->bus = memory_bus_new(shop->broker, &shop->switches);
    must(order_service_new(&shop->options, &self->order, &err), &err);
    const struct service_parts parts = {
        .clock = &shop->clock.clock,
        .store = self->store,
        .bus = self->bus,
        .switches = shop->switches,
        .owner = self->owner,
        .self = self->order,
    };
    must(service_new(&order_service_spec, &parts, &shop->limits, &self->service, &err), &err);
}

void shop_kill(struct shop *shop, size_t i)
{
    struct shop_instance *self = &shop->instances[i];
    service_free(self->service);
    if (self->bus != NULL)
        bus_free(self->bus);
    order_service_free(self->order);
    store_free(self->store);
    *self = (struct shop_instance){0};
}

void shop_open(struct shop *shop, const struct order_service_options *options)
{
    static unsigned number;
    static const struct topology *const tables[] = {&order_topology, &witness};
    struct err err = {{0}};
    *shop = (struct shop){.switches = switches_all_on()};
    if (options != NULL)
        shop->options = *options;
    manual_clock_init(&shop->clock, INT64_C(1800000000000), 1);
    shop->broker = memory_broker_new(tables, 2);
    snprintf(shop->database, sizeof shop->database, "memdb:/order-shop-%u", ++number);
    shop->store = store_opened(shop);
    must(store_migrate(shop->store, "service", service_migrations, service_migration_count, &err),
         &err);
    must(store_migrate(shop->store, "order", order_migrations, order_migration_count, &err), &err);
    for (size_t i = 0; i < SHOP_INSTANCES; i++)
        shop_start(shop, i);
}

void shop_close(struct shop *shop)
{
    for (size_t i = 0; i < SHOP_INSTANCES; i++)
        shop_kill(shop, i);
    store_free(shop->store);
    memory_broker_free(shop->broker);
}

void shop_run(struct shop *shop, size_t i)
{
    for (int round = 0; round < 20; round++) {
        service_round(shop->instances[i].service);
        manual_clock_advance(&shop->clock, 12);
    }
}

void shop_run_to(struct shop *shop, size_t i, enum phase phase)
{
    for (int step = 0; step < 1000; step++)
        if (service_step(shop->instances[i].service) == phase)
            return;
    abort();
}

void shop_send(struct shop *shop, const char *type, const char *subject, const void *payload)
{
    struct envelope envelope = {.id = id_new(&shop->clock.clock), .time_ms = shop->clock.wall_ms};
    snprintf(envelope.type, sizeof envelope.type, "%s", type);
    snprintf(envelope.source, sizeof envelope.source, "/test");
    snprintf(envelope.subject, sizeof envelope.subject, "%s", subject);
    const struct contract *contract = contract_find(type);
    struct buf body = {0};
    envelope_encode(&envelope, contract->payload, payload, &body);
    memory_broker_inject(shop->broker,
                         strncmp(type, "payment.", 8) == 0 ? "order.payments" : "order.commands",
                         envelope.id.text, body.data, body.size);
    buf_release(&body);
}

const char *shop_order_id(unsigned order)
{
    static char ids[8][UUID_SIZE];
    static unsigned next;
    char *id = ids[next++ % 8];
    snprintf(id, UUID_SIZE, "%08x-0000-8000-8000-000000000000", order);
    return id;
}

void shop_list(struct shop *shop, const char *sku, int64_t unit_price, int64_t revision)
{
    struct set_product product = {
        .name = "A thing", .unit_price = unit_price, .currency = "EUR", .revision = revision};
    snprintf(product.sku, sizeof product.sku, "%s", sku);
    shop_send(shop, CATALOGUE_SET_PRODUCT, sku, &product);
}

void shop_adjust(struct shop *shop, const char *sku, int64_t delta)
{
    struct stock_adjust adjust = {.delta = delta};
    snprintf(adjust.sku, sizeof adjust.sku, "%s", sku);
    shop_send(shop, STOCK_ADJUST, sku, &adjust);
}

void shop_place(struct shop *shop, unsigned order, const char *sku, int64_t quantity,
                const char *hash)
{
    struct order_place place = {
        .customer = ALICE, .line_count = 1, .lines[0].quantity = quantity, .payment = {"tok_visa"}};
    snprintf(place.order_id, sizeof place.order_id, "%s", shop_order_id(order));
    snprintf(place.lines[0].sku, sizeof place.lines[0].sku, "%s", sku);
    snprintf(place.request_hash, sizeof place.request_hash, "%s", hash);
    shop_send(shop, ORDER_PLACE, place.order_id, &place);
}

void shop_cancel(struct shop *shop, unsigned order, const char *customer)
{
    struct order_cancel cancel = {.order_id = ""};
    snprintf(cancel.order_id, sizeof cancel.order_id, "%s", shop_order_id(order));
    snprintf(cancel.customer, sizeof cancel.customer, "%s", customer);
    shop_send(shop, ORDER_CANCEL, cancel.order_id, &cancel);
}

void shop_captured(struct shop *shop, unsigned order, int64_t amount)
{
    struct payment_outcome captured = {
        .amount = amount, .currency = "EUR", .provider_reference = "ref-1"};
    snprintf(captured.order_id, sizeof captured.order_id, "%s", shop_order_id(order));
    shop_send(shop, PAYMENT_CAPTURED, captured.order_id, &captured);
}

void shop_declined(struct shop *shop, unsigned order)
{
    struct payment_declined declined = {
        .amount = 1, .currency = "EUR", .reason = "payment-declined"};
    snprintf(declined.order_id, sizeof declined.order_id, "%s", shop_order_id(order));
    shop_send(shop, PAYMENT_DECLINED, declined.order_id, &declined);
}

void shop_closed(struct shop *shop, unsigned order)
{
    struct payment_closed closed = {.reason = "cancelled"};
    snprintf(closed.order_id, sizeof closed.order_id, "%s", shop_order_id(order));
    shop_send(shop, PAYMENT_CLOSED, closed.order_id, &closed);
}

void shop_refunded(struct shop *shop, unsigned order, int64_t amount)
{
    struct payment_outcome refunded = {
        .amount = amount, .currency = "EUR", .provider_reference = "refund-1"};
    snprintf(refunded.order_id, sizeof refunded.order_id, "%s", shop_order_id(order));
    shop_send(shop, PAYMENT_REFUNDED, refunded.order_id, &refunded);
}

/* What the witness has seen. */

typedef void seen_fn(void *context, const struct envelope *envelope, const cJSON *data);

static void each_seen(struct shop *shop, seen_fn *seen, void *context)
{
    static const char *const streams[] = {"test.events", "test.commands"};
    for (size_t s = 0; s < 2; s++) {
        size_t size = 0;
        int64_t offset = 0;
        const char *body = NULL;
        for (size_t i = 0;
             (body = memory_broker_stream_at(shop->broker, streams[s], i, &size, &offset)) != NULL;
             i++) {
            struct envelope envelope;
            cJSON *document = NULL;
            const cJSON *data = NULL;
            struct err err = {{0}};
            must(envelope_decode(body, size, &envelope, &document, &data, &err), &err);
            seen(context, &envelope, data);
            cJSON_Delete(document);
        }
    }
}

struct search {
    const char *type, *subject;
    size_t count;
    void *out;
};

static void seen_match(void *context, const struct envelope *envelope, const cJSON *data)
{
    struct search *search = context;
    if (strcmp(envelope->type, search->type) != 0 ||
        (search->subject != NULL && strcmp(envelope->subject, search->subject) != 0))
        return;
    search->count++;
    struct err err = {{0}};
    if (search->out != NULL)
        must(bind_decode(contract_find(search->type)->payload, data, BIND_OPEN, search->out, &err),
             &err);
}

size_t shop_count(struct shop *shop, const char *type, const char *subject)
{
    struct search search = {.type = type, .subject = subject};
    each_seen(shop, seen_match, &search);
    return search.count;
}

struct ids {
    const char *type;
    struct id seen[64];
    size_t count;
};

static void seen_id(void *context, const struct envelope *envelope, const cJSON *data)
{
    struct ids *ids = context;
    (void)data;
    if (strcmp(envelope->type, ids->type) != 0)
        return;
    for (size_t i = 0; i < ids->count; i++)
        if (strcmp(ids->seen[i].text, envelope->id.text) == 0)
            return;
    if (ids->count == sizeof ids->seen / sizeof ids->seen[0])
        abort();
    ids->seen[ids->count++] = envelope->id;
}

size_t shop_ids(struct shop *shop, const char *type)
{
    struct ids ids = {.type = type};
    each_seen(shop, seen_id, &ids);
    return ids.count;
}

bool shop_last(struct shop *shop, const char *type, const char *subject, void *out)
{
    struct search search = {.type = type, .subject = subject, .out = out};
    each_seen(shop, seen_match, &search);
    return search.count > 0;
}

struct sequences {
    struct {
        char subject[64];
        int64_t last;
    } subjects[4096];
    size_t count;
    bool hold;
};

static void seen_sequence(void *context, const struct envelope *envelope, const cJSON *data)
{
    struct sequences *all = context;
    size_t i = 0;
    (void)data;
    if (envelope->sequence == 0)
        return;
    while (i < all->count && strcmp(all->subjects[i].subject, envelope->subject) != 0)
        i++;
    if (i == all->count) {
        if (i == sizeof all->subjects / sizeof all->subjects[0])
            abort();
        snprintf(all->subjects[i].subject, sizeof all->subjects[i].subject, "%s",
                 envelope->subject);
        all->subjects[all->count++].last = 0;
    }
    if (envelope->sequence != ++all->subjects[i].last) {
        fprintf(stderr, "%s %s: sequence %lld, expected %lld\n", envelope->type, envelope->subject,
                (long long)envelope->sequence, (long long)all->subjects[i].last);
        all->hold = false;
    }
}

bool shop_sequences_hold(struct shop *shop)
{
    struct sequences *all = calloc(1, sizeof *all);
    all->hold = true;
    each_seen(shop, seen_sequence, all);
    bool hold = all->hold;
    free(all);
    return hold;
}

int64_t shop_number(struct shop *shop, const char *sql, const char *argument)
{
    struct err err = {{0}};
    int64_t number = 0;
    const struct store_value value = store_text(argument);
    must(store_query_int(shop->store, sql, &value, argument == NULL ? 0 : 1, &number, &err), &err);
    return number;
}

static enum result history_row(void *context, const struct store_row *row, struct err *err)
{
    char *text = context;
    size_t used = strlen(text);
    (void)err;
    snprintf(text + used, 512 - used, "%s%s", used > 0 ? " " : "",
             store_row_text(row, 0) + strlen("order."));
    return OK;
}

const char *shop_history(struct shop *shop, unsigned order)
{
    static char text[512];
    struct err err = {{0}};
    text[0] = '\0';
    must(store_query(shop->store,
                     "SELECT type FROM order_event WHERE order_id = $1 ORDER BY version",
                     STORE_ARGS(store_text(shop_order_id(order))), history_row, text, &err),
         &err);
    return text;
}
