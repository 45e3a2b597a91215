/* A read model from the log alone: the projection without an edge around it. */
#include <stdlib.h>

#include "edge-service/edge.h"
#include "edge-service/projection.h"
#include "edge-service/read_model.h"

enum { BATCH = 1000 };

struct edge_rebuild {
    struct store *store;
    struct projection projection;
    size_t taken; /* in the open transaction */
};

static void nobody_waits(void *context, const char *order_id, enum order_news news)
{
    (void)context, (void)order_id, (void)news;
}

enum result edge_rebuild_new(struct store *store, struct edge_rebuild **ret_rebuild,
                             struct err *err)
{
    enum result result = store_migrate(store, "edge", edge_migrations, edge_migration_count, err);
    if (result != OK)
        return err_context(err, result, "rebuild");
    struct edge_rebuild *rebuild = calloc(1, sizeof *rebuild);
    if (!rebuild)
        abort();
    rebuild->store = store;
    projection_init(&rebuild->projection, store, nobody_waits, NULL);
    *ret_rebuild = rebuild;
    return OK;
}

void edge_rebuild_free(struct edge_rebuild *rebuild)
{
    if (!rebuild)
        return;
    store_rollback(rebuild->store);
    projection_release(&rebuild->projection);
    free(rebuild);
}

static enum result finish(struct edge_rebuild *rebuild, struct err *err)
{
    if (!store_in_transaction(rebuild->store))
        return OK;
    rebuild->taken = 0;
    return store_commit(rebuild->store, err);
}

enum result edge_rebuild_take(struct edge_rebuild *rebuild, const char *key, const char *body,
                              size_t size, struct err *err)
{
    enum result result = OK;
    if (!store_in_transaction(rebuild->store))
        result = store_begin(rebuild->store, err);
    if (result == OK)
        result = projection_apply(&rebuild->projection, key, body, size, err);
    if (result == OK && ++rebuild->taken == BATCH)
        result = finish(rebuild, err);
    return err_context(err, result, "rebuild");
}

enum result edge_rebuild_hash(struct edge_rebuild *rebuild, char hex[65], struct err *err)
{
    enum result result = finish(rebuild, err);
    return result == OK ? edge_read_model_hash(rebuild->store, hex, err) : result;
}

enum result edge_read_model_offset(struct store *store, int64_t *ret_next, struct err *err)
{
    struct log_place place;
    enum result result = read_model_place(store, &place, err);
    if (result == OK)
        *ret_next = place.next_offset == OFFSET_FIRST ? 0 : place.next_offset;
    return result;
}
