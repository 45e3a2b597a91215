#include "order-service/order_store.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "order-service/order_cache.h"

/* Decoded facts are large (fifty lines with names): one of each is enough. */
struct order_store {
    struct order_cache *cache;
    int64_t settlement; /* the last number, as read in this transaction; 0: not yet */
    union {
        struct order_placed placed;
        struct order_rejected rejected;
        struct order_closing closing;
        struct order_ended ended;
    } scratch;
};

struct order_store *order_store_new(size_t cache_max)
{
    struct order_store *orders = calloc(1, sizeof *orders);
    if (orders == NULL)
        abort();
    orders->cache = order_cache_new(cache_max);
    return orders;
}

void order_store_free(struct order_store *orders)
{
    if (orders == NULL)
        return;
    order_cache_free(orders->cache);
    free(orders);
}

void order_store_forget(struct order_store *orders)
{
    order_cache_clear(orders->cache);
    orders->settlement = 0;
}

void order_store_leave(struct order_store *orders)
{
    orders->settlement = 0;
}

void order_store_put_take(struct order_store *orders, struct order *order)
{
    order_cache_put_take(orders->cache, order);
}

/* Folding what the store holds */

struct fold {
    struct order_store *orders;
    struct order *order; /* NULL before the first fact */
};

static enum result fact_decode(const char *data, const struct bind_type *type, void *out,
                               struct err *err)
{
    static const struct json_limits limits = {.max_size = ENVELOPE_SIZE_MAX, .max_depth = 16};
    cJSON *json = NULL;
    enum result result = json_parse(data, strlen(data), &limits, &json, err);
    if (result != OK)
        return result;
    result = bind_decode(type, json, BIND_OPEN, out, err);
    cJSON_Delete(json);
    return result;
}

static enum result fold_first(struct fold *fold, const char *type, const char *data,
                              struct err *err)
{
    struct order_store *orders = fold->orders;
    enum result result = INVALID;
    if (strcmp(type, ORDER_PLACED) == 0) {
        result = fact_decode(data, &order_placed_type, &orders->scratch.placed, err);
        if (result == OK)
            fold->order = order_from_placed(&orders->scratch.placed);
    } else if (strcmp(type, ORDER_REJECTED) == 0) {
        result = fact_decode(data, &order_rejected_type, &orders->scratch.rejected, err);
        if (result == OK)
            fold->order = order_from_rejected(&orders->scratch.rejected);
    } else {
        result = err_set(err, INVALID, "%s cannot come first", type);
    }
    return result;
}

/* The reason decides between facts of one type. */
static enum result fold_later(struct fold *fold, int64_t version, const char *type,
                              const char *data, struct err *err)
{
    struct order_store *orders = fold->orders;
    const char *reason = "";
    enum result result = OK;
    if (strcmp(type, ORDER_CLOSING) == 0) {
        result = fact_decode(data, &order_closing_type, &orders->scratch.closing, err);
        reason = orders->scratch.closing.reason;
    } else if (strcmp(type, ORDER_CANCELLED) == 0 || strcmp(type, ORDER_EXPIRED) == 0) {
        result = fact_decode(data, &order_cancelled_type, &orders->scratch.ended, err);
        reason = orders->scratch.ended.reason;
    }
    return result == OK ? order_apply(fold->order, version, type, reason, err) : result;
}

static enum result fold_row(void *context, const struct store_row *row, struct err *err)
{
    struct fold *fold = context;
    int64_t version = store_row_int(row, 0);
    const char *type = store_row_text(row, 1);
    const char *data = store_row_text(row, 2);
    enum result result = fold->order == NULL ? fold_first(fold, type, data, err)
                                             : fold_later(fold, version, type, data, err);
    /* What does not fold is this order's misfortune, not the store's. */
    return result == OK ? OK : err_context(err, INVALID, "version %lld", (long long)version);
}

static enum result order_load(struct order_store *orders, struct store *store, const char *order_id,
                              struct order **ret_order, struct err *err)
{
    struct fold fold = {.orders = orders};
    enum result result =
        store_query(store,
                    "SELECT version, type, data FROM order_event WHERE order_id = $1 "
                    "ORDER BY version",
                    STORE_ARGS(store_text(order_id)), fold_row, &fold, err);
    if (result != OK) {
        free(fold.order);
        return err_context(err, result, "order %s", order_id);
    }
    if (fold.order == NULL)
        return NOT_FOUND;
    order_cache_put_take(orders->cache, fold.order);
    *ret_order = fold.order;
    return OK;
}

enum result order_store_find(struct order_store *orders, struct store *store, const char *order_id,
                             struct order **ret_order, bool *ret_fresh, struct err *err)
{
    struct order *order = order_cache_find(orders->cache, order_id);
    *ret_fresh = order == NULL;
    if (order == NULL)
        return order_load(orders, store, order_id, ret_order, err);
    *ret_order = order;
    return OK;
}

enum result order_store_reload(struct order_store *orders, struct store *store,
                               const char *order_id, struct order **ret_order, struct err *err)
{
    order_cache_drop(orders->cache, order_id);
    return order_load(orders, store, order_id, ret_order, err);
}

static enum result placed_row(void *context, const struct store_row *row, struct err *err)
{
    return fact_decode(store_row_text(row, 0), &order_placed_type, context, err);
}

