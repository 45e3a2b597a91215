/* Things that wait for their time: the earliest first, and of those with the same time the one that
 * came first (a binary heap). Grows as needed; zero-initialised is empty. */
#ifndef WARREN_LOAD_DUE_H
#define WARREN_LOAD_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct due {
    int64_t at_ns;
    int64_t since_ns; /* when it began to wait for the first time */
    uint32_t what;
    uint32_t turn; /* set by due_push */
};

struct due_queue {
    struct due *items;
    size_t capacity, count;
    uint32_t turns; /* of what came with the same time; it may wrap */
};

void due_push(struct due_queue *queue, const struct due *due);
/* The earliest, or NULL; valid until the next push or pop. */
const struct due *due_first(const struct due_queue *queue);
/* Whether the earliest one's time has come. */
bool due_now(const struct due_queue *queue, int64_t now_ns);
/* Takes the earliest away; there is one. */
void due_pop(struct due_queue *queue);
void due_release(struct due_queue *queue);

#endif
