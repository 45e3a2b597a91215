/* The SQLite engine. Statements are prepared once and kept by the address of their text. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/store/engine.h"

enum { STATEMENT_SLOTS = 512, ARGS_MAX = 24 };

struct statement {
    const char *sql;
    sqlite3_stmt *handle;
    size_t arg_count;        /* highest n of $n */
    int parameter[ARGS_MAX]; /* SQLite's own number of $1, $2, ...; 0: not used */
};

struct sqlite_store {
    struct store store;
    sqlite3 *db;
    struct statement statements[STATEMENT_SLOTS]; /* a hash table by address */
    size_t statement_count;
};

static struct sqlite_store *self_of(struct store *store)
{
    return (struct sqlite_store *)store;
}

/* The one place where SQLite's errors become ours. */
static enum result fold_error(struct sqlite_store *self, int code, const char *what,
                              struct err *err)
{
    int primary = code & 0xff;
    const char *text = self->db ? sqlite3_errmsg(self->db) : sqlite3_errstr(code);
    if (primary == SQLITE_CONSTRAINT)
        return err_set(err, CONFLICT, "%s: %s", what, text);
    self->store.failed = true;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
        self->store.damaged = true;
    bool passes = primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_FULL ||
                  primary == SQLITE_IOERR || primary == SQLITE_NOMEM ||
                  primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY ||
                  primary == SQLITE_PROTOCOL;
    return err_set(err, passes ? RETRY : FATAL, "%s: %s", what, text);
}

