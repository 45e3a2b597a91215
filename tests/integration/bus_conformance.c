/* The conformance suite of the bus over AMQP. bus-conformance.sh starts a private broker and obeys
 * what is asked of it on descriptor 3 (a word a line), answering on descriptor 4. */
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

enum { WINDOW = 1000, BUSES_MAX = 8 };

static const struct topology *const tables[] = {&suite_topology};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bus_conformance: %s: %s\n", what, why);
    exit(1);
}

static void ask(const char *word)
{
    char answer[8];
    if (dprintf(3, "%s\n", word) < 0 || read(4, answer, sizeof answer) <= 0)
        fail(word, strerror(errno));
}

static void reset(void *self)
{
    static const char *const queues[] = {SUITE_WORK, SUITE_FULL};
    const struct deploy_options deploy = {.url = self};
    struct amqp_target target;
    struct amqp_link link;
    struct err err = {""};
    if (deploy_declare(&deploy, tables, 1, NULL, &err) != OK ||
        deploy_check(&deploy, tables, 1, &err) != OK ||
        amqp_target_parse(self, NULL, NULL, &target, &err) != OK ||
        amqp_link_open(&target, "reset", &link, &err) != OK)
        fail("reset", err.text);
    for (size_t i = 0; i < 2; i++) {
        amqp_queue_purge(link.connection, AMQP_CHANNEL, amqp_cstring_bytes(queues[i]));
        if (amqp_link_check(&link, "purge", &err) != OK)
            fail("reset", err.text);
    }
    amqp_link_farewell(&link);
}

static struct bus *open_bus(void *self, const struct switches *switches)
{
    struct bus_amqp_options options = {
        .url = self,
        .connection_name = "suite",
        .heartbeat_s = 4,
        .window = WINDOW,
        .clock = clock_system(),
        .switches = *switches,
    };
    struct bus *bus = NULL;
    struct err err = {""};
    if (bus_amqp_new(&options, &bus, &err) != OK)
        fail("open", err.text);
    return bus;
}

static int64_t now_ms(void *self)
{
    (void)self;
    return clock_mono_ms(clock_system());
}

/* Sleeps as an owner does: until the fd is readable or the deadline has come, and pumps only then;
 * a bus that sleeps on work in hand is found out. At most 20 ms, for those who count time. */
static void turn(void *self, struct bus *const *buses, size_t count)
{
    struct pollfd fds[BUSES_MAX];
    int64_t now = now_ms(self);
    int64_t wait = 20;
    for (size_t i = 0; i < count; i++) {
        int64_t deadline = bus_deadline_ms(buses[i]);
        if (deadline < now + wait)
            wait = deadline > now ? deadline - now : 0;
        fds[i] = (struct pollfd){.fd = bus_fd(buses[i]), .events = POLLIN};
    }
    poll(fds, (nfds_t)count, (int)wait);
    now = now_ms(self);
    for (size_t i = 0; i < count; i++)
        if (fds[i].revents || bus_deadline_ms(buses[i]) <= now)
            bus_pump(buses[i]);
}

static void lose(void *self)
{
    (void)self;
    ask("kill");
}

static void stop(void *self)
{
    (void)self;
    ask("stop");
}

static void revive(void *self)
{
    (void)self;
    ask("revive");
}

static void block(void *self, bool blocked)
{
    (void)self;
    ask(blocked ? "block" : "unblock");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "Usage: bus_conformance URL 3>ASK 4<ANSWER\n");
        return 2;
    }
    struct bus_fixture suite = {
        .self = argv[1],
        .reset = reset,
        .open = open_bus,
        .turn = turn,
        .now_ms = now_ms,
        .patience_ms = 30000,
        .quiet_ms = 300,
        .window = WINDOW,
        .kill = lose,
        .stop = stop,
        .revive = revive,
        .block = block,
    };
    return bus_suite_run("bus over AMQP", &suite);
}
