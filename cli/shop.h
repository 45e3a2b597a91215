/* A customer of the shop: what a person does over HTTP, as functions. One thread. */
#ifndef WARREN_CLI_SHOP_H
#define WARREN_CLI_SHOP_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "cli/bearer.h"
#include "cli/http.h"
#include "cli/suite.h"
#include "common/base/id.h"

enum { SHOP_LINES_MAX = 50, SHOP_WORD_SIZE = 64 };

struct shop_line {
    char sku[33];
    int64_t quantity;
};

struct shop_basket {
    struct shop_line lines[SHOP_LINES_MAX];
    size_t count;
    const char *card; /* "tok_visa" */
};

struct shop {
    struct http *http; /* borrowed */
    const struct suite *suite;
    char bearer[BEARER_SIZE];
    struct http_response response; /* of the last call */
};

/* Makes the customer known and gets a token. Release with shop_close. */
enum result shop_open(struct shop *shop, struct http *http, const struct suite *suite,
                      const char *customer, const char *email, struct err *err) WARN_UNUSED;
void shop_close(struct shop *shop);

/* OK: accepted. REFUSED: nothing was accepted, err has the shop's words. UNKNOWN: ask again with
 * the same key. RETRY: nobody there. `key` is 1..255 visible ASCII characters. */
enum result shop_place(struct shop *shop, const struct shop_basket *basket, const char *key,
                       struct id *ret_order, struct err *err) WARN_UNUSED;
enum result shop_cancel(struct shop *shop, const struct id *order, struct err *err) WARN_UNUSED;

/* The order's facts so far, oldest first: an array of CloudEvents, the caller's. NOT_FOUND: not
 * there, not there yet, or not theirs. */
enum result shop_events(struct shop *shop, const struct id *order, cJSON **ret_events,
                        struct err *err) WARN_UNUSED;

/* Members of JSON that came from outside: "" and 0 when absent or of another type. */
const char *json_text(const cJSON *object, const char *name);
int64_t json_number(const cJSON *object, const char *name);

#endif
