#include "common/store/store.h"

#include <string.h>

#include "common/base/text.h"
#include "common/store/engine.h"

struct store_value store_text(const char *text)
{
    if (!text)
        return (struct store_value){.type = STORE_NULL};
    return (struct store_value){.type = STORE_TEXT, .data = text, .size = strlen(text)};
}

struct store_value store_blob(const void *data, size_t size)
{
    return (struct store_value){.type = STORE_BLOB, .data = data, .size = size};
}

int64_t store_row_int(const struct store_row *row, int column)
{
    return row->ops->row_int(row, column);
}

const char *store_row_text(const struct store_row *row, int column)
{
    return row->ops->row_text(row, column);
}

const void *store_row_blob(const struct store_row *row, int column, size_t *ret_size)
{
    return row->ops->row_blob(row, column, ret_size);
}

void store_row_copy(const struct store_row *row, int column, char *out, size_t size)
{
    text_copy(out, size, store_row_text(row, column));
}

void store_read_begin(struct store *store)
{
    if (store->in_transaction || store->reading || !store->ops->read_begin)
        return;
    store->ops->read_begin(store);
    store->reading = true;
}

void store_read_end(struct store *store)
{
    if (store->reading)
        store->ops->read_end(store);
    store->reading = false;
}

enum result store_begin(struct store *store, struct err *err)
{
    if (store->in_transaction || store->reading)
        return err_set(err, FATAL, "begin: a transaction is open already");
    enum result result = store->ops->begin(store, err);
    store->in_transaction = result == OK;
    store->failed = false;
    store->writes = 0;
    return result;
}

enum result store_commit(struct store *store, struct err *err)
{
    if (!store->in_transaction)
        return err_set(err, FATAL, "commit: no transaction is open");
    enum result result = store->failed ? err_set(err, RETRY, "commit: a statement has failed")
                                       : store->ops->commit(store, err);
    if (result != OK)
        store->ops->rollback(store);
    store->in_transaction = false;
    store->failed = false;
    return result;
}

void store_rollback(struct store *store)
{
    if (store->in_transaction)
        store->ops->rollback(store);
    store->in_transaction = false;
    store->failed = false;
    store->writes = 0;
}

bool store_in_transaction(const struct store *store)
{
    return store->in_transaction;
}

bool store_failed(const struct store *store)
{
    return store->failed;
}

bool store_damaged(const struct store *store)
{
    return store->damaged;
}

uint64_t store_writes(const struct store *store)
{
    return store->writes;
}

enum result store_query(struct store *store, const char *sql, const struct store_value *args,
                        size_t count, store_row_fn *each, void *context, struct err *err)
{
    return store->ops->query(store, sql, args, count, each, context, err);
}

struct first_row {
    store_row_fn *each;
    void *context;
    bool seen;
};

static enum result take_first_row(void *context, const struct store_row *row, struct err *err)
{
    struct first_row *first = context;
    if (first->seen)
        return OK;
    first->seen = true;
    return first->each ? first->each(first->context, row, err) : OK;
}

enum result store_query_one(struct store *store, const char *sql, const struct store_value *args,
                            size_t count, store_row_fn *each, void *context, struct err *err)
{
    struct first_row first = {each, context, false};
    enum result result = store_query(store, sql, args, count, take_first_row, &first, err);
    if (result == OK && !first.seen)
        return err_set(err, NOT_FOUND, "no row");
    return result;
}

static enum result take_int(void *context, const struct store_row *row, struct err *err)
{
    (void)err;
    *(int64_t *)context = store_row_int(row, 0);
    return OK;
}

enum result store_query_int(struct store *store, const char *sql, const struct store_value *args,
                            size_t count, int64_t *ret_number, struct err *err)
{
    return store_query_one(store, sql, args, count, take_int, ret_number, err);
}

enum result store_exec(struct store *store, const char *sql, const struct store_value *args,
                       size_t count, int64_t *ret_changed, struct err *err)
{
    if (!store->in_transaction)
        return err_set(err, FATAL, "a write outside a transaction");
    store->writes++;
    return store->ops->exec(store, sql, args, count, ret_changed, err);
}

enum result store_write_query(struct store *store, const char *sql, const struct store_value *args,
                              size_t count, store_row_fn *each, void *context, struct err *err)
{
    if (!store->in_transaction)
        return err_set(err, FATAL, "a write outside a transaction");
    store->writes++;
    return store->ops->query(store, sql, args, count, each, context, err);
}

static enum result migrate_step(struct store *store, const char *owner,
                                const struct migration *step, struct err *err)
{
    enum result result = store->ops->script(store, step->sql, err);
    if (result == OK)
        result = store_exec(store, "INSERT INTO schema_step(owner, number) VALUES ($1, $2)",
                            STORE_ARGS(store_text(owner), store_int(step->number)), NULL, err);
    if (result != OK)
        return err_context(err, result, "schema step %s %d", owner, step->number);
    return OK;
}

static enum result migrate_in_transaction(struct store *store, const char *owner,
                                          const struct migration *steps, size_t count,
                                          struct err *err)
{
    int64_t done = 0;
    enum result result = store->ops->script(store,
                                            "CREATE TABLE IF NOT EXISTS schema_step("
                                            "owner TEXT NOT NULL, number INTEGER NOT NULL, "
                                            "PRIMARY KEY(owner, number))",
                                            err);
    if (result == OK)
        result = store_query_int(store, "SELECT max(number) FROM schema_step WHERE owner = $1",
                                 STORE_ARGS(store_text(owner)), &done, err);
    for (size_t i = 0; i < count && result == OK; i++) {
        if (steps[i].number > done)
            result = migrate_step(store, owner, &steps[i], err);
    }
    return result;
}

enum result store_migrate(struct store *store, const char *owner, const struct migration *steps,
                          size_t count, struct err *err)
{
    enum result result = store_begin(store, err);
    if (result != OK)
        return result;
    result = migrate_in_transaction(store, owner, steps, count, err);
    if (result != OK) {
        store_rollback(store);
        return result;
    }
    return store_commit(store, err);
}

void store_free(struct store *store)
{
    if (!store)
        return;
    store_rollback(store);
    store_read_end(store);
    store->ops->release(store);
}
