/* Promise 3: what was charged for is what was ordered, at a price that somebody had listed. That it
 * was the price of that very moment no store says: two instances have two clocks. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"

/* An order that was too large for its sums was turned down for that, and says no sums. */
static bool has_sums(const struct order_case *order)
{
    return strcmp(order->facts[0].reason, "amount-too-large") != 0;
}

static void judge_sums(struct evidence *e, const struct order_case *order)
{
    int64_t total = 0;
    for (size_t i = 0; i < order->line_count; i++) {
        const struct order_item *line = &order->lines[i];
        int64_t amount;
        if (__builtin_mul_overflow(line->quantity, line->unit_price, &amount) ||
            amount != line->amount)
            violated(e, 3, "order %s: %" PRId64 " times %" PRId64 " of %s is said to be %" PRId64,
                     order->id, line->quantity, line->unit_price, line->sku, line->amount);
        if (__builtin_add_overflow(total, line->amount, &total)) {
            violated(e, 3, "order %s: its lines are more than can be counted", order->id);
            return;
        }
    }
    if (total != order->terms.total)
        violated(e, 3, "order %s: its lines make %" PRId64 ", its total is %" PRId64, order->id,
                 total, order->terms.total);
}

/* Lines of one rejected order may be of several currencies. */
static void judge_listed(struct evidence *e, const struct order_case *order,
                         const struct order_item *line)
{
    bool placed = strcmp(order->facts[0].type, "order.placed") == 0;
    if (!placed && !line->name[0])
        return; /* nobody knows it */
    if (!told_whole(map_find(&e->told, line->sku)))
        return; /* what was listed is not all on the log: that is promise 5 */
    if (!evidence_listed(e, line->sku, line->name, line->unit_price,
                         placed ? order->terms.currency : "") &&
        evidence_due(e, order->facts[0].at_ms))
        violated(e, 3, "order %s: %s was never listed as \"%s\" at %" PRId64 " %s", order->id,
                 line->sku, line->name, line->unit_price, order->terms.currency);
}

void judge_prices(struct evidence *e)
{
    for (size_t i = 0; i < e->orders.count; i++) {
        const struct order_case *order = e->orders.records[i];
        if (order->fact_count == 0)
            continue;
        checked(e, 3);
        if (has_sums(order))
            judge_sums(e, order);
        for (size_t line = 0; line < order->line_count; line++)
            judge_listed(e, order, &order->lines[line]);
    }
}
