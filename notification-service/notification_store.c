#include "notification-service/notification_store.h"

#include <stdio.h>
#include <string.h>

#include "notification-service/notification_service.h"

const struct migration notification_migrations[] = {
    {1, "CREATE TABLE notification(order_id TEXT NOT NULL, order_version INTEGER NOT NULL, "
        "customer TEXT NOT NULL, kind TEXT NOT NULL, channel TEXT NOT NULL, "
        "state TEXT NOT NULL CHECK (state = 'queued' OR state = 'sent'), fact_id TEXT, "
        "at_ms INTEGER NOT NULL, PRIMARY KEY(order_id, order_version));"
        "CREATE TABLE failure(order_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL);"
        "CREATE INDEX failure_at ON failure(at_ms);"
        "CREATE TABLE alert(number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, "
        "count INTEGER NOT NULL, fact_id TEXT NOT NULL)"},
    /* heard.c and reconcile.c. */
    {2, "CREATE TABLE heard(first INTEGER PRIMARY KEY, last INTEGER NOT NULL "
        "CHECK (last >= first));"
        "CREATE TABLE look(highest INTEGER NOT NULL, quiet INTEGER NOT NULL, "
        "count INTEGER NOT NULL, sum INTEGER NOT NULL, cursor INTEGER NOT NULL, "
        "pause INTEGER NOT NULL, wait INTEGER NOT NULL, due_ms INTEGER NOT NULL, "
        "since_ms INTEGER NOT NULL);"
        "INSERT INTO look VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0);"
        "ALTER TABLE notification ADD COLUMN fact_position INTEGER NOT NULL DEFAULT 0"},
};
const size_t notification_migration_count =
    sizeof notification_migrations / sizeof notification_migrations[0];

struct look {
    int64_t order_version, sent;
    bool there;
};

static enum result look_row(void *context, const struct store_row *row, struct err *err)
{
    struct look *look = context;
    (void)err;
    look->there = look->there || store_row_int(row, 0) == look->order_version;
    look->sent += store_row_int(row, 1);
    return OK;
}

enum result notification_look(struct store *store, const char *order_id, int64_t order_version,
                              int64_t *ret_sent, struct err *err)
{
    struct look look = {.order_version = order_version};
    enum result result = store_query(
        store, "SELECT order_version, state = 'sent' FROM notification WHERE order_id = $1",
        STORE_ARGS(store_text(order_id)), look_row, &look, err);
    *ret_sent = look.sent;
    return result == OK && look.there ? DUPLICATE : result;
}

enum result notification_insert(struct store *store, const struct notification *notification,
                                int64_t now_ms, struct err *err)
{
    bool sent = notification->fact_id[0] != '\0';
    return store_exec(
        store,
        "INSERT INTO notification(order_id, order_version, customer, kind, channel, state, "
        "fact_id, fact_position, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        STORE_ARGS(store_text(notification->order_id), store_int(notification->order_version),
                   store_text(notification->customer), store_text(notification->kind),
                   store_text(notification->channel), store_text(sent ? "sent" : "queued"),
                   store_text(sent ? notification->fact_id : NULL),
                   store_int(notification->fact_position), store_int(now_ms)),
        NULL, err);
}

static enum result read_notification(void *context, const struct store_row *row, struct err *err)
{
    struct notification *notification = context;
    (void)err;
    store_row_copy(row, 0, notification->customer, sizeof notification->customer);
    store_row_copy(row, 1, notification->kind, sizeof notification->kind);
    store_row_copy(row, 2, notification->channel, sizeof notification->channel);
    store_row_copy(row, 3, notification->fact_id, sizeof notification->fact_id);
    return OK;
}

