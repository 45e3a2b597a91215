#include "cli/seed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/bearer.h"
#include "cli/files.h"

#define AMPLE 10000000

const char *const seed_scarce = "GOLDEN-CARROT";

const struct seed_product seed_products[] = {
    {"ALMANAC", "Gardener's almanac", 1450, AMPLE},
    {"BASKET-S", "Willow basket, small", 1290, AMPLE},
    {"BASKET-L", "Willow basket, large", 2490, AMPLE},
    {"BOOTS", "Rubber boots, a pair", 3990, AMPLE},
    {"BURROW-LAMP", "Lamp for a burrow", 2750, AMPLE},
    {"CARROT-1KG", "Carrots, 1 kg", 199, AMPLE},
    {"CARROT-SEED", "Carrot seed, a packet", 249, AMPLE},
    {"CLOVER-HAY", "Clover hay, a bale", 890, AMPLE},
    {"DANDELION-TEA", "Dandelion tea, 50 g", 420, AMPLE},
    {"DOOR-ROUND", "Round door, oak", 18900, AMPLE},
    {"GARDEN-FORK", "Garden fork", 2190, AMPLE},
    {"LETTUCE", "Lettuce, a head", 129, AMPLE},
    {"MUFFLER", "Woollen muffler", 1990, AMPLE},
    {"PARSLEY-POT", "Parsley in a pot", 279, AMPLE},
    {"POCKET-WATCH", "Pocket watch, never late", 24900, AMPLE},
    {"SPADE", "Digging spade", 2590, AMPLE},
    {"TUNNEL-MAP", "Map of the tunnels", 650, AMPLE},
    {"UMBRELLA", "Umbrella for two", 1790, AMPLE},
    {"WHEELBARROW", "Wheelbarrow", 6490, AMPLE},
    {"GOLDEN-CARROT", "Golden carrot, only three were made", 99900, 3},
};
const size_t seed_product_count = sizeof seed_products / sizeof seed_products[0];

enum { SENT_MAX = 64, COMMAND_ID_SIZE = 37 };

struct seeding {
    struct http *http;
    const struct suite *suite;
    struct progress *progress;
    char bearer[BEARER_SIZE];
    struct http_response response;
    struct {
        const char *sku;
        char command_id[COMMAND_ID_SIZE]; /* "": nothing is to be asked about it any more */
    } sent[SENT_MAX];
    size_t sent_count;
};

enum { LOOK_EVERY_MS = 100, PATIENCE_MS = 60000 };

/* Waiting helps nobody: this edge will not know again what retention has taken from the log. */
static bool log_is_cut(const struct http_response *response)
{
    cJSON *problem = NULL;
    if (response->status != 503 || http_json(response, &problem, NULL) != OK)
        return false;
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(problem, "type"));
    bool cut = type && strcmp(type, "urn:warren:problem:log-cut") == 0;
    cJSON_Delete(problem);
    return cut;
}

/* Sends until it is accepted: an answer that says "not now" or none at all is asked again.
 * NOT_FOUND: what is asked for is in a part of the log that is gone. */
static enum result insist(struct seeding *seeding, const struct http_request *request,
                          struct err *err)
{
    for (;;) {
        enum result result = http_call(seeding->http, request, &seeding->response, err);
        if (result == OK)
            result = http_verdict(&seeding->response, err);
        if (result == OK)
            return OK;
        if (result == REFUSED && log_is_cut(&seeding->response))
            return NOT_FOUND;
        if (result == REFUSED && seeding->response.status != 503)
            return result;
        result = progress_pause(seeding->progress, LOOK_EVERY_MS, PATIENCE_MS, err_text(err), err);
        if (result != OK)
            return result;
    }
}

/* What has been accepted may still be refused: its fate is asked for by this id. */
static enum result note_sent(struct seeding *seeding, const char *sku, struct err *err)
{
    cJSON *json = NULL;
    enum result result = http_json(&seeding->response, &json, err);
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "command_id"));
    if (id && seeding->sent_count < SENT_MAX) {
        size_t i = seeding->sent_count++;
        seeding->sent[i].sku = sku;
        snprintf(seeding->sent[i].command_id, COMMAND_ID_SIZE, "%s", id);
    }
    cJSON_Delete(json);
    return result;
}

/* A catalogue that somebody has changed since it was seeded stays as it is. */
static bool is_trouble(const char *reason)
{
    return strcmp(reason, "stale-revision") != 0;
}

static enum result judge_fate(const char *sku, const cJSON *fate, bool *ret_known, struct err *err)
{
    const char *status = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(fate, "status"));
    const char *reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(fate, "reason"));
    *ret_known = status && strcmp(status, "accepted") != 0;
    return reason && is_trouble(reason) ? err_set(err, REFUSED, "%s was refused: %s", sku, reason)
                                        : OK;
}

