#include "load/due.h"

#include <stdlib.h>

static void grow(struct due_queue *queue)
{
    size_t capacity = queue->capacity ? queue->capacity * 2 : 256;
    struct due *items = malloc(capacity * sizeof *items);
    if (!items)
        abort();
    for (size_t i = 0; i < queue->count; i++)
        items[i] = queue->items[(queue->first + i) % queue->capacity];
    free(queue->items);
    queue->items = items;
    queue->capacity = capacity;
    queue->first = 0;
}

void due_push(struct due_queue *queue, const struct due *due)
{
    if (queue->count == queue->capacity)
        grow(queue);
    queue->items[(queue->first + queue->count++) % queue->capacity] = *due;
}

const struct due *due_first(const struct due_queue *queue)
{
    return queue->count > 0 ? &queue->items[queue->first] : NULL;
}

bool due_now(const struct due_queue *queue, int64_t now_ns)
{
    return queue->count > 0 && queue->items[queue->first].at_ns <= now_ns;
}

void due_pop(struct due_queue *queue)
{
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
}

void due_release(struct due_queue *queue)
{
    free(queue->items);
    *queue = (struct due_queue){0};
}
