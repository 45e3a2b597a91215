/* The catalogue of a new shop: 20 products with stock for long load runs, and one that is scarce.
 * Brought in through the front door, as commands of an admin. */
#ifndef WARREN_CLI_SEED_H
#define WARREN_CLI_SEED_H

#include <stddef.h>
#include <stdint.h>

#include "cli/http.h"
#include "cli/progress.h"
#include "cli/suite.h"

struct seed_product {
    const char *sku;
    const char *name;
    int64_t price; /* cents */
    int64_t stock;
};
extern const struct seed_product seed_products[];
extern const size_t seed_product_count;
extern const char *const seed_scarce; /* its SKU */

/* Makes the catalogue unless it has been made in this home, and returns when the edge shows it.
 * Done twice or interrupted, it changes nothing. NOT_FOUND: the edge cannot show it, for its log was
 * cut before it had read it. */
enum result seed_catalogue(struct http *http, const struct suite *suite, struct progress *progress,
                           struct err *err) WARN_UNUSED;

#endif
