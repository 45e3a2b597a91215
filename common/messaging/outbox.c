/* Rows on their way out. A row lives in memory from the transaction that made it until the one that
 * deletes it; the table is read only at the start and for what a dead instance left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/failpoint.h"
#include "common/base/text.h"
#include "common/messaging/service_private.h"
#include "common/telemetry/log.h"

enum {
    MARK_AT_ONCE = 128, /* confirmed rows worth a transaction of their own */
    MARK_DELAY_MS = 20, /* else they wait so long for one to share */
    REFUSED_RETRY_MS = 50,
    REFUSED_RETRY_MAX_MS = 5000,
};

struct row *outbox_row_new(const struct said *said)
{
    struct row *row = service_alloc(sizeof *row + said->size + 1);
    *row = (struct row){.state = ROW_WAITING, .time_ms = said->time_ms, .size = said->size};
    text_copy(row->exchange, sizeof row->exchange, said->exchange);
    text_copy(row->type, sizeof row->type, said->type);
    text_copy(row->subject, sizeof row->subject, said->subject);
    text_copy(row->id.text, sizeof row->id.text, said->id);
    text_copy(row->traceparent, sizeof row->traceparent, said->traceparent);
    memcpy(row->body, said->body, said->size);
    row->body[said->size] = '\0';
    return row;
}

struct row *outbox_row_read(const struct store_row *stored, int first)
{
    struct said said = {
        .id = store_row_text(stored, first),
        .exchange = store_row_text(stored, first + 1),
        .type = store_row_text(stored, first + 2),
        .subject = store_row_text(stored, first + 3),
        .traceparent = store_row_text(stored, first + 4),
        .time_ms = store_row_int(stored, first + 5),
    };
    said.body = store_row_blob(stored, first + 6, &said.size);
    return outbox_row_new(&said);
}

/* Positions are given out under the write lock and never twice: a late mark of one instance must not
 * hit a younger row of another. The table knows the last one given, and is asked once a transaction. */
static enum result next_position(struct uow *uow, int64_t *ret_position, struct err *err)
{
    if (uow->position == 0) {
        enum result result = store_query_int(uow_store(uow), "SELECT last FROM outbox_position",
                                             STORE_NO_ARGS, &uow->position, err);
        if (result != OK)
            return result;
    }
    *ret_position = ++uow->position;
    return OK;
}

enum result outbox_keep_position(struct uow *uow, struct err *err)
{
    if (uow->position == 0)
        return OK;
    return store_exec(uow_store(uow), "UPDATE outbox_position SET last = $1",
                      STORE_ARGS(store_int(uow->position)), NULL, err);
}

/* since_ms, not time_ms, tells how long a row has been waiting: what is said again is older. */
static enum result row_insert(struct uow *uow, struct row *row, int64_t position, struct err *err)
{
    row->position = position;
    row->state = outbox_comes_first(uow->service, row) ? ROW_WAITING : ROW_BLOCKED;
    return store_exec(
        uow_store(uow),
        "INSERT INTO outbox(position, message_id, exchange, type, subject, traceparent, time_ms, "
        "body, owner, since_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        STORE_ARGS(store_int(row->position), store_text(row->id.text), store_text(row->exchange),
                   store_text(row->type), store_text(row->subject), store_text(row->traceparent),
                   store_int(row->time_ms), store_blob(row->body, row->size),
                   store_text(row->owner), store_int(uow->now_ms)),
        NULL, err);
}

/* The envelope of a message that `uow` causes. */
static struct envelope envelope_for(struct uow *uow, const struct outgoing *message)
{
    struct envelope envelope = {.time_ms = uow->now_ms, .sequence = message->sequence};
    if (message->id)
        text_copy(envelope.id.text, sizeof envelope.id.text, message->id);
    else
        envelope.id = id_new(uow->service->parts.clock);
    text_copy(envelope.type, sizeof envelope.type, message->type);
    text_copy(envelope.source, sizeof envelope.source, uow->service->spec->source);
    text_copy(envelope.subject, sizeof envelope.subject, message->subject);
    trace_child(uow->service->parts.clock, uow->traceparent, envelope.traceparent);
    return envelope;
}

