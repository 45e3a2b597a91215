/* Who gets in: every route of the edge's own table, tried by everybody. A route that is not
 * expected here fails. */
#include <stdio.h>
#include <string.h>

#include "edge-service/http_private.h"
#include "tests/unit/edge_front.h"
#include "tests/unit/unit.h"

#define ORDER "0190b0c0-0000-8000-8000-00000000a001"
#define COMMAND "0190b0c0-0000-8000-8000-00000000c001" /* A's, a cancel */
#define PLACE                                                                                      \
    "{\"lines\":[{\"sku\":\"MUG-1\",\"quantity\":1}],\"payment\":{\"token\":\"tok_visa\"}}"
#define PRODUCT "{\"name\":\"Mug\",\"unit_price\":1,\"currency\":\"EUR\"}"

static const char *const who_names[WHO_COUNT] = {
    "nobody", "customer A", "customer B", "an admin", "an expired token", "a tampered token",
};

/* What stands for {} is A's order, or a product. */
static const struct expectation {
    const char *method, *pattern, *parameter, *body;
    int status[WHO_COUNT]; /* nobody, A, B, admin, expired, tampered */
} expectations[] = {
    {"POST", "/v1/orders", "", PLACE, {401, 202, 202, 403, 401, 401}},
    {"GET", "/v1/orders", "", NULL, {401, 200, 200, 403, 401, 401}},
    {"GET", "/v1/orders/{}", ORDER, NULL, {401, 200, 404, 403, 401, 401}},
    {"GET", "/v1/orders/{}/events", ORDER, NULL, {401, 200, 404, 403, 401, 401}},
    {"POST", "/v1/orders/{}/cancel", ORDER, NULL, {401, 202, 404, 403, 401, 401}},
    {"GET", "/v1/products", "", NULL, {200, 200, 200, 200, 200, 200}},
    {"PUT", "/v1/products/{}", "MUG-1", PRODUCT, {401, 403, 403, 202, 401, 401}},
    {"POST", "/v1/products/{}/stock", "MUG-1", "{\"delta\":1}", {401, 403, 403, 202, 401, 401}},
    {"GET", "/v1/commands/{}", COMMAND, NULL, {401, 200, 404, 404, 401, 401}},
    {"GET", "/", "", NULL, {200, 200, 200, 200, 200, 200}},
    {"GET", "/livez", "", NULL, {200, 200, 200, 200, 200, 200}},
    {"GET", "/readyz", "", NULL, {200, 200, 200, 200, 200, 200}},
    {"GET", "/metrics", "", NULL, {200, 200, 200, 200, 200, 200}},
    {"GET", "/openapi.yaml", "", NULL, {200, 200, 200, 200, 200, 200}},
};
enum { EXPECTED = sizeof expectations / sizeof expectations[0] };

static struct front front;
static struct answered got;

static const struct expectation *expected_of(const struct route *route)
{
    for (size_t i = 0; i < EXPECTED; i++)
        if (strcmp(expectations[i].method, route->method) == 0 &&
            strcmp(expectations[i].pattern, route->pattern) == 0)
            return &expectations[i];
    return NULL;
}

static void path_of(const char *pattern, const char *parameter, char *path, size_t size)
{
    const char *hole = strstr(pattern, "{}");
    int before = hole ? (int)(hole - pattern) : (int)strlen(pattern);
    snprintf(path, size, "%.*s%s%s", before, pattern, hole ? parameter : "", hole ? hole + 2 : "");
}

static void start(void)
{
    front_open(&front, NULL);
    struct command_done done = {
        .command_id = COMMAND, .command_type = ORDER_CANCEL, .about = ORDER};
    memcpy(done.customer, front.customer[0].text, sizeof done.customer);
    bottle_placed(&front.bottle, ORDER, front.customer[0].text, NULL);
    bottle_fact(&front.bottle, "/order-service", COMMAND_DONE, COMMAND, 1, &command_done_type,
                &done);
    front_turns(&front, 3);
}

