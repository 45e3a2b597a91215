/* The store's contract, on an SQLite file and on one in memory. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/store/store.h"
#include "common/store/stores_made.h"
#include "tests/unit/unit.h"

static const struct migration steps[] = {
    {1, "CREATE TABLE thing(id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB)"},
    {2, "CREATE INDEX thing_name ON thing(name)"},
};

static char directory[] = "/tmp/warren-test-store-XXXXXX";
static char file_path[64];

static struct store *open_migrated(const char *path)
{
    struct err err = {{0}};
    struct store *store = NULL;
    CU_ASSERT_EQUAL_FATAL(store_open_sqlite(path, STORE_DURABLE, &store, &err), OK);
    CU_ASSERT_EQUAL_FATAL(store_migrate(store, "test", steps, 2, &err), OK);
    return store;
}

static enum result add(struct store *store, int64_t id, const char *name, struct err *err)
{
    return store_exec(store, "INSERT INTO thing(id, name) VALUES ($1, $2)",
                      STORE_ARGS(store_int(id), store_text(name)), NULL, err);
}

static int64_t count(struct store *store)
{
    int64_t number = -1;
    struct err err;
    CU_ASSERT_EQUAL(
        store_query_int(store, "SELECT count(*) FROM thing", STORE_NO_ARGS, &number, &err), OK);
    return number;
}

static void commit_keeps_rollback_forgets(const char *path)
{
    struct err err = {{0}};
    struct store *store = open_migrated(path);
    CU_ASSERT_EQUAL(store_begin(store, &err), OK);
    CU_ASSERT_EQUAL(add(store, 1, "one", &err), OK);
    CU_ASSERT_EQUAL(store_writes(store), 1);
    CU_ASSERT_EQUAL(store_commit(store, &err), OK);
    CU_ASSERT_EQUAL(store_begin(store, &err), OK);
    CU_ASSERT_EQUAL(add(store, 2, "two", &err), OK);
    store_rollback(store);
    CU_ASSERT_EQUAL(count(store), 1);
    CU_ASSERT_EQUAL(add(store, 3, "three", &err), FATAL); /* outside a transaction */
    store_free(store);
}

static void add_committed(struct store *store, int64_t id, const char *name)
{
    struct err err = {{0}};
    CU_ASSERT_EQUAL(store_begin(store, &err), OK);
    CU_ASSERT_EQUAL(add(store, id, name, &err), OK);
    CU_ASSERT_EQUAL(store_commit(store, &err), OK);
}

/* On a file only: in memory a reader and a writer wait for each other. */
static void a_burst_of_queries_sees_one_moment(void)
{
    char path[80];
    struct err err = {{0}};
    snprintf(path, sizeof path, "%s/burst.db", directory);
    struct store *reader = open_migrated(path);
    struct store *writer = open_migrated(path);
    add_committed(writer, 1, "one");
    store_read_begin(reader);
    CU_ASSERT_EQUAL(count(reader), 1);
    add_committed(writer, 2, "two");
    CU_ASSERT_EQUAL(count(reader), 1);
    CU_ASSERT_EQUAL(store_begin(reader, &err), FATAL); /* the burst is to be ended first */
    store_read_end(reader);
    CU_ASSERT_EQUAL(count(reader), 2);
    add_committed(reader, 3, "three");
    CU_ASSERT_EQUAL(store_begin(reader, &err), OK);
    store_read_begin(reader); /* in a transaction: nothing */
    store_read_end(reader);
    CU_ASSERT_EQUAL(add(reader, 4, "four", &err), OK);
    CU_ASSERT_EQUAL(store_commit(reader, &err), OK);
    CU_ASSERT_EQUAL(count(writer), 4);
    store_free(reader);
    store_free(writer);
    unlink(path);
}