enum result outbox_put_take(struct uow *uow, struct row *row, struct said *ret_said,
                            struct err *err)
{
    struct service *service = uow->service;
    text_copy(row->parent, sizeof row->parent, uow->traceparent ? uow->traceparent : "");
    text_copy(row->owner, sizeof row->owner, service->parts.owner);
    int64_t position = 0;
    enum result result = next_position(uow, &position, err);
    if (result == OK && service->parts.switches.outbox)
        result = row_insert(uow, row, position, err);
    if (result != OK) {
        err_context(err, result, "outbox: %s %s", row->type, row->subject);
        free(row);
        return result;
    }
    TAILQ_INSERT_TAIL(&service->fresh, row, next);
    service->fresh_count++;
    if (ret_said)
        *ret_said = (struct said){
            .position = position,
            .exchange = row->exchange,
            .type = row->type,
            .subject = row->subject,
            .id = row->id.text,
            .traceparent = row->traceparent,
            .time_ms = row->time_ms,
            .body = row->body,
            .size = row->size,
        };
    return OK;
}

enum result uow_publish(struct uow *uow, const struct outgoing *message, struct said *ret_said,
                        struct err *err)
{
    struct envelope envelope = envelope_for(uow, message);
    struct buf body = {0};
    envelope_encode(&envelope, message->payload_type, message->payload, &body);
    struct row *row = outbox_row_new(&(struct said){
        .exchange = message->exchange,
        .type = message->type,
        .subject = message->subject,
        .id = envelope.id.text,
        .traceparent = envelope.traceparent,
        .time_ms = envelope.time_ms,
        .body = body.data,
        .size = body.size,
    });
    buf_release(&body);
    row->occasion = message->occasion;
    return outbox_put_take(uow, row, ret_said, err);
}

enum result uow_publish_again(struct uow *uow, const struct said *said, struct err *err)
{
    struct row *row = outbox_row_new(said);
    row->occasion = AGAIN;
    return outbox_put_take(uow, row, NULL, err);
}

void outbox_add_unsent(struct service *service, struct row *row)
{
    TAILQ_INSERT_TAIL(&service->unsent, row, next);
    service->unsent_count++;
    if (row->state == ROW_BLOCKED)
        service->blocked_count++;
    else if (!service->relay_from)
        service->relay_from = row;
}

static void tell_repeat(struct service *service, const struct row *row)
{
    const struct topology *topology = service->spec->topology;
    char trace[TRACE_ID_SIZE];
    for (size_t i = 0; i < topology->publication_count && i < SERVICE_PUBLICATIONS_MAX; i++)
        service->numbers.repeats[i] += strcmp(topology->publications[i].type, row->type) == 0;
    LOG_EVENT(service->parts.log, LOG_INFO, "said-again", LOG_TEXT("type", row->type),
              LOG_TEXT("subject", row->subject), LOG_TEXT("message_id", row->id.text),
              LOG_TEXT("trace_id", trace_id(row->traceparent, trace)));
}

void outbox_committed(struct service *service)
{
    struct row *row;
    while ((row = TAILQ_FIRST(&service->confirmed))) {
        TAILQ_REMOVE(&service->confirmed, row, next);
        free(row);
    }
    service->confirmed_count = 0;
    while ((row = TAILQ_FIRST(&service->fresh))) {
        TAILQ_REMOVE(&service->fresh, row, next);
        if (row->occasion == AGAIN)
            tell_repeat(service, row);
        outbox_add_unsent(service, row);
    }
    service->fresh_count = 0;
}

void outbox_rolled_back(struct service *service)
{
    struct row *row;
    while ((row = TAILQ_FIRST(&service->fresh))) {
        TAILQ_REMOVE(&service->fresh, row, next);
        free(row);
    }
    service->fresh_count = 0;
}

/* Publishing. */

