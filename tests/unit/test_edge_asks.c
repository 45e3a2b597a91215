/* What a request asks beside its path: preferences, content codings, and what other methods want to know. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/edge_front.h"
#include "tests/unit/unit.h"

#define ORDER                                                                                      \
    "{\"lines\":[{\"sku\":\"MUG-1\",\"quantity\":1}],\"payment\":{\"token\":\"tok_visa\"}}"

static struct front front;
static struct answered got;

static int ask(enum who who, const char *method, const char *path, const char *headers,
               const char *body)
{
    return front_answer(
        &front, front_send(&front, &(struct asked){who, method, path, headers, body}), &got);
}

/* How long an order with these fields waits, as its answer says it: in seconds, 0 at once, -1 when it is
 * refused. */
static int waits(const char *headers)
{
    const struct asked asked = {WHO_A, "POST", "/v1/orders", headers, ORDER};
    int seconds = 0;
    front_open(&front, NULL);
    int fd = front_send(&front, &asked);
    front_read(&front, fd, &got);
    for (; got.status == 0 && seconds < 40; seconds++) {
        manual_clock_advance(&front.bottle.clock, 1000);
        front_turns(&front, 3);
        front_read(&front, fd, &got);
    }
    close(fd);
    char applied[64];
    snprintf(applied, sizeof applied, "\r\nPreference-Applied: wait=%d\r\n", seconds);
    bool told = strstr(got.text, applied) != NULL;
    bool any = strstr(got.text, "Preference-Applied") != NULL;
    CU_ASSERT_EQUAL(told, seconds > 0);
    CU_ASSERT_EQUAL(any, told);
    int status = got.status;
    front_close(&front);
    return status == 202 ? seconds : -1;
}

static void all_preferences_are_read(void)
{
    static const struct {
        const char *headers;
        int waits;
    } all[] = {
        {"Prefer: wait=3\r\n", 3},
        {"Prefer: respond-async\r\nPrefer: wait=3\r\n", 3},
        {"Prefer: respond-async, wait=3\r\n", 3},
        {"Prefer: wait=3\r\nPrefer: wait=9\r\n", 3}, /* the first counts */
        {"prefer: WAIT = 3 ; x\r\n", 3},
        {"Prefer: wait=\"3\"\r\n", 3},
        {"Prefer: a=\"wait=9, wait=8\", wait=3\r\n", 3},
        {"Prefer: a; wait=9, wait=3\r\n", 3},
        {"Prefer: a=\"\\\", wait=9\"; b, wait=3\r\n", 3},
        {"Prefer: \r\nPrefer: ,,wait=3,\r\n", 3},
        {"Prefer: await=9, wait-more=9\r\n", 0},
        {"Prefer: \"wait=9\r\n", 0},
        {"Prefer: wait=0\r\n", 0},
        {"Prefer: wait=30\r\n", 30},
        {"Prefer: wait=31\r\n", 30}, /* as long as there is to be had, and it says so */
        {"Prefer: wait=99999999999999999999\r\n", 30},
        {"Prefer: wait\r\n", -1},
        {"Prefer: wait=\r\n", -1},
        {"Prefer: wait=3x\r\n", -1},
        {"Prefer: wait=-3\r\n", -1},
        {"Prefer: wait=\"3\r\n", -1},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int seconds = waits(all[i].headers);
        if (seconds != all[i].waits)
            printf("%s waits %d\n", all[i].headers, seconds);
        CU_ASSERT_EQUAL(seconds, all[i].waits);
    }
}