/* REFUSED: one of ours was. Whose fate nobody knows yet is asked about again. */
static enum result check_fates(struct seeding *seeding, struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; i < seeding->sent_count && result == OK; i++) {
        char *id = seeding->sent[i].command_id;
        bool known = false;
        cJSON *json = NULL;
        struct suite_path url = suite_url(seeding->suite, "/v1/commands/%s", id);
        struct http_request request = {.url = url.text, .bearer = seeding->bearer};
        if (!id[0] || http_call(seeding->http, &request, &seeding->response, err) != OK ||
            seeding->response.status != 200 || http_json(&seeding->response, &json, err) != OK)
            continue;
        result = judge_fate(seeding->sent[i].sku, json, &known, err);
        cJSON_Delete(json);
        if (known)
            id[0] = '\0';
    }
    return result;
}

static enum result send_product(struct seeding *seeding, const struct seed_product *product,
                                struct err *err)
{
    char body[256];
    char key[64];
    struct suite_path url = suite_url(seeding->suite, "/v1/products/%s", product->sku);
    snprintf(key, sizeof key, "seed-product-%s", product->sku);
    snprintf(body, sizeof body,
             "{\"name\":\"%s\",\"unit_price\":%" PRId64 ",\"currency\":\"EUR\",\"revision\":1}",
             product->name, product->price);
    struct http_request request = {.method = "PUT",
                                   .url = url.text,
                                   .bearer = seeding->bearer,
                                   .idempotency_key = key,
                                   .body = body};
    enum result result = insist(seeding, &request, err);
    if (result == OK)
        result = note_sent(seeding, product->sku, err);
    return result == OK ? OK : err_context(err, result, "product %s", product->sku);
}

static enum result send_stock(struct seeding *seeding, const struct seed_product *product,
                              struct err *err)
{
    char body[64];
    char key[64];
    struct suite_path url = suite_url(seeding->suite, "/v1/products/%s/stock", product->sku);
    snprintf(key, sizeof key, "seed-stock-%s", product->sku);
    snprintf(body, sizeof body, "{\"delta\":%" PRId64 "}", product->stock);
    struct http_request request = {.method = "POST",
                                   .url = url.text,
                                   .bearer = seeding->bearer,
                                   .idempotency_key = key,
                                   .body = body};
    enum result result = insist(seeding, &request, err);
    if (result == OK)
        result = note_sent(seeding, product->sku, err);
    return result == OK ? OK : err_context(err, result, "stock of %s", product->sku);
}

static const cJSON *find_sku(const cJSON *products, const char *sku)
{
    const cJSON *product;
    cJSON_ArrayForEach(product, products)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(product, "sku"));
        if (name && strcmp(name, sku) == 0)
            return product;
    }
    return NULL;
}

/* How many of ours the edge shows with at least so much available (-1: listed is enough). */
static size_t count_shown(const cJSON *products, double available)
{
    size_t count = 0;
    for (size_t i = 0; i < seed_product_count; i++) {
        const cJSON *product = find_sku(products, seed_products[i].sku);
        const cJSON *there = cJSON_GetObjectItemCaseSensitive(product, "available");
        if (product &&
            (available < 0 || (cJSON_IsNumber(there) && there->valuedouble >= available)))
            count++;
    }
    return count;
}

static enum result wait_shown(struct seeding *seeding, double available, struct err *err)
{
    char why[64] = "";
    struct suite_path url = suite_url(seeding->suite, "/v1/products");
    struct http_request request = {.url = url.text, .bearer = seeding->bearer};
    for (;;) {
        cJSON *json = NULL;
        size_t shown = 0;
        enum result result = insist(seeding, &request, err);
        if (result == OK)
            result = http_json(&seeding->response, &json, err);
        if (result != OK)
            return result;
        shown = count_shown(cJSON_GetObjectItemCaseSensitive(json, "products"), available);
        cJSON_Delete(json);
        result = check_fates(seeding, err);
        if (result != OK || shown == seed_product_count)
            return result;
        snprintf(why, sizeof why, "%zu of %zu products are shown", shown, seed_product_count);
        result = progress_pause(seeding->progress, LOOK_EVERY_MS, PATIENCE_MS, why, err);
        if (result != OK)
            return result;
    }
}

/* First all products, then, when they are there, their stock: two instances of order-service may
 * handle two commands in either order. */
static enum result seed(struct seeding *seeding, struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; i < seed_product_count && result == OK; i++)
        result = send_product(seeding, &seed_products[i], err);
    if (result == OK)
        result = wait_shown(seeding, -1, err);
    for (size_t i = 0; i < seed_product_count && result == OK; i++)
        result = send_stock(seeding, &seed_products[i], err);
    return result == OK ? wait_shown(seeding, 1, err) : result;
}

enum result seed_catalogue(struct http *http, const struct suite *suite, struct progress *progress,
                           struct err *err)
{
    struct seeding seeding = {.http = http, .suite = suite, .progress = progress};
    struct suite_path mark = suite_path(suite, "store/catalogue-seeded");
    bool done = access(mark.text, F_OK) == 0;
    enum result result =
        bearer_issue(suite, NULL, NULL, SCOPE_LOAD, BEARER_SHORT_MS, seeding.bearer, err);
    if (result == OK)
        result = done ? wait_shown(&seeding, -1, err) : seed(&seeding, err);
    if (result == OK && !done)
        result = file_write(mark.text, "", 0, err);
    http_response_release(&seeding.response);
    return result;
}
