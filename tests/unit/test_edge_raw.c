/* Bytes that no decent client sends, clients that take their time, and crowds: refused or cut, with
 * nothing told and nothing done, while others are served as ever. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/edge_front.h"
#include "tests/unit/unit.h"

static struct front front;
static struct answered got;

#define HEAD "Host: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
#define ORDER                                                                                      \
    "{\"lines\":[{\"sku\":\"MUG-1\",\"quantity\":1}],\"payment\":{\"token\":\"tok_visa\"}}"
#define LIVEZ "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

static void check_refused(const char *what)
{
    int status = 0;
    bool fine = front_answers(&got, "GET", &status, 1) == 1 && status / 100 == 4 && got.closed &&
                !strstr(got.text, "wt_") && !strstr(got.text, "microhttpd");
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

/* Who asks whether to send his body */

#define ASKS "Host: x\r\nExpect: 100-continue\r\n"
#define TYPE "Content-Type: application/json\r\n"

static void who_asks_is_told_what_is_certain(void)
{
    static const struct {
        const char *method, *path, *fields; /* with the token behind them but for 401 */
        int status;
    } all[] = {
        {"POST", "/v1/orders", TYPE "Content-Length: 71\r\n", 401},
        {"POST", "/v1/orders", "Content-Length: 71\r\n", 415},
        {"POST", "/v1/orders", "Content-Type: text/plain\r\nContent-Length: 71\r\n", 415},
        {"POST", "/v1/orders", TYPE "Content-Encoding: gzip\r\nContent-Length: 71\r\n", 415},
        {"POST", "/v1/orders", TYPE "Content-Length: 65537\r\n", 413},
        {"POST", "/v1/orders", TYPE "Content-Length: 9999999\r\n", 413},
        {"POST", "/v1/orders", TYPE "Content-Length: 71\r\nPrefer: wait=x\r\n", 400},
        {"POST", "/v1/orders", TYPE "Content-Length: 71\r\nIdempotency-Key: a b\r\n", 400},
        {"POST", "/v1/nothing", TYPE "Content-Length: 71\r\n", 404},
        {"PUT", "/v1/orders", TYPE "Transfer-Encoding: chunked\r\n", 405},
        {"PUT", "/v1/products/MUG-1", TYPE "Content-Length: 71\r\n", 403},
    };
    char text[1024];
    front_open(&front, NULL);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int status = 0;
        int fd = front_connect(&front);
        int size = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\n" ASKS "%s", all[i].method,
                            all[i].path, all[i].fields);
        if (all[i].status != 401)
            size += snprintf(text + size, sizeof text - (size_t)size,
                             "Authorization: Bearer %s\r\n", front.bearer[WHO_A]);
        size += snprintf(text + size, sizeof text - (size_t)size, "\r\n");
        CU_ASSERT(front_write(&front, fd, text, (size_t)size));
        front_read(&front, fd, &got);
        CU_ASSERT(front_answers(&got, "POST", &status, 1) == 1 && got.closed);
        CU_ASSERT_EQUAL(status, all[i].status);
        CU_ASSERT_EQUAL(got.status, all[i].status); /* and no 100 before it */
        close(fd);
    }
    nothing_was_done();
    front_close(&front);
}

static void who_asks_may_go_on(void)
{
    char text[512];
    front_open(&front, NULL);
    int fd = front_connect(&front);
    int size = snprintf(text, sizeof text,
                        "POST /v1/orders HTTP/1.1\r\n" HEAD
                        "Expect: 100-Continue\r\nContent-Length: %zu\r\n\r\n",
                        front.bearer[WHO_A], strlen(ORDER));
    CU_ASSERT(front_write(&front, fd, text, (size_t)size));
    front_read(&front, fd, &got);
    CU_ASSERT_EQUAL(got.status, 100);
    CU_ASSERT(front_write(&front, fd, ORDER, strlen(ORDER)));
    front_read(&front, fd, &got);
    CU_ASSERT_EQUAL(got.status, 202);
    close(fd);
    front_close(&front);
}

