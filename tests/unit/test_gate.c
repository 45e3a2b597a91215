/* The gate in recv(): what the library relies on. It takes a socket for drained when it gets less
 * than it asked for, so that must be true, whatever its buffer and however the bytes come. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge-service/connections.h"
#include "tests/unit/unit.h"

#define HEAD "GET /livez HTTP/1.1\r\nHost: x\r\n"
#define QUICK HEAD "\r\n"
#define BODY "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789"
#define CHUNKS                                                                                     \
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\nA: "       \
    "b\r\n\r\n"
#define ENDING "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

enum { STREAM_MAX = 4096 };

/* By its address, as the library has it: a checked build would make another call of it here. */
static ssize_t (*const library_recv)(int fd, void *bytes, size_t size, int flags) = recv;

static struct connections connections;
static struct connection connection;
static int outside, inside;

static void start(void)
{
    int pair[2];
    CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    outside = pair[0];
    inside = pair[1];
    connections_init(&connections, 1000, 1000, 0);
    connection = (struct connection){.requests = 0};
    connection_open(&connections, &connection, inside, 0);
    gates_begin(&connections.gates);
}

static void stop(void)
{
    gates_end();
    connection_close(&connections, &connection);
    connections_release(&connections);
    close(outside);
    close(inside);
}

/* As the library reads: on and on until there is less than it asked for. */
static size_t read_out(char *out, size_t buffer)
{
    char bytes[STREAM_MAX];
    size_t size = 0;
    ssize_t came;
    do {
        came = library_recv(inside, bytes, buffer, 0);
        if (came > 0)
            memcpy(out + size, bytes, (size_t)came);
        size += came > 0 ? (size_t)came : 0;
    } while (came == (ssize_t)buffer);
    CU_ASSERT(library_recv(inside, bytes, 1, 0) == -1);
    return size;
}

static void less_than_asked_for_is_all(void)
{
    static const char *const streams[][2] = {
        {QUICK QUICK BODY CHUNKS QUICK, QUICK QUICK BODY CHUNKS QUICK},
        {BODY QUICK HEAD, BODY QUICK},
        {QUICK HEAD "A : b\r\n\r\n" QUICK, QUICK ENDING},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
         "chunked\r\n\r\n5\r\n01234\r\nx\r\n" QUICK,
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
         "chunked\r\n\r\n5\r\n01234\r\n0\r\n\r\n"}};
    static const size_t buffers[] = {1, 2, 7, 31, 64, 100, STREAM_MAX};
    char out[STREAM_MAX];
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
        for (size_t k = 0; k < sizeof buffers / sizeof buffers[0]; k++)
            for (size_t step = 1; step <= 256; step *= 4) {
                size_t size = 0;
                start();
                for (size_t at = 0, all = strlen(streams[i][0]); at < all; at += step) {
                    size_t piece = step < all - at ? step : all - at;
                    CU_ASSERT(write(outside, streams[i][0] + at, piece) == (ssize_t)piece);
                    size += read_out(out + size, buffers[k]);
                }
                CU_ASSERT_EQUAL(size, strlen(streams[i][1]));
                CU_ASSERT(memcmp(out, streams[i][1], size) == 0);
                stop();
            }
}

static void others_are_not_touched(void)
{
    char out[64];
    int other[2];
    start();
    CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0);
    CU_ASSERT(write(other[0], "\n\0\r", 3) == 3);
    CU_ASSERT(library_recv(other[1], out, sizeof out, 0) == 3 && memcmp(out, "\n\0\r", 3) == 0);
    CU_ASSERT(write(outside, HEAD, sizeof HEAD - 1) == sizeof HEAD - 1);
    gates_end(); /* and nobody is without the library */
    CU_ASSERT(library_recv(inside, out, sizeof out, 0) == sizeof HEAD - 1);
    stop();
    close(other[0]);
    close(other[1]);
}

static void what_was_never_seen_is_known(void)
{
    char out[STREAM_MAX];
    start();
    CU_ASSERT_EQUAL(gate_verdict(&connection.gate, 1), GATE_NEVER_SEEN);
    CU_ASSERT(write(outside, QUICK HEAD "\n", sizeof QUICK HEAD) == sizeof QUICK HEAD);
    (void)read_out(out, sizeof out);
    CU_ASSERT_EQUAL(gate_verdict(&connection.gate, 1), GATE_GOOD);
    CU_ASSERT_EQUAL(gate_verdict(&connection.gate, 2), GATE_REFUSED);
    CU_ASSERT_EQUAL(gate_verdict(&connection.gate, 3), GATE_NEVER_SEEN);
    stop();
}

static void rounds(int count)
{
    for (; count > 0; count--) {
        gates_begin(&connections.gates);
        connections_cut(&connections, 0);
    }
}

/* The library was given all that it had room for, and does not read on: it is stuck. */
static void who_does_not_read_on_is_cut(void)
{
    char out[8];
    start();
    CU_ASSERT(write(outside, BODY, sizeof BODY - 1) == sizeof BODY - 1);
    CU_ASSERT(library_recv(inside, out, sizeof out, 0) == sizeof out);
    rounds(GATE_ROUNDS_MAX);
    CU_ASSERT_EQUAL(connections.cut[CUT_STUCK], 0);
    CU_ASSERT(library_recv(inside, out, sizeof out, 0) == sizeof out); /* it does after all */
    rounds(GATE_ROUNDS_MAX);
    CU_ASSERT_EQUAL(connections.cut[CUT_STUCK], 0);
    rounds(1);
    CU_ASSERT_EQUAL(connections.cut[CUT_STUCK], 1);
    CU_ASSERT(library_recv(outside, out, sizeof out, 0) == 0);
    stop();
}

static void who_waits_is_not_cut(void)
{
    char out[STREAM_MAX];
    start();
    CU_ASSERT(write(outside, BODY, sizeof BODY - 1) == sizeof BODY - 1);
    CU_ASSERT(library_recv(inside, out, sizeof BODY - 1, 0) == sizeof BODY - 1);
    CU_ASSERT(library_recv(inside, out, sizeof out, 0) == -1); /* for the socket */
    rounds(2 * GATE_ROUNDS_MAX);
    CU_ASSERT(write(outside, QUICK, sizeof QUICK - 1) == sizeof QUICK - 1);
    CU_ASSERT(library_recv(inside, out, sizeof QUICK - 1, 0) == sizeof QUICK - 1);
    connection_pause(&connections, &connection); /* for the edge */
    rounds(2 * GATE_ROUNDS_MAX);
    CU_ASSERT_EQUAL(connections.cut[CUT_STUCK], 0);
    stop();
}

static const struct unit_case cases[] = {
    {"less than asked for is all", less_than_asked_for_is_all},
    {"others are not touched", others_are_not_touched},
    {"what was never seen is known", what_was_never_seen_is_known},
    {"who does not read on is cut", who_does_not_read_on_is_cut},
    {"who waits is not cut", who_waits_is_not_cut},
};
UNIT_MAIN("gate", cases)
