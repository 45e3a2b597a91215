/* Reading the read model. The customer is in the WHERE of every query of orders. */
#include <string.h>

#include "common/base/digest.h"
#include "edge-service/read_model.h"

#define ORDER_COLUMNS                                                                              \
    "order_id, status, version, currency, total, reason, request_hash, placed_ms, updated_ms, "    \
    "lines"

struct order_visit {
    edge_order_fn *each;
    void *context;
};

static enum result visit_order(void *context, const struct store_row *row, struct err *err)
{
    const struct order_visit *visit = context;
    struct edge_order order = {.version = store_row_int(row, 2),
                               .total = store_row_int(row, 4),
                               .placed_ms = store_row_int(row, 7),
                               .updated_ms = store_row_int(row, 8),
                               .lines = store_row_text(row, 9)};
    (void)err;
    store_row_copy(row, 0, order.order_id, sizeof order.order_id);
    store_row_copy(row, 1, order.status, sizeof order.status);
    store_row_copy(row, 3, order.currency, sizeof order.currency);
    store_row_copy(row, 5, order.reason, sizeof order.reason);
    store_row_copy(row, 6, order.request_hash, sizeof order.request_hash);
    visit->each(visit->context, &order);
    return OK;
}

enum result read_model_get(struct store *store, const char *customer, const char *order_id,
                           edge_order_fn *each, void *context, struct err *err)
{
    struct order_visit visit = {each, context};
    return store_query_one(
        store, "SELECT " ORDER_COLUMNS " FROM orders WHERE order_id = $1 AND customer = $2",
        STORE_ARGS(store_text(order_id), store_text(customer)), visit_order, &visit, err);
}

enum result read_model_list(struct store *store, const char *customer, int limit,
                            const struct edge_position *behind, edge_order_fn *each, void *context,
                            struct err *err)
{
    struct order_visit visit = {each, context};
    int64_t from = behind->placed_ms < 0 ? INT64_MAX : behind->placed_ms;
    return store_query(store,
                       "SELECT " ORDER_COLUMNS " FROM orders WHERE customer = $1 "
                       "AND placed_ms <= $2 AND (placed_ms < $2 OR order_id < $3) "
                       "ORDER BY placed_ms DESC, order_id DESC LIMIT $4",
                       STORE_ARGS(store_text(customer), store_int(from),
                                  store_text(behind->order_id), store_int(limit)),
                       visit_order, &visit, err);
}

struct fact_visit {
    edge_fact_fn *each;
    void *context;
};

static enum result visit_fact(void *context, const struct store_row *row, struct err *err)
{
    const struct fact_visit *visit = context;
    size_t size;
    const char *body = store_row_blob(row, 0, &size);
    (void)err;
    visit->each(visit->context, body, size);
    return OK;
}

enum result read_model_timeline(struct store *store, const char *customer, const char *order_id,
                                edge_fact_fn *each, void *context, struct err *err)
{
    struct fact_visit visit = {each, context};
    return store_query(store,
                       "SELECT f.body FROM orders o JOIN order_facts f ON f.number = o.number "
                       "WHERE o.order_id = $1 AND o.customer = $2 ORDER BY f.rowid",
                       STORE_ARGS(store_text(order_id), store_text(customer)), visit_fact, &visit,
                       err);
}

static enum result take_fate(void *context, const struct store_row *row, struct err *err)
{
    struct edge_fate *fate = context;
    (void)err;
    store_row_copy(row, 0, fate->command_id, sizeof fate->command_id);
    store_row_copy(row, 1, fate->type, sizeof fate->type);
    store_row_copy(row, 2, fate->about, sizeof fate->about);
    store_row_copy(row, 3, fate->status, sizeof fate->status);
    store_row_copy(row, 4, fate->reason, sizeof fate->reason);
    return OK;
}

enum result read_model_fate(struct store *store, const char *owner, const char *command_id,
                            struct edge_fate *ret_fate, struct err *err)
{
    return store_query_one(store,
                           "SELECT command_id, type, about, status, reason FROM command_fates "
                           "WHERE command_id = $1 AND owner = $2",
                           STORE_ARGS(store_text(command_id), store_text(owner)), take_fate,
                           ret_fate, err);
}

