#include "tests/simulation/bad_store.h"

#include "common/store/engine.h"

/* The engine's operations have no room for a context, and one world runs at a time. */
static struct {
    const struct store_ops *engine;
    struct chance *chance;
    struct coverage *coverage;
} plan;

static bool fails(uint32_t rate)
{
    if (!chance_hits(plan.chance, rate, 10000))
        return false;
    plan.coverage->items[COVER_STORE_FAILED]++;
    return true;
}

static enum result bad_begin(struct store *store, struct err *err)
{
    if (fails(plan.chance->store_busy)) {
        plan.coverage->items[COVER_STORE_BUSY]++;
        return err_set(err, RETRY, "database is locked");
    }
    return plan.engine->begin(store, err);
}

static enum result bad_commit(struct store *store, struct err *err)
{
    if (fails(plan.chance->store_commit))
        return err_set(err, RETRY, "disk I/O error"); /* store.c rolls back */
    enum result result = plan.engine->commit(store, err);
    if (result != OK || !chance_hits(plan.chance, plan.chance->store_answer, 10000))
        return result;
    plan.coverage->items[COVER_STORE_UNKNOWN]++;
    return err_set(err, RETRY, "the connection was lost during COMMIT");
}

static enum result bad_query(struct store *store, const char *sql, const struct store_value *args,
                             size_t count, store_row_fn *each, void *context, struct err *err)
{
    if (fails(plan.chance->store_statement)) {
        store->failed = true;
        return err_set(err, RETRY, "disk I/O error");
    }
    return plan.engine->query(store, sql, args, count, each, context, err);
}

static enum result bad_exec(struct store *store, const char *sql, const struct store_value *args,
                            size_t count, int64_t *ret_changed, struct err *err)
{
    if (fails(plan.chance->store_statement)) {
        store->failed = true;
        return err_set(err, RETRY, "database or disk is full");
    }
    return plan.engine->exec(store, sql, args, count, ret_changed, err);
}

void bad_store_spoil(struct store *store, struct chance *chance, struct coverage *coverage)
{
    static struct store_ops bad_ops;
    plan.engine = store->ops;
    plan.chance = chance;
    plan.coverage = coverage;
    bad_ops = *store->ops;
    bad_ops.begin = bad_begin;
    bad_ops.commit = bad_commit;
    bad_ops.query = bad_query;
    bad_ops.exec = bad_exec;
    store->ops = &bad_ops;
}