static void to_confirmed(struct service *service, struct row *row)
{
    if (service->relay_from == row)
        service->relay_from = TAILQ_NEXT(row, next);
    TAILQ_REMOVE(&service->unsent, row, next);
    service->unsent_count--;
    if (row->position == 0) { /* no outbox, nothing to mark */
        free(row);
        return;
    }
    row->state = ROW_CONFIRMED;
    if (service->confirmed_count++ == 0)
        service->next_mark_ms = service_mono_ms(service) + MARK_DELAY_MS;
    TAILQ_INSERT_TAIL(&service->confirmed, row, next);
}

/* A row refused by the broker waits a little; a later one of its subject waits behind it. */
static bool is_held_up(const struct service *service, const struct row *row, int64_t now_ms)
{
    if (row->retry_ms > now_ms)
        return true;
    if (service->refused_count == 0)
        return false;
    for (struct row *earlier = TAILQ_FIRST(&service->unsent); earlier && earlier != row;
         earlier = TAILQ_NEXT(earlier, next)) {
        if (earlier->retry_ms > now_ms && strcmp(earlier->subject, row->subject) == 0)
            return true;
    }
    return false;
}

static enum result publish_row(struct service *service, struct row *row, int64_t now_us)
{
    const struct bus_message message = {
        .exchange = row->exchange,
        .routing_key = row->type,
        .id = row->id.text,
        .traceparent = row->traceparent,
        .time_ms = row->time_ms,
        .body = row->body,
        .size = row->size,
    };
    uint64_t token = service->token + 1;
    enum result result = bus_publish(service->parts.bus, &message, token);
    if (result != OK)
        return result;
    service->token = token;
    service->state.published++;
    row->token = token;
    row->state = ROW_IN_FLIGHT;
    row->published_us = now_us;
    if (row->refusals > 0 && row->retry_ms > 0) {
        row->retry_ms = 0;
        service->refused_count--;
    }
    service->in_flight++;
    return OK;
}

void outbox_relay(struct service *service)
{
    int64_t now_us = service_mono_us(service);
    int64_t now_ms = service_mono_ms(service);
    if (!service->state.bus_up)
        return;
    struct row *first_left = NULL;
    struct row *row = service->relay_from;
    while (row) {
        struct row *after = TAILQ_NEXT(row, next);
        if (row->state == ROW_WAITING) {
            bool left = is_held_up(service, row, now_ms);
            if (!left && publish_row(service, row, now_us) != OK) {
                service->relay_from = first_left ? first_left : row;
                return;
            }
            if (left && !first_left)
                first_left = row;
            if (!left && !service->parts.switches.sent_when_confirmed) {
                service->in_flight--;
                to_confirmed(service, row);
            }
        }
        row = after;
    }
    service->relay_from = first_left;
}

static struct row *find_token(struct service *service, uint64_t token)
{
    struct row *row;
    TAILQ_FOREACH(row, &service->unsent, next)
    {
        if (row->state == ROW_IN_FLIGHT && row->token == token)
            return row;
    }
    return NULL;
}

/* Back to WAITING, to be found by the next relay. */
static void wait_again(struct service *service, struct row *row)
{
    service->in_flight--;
    row->state = ROW_WAITING;
    row->token = 0;
    service->relay_from = TAILQ_FIRST(&service->unsent);
}

static void row_refused(struct service *service, struct row *row, const char *how)
{
    int64_t delay = REFUSED_RETRY_MS << (row->refusals < 7 ? row->refusals : 7);
    if (delay > REFUSED_RETRY_MAX_MS)
        delay = REFUSED_RETRY_MAX_MS;
    wait_again(service, row);
    row->refusals++;
    row->retry_ms = service_mono_ms(service) + service_jitter_ms(service, delay);
    service->refused_count++;
    char trace[TRACE_ID_SIZE];
    LOG_EVENT(service->parts.log, LOG_WARNING, how, LOG_TEXT("type", row->type),
              LOG_TEXT("message_id", row->id.text),
              LOG_TEXT("trace_id", trace_id(row->traceparent, trace)),
              LOG_NUMBER("times", row->refusals));
}

