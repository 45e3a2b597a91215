/* Bytes on a connection to the edge: heads, bodies, pipelines, rubbish. In them 0x01 stands for the token of a customer,
 * 0x02 for an administrator's, and 0x03 for a pause in which the edge reads what has come so far. Sent twice, with the
 * pauses and in one piece, they get the same answers: whole ones, of a status that the API knows, and a 202 for each
 * command at the broker. Whatever comes, the connection has its end, and after it the edge has nothing in hand. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load/wire_answer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/edge_front.h"

enum {
    SESSION_MAX = 256, /* commands until the edge begins anew */
    BYTES_MAX = 20000,
    QUIET_TURNS = 20,
    STEP_MS = 30000,
    STATUSES_MAX = 64
};

static struct front front;
static int commands; /* since the edge is new */
static int routed;   /* of the bytes in hand */

struct exchange {
    char text[65536];
    size_t size;
    bool closed;
    int statuses[STATUSES_MAX];
    size_t count;
};

static void note_sent(void *context, const struct memory_sight *sight)
{
    (void)context;
    routed += strcmp(sight->what, "routed") == 0;
}

static void ready_front(void)
{
    if (front.http && commands < SESSION_MAX)
        return;
    if (front.http)
        front_close(&front);
    front_open(&front, NULL);
    memory_broker_watch(front.bottle.broker, note_sent, NULL);
    commands = 0;
}

/* --- sending and hearing ---------------------------------------------------------------------------- */

static void hear(int fd, struct exchange *exchange, int quiet_turns)
{
    for (int quiet = 0; quiet < quiet_turns && !exchange->closed;) {
        size_t room = sizeof exchange->text - 1 - exchange->size;
        front_turns(&front, 1);
        FUZZ_HOLDS(room > 0);
        ssize_t count = recv(fd, exchange->text + exchange->size, room, 0);
        exchange->closed = count == 0 || (count < 0 && errno != EAGAIN);
        if (count > 0)
            exchange->size += (size_t)count;
        quiet = count > 0 ? 0 : quiet + 1;
        if (count < 0 && quiet > 2)
            poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1);
    }
}

/* An edge that has heard enough reads no more: then the rest stays unsent. */
static void say(int fd, const char *bytes, size_t size, struct exchange *exchange)
{
    for (int quiet = 0; size > 0 && quiet < QUIET_TURNS && !exchange->closed;) {
        ssize_t count = send(fd, bytes, size, MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN)
            return;
        quiet = count > 0 ? 0 : quiet + 1;
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
        hear(fd, exchange, 1);
    }
}

/* libFuzzer looks at the time by a signal, which would interrupt connecting. */
static int connect_undisturbed(void)
{
    sigset_t alarm, before;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    (void)pthread_sigmask(SIG_BLOCK, &alarm, &before);
    int fd = front_connect(&front);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return fd;
}

/* `pauses`: whether 0x03 is a pause, or nothing. */
static void exchange_bytes(const uint8_t *data, size_t size, bool pauses, struct exchange *exchange)
{
    static char bytes[BYTES_MAX];
    size_t used = 0;
    int fd = connect_undisturbed();
    exchange->size = exchange->count = 0;
    exchange->closed = false;
    for (size_t i = 0; i < size && used + BEARER_SIZE < sizeof bytes; i++) {
        const char *bearer = data[i] == 1 ? front.bearer[WHO_A] : front.bearer[WHO_ADMIN];
        if (data[i] == 3 && pauses) {
            say(fd, bytes, used, exchange);
            used = 0;
        } else if (data[i] == 1 || data[i] == 2) {
            memcpy(bytes + used, bearer, BEARER_SIZE - 1);
            used += BEARER_SIZE - 1;
        } else if (data[i] != 3) {
            bytes[used++] = (char)data[i];
        }
    }
    say(fd, bytes, used, exchange);
    (void)shutdown(fd, SHUT_WR);
    hear(fd, exchange, QUIET_TURNS);
    for (int i = 0; i < 3 && !exchange->closed; i++) { /* who waits for an order, or for us */
        manual_clock_advance(&front.bottle.clock, STEP_MS + 1000);
        hear(fd, exchange, QUIET_TURNS);
    }
    FUZZ_HOLDS(exchange->closed);
    const struct linger reset = {1, 0}; /* or the ports run out */
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    front_turns(&front, 2);
    exchange->text[exchange->size] = '\0';
}

/* --- judging ------------------------------------------------------------------------------------------ */

static bool known(int status)
{
    static const int all[] = {200, 202, 204, 400, 401, 403, 404, 405, 408, 409, 411,
                              413, 414, 415, 417, 422, 429, 431, 501, 503, 505};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i] == status)
            return true;
    return false;
}

/* It was told to go on, and then it had said all it had to say. */
static bool no_more_comes(const char *text)
{
    return strcmp(text, "HTTP/1.1 100 Continue\r\n\r\n") == 0;
}

/* Whole answers and nothing else, as the load tool's reader sees them. */
static void split_answers(struct exchange *exchange)
{
    struct buf plain = {0};
    for (size_t at = 0; at < exchange->size;) {
        struct wire_message message = {0};
        const char *text = exchange->text + at;
        if (no_more_comes(text))
            break;
        bool whole =
            wire_answer_read(text, exchange->size - at, WIRE_CLOSED, &plain, &message) == OK &&
            known(message.status);
        if (!whole)
            fprintf(stderr, "byte %zu of these answers:\n%s\n", at, exchange->text);
        FUZZ_HOLDS(whole);
        FUZZ_HOLDS(exchange->count < STATUSES_MAX);
        exchange->statuses[exchange->count++] = message.status;
        at += message.taken;
    }
    buf_release(&plain);
}

static int count_accepted(const struct exchange *exchange)
{
    int count = 0;
    for (size_t i = 0; i < exchange->count; i++)
        count += exchange->statuses[i] == 202;
    return count;
}

/* A request that is wrong in two ways is refused for the one that is seen first, and who is refused may be hung up on
 * before his next request has come, or after. */
static void check_same(const struct exchange *whole, const struct exchange *paused)
{
    for (size_t i = 0; i < whole->count; i++) {
        FUZZ_HOLDS(i < paused->count);
        if (whole->statuses[i] >= 400) {
            FUZZ_HOLDS(paused->statuses[i] >= 400);
            return;
        }
        FUZZ_HOLDS(whole->statuses[i] == paused->statuses[i]);
    }
    FUZZ_HOLDS(whole->count == paused->count);
}

static bool has(const uint8_t *data, size_t size, const char *word)
{
    return memmem(data, size, word, strlen(word)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct exchange whole, paused;
    /* An answer to HEAD says how long a body is that does not come. */
    if (has(data, size, "HEAD"))
        return -1;
    ready_front();
    routed = 0;
    exchange_bytes(data, size, false, &whole);
    split_answers(&whole);
    FUZZ_HOLDS(routed <= count_accepted(&whole));
    if (has(data, size, "\x03") && !has(data, size, "xpect")) {
        exchange_bytes(data, size, true, &paused);
        split_answers(&paused);
        check_same(&whole, &paused);
    }
    FUZZ_HOLDS(http_deadline_ms(front.http) > 0);
    FUZZ_HOLDS(http_active(front.http) == 0);
    commands += routed;
    return 0;
}