/* It gets no body, as it gets none to a good one. */
static void a_bad_HEAD_has_no_body(void)
{
    static const char text[] = "HEAD /livez HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n";
    int status = 0;
    front_open(&front, NULL);
    front_exchange(&front, text, sizeof text - 1, &got);
    CU_ASSERT(front_answers(&got, "HEAD", &status, 1) == 1 && status == 400 && got.closed);
    CU_ASSERT_PTR_NULL(strstr(got.text, "urn:warren"));
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

static bool answers_at(int fd)
{
    CU_ASSERT(front_write(&front, fd, LIVEZ, sizeof LIVEZ - 1));
    front_read(&front, fd, &got);
    return got.status == 200;
}

static void the_silent_and_the_idle_are_cut(void)
{
    front_open(&front, NULL);
    int silent = front_connect(&front);
    int idle = front_connect(&front);
    manual_clock_advance(&front.bottle.clock, 20000);
    CU_ASSERT(answers_at(idle));
    manual_clock_advance(&front.bottle.clock, 15000);
    check_cut(silent);
    CU_ASSERT(answers_at(idle));
    manual_clock_advance(&front.bottle.clock, 74000); /* longer than any proxy keeps it */
    front_turns(&front, 2);
    CU_ASSERT(answers_at(idle));
    manual_clock_advance(&front.bottle.clock, 75500);
    check_cut(idle);
    front_close(&front);
}

/* The first byte of a request ends the rest: its head has as long as any. */
static void a_slow_head_behind_another_is_cut(void)
{
    front_open(&front, NULL);
    int fd = front_connect(&front);
    CU_ASSERT(answers_at(fd));
    manual_clock_advance(&front.bottle.clock, 40000);
    front_turns(&front, 2);
    CU_ASSERT(drip(fd, "GET /livez HTTP/1.1\r\nX: ", 28));
    manual_clock_advance(&front.bottle.clock, 2500);
    check_cut(fd);
    fd = front_connect(&front); /* in one piece with the request before it */
    CU_ASSERT(front_write(&front, fd, LIVEZ "GET", sizeof LIVEZ + 2));
    front_read(&front, fd, &got);
    CU_ASSERT_EQUAL(got.status, 200);
    manual_clock_advance(&front.bottle.clock, 30500);
    check_cut(fd);
    front_close(&front);
}

/* Who sends a request on a connection that is just being closed gets an answer: its own when it came
 * before, else that it was not taken. */
static void a_request_on_its_way_is_answered(void)
{
    char text[512];
    front_open(&front, NULL);
    int size = snprintf(text, sizeof text,
                        "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: %zu\r\n\r\n" ORDER,
                        front.bearer[WHO_A], strlen(ORDER));
    int early = front_connect(&front);
    int late = front_connect(&front);
    CU_ASSERT(answers_at(early));
    CU_ASSERT(answers_at(late));
    manual_clock_advance(&front.bottle.clock, 75500);
    CU_ASSERT_EQUAL(send(early, text, (size_t)size, MSG_NOSIGNAL), size);
    front_turns(&front, 4); /* in time, only not read yet */
    front_read(&front, early, &got);
    CU_ASSERT_EQUAL(got.status, 202);
    CU_ASSERT_EQUAL(send(late, text, (size_t)size, MSG_NOSIGNAL), size);
    front_turns(&front, 4);
    front_read(&front, late, &got);
    CU_ASSERT_EQUAL(got.status, 408);
    CU_ASSERT(got.closed);
    CU_ASSERT_EQUAL(memory_broker_depth(front.bottle.broker, COMMANDS), 1);
    close(early);
    close(late);
    front_turns(&front, 4);
    front_ask(&front, WHO_NOBODY, "GET", "/metrics", NULL, &got);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.text, "\nwarren_http_connections 1\n"));
    front_close(&front);
}

/* One that was told to go and stays is shut a moment later. */
static void who_was_told_to_go_goes(void)
{
    front_open(&front, NULL);
    int fd = front_connect(&front);
    CU_ASSERT(answers_at(fd));
    manual_clock_advance(&front.bottle.clock, 75500);
    front_read(&front, fd, &got);
    CU_ASSERT_EQUAL(got.status, 408);
    for (int i = 0; i < 100; i++)
        (void)send(fd, LIVEZ, sizeof LIVEZ - 1, MSG_NOSIGNAL);
    front_turns(&front, 4);
    manual_clock_advance(&front.bottle.clock, 2500);
    front_turns(&front, 4);
    front_ask(&front, WHO_NOBODY, "GET", "/metrics", NULL, &got);
    CU_ASSERT_PTR_NOT_NULL(strstr(got.text, "\nwarren_http_connections 1\n"));
    close(fd);
    front_close(&front);
}

static void who_stops_says_goodbye(void)
{
    front_open(&front, NULL);
    int fd = front_connect(&front);
    CU_ASSERT(answers_at(fd));
    http_quiesce(front.http);
    front_read(&front, fd, &got);
    CU_ASSERT_EQUAL(got.status, 408);
    CU_ASSERT(got.closed);
    close(fd);
    front_close(&front);
}

/* Who sends more than is read, and does not listen meanwhile, gets to read why. */

/* All of it, whatever is said meanwhile; false: the other side has reset. */
static bool send_all(int fd, const char *begin, size_t filler)
{
    static char filling[16384];
    memset(filling, 'a', sizeof filling);
    if (!front_write(&front, fd, begin, strlen(begin)))
        return false;
    for (size_t left = filler, piece; left > 0; left -= piece) {
        piece = left < sizeof filling ? left : sizeof filling;
        if (!front_write(&front, fd, filling, piece))
            return false;
    }
    return true;
}