enum result order_store_placed(struct store *store, const char *order_id, struct order_placed *out,
                               struct err *err)
{
    return store_query_one(store,
                           "SELECT data FROM order_event WHERE order_id = $1 AND version = 1",
                           STORE_ARGS(store_text(order_id)), placed_row, out, err);
}

/* Appending */

/* Numbers are given out under the write lock, so that none is given twice and none left out. The
 * table knows the last one and is asked once a transaction. */
static enum result settlement_insert(struct order_store *orders, struct store *store,
                                     const struct order_fact *fact, struct err *err)
{
    enum result result = OK;
    if (orders->settlement == 0)
        result = store_query_int(store, "SELECT max(number) FROM settled", STORE_NO_ARGS,
                                 &orders->settlement, err);
    if (result != OK)
        return result;
    *fact->settlement = ++orders->settlement;
    return store_exec(store, "INSERT INTO settled (number, order_id, version) VALUES ($1, $2, $3)",
                      STORE_ARGS(store_int(orders->settlement), store_text(fact->order_id),
                                 store_int(fact->version)),
                      NULL, err);
}

/* Together with its order, version and type this is the whole message: see retell.c. */
static enum result row_insert(struct uow *uow, const struct order_fact *fact,
                              const struct said *said, struct err *err)
{
    static const char checked[] =
        "INSERT INTO order_event (order_id, version, type, fact_id, at_ms, data, traceparent) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)";
    static const char unchecked[] =
        "INSERT OR REPLACE INTO order_event (order_id, version, type, fact_id, at_ms, data, "
        "traceparent) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    struct store_value data = {.type = STORE_TEXT};
    data.data = envelope_data(said->body, said->size, &data.size);
    return store_exec(uow_store(uow), uow_switches(uow)->version_check ? checked : unchecked,
                      STORE_ARGS(store_text(fact->order_id), store_int(fact->version),
                                 store_text(fact->type), store_text(said->id),
                                 store_int(said->time_ms), data, store_text(said->traceparent)),
                      NULL, err);
}

enum result order_store_append(struct order_store *orders, struct uow *uow,
                               const struct order_fact *fact, struct err *err)
{
    struct said said;
    enum result result = OK;
    if (fact->settlement != NULL)
        result = settlement_insert(orders, uow_store(uow), fact, err);
    if (result == OK)
        result = uow_publish(uow,
                             &(struct outgoing){
                                 .exchange = EXCHANGE_EVENTS,
                                 .type = fact->type,
                                 .subject = fact->order_id,
                                 .sequence = fact->version,
                                 .payload_type = fact->payload_type,
                                 .payload = fact->payload,
                             },
                             &said, err);
    if (result == OK)
        result = row_insert(uow, fact, &said, err);
    if (result == OK)
        return OK;
    /* Whatever memory says about this order is out of date. */
    order_cache_drop(orders->cache, fact->order_id);
    return err_context(err, result, "version %lld", (long long)fact->version);
}

/* Deadlines */

enum result order_store_open(struct store *store, const char *order_id, int64_t now_ms,
                             int64_t deadline_ms, struct err *err)
{
    return store_exec(store,
                      "INSERT INTO order_open (order_id, deadline_ms, since_ms) "
                      "VALUES ($1, $2, $3) ON CONFLICT (order_id) DO UPDATE "
                      "SET deadline_ms = excluded.deadline_ms, since_ms = excluded.since_ms",
                      STORE_ARGS(store_text(order_id), store_int(deadline_ms), store_int(now_ms)),
                      NULL, err);
}

enum result order_store_wait_anew(struct store *store, int64_t now_ms, struct err *err)
{
    return store_exec(store,
                      "UPDATE order_open SET deadline_ms = deadline_ms - since_ms + $1, "
                      "since_ms = $1 WHERE since_ms > $1",
                      STORE_ARGS(store_int(now_ms)), NULL, err);
}

enum result order_store_close(struct store *store, const char *order_id, struct err *err)
{
    return store_exec(store, "DELETE FROM order_open WHERE order_id = $1",
                      STORE_ARGS(store_text(order_id)), NULL, err);
}

static enum result due_row(void *context, const struct store_row *row, struct err *err)
{
    struct due_orders *due = context;
    (void)err;
    struct due_order *order = &due->items[due->count++];
    store_row_copy(row, 0, order->id, sizeof order->id);
    order->waited_ms = store_row_int(row, 1);
    return OK;
}

enum result order_store_due(struct store *store, int64_t now_ms, struct due_orders *ret_due,
                            struct err *err)
{
    ret_due->count = 0;
    return store_query(
        store,
        "SELECT order_id, deadline_ms - since_ms FROM order_open WHERE deadline_ms <= $1 "
        "ORDER BY deadline_ms, order_id LIMIT $2",
        STORE_ARGS(store_int(now_ms), store_int(DUE_MAX)), due_row, ret_due, err);
}

bool order_store_any_due(struct store *store, int64_t now_ms)
{
    int64_t first = 0;
    return store_query_int(store,
                           "SELECT deadline_ms FROM order_open WHERE deadline_ms <= $1 "
                           "ORDER BY deadline_ms LIMIT 1",
                           STORE_ARGS(store_int(now_ms)), &first, NULL) == OK;
}
