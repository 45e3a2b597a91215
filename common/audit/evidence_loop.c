/* The loop's own tables in each store, which promise 6 is about: nothing stands still. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"
#include "common/messaging/envelope.h"

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
    (void)map_get(&e->unsent, id);
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

/* Whatever it is: its envelope may be what is wrong with it. */
static enum result read_quarantined(void *context, const struct store_row *row, struct err *err)
{
    struct loop_reading *reading = context;
    struct evidence *e = reading->e;
    (void)err;
    e->report->counts.quarantined++;
    checked(e, 6);
    e->quarantine = evidence_grow(e->quarantine, e->quarantine_count, &e->quarantine_capacity,
                                  sizeof *e->quarantine);
    struct quarantined *one = &e->quarantine[e->quarantine_count++];
    *one = (struct quarantined){.service = reading->service, .type = ""};
    store_row_copy(row, 0, one->id, sizeof one->id);
    store_row_copy(row, 1, one->reason, sizeof one->reason);
    size_t size;
    const char *body = store_row_blob(row, 2, &size);
    struct envelope envelope;
    cJSON *document;
    const cJSON *data;
    if (envelope_decode(body, size, &envelope, &document, &data, NULL) != OK)
        return OK;
    one->type = evidence_word(e, envelope.type);
    snprintf(one->subject, sizeof one->subject, "%s", envelope.subject);
    cJSON_Delete(document);
    return OK;
}

static enum result read_handled(struct evidence *e, struct store *store, struct err *err)
{
    int64_t handled = 0;
    enum result result =
        store_query_int(store, "SELECT count(*) FROM inbox", STORE_NO_ARGS, &handled, err);
    e->handled += (size_t)handled;
    e->report->promises[5].checked += (size_t)handled;
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
        result =
            store_query(store, "SELECT message_id, reason, body FROM quarantine ORDER BY number",
                        STORE_NO_ARGS, read_quarantined, &reading, err);
    if (result == OK)
        result = read_handled(e, store, err);
    return err_context(err, result, "%s", service);
}
