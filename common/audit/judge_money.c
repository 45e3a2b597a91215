/* Promise 3: the provider's own ledger, the payments, the orders' totals, and the stock. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* What holds for a provider's entries at any moment. */
static void judge_ledger(struct evidence *e, const struct order_case *order)
{
    if (order->ledger.captures > 1)
        violated(e, 3, "order %s was charged %" PRId64 " times", order->id, order->ledger.captures);
    if (order->ledger.refunds > 1)
        violated(e, 3, "order %s was refunded %" PRId64 " times", order->id, order->ledger.refunds);
    if (order->ledger.refunded > order->ledger.captured)
        violated(e, 3, "order %s: %" PRId64 " refunded of %" PRId64 " captured", order->id,
                 order->ledger.refunded, order->ledger.captured);
    if (order->ledger.captures > 0 && order->ledger.voids > 0)
        violated(e, 3, "order %s was charged and voided", order->id);
    if (order->ledger.refund_first)
        violated(e, 3, "order %s was refunded before it was charged", order->id);
}

static bool same(const struct digest *a, const struct digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The ledger's entries are effects of the order, and it never changes what it asks for. */
static void judge_currencies(struct evidence *e, const struct order_case *order)
{
    const char *currency = order->terms.currency;
    if (order->ledger.captures > 0 && !is(order->ledger.capture.currency, currency))
        violated(e, 3, "order %s: ordered in %s, charged in %s", order->id, currency,
                 order->ledger.capture.currency);
    if (order->ledger.refunds > 0 && !is(order->ledger.refund.currency, currency))
        violated(e, 3, "order %s: ordered in %s, refunded in %s", order->id, currency,
                 order->ledger.refund.currency);
    if (!order->payment.there || is(order->payment.state, "closed"))
        return;
    if (!is(order->payment.currency, currency) || order->payment.amount != order->terms.total)
        violated(e, 3, "order %s: %" PRId64 " %s ordered, the payment is of %" PRId64 " %s",
                 order->id, order->terms.total, currency, order->payment.amount,
                 order->payment.currency);
}

/* What the stream says of money was read before the ledger, so that it must be there. */
static void judge_money_facts(struct evidence *e, const struct order_case *order)
{
    if (order->captured.sequence > 0 && !same(&order->captured.what, &order->ledger.capture.what))
        violated(e, 3, "order %s: payment.captured tells of a charge that the ledger does not have",
                 order->id);
    if (order->refunded.sequence > 0 && !same(&order->refunded.what, &order->ledger.refund.what))
        violated(e, 3, "order %s: payment.refunded tells of a refund that the ledger does not have",
                 order->id);
    if (order->refunded.sequence > 0 && order->refunded.sequence <= order->captured.sequence)
        violated(e, 3, "order %s: payment.refunded is numbered before payment.captured", order->id);
}

/* A payment's row is the effect of the ledger, read before it. */
static void judge_payment_row(struct evidence *e, const struct order_case *order)
{
    const char *state = order->payment.state;
    bool took = is(state, "captured") || is(state, "refunding") || is(state, "refunded");
    if (took && order->ledger.captured != order->payment.amount)
        violated(e, 3, "order %s: payment %s of %" PRId64 ", but the ledger captured %" PRId64,
                 order->id, state, order->payment.amount, order->ledger.captured);
    if (took && order->ledger.captures > 0 &&
        !same(&order->payment.reference, &order->ledger.capture.reference))
        violated(e, 3, "order %s: the payment's reference is none of the ledger's", order->id);
    if (is(state, "refunded") && order->ledger.refunded != order->payment.amount)
        violated(e, 3, "order %s: payment refunded %" PRId64 ", but the ledger %" PRId64, order->id,
                 order->payment.amount, order->ledger.refunded);
    if ((is(state, "declined") || is(state, "closed")) && order->ledger.captures > 0)
        violated(e, 3, "order %s: payment %s, but the ledger captured %" PRId64, order->id, state,
                 order->ledger.captured);
    if ((is(state, "pending") || is(state, "refunding")) &&
        evidence_due(e, order->payment.updated_ms))
        violated(e, 3, "order %s: payment is still %s", order->id, state);
}

static void judge_captured(struct evidence *e, const struct order_case *order)
{
    if (order->ledger.captures == 0)
        return;
    if (!order->payment.there) {
        if (evidence_due(e, order->ledger.last_ms))
            violated(e, 3, "order %s: charged without a payment", order->id);
        return;
    }
    if (is(order->payment.state, "captured") && order->ledger.refunds > 0 &&
        evidence_due(e, order->ledger.last_ms))
        violated(e, 3, "order %s: refunded without a payment's knowledge", order->id);
}

/* The order is the effect of its payment. */
static void judge_total(struct evidence *e, const struct order_case *order)
{
    const char *state = order_state(order);
    int64_t kept = order->ledger.captured - order->ledger.refunded;
    if (order->fact_count == 0) {
        if (order->payment.there && !is(order->payment.state, "closed") &&
            evidence_due(e, order->payment.updated_ms))
            violated(e, 3, "order %s: a payment without an order", order->id);
        return;
    }
    if (is(state, "confirmed")) {
        e->report->revenue += order->terms.total;
        if (order->ledger.captured != order->terms.total)
            violated(e, 3, "order %s: confirmed at %" PRId64 ", captured %" PRId64, order->id,
                     order->terms.total, order->ledger.captured);
        else if (kept != order->terms.total && evidence_due(e, order->ledger.last_ms))
            violated(e, 3, "order %s: confirmed, and refunded", order->id);
        return;
    }
    if (order_settled(order) && kept != 0 && evidence_due(e, order_last(order)->at_ms))
        violated(e, 3, "order %s: %s, and %" PRId64 " kept", order->id, state, kept);
}

void judge_money(struct evidence *e)
{
    for (size_t i = 0; i < e->orders.count; i++) {
        const struct order_case *order = e->orders.records[i];
        checked(e, 3);
        judge_ledger(e, order);
        judge_money_facts(e, order);
        if (order->fact_count > 0)
            judge_currencies(e, order);
        if (order->payment.there)
            judge_payment_row(e, order);
        judge_captured(e, order);
        judge_total(e, order);
    }
}

/* What an order in this state holds of its lines. */
static void fold_lines(struct evidence *e, const struct order_case *order)
{
    const char *state = order_state(order);
    bool reserves = is(state, "placed") || is(state, "closing");
    bool bought = is(state, "confirmed");
    for (size_t i = 0; (reserves || bought) && i < order->line_count; i++) {
        struct product_case *product = map_get(&e->products, order->lines[i].sku);
        if (reserves)
            product->folded_reserved += order->lines[i].quantity;
        else
            product->folded_sold += order->lines[i].quantity;
    }
}

static void judge_product(struct evidence *e, const char *sku, const struct product_case *product)
{
    checked(e, 3);
    if (!product->there)
        violated(e, 3, "product %s is ordered and unknown", sku);
    if (product->available < 0 || product->reserved < 0 || product->sold < 0)
        violated(e, 3, "product %s: available %" PRId64 ", reserved %" PRId64 ", sold %" PRId64,
                 sku, product->available, product->reserved, product->sold);
    if (product->adjusted != product->available + product->reserved + product->sold)
        violated(e, 3, "product %s: %" PRId64 " put in, %" PRId64 " accounted for", sku,
                 product->adjusted, product->available + product->reserved + product->sold);
    if (product->adjusted != product->put_in)
        violated(e, 3, "product %s: %" PRId64 " put in, its adjustments make %" PRId64, sku,
                 product->adjusted, product->put_in);
    if (product->reserved != product->folded_reserved)
        violated(e, 3, "product %s: %" PRId64 " reserved, its orders hold %" PRId64, sku,
                 product->reserved, product->folded_reserved);
    if (product->sold != product->folded_sold)
        violated(e, 3, "product %s: %" PRId64 " sold, its orders bought %" PRId64, sku,
                 product->sold, product->folded_sold);
}

void judge_stock(struct evidence *e)
{
    for (size_t i = 0; i < e->orders.count; i++)
        fold_lines(e, e->orders.records[i]);
    for (size_t i = 0; i < e->products.count; i++)
        judge_product(e, e->products.keys[i], e->products.records[i]);
}
