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

/* A delta may be given twice and mean it: only the inbox can tell a repeat. */
enum result handle_stock_adjust(void *self, struct uow *uow, const struct envelope *envelope,
                                const void *payload, struct err *err)
{
    struct order_service *service = self;
    const struct stock_adjust *adjust = payload;
    struct product *product = NULL;
    enum result result = stock_product(service->stock, uow_store(uow), adjust->sku, &product, err);
    if (result != OK)
        return result;
    if (product->revision == 0)
        return command_refuse(uow, envelope, adjust->sku, "unknown-product", err);
    if (stock_adjust(product, adjust->delta) == OK)
        return OK;
    return command_refuse(uow, envelope, adjust->sku,
                          adjust->delta < 0 ? "stock-below-zero" : "stock-too-large", err);
}