static void too_much_is_read_to_its_answer(void)
{
    static const struct {
        const char *begin;
        size_t filler;
        int status;
    } all[] = {
        {"POST /v1/orders HTTP/1.1\r\n" ASKS TYPE "Content-Length: 3000000\r\n\r\n", 3000000, 413},
        {"POST /v1/orders HTTP/1.1\r\nHost: x\r\n" TYPE "Content-Length: 3000000\r\n\r\n", 3000000,
         413},
        {"POST /v1/orders HTTP/1.1\r\nHost: x\r\n" TYPE
         "Transfer-Encoding: chunked\r\n\r\nffffff\r\n",
         3000000, 413},
        {"GET /livez HTTP/1.1\r\nHost: x\r\nCookie: ", 3000000, 431},
        {"GET /", 3000000, 414},
        {"POST /v1/orders HTTP/1.1\r\nHost: x\r\nExpect: x\r\nContent-Length: 900000\r\n\r\n",
         900000, 417},
    };
    front_open(&front, NULL);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int status = 0;
        int fd = front_connect(&front);
        CU_ASSERT(send_all(fd, all[i].begin, all[i].filler));
        front_read(&front, fd, &got);
        CU_ASSERT(front_answers(&got, "POST", &status, 1) == 1 && got.closed);
        CU_ASSERT_EQUAL(status, all[i].status);
        close(fd);
        front_turns(&front, 2);
    }
    nothing_was_done();
    front_close(&front);
}

/* But not for ever, nor without end. */
static void nobody_is_read_for_ever(void)
{
    static const char begin[] =
        "POST /v1/orders HTTP/1.1\r\nHost: x\r\n" TYPE "Content-Length: 99999999\r\n\r\n";
    front_open(&front, NULL);
    int fd = front_connect(&front);
    CU_ASSERT_FALSE(send_all(fd, begin, 64 * 1024 * 1024));
    close(fd);
    fd = front_connect(&front);
    CU_ASSERT(send_all(fd, begin, 100000));
    manual_clock_advance(&front.bottle.clock, 3500);
    front_turns(&front, 4);
    CU_ASSERT_FALSE(send_all(fd, "", 1000000));
    close(fd);
    nothing_was_done();
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
    (void)front_write(&front, last, LIVEZ, sizeof LIVEZ - 1);
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

/* One more, and the one goes that has waited longest for a request; not one that has one. */
static void all_have_so_many_connections(void)
{
    int crowd[CROWD];
    char text[512];
    const struct http_options options = {.connections_max = CROWD};
    front_open(&front, &options);
    for (int i = 0; i < CROWD; i++)
        crowd[i] = front_connect(&front);
    int size = snprintf(text, sizeof text,
                        "POST /v1/orders HTTP/1.1\r\n" HEAD "Content-Length: %zu\r\n\r\n{",
                        front.bearer[WHO_A], strlen(ORDER));
    CU_ASSERT(front_write(&front, crowd[0], text, (size_t)size)); /* in the middle of a body */
    CU_ASSERT(front_write(&front, crowd[1], LIVEZ, sizeof LIVEZ - 1));
    front_read(&front, crowd[1], &got);
    CU_ASSERT_EQUAL(got.status, 200); /* and now the last */
    for (int i = 2; i < CROWD + 1; i++) {
        int last = front_connect(&front);
        CU_ASSERT(front_write(&front, last, LIVEZ, sizeof LIVEZ - 1));
        front_read(&front, last, &got);
        CU_ASSERT_EQUAL(got.status, 200);
        int gone = i < CROWD ? i : 1;
        front_read(&front, crowd[gone], &got);
        CU_ASSERT(got.closed);
        close(crowd[gone]);
        crowd[gone] = last;
    }
    CU_ASSERT(front_write(&front, crowd[0], &(ORDER)[1], strlen(ORDER) - 1));
    front_read(&front, crowd[0], &got);
    CU_ASSERT_EQUAL(got.status, 202);
    front_ask(&front, WHO_NOBODY, "GET", "/metrics", NULL, &got);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(got.text, "warren_http_connections_cut_total{reason=\"full\"} 6\n"));
    for (int i = 0; i < CROWD; i++)
        close(crowd[i]);
    front_close(&front);
}

static const struct unit_case cases[] = {
    {"bombs are refused", bombs_are_refused},
    {"who asks is told what is certain", who_asks_is_told_what_is_certain},
    {"who asks may go on", who_asks_may_go_on},
    {"a bad HEAD has no body", a_bad_HEAD_has_no_body},
    {"a slow head is cut", a_slow_head_is_cut},
    {"a slow body is cut", a_slow_body_is_cut},
    {"the silent and the idle are cut", the_silent_and_the_idle_are_cut},
    {"a slow head behind another is cut", a_slow_head_behind_another_is_cut},
    {"a request on its way is answered", a_request_on_its_way_is_answered},
    {"who was told to go goes", who_was_told_to_go_goes},
    {"who stops says goodbye", who_stops_says_goodbye},
    {"too much is read to its answer", too_much_is_read_to_its_answer},
    {"nobody is read for ever", nobody_is_read_for_ever},
    {"who waits for us is not cut", who_waits_for_us_is_not_cut},
    {"one address has so many connections", one_address_has_so_many_connections},
    {"all have so many connections", all_have_so_many_connections},
};
UNIT_MAIN("edge raw", cases)
