/* Writing the read model. read_model_query.c reads it. */
#include "edge-service/read_model.h"

#include <string.h>

const struct migration edge_migrations[] = {
    {1,
     "CREATE TABLE progress(id INTEGER PRIMARY KEY CHECK (id = 1), next_offset INTEGER NOT NULL);"
     /* One counter per (source, subject): the first occurrence of a number counts. */
     "CREATE TABLE expected(source TEXT NOT NULL, subject TEXT NOT NULL, next INTEGER NOT NULL, "
     "PRIMARY KEY(source, subject));"
     "CREATE TABLE held(source TEXT NOT NULL, subject TEXT NOT NULL, sequence INTEGER NOT NULL, "
     "body BLOB NOT NULL, PRIMARY KEY(source, subject, sequence));"
     "CREATE TABLE orders(order_id TEXT PRIMARY KEY, customer TEXT NOT NULL, status TEXT NOT NULL, "
     "version INTEGER NOT NULL, currency TEXT NOT NULL, total INTEGER NOT NULL, "
     "reason TEXT NOT NULL, lines TEXT NOT NULL, request_hash TEXT NOT NULL, "
     "placed_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL);"
     "CREATE INDEX orders_by_customer ON orders(customer, placed_ms, order_id);"
     /* number: as they came, so that a timeline only ever grows at its end. */
     "CREATE TABLE order_facts(order_id TEXT NOT NULL, number INTEGER NOT NULL, "
     "source TEXT NOT NULL, sequence INTEGER NOT NULL, body BLOB NOT NULL, "
     "PRIMARY KEY(order_id, number));"
     "CREATE TABLE products(sku TEXT PRIMARY KEY, name TEXT NOT NULL, unit_price INTEGER NOT NULL, "
     "currency TEXT NOT NULL, available INTEGER NOT NULL, listed INTEGER NOT NULL)"},
    /* Orders are numbered as they come, and the rest refers to the number: so what belongs to the
     * orders of one batch lies together, and few pages are written. The timeline counts for itself:
     * its rows are the numbers that an order's facts have used. `expected` is left for all else.
     * What was read before is read again. */
    {2,
     "DROP TABLE order_facts; DROP TABLE orders;"
     /* version 0: only facts of others have come so far; no customer sees it. */
     "CREATE TABLE orders(number INTEGER PRIMARY KEY, order_id TEXT NOT NULL UNIQUE, "
     "customer TEXT NOT NULL, status TEXT NOT NULL, version INTEGER NOT NULL, "
     "currency TEXT NOT NULL, total INTEGER NOT NULL, reason TEXT NOT NULL, lines TEXT NOT NULL, "
     "request_hash TEXT NOT NULL, placed_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL);"
     "CREATE INDEX orders_by_customer ON orders(customer, placed_ms, order_id);"
     /* rowid: as they came, so that a timeline only ever grows at its end. */
     "CREATE TABLE order_facts(number INTEGER NOT NULL, source TEXT NOT NULL, "
     "sequence INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(number, source, sequence));"
     "DELETE FROM progress; DELETE FROM expected; DELETE FROM held; DELETE FROM products"},
    {3, "ALTER TABLE progress ADD COLUMN last_id TEXT NOT NULL DEFAULT ''"},
    {4, "ALTER TABLE progress ADD COLUMN cut_at INTEGER NOT NULL DEFAULT 0"},
    /* number: as they came, for the oldest to go first. What was read before is read again, so that
     * every read model of one log is alike. */
    {5, "CREATE TABLE command_fates(number INTEGER PRIMARY KEY, command_id TEXT NOT NULL UNIQUE, "
        "type TEXT NOT NULL, about TEXT NOT NULL, owner TEXT NOT NULL, status TEXT NOT NULL, "
        "reason TEXT NOT NULL);"
        "DELETE FROM progress; DELETE FROM expected; DELETE FROM held; DELETE FROM products; "
        "DELETE FROM order_facts; DELETE FROM orders"},
};
const size_t edge_migration_count = sizeof edge_migrations / sizeof edge_migrations[0];

static enum result take_place(void *context, const struct store_row *row, struct err *err)
{
    struct log_place *place = context;
    (void)err;
    place->next_offset = store_row_int(row, 0);
    store_row_copy(row, 1, place->last_id, sizeof place->last_id);
    place->cut_at = store_row_int(row, 2);
    return OK;
}

