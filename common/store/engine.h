/* What a database engine implements behind store.h. Included by common/store alone. */
#ifndef WARREN_STORE_ENGINE_H
#define WARREN_STORE_ENGINE_H

#include "common/store/store.h"

struct store_ops {
    enum result (*begin)(struct store *store, struct err *err);
    enum result (*commit)(struct store *store, struct err *err);
    void (*rollback)(struct store *store);
    /* NULL: each query has a snapshot of its own, always. */
    void (*read_begin)(struct store *store);
    void (*read_end)(struct store *store);
    enum result (*query)(struct store *store, const char *sql, const struct store_value *args,
                         size_t count, store_row_fn *each, void *context, struct err *err);
    enum result (*exec)(struct store *store, const char *sql, const struct store_value *args,
                        size_t count, int64_t *ret_changed, struct err *err);
    /* Several statements without arguments, for migrations. */
    enum result (*script)(struct store *store, const char *sql, struct err *err);
    void (*release)(struct store *store);
    int64_t (*row_int)(const struct store_row *row, int column);
    const char *(*row_text)(const struct store_row *row, int column);
    const void *(*row_blob)(const struct store_row *row, int column, size_t *ret_size);
};

/* Embedded first in every engine's handle. The engine sets `failed` and `damaged`; store.c counts and resets. */
struct store {
    const struct store_ops *ops;
    bool in_transaction;
    bool reading; /* between store_read_begin and store_read_end */
    bool failed;
    bool damaged;
    uint64_t writes;
};

struct store_row {
    const struct store_ops *ops;
    void *cursor;
};

#endif
