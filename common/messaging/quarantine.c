#include "common/messaging/quarantine.h"

struct reading {
    quarantine_fn *each;
    void *context;
    int64_t found;
};

static enum result read_row(void *context, const struct store_row *row, struct err *err)
{
    struct reading *reading = context;
    struct quarantined message = {
        .number = store_row_int(row, 0),
        .message_id = store_row_text(row, 1),
        .queue = store_row_text(row, 2),
        .reason = store_row_text(row, 3),
        .attempts = store_row_int(row, 4),
        .at_ms = store_row_int(row, 5),
    };
    message.body = store_row_blob(row, 6, &message.size);
    reading->found++;
    return reading->each(reading->context, &message, err);
}

enum result quarantine_read(struct store *store, int64_t number, quarantine_fn *each, void *context,
                            struct err *err)
{
    struct reading reading = {.each = each, .context = context};
    enum result result =
        store_query(store,
                    "SELECT number, message_id, queue, reason, attempts, at_ms, body "
                    "FROM quarantine WHERE number = $1 OR $1 = 0 ORDER BY number",
                    STORE_ARGS(store_int(number)), read_row, &reading, err);
    if (result == OK && number != QUARANTINE_ALL && reading.found == 0)
        return err_set(err, NOT_FOUND, "number %lld is not in quarantine", (long long)number);
    return result;
}

enum result quarantine_count(struct store *store, int64_t *ret_count, struct err *err)
{
    return store_query_int(store, "SELECT count(*) FROM quarantine", STORE_NO_ARGS, ret_count, err);
}

static enum result end(struct store *store, enum result result, struct err *err)
{
    if (result == OK)
        return store_commit(store, err);
    store_rollback(store);
    return result;
}

/* Only what has its copy in `deferred` now leaves: of two rows of one message the first goes, and
 * with one there before none. */
static enum result move(struct store *store, int64_t number, int64_t now_ms, int64_t *ret_moved,
                        struct err *err)
{
    enum result result =
        store_exec(store,
                   "UPDATE quarantine SET attempts = -1 WHERE (number = $1 OR $1 = 0) "
                   "AND message_id NOT IN (SELECT message_id FROM deferred) "
                   "AND (number = $1 OR number = (SELECT min(o.number) FROM quarantine o "
                   "WHERE o.message_id = quarantine.message_id))",
                   STORE_ARGS(store_int(number)), NULL, err);
    if (result == OK)
        result = store_exec(store,
                            "INSERT INTO deferred(message_id, queue, body, reason, attempts, "
                            "due_ms, since_ms) SELECT message_id, queue, body, reason, 0, $1, $1 "
                            "FROM quarantine WHERE attempts = -1",
                            STORE_ARGS(store_int(now_ms)), NULL, err);
    if (result == OK)
        result = store_exec(store, "DELETE FROM quarantine WHERE attempts = -1", STORE_NO_ARGS,
                            ret_moved, err);
    return result;
}

enum result quarantine_redrive(struct store *store, int64_t number, int64_t now_ms,
                               int64_t *ret_moved, struct err *err)
{
    int64_t moved = 0;
    enum result result = store_begin(store, err);
    if (result != OK)
        return result;
    result = end(store, move(store, number, now_ms, &moved, err), err);
    if (result == OK)
        *ret_moved = moved;
    return result;
}

enum result quarantine_drop(struct store *store, int64_t number, int64_t *ret_dropped,
                            struct err *err)
{
    int64_t dropped = 0;
    enum result result = store_begin(store, err);
    if (result != OK)
        return result;
    result = end(store,
                 store_exec(store, "DELETE FROM quarantine WHERE number = $1 OR $1 = 0",
                            STORE_ARGS(store_int(number)), &dropped, err),
                 err);
    if (result == OK)
        *ret_dropped = dropped;
    return result;
}

void quarantine_print_bytes(struct buf *out, const void *bytes, size_t size, size_t max)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size && i < max; i++) {
        if (at[i] == '\\')
            buf_text(out, "\\\\");
        else if (at[i] >= 0x20 && at[i] < 0x7f)
            buf_append(out, &at[i], 1);
        else
            buf_printf(out, "\\x%02x", at[i]);
    }
}
