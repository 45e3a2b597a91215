/* Promises 5 and 8 for the read models: an edge shows each order as it was at some version, to the
 * customer who placed it, and the catalogue as it was told; and it is not far behind. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static const char *reason_at(const struct order_case *order, int64_t version)
{
    const char *reason = "";
    for (int64_t i = 0; i < version; i++)
        if (order->facts[i].reason[0])
            reason = order->facts[i].reason;
    return reason;
}

static bool terms_agree(const struct order_case *order, const struct shown *shown)
{
    struct digest request_hash = evidence_text_digest(order->request_hash);
    return is(shown->terms.currency, order->terms.currency) &&
           shown->terms.total == order->terms.total &&
           memcmp(&shown->terms.lines, &order->terms.lines, sizeof shown->terms.lines) == 0 &&
           memcmp(&shown->request_hash, &request_hash, sizeof request_hash) == 0;
}

/* An edge is the effect of the store and was read before it. */
static void judge_version(struct evidence *e, const struct shown *shown)
{
    const struct order_case *order = shown->order;
    const struct order_fact *fact = &order->facts[shown->version - 1];
    const char *edge = e->edges[shown->edge].name;
    const char *dot = strchr(fact->type, '.');
    if (!dot || !is(dot + 1, shown->status) || !is(reason_at(order, shown->version), shown->reason))
        violated(e, 5, "%s shows version %" PRId64 " of order %s as %s \"%s\", it was %s \"%s\"",
                 edge, shown->version, order->id, shown->status, shown->reason, fact->type,
                 reason_at(order, shown->version));
    if (!is(shown->terms.customer, order->terms.customer))
        violated(e, 8, "%s shows order %s to somebody else", edge, order->id);
    if (!terms_agree(order, shown))
        violated(e, 5, "%s shows order %s with another total or other lines than were ordered",
                 edge, order->id);
    if (shown->placed_ms != order->facts[0].at_ms || shown->updated_ms != fact->at_ms)
        violated(e, 5, "%s shows order %s at another time than it has", edge, order->id);
}

static void judge_shown(struct evidence *e, const struct shown *shown)
{
    const struct order_case *order = shown->order;
    checked(e, 5);
    checked(e, 8);
    if (shown->version > (int64_t)order->fact_count) {
        violated(e, 5, "%s shows version %" PRId64 " of order %s, which was never",
                 e->edges[shown->edge].name, shown->version, order->id);
        return;
    }
    judge_version(e, shown);
    if (shown->version == (int64_t)order->fact_count || !e->edges[shown->edge].serving)
        return;
    const struct order_fact *next = &order->facts[shown->version];
    if (!evidence_log_may_lack(e, next->at_ms) && evidence_due(e, next->at_ms))
        violated(e, 5, "%s still shows order %s as %s, it was %s since", e->edges[shown->edge].name,
                 order->id, shown->status, next->type);
}

/* What was given up with the log, no edge that begins anew can know. */
static void judge_missing(struct evidence *e, size_t edge)
{
    size_t given_up = 0;
    for (size_t i = 0; i < e->orders.count; i++) {
        const struct order_case *order = e->orders.records[i];
        if (order->fact_count == 0 || order->shown_by & 1u << edge)
            continue;
        if (order->facts[0].at_ms <= e->options->log_given_up_ms)
            given_up++;
        else if (evidence_due(e, order->facts[0].at_ms))
            violated(e, 5, "%s does not show order %s", e->edges[edge].name, order->id);
    }
    if (given_up > 0)
        noted(e, "%s does not show %zu orders that are older than the log", e->edges[edge].name,
              given_up);
}

static bool listing_agrees(const struct told_state *state, const struct shown_product *shown)
{
    const struct told *listing = state->listing;
    if (!listing)
        return !state->whole || !shown->listed;
    return shown->listed && is(listing->name, shown->name) &&
           is(listing->currency, shown->currency) && listing->unit_price == shown->unit_price;
}

static bool stock_agrees(const struct told_state *state, const struct shown_product *shown)
{
    if (!state->stock)
        return !state->whole || shown->available == 0;
    return state->stock->available == shown->available;
}

/* The first fact that the edge has not read, if it ought to have. */
static bool is_behind(struct evidence *e, const struct told_case *told, int64_t read)
{
    for (size_t i = 0; i < told->count; i++)
        if (told->facts[i].sequence > read)
            return !evidence_log_may_lack(e, told->facts[i].time_ms) &&
                   evidence_due(e, told->facts[i].time_ms);
    return false;
}

static void judge_shown_product(struct evidence *e, const struct shown_product *shown)
{
    const struct told_case *told = map_find(&e->told, shown->sku);
    const char *edge = e->edges[shown->edge].name;
    struct told_state state;
    told_until(told, shown->read, &state);
    checked(e, 5);
    bool whole_log = !e->log_cut && e->options->log_given_up_ms == 0 && !evidence_log_is_another(e);
    if (!told && whole_log)
        violated(e, 5, "%s shows product %s, which nobody listed", edge, shown->sku);
    else if (!listing_agrees(&state, shown) || !stock_agrees(&state, shown))
        violated(e, 5,
                 "%s shows product %s as \"%s\" at %" PRId64 " %s, %" PRId64
                 " available: not as it was told (fact %" PRId64 ")",
                 edge, shown->sku, shown->name, shown->unit_price, shown->currency,
                 shown->available, shown->read);
    if (told && e->edges[shown->edge].serving && is_behind(e, told, shown->read))
        violated(e, 5, "%s shows product %s as of fact %" PRId64 ", the stream is at %" PRId64,
                 edge, shown->sku, shown->read, told_last(told));
}

static void judge_missing_products(struct evidence *e, size_t edge)
{
    struct map shown;
    map_init(&shown, sizeof(bool));
    for (size_t i = 0; i < e->shown_product_count; i++)
        if (e->shown_products[i].edge == edge)
            map_get(&shown, e->shown_products[i].sku);
    for (size_t i = 0; i < e->told.count; i++)
        if (!map_find(&shown, e->told.keys[i]) && is_behind(e, e->told.records[i], 0))
            violated(e, 5, "%s does not show product %s", e->edges[edge].name, e->told.keys[i]);
    map_release(&shown);
}

/* With a log that was given up its predecessor may be gone. */
static void judge_held(struct evidence *e)
{
    size_t given_up = 0;
    for (size_t i = 0; i < e->held_count; i++) {
        const struct held_fact *held = &e->held[i];
        checked(e, 5);
        if (e->options->log_given_up_ms > 0)
            given_up++;
        else if (e->edges[held->edge].serving && evidence_due(e, held->time_ms))
            violated(e, 5, "%s keeps back fact %" PRId64 " of %s: the one before it never came",
                     e->edges[held->edge].name, held->sequence, held->subject);
    }
    if (given_up > 0)
        noted(e, "%zu facts are kept back for others that were given up with the log", given_up);
}

void judge_edges(struct evidence *e)
{
    for (size_t i = 0; i < e->shown_count; i++)
        judge_shown(e, &e->shown[i]);
    for (size_t i = 0; i < e->shown_product_count; i++)
        judge_shown_product(e, &e->shown_products[i]);
    for (size_t edge = 0; edge < e->edge_count; edge++) {
        if (!e->edges[edge].serving) {
            noted(e, "%s does not run: what it lacks was not judged", e->edges[edge].name);
            continue;
        }
        judge_missing(e, edge);
        judge_missing_products(e, edge);
    }
    judge_held(e);
}
