#include "load/due.h"

#include <stdlib.h>

static bool before(const struct due *a, const struct due *b)
{
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns;
    return (int32_t)(a->turn - b->turn) < 0;
}

static void grow(struct due_queue *queue)
{
    queue->capacity = queue->capacity ? queue->capacity * 2 : 256;
    queue->items = realloc(queue->items, queue->capacity * sizeof *queue->items);
    if (!queue->items)
        abort();
}

void due_push(struct due_queue *queue, const struct due *due)
{
    struct due item = *due;
    item.turn = queue->turns++;
    if (queue->count == queue->capacity)
        grow(queue);
    size_t at = queue->count++;
    while (at > 0 && before(&item, &queue->items[(at - 1) / 2])) {
        queue->items[at] = queue->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->items[at] = item;
}

const struct due *due_first(const struct due_queue *queue)
{
    return queue->count > 0 ? &queue->items[0] : NULL;
}

bool due_now(const struct due_queue *queue, int64_t now_ns)
{
    return queue->count > 0 && queue->items[0].at_ns <= now_ns;
}

void due_pop(struct due_queue *queue)
{
    struct due *items = queue->items;
    const struct due last = items[--queue->count];
    size_t at = 0;
    for (size_t child = 1; child < queue->count; child = 2 * at + 1) {
        if (child + 1 < queue->count && before(&items[child + 1], &items[child]))
            child++;
        if (!before(&items[child], &last))
            break;
        items[at] = items[child];
        at = child;
    }
    items[at] = last;
}

void due_release(struct due_queue *queue)
{
    free(queue->items);
    *queue = (struct due_queue){0};
}
