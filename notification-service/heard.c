#include "notification-service/heard.h"

#include <stdbool.h>
#include <stdlib.h>

/* --- noting ------------------------------------------------------------------- */

void heard_release(struct heard *heard)
{
    free(heard->numbers);
    *heard = (struct heard){0};
}

void heard_note(struct heard *heard, int64_t number)
{
    if (number == 0)
        return;
    if (heard->count == heard->capacity) {
        heard->capacity = heard->capacity ? 2 * heard->capacity : 256;
        heard->numbers = realloc(heard->numbers, heard->capacity * sizeof heard->numbers[0]);
        if (!heard->numbers)
            abort();
    }
    heard->numbers[heard->count++] = number;
}

void heard_forget(struct heard *heard)
{
    heard->count = 0;
}

/* --- folding --------------------------------------------------------------------- */

/* Ascending. */
struct ranges {
    struct number_range *items;
    size_t count, capacity;
};

static void ranges_add(struct ranges *ranges, int64_t first, int64_t last)
{
    if (ranges->count == ranges->capacity) {
        ranges->capacity = ranges->capacity ? 2 * ranges->capacity : 16;
        ranges->items = realloc(ranges->items, ranges->capacity * sizeof ranges->items[0]);
        if (!ranges->items)
            abort();
    }
    ranges->items[ranges->count++] = (struct number_range){first, last};
}

/* One that is not before the last one; they become one where they touch. */
static void ranges_join(struct ranges *ranges, int64_t first, int64_t last)
{
    struct number_range *before = ranges->count ? &ranges->items[ranges->count - 1] : NULL;
    if (!before || first > before->last + 1)
        ranges_add(ranges, first, last);
    else if (last > before->last)
        before->last = last;
}

static enum result read_range(void *context, const struct store_row *row, struct err *err)
{
    (void)err;
    ranges_add(context, store_row_int(row, 0), store_row_int(row, 1));
    return OK;
}

/* Those that [first, last] may touch. */
static enum result ranges_around(struct store *store, int64_t first, int64_t last,
                                 struct ranges *ranges, struct err *err)
{
    return store_query(store,
                       "SELECT first, last FROM heard WHERE first >= "
                       "(SELECT coalesce(max(first), 0) FROM heard WHERE first <= $1) "
                       "AND first <= $2 + 1 ORDER BY first",
                       STORE_ARGS(store_int(first), store_int(last)), read_range, ranges, err);
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void merge(const struct heard *heard, const struct ranges *old, struct ranges *merged)
{
    size_t at = 0;
    for (size_t i = 0; i < heard->count; i++) {
        int64_t number = heard->numbers[i];
        for (; at < old->count && old->items[at].first <= number; at++)
            ranges_join(merged, old->items[at].first, old->items[at].last);
        ranges_join(merged, number, number);
    }
    for (; at < old->count; at++)
        ranges_join(merged, old->items[at].first, old->items[at].last);
}

static enum result replace(struct store *store, const struct ranges *old,
                           const struct ranges *merged, struct err *err)
{
    enum result result = OK;
    if (old->count > 0)
        result = store_exec(
            store, "DELETE FROM heard WHERE first BETWEEN $1 AND $2",
            STORE_ARGS(store_int(old->items[0].first), store_int(old->items[old->count - 1].first)),
            NULL, err);
    for (size_t i = 0; i < merged->count && result == OK; i++)
        result = store_exec(
            store, "INSERT INTO heard (first, last) VALUES ($1, $2)",
            STORE_ARGS(store_int(merged->items[i].first), store_int(merged->items[i].last)), NULL,
            err);
    return result;
}

/* Mostly all follow what was heard last. */
static enum result write(struct store *store, const struct ranges *old, const struct ranges *merged,
                         struct err *err)
{
    const struct number_range *before = old->items, *after = merged->items;
    if (old->count != 1 || merged->count != 1 || before->first != after->first)
        return replace(store, old, merged, err);
    if (before->last == after->last)
        return OK;
    return store_exec(store, "UPDATE heard SET last = $2 WHERE first = $1",
                      STORE_ARGS(store_int(after->first), store_int(after->last)), NULL, err);
}

enum result heard_fold(struct heard *heard, struct store *store, struct err *err)
{
    if (heard->count == 0)
        return OK;
    struct ranges old = {0}, merged = {0};
    qsort(heard->numbers, heard->count, sizeof heard->numbers[0], compare_numbers);
    enum result result =
        ranges_around(store, heard->numbers[0], heard->numbers[heard->count - 1], &old, err);
    if (result == OK) {
        merge(heard, &old, &merged);
        result = write(store, &old, &merged, err);
    }
    free(old.items);
    free(merged.items);
    heard->count = 0;
    return err_context(err, result, "heard");
}

/* --- what is missing ---------------------------------------------------------------- */

enum result heard_highest(struct store *store, int64_t *ret_number, struct err *err)
{
    *ret_number = 0;
    enum result result =
        store_query_int(store, "SELECT last FROM heard ORDER BY first DESC LIMIT 1", STORE_NO_ARGS,
                        ret_number, err);
    return result == NOT_FOUND ? OK : result;
}

struct search {
    int64_t from, mark, next; /* the number after the last range */
    int64_t room;
    struct missing *found;
};

static void list(struct search *search, int64_t first, int64_t last)
{
    struct missing *found = search->found;
    if (first <= search->from)
        first = search->from + 1;
    if (first > last || found->listed > 0)
        return;
    bool room = search->room > 0 && found->range_count < MISSING_LISTED_MAX;
    int64_t end = last - first < search->room ? last : first + search->room - 1;
    if (room) {
        found->ranges[found->range_count++] = (struct number_range){first, end};
        search->room -= end - first + 1;
    }
    if (!room || end < last)
        found->listed = found->ranges[found->range_count - 1].last;
}

static void add_hole(struct search *search, int64_t first, int64_t last)
{
    if (last > search->mark)
        last = search->mark;
    if (first > last)
        return;
    uint64_t count = (uint64_t)(last - first + 1);
    search->found->count += (int64_t)count;
    search->found->sum =
        (int64_t)((uint64_t)search->found->sum + count * ((uint64_t)first + (uint64_t)last));
    list(search, first, last);
}

static enum result before_range(void *context, const struct store_row *row, struct err *err)
{
    struct search *search = context;
    (void)err;
    add_hole(search, search->next, store_row_int(row, 0) - 1);
    search->next = store_row_int(row, 1) + 1;
    return OK;
}

enum result heard_missing(struct store *store, int64_t from, int64_t mark,
                          struct missing *ret_missing, struct err *err)
{
    struct search search = {
        .from = from, .mark = mark, .next = 1, .room = MISSING_MAX, .found = ret_missing};
    *ret_missing = (struct missing){0};
    enum result result =
        store_query(store, "SELECT first, last FROM heard WHERE first <= $1 ORDER BY first",
                    STORE_ARGS(store_int(mark)), before_range, &search, err);
    if (result == OK)
        add_hole(&search, search.next, mark);
    return result;
}
