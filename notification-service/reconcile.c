#include "notification-service/reconcile.h"

#include <string.h>

#include "contracts/messages.h"
#include "notification-service/heard.h"

enum {
    LOOK_MS = 10000,
    PAUSE_MAX = 60, /* looks between two asks for the same */
    TAIL_EVERY =
        3, /* looks between two asks for what may follow, in a shop that has long been quiet */
};

/* The one row of the table `look`. */
struct look {
    int64_t highest;    /* heard, at the last look */
    int64_t quiet;      /* looks in a row at which it was still the same */
    int64_t count, sum; /* of what was missing at the last look */
    int64_t cursor;     /* asked for up to here; the next ask goes on behind it */
    int64_t pause;      /* looks from one ask in vain to the next */
    int64_t wait;       /* of those, still to come */
};

static enum result read_look(void *context, const struct store_row *row, struct err *err)
{
    struct look *look = context;
    (void)err;
    *look = (struct look){
        .highest = store_row_int(row, 0),
        .quiet = store_row_int(row, 1),
        .count = store_row_int(row, 2),
        .sum = store_row_int(row, 3),
        .cursor = store_row_int(row, 4),
        .pause = store_row_int(row, 5),
        .wait = store_row_int(row, 6),
    };
    return OK;
}

static enum result look_load(struct store *store, struct look *look, struct err *err)
{
    return store_query_one(store,
                           "SELECT highest, quiet, count, sum, cursor, pause, wait FROM look",
                           STORE_NO_ARGS, read_look, look, err);
}

static enum result look_save(struct store *store, const struct look *look, int64_t now_ms,
                             struct err *err)
{
    return store_exec(
        store,
        "UPDATE look SET highest = $1, quiet = $2, count = $3, sum = $4, "
        "cursor = $5, pause = $6, wait = $7, since_ms = $8, due_ms = $9",
        STORE_ARGS(store_int(look->highest), store_int(look->quiet), store_int(look->count),
                   store_int(look->sum), store_int(look->cursor), store_int(look->pause),
                   store_int(look->wait), store_int(now_ms), store_int(now_ms + LOOK_MS)),
        NULL, err);
}

/* Progress, or a new hole: ask at once. */
static void note_missing(struct look *look, const struct missing *missing)
{
    if (missing->count != look->count || missing->sum != look->sum)
        look->pause = look->wait = 0;
    else if (look->wait > 0)
        look->wait--;
    look->count = missing->count;
    look->sum = missing->sum;
}

/* Holes: in rounds, as many at a time as fit into one ask. After a round in vain comes a pause, twice as
 * long each time. */
static enum result ask_for_holes(struct store *store, struct look *look, struct retell_settled *ask,
                                 struct err *err)
{
    struct missing missing;
    enum result result = heard_missing(store, look->cursor, look->highest, &missing, err);
    if (result == OK && missing.count > 0 && missing.range_count == 0)
        result = heard_missing(store, 0, look->highest, &missing, err);
    if (result != OK)
        return result;
    note_missing(look, &missing);
    if (missing.count == 0 || look->wait > 0)
        return OK;
    ask->missing_count = missing.range_count;
    memcpy(ask->missing, missing.ranges, missing.range_count * sizeof ask->missing[0]);
    look->cursor = missing.listed;
    if (look->cursor > 0)
        return OK;
    look->pause = look->pause == 0 ? 1 : look->pause < PAUSE_MAX / 2 ? 2 * look->pause : PAUSE_MAX;
    look->wait = look->pause;
    return OK;
}

/* While something comes, whatever is missing will be a hole. */
static enum result ask_for_tail(struct store *store, struct look *look, struct retell_settled *ask,
                                struct err *err)
{
    int64_t highest = 0;
    enum result result = heard_highest(store, &highest, err);
    if (result != OK)
        return result;
    look->quiet = highest == look->highest ? look->quiet + 1 : 0;
    look->highest = highest;
    if (look->quiet > 0 && (look->quiet < TAIL_EVERY || look->quiet % TAIL_EVERY == 0))
        ask->missing[ask->missing_count++] = (struct number_range){.first = highest + 1};
    return OK;
}

static enum result send(struct uow *uow, const struct retell_settled *ask, struct err *err)
{
    if (ask->missing_count == 0 || !uow_switches(uow)->reconcile)
        return OK;
    return uow_publish(uow,
                       &(struct outgoing){
                           .exchange = EXCHANGE_COMMANDS,
                           .type = ORDER_RETELL_SETTLED,
                           .subject = "settled",
                           .payload_type = &order_retell_settled_type,
                           .payload = ask,
                       },
                       NULL, err);
}

bool reconcile_due(struct store *store, int64_t now_ms)
{
    int64_t due_ms = 0;
    return store_query_int(store, "SELECT due_ms FROM look", STORE_NO_ARGS, &due_ms, NULL) == OK &&
           due_ms <= now_ms;
}

enum result reconcile_look(struct uow *uow, int64_t now_ms, struct err *err)
{
    struct store *store = uow_store(uow);
    struct retell_settled ask = {0};
    struct look look;
    if (!reconcile_due(store, now_ms)) /* another instance was faster */
        return OK;
    enum result result = look_load(store, &look, err);
    if (result == OK)
        result = ask_for_holes(store, &look, &ask, err);
    if (result == OK)
        result = ask_for_tail(store, &look, &ask, err);
    if (result == OK)
        result = look_save(store, &look, now_ms, err);
    if (result == OK)
        result = send(uow, &ask, err);
    return err_context(err, result, "reconcile");
}

enum result reconcile_wait_anew(struct store *store, int64_t now_ms, struct err *err)
{
    return store_exec(store,
                      "UPDATE look SET due_ms = due_ms - since_ms + $1, since_ms = $1 "
                      "WHERE since_ms > $1",
                      STORE_ARGS(store_int(now_ms)), NULL, err);
}
