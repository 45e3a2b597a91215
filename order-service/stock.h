/* Catalogue and stock of the products that the open transaction touches. Each is read once, changed
 * in memory by whatever the batch does to it, and written once before the commit, with at most one
 * stock.changed. It must be empty between transactions: flushed or forgotten.
 *
 * Always, for every product: adjusted = available + reserved + sold, none below zero. `sequence`
 * numbers the product's facts without a gap, and is what a concurrent writer stumbles over. */
#ifndef WARREN_ORDER_SERVICE_STOCK_H
#define WARREN_ORDER_SERVICE_STOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/messaging/service.h"
#include "contracts/messages.h"
#include "order-service/order.h"

struct product {
    char sku[SKU_SIZE];
    char name[NAME_SIZE];
    char currency[CURRENCY_SIZE];
    int64_t unit_price;
    int64_t revision; /* 0: there is no such product (yet) */
    int64_t adjusted, available, reserved, sold;
    int64_t sequence;
    int64_t stored_sequence; /* as read; 0: no row */
    bool moved;              /* stock.changed is due */
    uint32_t chain;
};

struct stock;

struct stock *stock_new(void);
void stock_free(struct stock *stock);
void stock_forget(struct stock *stock);

/* Never NULL on OK; borrowed until forget or flush. Look at `revision` to see if it exists. */
enum result stock_product(struct stock *stock, struct store *store, const char *sku,
                          struct product **ret_product, struct err *err) WARN_UNUSED;

/* Makes it what the catalogue says now and publishes product.listed. */
enum result stock_list(struct product *product, const struct set_product *listing, struct uow *uow,
                       struct err *err) WARN_UNUSED;

/* REFUSED, unchanged: what is available would leave 0..COUNT_MAX. */
enum result stock_adjust(struct product *product, int64_t delta) WARN_UNUSED;

/* Moves all of an order's lines, or none: INVALID when one of them has not as much to move. */
enum result stock_move_lines(struct stock *stock, struct store *store, enum stock_move move,
                             const struct order_line *lines, size_t count,
                             struct err *err) WARN_UNUSED;

/* Writes what has changed, publishes stock.changed for it, and is empty afterwards. CONFLICT:
 * somebody else wrote one of these products meanwhile. */
enum result stock_flush(struct stock *stock, struct uow *uow, struct err *err) WARN_UNUSED;

#endif
