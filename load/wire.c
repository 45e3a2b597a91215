#include "load/wire.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "load/wire_answer.h"

enum {
    READ_SIZE = 256 * 1024,
    ANSWER_MAX = 1024 * 1024,
    EVENTS = 256,
    HOST_SIZE = 256,
    MS = 1000000
};

enum state { STATE_IDLE, STATE_CONNECTING, STATE_SENDING, STATE_WAITING };

struct connection {
    TAILQ_ENTRY(connection) link; /* in one of the three lists */
    int fd;
    enum state state;
    uint64_t token;
    int64_t deadline_ns;
    struct buf out;
    size_t sent;
    struct buf in; /* what has come of an answer that did not come at once */
};
TAILQ_HEAD(connections, connection);

struct wire {
    struct wire_options options;
    char host[HOST_SIZE]; /* as the Host header wants it */
    char prefix[HOST_SIZE];
    struct sockaddr_storage address;
    socklen_t address_size;
    int epoll;
    struct connections idle;       /* the last used first: a few stay warm */
    struct connections connecting; /* the first deadline first, here and below */
    struct connections busy;
    size_t count, in_flight;
    struct buf plain;
    char scratch[READ_SIZE + 1];
};

int64_t wire_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- making one --------------------------------------------------------------------------------- */

static enum result parse_url(struct wire *wire, const char *url, char port[8], struct err *err)
{
    static const char scheme[] = "http://";
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return err_set(err, INVALID, "%.100s: only http:// is spoken here", url);
    const char *host = url + sizeof scheme - 1;
    size_t size = strcspn(host, "/?#");
    if (size == 0 || size >= sizeof wire->host || strlen(host + size) >= sizeof wire->prefix)
        return err_set(err, INVALID, "%.100s: no host, or too long", url);
    memcpy(wire->host, host, size);
    snprintf(wire->prefix, sizeof wire->prefix, "%s", host + size);
    size_t end = strlen(wire->prefix);
    while (end > 0 && wire->prefix[end - 1] == '/')
        wire->prefix[--end] = '\0';
    const char *colon = strrchr(wire->host, ':');
    bool has_port = colon && !strchr(colon, ']');
    snprintf(port, 8, "%.7s", has_port ? colon + 1 : "80");
    return OK;
}

static enum result look_up(struct wire *wire, const char *port, struct err *err)
{
    char name[HOST_SIZE];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const char *begin = wire->host[0] == '[' ? wire->host + 1 : wire->host;
    size_t size = strcspn(begin, wire->host[0] == '[' ? "]" : ":");
    snprintf(name, sizeof name, "%.*s", (int)size, begin);
    int status = getaddrinfo(name, port, &hints, &found);
    if (status != 0)
        return err_set(err, RETRY, "%s: %s", wire->host, gai_strerror(status));
    memcpy(&wire->address, found->ai_addr, found->ai_addrlen);
    wire->address_size = found->ai_addrlen;
    freeaddrinfo(found);
    return OK;
}

enum result wire_new(const struct wire_options *options, struct wire **ret_wire, struct err *err)
{
    char port[8];
    struct wire *wire = calloc(1, sizeof *wire);
    if (!wire)
        abort();
    wire->options = *options;
    wire->epoll = -1;
    TAILQ_INIT(&wire->idle);
    TAILQ_INIT(&wire->connecting);
    TAILQ_INIT(&wire->busy);
    enum result result = parse_url(wire, options->url, port, err);
    if (result == OK)
        result = look_up(wire, port, err);
    if (result == OK && (wire->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        result = err_set(err, FATAL, "epoll: %s", strerror(errno));
    if (result != OK) {
        wire_free(wire);
        return result;
    }
    *ret_wire = wire;
    return OK;
}

static struct connections *list_of(struct wire *wire, const struct connection *connection)
{
    if (connection->state == STATE_IDLE)
        return &wire->idle;
    return connection->state == STATE_CONNECTING ? &wire->connecting : &wire->busy;
}

static void connection_free(struct wire *wire, struct connection *connection)
{
    TAILQ_REMOVE(list_of(wire, connection), connection, link);
    close(connection->fd);
    buf_release(&connection->out);
    buf_release(&connection->in);
    free(connection);
    wire->count--;
}

static void free_all(struct wire *wire, struct connections *list)
{
    struct connection *connection;
    while ((connection = TAILQ_FIRST(list)))
        connection_free(wire, connection);
}

void wire_free(struct wire *wire)
{
    if (!wire)
        return;
    free_all(wire, &wire->idle);
    free_all(wire, &wire->connecting);
    free_all(wire, &wire->busy);
    if (wire->epoll >= 0)
        close(wire->epoll);
    buf_release(&wire->plain);
    free(wire);
}

/* --- sending ------------------------------------------------------------------------------------ */

static void watch(const struct wire *wire, struct connection *connection, uint32_t events, int how)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(wire->epoll, how, connection->fd, &event) != 0)
        abort(); /* only wrong arguments, or a machine out of memory */
}

