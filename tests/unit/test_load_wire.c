/* The HTTP client over real sockets, against a server that says what a case wants it to say. Client
 * and server take turns in one thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load/wire.h"
#include "tests/unit/unit.h"

enum { CONNECTIONS = 8, HEARD_MAX = 64 };

enum manner { STAY, HANG_UP };

static struct server {
    int listener, port;
    const char *pieces[8]; /* the answer to each request, piece by piece; NULL ends */
    enum manner manner;
    int fds[CONNECTIONS];
    size_t next_piece[CONNECTIONS]; /* SIZE_MAX: no request yet */
    int accepted, requests;
    char last_request[4096];
} server;

static struct heard {
    uint64_t token;
    enum wire_outcome outcome;
    int status;
    char body[64];
} heard[HEARD_MAX];
static size_t heard_count;

static void hear(void *context, uint64_t token, const struct wire_answer *answer)
{
    (void)context;
    CU_ASSERT_FATAL(heard_count < HEARD_MAX);
    struct heard *h = &heard[heard_count++];
    *h = (struct heard){.token = token, .outcome = answer->outcome, .status = answer->status};
    CU_ASSERT_EQUAL(answer->body[answer->size], '\0');
    snprintf(h->body, sizeof h->body, "%s", answer->body);
}

static void serve(const char *const *pieces, enum manner manner)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server = (struct server){.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
                             .manner = manner};
    CU_ASSERT_FATAL(server.listener >= 0);
    CU_ASSERT_EQUAL_FATAL(bind(server.listener, (struct sockaddr *)&address, size), 0);
    CU_ASSERT_EQUAL_FATAL(listen(server.listener, 16), 0);
    getsockname(server.listener, (struct sockaddr *)&address, &size);
    server.port = ntohs(address.sin_port);
    for (size_t i = 0; pieces[i]; i++)
        server.pieces[i] = pieces[i];
    for (size_t i = 0; i < CONNECTIONS; i++)
        server.fds[i] = -1;
    heard_count = 0;
}

static void server_ends(void)
{
    for (size_t i = 0; i < CONNECTIONS; i++)
        if (server.fds[i] >= 0)
            close(server.fds[i]);
    close(server.listener);
}

/* One piece for everybody who has asked. */
static void server_turn(void)
{
    int fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd >= 0) {
        server.fds[server.accepted % CONNECTIONS] = fd;
        server.next_piece[server.accepted++ % CONNECTIONS] = SIZE_MAX;
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (server.fds[i] < 0)
            continue;
        ssize_t got = recv(server.fds[i], server.last_request, sizeof server.last_request - 1, 0);
        if (got > 0) {
            server.last_request[got] = '\0';
            server.requests++;
            server.next_piece[i] = 0;
        }
        const char *piece =
            server.next_piece[i] == SIZE_MAX ? NULL : server.pieces[server.next_piece[i]];
        if (piece) {
            CU_ASSERT_EQUAL(send(server.fds[i], piece, strlen(piece), MSG_NOSIGNAL),
                            (ssize_t)strlen(piece));
            server.next_piece[i]++;
        } else if (server.next_piece[i] != SIZE_MAX) {
            server.next_piece[i] = SIZE_MAX;
            if (server.manner == HANG_UP) {
                close(server.fds[i]);
                server.fds[i] = -1;
            }
        }
    }
}

static struct wire *client(size_t connections, int64_t timeout_ms)
{
    char url[64];
    struct wire *wire;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/shop/", server.port);
    const struct wire_options options = {.url = url,
                                         .connections = connections,
                                         .timeout_ms = timeout_ms,
                                         .connecting_ms = timeout_ms,
                                         .listener = hear};
    CU_ASSERT_EQUAL_FATAL(wire_new(&options, &wire, NULL), OK);
    return wire;
}

