/* What only the AMQP bus can meet: a broker that freezes, closes, cancels, refuses; and that it
 * never blocks its owner meanwhile. bus-trouble.sh obeys on descriptor 3, answers on 4. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/messaging/amqp_link.h"
#include "common/messaging/bus_amqp.h"
#include "common/messaging/deploy.h"
#include "tests/conformance/bus_suite.h"
#include "tests/unit/unit.h"

enum { PATIENCE_MS = 30000, BLOCKED_MS = 300, HEARTBEAT_S = 2, LARGE = 60000 };

static const char *url;
static const struct topology *const tables[] = {&suite_topology};

struct watched {
    struct bus *bus;
    bool up;
    int downs;
    char reason[512];
    size_t settled;
    int64_t longest_ms; /* of any call */
};

static int64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static void ask(const char *word)
{
    char answer[8];
    if (dprintf(3, "%s\n", word) < 0 || read(4, answer, sizeof answer) <= 0)
        CU_FAIL_FATAL("the script does not answer");
}

static void deploy(void)
{
    struct err err = {""};
    if (deploy_declare(&(struct deploy_options){.url = url}, tables, 1, NULL, &err) != OK)
        CU_FAIL_FATAL(err.text);
}

static void queue_delete(const char *name)
{
    struct amqp_target target;
    struct amqp_link link;
    struct err err = {""};
    if (amqp_target_parse(url, NULL, NULL, &target, &err) != OK ||
        amqp_link_open(&target, "delete", &link, &err) != OK)
        CU_FAIL_FATAL(err.text);
    amqp_queue_delete(link.connection, AMQP_CHANNEL, amqp_cstring_bytes(name), 0, 0);
    CU_ASSERT_EQUAL(amqp_link_check(&link, name, &err), OK);
    amqp_link_farewell(&link);
}

static void hear(void *context, const struct bus_event *event)
{
    struct watched *w = context;
    if (event->kind == BUS_UP)
        w->up = true;
    if (event->kind == BUS_SETTLED)
        w->settled++;
    if (event->kind != BUS_DOWN)
        return;
    w->up = false;
    w->downs++;
    snprintf(w->reason, sizeof w->reason, "%s", event->reason);
}

static void start_with_log(struct watched *w, const char *where, const char *log)
{
    struct bus_amqp_options options = {
        .url = where,
        .log = log,
        .connection_name = "trouble",
        .heartbeat_s = HEARTBEAT_S,
        .clock = clock_system(),
        .switches = switches_all_on(),
    };
    struct err err = {""};
    *w = (struct watched){.up = false};
    if (bus_amqp_new(&options, &w->bus, &err) != OK)
        CU_FAIL_FATAL(err.text);
    bus_listen(w->bus, hear, w);
}

static void start(struct watched *w, const char *where)
{
    start_with_log(w, where, NULL);
}

static void timed(struct watched *w, int64_t began)
{
    int64_t took = now_ms() - began;
    w->longest_ms = took > w->longest_ms ? took : w->longest_ms;
}

static void turn(struct watched *w)
{
    struct pollfd poller = {.fd = bus_fd(w->bus), .events = POLLIN};
    int64_t left = bus_deadline_ms(w->bus) - now_ms();
    poll(&poller, 1, left < 0 ? 0 : left < 20 ? (int)left : 20);
    int64_t began = now_ms();
    bus_pump(w->bus);
    timed(w, began);
}

static void until(struct watched *w, bool up)
{
    int64_t end = now_ms() + PATIENCE_MS;
    while (w->up != up && now_ms() < end)
        turn(w);
    CU_ASSERT_EQUAL(w->up, up);
}

static enum result say(struct watched *w, const char *exchange, size_t size)
{
    static char body[LARGE];
    memset(body, 'x', sizeof body);
    struct bus_message message = {.exchange = exchange,
                                  .routing_key = SUITE_WORK,
                                  .id = "id",
                                  .traceparent = "",
                                  .body = body,
                                  .size = size};
    int64_t began = now_ms();
    enum result result = bus_publish(w->bus, &message, 1);
    timed(w, began);
    return result;
}

static void finish(struct watched *w)
{
    int64_t began = now_ms();
    bus_free(w->bus);
    timed(w, began);
    CU_ASSERT_TRUE(w->longest_ms < BLOCKED_MS);
    if (w->longest_ms >= BLOCKED_MS)
        fprintf(stderr, "a call took %d ms\n", (int)w->longest_ms);
}

static void a_deleted_queue_is_told(void)
{
    struct watched w;
    deploy();
    start(&w, url);
    struct bus_subscription subscription = {.queue = SUITE_FULL, .prefetch = 1};
    CU_ASSERT_EQUAL(bus_subscribe(w.bus, &subscription, NULL), OK);
    until(&w, true);
    queue_delete(SUITE_FULL);
    until(&w, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.reason, SUITE_FULL));
    int64_t end = now_ms() + PATIENCE_MS;
    while (!strstr(w.reason, "404") && now_ms() < end)
        turn(&w);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.reason, "404"));
    deploy();
    until(&w, true);
    finish(&w);
}

/* As after a restart of the node, when its streams come back later than its door opens: what is
 * published before would be confirmed and not be in the log. */
