/* catalogue.set-product and stock.adjust. */
#include <string.h>

#include "order-service/state.h"

static bool same_listing(const struct product *product, const struct set_product *listing)
{
    return product->revision == listing->revision && product->unit_price == listing->unit_price &&
           strcmp(product->name, listing->name) == 0 &&
           strcmp(product->currency, listing->currency) == 0;
}

enum result handle_set_product(void *self, struct uow *uow, const struct envelope *envelope,
                               const void *payload, struct err *err)
{
    struct order_service *service = self;
    const struct set_product *listing = payload;
    struct product *product = NULL;
    enum result result = stock_product(service->stock, uow_store(uow), listing->sku, &product, err);
    if (result != OK)
        return result;
    if (same_listing(product, listing))
        return DUPLICATE;
    if (listing->revision <= product->revision)
        return command_refuse(uow, envelope, listing->sku, "stale-revision", err);
    return stock_list(product, listing, uow, err);
}

/* Under the key of this one. */
static enum result other_delta_made(struct uow *uow, const struct stock_adjust *adjust,
                                    bool *ret_made, struct err *err)
{
    int64_t count = 0;
    enum result result = OK;
    if (adjust->request_id[0] != '\0')
        result = store_query_int(
            uow_store(uow),
            "SELECT count(*) FROM stock_adjustment WHERE request_id = $1 AND delta <> $2",
            STORE_ARGS(store_text(adjust->request_id), store_int(adjust->delta)), &count, err);
    *ret_made = count > 0;
    return result;
}

/* What makes up product.adjusted, for whoever has to account for it; it guards nothing. */
static enum result adjustment_note(struct uow *uow, const struct envelope *envelope,
                                   const struct stock_adjust *adjust, struct err *err)
{
    return store_exec(uow_store(uow),
                      "INSERT INTO stock_adjustment (command_id, request_id, sku, delta, at_ms) "
                      "VALUES ($1, $2, $3, $4, $5)",
                      STORE_ARGS(store_text(envelope->id.text), store_text(adjust->request_id),
                                 store_text(adjust->sku), store_int(adjust->delta),
                                 store_int(uow_now_ms(uow))),
                      NULL, err);
}

/* The same delta may come again and mean it: only the inbox can tell a repeat. */
enum result handle_stock_adjust(void *self, struct uow *uow, const struct envelope *envelope,
                                const void *payload, struct err *err)
{
    struct order_service *service = self;
    const struct stock_adjust *adjust = payload;
    struct product *product = NULL;
    bool reused = false;
    enum result result = other_delta_made(uow, adjust, &reused, err);
    if (result == OK && reused)
        return command_refuse(uow, envelope, adjust->sku, "idempotency-key-reused", err);
    if (result == OK)
        result = stock_product(service->stock, uow_store(uow), adjust->sku, &product, err);
    if (result != OK)
        return result;
    if (product->revision == 0)
        return command_refuse(uow, envelope, adjust->sku, "unknown-product", err);
    if (stock_adjust(product, adjust->delta) == OK)
        return adjustment_note(uow, envelope, adjust, err);
    return command_refuse(uow, envelope, adjust->sku,
                          adjust->delta < 0 ? "stock-below-zero" : "stock-too-large", err);
}
