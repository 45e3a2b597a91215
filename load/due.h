/* Things that wait for their time, all of them equally long: first in, first out. Grows as needed;
 * zero-initialised is empty. */
#ifndef WARREN_LOAD_DUE_H
#define WARREN_LOAD_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct due {
    int64_t at_ns;
    int64_t since_ns; /* when it began to wait for the first time */
    uint32_t what;
};

struct due_queue {
    struct due *items; /* a ring */
    size_t capacity, first, count;
};

void due_push(struct due_queue *queue, const struct due *due);
/* The first, or NULL; valid until the next push. */
const struct due *due_first(const struct due_queue *queue);
/* Whether the first one's time has come. */
bool due_now(const struct due_queue *queue, int64_t now_ns);
void due_pop(struct due_queue *queue);
void due_release(struct due_queue *queue);

#endif
