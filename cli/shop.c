#include "cli/shop.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *json_text(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

int64_t json_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;
}

enum result shop_open(struct shop *shop, struct http *http, const struct suite *suite,
                      const char *customer, const char *email, struct err *err)
{
    *shop = (struct shop){.http = http, .suite = suite};
    return bearer_issue(suite, customer, email, SCOPE_NONE, BEARER_SHORT_MS, shop->bearer, err);
}

void shop_close(struct shop *shop)
{
    http_response_release(&shop->response);
}

/* The call and what its status means. */
static enum result ask(struct shop *shop, struct http_request *request, struct err *err)
{
    request->bearer = shop->bearer;
    enum result result = http_call(shop->http, request, &shop->response, err);
    return result == OK ? http_verdict(&shop->response, err) : result;
}

static void basket_body(const struct shop_basket *basket, struct buf *body)
{
    buf_text(body, "{\"lines\":[");
    for (size_t i = 0; i < basket->count; i++)
        buf_printf(body, "%s{\"sku\":\"%s\",\"quantity\":%" PRId64 "}", i > 0 ? "," : "",
                   basket->lines[i].sku, basket->lines[i].quantity);
    buf_printf(body, "],\"payment\":{\"token\":\"%s\"}}", basket->card);
}

/* What may stand in a header: 1 to 255 visible ASCII characters. */
static enum result check_key(const char *key, struct err *err)
{
    size_t size = strlen(key);
    bool fine = size >= 1 && size <= 255;
    for (const char *c = key; *c && fine; c++)
        fine = *c > ' ' && *c < 0x7f;
    return fine ? OK
                : err_set(err, INVALID, "an idempotency key is 1 to 255 visible ASCII characters");
}

enum result shop_place(struct shop *shop, const struct shop_basket *basket, const char *key,
                       struct id *ret_order, struct err *err)
{
    struct buf body = {0};
    cJSON *answer = NULL;
    struct suite_path url = suite_url(shop->suite, "/v1/orders");
    enum result result = check_key(key, err);
    if (result != OK)
        return result;
    basket_body(basket, &body);
    struct http_request request = {.method = "POST",
                                   .url = url.text,
                                   .idempotency_key = key,
                                   .body = body.data,
                                   .timeout_ms = 15000};
    result = ask(shop, &request, err);
    buf_release(&body);
    if (result == OK)
        result = http_json(&shop->response, &answer, err);
    if (result == OK && !id_valid(json_text(answer, "order_id")))
        result = err_set(err, UNKNOWN, "the answer has no order id");
    if (result == OK)
        snprintf(ret_order->text, sizeof ret_order->text, "%s", json_text(answer, "order_id"));
    cJSON_Delete(answer);
    return result;
}

enum result shop_cancel(struct shop *shop, const struct id *order, struct err *err)
{
    struct suite_path url = suite_url(shop->suite, "/v1/orders/%s/cancel", order->text);
    struct http_request request = {.method = "POST", .url = url.text, .timeout_ms = 15000};
    return ask(shop, &request, err);
}

enum result shop_events(struct shop *shop, const struct id *order, cJSON **ret_events,
                        struct err *err)
{
    cJSON *answer = NULL;
    struct suite_path url = suite_url(shop->suite, "/v1/orders/%s/events", order->text);
    struct http_request request = {.url = url.text};
    enum result result = ask(shop, &request, err);
    if (result == REFUSED && shop->response.status == 404)
        return NOT_FOUND;
    if (result == OK)
        result = http_json(&shop->response, &answer, err);
    if (result == OK) {
        *ret_events = cJSON_DetachItemFromObjectCaseSensitive(answer, "events");
        if (!cJSON_IsArray(*ret_events)) {
            cJSON_Delete(*ret_events);
            result = err_set(err, INVALID, "the answer has no events");
        }
    }
    cJSON_Delete(answer);
    return result;
}