/* NULL: no connection may be added, or the system gives none (then errno says why). */
static struct connection *connection_new(struct wire *wire)
{
    int on = 1;
    int fd = socket(wire->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        abort();
    connection->fd = fd;
    connection->state = STATE_CONNECTING;
    connection->deadline_ns = wire_now_ns() + wire->options.connecting_ms * MS;
    wire->count++;
    if (connect(fd, (const struct sockaddr *)&wire->address, wire->address_size) == 0 ||
        errno == EINPROGRESS) {
        TAILQ_INSERT_TAIL(&wire->connecting, connection, link);
    } else {
        connection->deadline_ns = 0; /* told from wire_run, as everything */
        TAILQ_INSERT_HEAD(&wire->connecting, connection, link);
    }
    watch(wire, connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
    return connection;
}

static void render(const struct wire *wire, const struct wire_request *request, struct buf *out)
{
    char length[64];
    buf_clear(out);
    buf_text(out, request->method);
    buf_text(out, " ");
    buf_text(out, wire->prefix);
    buf_text(out, request->path);
    buf_text(out, " HTTP/1.1\r\nHost: ");
    buf_text(out, wire->host);
    buf_text(out, "\r\n");
    buf_text(out, request->headers);
    if (request->body || strcmp(request->method, "POST") == 0) {
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", request->size);
        buf_text(out, length);
    }
    buf_text(out, "\r\n");
    if (request->body)
        buf_append(out, request->body, request->size);
}

/* Writes what the socket takes. A failure shows again, and is told, when it is read. */
static void push(const struct wire *wire, struct connection *connection)
{
    bool was_waiting_for_room = connection->state == STATE_SENDING;
    ssize_t sent = send(connection->fd, connection->out.data + connection->sent,
                        connection->out.size - connection->sent, MSG_NOSIGNAL);
    if (sent > 0)
        connection->sent += (size_t)sent;
    bool whole = connection->sent == connection->out.size || (sent < 0 && errno != EAGAIN);
    connection->state = whole ? STATE_WAITING : STATE_SENDING;
    if (was_waiting_for_room == whole)
        watch(wire, connection, whole ? EPOLLIN : EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void begin(struct wire *wire, struct connection *connection)
{
    connection->deadline_ns = wire_now_ns() + wire->options.timeout_ms * MS;
    TAILQ_INSERT_TAIL(&wire->busy, connection, link);
    push(wire, connection);
}

enum result wire_send(struct wire *wire, const struct wire_request *request, uint64_t token)
{
    struct connection *connection = TAILQ_FIRST(&wire->idle);
    if (!connection && wire->count >= wire->options.connections)
        return RETRY;
    bool fresh = !connection;
    if (fresh && !(connection = connection_new(wire)))
        return RETRY;
    connection->token = token;
    connection->sent = 0;
    buf_clear(&connection->in);
    render(wire, request, &connection->out);
    wire->in_flight++;
    if (!fresh) {
        TAILQ_REMOVE(&wire->idle, connection, link);
        connection->state = STATE_WAITING;
        begin(wire, connection);
    }
    return OK;
}

/* --- hearing ------------------------------------------------------------------------------------ */

/* The connection is gone or idle by now: the listener may use it at once. */
static void tell(struct wire *wire, uint64_t token, const struct wire_answer *answer)
{
    wire->in_flight--;
    wire->options.listener(wire->options.context, token, answer);
}

static void fail(struct wire *wire, struct connection *connection, enum wire_outcome outcome)
{
    uint64_t token = connection->token;
    bool was_idle = connection->state == STATE_IDLE;
    connection_free(wire, connection);
    if (!was_idle)
        tell(wire, token,
             &(struct wire_answer){.outcome = outcome, .finished_ns = wire_now_ns(), .body = ""});
}

static void succeed(struct wire *wire, struct connection *connection,
                    const struct wire_message *message)
{
    uint64_t token = connection->token;
    struct buf kept = {0}; /* the body may lie in the connection's own buffer */
    struct wire_answer answer = {.outcome = WIRE_ANSWERED,
                                 .status = message->status,
                                 .finished_ns = wire_now_ns(),
                                 .body = message->body,
                                 .size = message->size};
    if (connection->in.size > 0) {
        kept = connection->in;
        connection->in = (struct buf){0};
    }
    if (message->keep) {
        TAILQ_REMOVE(&wire->busy, connection, link);
        connection->state = STATE_IDLE;
        TAILQ_INSERT_HEAD(&wire->idle, connection, link);
    } else {
        connection_free(wire, connection);
    }
    tell(wire, token, &answer);
    buf_release(&kept);
}

/* `bytes` are all that has come of the answer. */
static void understand(struct wire *wire, struct connection *connection, const char *bytes,
                       size_t size, enum wire_end end)
{
    struct wire_message message;
    enum result result = wire_answer_read(bytes, size, end, &wire->plain, &message);
    if (result == OK && message.taken == size) {
        /* An answer before the request was out: the rest of it has no reader. */
        message.keep = message.keep && end == WIRE_OPEN && connection->state == STATE_WAITING;
        succeed(wire, connection, &message);
    } else if (result == RETRY && end == WIRE_OPEN && size <= ANSWER_MAX) {
        if (connection->in.size == 0)
            buf_append(&connection->in, bytes, size);
    } else {
        fail(wire, connection, end == WIRE_CLOSED && result == RETRY ? WIRE_BROKEN : WIRE_GARBLED);
    }
}

static void hear(struct wire *wire, struct connection *connection)
{
    ssize_t got = recv(connection->fd, wire->scratch, READ_SIZE, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got < 0 || connection->state == STATE_IDLE) {
        fail(wire, connection, WIRE_BROKEN); /* idle: its end, or words nobody asked for */
        return;
    }
    wire->scratch[got] = '\0';
    if (connection->in.size == 0) {
        if (got == 0)
            fail(wire, connection, WIRE_BROKEN);
        else
            understand(wire, connection, wire->scratch, (size_t)got, WIRE_OPEN);
        return;
    }
    buf_append(&connection->in, wire->scratch, (size_t)got);
    understand(wire, connection, connection->in.data, connection->in.size,
               got == 0 ? WIRE_CLOSED : WIRE_OPEN);
}

static void connected(struct wire *wire, struct connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (connection->deadline_ns == 0 ||
        getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
        fail(wire, connection, WIRE_NO_CONNECTION);
        return;
    }
    TAILQ_REMOVE(&wire->connecting, connection, link);
    connection->state = STATE_SENDING;
    begin(wire, connection);
}

static void handle(struct wire *wire, struct connection *connection, uint32_t events)
{
    if (connection->state == STATE_CONNECTING) {
        if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
            connected(wire, connection);
        return;
    }
    if (connection->state == STATE_SENDING && (events & EPOLLOUT))
        push(wire, connection);
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        hear(wire, connection);
}

static void expire(struct wire *wire, struct connections *list, enum wire_outcome outcome)
{
    struct connection *connection;
    int64_t now_ns = wire_now_ns();
    while ((connection = TAILQ_FIRST(list)) && connection->deadline_ns <= now_ns)
        fail(wire, connection, outcome);
}

void wire_run(struct wire *wire)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(wire->epoll, events, EVENTS, 0);
    /* An event's connection is there: only the handling of its own event ends it, and expiry comes
     * after all of them. */
    for (int i = 0; i < count; i++)
        handle(wire, events[i].data.ptr, events[i].events);
    expire(wire, &wire->connecting, WIRE_NO_CONNECTION);
    expire(wire, &wire->busy, WIRE_TIMEOUT);
}

int wire_fd(const struct wire *wire)
{
    return wire->epoll;
}

static int64_t first_deadline(const struct connections *list)
{
    const struct connection *first = TAILQ_FIRST(list);
    return first ? first->deadline_ns : INT64_MAX;
}

int64_t wire_deadline_ns(const struct wire *wire)
{
    int64_t connecting = first_deadline(&wire->connecting);
    int64_t busy = first_deadline(&wire->busy);
    return connecting < busy ? connecting : busy;
}

size_t wire_in_flight(const struct wire *wire)
{
    return wire->in_flight;
}
