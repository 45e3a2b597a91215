/* order.place: the one command that makes an order. */
#include <string.h>

#include "order-service/pricing.h"
#include "order-service/state.h"

/* The same order id again is a repeat, or somebody's key used for something else. What is compared
 * here never changes, so that memory will do. */
static enum result place_again(struct order_service *service, struct uow *uow,
                               const struct envelope *envelope, const struct order_place *place,
                               const struct order *order, struct err *err)
{
    if (strcmp(order->request_hash, place->request_hash) == 0 &&
        strcmp(order->customer, place->customer) == 0)
        return DUPLICATE;
    return command_refuse(service, uow,
                          &(struct command){envelope, place->order_id, place->customer},
                          "idempotency-key-reused", err);
}

static enum result offers_find(struct order_service *service, struct uow *uow,
                               const struct order_place *place, struct offer *offers,
                               struct err *err)
{
    for (size_t i = 0; i < place->line_count; i++) {
        struct product *product = NULL;
        enum result result =
            stock_product(service->stock, uow_store(uow), place->lines[i].sku, &product, err);
        if (result != OK)
            return result;
        offers[i] = (struct offer){
            .name = product->revision == 0 ? NULL : product->name,
            .currency = product->currency,
            .unit_price = product->unit_price,
            .available = product->available,
        };
    }
    return OK;
}

static enum result reject(struct order_service *service, struct uow *uow,
                          const struct order_place *place, const char *reason, struct err *err)
{
    const struct order_step *step = order_step(STATE_NONE, EVENT_UNAVAILABLE);
    const struct order_placed *priced = &service->placed;
    struct order_rejected *fact = &service->rejected;
    memcpy(fact->order_id, place->order_id, UUID_SIZE);
    memcpy(fact->customer, place->customer, UUID_SIZE);
    fact->version = 1;
    memcpy(fact->reason, reason, strlen(reason) + 1);
    memcpy(fact->currency, priced->currency, CURRENCY_SIZE);
    fact->line_count = place->line_count;
    memcpy(fact->lines, priced->lines, place->line_count * sizeof fact->lines[0]);
    fact->total = priced->total;
    memcpy(fact->request_hash, place->request_hash, HASH_SIZE);
    return order_store_append(service->orders, uow,
                              &(struct order_fact){.order_id = place->order_id,
                                                   .version = 1,
                                                   .type = step->fact,
                                                   .payload_type = &order_rejected_type,
                                                   .payload = fact,
                                                   .settlement = &fact->settlement},
                              err);
}

static void fact_fill(struct order_service *service, const struct uow *uow,
                      const struct order_place *place)
{
    struct order_placed *fact = &service->placed;
    memcpy(fact->order_id, place->order_id, UUID_SIZE);
    memcpy(fact->customer, place->customer, UUID_SIZE);
    fact->version = 1;
    fact->line_count = place->line_count;
    fact->payment = place->payment;
    memcpy(fact->request_hash, place->request_hash, HASH_SIZE);
    fact->deadline_ms = uow_now_ms(uow) + service->payment_deadline_ms;
}

static enum result accept(struct order_service *service, struct uow *uow,
                          const struct order_place *place, struct err *err)
{
    const struct order_step *step = order_step(STATE_NONE, EVENT_PLACE);
    fact_fill(service, uow, place);
    enum result result = order_store_append(service->orders, uow,
                                            &(struct order_fact){
                                                .order_id = place->order_id,
                                                .version = 1,
                                                .type = step->fact,
                                                .payload_type = &order_placed_type,
                                                .payload = &service->placed,
                                            },
                                            err);
    if (result == OK)
        result = order_store_open(uow_store(uow), place->order_id, uow_now_ms(uow),
                                  service->placed.deadline_ms, err);
    if (result == OK)
        result = stock_move_lines(service->stock, uow_store(uow), step->stock, place->lines,
                                  place->line_count, err);
    if (result == OK)
        order_store_put_take(service->orders, order_from_placed(&service->placed));
    return result;
}

static enum result place_new(struct order_service *service, struct uow *uow,
                             const struct order_place *place, struct err *err)
{
    struct offer offers[ORDER_LINES_MAX];
    enum result result = offers_find(service, uow, place, offers, err);
    if (result != OK)
        return result;
    struct order_placed *priced = &service->placed;
    const char *reason = price_lines(place->lines, offers, place->line_count, priced->lines,
                                     &priced->total, priced->currency);
    return reason == NULL ? accept(service, uow, place, err)
                          : reject(service, uow, place, reason, err);
}

enum result handle_place(void *self, struct uow *uow, const struct envelope *envelope,
                         const void *payload, struct err *err)
{
    struct order_service *service = self;
    const struct order_place *place = payload;
    struct order *order = NULL;
    bool fresh = false;
    enum result result =
        order_store_find(service->orders, uow_store(uow), place->order_id, &order, &fresh, err);
    if (result == OK)
        return place_again(service, uow, envelope, place, order, err);
    if (result == NOT_FOUND)
        result = place_new(service, uow, place, err);
    return result == OK ? OK : err_context(err, result, "order %s", place->order_id);
}
