#include "tests/unit/edge_front.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SILENT_TURNS = 60, SETTLE_TURNS = 2000, LONG_MS = 24 * 60 * 60 * 1000 };

static void must(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "edge_front: %s: %s\n", what, strerror(errno));
    abort();
}

static void issue(struct front *front, enum who who, const struct id *customer, int64_t valid_ms)
{
    struct err err = {""};
    must(accounts_issue(front->accounts, &front->bottle.clock.clock, customer, front->scope,
                        valid_ms, front->bearer[who], &err) == OK,
         err.text);
}

static void issue_all(struct front *front)
{
    static const char *const names[2] = {"ada", "bob"};
    struct err err = {""};
    for (int i = 0; i < 2; i++)
        must(accounts_customer(front->accounts, &front->bottle.clock.clock, names[i],
                               &front->customer[i], &err) == OK,
             err.text);
    issue(front, WHO_A, &front->customer[0], LONG_MS);
    issue(front, WHO_B, &front->customer[1], LONG_MS);
    issue(front, WHO_ADMIN, NULL, LONG_MS);
    issue(front, WHO_EXPIRED, &front->customer[0], 10);
    memcpy(front->bearer[WHO_TAMPERED], front->bearer[WHO_A], BEARER_SIZE);
    char *last = &front->bearer[WHO_TAMPERED][BEARER_SIZE - 2];
    *last = *last == '0' ? '1' : '0';
    manual_clock_advance(&front->bottle.clock, 20);
}

void front_open(struct front *front, const struct http_options *options)
{
    static int number;
    char name[64];
    struct err err = {""};
    *front = (struct front){.scope = front->scope};
    bottle_open(&front->bottle);
    snprintf(name, sizeof name, "memdb:/front-%d", number++);
    must(store_open_sqlite(name, STORE_DURABLE, &front->accounts, &err) == OK, err.text);
    must(store_migrate(front->accounts, "accounts", accounts_migrations, accounts_migration_count,
                       &err) == OK,
         err.text);
    issue_all(front);
    struct http_options all = options ? *options : (struct http_options){0};
    all.edge = front->bottle.edge;
    all.accounts = front->accounts;
    all.clock = &front->bottle.clock.clock;
    must(http_new(&all, &front->http, &err) == OK, err.text);
}

void front_close(struct front *front)
{
    edge_abandon(front->bottle.edge);
    http_free(front->http);
    store_free(front->accounts);
    bottle_close(&front->bottle);
}

void front_turns(struct front *front, int turns)
{
    for (; turns > 0; turns--) {
        http_run(front->http);
        edge_round(front->bottle.edge);
        http_run(front->http);
    }
}

int front_connect(struct front *front)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_port(front->http)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
    front_turns(front, 2);
    return fd;
}

bool front_write(struct front *front, int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    for (int silent = 0; size > 0 && silent < SILENT_TURNS;) {
        ssize_t count = send(fd, at, size, MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN)
            return false;
        silent = count > 0 ? 0 : silent + 1;
        if (count > 0) {
            at += count;
            size -= (size_t)count;
        }
        front_turns(front, 1);
    }
    return size == 0;
}

static void note_status(struct answered *answered)
{
    answered->text[answered->size] = '\0';
    if (strncmp(answered->text, "HTTP/1.", 7) == 0 && answered->size > 12)
        answered->status = (int)strtol(answered->text + 9, NULL, 10);
}

void front_read(struct front *front, int fd, struct answered *answered)
{
    answered->size = 0;
    answered->status = 0;
    answered->closed = false;
    for (int silent = 0; silent < SILENT_TURNS && !answered->closed;) {
        size_t room = sizeof answered->text - 1 - answered->size;
        front_turns(front, 1);
        must(room > 0, "an answer is too long");
        ssize_t count = recv(fd, answered->text + answered->size, room, 0);
        answered->closed = count == 0 || (count < 0 && errno != EAGAIN);
        if (count > 0)
            answered->size += (size_t)count;
        silent = count > 0 ? 0 : silent + 1;
        if (count < 0)
            poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1);
    }
    note_status(answered);
}

void front_exchange(struct front *front, const void *bytes, size_t size, struct answered *answered)
{
    int fd = front_connect(front);
    (void)front_write(front, fd, bytes, size);
    (void)shutdown(fd, SHUT_WR);
    front_read(front, fd, answered);
    close(fd);
    front_turns(front, 2);
}

void front_settle(struct front *front)
{
    struct pollfd poll_fd = {.fd = http_fd(front->http), .events = POLLIN};
    for (int turns = 0; turns < SETTLE_TURNS; turns++) {
        if (http_deadline_ms(front->http) > 0 && poll(&poll_fd, 1, 0) == 0)
            return;
        http_run(front->http);
        edge_round(front->bottle.edge);
    }
}

/* The body's length, -1: no head, or one that is none. */
static long head_at(const char *text, size_t size, int *ret_status, size_t *ret_head)
{
    const char *end = memmem(text, size, "\r\n\r\n", 4);
    if (!end || strncmp(text, "HTTP/1.1 ", 9) != 0 || text[12] != ' ')
        return -1;
    *ret_head = (size_t)(end - text) + 4;
    *ret_status = (int)strtol(text + 9, NULL, 10);
    long length = -1;
    for (const char *line = strstr(text, "\r\n"); line && line < end;
         line = strstr(line + 2, "\r\n")) {
        const char *colon = strchr(line, ':');
        if (!colon || colon > strstr(line + 2, "\r\n"))
            return -1;
        if (strncasecmp(line + 2, "Content-Length:", 15) == 0)
            length = strtol(line + 17, NULL, 10);
    }
    bool bodyless = *ret_status < 200 || *ret_status == 204;
    return bodyless ? 0 : length;
}

int front_answers(const struct answered *answered, const char *method, int *statuses, int max)
{
    int count = 0;
    for (size_t at = 0; at < answered->size;) {
        int status;
        size_t head;
        long length = head_at(answered->text + at, answered->size - at, &status, &head);
        if (length < 0)
            return -1;
        at += head;
        if (strcmp(method, "HEAD") != 0 || at < answered->size)
            at += (size_t)length;
        if (status >= 200 && count < max)
            statuses[count] = status;
        count += status >= 200;
        if (at > answered->size)
            return -1;
    }
    return count;
}

int front_ask(struct front *front, enum who who, const char *method, const char *path,
              const char *body, struct answered *answered)
{
    static char text[8192];
    int fd = front_connect(front);
    int size = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
                        method, path);
    if (front->bearer[who][0])
        size += snprintf(text + size, sizeof text - (size_t)size, "Authorization: Bearer %s\r\n",
                         front->bearer[who]);
    if (body)
        size += snprintf(text + size, sizeof text - (size_t)size,
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    size += snprintf(text + size, sizeof text - (size_t)size, "\r\n%s", body ? body : "");
    (void)front_write(front, fd, text, (size_t)size);
    front_read(front, fd, answered);
    close(fd);
    front_turns(front, 2);
    return answered->status;
}
