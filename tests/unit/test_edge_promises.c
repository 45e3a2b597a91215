/* Every status that openapi.yaml promises is given: each operation is brought to each of its answers.
 * That no other status is given, tests/contracts sees on the real edge. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge-service/openapi.h"
#include "edge-service/place_request.h"
#include "tests/unit/edge_front.h"
#include "tests/unit/unit.h"

#define ORDER "0190b0c0-0000-8000-8000-00000000a001"
#define NOBODYS "0190b0c0-0000-8000-8000-00000000dead"
#define COMMAND "0190b0c0-0000-8000-8000-00000000c001" /* A's, a cancel */
#define PLACE                                                                                      \
    "{\"lines\":[{\"sku\":\"MUG-1\",\"quantity\":1}],\"payment\":{\"token\":\"tok_visa\"}}"
#define OTHER_PLACE                                                                                \
    "{\"lines\":[{\"sku\":\"MUG-1\",\"quantity\":2}],\"payment\":{\"token\":\"tok_visa\"}}"
#define PRODUCT "{\"name\":\"Mug\",\"unit_price\":1,\"currency\":\"EUR\"}"
#define OTHER_PRODUCT "{\"name\":\"Mug\",\"unit_price\":2,\"currency\":\"EUR\"}"
#define KEY "Idempotency-Key: k\r\n"
#define KEY_AND_WAIT KEY "Prefer: wait=5\r\n"

