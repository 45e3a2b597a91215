#include "order-service/order_service.h"

#include <stdlib.h>

#include "order-service/state.h"

enum { PAYMENT_DEADLINE_MS = 30000, CACHE_MAX = 4096 };

/* What is not null, unique or within its bounds is checked here once more, whoever writes. */
const struct migration order_migrations[] = {
    {1, "CREATE TABLE order_event ("
        "  order_id TEXT NOT NULL, version INTEGER NOT NULL CHECK (version >= 1),"
        "  type TEXT NOT NULL, fact_id TEXT NOT NULL, at_ms INTEGER NOT NULL, data TEXT NOT NULL,"
        "  PRIMARY KEY (order_id, version));"
        "CREATE TABLE order_open ("
        "  order_id TEXT NOT NULL PRIMARY KEY, deadline_ms INTEGER NOT NULL);"
        "CREATE INDEX order_open_deadline ON order_open (deadline_ms, order_id);"
        "CREATE TABLE product ("
        "  sku TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, unit_price INTEGER NOT NULL,"
        "  currency TEXT NOT NULL, revision INTEGER NOT NULL, adjusted INTEGER NOT NULL,"
        "  available INTEGER NOT NULL CHECK (available >= 0),"
        "  reserved INTEGER NOT NULL CHECK (reserved >= 0),"
        "  sold INTEGER NOT NULL CHECK (sold >= 0), sequence INTEGER NOT NULL);"},
    /* changes: counts the row's writes, for whoever writes at the same time. told_ms: when the last
     * stock.changed was made; untold: the stock has moved since. */
    {2, "ALTER TABLE product ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE product ADD COLUMN told_ms INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE product ADD COLUMN untold INTEGER NOT NULL DEFAULT 0;"
        "CREATE INDEX product_untold ON product (told_ms) WHERE untold = 1"},
    {3, "CREATE TABLE stock_adjustment ("
        "  command_id TEXT NOT NULL, request_id TEXT NOT NULL, sku TEXT NOT NULL,"
        "  delta INTEGER NOT NULL, at_ms INTEGER NOT NULL);"
        "CREATE INDEX stock_adjustment_request ON stock_adjustment (request_id);"
        "INSERT INTO stock_adjustment (command_id, request_id, sku, delta, at_ms)"
        "  SELECT 'before', '', sku, adjusted, 0 FROM product WHERE adjusted <> 0;"},
    /* When the wait for a deadline began. */
    {4, "ALTER TABLE order_open ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0"},
    /* Whoever waits for payment's word is open: who is closing until it is settled, who is owed a
     * refund until that has been heard of. Of the refunds of before nobody knows whether they were:
     * payment says. Ten a second, the closing ones first, so that they hold up nobody. */
    {5, "INSERT INTO order_open (order_id, deadline_ms, since_ms)"
        "  SELECT order_id, 1000 * CAST(strftime('%s', 'now') AS INTEGER)"
        "    + 100 * row_number() OVER (ORDER BY closing DESC), 0"
        "  FROM (SELECT order_id, type = 'order.closing' AS closing"
        "    FROM order_event AS e WHERE (type = 'order.closing' OR"
        "      (type = 'order.cancelled' OR type = 'order.expired') AND"
        "      instr(data, '\"reason\":\"after-payment\"') > 0) AND NOT EXISTS"
        "      (SELECT 1 FROM order_event AS later WHERE later.order_id = e.order_id"
        "       AND later.version > e.version)) WHERE true"
        "  ON CONFLICT (order_id) DO NOTHING"},
    /* Every settled version from now on, numbered without a gap; and what a fact needs to be said
     * again byte for byte. */
    {6, "CREATE TABLE settled ("
        "  number INTEGER NOT NULL PRIMARY KEY, order_id TEXT NOT NULL, version INTEGER NOT NULL);"
        "ALTER TABLE order_event ADD COLUMN traceparent TEXT NOT NULL DEFAULT ''"},
    /* Which command a key of catalogue.set-product belongs to. */
    {7,
     "CREATE TABLE listing_request ("
     "  request_id TEXT NOT NULL PRIMARY KEY, command_id TEXT NOT NULL, at_ms INTEGER NOT NULL)"},
};
const size_t order_migration_count = sizeof order_migrations / sizeof order_migrations[0];

enum result order_service_new(const struct order_service_options *options,
                              struct order_service **ret_service, struct err *err)
{
    static const struct order_service_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    if (options->payment_deadline_ms < 0)
        return err_set(err, INVALID, "a payment deadline of %lld ms",
                       (long long)options->payment_deadline_ms);
    struct order_service *service = calloc(1, sizeof *service);
    if (service == NULL)
        return err_set(err, RETRY, "out of memory");
    service->payment_deadline_ms =
        options->payment_deadline_ms == 0 ? PAYMENT_DEADLINE_MS : options->payment_deadline_ms;
    service->log = options->log;
    service->orders = order_store_new(options->cache_max == 0 ? CACHE_MAX : options->cache_max);
    service->stock = stock_new();
    *ret_service = service;
    return OK;
}

void order_service_free(struct order_service *service)
{
    if (service == NULL)
        return;
    order_store_free(service->orders);
    stock_free(service->stock);
    refusals_release(&service->refusals);
    free(service);
}

static bool service_due(void *self, struct store *store, int64_t now_ms)
{
    (void)self;
    return order_store_any_due(store, now_ms) || stock_any_untold(store, now_ms);
}

static enum result service_tick(void *self, struct uow *uow, int64_t now_ms, struct err *err)
{
    struct order_service *service = self;
    struct due_orders due;
    enum result result = stock_take_untold(service->stock, uow_store(uow), now_ms, err);
    if (result == OK)
        result = order_store_due(uow_store(uow), now_ms, &due, err);
    for (size_t i = 0; result == OK && i < due.count; i++)
        result = order_overdue(self, uow, &due.items[i], err);
    return result == OK ? OK : err_context(err, result, "deadlines");
}

static enum result service_wait_anew(void *self, struct uow *uow, int64_t now_ms, struct err *err)
{
    (void)self;
    return order_store_wait_anew(uow_store(uow), now_ms, err);
}

static enum result service_before_commit(void *self, struct uow *uow, struct err *err)
{
    struct order_service *service = self;
    enum result result = stock_flush(service->stock, uow, err);
    if (result == OK)
        result = retell_flush(service, uow, err);
    order_store_leave(service->orders);
    return result;
}

/* After a rollback nothing in memory can be trusted: it may hold what never happened. */
static void service_forget(void *self)
{
    struct order_service *service = self;
    order_store_forget(service->orders);
    stock_forget(service->stock);
    service->asked.missing_count = 0;
    service->refusals.count = 0;
}

static void service_committed(void *self)
{
    struct order_service *service = self;
    refusals_committed(&service->refusals, service->log);
}

const struct service_spec order_service_spec = {
    .name = "order-service",
    .source = "/order-service",
    .topology = &order_topology,
    .due = service_due,
    .tick = service_tick,
    .wait_anew = service_wait_anew,
    .before_commit = service_before_commit,
    .forget = service_forget,
    .committed = service_committed,
};