static void one_writer_at_a_time(const char *path)
{
    struct err err = {{0}};
    struct store *first = open_migrated(path);
    struct store *second = open_migrated(path);
    CU_ASSERT_EQUAL(store_begin(first, &err), OK);
    CU_ASSERT_EQUAL(store_begin(second, &err), RETRY);
    CU_ASSERT_EQUAL(add(first, 10, "ten", &err), OK);
    CU_ASSERT_EQUAL(store_commit(first, &err), OK);
    CU_ASSERT_EQUAL(store_begin(second, &err), OK);
    store_free(second); /* as a crash: rolled back */
    CU_ASSERT_EQUAL(store_begin(first, &err), OK);
    store_free(first);
}

static void conflict_is_not_failure(const char *path)
{
    struct err err = {{0}};
    struct store *store = open_migrated(path);
    CU_ASSERT_EQUAL(store_begin(store, &err), OK);
    CU_ASSERT_EQUAL(add(store, 20, "same", &err), OK);
    CU_ASSERT_EQUAL(add(store, 21, "same", &err), CONFLICT);
    CU_ASSERT_FALSE(store_failed(store));
    CU_ASSERT_EQUAL(store_commit(store, &err), OK);
    store_free(store);
}

static void bad_sql_spoils_the_transaction(const char *path)
{
    struct err err = {{0}};
    struct store *store = open_migrated(path);
    CU_ASSERT_EQUAL(store_begin(store, &err), OK);
    CU_ASSERT_EQUAL(add(store, 30, "thirty", &err), OK);
    CU_ASSERT_EQUAL(store_exec(store, "INSERT INTO nowhere VALUES (1)", STORE_NO_ARGS, NULL, &err),
                    FATAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "nowhere"));
    CU_ASSERT_TRUE(store_failed(store));
    CU_ASSERT_NOT_EQUAL(store_commit(store, &err), OK);
    CU_ASSERT_FALSE(store_in_transaction(store));
    int64_t found = 0;
    CU_ASSERT_EQUAL(store_query_int(store, "SELECT count(*) FROM thing WHERE id = $1",
                                    STORE_ARGS(store_int(30)), &found, &err),
                    OK);
    CU_ASSERT_EQUAL(found, 0);
    store_free(store);
}

static enum result check_row(void *context, const struct store_row *row, struct err *err)
{
    size_t size;
    char name[4];
    (void)err;
    CU_ASSERT_EQUAL(store_row_int(row, 0), INT64_MAX);
    CU_ASSERT_STRING_EQUAL(store_row_text(row, 1), "");
    const void *data = store_row_blob(row, 2, &size);
    CU_ASSERT_EQUAL_FATAL(size, 3);
    CU_ASSERT_EQUAL(memcmp(data, "a\0b", 3), 0);
    store_row_copy(row, 3, name, sizeof name);
    CU_ASSERT_STRING_EQUAL(name, "abc"); /* cut to fit */
    ++*(int *)context;
    return OK;
}

static void values_survive(const char *path)
{
    struct err err = {{0}};
    int rows = 0;
    struct store *store = open_migrated(path);
    CU_ASSERT_EQUAL(store_begin(store, &err), OK);
    /* $2 before $1: arguments go by name, not by place. */
    CU_ASSERT_EQUAL(
        store_exec(store, "INSERT INTO thing(data, id, name) VALUES ($2, $1, $3)",
                   STORE_ARGS(store_int(INT64_MAX), store_blob("a\0b", 3), store_text(NULL)), NULL,
                   &err),
        OK);
    CU_ASSERT_EQUAL(store_commit(store, &err), OK);
    CU_ASSERT_EQUAL(store_query(store, "SELECT id, name, data, 'abcdef' FROM thing WHERE id = $1",
                                STORE_ARGS(store_int(INT64_MAX)), check_row, &rows, &err),
                    OK);
    CU_ASSERT_EQUAL(rows, 1);
    CU_ASSERT_EQUAL(store_query_one(store, "SELECT 1 FROM thing WHERE id = $1",
                                    STORE_ARGS(store_int(-1)), NULL, NULL, &err),
                    NOT_FOUND);
    CU_ASSERT_EQUAL(store_query(store, "SELECT $1", STORE_NO_ARGS, NULL, NULL, &err), FATAL);
    store_free(store);
}

