/* Bytes that no decent client sends, clients that take their time, and crowds: refused or cut, with
 * nothing told and nothing done, while others are served as ever. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/edge_front.h"
#include "tests/unit/unit.h"

static struct front front;
static struct answered got;

#define HEAD "Host: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
#define ORDER                                                                                      \
    "{\"lines\":[{\"sku\":\"MUG-1\",\"quantity\":1}],\"payment\":{\"token\":\"tok_visa\"}}"
#define SMUGGLED "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

/* %s is A's token: were the bytes understood after all, they would be allowed to. */
static const char *const texts[] = {
    /* where does the body end? */
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 71\r\nTransfer-Encoding: chunked\r\n\r\n"
    "47\r\n" ORDER "\r\n0\r\n\r\n" SMUGGLED,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\nContent-Length: 71\r\n\r\n"
    "0\r\n\r\n" SMUGGLED,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 71\r\nContent-Length: 71\r\n\r\n" ORDER,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 71\r\nContent-Length: 3\r\n\r\n" ORDER,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 71, 71\r\n\r\n" ORDER,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: -1\r\n\r\n" ORDER,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: +71\r\n\r\n" ORDER,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 0x47\r\n\r\n" ORDER,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 71 x\r\n\r\n" ORDER,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: \r\n\r\n" ORDER,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 18446744073709551687\r\n\r\n" ORDER,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 9223372036854775807\r\n\r\n" ORDER,
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 100\r\n\r\n" ORDER, /* and no more */
    /* chunks */
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Transfer-Encoding: x\r\n\r\n0\r\n\r\n" SMUGGLED,
    "POST /v1/orders HTTP/1.1\r\n" HEAD
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" SMUGGLED,
    "POST /v1/orders HTTP/1.1\r\n" HEAD
    "Transfer-Encoding: chunked\r\n\r\n10000000000000047\r\n" ORDER "\r\n0\r\n\r\n",
    "POST /v1/orders HTTP/1.1\r\n" HEAD
    "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n" ORDER "\r\n0\r\n\r\n",
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n-1\r\n" ORDER
    "\r\n0\r\n\r\n",
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n" ORDER
    "\r\n0\r\n\r\n",
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n" ORDER
    "\r\n0\r\n\r\n",
    /* the first line */
    "GET /livez HTTP/1.1\r\n\r\n", /* no Host */
    "GET\r\n\r\n",
    "GET /livez\r\nHost: x\r\n\r\n",
    "GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
    "GET /livez HTTP/1.1 x\r\nHost: x\r\n\r\n",
    "GET http://127.0.0.1/livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    /* paths */
    "GET /v1/orders/..%%2f..%%2flivez HTTP/1.1\r\n" HEAD "\r\n",
    "GET /v1/..%%2flivez HTTP/1.1\r\n" HEAD "\r\n",
    "GET /v1/../livez HTTP/1.1\r\n" HEAD "\r\n",
    "GET /v1%%2forders HTTP/1.1\r\n" HEAD "\r\n",
    "GET /v1%%2Forders HTTP/1.1\r\n" HEAD "\r\n",
    "GET /livez%%00 HTTP/1.1\r\n" HEAD "\r\n",
    "GET /livez%%0d%%0aX:%%20y HTTP/1.1\r\n" HEAD "\r\n",
    "GET //livez HTTP/1.1\r\n" HEAD "\r\n",
    /* headers */
    "GET /livez HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n",
    /* a bare line feed ends a line, to this edge too */
    "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 5\nTransfer-Encoding: chunked\r\n\r\n"
    "0\r\n\r\n" SMUGGLED,
    "POST /v1/orders HTTP/1.1\r\n" HEAD
    "A: b\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n" SMUGGLED,
    "\r\n\r\n\r\n",
};

/* libmicrohttpd's own refusals may repeat their head; no answer to another request may follow. To
 * another version of HTTP it says 505, as it should. */
static bool clean(const struct answered *answered)
{
    return strlen(answered->text) == answered->size && !strstr(answered->text, "microhttpd") &&
           !strstr(answered->text, "\r\nServer:") && !strstr(answered->text, "wt_") &&
           !strstr(answered->text, "HTTP/1.1 2");
}

static void check_refused(const char *what)
{
    bool fine = (got.status == 0 || got.status / 100 == 4 || got.status == 505) && clean(&got) &&
                got.closed;
    if (!fine)
        printf("%.300s\n-> %d, %s: %.400s\n", what, got.status, got.closed ? "closed" : "open",
               got.text);
    CU_ASSERT(fine);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_B, "GET", "/v1/orders", NULL, &got), 200);
}

static void try_bytes(const char *what, const void *bytes, size_t size)
{
    front_exchange(&front, bytes, size, &got);
    check_refused(what);
}