static void check(const char *who, const char *method, const char *path, int status, int wanted)
{
    if (status != wanted)
        printf("%s, %s %s: %d instead of %d\n", who, method, path, status, wanted);
    CU_ASSERT_EQUAL(status, wanted);
}

static void try_route(const struct route *route)
{
    const struct expectation *expectation = expected_of(route);
    char path[128];
    if (!expectation)
        printf("nothing is expected of %s %s\n", route->method, route->pattern);
    CU_ASSERT_PTR_NOT_NULL(expectation);
    if (!expectation)
        return;
    path_of(route->pattern, expectation->parameter, path, sizeof path);
    for (int who = 0; who < WHO_COUNT; who++) {
        int status = front_ask(&front, (enum who)who, route->method, path, expectation->body, &got);
        check(who_names[who], route->method, path, status, expectation->status[who]);
        CU_ASSERT(status < 400 || strstr(got.text, "\"type\":\"urn:warren:problem:") != NULL);
        CU_ASSERT((status == 401) == (strstr(got.text, "WWW-Authenticate: Bearer") != NULL));
        CU_ASSERT(who == WHO_A || strcmp(expectation->parameter, ORDER) != 0 ||
                  strstr(got.text, "MUG") == NULL);
    }
}

static void every_route_takes_whom_it_should(void)
{
    size_t count = 0;
    start();
    for (const struct route *route; (route = route_at(count)); count++)
        try_route(route);
    CU_ASSERT_EQUAL(count, EXPECTED); /* nothing is expected of what is not there */
    front_close(&front);
}

static void who_is_refused_leaves_no_trace(void)
{
    const struct route *route;
    start();
    for (size_t i = 0; (route = route_at(i)); i++) {
        const struct expectation *expectation = expected_of(route);
        char path[128];
        for (int who = 0; expectation && who < WHO_COUNT; who++) {
            if (expectation->status[who] < 400)
                continue;
            path_of(route->pattern, expectation->parameter, path, sizeof path);
            (void)front_ask(&front, (enum who)who, route->method, path, expectation->body, &got);
        }
    }
    CU_ASSERT_EQUAL(memory_broker_depth(front.bottle.broker, COMMANDS), 0);
    front_close(&front);
}

static void a_list_has_only_ones_own(void)
{
    start();
    CU_ASSERT_EQUAL(front_ask(&front, WHO_A, "GET", "/v1/orders", NULL, &got), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.text, ORDER));
    CU_ASSERT_EQUAL(front_ask(&front, WHO_B, "GET", "/v1/orders", NULL, &got), 200);
    CU_ASSERT_PTR_NULL(strstr(got.text, ORDER));
    front_close(&front);
}

static bool in_table(const char *method, const char *pattern)
{
    const struct route *route;
    const char *as = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (size_t i = 0; (route = route_at(i)); i++)
        if (strcmp(route->pattern, pattern) == 0 && strcmp(route->method, as) == 0)
            return true;
    return false;
}

static void what_is_not_in_the_table_does_not_exist(void)
{
    static const char *const methods[] = {"GET",   "HEAD",  "POST",    "PUT", "DELETE",
                                          "PATCH", "TRACE", "CONNECT", "get", "BREW"};
    static const char *const paths[] = {
        "/.",     "/v1",       "/v1/",      "/v1/orders/",   "/V1/orders",   "/v1//orders",
        "/admin", "/v1/admin", "/metrics/", "/v1/customers", "/v1/products/"};
    start();
    for (size_t i = 0; i < EXPECTED; i++)
        for (size_t j = 0; j < sizeof methods / sizeof methods[0]; j++) {
            const struct expectation *row = &expectations[i];
            char path[128];
            path_of(row->pattern, row->parameter, path, sizeof path);
            if (!in_table(methods[j], row->pattern))
                check("an admin", methods[j], path,
                      front_ask(&front, WHO_ADMIN, methods[j], path, NULL, &got), 405);
        }
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        for (int who = WHO_NOBODY; who <= WHO_ADMIN; who++)
            check(who_names[who], "GET", paths[i],
                  front_ask(&front, (enum who)who, "GET", paths[i], NULL, &got), 404);
    front_close(&front);
}

