/* From what is asked for and what the catalogue offers to a priced order, or the reason why not.
 * Pure; every sum is checked for overflow. */
#ifndef WARREN_ORDER_SERVICE_PRICING_H
#define WARREN_ORDER_SERVICE_PRICING_H

#include <stddef.h>
#include <stdint.h>

#include "contracts/messages.h"

#define CURRENCY_DEFAULT "EUR" /* of an order in which no product is known */

struct offer {
    const char *name; /* NULL: there is no such product */
    const char *currency;
    int64_t unit_price;
    int64_t available;
};

/* Fills lines[0..count), offers[i] belonging to asked[i]. NULL: can be had. Else the first of
 * unknown-product, mixed-currencies, amount-too-large, out-of-stock; an unknown product then has
 * name "" and prices 0, and an amount over the limit counts as 0. */
const char *price_lines(const struct order_line *asked, const struct offer *offers, size_t count,
                        struct priced_line *lines, int64_t *ret_total,
                        char currency[CURRENCY_SIZE]);

#endif