static void nothing_was_done(void)
{
    CU_ASSERT_EQUAL(memory_broker_depth(front.bottle.broker, COMMANDS), 0);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_A, "POST", "/v1/orders", ORDER, &got), 202);
    CU_ASSERT_EQUAL(memory_broker_depth(front.bottle.broker, COMMANDS), 1);
}

static void odd_texts_are_refused(void)
{
    static char text[4096];
    front_open(&front, NULL);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        /* The one hole of each. */
        size_t size = 0;
        for (const char *at = texts[i]; *at; at++) {
            if (at[0] == '%' && at[1] == '%') {
                text[size++] = *at++;
            } else if (at[0] == '%') {
                memcpy(text + size, front.bearer[WHO_A], BEARER_SIZE - 1);
                size += BEARER_SIZE - 1;
                at++;
            } else {
                text[size++] = *at;
            }
        }
        text[size] = '\0';
        try_bytes(text, text, size);
    }
    nothing_was_done();
    front_close(&front);
}

static void odd_bytes_are_refused(void)
{
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x12\x34\x56\x78\x9a";
    static const char nul[] = "GET /li\0vez HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char http2[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    front_open(&front, NULL);
    try_bytes("TLS", hello, sizeof hello - 1);
    try_bytes("a NUL in the path", nul, sizeof nul - 1);
    try_bytes("HTTP/2", http2, sizeof http2 - 1);
    nothing_was_done();
    front_close(&front);
}

/* What libmicrohttpd understands and this edge cannot see: one request, one answer. */
static void what_is_put_up_with_is_one_request(void)
{
    static const char lines[] = "GET /livez HTTP/1.1\nHost: x\n\n";
    static const char nameless[] = "GET /livez HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n";
    static const char nul[] = "GET /livez HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n";
    static const struct {
        const char *text;
        size_t size;
    } all[] = {{lines, sizeof lines - 1}, {nameless, sizeof nameless - 1}, {nul, sizeof nul - 1}};
    front_open(&front, NULL);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        front_exchange(&front, all[i].text, all[i].size, &got);
        CU_ASSERT_EQUAL(got.status, 200);
        CU_ASSERT_PTR_NULL(strstr(got.text + 1, "HTTP/1."));
    }
    nothing_was_done();
    front_close(&front);
}

/* `count` times `piece` between a beginning and an end. */
static void try_bomb(const char *what, const char *begin, const char *piece, size_t count)
{
    size_t length = strlen(piece);
    size_t size = strlen(begin);
    char *bytes = malloc(size + count * length + 5);
    if (!bytes)
        abort();
    memcpy(bytes, begin, size);
    for (size_t i = 0; i < count; i++, size += length)
        memcpy(bytes + size, piece, length);
    memcpy(bytes + size, "\r\n\r\n", 5);
    try_bytes(what, bytes, size + 4);
    free(bytes);
}

static void bombs_are_refused(void)
{
    front_open(&front, NULL);
    try_bomb("a path of 200 KB", "GET /", "aaaaaaaaaa", 20000);
    try_bomb("a method of 200 KB", "", "AAAAAAAAAA", 20000);
    try_bomb("a query of 200 KB", "GET /livez?", "a=b&aaaaaa", 20000);
    try_bomb("10,000 headers", "GET /livez HTTP/1.1\r\nHost: x\r\n", "A: b\r\n", 10000);
    try_bomb("a header of 200 KB", "GET /livez HTTP/1.1\r\nHost: x\r\nA: ", "aaaaaaaaaa", 20000);
    try_bomb("a name of 200 KB", "GET /livez HTTP/1.1\r\nHost: x\r\n", "aaaaaaaaaa", 20000);
    try_bomb("folded lines", "GET /livez HTTP/1.1\r\nHost: x\r\nA: b\r\n", " aaaaaaa\r\n", 20000);
    nothing_was_done();
    front_close(&front);
}

/* Time. A client that sends a byte every other second, for ever. */

static bool drip(int fd, const char *text, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        if (!front_write(&front, fd, (size_t)i < strlen(text) ? text + i : "a", 1))
            return false;
        manual_clock_advance(&front.bottle.clock, 1000);
        front_turns(&front, 2);
    }
    return true;
}

static void check_cut(int fd)
{
    CU_ASSERT_EQUAL(front_ask(&front, WHO_B, "GET", "/v1/orders", NULL, &got), 200);
    front_read(&front, fd, &got);
    CU_ASSERT(got.closed);
    CU_ASSERT(got.status == 0 || got.status / 100 == 4);
    close(fd);
}

static void a_slow_head_is_cut(void)
{
    front_open(&front, NULL);
    int fd = front_connect(&front);
    CU_ASSERT(drip(fd, "GET /livez HTTP/1.1\r\nX: ", 28));
    CU_ASSERT_EQUAL(front_ask(&front, WHO_B, "GET", "/v1/orders", NULL, &got), 200);
    manual_clock_advance(&front.bottle.clock, 2500);
    check_cut(fd);
    front_close(&front);
}

