/* Spans to a collector: what OpenTelemetry's environment variables say, and a collector that asks for
 * patience. The collector is a socket of the test's, time is turned by hand. */
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/telemetry/log.h"
#include "common/telemetry/otlp.h"
#include "common/telemetry/otlp_pairs.h"
#include "tests/unit/unit.h"

#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void lists_are_read_as_they_are_written(void)
{
    static const struct {
        const char *text;
        enum otlp_pairs_of of;
        const char *name, *value; /* NULL: the list is refused */
        size_t count;
    } all[] = {
        {"a=1", OTLP_HEADERS, "a", "1", 1},
        {" a = 1 , b = 2 ", OTLP_HEADERS, "b", "2", 2},
        {"a=1,,b=2,", OTLP_HEADERS, "b", "2", 2},
        {"Authorization=Basic%20YTpi%3D", OTLP_HEADERS, "Authorization", "Basic YTpi=", 1},
        {"a=b=c", OTLP_HEADERS, "a", "b=c", 1},
        {"a=", OTLP_HEADERS, "a", "", 1},
        {"a=1,a=2", OTLP_HEADERS, "a", "2", 1},
        {"", OTLP_HEADERS, "a", NULL, 0},
        {"team=k%C3%BCche,deployment.environment=a%2Cb", OTLP_ATTRIBUTES, "team",
         "k\xc3\xbc"
         "che",
         2},
        {"a%20b=c", OTLP_ATTRIBUTES, "a b", "c", 1},
        {"a", OTLP_HEADERS, NULL, NULL, 0},
        {"a=1,b", OTLP_HEADERS, NULL, NULL, 0},
        {"=1", OTLP_HEADERS, NULL, NULL, 0},
        {"a=%", OTLP_HEADERS, NULL, NULL, 0},
        {"a=%2", OTLP_HEADERS, NULL, NULL, 0},
        {"a=%zz", OTLP_HEADERS, NULL, NULL, 0},
        {"a=%00", OTLP_HEADERS, NULL, NULL, 0},
        {"a=b%0D%0AX: y", OTLP_HEADERS, NULL, NULL, 0},
        {"a b=c", OTLP_HEADERS, NULL, NULL, 0},
        {"a:b=c", OTLP_HEADERS, NULL, NULL, 0},
        {"a=%FF", OTLP_ATTRIBUTES, NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct otlp_pairs pairs = {0};
        struct err err = {""};
        enum result wanted = all[i].name ? OK : INVALID;
        CU_ASSERT_EQUAL(otlp_pairs_read(all[i].text, all[i].of, &pairs, &err), wanted);
        CU_ASSERT_EQUAL(pairs.count, all[i].count);
        const char *value = all[i].name ? otlp_pairs_find(&pairs, all[i].name) : NULL;
        CU_ASSERT_EQUAL(value == NULL, all[i].value == NULL);
        if (value && all[i].value)
            CU_ASSERT_STRING_EQUAL(value, all[i].value);
        otlp_pairs_release(&pairs);
    }
}

static void lists_are_bounded(void)
{
    char text[OTLP_PAIRS_SIZE_MAX + 16];
    struct otlp_pairs pairs = {0};
    struct err err = {""};
    memset(text, 'a', sizeof text);
    text[1] = '=';
    text[sizeof text - 1] = '\0';
    CU_ASSERT_EQUAL(otlp_pairs_read(text, OTLP_HEADERS, &pairs, &err), INVALID);
    size_t size = 0;
    for (int i = 0; i <= OTLP_PAIRS_MAX; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "a%d=1,", i);
    CU_ASSERT_EQUAL(otlp_pairs_read(text, OTLP_HEADERS, &pairs, &err), INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "too many"));
}

/* The collector */

static struct manual_clock manual;
static struct log written;
static FILE *lines;
static struct otlp *otlp;
static int listener = -1;
static char request[65536];
static size_t request_size;

static void set(const char *name, const char *value)
{
    if (value)
        (void)setenv(name, value, 1);
    else
        (void)unsetenv(name);
}

