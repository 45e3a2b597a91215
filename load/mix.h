/* What is in an order: drawn from the seed and the order's number, so that a repeat is the same to
 * the letter and nothing has to be kept. Shares are in thousandths. Plain values. */
#ifndef WARREN_LOAD_MIX_H
#define WARREN_LOAD_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum { MIX_SKUS_MAX = 64, MIX_SKU_SIZE = 33 };

struct mix {
    uint64_t seed;
    char skus[MIX_SKUS_MAX][MIX_SKU_SIZE];
    size_t sku_count;
    int64_t lines;    /* distinct SKUs of an order, at most sku_count */
    int64_t quantity; /* of each line 1 to this */
    int64_t hot;      /* of 1000 orders: have the first SKU first */
    int64_t declined, flaky, slow, no_funds,
        lost_answer; /* of 1000 orders, by their card; the others pay at once */
    int64_t cancel;  /* of 1000 orders: cancelled as soon as they are accepted */
};

/* "CARROT-1KG,SPADE". INVALID: no SKU, or too many. */
enum result mix_read_skus(struct mix *mix, const char *text, struct err *err) WARN_UNUSED;
/* INVALID: a share or a number that cannot be. */
enum result mix_check(const struct mix *mix, struct err *err) WARN_UNUSED;

/* The body of POST /v1/orders; `out` is cleared first. */
void mix_order(const struct mix *mix, uint64_t ordinal, struct buf *out);
bool mix_cancels(const struct mix *mix, uint64_t ordinal);

#endif