static void a_step_runs_once(const char *path)
{
    struct err err = {{0}};
    struct store *store = open_migrated(path);
    CU_ASSERT_EQUAL(store_migrate(store, "test", steps, 2, &err), OK);
    static const struct migration broken[] = {
        {1, "CREATE TABLE other(id INTEGER)"},
        {2, "CREATE TABLE other(id INTEGER)"},
    };
    CU_ASSERT_NOT_EQUAL(store_migrate(store, "broken", broken, 2, &err), OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "schema step broken 2"));
    int64_t tables = -1;
    CU_ASSERT_EQUAL(store_query_int(store,
                                    "SELECT count(*) FROM sqlite_schema WHERE name = 'other'",
                                    STORE_NO_ARGS, &tables, &err),
                    OK);
    CU_ASSERT_EQUAL(tables, 0); /* all steps or none */
    store_free(store);
}

static void (*const contract[])(const char *path) = {
    commit_keeps_rollback_forgets,  one_writer_at_a_time, conflict_is_not_failure,
    bad_sql_spoils_the_transaction, values_survive,       a_step_runs_once,
};

static void on_a_file(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    snprintf(file_path, sizeof file_path, "%s/test.db", directory);
    for (size_t i = 0; i < sizeof contract / sizeof contract[0]; i++)
        contract[i](file_path);
    struct stat status;
    CU_ASSERT_EQUAL_FATAL(stat(file_path, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
}

static void in_memory(void)
{
    struct store *keeper = open_migrated("memdb:/contract"); /* lives while somebody holds it */
    for (size_t i = 0; i < sizeof contract / sizeof contract[0]; i++)
        contract[i]("memdb:/contract");
    CU_ASSERT_TRUE(count(keeper) > 0);
    store_free(keeper);
    struct store *fresh = open_migrated("memdb:/contract");
    CU_ASSERT_EQUAL(count(fresh), 0);
    store_free(fresh);
}

static void read_only_neither_writes_nor_creates(void)
{
    struct err err = {{0}};
    struct store *store = NULL;
    char missing[96];
    snprintf(missing, sizeof missing, "%s/missing.db", directory);
    CU_ASSERT_NOT_EQUAL(store_open_sqlite(missing, STORE_READ_ONLY, &store, &err), OK);
    CU_ASSERT_NOT_EQUAL(access(missing, F_OK), 0);
    CU_ASSERT_EQUAL_FATAL(store_open_sqlite(file_path, STORE_READ_ONLY, &store, &err), OK);
    CU_ASSERT_TRUE(count(store) > 0);
    CU_ASSERT_NOT_EQUAL(store_begin(store, &err), OK);
    store_free(store);
}

/* As a disk does that forgets what it was told: pages in the middle are something else. */
static void spoil(const char *path)
{
    char page[4096];
    memset(page, 0x5a, sizeof page);
    FILE *file = fopen(path, "r+b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (long at = sizeof page; at < (long)(64 * sizeof page); at += (long)sizeof page) {
        (void)fseek(file, at, SEEK_SET);
        (void)fwrite(page, 1, sizeof page, file);
    }
    fclose(file);
}

static void damage_is_told_from_trouble(void)
{
    struct err err = {{0}};
    char path[96];
    snprintf(path, sizeof path, "%s/spoilt.db", directory);
    struct store *store = open_migrated(path);
    CU_ASSERT_EQUAL(store_begin(store, &err), OK);
    CU_ASSERT_EQUAL(store_exec(store, "INSERT INTO nowhere VALUES (1)", STORE_NO_ARGS, NULL, &err),
                    FATAL);
    store_rollback(store);
    CU_ASSERT_FALSE(store_damaged(store)); /* a defect of ours */
    store_free(store);
    spoil(path);
    CU_ASSERT_EQUAL_FATAL(store_open_sqlite(path, STORE_DURABLE, &store, &err), OK);
    int64_t number;
    CU_ASSERT_EQUAL(store_query_int(store, "SELECT count(*) FROM thing WHERE name > ''",
                                    STORE_NO_ARGS, &number, &err),
                    FATAL);
    CU_ASSERT_TRUE(store_damaged(store));
    store_rollback(store);
    CU_ASSERT_TRUE(store_damaged(store)); /* for good */
    store_free(store);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fputs(text, file);
    fclose(file);
}

static bool file_says(const char *path, const char *text)
{
    char there[64] = "";
    FILE *file = fopen(path, "re");
    if (!file)
        return text == NULL;
    (void)!fread(there, 1, sizeof there - 1, file);
    fclose(file);
    return text && strcmp(there, text) == 0;
}

static void two_damaged_ones_are_kept(void)
{
    static const char *const written[] = {"1", "2", "3"};
    struct err err = {{0}};
    char path[128];
    char log[128];
    char kept[3][128];
    snprintf(path, sizeof path, "%s/aside.db", directory);
    snprintf(log, sizeof log, "%s-wal", path);
    for (int i = 0; i < 3; i++)
        snprintf(kept[i], sizeof kept[i], "%s.damaged-%d", path, i + 1);
    CU_ASSERT_EQUAL(store_set_aside(path, &err), OK); /* there is none */
    for (int i = 0; i < 3; i++) {
        write_file(path, written[i]);
        write_file(log, written[i]);
        CU_ASSERT_EQUAL(store_set_aside(path, &err), OK);
        CU_ASSERT_TRUE(file_says(path, NULL) && file_says(log, NULL));
    }
    CU_ASSERT_TRUE(file_says(kept[0], "3"));
    CU_ASSERT_TRUE(file_says(kept[1], "2"));
    CU_ASSERT_TRUE(file_says(kept[2], NULL));
}

static void count_missing(void *context, const char *words)
{
    CU_ASSERT_PTR_NOT_NULL(strstr(words, "was there once and is gone"));
    ++*(int *)context;
}

static void what_was_made_is_missed(void)
{
    struct err err = {{0}};
    char path[128];
    int missing = 0;
    snprintf(path, sizeof path, "%s/once.db", directory);
    CU_ASSERT_EQUAL(stores_made_check(directory, "once.db", &err), OK); /* a first start */
    write_file(path, "x");
    CU_ASSERT_EQUAL(stores_made_note(directory, "once.db", &err), OK);
    CU_ASSERT_EQUAL(stores_made_note(directory, "once.db", &err), OK);
    CU_ASSERT_EQUAL(stores_made_check(directory, "once.db", &err), OK);
    CU_ASSERT_EQUAL(stores_made_check(directory, "nce.db", &err), OK);
    CU_ASSERT_EQUAL(stores_made_check(directory, "once.d", &err), OK);
    stores_made_missing(directory, count_missing, &missing);
    CU_ASSERT_EQUAL(missing, 0);
    write_file(path, ""); /* empty is as good as gone */
    CU_ASSERT_EQUAL(stores_made_check(directory, "once.db", &err), FATAL);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(stores_made_check(directory, "once.db", &err), FATAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "once.db was there once and is gone"));
    stores_made_missing(directory, count_missing, &missing);
    CU_ASSERT_EQUAL(missing, 1);
    snprintf(path, sizeof path, "%s/" STORES_MADE, directory);
    write_file(path, "once.db"); /* torn: the next line must not grow out of it */
    CU_ASSERT_EQUAL(stores_made_note(directory, "twice.db", &err), OK);
    CU_ASSERT_TRUE(file_says(path, "once.db\ntwice.db\n"));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void clean_up(void)
{
    CU_ASSERT_EQUAL(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static const struct unit_case cases[] = {
    {"the contract, on a file", on_a_file},
    {"the contract, in memory", in_memory},
    {"a burst of queries sees one moment", a_burst_of_queries_sees_one_moment},
    {"read only", read_only_neither_writes_nor_creates},
    {"damage is told from trouble", damage_is_told_from_trouble},
    {"two damaged ones are kept", two_damaged_ones_are_kept},
    {"what was made is missed", what_was_made_is_missed},
    {"clean up", clean_up},
};
UNIT_MAIN("store", cases)
