/* The outbox with others in it: rows of a dead instance are taken up, a living one's earlier rows of
 * the same subject are waited for. */
#include <stdlib.h>
#include <string.h>

#include "common/messaging/service_private.h"

enum {
    BLOCKED_CHECK_MS = 4,
    LOAD_MAX = 1000, /* rows in one go */
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
    store_row_copy(row, 1, other->owner, sizeof other->owner);
    other->position = store_row_int(row, 2);
    return OK;
}

/* The table has no index by subject: each row would pay for it, and few suites ever ask. One look at
 * the table serves all who do. */
static enum result load_others(struct service *service, struct err *err)
{
    service->others.count = 0;
    return store_query(service->parts.store,
                       "SELECT subject, owner, min(position) FROM outbox WHERE owner <> $1 "
                       "GROUP BY subject, owner ORDER BY subject",
                       STORE_ARGS(store_text(service->parts.owner)), add_other, &service->others,
                       err);
}

/* Ours too: to those who own a row that was taken over we are somebody else. */
static enum result load_everybody(struct service *service, struct err *err)
{
    service->others.count = 0;
    return store_query(service->parts.store,
                       "SELECT subject, owner, min(position) FROM outbox "
                       "GROUP BY subject, owner ORDER BY subject",
                       STORE_NO_ARGS, add_other, &service->others, err);
}

/* Once a transaction: does anybody else have rows here at all? Mostly not, and then no row needs a look
 * of its own. */
enum result outbox_look_for_others(struct service *service, struct err *err)
{
    int64_t others = 0;
    enum result result = store_query_int(
        service->parts.store, "SELECT EXISTS(SELECT 1 FROM outbox WHERE owner <> $1)",
        STORE_ARGS(store_text(service->parts.owner)), &others, err);
    service->others_write = others != 0;
    service->others.count = 0;
    if (result == OK && service->others_write)
        result = load_others(service, err);
    return result;
}

/* The first of this subject, or where it would be. */
static size_t find_subject(const struct others *others, const char *subject)
{
    size_t first = 0;
    size_t end = others->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (strcmp(others->items[middle].subject, subject) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

bool outbox_comes_first(const struct service *service, const struct row *row)
{
    const struct others *others = &service->others;
    for (size_t i = find_subject(others, row->subject);
         i < others->count && strcmp(others->items[i].subject, row->subject) == 0; i++) {
        const struct other *other = &others->items[i];
        if (other->position < row->position && strcmp(other->owner, row->owner) != 0)
            return false;
    }
    return true;
}

/* Outside a transaction: may blocked rows go now? */
static void recheck_blocked(struct service *service)
{
    bool foreign = false;
    struct row *row;
    TAILQ_FOREACH(row, &service->unsent, next)
    foreign = foreign || (row->foreign && row->state == ROW_BLOCKED);
    if ((foreign ? load_everybody(service, NULL) : load_others(service, NULL)) != OK)
        return; /* busy: they stay where they are */
    TAILQ_FOREACH(row, &service->unsent, next)
    {
        if (row->state != ROW_BLOCKED || !outbox_comes_first(service, row))
            continue;
        row->state = ROW_WAITING;
        service->blocked_count--;
        service->relay_from = TAILQ_FIRST(&service->unsent);
    }
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
    struct row *row = outbox_row_read(stored, 1);
    row->position = position;
    row->state = ROW_BLOCKED; /* until a look has shown that nothing earlier is unsent */
    store_row_copy(stored, 8, row->owner, sizeof row->owner);
    row->foreign = strcmp(row->owner, service->parts.owner) != 0;
    outbox_add_unsent(service, row);
    return OK;
}

#define ROW_COLUMNS "position, " ROW_SAID ", owner"

/* Behind those that are in hand already. */
enum result outbox_load(struct service *service, struct err *err)
{
    int64_t held = (int64_t)(service->unsent_count + service->confirmed_count);
    service->next_blocked_ms = 0;
    return store_query(service->parts.store,
                       "SELECT " ROW_COLUMNS " FROM outbox WHERE owner = $1 ORDER BY position "
                       "LIMIT $2",
                       STORE_ARGS(store_text(service->parts.owner), store_int(held + LOAD_MAX)),
                       load_row, service, err);
}

/* Whatever has been unsent for long, or since a time that has not come (the clock was put back),
 * whoever wrote it. Never "greater than the last": positions of several
 * writers do not become visible in order. */
enum result outbox_rescan(struct service *service, struct err *err)
{
    int64_t now_ms = service_wall_ms(service);
    if (service->unsent_count >= service->limits.unsent_max)
        return OK;
    return store_query(service->parts.store,
                       "SELECT " ROW_COLUMNS " FROM outbox WHERE since_ms < $1 OR since_ms > $2 "
                       "ORDER BY position LIMIT $3",
                       STORE_ARGS(store_int(now_ms - service->limits.takeover_ms),
                                  store_int(now_ms + service->limits.takeover_ms),
                                  store_int(LOAD_MAX)),
                       load_row, service, err);
}
