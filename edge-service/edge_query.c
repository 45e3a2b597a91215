/* Queries: the read model, and behind it the orders accepted and not read back yet. */
#include <stdio.h>
#include <string.h>

#include "edge-service/edge_private.h"
#include "edge-service/read_model.h"

bool edge_order_settled(const struct edge_order *order)
{
    static const char *const settled[] = {"confirmed", "rejected", "cancelled", "expired"};
    for (size_t i = 0; i < sizeof settled / sizeof settled[0]; i++)
        if (strcmp(order->status, settled[i]) == 0)
            return true;
    return false;
}

/* What a transaction has not committed, a reader must not see: a crash would take it back. */
static enum result readable(const struct edge *edge, struct err *err)
{
    return store_in_transaction(edge->parts.store)
               ? err_set(err, RETRY, "the read model is being written")
               : OK;
}

/* What is not there may be in what retention has taken. */
static enum result whole(const struct edge *edge, struct err *err)
{
    return edge->place.cut_at > 0
               ? err_set(err, RETRY, "the log was cut before this edge had read it")
               : OK;
}

/* Whether this edge has had this order of this customer confirmed. */
static const struct accepted_order *find_accepted(const struct edge *edge, const char *customer,
                                                  const char *order_id)
{
    const struct accepted_order *order = accepted_find(&edge->accepted, order_id);
    return order && order->attempts.confirmed && strcmp(order->customer, customer) == 0 ? order
                                                                                        : NULL;
}

static void show_accepted(const struct accepted_order *accepted, edge_order_fn *each, void *context)
{
    struct edge_order order = {.status = "accepted",
                               .placed_ms = accepted->since_wall_ms,
                               .updated_ms = accepted->since_wall_ms,
                               .lines = "[]"};
    memcpy(order.order_id, accepted->node.id, sizeof order.order_id);
    memcpy(order.request_hash, accepted->request_hash, sizeof order.request_hash);
    each(context, &order);
}

enum result edge_get_order(struct edge *edge, const char *customer, const char *order_id,
                           edge_order_fn *each, void *context, struct err *err)
{
    enum result result = readable(edge, err);
    if (result == OK)
        result = read_model_get(edge->parts.store, customer, order_id, each, context, err);
    if (result != NOT_FOUND)
        return result;
    const struct accepted_order *accepted = find_accepted(edge, customer, order_id);
    if (!accepted && whole(edge, err) != OK)
        return RETRY;
    if (!accepted)
        return err_set(err, NOT_FOUND, "there is no such order of yours");
    show_accepted(accepted, each, context);
    return OK;
}

enum result edge_list_orders(struct edge *edge, const char *customer, int limit,
                             const struct edge_position *behind, edge_order_fn *each, void *context,
                             struct err *err)
{
    enum result result = readable(edge, err);
    if (result == OK)
        result = whole(edge, err);
    return result == OK
               ? read_model_list(edge->parts.store, customer, limit, behind, each, context, err)
               : result;
}

static void ignore_order(void *context, const struct edge_order *order)
{
    (void)context;
    (void)order;
}

enum result edge_timeline(struct edge *edge, const char *customer, const char *order_id,
                          edge_fact_fn *each, void *context, struct err *err)
{
    enum result result = edge_get_order(edge, customer, order_id, ignore_order, NULL, err);
    return result == OK
               ? read_model_timeline(edge->parts.store, customer, order_id, each, context, err)
               : result;
}

enum result edge_products(struct edge *edge, edge_product_fn *each, void *context, struct err *err)
{
    enum result result = readable(edge, err);
    if (result == OK)
        result = whole(edge, err);
    return result == OK ? read_model_products(edge->parts.store, each, context, err) : result;
}

static void note_settled(void *context, const struct edge_order *order)
{
    *(bool *)context = edge_order_settled(order);
}

enum result edge_wait(struct edge *edge, const char *customer, const char *order_id,
                      int64_t until_mono_ms, edge_settled_fn *settled, void *context,
                      struct err *err)
{
    bool already = false;
    enum result result = edge_get_order(edge, customer, order_id, note_settled, &already, err);
    if (result != OK)
        return result;
    if (already) {
        settled(context);
        return OK;
    }
    if (waiters_add(&edge->waiters, order_id, until_mono_ms, settled, context) != OK)
        return err_set(err, RETRY, "too many wait");
    return OK;
}