enum result read_model_place(struct store *store, struct log_place *ret_place, struct err *err)
{
    struct log_place place = {.next_offset = OFFSET_FIRST};
    enum result result =
        store_query_one(store, "SELECT next_offset, last_id, cut_at FROM progress WHERE id = 1",
                        STORE_NO_ARGS, take_place, &place, err);
    if (result != OK && result != NOT_FOUND)
        return result;
    *ret_place = place;
    return OK;
}

enum result read_model_set_place(struct store *store, const struct log_place *place,
                                 struct err *err)
{
    return store_exec(
        store,
        "INSERT INTO progress(id, next_offset, last_id, cut_at) VALUES (1, $1, $2, $3) "
        "ON CONFLICT(id) DO UPDATE SET next_offset = excluded.next_offset, "
        "last_id = excluded.last_id, cut_at = excluded.cut_at",
        STORE_ARGS(store_int(place->next_offset), store_text(place->last_id),
                   store_int(place->cut_at)),
        NULL, err);
}

enum result read_model_expected(struct store *store, const struct envelope *fact, int64_t *ret_next,
                                struct err *err)
{
    return store_query_int(
        store,
        "SELECT max("
        "coalesce((SELECT next FROM expected WHERE source = $1 AND subject = $2), 1), "
        "coalesce((SELECT max(f.sequence) + 1 FROM orders o JOIN order_facts f "
        "ON f.number = o.number WHERE o.order_id = $2 AND f.source = $1), 1))",
        STORE_ARGS(store_text(fact->source), store_text(fact->subject)), ret_next, err);
}

enum result read_model_set_expected(struct store *store, const struct envelope *fact, int64_t next,
                                    struct err *err)
{
    return store_exec(
        store,
        "INSERT INTO expected(source, subject, next) VALUES ($1, $2, $3) "
        "ON CONFLICT(source, subject) DO UPDATE SET next = excluded.next",
        STORE_ARGS(store_text(fact->source), store_text(fact->subject), store_int(next)), NULL,
        err);
}

enum result read_model_hold(struct store *store, const struct envelope *fact, const char *body,
                            size_t size, struct err *err)
{
    return store_exec(store,
                      "INSERT INTO held(source, subject, sequence, body) VALUES ($1, $2, $3, $4) "
                      "ON CONFLICT(source, subject, sequence) DO NOTHING",
                      STORE_ARGS(store_text(fact->source), store_text(fact->subject),
                                 store_int(fact->sequence), store_blob(body, size)),
                      NULL, err);
}

static enum result copy_body(void *context, const struct store_row *row, struct err *err)
{
    size_t size;
    const void *data = store_row_blob(row, 0, &size);
    (void)err;
    buf_clear(context);
    buf_append(context, data, size);
    return OK;
}

enum result read_model_unhold(struct store *store, const struct envelope *like, int64_t sequence,
                              struct buf *ret_body, struct err *err)
{
    enum result result = store_query_one(
        store, "SELECT body FROM held WHERE source = $1 AND subject = $2 AND sequence = $3",
        STORE_ARGS(store_text(like->source), store_text(like->subject), store_int(sequence)),
        copy_body, ret_body, err);
    if (result != OK)
        return result;
    return store_exec(
        store, "DELETE FROM held WHERE source = $1 AND subject = $2 AND sequence = $3",
        STORE_ARGS(store_text(like->source), store_text(like->subject), store_int(sequence)), NULL,
        err);
}

struct timeline_end {
    int64_t number, last;
};

static enum result take_end(void *context, const struct store_row *row, struct err *err)
{
    struct timeline_end *end = context;
    (void)err;
    end->number = store_row_int(row, 0);
    end->last = store_row_int(row, 1);
    return OK;
}

enum result read_model_find(struct store *store, const struct envelope *fact, int64_t *ret_number,
                            int64_t *ret_last, struct err *err)
{
    struct timeline_end end = {0, 0};
    enum result result = store_query(
        store,
        "SELECT number, (SELECT max(f.sequence) FROM order_facts f "
        "WHERE f.number = o.number AND f.source = $2) FROM orders o WHERE order_id = $1",
        STORE_ARGS(store_text(fact->subject), store_text(fact->source)), take_end, &end, err);
    *ret_number = end.number;
    *ret_last = end.last;
    return result;
}