/* One look at the clock for all that a pump brings. */
static void count_confirm(struct service *service, const struct row *row)
{
    if (service->heard_us == 0)
        service->heard_us = service_mono_us(service);
    int64_t duration_us = service->heard_us - row->published_us;
    histogram_add(&service->numbers.confirm, duration_us);
    spans_sent(&(struct otlp_send){
        .otlp = service->parts.otlp,
        .exchange = row->exchange,
        .type = row->type,
        .message_id = row->id.text,
        .size = row->size,
        .traceparent = row->traceparent,
        .parent = row->parent,
        .duration_us = duration_us,
    });
}

void outbox_settled(struct service *service, uint64_t token, enum bus_fate fate)
{
    struct row *row = find_token(service, token);
    if (!row) /* its deadline had passed, or the switch is off: it is on its way again, or gone */
        return;
    if (fate == FATE_CONFIRMED && FAILPOINT("confirm-after"))
        fate = FATE_NACKED;
    switch (fate) {
    case FATE_CONFIRMED:
        service->state.confirmed++;
        count_confirm(service, row);
        service->in_flight--;
        to_confirmed(service, row);
        break;
    case FATE_RETURNED:
        service->state.returned++;
        row_refused(service, row, "publish-returned");
        break;
    case FATE_NACKED:
        service->state.nacked++;
        row_refused(service, row, "publish-nacked");
        break;
    }
}

void outbox_down(struct service *service)
{
    struct row *row;
    TAILQ_FOREACH(row, &service->unsent, next)
    {
        if (row->state == ROW_IN_FLIGHT)
            wait_again(service, row);
    }
}

/* An unconfirmed publish is "outcome unknown": it goes out again, and its consumers know it by its id. */
void outbox_expire(struct service *service)
{
    int64_t limit_us = service_mono_us(service) - 1000 * service->limits.confirm_timeout_ms;
    struct row *row;
    if (service->in_flight == 0)
        return;
    TAILQ_FOREACH(row, &service->unsent, next)
    {
        if (row->state == ROW_IN_FLIGHT && row->published_us < limit_us)
            wait_again(service, row);
    }
}

/* Marking: confirmed rows leave the table, runs of neighbours in one statement. */

bool outbox_has_work(const struct service *service)
{
    if (service->confirmed_count == 0)
        return false;
    /* Somebody else's row may be waiting for ours to go. */
    return service->confirmed_count >= MARK_AT_ONCE || service->draining || service->others_write ||
           service_mono_ms(service) >= service->next_mark_ms;
}

static enum result delete_run(struct service *service, const struct row *first,
                              const struct row *last, struct err *err)
{
    return store_exec(service->parts.store, "DELETE FROM outbox WHERE position BETWEEN $1 AND $2",
                      STORE_ARGS(store_int(first->position), store_int(last->position)), NULL, err);
}

enum result outbox_mark(struct service *service, struct err *err)
{
    struct row *first = TAILQ_FIRST(&service->confirmed);
    if (first && FAILPOINT("mark-before"))
        return err_set(err, RETRY, "outbox: failpoint");
    while (first) {
        struct row *last = first;
        struct row *after = TAILQ_NEXT(last, next);
        while (after && after->position == last->position + 1) {
            last = after;
            after = TAILQ_NEXT(last, next);
        }
        enum result result = delete_run(service, first, last, err);
        if (result != OK)
            return err_context(err, result, "outbox: mark");
        first = after;
    }
    return OK;
}

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t outbox_deadline_ms(const struct service *service)
{
    int64_t deadline = INT64_MAX;
    if (service->confirmed_count > 0)
        deadline = min_ms(deadline, service->next_mark_ms);
    if (service->blocked_count > 0)
        deadline = min_ms(deadline, service->next_blocked_ms);
    if (service->refused_count > 0 && service->relay_from)
        deadline = min_ms(deadline, service_mono_ms(service) + REFUSED_RETRY_MS);
    if (service->in_flight > 0)
        deadline = min_ms(deadline, service_mono_ms(service) + 1000);
    return deadline;
}

static void free_rows(struct row_list *rows)
{
    struct row *row;
    while ((row = TAILQ_FIRST(rows))) {
        TAILQ_REMOVE(rows, row, next);
        free(row);
    }
}

void outbox_release(struct service *service)
{
    free_rows(&service->fresh);
    free_rows(&service->unsent);
    free_rows(&service->confirmed);
}
