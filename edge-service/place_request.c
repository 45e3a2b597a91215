#include "edge-service/place_request.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/bind.h"
#include "common/base/buf.h"
#include "common/base/digest.h"

static const struct bind_field line_fields[] = {
    BIND_TEXT_FIELD(struct order_line, sku, BIND_SKU),
    BIND_INT_FIELD(struct order_line, quantity, 1, QUANTITY_MAX),
};
static const struct bind_type line_type = BIND_TYPE("line", struct order_line, line_fields);

static const struct bind_field payment_fields[] = {
    BIND_TEXT_FIELD(struct payment_means, token, BIND_TOKEN),
};
static const struct bind_type payment_type =
    BIND_TYPE("payment", struct payment_means, payment_fields);

static const struct bind_field request_fields[] = {
    BIND_ARRAY_FIELD(struct place_request, lines, line_count, 1, ORDER_LINES_MAX, &line_type,
                     struct order_line, sku),
    BIND_OBJECT_FIELD(struct place_request, payment, &payment_type),
};
const struct bind_type place_request_type =
    BIND_TYPE("order", struct place_request, request_fields);

static int by_sku(const void *a, const void *b)
{
    return strcmp(((const struct order_line *)a)->sku, ((const struct order_line *)b)->sku);
}

static void put_entry(struct buf *text, const char *sku, int64_t quantity)
{
    buf_text(text, sku);
    buf_append(text, "=", 1);
    buf_int(text, quantity);
    buf_append(text, "\n", 1);
}

void place_request_hash(const struct place_request *request, char hex[HASH_SIZE])
{
    struct order_line sorted[ORDER_LINES_MAX];
    struct buf text = {0};
    memcpy(sorted, request->lines, request->line_count * sizeof sorted[0]);
    qsort(sorted, request->line_count, sizeof sorted[0], by_sku);
    for (size_t i = 0; i < request->line_count; i++)
        put_entry(&text, sorted[i].sku, sorted[i].quantity);
    buf_text(&text, "payment=");
    buf_text(&text, request->payment.token);
    buf_append(&text, "\n", 1);
    sha256_hex(text.data, text.size, hex);
    buf_release(&text);
}