static enum result run_script(struct store *store, const char *sql, struct err *err)
{
    struct sqlite_store *self = self_of(store);
    int code = sqlite3_exec(self->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : fold_error(self, code, "script", err);
}

/* SQLite numbers $n by first appearance, so the numbers are looked up by name, once. */
static enum result number_parameters(struct sqlite_store *self, struct statement *statement,
                                     struct err *err)
{
    int count = sqlite3_bind_parameter_count(statement->handle);
    for (int i = 1; i <= count; i++) {
        const char *name = sqlite3_bind_parameter_name(statement->handle, i);
        long n = name && name[0] == '$' ? strtol(name + 1, NULL, 10) : 0;
        if (n < 1 || n > ARGS_MAX) {
            self->store.failed = true;
            return err_set(err, FATAL, "parameter %s in: %s", name ? name : "?", statement->sql);
        }
        statement->parameter[n - 1] = i;
        if ((size_t)n > statement->arg_count)
            statement->arg_count = (size_t)n;
    }
    return OK;
}

static enum result prepare(struct sqlite_store *self, struct statement *slot, const char *sql,
                           struct err *err)
{
    *slot = (struct statement){.sql = sql};
    int code =
        sqlite3_prepare_v3(self->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->handle, NULL);
    enum result result = code == SQLITE_OK ? OK : fold_error(self, code, sql, err);
    if (result == OK)
        result = number_parameters(self, slot, err);
    if (result != OK) {
        sqlite3_finalize(slot->handle);
        *slot = (struct statement){0};
    }
    return result;
}

static struct statement *slot_of(struct sqlite_store *self, const char *sql)
{
    size_t i = ((uintptr_t)sql >> 3) * 0x9e3779b1u % STATEMENT_SLOTS;
    while (self->statements[i].sql && self->statements[i].sql != sql)
        i = (i + 1) % STATEMENT_SLOTS;
    return &self->statements[i];
}

static enum result find_statement(struct sqlite_store *self, const char *sql,
                                  struct statement **ret_statement, struct err *err)
{
    struct statement *slot = slot_of(self, sql);
    if (slot->sql && strcmp(sqlite3_sql(slot->handle), sql) != 0) {
        self->store.failed = true;
        return err_set(err, FATAL, "an SQL text that is no literal: %s", sql);
    }
    if (!slot->sql) {
        if (self->statement_count + 1 >= STATEMENT_SLOTS)
            return err_set(err, FATAL, "more than %d SQL texts", STATEMENT_SLOTS);
        enum result result = prepare(self, slot, sql, err);
        if (result != OK)
            return result;
        self->statement_count++;
    }
    if (sqlite3_stmt_busy(slot->handle)) {
        self->store.failed = true;
        return err_set(err, FATAL, "an SQL text inside itself: %s", sql);
    }
    *ret_statement = slot;
    return OK;
}

static int bind_value(sqlite3_stmt *handle, int at, const struct store_value *value)
{
    switch (value->type) {
    case STORE_NULL:
        return sqlite3_bind_null(handle, at);
    case STORE_INT:
        return sqlite3_bind_int64(handle, at, value->number);
    case STORE_TEXT:
        return sqlite3_bind_text64(handle, at, value->data, value->size, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case STORE_BLOB:
        return sqlite3_bind_blob64(handle, at, value->data, value->size, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static enum result bind_args(struct sqlite_store *self, struct statement *statement,
                             const struct store_value *args, size_t count, struct err *err)
{
    if (count != statement->arg_count) {
        self->store.failed = true;
        return err_set(err, FATAL, "%zu arguments for: %s", count, statement->sql);
    }
    for (size_t i = 0; i < count; i++) {
        if (!statement->parameter[i])
            continue;
        int code = bind_value(statement->handle, statement->parameter[i], &args[i]);
        if (code != SQLITE_OK)
            return fold_error(self, code, statement->sql, err);
    }
    return OK;
}

static enum result step_rows(struct sqlite_store *self, struct statement *statement,
                             store_row_fn *each, void *context, struct err *err)
{
    struct store_row row = {self->store.ops, statement->handle};
    for (;;) {
        int code = sqlite3_step(statement->handle);
        if (code == SQLITE_DONE)
            return OK;
        if (code != SQLITE_ROW)
            return fold_error(self, code, statement->sql, err);
        enum result result = each ? each(context, &row, err) : OK;
        if (result != OK)
            return result;
    }
}

static enum result sqlite_query(struct store *store, const char *sql,
                                const struct store_value *args, size_t count, store_row_fn *each,
                                void *context, struct err *err)
{
    struct sqlite_store *self = self_of(store);
    struct statement *statement;
    enum result result = find_statement(self, sql, &statement, err);
    if (result != OK)
        return result;
    result = bind_args(self, statement, args, count, err);
    if (result == OK)
        result = step_rows(self, statement, each, context, err);
    sqlite3_reset(statement->handle);
    sqlite3_clear_bindings(statement->handle); /* arguments are borrowed */
    return result;
}

static enum result sqlite_exec(struct store *store, const char *sql, const struct store_value *args,
                               size_t count, int64_t *ret_changed, struct err *err)
{
    enum result result = sqlite_query(store, sql, args, count, NULL, NULL, err);
    if (result == OK && ret_changed)
        *ret_changed = sqlite3_changes64(self_of(store)->db);
    return result;
}

static enum result sqlite_begin(struct store *store, struct err *err)
{
    return sqlite_query(store, "BEGIN IMMEDIATE", NULL, 0, NULL, NULL, err);
}

static enum result sqlite_commit(struct store *store, struct err *err)
{
    return sqlite_query(store, "COMMIT", NULL, 0, NULL, NULL, err);
}

static void sqlite_rollback(struct store *store)
{
    struct err
        ignored; /* SQLite has rolled back by itself after some errors: then this fails, rightly */
    if (!sqlite3_get_autocommit(self_of(store)->db))
        (void)!sqlite_query(store, "ROLLBACK", NULL, 0, NULL, NULL, &ignored);
}

/* Deferred: takes no lock by itself. Should it fail, each query has a snapshot of its own again. */
static void sqlite_read_begin(struct store *store)
{
    struct err ignored;
    bool failed = store->failed;
    (void)!sqlite_query(store, "BEGIN DEFERRED", NULL, 0, NULL, NULL, &ignored);
    store->failed = failed;
}

static void sqlite_read_end(struct store *store)
{
    sqlite_rollback(store);
}

static void sqlite_release(struct store *store)
{
    struct sqlite_store *self = self_of(store);
    for (size_t i = 0; i < STATEMENT_SLOTS; i++)
        sqlite3_finalize(self->statements[i].handle);
    sqlite3_close(self->db);
    free(self);
}

static int64_t row_int(const struct store_row *row, int column)
{
    return sqlite3_column_int64(row->cursor, column);
}

static const char *row_text(const struct store_row *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row->cursor, column);
    return text ? (const char *)text : "";
}

static const void *row_blob(const struct store_row *row, int column, size_t *ret_size)
{
    const void *data = sqlite3_column_blob(row->cursor, column);
    *ret_size = (size_t)sqlite3_column_bytes(row->cursor, column);
    return data ? data : "";
}

static const struct store_ops sqlite_ops = {
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .read_begin = sqlite_read_begin,
    .read_end = sqlite_read_end,
    .query = sqlite_query,
    .exec = sqlite_exec,
    .script = run_script,
    .release = sqlite_release,
    .row_int = row_int,
    .row_text = row_text,
    .row_blob = row_blob,
};

/* The cache, in KiB, is for what is written at random: of a read model that is little, and its memory
 * is shared with hundreds of connections. Debian builds SQLite to overwrite what is deleted; our rows
 * hold nothing that needs it. */
static const char *pragmas_for(enum store_mode mode, bool memory)
{
    if (memory)
        return "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA secure_delete = "
               "OFF;";
    switch (mode) {
    case STORE_DURABLE:
        return "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF;"
               "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -4000;";
    case STORE_DISPOSABLE:
        return "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF;"
               "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -2000;";
    case STORE_READ_ONLY:
        break;
    }
    return "PRAGMA query_only = ON;";
}

/* SQLite would create the file with the umask's mode; its -wal and -shm take the mode of the file. */
static enum result create_private(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, RETRY, "%s: %s", path, strerror(errno));
    close(fd);
    return OK;
}

static enum result open_handle(struct sqlite_store *self, const char *path, enum store_mode mode,
                               struct err *err)
{
    static const char memory_prefix[] = "memdb:/";
    bool memory = strncmp(path, memory_prefix, sizeof memory_prefix - 1) == 0;
    char uri[512];
    int flags =
        mode == STORE_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (memory) {
        snprintf(uri, sizeof uri, "file:%s?vfs=memdb", path + strlen("memdb:"));
        path = uri;
        flags |= SQLITE_OPEN_URI;
    } else if (mode != STORE_READ_ONLY) {
        enum result result = create_private(path, err);
        if (result != OK)
            return result;
    }
    int code = sqlite3_open_v2(path, &self->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return fold_error(self, code, path, err);
    sqlite3_extended_result_codes(self->db, 1);
    /* Switching to WAL needs a lock for a moment: two instances may open at the same time. */
    sqlite3_busy_timeout(self->db, 5000);
    enum result result = run_script(&self->store, pragmas_for(mode, memory), err);
    sqlite3_busy_timeout(self->db, mode == STORE_READ_ONLY ? 1000 : 0);
    return result == OK ? OK : err_context(err, result, "%s", path);
}

/* Each thread has handles of its own, and nobody asks how much memory SQLite uses: without counting
 * there is no lock in its malloc. Before the first handle; later it is too late and changes nothing. */
static void configure_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum result store_open_sqlite(const char *path, enum store_mode mode, struct store **ret_store,
                              struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, configure_library);
    struct sqlite_store *self = calloc(1, sizeof *self);
    if (!self)
        return err_set(err, RETRY, "%s: out of memory", path);
    self->store.ops = &sqlite_ops;
    enum result result = open_handle(self, path, mode, err);
    if (result != OK) {
        sqlite_release(&self->store);
        return result;
    }
    self->store.failed = false;
    *ret_store = &self->store;
    return OK;
}
