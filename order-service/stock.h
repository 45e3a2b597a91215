/* Catalogue and stock of the products that the open transaction touches. Each is read once, changed
 * in memory by whatever the batch does to it, and written once before the commit. It must be empty
 * between transactions: flushed or forgotten.
 *
 * stock.changed is for read models, which want the last word and not each one: a product that has
 * just been told of is told of again STOCK_TELL_MS later, with all that has moved since. That it
 * still has to be is in its row, so a crash forgets nothing.
 *
 * Always, for every product: adjusted = available + reserved + sold, none below zero. `sequence`
 * numbers the product's facts without a gap; `changes` its writes, and is what a concurrent writer
 * stumbles over. */
#ifndef WARREN_ORDER_SERVICE_STOCK_H
#define WARREN_ORDER_SERVICE_STOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/messaging/service.h"
#include "contracts/messages.h"
#include "order-service/order.h"

enum { STOCK_TELL_MS = 100 };

struct product {
    char sku[SKU_SIZE];
    char name[NAME_SIZE];
    char currency[CURRENCY_SIZE];
    int64_t unit_price;
    int64_t revision; /* 0: there is no such product (yet) */
    int64_t adjusted, available, reserved, sold;
    int64_t sequence;
    int64_t changes; /* as read; 0: no row */
    int64_t told_ms; /* wall clock, of the last stock.changed */
    bool untold;     /* it has moved since */
    bool listed;     /* in this transaction: name or price have changed */
    bool moved;      /* likewise: the stock has, or is to be told of */
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

/* Whether a stock.changed that had to wait is due. */
bool stock_any_untold(struct store *store, int64_t now_ms);
/* Takes up some of the products for which it is, so that the flush tells of them. */
enum result stock_take_untold(struct stock *stock, struct store *store, int64_t now_ms,
                              struct err *err) WARN_UNUSED;

/* Writes what has changed, publishes stock.changed for it unless that has to wait, and is empty
 * afterwards. CONFLICT: somebody else wrote one of these products meanwhile. */
enum result stock_flush(struct stock *stock, struct uow *uow, struct err *err) WARN_UNUSED;

#endif
