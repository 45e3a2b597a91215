/* Bodies as clients send them, through the edge's own handlers to the command that it publishes. The first byte says to
 * which route. What is answered 202 is one command that its receiver can read and that says what the body said; what is
 * answered 400 is none. */
#include "common/base/json.h"
#include "common/messaging/envelope.h"
#include "edge-service/http_private.h"
#include "edge-service/place_request.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/edge_bottle.h"

#define SKU "MUG-1"
#define ORDER "0190b0c0-0000-7000-8000-00000000000a"

enum { ACCEPTED_MAX = 256, ROUNDS = 8 };

static struct bottle bottle;
static int accepted; /* since the bottle is new */

/* What the broker has routed for the request in hand. */
static struct {
    int count;
    struct envelope envelope;
    char payload[PAYLOAD_SIZE_MAX];
} sent;

static void note_sent(void *context, const struct memory_sight *sight)
{
    cJSON *document;
    const cJSON *data;
    struct err err = {""};
    (void)context;
    if (strcmp(sight->what, "routed") != 0)
        return;
    sent.count++;
    FUZZ_HOLDS(envelope_decode(sight->body, strlen(sight->body), &sent.envelope, &document, &data,
                               &err) == OK);
    const struct contract *contract = contract_find(sent.envelope.type);
    FUZZ_HOLDS(contract && strcmp(sight->where, sent.envelope.type) == 0);
    FUZZ_HOLDS(bind_decode(contract->payload, data, BIND_CLOSED, sent.payload, &err) == OK);
    cJSON_Delete(document);
}

/* What was accepted fills the broker and the edge's memory: now and then both begin anew. */
static void ready_bottle(void)
{
    if (bottle.edge && accepted < ACCEPTED_MAX)
        return;
    if (bottle.edge)
        bottle_close(&bottle);
    bottle_open(&bottle);
    memory_broker_watch(bottle.broker, note_sent, NULL);
    bottle_placed(&bottle, ORDER, ALICE, NULL);
    bottle_run(&bottle, 2);
    accepted = 0;
}

/* The body as a reader of its own takes it; false: not at all. */
static bool read_again(const uint8_t *data, size_t size, const struct bind_type *type, void *out)
{
    static const struct json_limits limits = {BODY_MAX, BODY_DEPTH_MAX};
    cJSON *json;
    if (json_parse((const char *)data, size, &limits, &json, NULL) != OK)
        return false;
    enum result result = bind_decode(type, json, BIND_CLOSED, out, NULL);
    cJSON_Delete(json);
    return result == OK;
}

/* What an order may be, in other words than the decoder's. */
static void check_lines(const struct order_place *place)
{
    FUZZ_HOLDS(place->line_count >= 1 && place->line_count <= 50);
    for (size_t i = 0; i < place->line_count; i++) {
        FUZZ_HOLDS(place->lines[i].quantity >= 1 && place->lines[i].quantity <= 1000);
        for (size_t j = 0; j < i; j++)
            FUZZ_HOLDS(strcmp(place->lines[i].sku, place->lines[j].sku) != 0);
    }
}

static void check_place(const uint8_t *data, size_t size, unsigned status)
{
    static struct place_request request;
    char hash[HASH_SIZE];
    const struct order_place *place = (const struct order_place *)(const void *)sent.payload;
    bool good = read_again(data, size, &place_request_type, &request);
    FUZZ_HOLDS(good == (status == 202));
    if (!good)
        return;
    place_request_hash(&request, hash);
    FUZZ_HOLDS(strcmp(sent.envelope.type, "order.place") == 0);
    FUZZ_HOLDS(strcmp(place->customer, ALICE) == 0);
    FUZZ_HOLDS(strcmp(place->order_id, sent.envelope.subject) == 0);
    FUZZ_HOLDS(strcmp(place->request_hash, hash) == 0);
    FUZZ_HOLDS(strcmp(place->payment.token, request.payment.token) == 0);
    check_lines(place);
    FUZZ_HOLDS(place->line_count == request.line_count);
    for (size_t i = 0; i < place->line_count; i++)
        FUZZ_HOLDS(strcmp(place->lines[i].sku, request.lines[i].sku) == 0 &&
                   place->lines[i].quantity == request.lines[i].quantity);
}

/* Whoever sends a member that nobody knows is told so. */
static int count_members(const uint8_t *data, size_t size)
{
    cJSON *json = cJSON_ParseWithLength((const char *)data, size);
    int count = cJSON_GetArraySize(json);
    cJSON_Delete(json);
    return count;
}

static void check_command(char route, unsigned status, const uint8_t *data, size_t size)
{
    const struct set_product *product = (const struct set_product *)(const void *)sent.payload;
    const struct stock_adjust *stock = (const struct stock_adjust *)(const void *)sent.payload;
    if (status != 202)
        return;
    if (route == 'p' || route == 's')
        FUZZ_HOLDS(count_members(data, size) <= (route == 'p' ? 4 : 1));
    if (route == 'c')
        FUZZ_HOLDS(strcmp(sent.envelope.subject, ORDER) == 0);
    if (route == 'p')
        FUZZ_HOLDS(strcmp(product->sku, SKU) == 0 && product->revision >= 0);
    if (route == 's')
        FUZZ_HOLDS(strcmp(stock->sku, SKU) == 0 && stock->delta != 0);
}

/* An answer is JSON and its status is in it, where it is a problem. */
static void check_answer(const struct answer *answer)
{
    static const struct json_limits limits = {1 << 20, 4};
    cJSON *json = NULL;
    FUZZ_HOLDS(json_parse(answer->body.data, answer->body.size, &limits, &json, NULL) == OK);
    const cJSON *status = cJSON_GetObjectItem(json, "status");
    if (answer->status == 202)
        FUZZ_HOLDS(strcmp(cJSON_GetStringValue(status), "accepted") == 0);
    else
        FUZZ_HOLDS(cJSON_GetNumberValue(status) == answer->status);
    cJSON_Delete(json);
}

static void (*handler_of(char route))(struct request *)
{
    return route == 'o'   ? handle_place
           : route == 'c' ? handle_cancel
           : route == 'p' ? handle_set_product
                          : handle_stock;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || !memchr("ocps", *data, 4))
        return -1;
    char route = (char)*data++;
    size--;
    ready_bottle();
    sent.count = 0;
    struct http http = {.options = {.edge = bottle.edge, .clock = &bottle.clock.clock}};
    struct request request = {.http = &http, .stage = STAGE_WORKING};
    snprintf(request.account.customer.text, sizeof request.account.customer.text, ALICE);
    snprintf(request.parameter, sizeof request.parameter, "%s", route == 'c' ? ORDER : SKU);
    buf_append(&request.body, data, size);
    handler_of(route)(&request);
    for (int i = 0; i < ROUNDS && !request.answer.status; i++)
        bottle_run(&bottle, 1);
    unsigned status = request.answer.status;
    FUZZ_HOLDS(status == 202 || status == 400);
    FUZZ_HOLDS(sent.count == (status == 202));
    check_answer(&request.answer);
    if (route == 'o')
        check_place(data, size, status);
    check_command(route, status, data, size);
    accepted += status == 202;
    buf_release(&request.body);
    buf_release(&request.answer.body);
    return 0;
}