static const struct operation {
    const char *name, *path, *other_path; /* the latter is not there */
    enum who who;
    const char *body, *other_body;
} operations[] = {
    {"POST /v1/orders", "/v1/orders", NULL, WHO_A, PLACE, OTHER_PLACE},
    {"GET /v1/orders", "/v1/orders", NULL, WHO_A, NULL, NULL},
    {"GET /v1/orders/{order_id}", "/v1/orders/" ORDER, "/v1/orders/" NOBODYS, WHO_A, NULL, NULL},
    {"GET /v1/orders/{order_id}/events", "/v1/orders/" ORDER "/events",
     "/v1/orders/" NOBODYS "/events", WHO_A, NULL, NULL},
    {"POST /v1/orders/{order_id}/cancel", "/v1/orders/" ORDER "/cancel",
     "/v1/orders/" NOBODYS "/cancel", WHO_A, NULL, NULL},
    {"GET /v1/products", "/v1/products", NULL, WHO_A, NULL, NULL},
    {"PUT /v1/products/{sku}", "/v1/products/MUG-1", NULL, WHO_ADMIN, PRODUCT, OTHER_PRODUCT},
    {"POST /v1/products/{sku}/stock", "/v1/products/MUG-1/stock", NULL, WHO_ADMIN, "{\"delta\":1}",
     "{\"delta\":2}"},
    {"GET /v1/commands/{command_id}", "/v1/commands/" COMMAND, "/v1/commands/" NOBODYS, WHO_A, NULL,
     NULL},
    {"GET /", "/", NULL, WHO_A, NULL, NULL},
    {"GET /livez", "/livez", NULL, WHO_A, NULL, NULL},
    {"GET /readyz", "/readyz", NULL, WHO_A, NULL, NULL},
    {"GET /metrics", "/metrics", NULL, WHO_A, NULL, NULL},
    {"GET /openapi.yaml", "/openapi.yaml", NULL, WHO_A, NULL, NULL},
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static struct front front;
static struct answered got;

static int send_as(const struct operation *operation, enum who who, const char *path,
                   const char *headers, const char *body)
{
    char method[8];
    snprintf(method, sizeof method, "%.*s", (int)strcspn(operation->name, " "), operation->name);
    return front_send(&front, &(struct asked){who, method, path, headers, body});
}

static int ask(const struct operation *operation, const char *headers, const char *body)
{
    return front_answer(&front, send_as(operation, operation->who, operation->path, headers, body),
                        &got);
}

static void start(const struct http_options *options)
{
    struct command_done done = {
        .command_id = COMMAND, .command_type = ORDER_CANCEL, .about = ORDER};
    front_open(&front, options);
    memcpy(done.customer, front.customer[0].text, sizeof done.customer);
    bottle_placed(&front.bottle, ORDER, front.customer[0].text, NULL);
    bottle_fact(&front.bottle, "/order-service", COMMAND_DONE, COMMAND, 1, &command_done_type,
                &done);
    front_turns(&front, 3);
}

/* Ways there */

static int other_role(const struct operation *operation)
{
    enum who who = operation->who == WHO_ADMIN ? WHO_A : WHO_ADMIN;
    return front_answer(&front, send_as(operation, who, operation->path, NULL, operation->body),
                        &got);
}

static int not_there(const struct operation *operation)
{
    return front_answer(
        &front, send_as(operation, operation->who, operation->other_path, NULL, operation->body),
        &got);
}

static int too_large(const struct operation *operation)
{
    static char body[70000];
    memset(body, ' ', sizeof body - 1);
    return ask(operation, NULL, body);
}

static int too_often(const struct operation *operation)
{
    int status = 0;
    for (int i = 0; i < 4 && status != 429; i++)
        status = ask(operation, NULL, operation->body);
    return status;
}

/* Nothing is sent any more, and nothing can be read. */
static int out_of_order(const struct operation *operation)
{
    static const char *const tables[] = {"DROP TABLE orders", "DROP TABLE products",
                                         "DROP TABLE command_fates"};
    edge_drain(front.bottle.edge);
    CU_ASSERT_EQUAL_FATAL(store_begin(front.bottle.keeper, NULL), OK);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        CU_ASSERT_EQUAL(store_exec(front.bottle.keeper, tables[i], STORE_NO_ARGS, NULL, NULL), OK);
    CU_ASSERT_EQUAL_FATAL(store_commit(front.bottle.keeper, NULL), OK);
    return ask(operation, NULL, operation->body);
}

static int unconfirmed(const struct operation *operation)
{
    front.bottle.chances[MEMORY_HOLD_CONFIRM] = 1;
    int fd = send_as(operation, operation->who, operation->path, NULL, operation->body);
    manual_clock_advance(&front.bottle.clock, 6000);
    return front_answer(&front, fd, &got);
}

static int other_content(const struct operation *operation)
{
    CU_ASSERT_EQUAL(ask(operation, KEY, operation->body), 202);
    return ask(operation, KEY, operation->other_body);
}

static int cancelled_before(const struct operation *operation)
{
    struct order_ended ended = {
        .order_id = ORDER, .version = 2, .reason = "before-payment", .currency = "EUR"};
    memcpy(ended.customer, front.customer[0].text, sizeof ended.customer);
    bottle_fact(&front.bottle, "/order-service", ORDER_CANCELLED, ORDER, 2, &order_cancelled_type,
                &ended);
    front_turns(&front, 3);
    return ask(operation, NULL, NULL);
}

/* What was sent before under this key has this fate; NULL: done. */
static int told(const struct operation *operation, const char *reason)
{
    struct command_refused refused = {.command_type = STOCK_ADJUST, .about = "MUG-1"};
    struct command_done done = {.command_type = STOCK_ADJUST, .about = "MUG-1"};
    CU_ASSERT_EQUAL(ask(operation, KEY, operation->body), 202);
    const char *id = strstr(got.text, "\"command_id\":\"");
    CU_ASSERT_PTR_NOT_NULL_FATAL(id);
    snprintf(done.command_id, UUID_SIZE, "%.36s", id + strlen("\"command_id\":\""));
    memcpy(refused.command_id, done.command_id, UUID_SIZE);
    snprintf(refused.reason, sizeof refused.reason, "%s", reason ? reason : "");
    if (reason)
        bottle_fact(&front.bottle, "/order-service", COMMAND_REFUSED, done.command_id, 1,
                    &command_refused_type, &refused);
    else
        bottle_fact(&front.bottle, "/order-service", COMMAND_DONE, done.command_id, 1,
                    &command_done_type, &done);
    front_turns(&front, 3);
    return ask(operation, KEY_AND_WAIT, operation->body);
}

static int placed_and_settled(const struct operation *operation)
{
    struct id order = edge_order_id(front.customer[0].text, "k");
    struct place_request request = place_of("MUG-1", 1);
    char hash[HASH_SIZE];
    place_request_hash(&request, hash);
    bottle_placed(&front.bottle, order.text, front.customer[0].text, hash);
    bottle_confirmed(&front.bottle, order.text, front.customer[0].text, 2);
    front_turns(&front, 3);
    return ask(operation, KEY_AND_WAIT, operation->body);
}

static int done(const struct operation *operation)
{
    if (operation->who == WHO_ADMIN)
        return told(operation, NULL);
    return operation->body ? placed_and_settled(operation) : ask(operation, NULL, NULL);
}

static int provoke(const struct operation *operation, int status)
{
    switch (status) {
    case 200:
        return done(operation);
    case 400: /* two hosts */
        return ask(operation, "Host: y\r\n", operation->body);
    case 401:
        return front_answer(
            &front, send_as(operation, WHO_NOBODY, operation->path, NULL, operation->body), &got);
    case 403:
        return other_role(operation);
    case 404:
        return operation->other_path ? not_there(operation) : told(operation, "unknown-product");
    case 409:
        return operation->body ? told(operation, "stale-revision") : cancelled_before(operation);
    case 413:
        return too_large(operation);
    case 415:
        return ask(operation, "Content-Type: text/plain\r\n", "{}");
    case 422:
        return other_content(operation);
    case 429:
        return too_often(operation);
    case 503:
        return out_of_order(operation);
    case 504:
        return unconfirmed(operation);
    default:
        return ask(operation, NULL, operation->body);
    }
}

static void check(const char *name, int status)
{
    const struct http_options rates = {.rate_per_address = 1};
    const struct operation *operation = NULL;
    for (size_t i = 0; i < OPERATIONS; i++)
        if (strcmp(operations[i].name, name) == 0)
            operation = &operations[i];
    if (!operation)
        printf("nobody tries %s\n", name);
    CU_ASSERT_PTR_NOT_NULL(operation);
    if (!operation)
        return;
    start(status == 429 ? &rates : NULL);
    int given = provoke(operation, status);
    if (given != status)
        printf("%s: %d instead of %d\n", name, given, status);
    CU_ASSERT_EQUAL(given, status);
    front_close(&front);
}

/* A line's word, if the line is indented by so much and ends in a colon, or goes on behind it. */
static bool key_at(const char *line, size_t indent, char *word, size_t size)
{
    if (strspn(line, " ") != indent)
        return false;
    const char *begin = line + indent + (line[indent] == '"');
    size_t length = strcspn(begin, "\":\n");
    snprintf(word, size, "%.*s", (int)length, begin);
    return length > 0;
}

/* The part of openapi.yaml that lists paths: each two blanks in, methods four, statuses eight. */
static void every_promise_is_kept(void)
{
    char path[64] = "", method[32] = "", status[32], name[128];
    int promises = 0;
    const char *line = strstr(openapi_yaml, "\npaths:\n");
    const char *end = strstr(openapi_yaml, "\ncomponents:\n");
    CU_ASSERT_FATAL(line && end && line < end);
    for (line = strchr(line + 1, '\n') + 1; line < end; line = strchr(line, '\n') + 1) {
        if (key_at(line, 2, path, sizeof path) || key_at(line, 4, method, sizeof method) ||
            !key_at(line, 8, status, sizeof status) || !isdigit((unsigned char)status[0]))
            continue;
        for (char *c = method; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        snprintf(name, sizeof name, "%s %s", method, path);
        check(name, (int)strtol(status, NULL, 10));
        promises++;
    }
    CU_ASSERT(promises > 90);
}

static const struct unit_case cases[] = {
    {"every promise is kept", every_promise_is_kept},
};
UNIT_MAIN("edge promises", cases)
