/* The loop's own tables in each store, which promise 6 is about: nothing stands still. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"

struct loop_reading {
    struct evidence *e;
    const char *service;
};

static enum result read_outbox(void *context, const struct store_row *row, struct err *err)
{
    struct loop_reading *reading = context;
    struct evidence *e = reading->e;
    const char *id = store_row_text(row, 0);
    (void)err;
    e->report->counts.outbox_unsent++;
    ((struct unsent *)map_get(&e->unsent, id))->there = true;
    checked(e, 6);
    if (evidence_due(e, store_row_int(row, 2)))
        violated(e, 6, "%s: %s %s is still in the outbox", reading->service, store_row_text(row, 1),
                 id);
    return OK;
}

static enum result read_job(void *context, const struct store_row *row, struct err *err)
{
    struct loop_reading *reading = context;
    (void)err;
    checked(reading->e, 6);
    if (evidence_due(reading->e, store_row_int(row, 2)))
        violated(reading->e, 6, "%s: the call %s %s is still open", reading->service,
                 store_row_text(row, 0), store_row_text(row, 1));
    return OK;
}

static enum result read_deferred(void *context, const struct store_row *row, struct err *err)
{
    struct loop_reading *reading = context;
    (void)err;
    reading->e->report->counts.deferred++;
    checked(reading->e, 6);
    if (evidence_due(reading->e, store_row_int(row, 1)))
        violated(reading->e, 6, "%s: message %s is still deferred: %s", reading->service,
                 store_row_text(row, 0), store_row_text(row, 2));
    return OK;
}

static enum result read_counts(struct evidence *e, struct store *store, struct err *err)
{
    int64_t handled = 0;
    int64_t quarantined = 0;
    enum result result =
        store_query_int(store, "SELECT count(*) FROM inbox", STORE_NO_ARGS, &handled, err);
    if (result == OK)
        result = store_query_int(store, "SELECT count(*) FROM quarantine", STORE_NO_ARGS,
                                 &quarantined, err);
    e->handled += (size_t)handled;
    e->report->promises[5].checked += (size_t)(handled + quarantined);
    e->report->counts.quarantined += quarantined;
    return result;
}

enum result evidence_read_loop(struct evidence *e, const char *service, struct store *store,
                               struct err *err)
{
    struct loop_reading reading = {e, service};
    enum result result = store_query(store, "SELECT message_id, type, since_ms FROM outbox",
                                     STORE_NO_ARGS, read_outbox, &reading, err);
    if (result == OK)
        result = store_query(store, "SELECT kind, key, due_ms FROM job", STORE_NO_ARGS, read_job,
                             &reading, err);
    if (result == OK)
        result = store_query(store, "SELECT message_id, due_ms, reason FROM deferred",
                             STORE_NO_ARGS, read_deferred, &reading, err);
    if (result == OK)
        result = read_counts(e, store, err);
    return err_context(err, result, "%s", service);
}
