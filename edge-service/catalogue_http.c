/* The catalogue: read by anybody, written by administrators. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "edge-service/http_private.h"

struct catalogue {
    struct buf body;
    int count;
};

static void add_product(void *context, const struct edge_product *product)
{
    struct catalogue *catalogue = context;
    buf_printf(&catalogue->body, "%s{\"sku\":\"%s\",\"name\":", catalogue->count++ ? "," : "",
               product->sku);
    json_write_text(&catalogue->body, product->name);
    buf_printf(&catalogue->body,
               ",\"unit_price\":%" PRId64 ",\"currency\":\"%s\",\"available\":%" PRId64 "}",
               product->unit_price, product->currency, product->available);
}

void handle_products(struct request *request)
{
    struct catalogue catalogue = {.count = 0};
    buf_text(&catalogue.body, "{\"products\":[");
    enum result result = edge_products(request->http->options.edge, add_product, &catalogue, NULL);
    if (result != OK) {
        buf_release(&catalogue.body);
        answer_query_failed(request, result);
        return;
    }
    buf_text(&catalogue.body, "]}");
    answer_json(request, 200, &catalogue.body);
}

static bool sku_valid(const char *text)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t length = strlen(text);
    return length > 0 && length < SKU_SIZE && strchr(first, text[0]) &&
           strspn(text, rest) == length;
}

static bool read_sku(struct request *request, char sku[SKU_SIZE])
{
    if (!sku_valid(request->parameter)) {
        answer_problem(request, 400, "bad-sku",
                       "a SKU is 1 to %d of A-Z, 0-9 and '-', the first no '-'", SKU_SIZE - 1);
        return false;
    }
    memcpy(sku, request->parameter, strlen(request->parameter) + 1);
    return true;
}

static const struct bind_field product_fields[] = {
    BIND_FREE_FIELD(struct set_product, name, 1, NAME_POINTS_MAX),
    BIND_INT_FIELD(struct set_product, unit_price, 0, UNIT_PRICE_MAX),
    BIND_TEXT_FIELD(struct set_product, currency, BIND_CURRENCY),
    BIND_OPTIONAL_INT_FIELD(struct set_product, revision, 1, COUNT_MAX),
};
static const struct bind_type product_type =
    BIND_TYPE("product", struct set_product, product_fields);

void handle_set_product(struct request *request)
{
    struct set_product product;
    char sku[SKU_SIZE];
    char key[KEY_SIZE];
    bool given;
    if (!read_sku(request, sku) || !read_key(request, key, &given) || !read_wait(request) ||
        !read_body(request, &product_type, &product))
        return;
    memcpy(product.sku, sku, sizeof product.sku);
    edge_set_product(request->http->options.edge, &product, given ? key : NULL,
                     (struct edge_caller){command_has_verdict, request, read_traceparent(request)});
}

static const struct bind_field stock_fields[] = {
    BIND_INT_FIELD(struct stock_adjust, delta, -STOCK_DELTA_MAX, STOCK_DELTA_MAX),
};
static const struct bind_type stock_type = BIND_TYPE("stock", struct stock_adjust, stock_fields);

void handle_stock(struct request *request)
{
    struct stock_adjust stock;
    char sku[SKU_SIZE];
    char key[KEY_SIZE];
    bool given;
    if (!read_sku(request, sku) || !read_key(request, key, &given) || !read_wait(request) ||
        !read_body(request, &stock_type, &stock))
        return;
    if (stock.delta == 0) {
        answer_problem(request, 400, "bad-body", "delta: must not be 0");
        return;
    }
    memcpy(stock.sku, sku, sizeof stock.sku);
    edge_adjust_stock(
        request->http->options.edge, &stock, given ? key : NULL,
        (struct edge_caller){command_has_verdict, request, read_traceparent(request)});
}
