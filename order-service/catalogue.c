/* catalogue.set-product and stock.adjust. */
#include <string.h>

#include "order-service/state.h"

/* A revision that is further ahead of the clock than a day (a clock was wrong once, or somebody gave
 * the highest number there is) would keep everybody out for as long: it counts as one of now. */
static int64_t known_revision(const struct product *product, int64_t now_ms)
{
    return product->revision > now_ms + REVISION_AHEAD_MAX_MS ? now_ms : product->revision;
}

static int64_t next_revision(const struct product *product, int64_t now_ms)
{
    int64_t next = known_revision(product, now_ms) + 1;
    return next > now_ms ? next : now_ms;
}

/* Without a revision, what the catalogue says already is no news. */
static bool same_listing(const struct product *product, const struct set_product *listing)
{
    return (listing->revision == 0 || product->revision == listing->revision) &&
           product->unit_price == listing->unit_price &&
           strcmp(product->name, listing->name) == 0 &&
           strcmp(product->currency, listing->currency) == 0;
}

/* Another content under the same key is another command. */
static enum result other_listing_made(struct uow *uow, const struct envelope *envelope,
                                      const struct set_product *listing, bool *ret_made,
                                      struct err *err)
{
    int64_t count = 0;
    enum result result = OK;
    if (listing->request_id[0] != '\0')
        result = store_query_int(
            uow_store(uow),
            "SELECT count(*) FROM listing_request WHERE request_id = $1 AND command_id <> $2",
            STORE_ARGS(store_text(listing->request_id), store_text(envelope->id.text)), &count,
            err);
    *ret_made = count > 0;
    return result;
}

static enum result listing_note(struct uow *uow, const struct envelope *envelope,
                                const struct set_product *listing, struct err *err)
{
    if (listing->request_id[0] == '\0')
        return OK;
    return store_exec(uow_store(uow),
                      "INSERT INTO listing_request (request_id, command_id, at_ms) "
                      "VALUES ($1, $2, $3) ON CONFLICT (request_id) DO NOTHING",
                      STORE_ARGS(store_text(listing->request_id), store_text(envelope->id.text),
                                 store_int(uow_now_ms(uow))),
                      NULL, err);
}

/* NULL: it can be listed. */
static const char *revision_fault(const struct product *product, const struct set_product *listing,
                                  int64_t now_ms)
{
    if (listing->revision == 0)
        return NULL;
    if (listing->revision > now_ms + REVISION_AHEAD_MAX_MS)
        return "revision-too-far-ahead";
    return listing->revision <= known_revision(product, now_ms) ? "stale-revision" : NULL;
}

static enum result list(struct uow *uow, struct product *product, const struct set_product *listing,
                        struct err *err)
{
    int64_t now_ms = uow_now_ms(uow);
    struct set_product numbered = *listing;
    if (numbered.revision == 0)
        numbered.revision = next_revision(product, now_ms);
    return stock_list(product, &numbered, uow, err);
}

enum result handle_set_product(void *self, struct uow *uow, const struct envelope *envelope,
                               const void *payload, struct err *err)
{
    struct order_service *service = self;
    const struct set_product *listing = payload;
    const struct command command = {envelope, listing->sku, ""};
    struct product *product = NULL;
    bool reused = false;
    enum result result = other_listing_made(uow, envelope, listing, &reused, err);
    if (result == OK && reused)
        return command_refuse(service, uow, &command, "idempotency-key-reused", err);
    if (result == OK)
        result = stock_product(service->stock, uow_store(uow), listing->sku, &product, err);
    if (result != OK)
        return result;
    if (!same_listing(product, listing)) {
        const char *fault = revision_fault(product, listing, uow_now_ms(uow));
        if (fault != NULL)
            return command_refuse(service, uow, &command, fault, err);
        result = list(uow, product, listing, err);
    }
    if (result == OK)
        result = listing_note(uow, envelope, listing, err);
    return result == OK ? command_done(uow, &command, err) : result;
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

static enum result adjust_known(struct order_service *service, struct uow *uow,
                                const struct command *command, const struct stock_adjust *adjust,
                                struct product *product, struct err *err)
{
    if (product->revision == 0)
        return command_refuse(service, uow, command, "unknown-product", err);
    if (stock_adjust(product, adjust->delta) != OK)
        return command_refuse(service, uow, command,
                              adjust->delta < 0 ? "stock-below-zero" : "stock-too-large", err);
    enum result result = adjustment_note(uow, command->envelope, adjust, err);
    return result == OK ? command_done(uow, command, err) : result;
}

/* The same delta may come again and mean it: only the inbox can tell a repeat. */
enum result handle_stock_adjust(void *self, struct uow *uow, const struct envelope *envelope,
                                const void *payload, struct err *err)
{
    struct order_service *service = self;
    const struct stock_adjust *adjust = payload;
    const struct command command = {envelope, adjust->sku, ""};
    struct product *product = NULL;
    bool reused = false;
    enum result result = other_delta_made(uow, adjust, &reused, err);
    if (result == OK && reused)
        return command_refuse(service, uow, &command, "idempotency-key-reused", err);
    if (result == OK)
        result = stock_product(service->stock, uow_store(uow), adjust->sku, &product, err);
    return result == OK ? adjust_known(service, uow, &command, adjust, product, err) : result;
}
