/* Promises 1, 2 and the half of 5 that the order store alone answers. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"

/* The life of an order, from DESIGN.md 3; "" is the state before its first fact. */
static const struct {
    const char *from, *to;
} steps[] = {
    {"", "order.placed"},
    {"", "order.rejected"},
    {"order.placed", "order.confirmed"},
    {"order.placed", "order.rejected"},
    {"order.placed", "order.closing"},
    {"order.closing", "order.cancelled"},
    {"order.closing", "order.expired"},
    {"order.confirmed", "order.cancelled"},
};

static bool step_is_legal(const char *from, const char *to)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (strcmp(steps[i].from, from) == 0 && strcmp(steps[i].to, to) == 0)
            return true;
    return false;
}

static void judge_path(struct evidence *e, const struct order_case *order)
{
    const char *state = "";
    for (size_t i = 0; i < order->fact_count; i++) {
        const struct order_fact *fact = &order->facts[i];
        if (fact->version != (int64_t)i + 1)
            violated(e, 5, "order %s: version %" PRId64 " where %zu was due", order->id,
                     fact->version, i + 1);
        if (!step_is_legal(state, fact->type))
            violated(e, 5, "order %s: %s after %s", order->id, fact->type,
                     state[0] ? state : "nothing");
        if (fact->contradicts)
            violated(e, 5, "order %s: %s is not of what was ordered", order->id, fact->type);
        state = fact->type;
    }
}

void judge_paths(struct evidence *e)
{
    for (size_t i = 0; i < e->orders.count; i++) {
        const struct order_case *order = e->orders.records[i];
        if (order->fact_count == 0)
            continue;
        checked(e, 5);
        judge_path(e, order);
    }
}

/* The moment by which an order must have got out of the state it is in. */
static int64_t order_deadline(const struct order_case *order)
{
    int64_t last_ms = order_last(order)->at_ms;
    if (strcmp(order_state(order), "placed") != 0)
        return last_ms;
    return order->deadline_ms > last_ms ? order->deadline_ms : last_ms;
}

static void judge_settled(struct evidence *e, const struct order_case *order)
{
    checked(e, 1);
    if (!order_settled(order) && evidence_due(e, order_deadline(order)))
        violated(e, 1, "order %s is still %s", order->id, order_state(order));
}

static void judge_accepted(struct evidence *e, const struct request_case *request)
{
    const struct order_case *order = map_find(&e->orders, request->order_id);
    bool exists = order && order->fact_count > 0;
    checked(e, 1);
    if (request->ok > 0 && !exists) {
        if (evidence_due(e, e->options->now_ms - e->options->history_age_ms))
            violated(e, 1, "order %s was accepted and does not exist", request->order_id);
    }
    if (request->ok == 0 && request->unknown == 0 && exists)
        violated(e, 2, "order %s was refused and exists", request->order_id);
}

void judge_life(struct evidence *e)
{
    for (size_t i = 0; i < e->orders.count; i++) {
        const struct order_case *order = e->orders.records[i];
        if (order->fact_count > 0)
            judge_settled(e, order);
    }
    for (size_t i = 0; i < e->requests.count; i++) {
        const struct request_case *request = e->requests.records[i];
        if (request->order_id[0])
            judge_accepted(e, request);
    }
}

static void judge_one_birth(struct evidence *e, const struct order_case *order)
{
    size_t births = 0;
    for (size_t i = 0; i < order->fact_count; i++)
        births += order->facts[i].version == 1;
    checked(e, 2);
    if (births != 1)
        violated(e, 2, "order %s was placed %zu times", order->id, births);
}

static bool request_was_told(const struct evidence *e, const char *order_id)
{
    for (size_t i = 0; i < e->stream.count; i++) {
        const struct stream_fact *fact = e->stream.records[i];
        if (strcmp(fact->type, "command.refused") == 0 && strstr(fact->data, order_id) &&
            strstr(fact->data, "idempotency-key-reused"))
            return true;
    }
    return false;
}

static void judge_request(struct evidence *e, const char *key, const struct request_case *request)
{
    const struct order_case *order = map_find(&e->orders, request->order_id);
    checked(e, 2);
    if (request->ids_differ)
        violated(e, 2, "key \"%s\" was answered with more than one order", key);
    if (!order || order->fact_count == 0 || request->hash_count == 0)
        return;
    bool one_of_them = request->unknown > 0; /* what was unknown may have come first */
    for (size_t i = 0; i < request->hash_count; i++)
        one_of_them = one_of_them || strcmp(request->hashes[i], order->request_hash) == 0;
    if (!one_of_them)
        violated(e, 2, "order %s is not what was asked for under its key", order->id);
    if (request->hash_count > 1 && e->log_read && !request_was_told(e, order->id) &&
        evidence_due(e, e->options->now_ms - e->options->history_age_ms))
        violated(e, 2, "order %s: another body under its key was accepted and nobody was told",
                 order->id);
}

void judge_requests(struct evidence *e)
{
    for (size_t i = 0; i < e->orders.count; i++) {
        const struct order_case *order = e->orders.records[i];
        if (order->fact_count > 0)
            judge_one_birth(e, order);
    }
    for (size_t i = 0; i < e->requests.count; i++)
        judge_request(e, e->requests.keys[i], e->requests.records[i]);
}
