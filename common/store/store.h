/* One service's database: transactions, and SQL with $1 parameters that SQLite and PostgreSQL both
 * understand. A handle belongs to one thread. Statements are prepared once per SQL text *address*:
 * pass string literals.
 *
 * Failure. Every function answers OK or, for whatever the store itself could not do, RETRY (busy,
 * full, I/O: roll back, back off, nobody's fault) or FATAL (a defect: bad SQL, a corrupt file), and
 * from then on store_failed() until rollback. CONFLICT is a violated UNIQUE or CHECK: the caller's
 * business; the transaction stays usable in SQLite but must be rolled back to be portable. */
#ifndef WARREN_STORE_STORE_H
#define WARREN_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct store;

enum store_type { STORE_NULL, STORE_INT, STORE_TEXT, STORE_BLOB };

struct store_value {
    enum store_type type;
    int64_t number;
    const void *data; /* borrowed for the call */
    size_t size;
};

static inline struct store_value store_int(int64_t number)
{
    return (struct store_value){.type = STORE_INT, .number = number};
}
/* NULL becomes SQL NULL. */
struct store_value store_text(const char *text);
struct store_value store_blob(const void *data, size_t size);

/* One row of an answer, valid inside the callback only; columns count from 0. */
struct store_row;
int64_t store_row_int(const struct store_row *row, int column);
/* Never NULL: SQL NULL reads as "". */
const char *store_row_text(const struct store_row *row, int column);
const void *store_row_blob(const struct store_row *row, int column, size_t *ret_size);
/* Copies at most size-1 bytes and a NUL. */
void store_row_copy(const struct store_row *row, int column, char *out, size_t size);

/* Called per row; anything but OK ends the query and is its result. Must not begin, commit or roll
 * back, and must not run the same SQL text again. */
typedef enum result store_row_fn(void *context, const struct store_row *row, struct err *err);

#define STORE_ARGS(...)                                                                            \
    (const struct store_value[]){__VA_ARGS__},                                                     \
        sizeof((const struct store_value[]){__VA_ARGS__}) / sizeof(struct store_value)
#define STORE_NO_ARGS NULL, 0

/* Takes the write lock at once; RETRY without waiting when somebody else holds it. */
enum result store_begin(struct store *store, struct err *err) WARN_UNUSED;
/* Durable when OK. Not OK: rolled back. */
enum result store_commit(struct store *store, struct err *err) WARN_UNUSED;
/* Does nothing outside a transaction. */
void store_rollback(struct store *store);
bool store_in_transaction(const struct store *store);
bool store_failed(const struct store *store);
/* Whether the file has been seen to be damaged, at any time since it was opened. No retry helps. */
bool store_damaged(const struct store *store);

/* For a burst of queries outside a transaction: until store_read_end they share one snapshot, taken
 * by the first, and are spared taking and leaving it each. Not over a sleep, and ended before
 * store_begin. Does nothing in a transaction. */
void store_read_begin(struct store *store);
void store_read_end(struct store *store);

/* OK also for no row at all; NOT_FOUND only from store_query_one. Outside a transaction it reads a
 * snapshot of its own. */
enum result store_query(struct store *store, const char *sql, const struct store_value *args,
                        size_t count, store_row_fn *each, void *context,
                        struct err *err) WARN_UNUSED;
/* The first row; NOT_FOUND without one. */
enum result store_query_one(struct store *store, const char *sql, const struct store_value *args,
                            size_t count, store_row_fn *each, void *context,
                            struct err *err) WARN_UNUSED;
/* One integer; NOT_FOUND without a row; SQL NULL reads as 0. */
enum result store_query_int(struct store *store, const char *sql, const struct store_value *args,
                            size_t count, int64_t *ret_number, struct err *err) WARN_UNUSED;
/* A write, inside a transaction. `ret_changed` (may be NULL): rows changed. */
enum result store_exec(struct store *store, const char *sql, const struct store_value *args,
                       size_t count, int64_t *ret_changed, struct err *err) WARN_UNUSED;
/* A write that answers rows (INSERT ... RETURNING). */
enum result store_write_query(struct store *store, const char *sql, const struct store_value *args,
                              size_t count, store_row_fn *each, void *context,
                              struct err *err) WARN_UNUSED;
/* How many writes this transaction has made so far: tells whether a failed handler left traces. */
uint64_t store_writes(const struct store *store);

/* A schema is a list of steps, each run once, in order, in one transaction; which ones have run is
 * recorded per `owner` in the table schema_step. */
struct migration {
    int number;      /* 1, 2, 3 ... */
    const char *sql; /* one or more statements */
};
enum result store_migrate(struct store *store, const char *owner, const struct migration *steps,
                          size_t count, struct err *err) WARN_UNUSED;

enum store_mode {
    STORE_DURABLE,    /* WAL, synchronous=FULL: a commit survives a power cut */
    STORE_DISPOSABLE, /* WAL, synchronous=OFF: can be rebuilt */
    STORE_READ_ONLY,  /* for audits: never writes, never creates */
};

/* Opens or creates an SQLite file (mode 0600). The result is the caller's: store_free. A name that
 * begins with "memdb:/" is a database in memory shared by name inside this process, which lives as
 * long as one handle to it does. */
enum result store_open_sqlite(const char *path, enum store_mode mode, struct store **ret_store,
                              struct err *err) WARN_UNUSED;
/* Puts the file of a disposable store out of the way, with its log (that of an old file would be
 * played into the new one), for somebody to look at: FILE.damaged-1, the one before .damaged-2; older
 * ones go. Nobody opens it before it is done. OK also when there is none. */
enum result store_set_aside(const char *path, struct err *err) WARN_UNUSED;
/* Rolls back what is open. Takes NULL. */
void store_free(struct store *store);

#endif
