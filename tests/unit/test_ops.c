/* The operations endpoints, asked over a real socket while the loop turns in this thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/web/ops.h"
#include "tests/unit/unit.h"

static bool healthy;

static bool ready(void *context, struct buf *out)
{
    (void)context;
    buf_text(out, healthy ? "bus: up\n" : "bus: down\n");
    return healthy;
}

static void metrics(void *context, struct buf *out)
{
    (void)context;
    buf_text(out, "warren_test 1\n");
}

static struct ops *ops_start(int port)
{
    struct ops_options options = {
        .port = port, .clock = clock_system(), .ready = ready, .metrics = metrics};
    struct ops *ops = NULL;
    struct err err = {""};
    if (ops_new(&options, &ops, &err) != OK)
        CU_FAIL(err.text);
    return ops;
}

static int dial(const struct ops *ops)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)ops_port(ops)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        CU_FAIL_FATAL("no connection");
    return fd;
}

/* Turns the loop until the peer has closed or 5 s have passed; the whole answer. */
static void ask(struct ops *ops, const char *request, char *answer, size_t size)
{
    int fd = dial(ops);
    size_t used = 0;
    CU_ASSERT_EQUAL(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    int64_t until = clock_mono_ms(clock_system()) + 5000;
    while (clock_mono_ms(clock_system()) < until) {
        struct pollfd fds[] = {{.fd = ops_fd(ops), .events = POLLIN}, {.fd = fd, .events = POLLIN}};
        poll(fds, 2, 50);
        ops_run(ops);
        ssize_t got = recv(fd, answer + used, size - 1 - used, MSG_DONTWAIT);
        if (got == 0)
            break;
        used += got > 0 ? (size_t)got : 0;
    }
    answer[used] = '\0';
    close(fd);
}

#define CLOSE " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void answers(void)
{
    static const struct {
        bool healthy;
        const char *request, *status, *holds, *lacks;
    } table[] = {
        {false, "GET /livez" CLOSE, "HTTP/1.1 200", "alive", NULL},
        {false, "GET /readyz" CLOSE, "HTTP/1.1 503", "not ready", "bus"},
        {false, "GET /readyz?verbose" CLOSE, "HTTP/1.1 503", "bus: down", NULL},
        {true, "GET /readyz?verbose=1" CLOSE, "HTTP/1.1 200", "bus: up", "not ready"},
        {true, "GET /metrics" CLOSE, "HTTP/1.1 200", "warren_test 1", NULL},
        {true, "HEAD /metrics" CLOSE, "HTTP/1.1 200", "Content-Length: 14", "warren_test"},
        {true, "POST /livez" CLOSE, "HTTP/1.1 405", "Allow: GET, HEAD", NULL},
        {true, "DELETE /metrics" CLOSE, "HTTP/1.1 405", "Allow: GET, HEAD", NULL},
        {true, "GET /" CLOSE, "HTTP/1.1 404", "", NULL},
    };
    struct ops *ops = ops_start(0);
    for (size_t i = 0; ops && i < sizeof table / sizeof table[0]; i++) {
        char answer[4096];
        healthy = table[i].healthy;
        ask(ops, table[i].request, answer, sizeof answer);
        CU_ASSERT_NSTRING_EQUAL(answer, table[i].status, strlen(table[i].status));
        CU_ASSERT_PTR_NOT_NULL(strstr(answer, table[i].holds));
        CU_ASSERT_TRUE(!table[i].lacks || !strstr(answer, table[i].lacks));
    }
    ops_free(ops);
}

static void taken_port_is_told(void)
{
    struct ops *first = ops_start(0);
    struct ops_options options = {
        .port = ops_port(first), .clock = clock_system(), .ready = ready, .metrics = metrics};
    struct ops *second = NULL;
    struct err err = {""};
    CU_ASSERT_EQUAL(ops_new(&options, &second, &err), REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "in use"));
    CU_ASSERT_PTR_NULL(second);
    ops_free(first);
    ops_free(NULL);
}

static const struct unit_case cases[] = {
    {"answers", answers},
    {"a taken port is told", taken_port_is_told},
};
UNIT_MAIN("ops", cases)