static enum result ask(struct wire *wire, uint64_t token)
{
    const struct wire_request request = {
        .method = "POST", .path = "/v1/orders", .headers = "A: b\r\n", .body = "{}", .size = 2};
    return wire_send(wire, &request, token);
}

/* Until so many answers have been heard; a test that hangs is ended by its runner. */
static void until(struct wire *wire, size_t answers)
{
    while (heard_count < answers) {
        struct pollfd fd = {.fd = wire_fd(wire), .events = POLLIN};
        poll(&fd, 1, 1);
        wire_run(wire);
        server_turn();
    }
}

#define ACCEPTED "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"

static void kept_connections(void)
{
    serve((const char *const[]){ACCEPTED, NULL}, STAY);
    struct wire *wire = client(4, 5000);
    for (uint64_t i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(ask(wire, i), OK);
        until(wire, i + 1);
        CU_ASSERT_EQUAL(heard[i].token, i);
        CU_ASSERT_EQUAL(heard[i].outcome, WIRE_ANSWERED);
        CU_ASSERT_EQUAL(heard[i].status, 202);
        CU_ASSERT_STRING_EQUAL(heard[i].body, "ok");
    }
    CU_ASSERT_EQUAL(server.accepted, 1);
    CU_ASSERT_EQUAL(server.requests, 10);
    char wanted[128];
    snprintf(wanted, sizeof wanted,
             "POST /shop/v1/orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nA: b\r\n"
             "Content-Length: 2\r\n\r\n{}",
             server.port);
    CU_ASSERT_STRING_EQUAL(server.last_request, wanted);
    wire_free(wire);
    server_ends();
}

static void no_more_than_allowed(void)
{
    serve((const char *const[]){ACCEPTED, NULL}, STAY);
    struct wire *wire = client(2, 5000);
    CU_ASSERT_EQUAL(ask(wire, 1), OK);
    CU_ASSERT_EQUAL(ask(wire, 2), OK);
    CU_ASSERT_EQUAL(ask(wire, 3), RETRY);
    CU_ASSERT_EQUAL(wire_in_flight(wire), 2);
    until(wire, 2);
    CU_ASSERT_EQUAL(ask(wire, 3), OK);
    until(wire, 3);
    CU_ASSERT_EQUAL(server.accepted, 2);
    wire_free(wire);
    server_ends();
}

static void in_pieces(void)
{
    serve((const char *const[]){"HTTP/1.1 200 O", "K\r\nTransfer-Encoding: chunked\r\n",
                                "\r\n3\r\nabc", "\r\n2\r\nd", "e\r\n0\r\n", "\r\n", NULL},
          STAY);
    struct wire *wire = client(1, 5000);
    for (uint64_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(ask(wire, i), OK);
        until(wire, i + 1);
        CU_ASSERT_EQUAL(heard[i].outcome, WIRE_ANSWERED);
        CU_ASSERT_STRING_EQUAL(heard[i].body, "abcde");
    }
    CU_ASSERT_EQUAL(server.accepted, 1);
    wire_free(wire);
    server_ends();
}

static const struct {
    const char *piece;
    enum manner manner;
    enum wire_outcome outcome;
    int status;
} endings[] = {
    {"HTTP/1.1 202 Accepted\r\nContent-Length: 20\r\n\r\nhalf", HANG_UP, WIRE_BROKEN, 0},
    {"HTTP/1.1 202 Acc", HANG_UP, WIRE_BROKEN, 0},
    {"HTTP/1.1 200 OK\r\n\r\nto the end", HANG_UP, WIRE_ANSWERED, 200},
    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", HANG_UP, WIRE_ANSWERED,
     200},
    {"SSH-2.0\r\n", STAY, WIRE_GARBLED, 0},
    {ACCEPTED ACCEPTED, STAY, WIRE_GARBLED, 0},
};

