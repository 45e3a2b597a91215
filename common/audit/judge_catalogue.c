/* Promise 5 for products: the order store's rows against what was told of them. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"

static int64_t stock_seen_ms(const struct told_case *told)
{
    int64_t seen_ms = 0;
    for (size_t i = 0; told && i < told->count; i++)
        if (!told->facts[i].name && told->facts[i].time_ms > seen_ms)
            seen_ms = told->facts[i].time_ms;
    return seen_ms;
}

/* The store is ahead of the log. Its row says when its stock was told of last, not when it was
 * listed: a listing may be on its way at any moment. */
static void judge_untold(struct evidence *e, const char *sku, const struct product_case *product,
                         const struct told_case *told)
{
    int64_t seen_ms = told ? told->facts[told->count - 1].time_ms : 0;
    int64_t at_ms = product->told_ms > stock_seen_ms(told) ? product->told_ms : e->options->now_ms;
    if (evidence_log_may_lack(e, seen_ms) || evidence_log_is_another(e))
        return;
    if (!evidence_due(e, at_ms))
        return;
    e->report->missing++;
    violated(e, 5, "product %s: its store is at fact %" PRId64 ", the stream at %" PRId64, sku,
             product->sequence, told_last(told));
}

static void judge_row(struct evidence *e, const char *sku, const struct product_case *product,
                      const struct told_case *told)
{
    struct told_state state;
    told_until(told, product->sequence, &state);
    const struct told *listing = state.listing, *stock = state.stock;
    if (listing &&
        (strcmp(listing->name, product->name) != 0 ||
         strcmp(listing->currency, product->currency) != 0 ||
         listing->unit_price != product->unit_price || listing->revision != product->revision))
        violated(e, 5,
                 "product %s: listed as \"%s\" at %" PRId64 " %s (revision %" PRId64
                 "), its store says \"%s\" at %" PRId64 " %s (%" PRId64 ")",
                 sku, listing->name, listing->unit_price, listing->currency, listing->revision,
                 product->name, product->unit_price, product->currency, product->revision);
    if (stock && !product->untold &&
        (stock->available != product->available || stock->reserved != product->reserved ||
         stock->sold != product->sold))
        violated(e, 5,
                 "product %s: available %" PRId64 ", reserved %" PRId64 ", sold %" PRId64
                 " was told, its store says %" PRId64 ", %" PRId64 ", %" PRId64,
                 sku, stock->available, stock->reserved, stock->sold, product->available,
                 product->reserved, product->sold);
}

static void judge_product(struct evidence *e, const char *sku, const struct product_case *product)
{
    const struct told_case *told = map_find(&e->told, sku);
    checked(e, 5);
    if (product->sequence > told_last(told))
        judge_untold(e, sku, product, told);
    else
        judge_row(e, sku, product, told);
}

void judge_catalogue(struct evidence *e)
{
    if (!e->log_read)
        return;
    for (size_t i = 0; i < e->products.count; i++) {
        const struct product_case *product = e->products.records[i];
        if (product->there)
            judge_product(e, e->products.keys[i], product);
    }
    for (size_t i = 0; i < e->told.count; i++) {
        const struct product_case *product = map_find(&e->products, e->told.keys[i]);
        if (!product || !product->there)
            violated(e, 5, "product %s: it was told of and is in no store", e->told.keys[i]);
    }
}
