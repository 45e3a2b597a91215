/* Facts that are kept as they went out, to be said again from there. */
#include <inttypes.h>

#include "common/messaging/service_private.h"

enum result uow_keep(struct uow *uow, const struct said *said, struct err *err)
{
    enum result result = store_exec(
        uow_store(uow),
        "INSERT INTO fact(position, message_id, exchange, type, subject, traceparent, "
        "time_ms, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        STORE_ARGS(store_int(said->position), store_text(said->id), store_text(said->exchange),
                   store_text(said->type), store_text(said->subject), store_text(said->traceparent),
                   store_int(said->time_ms), store_blob(said->body, said->size)),
        NULL, err);
    return result == OK ? OK : err_context(err, result, "keep %s %s", said->type, said->subject);
}

static enum result copy_row(void *context, const struct store_row *stored, struct err *err)
{
    struct said said = {
        .id = store_row_text(stored, 0),
        .exchange = store_row_text(stored, 1),
        .type = store_row_text(stored, 2),
        .subject = store_row_text(stored, 3),
        .traceparent = store_row_text(stored, 4),
        .time_ms = store_row_int(stored, 5),
    };
    (void)err;
    said.body = store_row_blob(stored, 6, &said.size);
    struct row *row = outbox_row_new(&said);
    row->occasion = AGAIN;
    *(struct row **)context = row;
    return OK;
}

enum result uow_publish_kept(struct uow *uow, int64_t position, struct err *err)
{
    struct row *row = NULL;
    enum result result = store_query_one(
        uow_store(uow),
        "SELECT message_id, exchange, type, subject, traceparent, time_ms, body FROM fact "
        "WHERE position = $1",
        STORE_ARGS(store_int(position)), copy_row, &row, err);
    if (result != OK)
        return err_context(err, result, "fact %" PRId64, position);
    return outbox_put_take(uow, row, NULL, err);
}
