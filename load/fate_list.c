#include "load/fate_list.h"

#include <stdio.h>
#include <string.h>

#include "cli/http.h"
#include "cli/shop.h"
#include "load/fate_check.h"

enum { PAGE = 100 };

static void doubled(struct load_report *report, const struct order_key *order)
{
    char id[ID_TEXT_SIZE];
    order_key_write(order, id);
    load_fate_add(&report->fate, LOAD_DOUBLED, id, "");
}

static void add_stranger(void *context, const struct fate *fate)
{
    doubled(context, &fate->order);
}

void fate_strangers_check(const struct drive_options *run)
{
    fates_strangers(run->fates, add_stranger, run->report);
}

/* One page; *ret_json is the caller's. */
static enum result get_page(const struct drive_options *run, struct http *http, size_t customer,
                            int limit, const char *cursor, cJSON **ret_json, struct err *err)
{
    char url[1024];
    struct http_response response = {0};
    snprintf(url, sizeof url, "%.400s/v1/orders?limit=%d%s%.400s", run->url, limit,
             cursor[0] ? "&cursor=" : "", cursor);
    const struct http_request request = {.url = url, .bearer = run->bearers[customer]};
    enum result result = http_call(http, &request, &response, err);
    if (result == OK && response.status != 200)
        result = err_set(err, RETRY, "the list of orders: HTTP %d", response.status);
    if (result == OK)
        result = http_json(&response, ret_json, err);
    http_response_release(&response);
    return result;
}

static enum result newest_of(const struct drive_options *run, struct http *http, size_t customer,
                             struct order_key *ret_order, struct err *err)
{
    cJSON *json = NULL;
    enum result result = get_page(run, http, customer, 1, "", &json, err);
    if (result != OK)
        return result;
    const cJSON *orders = cJSON_GetObjectItemCaseSensitive(json, "orders");
    *ret_order = (struct order_key){{0}};
    if (cJSON_GetArraySize(orders) > 0)
        result = order_key_read(json_text(cJSON_GetArrayItem(orders, 0), "order_id"), ret_order);
    cJSON_Delete(json);
    return result == OK ? OK : err_set(err, RETRY, "the list of orders has no ids");
}

enum result fate_check_newest(const struct drive_options *run, struct order_key *newest,
                              struct err *err)
{
    struct http *http = http_new();
    enum result result = OK;
    for (size_t i = 0; i < run->customers && result == OK; i++)
        result = newest_of(run, http, i, &newest[i], err);
    http_free(http);
    return result;
}

/* The orders of one page; false when the one that was there before has come. */
static bool take_page(const struct drive_options *run, const cJSON *json,
                      const struct order_key *newest, int64_t *unnamed)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "orders"))
    {
        struct order_key order;
        if (order_key_read(json_text(item, "order_id"), &order) != OK)
            continue;
        if (memcmp(order.bytes, newest->bytes, ORDER_KEY_SIZE) == 0)
            return false;
        if (fates_find(run->fates, &order))
            continue;
        if (*unnamed > 0) {
            --*unnamed;
            run->report->fate.unknown_existing++;
        } else {
            doubled(run->report, &order);
        }
    }
    return true;
}

static enum result read_list(const struct drive_options *run, struct http *http, size_t customer,
                             const struct order_key *newest, int64_t *unnamed, struct err *err)
{
    char cursor[400] = "";
    bool more = true;
    while (more) {
        cJSON *json = NULL;
        enum result result = get_page(run, http, customer, PAGE, cursor, &json, err);
        if (result != OK)
            return result;
        more = take_page(run, json, newest, unnamed);
        snprintf(cursor, sizeof cursor, "%s", json_text(json, "next_cursor"));
        more = more && cursor[0] != '\0';
        cJSON_Delete(json);
    }
    return OK;
}

void fate_list_check(const struct drive_options *run, const struct order_key *newest,
                     int64_t unnamed)
{
    struct err err = {""};
    struct http *http = http_new();
    struct load_fate *fate = &run->report->fate;
    for (size_t i = 0; i < run->customers; i++)
        if (read_list(run, http, i, &newest[i], &unnamed, &err) != OK)
            load_text(fate->trouble, sizeof fate->trouble, err.text);
    fate->unknown_absent += unnamed;
    http_free(http);
}
