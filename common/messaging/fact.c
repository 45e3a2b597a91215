/* Facts that are kept as they went out, to be said again from there. */
#include <inttypes.h>

#include "common/messaging/service_private.h"

enum result uow_keep(struct uow *uow, const struct said *said, struct err *err)
{
    enum result result = store_exec(
        uow_store(uow),
        "INSERT INTO fact(position, " ROW_SAID ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        STORE_ARGS(store_int(said->position), store_text(said->id), store_text(said->exchange),
                   store_text(said->type), store_text(said->subject), store_text(said->traceparent),
                   store_int(said->time_ms), store_blob(said->body, said->size)),
        NULL, err);
    return result == OK ? OK : err_context(err, result, "keep %s %s", said->type, said->subject);
}

static enum result copy_row(void *context, const struct store_row *stored, struct err *err)
{
    struct row *row = outbox_row_read(stored, 0);
    (void)err;
    row->occasion = AGAIN;
    *(struct row **)context = row;
    return OK;
}

enum result uow_publish_kept(struct uow *uow, int64_t position, struct err *err)
{
    struct row *row = NULL;
    enum result result =
        store_query_one(uow_store(uow), "SELECT " ROW_SAID " FROM fact WHERE position = $1",
                        STORE_ARGS(store_int(position)), copy_row, &row, err);
    if (result != OK)
        return err_context(err, result, "fact %" PRId64, position);
    return outbox_put_take(uow, row, NULL, err);
}
