/* Something that speaks like the edge and has none of its virtues: it answers orders at once, and
 * on request it freezes, loses, doubles, answers late or never settles. For the tests of the load
 * generator, which must find all of that out. One thread.
 *
 * Every order has an ordinal, from 0, in the order of arrival; its id ends in it. What goes wrong
 * with one in N goes wrong with the ordinals N-1, 2N-1 and so on. Prints its port; ends on SIGTERM
 * and then says what it did. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "common/base/options.h"

enum {
    CONNECTIONS_MAX = 4096,
    INPUT_SIZE = 16384,
    KEYS_MAX = 1 << 22, /* a power of two, twice the orders that it can hold */
    LATE_MAX = 65536,
    PAGE_MAX = 100,
    MS = 1000000,
};

struct connection {
    int fd;
    uint32_t generation; /* an answer that is late must not go to the next caller */
    size_t size;
    char input[INPUT_SIZE];
};

struct late_answer {
    int64_t due_ns;
    size_t connection;
    uint32_t generation;
    uint32_t ordinal;
};

struct key_slot {
    uint64_t hash; /* 0: free */
    uint32_t ordinal;
};

static struct {
    int64_t port, freeze_at_ms, freeze_for_ms, lose, twice, late, late_ms, stuck, refuse;
    const char *log;
} arguments = {.late_ms = 1000};

static const struct option table[] = {
    {"port", NULL, OPTION_INT, &arguments.port, "N", "where to listen (0: any free port)", 0,
     65535},
    {"freeze-at", NULL, OPTION_INT, &arguments.freeze_at_ms, "MS", "after the first order", 0, 0},
    {"freeze-for", NULL, OPTION_INT, &arguments.freeze_for_ms, "MS", "0: never", 0, 0},
    {"lose", NULL, OPTION_INT, &arguments.lose, "N", "one in N is accepted and forgotten", 0, 0},
    {"double", NULL, OPTION_INT, &arguments.twice, "N", "one in N becomes two orders", 0, 0},
    {"late", NULL, OPTION_INT, &arguments.late, "N", "one in N is answered late", 0, 0},
    {"late-ms", NULL, OPTION_INT, &arguments.late_ms, "MS", "how late (1000)", 0, 0},
    {"stuck", NULL, OPTION_INT, &arguments.stuck, "N", "one in N never settles", 0, 0},
    {"refuse", NULL, OPTION_INT, &arguments.refuse, "N", "one request in N is answered 503", 0, 0},
    {"log", NULL, OPTION_TEXT, &arguments.log, "FILE", "KEY ARRIVED_NS ANSWERED_NS a line", 0, 0},
};