struct recent_visit {
    read_model_recent_fn *each;
    void *context;
};

static enum result visit_recent(void *context, const struct store_row *row, struct err *err)
{
    const struct recent_visit *visit = context;
    (void)err;
    visit->each(visit->context, store_row_text(row, 0), store_row_text(row, 1));
    return OK;
}

enum result read_model_recent(struct store *store, const char *customer, int limit,
                              read_model_recent_fn *each, void *context, struct err *err)
{
    struct recent_visit visit = {each, context};
    return store_query(store,
                       "SELECT order_id, request_hash FROM orders WHERE customer = $1 "
                       "ORDER BY placed_ms DESC, order_id DESC LIMIT $2",
                       STORE_ARGS(store_text(customer), store_int(limit)), visit_recent, &visit,
                       err);
}

struct product_visit {
    edge_product_fn *each;
    void *context;
};

static enum result visit_product(void *context, const struct store_row *row, struct err *err)
{
    const struct product_visit *visit = context;
    struct edge_product product = {.unit_price = store_row_int(row, 2),
                                   .available = store_row_int(row, 4)};
    (void)err;
    store_row_copy(row, 0, product.sku, sizeof product.sku);
    store_row_copy(row, 1, product.name, sizeof product.name);
    store_row_copy(row, 3, product.currency, sizeof product.currency);
    visit->each(visit->context, &product);
    return OK;
}

enum result read_model_products(struct store *store, edge_product_fn *each, void *context,
                                struct err *err)
{
    struct product_visit visit = {each, context};
    return store_query(store,
                       "SELECT sku, name, unit_price, currency, available FROM products "
                       "WHERE listed = 1 ORDER BY sku",
                       STORE_NO_ARGS, visit_product, &visit, err);
}

/* The hash is a chain: each row is hashed behind the hash of all rows before it. */
struct chain {
    char hex[SHA256_HEX_SIZE];
    struct buf row;
    int columns;
};

static enum result add_row(void *context, const struct store_row *row, struct err *err)
{
    struct chain *chain = context;
    (void)err;
    buf_clear(&chain->row);
    buf_text(&chain->row, chain->hex);
    for (int i = 0; i < chain->columns; i++) {
        size_t size;
        const void *data = store_row_blob(row, i, &size);
        buf_printf(&chain->row, "%zu:", size);
        buf_append(&chain->row, data, size);
    }
    sha256_hex(chain->row.data, chain->row.size, chain->hex);
    return OK;
}

static enum result add_table(struct store *store, struct chain *chain, const char *sql, int columns,
                             struct err *err)
{
    chain->columns = columns;
    return store_query(store, sql, STORE_NO_ARGS, add_row, chain, err);
}

enum result edge_read_model_hash(struct store *store, char hex[65], struct err *err)
{
    struct chain chain = {.hex = ""};
    enum result result =
        add_table(store, &chain,
                  "SELECT order_id, customer, status, CAST(version AS TEXT), currency, "
                  "CAST(total AS TEXT), reason, lines, request_hash, CAST(placed_ms AS TEXT), "
                  "CAST(updated_ms AS TEXT) FROM orders WHERE version > 0 ORDER BY order_id",
                  11, err);
    if (result == OK)
        result = add_table(store, &chain,
                           "SELECT order_id, source, CAST(sequence AS TEXT), body FROM orders "
                           "JOIN order_facts USING (number) ORDER BY order_id, source, sequence",
                           4, err);
    if (result == OK)
        result = add_table(store, &chain,
                           "SELECT sku, name, CAST(unit_price AS TEXT), currency, "
                           "CAST(available AS TEXT), CAST(listed AS TEXT) "
                           "FROM products ORDER BY sku",
                           6, err);
    if (result == OK)
        result = add_table(store, &chain,
                           "SELECT command_id, type, about, owner, status, reason "
                           "FROM command_fates ORDER BY command_id",
                           6, err);
    if (result == OK)
        memcpy(hex, chain.hex, SHA256_HEX_SIZE);
    buf_release(&chain.row);
    return result;
}