static void a_coding_is_not_taken(void)
{
    static const struct {
        const char *headers;
        int status;
    } all[] = {
        {"Content-Encoding: identity\r\n", 202},
        {"Content-Encoding: Identity\r\nContent-Encoding: identity, identity\r\n", 202},
        {"Content-Encoding:\r\n", 202},
        {"Content-Encoding: gzip\r\n", 415},
        {"Content-Encoding: identity\r\nContent-Encoding: br\r\n", 415},
        {"Content-Encoding: identity, gzip\r\n", 415},
        {"Content-Encoding: identity;q=1\r\n", 415},
        {"Content-Encoding: x\r\n", 415},
    };
    front_open(&front, NULL);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int status = ask(WHO_A, "POST", "/v1/orders", all[i].headers, ORDER);
        if (status != all[i].status)
            printf("%s is %d\n", all[i].headers, status);
        CU_ASSERT_EQUAL(status, all[i].status);
        CU_ASSERT_EQUAL(strstr(got.text, "\r\nAccept-Encoding: identity\r\n") != NULL,
                        status == 415);
    }
    CU_ASSERT_EQUAL(ask(WHO_A, "POST", "/v1/orders", "Content-Type: text/plain\r\n", ORDER), 415);
    CU_ASSERT_PTR_NULL(strstr(got.text, "Accept-Encoding"));
    CU_ASSERT_EQUAL(ask(WHO_A, "GET", "/v1/orders", "Content-Encoding: gzip\r\n", NULL), 200);
    front_close(&front);
}

static void every_path_says_what_it_takes(void)
{
    static const struct {
        const char *path, *allow;
    } all[] = {
        {"*", "GET, HEAD, POST, PUT, OPTIONS"},
        {"/", "GET, HEAD, OPTIONS"},
        {"/livez", "GET, HEAD, OPTIONS"},
        {"/v1/orders", "POST, GET, HEAD, OPTIONS"},
        {"http://shop/v1/products/MUG-1", "PUT, OPTIONS"},
    };
    char header[96];
    front_open(&front, NULL);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        CU_ASSERT_EQUAL(ask(WHO_NOBODY, "OPTIONS", all[i].path, NULL, NULL), 204);
        snprintf(header, sizeof header, "\r\nAllow: %s\r\n", all[i].allow);
        CU_ASSERT_PTR_NOT_NULL(strstr(got.text, header));
    }
    CU_ASSERT_EQUAL(ask(WHO_NOBODY, "OPTIONS", "/nothing", NULL, NULL), 404);
    front_close(&front);
}

/* HEAD is answered as GET is, without the body. */
static void head_goes_wherever_get_does(void)
{
    static const char *const paths[] = {
        "/", "/livez", "/v1/products", "/v1/orders", "http://shop/openapi.yaml", "/nothing"};
    front_open(&front, NULL);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char length[64] = "";
        int status = ask(WHO_A, "GET", paths[i], NULL, NULL);
        const char *at = strstr(got.text, "\r\nContent-Length: ");
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        snprintf(length, sizeof length, "%.*s", (int)strcspn(at + 2, "\r"), at + 2);
        CU_ASSERT_EQUAL(ask(WHO_A, "HEAD", paths[i], NULL, NULL), status);
        CU_ASSERT_PTR_NOT_NULL(strstr(got.text, length));
        CU_ASSERT_STRING_EQUAL(strstr(got.text, "\r\n\r\n"), "\r\n\r\n");
    }
    front_close(&front);
}

/* Who cannot be told apart cannot be told that nothing was accepted under his key. */
static void a_key_of_nobody_knows_whom_is_unknown(void)
{
    struct err err = {""};
    front_open(&front, NULL);
    CU_ASSERT_EQUAL_FATAL(store_begin(front.accounts, &err), OK);
    CU_ASSERT_EQUAL_FATAL(store_exec(front.accounts, "DROP TABLE token", STORE_NO_ARGS, NULL, &err),
                          OK);
    CU_ASSERT_EQUAL_FATAL(store_commit(front.accounts, &err), OK);
    CU_ASSERT_EQUAL(ask(WHO_A, "POST", "/v1/orders", NULL, ORDER), 503);
    CU_ASSERT_EQUAL(ask(WHO_A, "POST", "/v1/orders", "Idempotency-Key: k\r\n", ORDER), 504);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.text, "\"idempotency_key\":\"k\""));
    CU_ASSERT_EQUAL(ask(WHO_A, "GET", "/v1/orders", "Idempotency-Key: k\r\n", NULL), 503);
    front_close(&front);
}

static const struct unit_case cases[] = {
    {"all preferences are read", all_preferences_are_read},
    {"a coding is not taken", a_coding_is_not_taken},
    {"every path says what it takes", every_path_says_what_it_takes},
    {"HEAD goes wherever GET does", head_goes_wherever_get_does},
    {"a key of nobody knows whom is unknown", a_key_of_nobody_knows_whom_is_unknown},
};
UNIT_MAIN("edge asks", cases)