enum result notification_load(struct store *store, const char *order_id, int64_t order_version,
                              struct notification *ret_notification, struct err *err)
{
    *ret_notification = (struct notification){.order_version = order_version};
    snprintf(ret_notification->order_id, sizeof ret_notification->order_id, "%s", order_id);
    return store_query_one(store,
                           "SELECT customer, kind, channel, fact_id FROM notification "
                           "WHERE order_id = $1 AND order_version = $2",
                           STORE_ARGS(store_text(order_id), store_int(order_version)),
                           read_notification, ret_notification, err);
}

enum result notification_mark_sent(struct store *store, const struct notification *notification,
                                   int64_t now_ms, struct err *err)
{
    return store_exec(
        store,
        "UPDATE notification SET state = 'sent', channel = $3, fact_id = $4, at_ms = $5, "
        "fact_position = $6 WHERE order_id = $1 AND order_version = $2",
        STORE_ARGS(store_text(notification->order_id), store_int(notification->order_version),
                   store_text(notification->channel), store_text(notification->fact_id),
                   store_int(now_ms), store_int(notification->fact_position)),
        NULL, err);
}

enum result notification_count_sent(struct store *store, const char *order_id, int64_t *ret_count,
                                    struct err *err)
{
    return store_query_int(
        store, "SELECT count(*) FROM notification WHERE order_id = $1 AND state = 'sent'",
        STORE_ARGS(store_text(order_id)), ret_count, err);
}

enum result notification_kept(struct store *store, const char *order_id, store_row_fn *each,
                              void *context, struct err *err)
{
    return store_query(store,
                       "SELECT fact_position FROM notification "
                       "WHERE order_id = $1 AND fact_position > 0 ORDER BY fact_position",
                       STORE_ARGS(store_text(order_id)), each, context, err);
}

struct times {
    int64_t *at;
    size_t count;
};

static enum result read_time(void *context, const struct store_row *row, struct err *err)
{
    struct times *times = context;
    (void)err;
    if (times->count < WINDOW_REACH)
        times->at[times->count++] = store_row_int(row, 0);
    return OK;
}

static enum result read_around(struct store *store, struct window *window, struct err *err)
{
    struct times before = {window->before, 0}, after = {window->after, 0};
    struct store_value args[] = {store_int(window->at), store_int(WINDOW_REACH)};
    enum result result = store_query(
        store, "SELECT at_ms FROM failure WHERE at_ms <= $1 ORDER BY at_ms DESC LIMIT $2", args, 2,
        read_time, &before, err);
    if (result == OK)
        result =
            store_query(store, "SELECT at_ms FROM failure WHERE at_ms > $1 ORDER BY at_ms LIMIT $2",
                        args, 2, read_time, &after, err);
    window->before_count = before.count;
    window->after_count = after.count;
    return result;
}

enum result failure_insert(struct store *store, const char *order_id, int64_t at_ms,
                           struct window *ret_window, struct err *err)
{
    *ret_window = (struct window){.at = at_ms};
    enum result result = read_around(store, ret_window, err);
    if (result != OK)
        return result;
    int64_t inserted = 0;
    result = store_exec(store,
                        "INSERT INTO failure(order_id, at_ms) VALUES ($1, $2) "
                        "ON CONFLICT(order_id) DO NOTHING",
                        STORE_ARGS(store_text(order_id), store_int(at_ms)), &inserted, err);
    if (result != OK)
        return result;
    return inserted ? OK : DUPLICATE;
}

enum result alert_insert(struct store *store, const struct window_alert *alert, const char *fact_id,
                         int64_t *ret_number, struct err *err)
{
    enum result result = store_query_int(store, "SELECT coalesce(max(number), 0) + 1 FROM alert",
                                         STORE_NO_ARGS, ret_number, err);
    if (result != OK)
        return result;
    return store_exec(store,
                      "INSERT INTO alert(number, at_ms, count, fact_id) VALUES ($1, $2, $3, $4)",
                      STORE_ARGS(store_int(*ret_number), store_int(alert->at_ms),
                                 store_int(alert->count), store_text(fact_id)),
                      NULL, err);
}