enum result read_model_last_number(struct store *store, int64_t *ret_number, struct err *err)
{
    return store_query_int(store, "SELECT coalesce(max(number), 0) FROM orders", STORE_NO_ARGS,
                           ret_number, err);
}

static enum result order_insert(struct store *store, const struct order_change *change,
                                struct err *err)
{
    return store_exec(
        store,
        "INSERT INTO orders(number, order_id, customer, status, version, currency, total, reason, "
        "lines, request_hash, placed_ms, updated_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
        STORE_ARGS(store_int(change->number), store_text(change->order_id),
                   store_text(change->customer), store_text(change->status),
                   store_int(change->version), store_text(change->currency),
                   store_int(change->total < 0 ? 0 : change->total), store_text(change->reason),
                   store_text(change->lines[0] ? change->lines : "[]"),
                   store_text(change->request_hash), store_int(change->at_ms)),
        NULL, err);
}

static enum result order_update(struct store *store, const struct order_change *change,
                                struct err *err)
{
    return store_exec(
        store,
        "UPDATE orders SET status = $2, version = $3, "
        "currency = CASE $4 WHEN '' THEN currency ELSE $4 END, "
        "total = CASE WHEN $5 < 0 THEN total ELSE $5 END, "
        "reason = CASE $6 WHEN '' THEN reason ELSE $6 END, updated_ms = $7 WHERE number = $1",
        STORE_ARGS(store_int(change->number), store_text(change->status),
                   store_int(change->version), store_text(change->currency),
                   store_int(change->total), store_text(change->reason), store_int(change->at_ms)),
        NULL, err);
}

enum result read_model_order(struct store *store, const struct order_change *change,
                             struct err *err)
{
    if (change->known && change->version > 1)
        return order_update(store, change, err);
    enum result result = OK;
    if (change->known) /* with version 0 */
        result = store_exec(store, "DELETE FROM orders WHERE number = $1",
                            STORE_ARGS(store_int(change->number)), NULL, err);
    return result == OK ? order_insert(store, change, err) : result;
}

enum result read_model_add(struct store *store, int64_t number, const struct envelope *fact,
                           const struct store_value *body, struct err *err)
{
    return store_exec(
        store, "INSERT INTO order_facts(number, source, sequence, body) VALUES ($1, $2, $3, $4)",
        STORE_ARGS(store_int(number), store_text(fact->source), store_int(fact->sequence), *body),
        NULL, err);
}

enum result read_model_count_held(struct store *store, int64_t *ret_count, struct err *err)
{
    return store_query_int(store, "SELECT count(*) FROM held", STORE_NO_ARGS, ret_count, err);
}

enum result read_model_listed(struct store *store, const struct product_listed *product,
                              struct err *err)
{
    return store_exec(
        store,
        "INSERT INTO products(sku, name, unit_price, currency, available, listed) "
        "VALUES ($1, $2, $3, $4, 0, 1) ON CONFLICT(sku) DO UPDATE SET name = excluded.name, "
        "unit_price = excluded.unit_price, currency = excluded.currency, listed = 1",
        STORE_ARGS(store_text(product->sku), store_text(product->name),
                   store_int(product->unit_price), store_text(product->currency)),
        NULL, err);
}

enum result read_model_stock(struct store *store, const struct stock_changed *stock,
                             struct err *err)
{
    return store_exec(store,
                      "INSERT INTO products(sku, name, unit_price, currency, available, listed) "
                      "VALUES ($1, '', 0, '', $2, 0) "
                      "ON CONFLICT(sku) DO UPDATE SET available = excluded.available",
                      STORE_ARGS(store_text(stock->sku), store_int(stock->available)), NULL, err);
}

enum result read_model_add_fate(struct store *store, const struct command_fate *fate,
                                struct err *err)
{
    int64_t added = 0;
    enum result result = store_exec(
        store,
        "INSERT INTO command_fates(command_id, type, about, owner, status, reason) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT(command_id) DO NOTHING",
        STORE_ARGS(store_text(fate->command_id), store_text(fate->type), store_text(fate->about),
                   store_text(fate->owner), store_text(fate->status), store_text(fate->reason)),
        &added, err);
    if (result != OK)
        return result;
    if (added == 0)
        return DUPLICATE;
    return store_exec(store,
                      "DELETE FROM command_fates "
                      "WHERE number <= (SELECT max(number) FROM command_fates) - $1",
                      STORE_ARGS(store_int(FATES_KEPT)), NULL, err);
}
