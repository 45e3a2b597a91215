/* What is said again, byte for byte: the facts of one order, for an operator; settled versions that a
 * consumer misses. Whoever has heard them knows them by their ids. */
#include <stdio.h>
#include <string.h>

#include "order-service/state.h"

enum {
    ANSWER_MAX = 500, /* of what is missing, at a time */
    GRACE_MS = 10000, /* what is younger may still be on its way */
};

struct telling {
    struct uow *uow;
    struct buf body;
    int64_t count;
};

/* The columns of FACT. Nothing here may differ from what order_store_append has said. */
#define FACT "e.order_id, e.version, e.type, e.fact_id, e.at_ms, e.traceparent, e.data"

static enum result tell_row(void *context, const struct store_row *row, struct err *err)
{
    struct telling *telling = context;
    struct envelope envelope = {.sequence = store_row_int(row, 1),
                                .time_ms = store_row_int(row, 4)};
    const char *data = store_row_text(row, 6);
    store_row_copy(row, 0, envelope.subject, sizeof envelope.subject);
    store_row_copy(row, 2, envelope.type, sizeof envelope.type);
    store_row_copy(row, 3, envelope.id.text, sizeof envelope.id.text);
    store_row_copy(row, 5, envelope.traceparent, sizeof envelope.traceparent);
    snprintf(envelope.source, sizeof envelope.source, "%s", order_service_spec.source);
    buf_clear(&telling->body);
    envelope_encode_text(&envelope, data, strlen(data), &telling->body);
    telling->count++;
    return uow_publish_again(telling->uow,
                             &(struct said){
                                 .exchange = EVENTS_EXCHANGE,
                                 .type = envelope.type,
                                 .subject = envelope.subject,
                                 .id = envelope.id.text,
                                 .traceparent = envelope.traceparent,
                                 .time_ms = envelope.time_ms,
                                 .body = telling->body.data,
                                 .size = telling->body.size,
                             },
                             err);
}

/* Of an order that nobody knows there is nothing to say. */
enum result handle_retell(void *self, struct uow *uow, const struct envelope *envelope,
                          const void *payload, struct err *err)
{
    const struct retell *retell = payload;
    struct telling telling = {.uow = uow};
    (void)self, (void)envelope;
    enum result result = store_query(
        uow_store(uow), "SELECT " FACT " FROM order_event AS e WHERE e.order_id = $1 ORDER BY 2",
        STORE_ARGS(store_text(retell->order_id)), tell_row, &telling, err);
    buf_release(&telling.body);
    return err_context(err, result, "order %s", retell->order_id);
}

/* Kept for the end of the batch: when this service was down, many have piled up, and the last of them
 * says what is still missing. */
enum result handle_retell_settled(void *self, struct uow *uow, const struct envelope *envelope,
                                  const void *payload, struct err *err)
{
    struct order_service *service = self;
    (void)uow, (void)envelope, (void)err;
    service->asked = *(const struct retell_settled *)payload;
    return OK;
}

/* A time that has not come is old too: the clock was put back. */
static enum result tell_range(struct telling *telling, const struct number_range *range,
                              struct err *err)
{
    int64_t now_ms = uow_now_ms(telling->uow);
    return store_query(uow_store(telling->uow),
                       "SELECT " FACT " FROM settled AS s JOIN order_event AS e "
                       "ON e.order_id = s.order_id AND e.version = s.version "
                       "WHERE s.number BETWEEN $1 AND $2 AND (e.at_ms <= $3 OR e.at_ms > $4) "
                       "ORDER BY s.number LIMIT $5",
                       STORE_ARGS(store_int(range->first),
                                  store_int(range->last > 0 ? range->last : COUNT_MAX),
                                  store_int(now_ms - GRACE_MS), store_int(now_ms),
                                  store_int(ANSWER_MAX - telling->count)),
                       tell_row, telling, err);
}

enum result retell_flush(struct order_service *service, struct uow *uow, struct err *err)
{
    struct telling telling = {.uow = uow};
    enum result result = OK;
    for (size_t i = 0; i < service->asked.missing_count && result == OK; i++)
        result = tell_range(&telling, &service->asked.missing[i], err);
    service->asked.missing_count = 0;
    buf_release(&telling.body);
    return err_context(err, result, "settled orders");
}
