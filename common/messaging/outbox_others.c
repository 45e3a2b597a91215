/* The outbox with others in it: rows of a dead instance are taken up, a living one's earlier rows of
 * the same subject are waited for. */
#include <stdlib.h>
#include <string.h>

#include "common/messaging/service_private.h"

enum {
    BLOCKED_CHECK_MS = 4,
    LOAD_MAX = 1000, /* rows in one go */
};

/* Once a transaction: does anybody else have rows here at all? Mostly not, and then no row needs a look
 * of its own. */
enum result outbox_look_for_others(struct service *service, struct err *err)
{
    int64_t others = 0;
    enum result result = store_query_int(
        service->parts.store, "SELECT EXISTS(SELECT 1 FROM outbox WHERE owner <> $1)",
        STORE_ARGS(store_text(service->parts.owner)), &others, err);
    service->others_write = others != 0;
    return result;
}

/* Whether another owner's earlier row of this subject is unsent; position INT64_MAX: every row is
 * earlier. */
enum result outbox_is_blocked(struct service *service, const struct row *row, int64_t position,
                              bool *ret_blocked, struct err *err)
{
    int64_t found = 0;
    enum result result = store_query_int(
        service->parts.store,
        "SELECT EXISTS(SELECT 1 FROM outbox WHERE subject = $1 AND owner <> $2 AND position < $3)",
        STORE_ARGS(store_text(row->subject), store_text(row->owner), store_int(position)), &found,
        err);
    *ret_blocked = found > 0;
    return result;
}

/* Where each subject's first row of somebody else is. */
struct others {
    struct other {
        char subject[64];
        int64_t position;
    } * items;
    size_t count, capacity;
};

static enum result add_other(void *context, const struct store_row *row, struct err *err)
{
    struct others *others = context;
    (void)err;
    if (others->count == others->capacity) {
        others->capacity = others->capacity ? 2 * others->capacity : 64;
        others->items = realloc(others->items, others->capacity * sizeof others->items[0]);
        if (!others->items)
            abort();
    }
    struct other *other = &others->items[others->count++];
    store_row_copy(row, 0, other->subject, sizeof other->subject);
    other->position = store_row_int(row, 1);
    return OK;
}

static int by_subject(const void *subject, const void *other)
{
    return strcmp(subject, ((const struct other *)other)->subject);
}

static bool comes_first(const struct others *others, const struct row *row)
{
    const struct other *other = NULL;
    if (others->count > 0)
        other = bsearch(row->subject, others->items, others->count, sizeof others->items[0],
                        by_subject);
    return !other || other->position > row->position;
}

/* A row that was taken over has other others. */
static bool may_go(struct service *service, const struct others *others, const struct row *row)
{
    bool blocked = true;
    if (!row->foreign)
        return comes_first(others, row);
    return outbox_is_blocked(service, row, row->position, &blocked, NULL) == OK && !blocked;
}

/* Outside a transaction: may blocked rows go now? One look at the table serves them all. */
static void recheck_blocked(struct service *service)
{
    struct others others = {0};
    struct row *row = NULL;
    enum result result =
        store_query(service->parts.store,
                    "SELECT subject, min(position) FROM outbox WHERE owner <> $1 "
                    "GROUP BY subject ORDER BY subject",
                    STORE_ARGS(store_text(service->parts.owner)), add_other, &others, NULL);
    if (result == OK)
        row = TAILQ_FIRST(&service->unsent);
    for (; row; row = TAILQ_NEXT(row, next)) {
        if (row->state != ROW_BLOCKED || !may_go(service, &others, row))
            continue;
        row->state = ROW_WAITING;
        service->blocked_count--;
        service->relay_from = TAILQ_FIRST(&service->unsent);
    }
    free(others.items);
}

void outbox_recheck(struct service *service)
{
    int64_t now_ms = service_mono_ms(service);
    if (service->blocked_count == 0 || now_ms < service->next_blocked_ms)
        return;
    service->next_blocked_ms = now_ms + BLOCKED_CHECK_MS;
    recheck_blocked(service);
}

/* Taking up what was left. */

static bool is_held(const struct service *service, int64_t position)
{
    const struct row *row;
    TAILQ_FOREACH(row, &service->unsent, next)
    {
        if (row->position == position)
            return true;
    }
    TAILQ_FOREACH(row, &service->confirmed, next)
    {
        if (row->position == position)
            return true;
    }
    return false;
}

static enum result load_row(void *context, const struct store_row *stored, struct err *err)
{
    struct service *service = context;
    (void)err;
    int64_t position = store_row_int(stored, 0);
    if (is_held(service, position))
        return OK;
    size_t size;
    const char *body = store_row_blob(stored, 7, &size);
    const struct outgoing message = {.exchange = store_row_text(stored, 2),
                                     .type = store_row_text(stored, 3),
                                     .subject = store_row_text(stored, 4)};
    struct row *row = outbox_row_new(&message, body, size);
    row->position = position;
    row->state = ROW_BLOCKED; /* until a look has shown that nothing earlier is unsent */
    store_row_copy(stored, 1, row->id.text, sizeof row->id.text);
    store_row_copy(stored, 5, row->traceparent, sizeof row->traceparent);
    row->time_ms = store_row_int(stored, 6);
    store_row_copy(stored, 8, row->owner, sizeof row->owner);
    row->foreign = strcmp(row->owner, service->parts.owner) != 0;
    outbox_add_unsent(service, row);
    return OK;
}

#define ROW_COLUMNS                                                                                \
    "position, message_id, exchange, type, subject, traceparent, time_ms, body, owner"

enum result outbox_load(struct service *service, struct err *err)
{
    return store_query(service->parts.store,
                       "SELECT " ROW_COLUMNS " FROM outbox WHERE owner = $1 ORDER BY position "
                       "LIMIT $2",
                       STORE_ARGS(store_text(service->parts.owner), store_int(LOAD_MAX)), load_row,
                       service, err);
}

/* Whatever is unsent and old, or of a time that has not come (the clock was put back), whoever wrote
 * it. Never "greater than the last": positions of several
 * writers do not become visible in order. */
enum result outbox_rescan(struct service *service, struct err *err)
{
    int64_t now_ms = service_wall_ms(service);
    if (service->unsent_count >= service->limits.unsent_max)
        return OK;
    return store_query(service->parts.store,
                       "SELECT " ROW_COLUMNS " FROM outbox WHERE time_ms < $1 OR time_ms > $2 "
                       "ORDER BY position LIMIT $3",
                       STORE_ARGS(store_int(now_ms - service->limits.takeover_ms),
                                  store_int(now_ms + service->limits.takeover_ms),
                                  store_int(LOAD_MAX)),
                       load_row, service, err);
}