static const struct options options = {
    .program = "edge_stub",
    .synopsis = "[--lose N] [--double N] ...",
    .about = "Answers like the edge of a suite, and fails on request.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

static struct stub {
    int epoll, listener;
    struct connection *connections[CONNECTIONS_MAX];
    struct key_slot *keys;
    uint32_t orders;
    uint64_t posts, others;
    int64_t first_ns; /* of the first order */
    bool frozen_once;
    struct late_answer late[LATE_MAX]; /* in the order of their time: all are equally late */
    size_t late_first, late_count;
    FILE *log;
} stub;

static volatile sig_atomic_t ending;

static void on_term(int number)
{
    (void)number;
    ending = 1;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool one_in(int64_t n, uint32_t ordinal)
{
    return n > 0 && (int64_t)ordinal % n == n - 1;
}

/* --- orders --------------------------------------------------------------------------------- */

static uint64_t hash_of(const char *text, size_t size)
{
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211U;
    return hash ? hash : 1;
}

/* The ordinal of the order with this key, a new one when there is none. */
static uint32_t order_of(const char *key, size_t size)
{
    uint64_t hash = hash_of(key, size);
    size_t at = hash & (KEYS_MAX - 1);
    while (stub.keys[at].hash != 0 && stub.keys[at].hash != hash)
        at = (at + 1) & (KEYS_MAX - 1);
    if (stub.keys[at].hash == 0) {
        if (stub.orders >= KEYS_MAX / 2)
            abort();
        stub.keys[at] = (struct key_slot){hash, stub.orders++};
        if (one_in(arguments.twice, stub.keys[at].ordinal))
            stub.orders++; /* its twin, which nobody is told of */
    }
    return stub.keys[at].ordinal;
}

static void write_id(uint32_t ordinal, char out[40])
{
    snprintf(out, 40, "00000000-0000-8000-8000-%012x", ordinal);
}

static bool exists(uint32_t ordinal)
{
    return ordinal < stub.orders && !one_in(arguments.lose, ordinal);
}

static const char *status_of(uint32_t ordinal)
{
    return one_in(arguments.stuck, ordinal) ? "placed" : "confirmed";
}

/* --- answers -------------------------------------------------------------------------------- */

static void say(const struct connection *connection, const char *status, const char *body,
                size_t size)
{
    static char text[PAGE_MAX * 128];
    int head = snprintf(text, sizeof text,
                        "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n%.*s",
                        status, size, (int)size, body);
    ssize_t sent = send(connection->fd, text, (size_t)head, MSG_NOSIGNAL);
    if (sent != head && sent >= 0)
        abort(); /* a client that does not read is no part of these tests */
}

static void say_accepted(const struct connection *connection, uint32_t ordinal)
{
    char id[40];
    char body[128];
    write_id(ordinal, id);
    int size = snprintf(body, sizeof body, "{\"order_id\":\"%s\",\"status\":\"accepted\"}", id);
    say(connection, "202 Accepted", body, (size_t)size);
}

static void say_order(const struct connection *connection, uint32_t ordinal)
{
    char id[40];
    char body[128];
    if (!exists(ordinal)) {
        say(connection, "404 Not Found", "{}", 2);
        return;
    }
    write_id(ordinal, id);
    int size = snprintf(body, sizeof body, "{\"order_id\":\"%s\",\"status\":\"%s\",\"version\":2}",
                        id, status_of(ordinal));
    say(connection, "200 OK", body, (size_t)size);
}

/* The newest first, those below the cursor. */
static void say_list(const struct connection *connection, const char *path)
{
    char body[PAGE_MAX * 100];
    char id[40];
    int size = snprintf(body, sizeof body, "{\"orders\":[");
    const char *limit = strstr(path, "limit=");
    const char *cursor = strstr(path, "cursor=");
    long wanted = limit ? strtol(limit + 6, NULL, 10) : 20;
    uint32_t next = cursor ? (uint32_t)strtoul(cursor + 7, NULL, 10) : stub.orders;
    for (long n = 0; next > 0 && n < wanted && n < PAGE_MAX; next--) {
        if (!exists(next - 1))
            continue;
        write_id(next - 1, id);
        size += snprintf(body + size, sizeof body - (size_t)size,
                         "%s{\"order_id\":\"%s\",\"status\":\"%s\"}", n++ ? "," : "", id,
                         status_of(next - 1));
    }
    if (next > 0)
        size +=
            snprintf(body + size, sizeof body - (size_t)size, "],\"next_cursor\":\"%u\"}", next);
    else
        size += snprintf(body + size, sizeof body - (size_t)size, "],\"next_cursor\":null}");
    say(connection, "200 OK", body, (size_t)size);
}

static void be_late(size_t index, uint32_t ordinal)
{
    if (stub.late_count == LATE_MAX)
        abort();
    stub.late[(stub.late_first + stub.late_count++) % LATE_MAX] = (struct late_answer){
        .due_ns = now_ns() + arguments.late_ms * MS,
        .connection = index,
        .generation = stub.connections[index]->generation,
        .ordinal = ordinal,
    };
}

static void answer_late_ones(void)
{
    while (stub.late_count > 0 && stub.late[stub.late_first].due_ns <= now_ns()) {
        const struct late_answer *late = &stub.late[stub.late_first];
        const struct connection *connection = stub.connections[late->connection];
        if (connection && connection->fd >= 0 && connection->generation == late->generation)
            say_accepted(connection, late->ordinal);
        stub.late_first = (stub.late_first + 1) % LATE_MAX;
        stub.late_count--;
    }
}

/* --- requests ------------------------------------------------------------------------------- */

static const char *header(const char *head, const char *name, size_t *ret_size)
{
    const char *found = strcasestr(head, name);
    if (!found)
        return NULL;
    found += strlen(name);
    found += strspn(found, " ");
    *ret_size = strcspn(found, "\r\n");
    return found;
}

static void place(size_t index, const char *head, int64_t arrived_ns)
{
    const struct connection *connection = stub.connections[index];
    char made[32];
    size_t size;
    const char *key = header(head, "\r\nIdempotency-Key:", &size);
    stub.posts++;
    if (stub.first_ns == 0)
        stub.first_ns = arrived_ns;
    if (arguments.refuse > 0 && (int64_t)stub.posts % arguments.refuse == 0) {
        say(connection, "503 Service Unavailable", "{}", 2);
        return;
    }
    if (!key) {
        size = (size_t)snprintf(made, sizeof made, "made-%" PRIu64, stub.posts);
        key = made;
    }
    uint32_t ordinal = order_of(key, size);
    if (one_in(arguments.late, ordinal))
        be_late(index, ordinal);
    else
        say_accepted(connection, ordinal);
    if (stub.log)
        fprintf(stub.log, "%.*s %" PRId64 " %" PRId64 "\n", (int)size, key, arrived_ns, now_ns());
}

static void answer(size_t index, const char *head, int64_t arrived_ns)
{
    static const char one[] = "GET /v1/orders/";
    static const char list[] = "GET /v1/orders";
    const struct connection *connection = stub.connections[index];
    if (strncmp(head, "POST /v1/orders ", 16) == 0) {
        place(index, head, arrived_ns);
        return;
    }
    stub.others++;
    if (strncmp(head, "POST /v1/orders/", 16) == 0)
        say(connection, "202 Accepted", "{}", 2);
    else if (strncmp(head, one, sizeof one - 1) == 0)
        say_order(connection, (uint32_t)strtoul(head + sizeof one - 1 + 24, NULL, 16));
    else if (strncmp(head, list, sizeof list - 1) == 0)
        say_list(connection, head);
    else
        say(connection, "200 OK", "{\"products\":[]}", 15);
}

/* How many bytes at the front are one whole request; 0: not all there yet. */
static size_t whole_request(struct connection *connection)
{
    size_t size;
    connection->input[connection->size] = '\0';
    const char *end = strstr(connection->input, "\r\n\r\n");
    if (!end)
        return 0;
    size_t head = (size_t)(end - connection->input) + 4;
    const char *length = header(connection->input, "\r\nContent-Length:", &size);
    size_t whole = head + (length && length < end ? strtoul(length, NULL, 10) : 0);
    if (whole >= INPUT_SIZE)
        abort();
    return connection->size >= whole ? whole : 0;
}

static void hang_up(struct connection *connection)
{
    close(connection->fd);
    connection->fd = -1;
    connection->generation++;
}

static void listen_to(size_t index)
{
    struct connection *connection = stub.connections[index];
    ssize_t got = recv(connection->fd, connection->input + connection->size,
                       INPUT_SIZE - 1 - connection->size, MSG_DONTWAIT);
    bool gone = got == 0 || (got < 0 && errno != EAGAIN);
    int64_t arrived_ns = stub.log || stub.first_ns == 0 ? now_ns() : 1;
    if (got <= 0) {
        if (gone)
            hang_up(connection);
        return;
    }
    connection->size += (size_t)got;
    size_t whole;
    while ((whole = whole_request(connection)) > 0) {
        char next = connection->input[whole];
        connection->input[whole] = '\0';
        answer(index, connection->input, arrived_ns);
        connection->input[whole] = next;
        connection->size -= whole;
        memmove(connection->input, connection->input + whole, connection->size);
    }
}

static void accept_all(void)
{
    int fd;
    size_t i = 0;
    while ((fd = accept4(stub.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int on = 1;
        while (i < CONNECTIONS_MAX && stub.connections[i] && stub.connections[i]->fd >= 0)
            i++;
        if (i == CONNECTIONS_MAX) {
            close(fd);
            continue;
        }
        if (!stub.connections[i])
            stub.connections[i] = calloc(1, sizeof *stub.connections[i]);
        if (!stub.connections[i])
            abort();
        stub.connections[i]->fd = fd;
        stub.connections[i]->size = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        if (epoll_ctl(stub.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            abort();
    }
}

/* --- all of it ------------------------------------------------------------------------------ */

static void freeze_when_due(void)
{
    if (stub.frozen_once || arguments.freeze_for_ms == 0 || stub.first_ns == 0)
        return;
    int64_t begin_ns = stub.first_ns + arguments.freeze_at_ms * MS;
    if (now_ns() < begin_ns)
        return;
    int64_t left_ns = begin_ns + arguments.freeze_for_ms * MS - now_ns();
    struct timespec pause = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
    stub.frozen_once = true;
    nanosleep(&pause, NULL);
}

static void start(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)arguments.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int on = 1;
    stub.keys = calloc(KEYS_MAX, sizeof *stub.keys);
    stub.log = arguments.log ? fopen(arguments.log, "we") : NULL;
    stub.epoll = epoll_create1(EPOLL_CLOEXEC);
    stub.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = CONNECTIONS_MAX};
    if (!stub.keys || (arguments.log && !stub.log) || stub.epoll < 0 || stub.listener < 0 ||
        setsockopt(stub.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(stub.listener, (struct sockaddr *)&address, size) != 0 ||
        listen(stub.listener, CONNECTIONS_MAX) != 0 ||
        getsockname(stub.listener, (struct sockaddr *)&address, &size) != 0 ||
        epoll_ctl(stub.epoll, EPOLL_CTL_ADD, stub.listener, &event) != 0) {
        perror("edge_stub");
        exit(6);
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct epoll_event events[256];
    if (options_parse(&options, argc, argv) != argc)
        return EXIT_USAGE;
    signal(SIGTERM, on_term);
    start();
    while (!ending) {
        bool timed = stub.late_count > 0 || (arguments.freeze_for_ms > 0 && !stub.frozen_once);
        int count = epoll_wait(stub.epoll, events, 256, timed ? 1 : 1000);
        freeze_when_due();
        for (int i = 0; i < count; i++) {
            if (events[i].data.u64 == CONNECTIONS_MAX)
                accept_all();
            else
                listen_to(events[i].data.u64);
        }
        answer_late_ones();
    }
    if (stub.log && fclose(stub.log) != 0)
        return 6;
    printf("%u orders, %" PRIu64 " placed, %" PRIu64 " other requests\n", stub.orders, stub.posts,
           stub.others);
    return 0;
}
