/* The conformance suite of the bus over the in-process broker. */
#include <stdlib.h>

#include "common/messaging/memory_bus.h"
#include "tests/conformance/bus_suite.h"

struct fixture {
    struct memory_broker *broker;
    int64_t now_ms;
};

static const struct topology *const tables[] = {&suite_topology};

static void reset(void *self)
{
    struct fixture *fixture = self;
    memory_broker_free(fixture->broker);
    fixture->broker = memory_broker_new(tables, 1);
}

static struct bus *open_bus(void *self, const struct switches *switches)
{
    return memory_bus_new(((struct fixture *)self)->broker, switches);
}

static void turn(void *self, struct bus *const *buses, size_t count)
{
    ((struct fixture *)self)->now_ms++;
    for (size_t i = 0; i < count; i++)
        bus_pump(buses[i]);
}

static int64_t now_ms(void *self)
{
    return ((struct fixture *)self)->now_ms;
}

static void lose(void *self)
{
    memory_broker_drop_all(((struct fixture *)self)->broker);
}

static void revive(void *self)
{
    (void)self;
}

static void block(void *self, bool blocked)
{
    memory_broker_block(((struct fixture *)self)->broker, blocked);
}

int main(void)
{
    struct fixture fixture = {NULL, 0};
    struct bus_fixture suite = {
        .self = &fixture,
        .reset = reset,
        .open = open_bus,
        .turn = turn,
        .now_ms = now_ms,
        .patience_ms = 10000,
        .quiet_ms = 20,
        .window = 1000,
        .kill = lose,
        .stop = lose,
        .revive = revive,
        .block = block,
    };
    int status = bus_suite_run("bus over memory", &suite);
    memory_broker_free(fixture.broker);
    return status;
}
