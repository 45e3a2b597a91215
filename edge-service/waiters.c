#include "edge-service/waiters.h"

#include <stdlib.h>

void waiters_init(struct waiters *waiters, size_t max)
{
    id_table_init(&waiters->table, max);
    TAILQ_INIT(&waiters->all);
    waiters->max = max;
    waiters->next_mono_ms = INT64_MAX;
}

static void drop(struct waiters *waiters, struct waiter *waiter)
{
    id_table_remove(&waiters->table, &waiter->node);
    TAILQ_REMOVE(&waiters->all, waiter, link);
    free(waiter);
}

void waiters_release(struct waiters *waiters)
{
    struct waiter *waiter;
    while ((waiter = TAILQ_FIRST(&waiters->all)))
        drop(waiters, waiter);
    id_table_release(&waiters->table);
}

enum result waiters_add(struct waiters *waiters, const char *order_id, int64_t until_mono_ms,
                        void (*call)(void *context), void *context)
{
    if (waiters->table.count >= waiters->max)
        return RETRY;
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        abort();
    waiter->until_mono_ms = until_mono_ms;
    waiter->call = call;
    waiter->context = context;
    id_table_add(&waiters->table, &waiter->node, order_id);
    TAILQ_INSERT_TAIL(&waiters->all, waiter, link);
    if (until_mono_ms < waiters->next_mono_ms)
        waiters->next_mono_ms = until_mono_ms;
    return OK;
}

/* First out of the table, then called: the call may add another. */
static void call_and_drop(struct waiters *waiters, struct waiter *waiter)
{
    void (*call)(void *) = waiter->call;
    void *context = waiter->context;
    drop(waiters, waiter);
    call(context);
}

void waiters_settled(struct waiters *waiters, const char *order_id)
{
    struct id_node *node;
    while ((node = id_table_find(&waiters->table, order_id)))
        call_and_drop(waiters, (struct waiter *)node);
}

void waiters_expire(struct waiters *waiters, int64_t now_mono_ms)
{
    if (now_mono_ms < waiters->next_mono_ms)
        return;
    int64_t next = INT64_MAX;
    struct waiter *after;
    waiters->next_mono_ms = INT64_MAX; /* lowered by what the calls add */
    for (struct waiter *waiter = TAILQ_FIRST(&waiters->all); waiter; waiter = after) {
        after = TAILQ_NEXT(waiter, link);
        if (waiter->until_mono_ms > now_mono_ms) {
            next = waiter->until_mono_ms < next ? waiter->until_mono_ms : next;
            continue;
        }
        call_and_drop(waiters, waiter);
    }
    if (next < waiters->next_mono_ms)
        waiters->next_mono_ms = next;
}
