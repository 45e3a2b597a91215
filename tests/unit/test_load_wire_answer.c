/* One HTTP answer out of bytes that come in any pieces. */
#include <stdlib.h>
#include <string.h>

#include "load/wire_answer.h"
#include "tests/unit/unit.h"

#define BODY "{\"order_id\":\"x\"}"

static const struct {
    const char *bytes, *body;
    int status, keep;
    enum wire_end end;
} whole[] = {
    {"HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n" BODY, BODY, 202, 1, WIRE_OPEN},
    {"HTTP/1.1 202 \r\ncontent-LENGTH:16\r\n\r\n" BODY, BODY, 202, 1, WIRE_OPEN},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "", 200, 0, WIRE_OPEN},
    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 200, 0, WIRE_OPEN},
    {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", "ok", 200, 1,
     WIRE_OPEN},
    {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, 1, WIRE_OPEN},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", 304, 1, WIRE_OPEN},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 200, 1,
     WIRE_OPEN},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
     "hello!", 200, 1, WIRE_OPEN},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA;x=y\r\n0123456789\r\n0\r\nT: "
     "1\r\n\r\n",
     "0123456789", 200, 1, WIRE_OPEN},
    {"HTTP/1.1 200\r\nContent-Length: 2 \r\nContent-Length:\t2\r\n\r\nok", "ok", 200, 1, WIRE_OPEN},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked \r\n\r\n1 ;x\r\n!\r\n0\r\n\r\n", "!", 200, 1,
     WIRE_OPEN},
    {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", 200, 0, WIRE_CLOSED},
    {"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}", "{}", 503,
     1, WIRE_OPEN},
};

static void whole_answers(void)
{
    struct buf plain = {0};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        struct wire_message message = {0};
        size_t size = strlen(whole[i].bytes);
        CU_ASSERT_EQUAL(wire_answer_read(whole[i].bytes, size, whole[i].end, &plain, &message), OK);
        CU_ASSERT_EQUAL(message.status, whole[i].status);
        CU_ASSERT_EQUAL(message.keep, whole[i].keep);
        CU_ASSERT_EQUAL(message.taken, size);
        CU_ASSERT_EQUAL_FATAL(message.size, strlen(whole[i].body));
        CU_ASSERT_EQUAL(memcmp(message.body, whole[i].body, message.size), 0);
    }
    buf_release(&plain);
}

/* Every beginning of an answer asks for more, and is never taken for a whole one. Each piece is a
 * copy of its own size: a look behind it is seen by the sanitizer. */
static void every_beginning(void)
{
    struct buf plain = {0};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        for (size_t size = 0; size < strlen(whole[i].bytes); size++) {
            struct wire_message message;
            char *piece = calloc(1, size + 1);
            memcpy(piece, whole[i].bytes, size);
            enum result result = wire_answer_read(piece, size, WIRE_OPEN, &plain, &message);
            CU_ASSERT_EQUAL(result, RETRY);
            free(piece);
        }
    }
    buf_release(&plain);
}

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define TEXT_32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define TEXT_256 TEXT_32 TEXT_32 TEXT_32 TEXT_32 TEXT_32 TEXT_32 TEXT_32 TEXT_32

static const char *const garbage[] = {
    "SSH-2.0-OpenSSH\r\n\r\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.1 abc\r\n\r\n",
    "HTTP/1.1 20\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
    /* What another reader might understand otherwise. */
    "HTTP/1.1 2000 OK\r\n\r\n",
    "HTTP/1.1 200OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 2\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    (CHUNKED "5x\r\nhello\r\n0\r\n\r\n"),
    (CHUNKED "5\r\nhello, world\r\n0\r\n\r\n"),
    (CHUNKED "5;" TEXT_256 "\r\nhello\r\n0\r\n\r\n"),
    (CHUNKED "5;" TEXT_256),
};

static void no_http(void)
{
    struct buf plain = {0};
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        struct wire_message message;
        CU_ASSERT_EQUAL(
            wire_answer_read(garbage[i], strlen(garbage[i]), WIRE_OPEN, &plain, &message), INVALID);
    }
    buf_release(&plain);
}

/* A NUL is no part of a head, nor of what stands around the chunks: no byte more can mend it. */
static void a_nul(void)
{
    static const struct {
        const char *bytes;
        size_t size;
    } nuls[] = {
#define NUL(text) {text, sizeof(text) - 1}
        NUL("HT\0P/1.1 200 OK\r\n\r\n"),
        NUL("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n"),
        NUL(CHUNKED "5\0\r\nhello\r\n0\r\n\r\n"),
        NUL(CHUNKED "5\r\nhello\r\n0\r\nA: \0\r\n\r\n"),
    };
    struct buf plain = {0};
    for (size_t i = 0; i < sizeof nuls / sizeof nuls[0]; i++) {
        struct wire_message message;
        CU_ASSERT_EQUAL(wire_answer_read(nuls[i].bytes, nuls[i].size, WIRE_OPEN, &plain, &message),
                        INVALID);
    }
    buf_release(&plain);
}

/* The end of the connection completes an answer without a length, and no other. */
static void a_cut_answer(void)
{
    static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf";
    struct buf plain = {0};
    struct wire_message message;
    CU_ASSERT_EQUAL(wire_answer_read(cut, sizeof cut - 1, WIRE_CLOSED, &plain, &message), RETRY);
    buf_release(&plain);
}

/* What follows an answer is not part of it. */
static void two_answers(void)
{
    static const char two[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n";
    struct buf plain = {0};
    struct wire_message message;
    CU_ASSERT_EQUAL(wire_answer_read(two, sizeof two - 1, WIRE_OPEN, &plain, &message), OK);
    CU_ASSERT_EQUAL(message.size, 1);
    CU_ASSERT(message.taken < sizeof two - 1);
    buf_release(&plain);
}

static const struct unit_case cases[] = {
    {"whole answers", whole_answers},
    {"every beginning", every_beginning},
    {"no HTTP", no_http},
    {"a NUL", a_nul},
    {"a cut answer", a_cut_answer},
    {"two answers", two_answers},
};

UNIT_MAIN("wire answer", cases)