static int listen_somewhere(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
    CU_ASSERT_FATAL(listen(fd, 8) == 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void start(void)
{
    char url[64];
    int port;
    listener = listen_somewhere(&port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    set("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    manual_clock_init(&manual, INT64_C(1700000000000), 1);
    lines = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(lines);
    written = (struct log){&manual.clock, "test", 1, LOG_INFO, fileno(lines)};
    otlp = otlp_new(&manual.clock, &written, "test-service", 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(otlp);
}

static void stop(void)
{
    otlp_free(otlp);
    fclose(lines);
    close(listener);
    set("OTEL_EXPORTER_OTLP_ENDPOINT", NULL);
    set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", NULL);
    set("OTEL_EXPORTER_OTLP_HEADERS", NULL);
    set("OTEL_RESOURCE_ATTRIBUTES", NULL);
    set("OTEL_SERVICE_NAME", NULL);
}

static void record_one(void)
{
    otlp_record(otlp, &(struct span){.traceparent = TRACEPARENT, .kind = SPAN_SERVER, .name = "x"});
}

/* Time goes on to the next thing that is due. */
static void turn(void)
{
    int64_t due = otlp_deadline_ms(otlp);
    if (due != INT64_MAX && due > clock_mono_ms(&manual.clock))
        manual_clock_advance(&manual, due - clock_mono_ms(&manual.clock));
    otlp_run(otlp);
}

static bool is_whole(void)
{
    request[request_size] = '\0';
    const char *end = strstr(request, "\r\n\r\n");
    const char *length = strstr(request, "Content-Length: ");
    return end && length && strlen(end + 4) >= strtoul(length + 16, NULL, 10);
}

/* A turn of the exporter, then a moment of real time, for curl. */
static void turn_and_wait(int fd)
{
    turn();
    (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1);
}

/* Takes the next request and answers it so. */
static void answer(const char *head)
{
    char text[256];
    int fd = -1;
    CU_ASSERT_FATAL(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
    for (int i = 0; i < 2000 && fd < 0; i++) {
        turn_and_wait(listener);
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    CU_ASSERT_FATAL(fd >= 0);
    request_size = 0;
    for (int i = 0; i < 2000 && !is_whole(); i++) {
        turn_and_wait(fd);
        ssize_t came = recv(fd, request + request_size, sizeof request - 1 - request_size, 0);
        request_size += came > 0 ? (size_t)came : 0;
    }
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", head);
    CU_ASSERT_EQUAL(send(fd, text, (size_t)size, MSG_NOSIGNAL), size);
    close(fd);
}

static void settle(uint64_t exported, uint64_t dropped)
{
    for (int i = 0; i < 2000; i++) {
        struct otlp_counts counts = otlp_counts(otlp);
        if (counts.exported == exported && counts.dropped == dropped)
            return;
        turn_and_wait(listener);
    }
    CU_FAIL("nothing comes of it");
}

static bool said(const char *text)
{
    return strstr(request, text) != NULL;
}

static int logged(const char *text)
{
    char all[8192];
    ssize_t size = pread(fileno(lines), all, sizeof all - 1, 0);
    all[size > 0 ? size : 0] = '\0';
    return strstr(all, text) != NULL;
}

static void headers_and_attributes_are_sent(void)
{
    set("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b,x-empty=");
    set("OTEL_RESOURCE_ATTRIBUTES", "team=k%C3%BCche,service.name=not-this,service.namespace=mine");
    set("OTEL_SERVICE_NAME", "shop");
    start();
    record_one();
    answer("200 OK");
    settle(1, 0);
    CU_ASSERT(said("POST /v1/traces "));
    CU_ASSERT(said("\r\nx-key: a b\r\n"));
    CU_ASSERT(said("\r\nx-empty:"));
    CU_ASSERT(said("\"key\":\"team\",\"value\":{\"stringValue\":\"k\xc3\xbc"
                   "che\"}"));
    CU_ASSERT(said("\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}"));
    CU_ASSERT(said("\"key\":\"service.namespace\",\"value\":{\"stringValue\":\"mine\"}"));
    CU_ASSERT(said("\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"2\"}"));
    CU_ASSERT_FALSE(said("not-this"));
    CU_ASSERT_FALSE(said("\"stringValue\":\"warren\""));
    CU_ASSERT_FALSE(logged("setting-ignored"));
    stop();
}

static void bad_ones_are_named_and_not_fatal(void)
{
    set("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cret%,a=b");
    set("OTEL_RESOURCE_ATTRIBUTES", "nonsense");
    start();
    record_one();
    answer("200 OK");
    settle(1, 0);
    CU_ASSERT(logged("OTEL_EXPORTER_OTLP_HEADERS"));
    CU_ASSERT(logged("OTEL_RESOURCE_ATTRIBUTES"));
    CU_ASSERT_FALSE(logged("s3cret"));
    CU_ASSERT_FALSE(said("x-key"));
    CU_ASSERT(said("\"stringValue\":\"test-service\""));
    stop();
}

static void a_collector_that_is_busy_is_asked_again(void)
{
    static const char *const busy[] = {"429 Too Many Requests", "502 Bad Gateway",
                                       "503 Service Unavailable", "504 Gateway Timeout"};
    start();
    for (size_t i = 0; i < sizeof busy / sizeof busy[0]; i++) {
        record_one();
        answer(busy[i]);
        answer("200 OK");
        settle(i + 1, 0);
    }
    stop();
}

static void it_says_when(void)
{
    start();
    record_one();
    answer("503 Service Unavailable\r\nRetry-After: 20");
    for (int i = 0; i < 200 && otlp_deadline_ms(otlp) < clock_mono_ms(&manual.clock) + 15000; i++)
        turn_and_wait(listener);
    int64_t left_ms = otlp_deadline_ms(otlp) - clock_mono_ms(&manual.clock);
    CU_ASSERT(left_ms > 15000 && left_ms <= 20000);
    answer("200 OK");
    settle(1, 0);
    stop();
}

static void not_for_ever(void)
{
    start();
    record_one();
    for (int i = 0; i < OTLP_TRIES_MAX; i++)
        answer("503 Service Unavailable");
    settle(0, 1);
    record_one();
    answer("429 Too Many Requests\r\nRetry-After: 3600"); /* nobody waits for that */
    settle(0, 2);
    record_one();
    answer("400 Bad Request"); /* the same again would be as bad */
    settle(0, 3);
    record_one();
    answer("200 OK");
    settle(1, 3);
    stop();
}

static void who_is_not_there_is_asked_again(void)
{
    start();
    close(listener);
    record_one();
    settle(0, 1);
    CU_ASSERT(clock_mono_ms(&manual.clock) > 10000); /* not at the first try */
    int port;
    listener = listen_somewhere(&port);
    stop();
}

static const struct unit_case cases[] = {
    {"lists are read as they are written", lists_are_read_as_they_are_written},
    {"lists are bounded", lists_are_bounded},
    {"headers and attributes are sent", headers_and_attributes_are_sent},
    {"bad ones are named, and not fatal", bad_ones_are_named_and_not_fatal},
    {"a collector that is busy is asked again", a_collector_that_is_busy_is_asked_again},
    {"it says when", it_says_when},
    {"not for ever", not_for_ever},
    {"who is not there is asked again", who_is_not_there_is_asked_again},
};

UNIT_MAIN("otlp", cases)