static void test_schemes(void)
{
    static const char *const headers[] = {
        "Authorization: Basic YTpi",
        "Authorization: Bearer",
        "Authorization: Bearer ",
        "Authorization: Digest x",
        "Authorization:",
        "X-Authorization: Bearer %s",
        "Cookie: token=%s",
        "Authorization: %s",
        "Authorization: Bearer%s",
        "Authorization: Bearer %s%s",
        "Authorization: Bearer \"%s\"",
        "Authorization: Bearer wt_%064d",
    };
    start();
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        char line[256], text[512];
        const char *bearer = front.bearer[WHO_A];
        const char *hole = strstr(headers[i], "%s");
        snprintf(line, sizeof line, "%.*s%s%s", hole ? (int)(hole - headers[i]) : 255, headers[i],
                 hole ? bearer : "", hole ? hole + 2 : "");
        int size =
            snprintf(text, sizeof text, "GET /v1/orders HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", line);
        front_exchange(&front, text, (size_t)size, &got);
        check(line, "GET", "/v1/orders", got.status, 401);
    }
    front_close(&front);
}

/* Rates */

static int count_of(enum who who, const char *path, int status, int tries)
{
    int count = 0;
    for (int i = 0; i < tries; i++)
        count += front_ask(&front, who, "GET", path, NULL, &got) == status;
    return count;
}

static void a_caller_has_his_rate(void)
{
    const struct http_options options = {.rate_per_caller = 1};
    front_open(&front, &options);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_A, "GET", "/v1/orders", NULL, &got), 200);
    (void)count_of(WHO_A, "/v1/orders", 200, 3);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_A, "POST", "/v1/orders", PLACE, &got), 429);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.text, "Retry-After: 1\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got.text, "Content-Type: application/problem+json"));
    CU_ASSERT_EQUAL(memory_broker_depth(front.bottle.broker, COMMANDS), 0);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_B, "GET", "/v1/orders", NULL, &got), 200);
    manual_clock_advance(&front.bottle.clock, 1000);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_A, "GET", "/v1/orders", NULL, &got), 200);
    front_close(&front);
}

/* Those without a token too, and those who try tokens; the questions of operators are counted
 * apart, so that neither crowd keeps the other out. */
static void an_address_has_its_rate(void)
{
    const struct http_options options = {.rate_per_address = 1};
    front_open(&front, &options);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_TAMPERED, "GET", "/v1/orders", NULL, &got), 401);
    (void)count_of(WHO_NOBODY, "/v1/products", 200, 3);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_TAMPERED, "GET", "/v1/orders", NULL, &got), 429);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_A, "GET", "/v1/orders", NULL, &got), 429);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_NOBODY, "GET", "/readyz", NULL, &got), 200);
    (void)count_of(WHO_NOBODY, "/metrics", 200, 3);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_NOBODY, "GET", "/livez", NULL, &got), 429);
    manual_clock_advance(&front.bottle.clock, 1000);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_NOBODY, "GET", "/livez", NULL, &got), 200);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_NOBODY, "GET", "/v1/products", NULL, &got), 200);
    front_close(&front);
}

static void load_tests_are_not_counted(void)
{
    const struct http_options options = {.rate_per_caller = 1, .rate_per_address = 1};
    front.scope = SCOPE_LOAD;
    front_open(&front, &options);
    CU_ASSERT_EQUAL(count_of(WHO_A, "/v1/orders", 200, 30), 30);
    front_close(&front);
    front.scope = SCOPE_NONE;
}

static const struct unit_case cases[] = {
    {"every route takes whom it should", every_route_takes_whom_it_should},
    {"who is refused leaves no trace", who_is_refused_leaves_no_trace},
    {"a list has only one's own", a_list_has_only_ones_own},
    {"what is not in the table does not exist", what_is_not_in_the_table_does_not_exist},
    {"only a bearer token counts", test_schemes},
    {"a caller has his rate", a_caller_has_his_rate},
    {"an address has its rate", an_address_has_its_rate},
    {"load tests are not counted", load_tests_are_not_counted},
};
UNIT_MAIN("edge access", cases)