static void without_its_log_it_publishes_nothing(void)
{
    struct watched w;
    deploy();
    queue_delete(SUITE_LOG);
    start_with_log(&w, url, SUITE_LOG);
    int64_t end = now_ms() + PATIENCE_MS;
    while (!strstr(w.reason, "404") && now_ms() < end)
        turn(&w);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.reason, SUITE_LOG));
    CU_ASSERT_FALSE(w.up);
    CU_ASSERT_EQUAL(say(&w, EXCHANGE_EVENTS, 10), RETRY);
    deploy();
    until(&w, true);
    finish(&w);
}

static void a_closed_channel_is_told(void)
{
    struct watched w;
    start(&w, url);
    until(&w, true);
    CU_ASSERT_EQUAL(say(&w, "no.such.exchange", 10), OK);
    until(&w, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.reason, "404"));
    CU_ASSERT_PTR_NOT_NULL(strstr(w.reason, "no.such.exchange"));
    CU_ASSERT_EQUAL(w.settled, 0);
    until(&w, true);
    finish(&w);
}

static void a_forced_close_is_told(void)
{
    struct watched w;
    start(&w, url);
    until(&w, true);
    ask("close");
    until(&w, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.reason, "320"));
    until(&w, true);
    CU_ASSERT_EQUAL(w.downs, 1);
    finish(&w);
}

static void a_wrong_password_is_told(void)
{
    struct watched w;
    char where[256];
    snprintf(where, sizeof where, "amqp://test:wrong-secret@%s", strchr(url, '@') + 1);
    start(&w, where);
    int64_t end = now_ms() + PATIENCE_MS;
    while (w.downs == 0 && now_ms() < end)
        turn(&w);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.reason, "403"));
    CU_ASSERT_PTR_NULL(strstr(w.reason, "wrong-secret"));
    end = now_ms() + 1000;
    while (now_ms() < end)
        turn(&w);
    CU_ASSERT_EQUAL(w.downs, 1); /* the same reason is told once */
    finish(&w);
}

/* A frozen broker reads nothing: the socket fills up, heartbeats stop, connecting hangs. */
static void a_frozen_broker_blocks_nobody(void)
{
    struct watched w;
    start(&w, url);
    until(&w, true);
    ask("freeze");
    size_t sent = 0;
    int64_t end = now_ms() + PATIENCE_MS;
    while (w.up && now_ms() < end) {
        while (say(&w, EXCHANGE_COMMANDS, LARGE) == OK)
            sent++;
        turn(&w);
    }
    CU_ASSERT_FALSE(w.up);
    CU_ASSERT_TRUE(sent > 0);
    CU_ASSERT_EQUAL(w.settled, 0);
    end = now_ms() + 1500; /* into the next attempt */
    while (now_ms() < end)
        turn(&w);
    struct watched other;
    start(&other, url);
    end = now_ms() + 300;
    while (now_ms() < end)
        turn(&other);
    finish(&other); /* in the middle of connecting */
    ask("thaw");
    until(&w, true);
    finish(&w);
}

/* What has not left when the connection breaks does not leave on the next one, where nobody counts it. */
static void a_burst_ends_with_its_connection(void)
{
    struct watched w;
    start(&w, url);
    until(&w, true);
    CU_ASSERT_EQUAL(say(&w, EXCHANGE_COMMANDS, 1), OK);
    bus_reconnect(w.bus);
    until(&w, false);
    until(&w, true);
    CU_ASSERT_EQUAL(w.settled, 0);
    int64_t end = now_ms() + PATIENCE_MS;
    for (size_t sent = 1; sent <= 3; sent++) {
        CU_ASSERT_EQUAL(say(&w, EXCHANGE_COMMANDS, 1), OK);
        while (w.settled < sent && w.up && now_ms() < end)
            turn(&w);
    }
    CU_ASSERT_EQUAL(w.settled, 3);
    end = now_ms() + 500; /* a confirm too many would come now */
    while (w.up && now_ms() < end)
        turn(&w);
    CU_ASSERT_EQUAL(w.downs, 1);
    finish(&w);
}

static void an_alarm_blocks_nobody(void)
{
    struct watched w;
    start(&w, url);
    until(&w, true);
    ask("block");
    size_t sent = 0;
    int64_t end = now_ms() + 5000;
    while (now_ms() < end) {
        while (sent < 900 && say(&w, EXCHANGE_COMMANDS, LARGE) == OK)
            sent++;
        turn(&w);
    }
    CU_ASSERT_TRUE(sent > 0);
    ask("unblock");
    end = now_ms() + PATIENCE_MS;
    while (w.settled < sent && now_ms() < end)
        turn(&w);
    CU_ASSERT_EQUAL(w.settled, sent);
    CU_ASSERT_EQUAL(w.downs, 0);
    finish(&w);
}

static const struct unit_case cases[] = {
    {"a deleted queue is told", a_deleted_queue_is_told},
    {"without its log it publishes nothing", without_its_log_it_publishes_nothing},
    {"a closed channel is told", a_closed_channel_is_told},
    {"a forced close is told", a_forced_close_is_told},
    {"a wrong password is told", a_wrong_password_is_told},
    {"a frozen broker blocks nobody", a_frozen_broker_blocks_nobody},
    {"a burst ends with its connection", a_burst_ends_with_its_connection},
    {"an alarm blocks nobody", an_alarm_blocks_nobody},
};

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    url = argv[1];
    return unit_run("bus in trouble", cases, sizeof cases / sizeof cases[0]);
}
