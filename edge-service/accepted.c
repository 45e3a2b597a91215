#include "edge-service/accepted.h"

#include <stdlib.h>

void accepted_init(struct accepted *accepted, size_t max, int64_t age_ms)
{
    id_table_init(&accepted->table, max / 4); /* mostly it holds a few hundred */
    id_table_init(&accepted->commands, max / 4);
    TAILQ_INIT(&accepted->by_age);
    accepted->max = max;
    accepted->age_ms = age_ms;
}

static void drop(struct accepted *accepted, struct accepted_order *order)
{
    id_table_remove(&accepted->table, &order->node);
    id_table_remove(&accepted->commands, &order->command);
    TAILQ_REMOVE(&accepted->by_age, order, link);
    free(order);
}

void accepted_release(struct accepted *accepted)
{
    struct accepted_order *order;
    while ((order = TAILQ_FIRST(&accepted->by_age)))
        drop(accepted, order);
    id_table_release(&accepted->table);
    id_table_release(&accepted->commands);
}

static struct accepted_order *find(const struct accepted *accepted, const char *order_id)
{
    return (struct accepted_order *)id_table_find(&accepted->table, order_id);
}

const struct accepted_order *accepted_find(const struct accepted *accepted, const char *order_id)
{
    return find(accepted, order_id);
}

struct attempts *accepted_attempts(const struct accepted *accepted, const char *order_id)
{
    struct accepted_order *order = find(accepted, order_id);
    return order ? &order->attempts : NULL;
}

const struct accepted_order *accepted_find_command(const struct accepted *accepted,
                                                   const char *command_id)
{
    const struct id_node *node = id_table_find(&accepted->commands, command_id);
    return node ? (const void *)((const char *)node - offsetof(struct accepted_order, command))
                : NULL;
}

struct accepted_order *accepted_begin(struct accepted *accepted, const struct accepted_order *order)
{
    struct accepted_order *known = find(accepted, order->node.id);
    if (known) {
        known->attempts.asked++;
        return known;
    }
    if (accepted->table.count >= accepted->max)
        return NULL;
    struct accepted_order *fresh = malloc(sizeof *fresh);
    if (!fresh)
        abort();
    *fresh = *order;
    fresh->attempts.asked = 1;
    id_table_add(&accepted->table, &fresh->node, order->node.id);
    id_table_add(&accepted->commands, &fresh->command, order->command.id);
    TAILQ_INSERT_TAIL(&accepted->by_age, fresh, link);
    return fresh;
}

static bool is_needed(const struct accepted_order *order)
{
    const struct attempts *attempts = &order->attempts;
    return attempts_go_on(attempts) || ((attempts->confirmed || attempts->doubt) && !order->seen);
}

void accepted_changed(struct accepted *accepted, struct accepted_order *order)
{
    if (!is_needed(order))
        drop(accepted, order);
}

/* Whatever becomes of an attempt that still goes on: there is such an order. */
void accepted_seen(struct accepted *accepted, const char *order_id)
{
    struct accepted_order *order = find(accepted, order_id);
    if (!order)
        return;
    order->seen = order->attempts.doubt = true;
    accepted_changed(accepted, order);
}

/* The oldest first; one that goes on is younger than any sensible age, and stops the sweep. */
void accepted_expire(struct accepted *accepted, int64_t now_mono_ms)
{
    struct accepted_order *order;
    while ((order = TAILQ_FIRST(&accepted->by_age)) && !attempts_go_on(&order->attempts) &&
           now_mono_ms - order->since_mono_ms >= accepted->age_ms)
        drop(accepted, order);
}