/* And each time the next request gets a fresh connection. */
static void ends_of_connections(void)
{
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        serve((const char *const[]){endings[i].piece, NULL}, endings[i].manner);
        struct wire *wire = client(1, 5000);
        for (uint64_t n = 0; n < 2; n++) {
            CU_ASSERT_EQUAL(ask(wire, n), OK);
            until(wire, n + 1);
            CU_ASSERT_EQUAL(heard[n].outcome, endings[i].outcome);
            CU_ASSERT_EQUAL(heard[n].status, endings[i].status);
        }
        CU_ASSERT_EQUAL(server.accepted, 2);
        wire_free(wire);
        server_ends();
    }
}

static void nothing_at_all(void)
{
    serve((const char *const[]){NULL}, HANG_UP);
    struct wire *wire = client(1, 5000);
    CU_ASSERT_EQUAL(ask(wire, 1), OK);
    until(wire, 1);
    CU_ASSERT_EQUAL(heard[0].outcome, WIRE_BROKEN);
    wire_free(wire);
    server_ends();
}

static void too_late(void)
{
    serve((const char *const[]){"HTTP/1.1 202", NULL}, STAY);
    struct wire *wire = client(1, 50);
    CU_ASSERT_EQUAL(ask(wire, 1), OK);
    until(wire, 1);
    CU_ASSERT_EQUAL(heard[0].outcome, WIRE_TIMEOUT);
    CU_ASSERT_EQUAL(wire_in_flight(wire), 0);
    CU_ASSERT_EQUAL(wire_deadline_ns(wire), INT64_MAX);
    wire_free(wire);
    server_ends();
}

static void nobody_listens(void)
{
    serve((const char *const[]){NULL}, STAY);
    close(server.listener);
    struct wire *wire = client(1, 5000);
    CU_ASSERT_EQUAL(ask(wire, 1), OK);
    CU_ASSERT_EQUAL(heard_count, 0); /* told from wire_run only */
    until(wire, 1);
    CU_ASSERT_EQUAL(heard[0].outcome, WIRE_NO_CONNECTION);
    CU_ASSERT_EQUAL(ask(wire, 2), OK);
    until(wire, 2);
    wire_free(wire);
    server.listener = -1;
    server_ends();
}

/* An idle connection that the server has ended is not used again. */
static void ended_while_idle(void)
{
    serve((const char *const[]){ACCEPTED, NULL}, HANG_UP);
    struct wire *wire = client(1, 5000);
    CU_ASSERT_EQUAL(ask(wire, 1), OK);
    until(wire, 1);
    server_turn(); /* hangs up */
    struct pollfd fd = {.fd = wire_fd(wire), .events = POLLIN};
    CU_ASSERT_EQUAL(poll(&fd, 1, 5000), 1);
    wire_run(wire);
    CU_ASSERT_EQUAL(ask(wire, 2), OK);
    until(wire, 2);
    CU_ASSERT_EQUAL(heard[1].outcome, WIRE_ANSWERED);
    CU_ASSERT_EQUAL(server.accepted, 2);
    wire_free(wire);
    server_ends();
}

static void bad_urls(void)
{
    static const char *const urls[] = {"", "https://127.0.0.1/", "127.0.0.1:80", "http://",
                                       "http:///x"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct wire *wire = NULL;
        const struct wire_options options = {.url = urls[i], .connections = 1, .listener = hear};
        CU_ASSERT_EQUAL(wire_new(&options, &wire, NULL), INVALID);
        CU_ASSERT_PTR_NULL(wire);
    }
}

static const struct unit_case cases[] = {
    {"kept connections", kept_connections},
    {"no more than allowed", no_more_than_allowed},
    {"in pieces", in_pieces},
    {"ends of connections", ends_of_connections},
    {"nothing at all", nothing_at_all},
    {"too late", too_late},
    {"nobody listens", nobody_listens},
    {"ended while idle", ended_while_idle},
    {"bad URLs", bad_urls},
};

UNIT_MAIN("wire", cases)