static void a_slow_body_is_cut(void)
{
    char text[512];
    front_open(&front, NULL);
    int fd = front_connect(&front);
    int size = snprintf(text, sizeof text,
                        "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: 60000\r\n\r\n",
                        front.bearer[WHO_A]);
    CU_ASSERT(drip(fd, "POST", 4));
    CU_ASSERT(front_write(&front, fd, text + 4, (size_t)size - 4));
    CU_ASSERT(drip(fd, "{\"lines\":[", 28));
    manual_clock_advance(&front.bottle.clock, 2500);
    check_cut(fd);
    CU_ASSERT_EQUAL(memory_broker_depth(front.bottle.broker, COMMANDS), 0);
    front_close(&front);
}

static void the_silent_and_the_idle_are_cut(void)
{
    front_open(&front, NULL);
    int silent = front_connect(&front);
    int idle = front_connect(&front);
    manual_clock_advance(&front.bottle.clock, 20000);
    CU_ASSERT(front_write(&front, idle, SMUGGLED, sizeof SMUGGLED - 1));
    front_read(&front, idle, &got);
    CU_ASSERT_EQUAL(got.status, 200);
    manual_clock_advance(&front.bottle.clock, 15000);
    check_cut(silent);
    CU_ASSERT(front_write(&front, idle, SMUGGLED, sizeof SMUGGLED - 1)); /* not for so long */
    front_read(&front, idle, &got);
    CU_ASSERT_EQUAL(got.status, 200);
    manual_clock_advance(&front.bottle.clock, 30500);
    check_cut(idle);
    front_close(&front);
}

/* Who waits because the edge makes him wait is not slow. */
static void who_waits_for_us_is_not_cut(void)
{
    char text[512];
    front_open(&front, NULL);
    int fd = front_connect(&front);
    int size = snprintf(text, sizeof text,
                        "POST /v1/orders HTTP/1.1\r\n" HEAD
                        "Prefer: wait=30\r\nContent-Length: %zu\r\n\r\n" ORDER,
                        front.bearer[WHO_A], strlen(ORDER));
    CU_ASSERT(drip(fd, "POST", 4));
    CU_ASSERT(front_write(&front, fd, text + 4, (size_t)size - 4));
    for (int i = 0; i < 32; i++) {
        manual_clock_advance(&front.bottle.clock, 1000);
        front_turns(&front, 2);
    }
    front_read(&front, fd, &got);
    CU_ASSERT_EQUAL(got.status, 202);
    close(fd);
    front_close(&front);
}

/* Crowds */

enum { CROWD = 6 };

static void one_address_has_so_many_connections(void)
{
    int crowd[CROWD];
    const struct http_options options = {.connections_max = 50, .connections_per_address = CROWD};
    front_open(&front, &options);
    for (int i = 0; i < CROWD; i++)
        crowd[i] = front_connect(&front);
    int last = front_connect(&front);
    (void)front_write(&front, last, SMUGGLED, sizeof SMUGGLED - 1);
    front_read(&front, last, &got);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT(got.closed);
    close(last);
    close(crowd[0]);
    front_turns(&front, 4);
    CU_ASSERT_EQUAL(front_ask(&front, WHO_B, "GET", "/v1/orders", NULL, &got), 200);
    for (int i = 1; i < CROWD; i++)
        close(crowd[i]);
    front_close(&front);
}

/* Those beyond wait in the listener's queue until one of the slow is cut. */
static void all_have_so_many_connections(void)
{
    int crowd[CROWD];
    const struct http_options options = {.connections_max = CROWD};
    front_open(&front, &options);
    for (int i = 0; i < CROWD; i++)
        crowd[i] = front_connect(&front);
    int last = front_connect(&front);
    CU_ASSERT(front_write(&front, last, SMUGGLED, sizeof SMUGGLED - 1));
    front_read(&front, last, &got);
    CU_ASSERT_EQUAL(got.status, 0);
    CU_ASSERT_FALSE(got.closed);
    manual_clock_advance(&front.bottle.clock, 31000);
    front_turns(&front, 4);
    front_read(&front, last, &got);
    CU_ASSERT_EQUAL(got.status, 200);
    close(last);
    for (int i = 0; i < CROWD; i++)
        close(crowd[i]);
    front_close(&front);
}

static const struct unit_case cases[] = {
    {"odd texts are refused", odd_texts_are_refused},
    {"odd bytes are refused", odd_bytes_are_refused},
    {"what is put up with is one request", what_is_put_up_with_is_one_request},
    {"bombs are refused", bombs_are_refused},
    {"a slow head is cut", a_slow_head_is_cut},
    {"a slow body is cut", a_slow_body_is_cut},
    {"the silent and the idle are cut", the_silent_and_the_idle_are_cut},
    {"who waits for us is not cut", who_waits_for_us_is_not_cut},
    {"one address has so many connections", one_address_has_so_many_connections},
    {"all have so many connections", all_have_so_many_connections},
};
UNIT_MAIN("edge raw", cases)
