/* The bus: what a service sees of a broker. Two implementations, AMQP (bus_amqp.h) and memory
 * (memory_bus.h), held to one conformance suite.
 *
 * Nothing blocks, connecting included. A bus connects by itself, and again after every loss, with
 * jittered back-off. All news arrives through the listener, and only from inside bus_pump. One
 * thread. What was subscribed stays subscribed across reconnects; delivery tags do not survive
 * BUS_DOWN; a publish in flight at BUS_DOWN has an unknown fate and its token is forgotten. */
#ifndef WARREN_MESSAGING_BUS_H
#define WARREN_MESSAGING_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define EXCHANGE_COMMANDS "warren.commands"
#define EXCHANGE_EVENTS "warren.events"
#define EXCHANGE_DEAD "warren.dead"
#define STREAM_LOG "events.log.1"

/* One message on its way out. Everything is borrowed for the call. `body` is the whole structured
 * CloudEvent; id, type, time and traceparent are mirrored as AMQP properties. */
struct bus_message {
    const char *exchange;
    const char *routing_key; /* also the AMQP type property */
    const char *id;
    const char *traceparent; /* "" for none */
    int64_t time_ms;
    const char *body;
    size_t size;
};

/* One message that has arrived. Valid inside the listener only: copy what you keep. */
struct bus_delivery {
    const char *queue; /* as subscribed */
    uint64_t tag;      /* ascending over all subscriptions of this bus; 0 is never used */
    bool redelivered;
    int64_t offset;  /* in a stream; -1 elsewhere */
    const char *key; /* the routing key, which a broker has let its publisher use; "" when not
                               known */
    const char *message_id; /* the property, "" when absent: the body decides, this one helps when
                               it cannot be read */
    const char *body;
    size_t size;
};

enum bus_fate { FATE_CONFIRMED, FATE_RETURNED, FATE_NACKED };

enum bus_event_kind {
    BUS_UP,   /* connected, topology there, consumers running, publishing possible. `reason`: NULL,
                    or what keeps the log away; a fact that only the log would take comes back then */
    BUS_DOWN, /* lost, or never reached: `reason`; told again every 30 s while it lasts */
    BUS_BLOCKED, /* the broker asks publishers to hold (an alarm): `reason` */
    BUS_UNBLOCKED,
    BUS_DELIVERY,
    BUS_SETTLED, /* the fate of the publish with this token, once each */
};

struct bus_event {
    enum bus_event_kind kind;
    const char *reason;
    const struct bus_delivery *delivery;
    uint64_t token;
    enum bus_fate fate;
};

/* May call anything but bus_pump and bus_free. */
typedef void bus_listener(void *context, const struct bus_event *event);

#define OFFSET_FIRST (-1) /* a stream from its first retained message */
#define OFFSET_NEXT (-2)  /* only what is published from now on */

struct bus_subscription {
    const char *queue; /* borrowed for the life of the bus */
    int prefetch;
    bool stream;
    int64_t from_offset; /* streams: deliver from this one on, and nothing before it even if it does
                            not exist yet; OFFSET_FIRST, OFFSET_NEXT */
};

struct bus;
struct bus_ops {
    int (*fd)(struct bus *bus);
    int64_t (*deadline_ms)(struct bus *bus);
    void (*pump)(struct bus *bus);
    enum result (*subscribe)(struct bus *bus, const struct bus_subscription *subscription,
                             struct err *err);
    enum result (*publish)(struct bus *bus, const struct bus_message *message, uint64_t token);
    void (*flush)(struct bus *bus); /* NULL: nothing waits */
    enum result (*ack)(struct bus *bus, uint64_t tag);
    void (*reconnect)(struct bus *bus);
    bool (*quiet)(struct bus *bus);
    void (*release)(struct bus *bus);
};

/* Embedded first in every implementation. */
struct bus {
    const struct bus_ops *ops;
    bus_listener *listener;
    void *listener_context;
};

/* To whom news goes; before the first pump. */
static inline void bus_listen(struct bus *bus, bus_listener *listener, void *context)
{
    bus->listener = listener;
    bus->listener_context = context;
}
/* Readable when bus_pump has something to do. One fd for the life of the bus; -1: never sleep on
 * it. */
static inline int bus_fd(struct bus *bus)
{
    return bus->ops->fd(bus);
}
/* Monotonic time at which bus_pump must run even without readiness; 0: at once (work in hand). */
static inline int64_t bus_deadline_ms(struct bus *bus)
{
    return bus->ops->deadline_ms(bus);
}
/* Connects, reads, settles: the only place with callbacks. A bounded amount of work. */
static inline void bus_pump(struct bus *bus)
{
    bus->ops->pump(bus);
}
/* Before the first pump for queues. For a stream, again to set the offset for the next reconnect.
 */
static inline enum result bus_subscribe(struct bus *bus, const struct bus_subscription *sub,
                                        struct err *err)
{
    return bus->ops->subscribe(bus, sub, err);
}
/* Pipelined, persistent. OK: the fate follows as BUS_SETTLED with this token, or BUS_DOWN first.
 * RETRY: down, blocked, or the window of unconfirmed publishes is full; try after the next pump.
 * With the switch `confirms` off the fate is FATE_CONFIRMED at the next pump whatever happened. */
static inline enum result bus_publish(struct bus *bus, const struct bus_message *message,
                                      uint64_t token)
{
    return bus->ops->publish(bus, message, token);
}
/* After a burst of publishes: what has not left yet leaves now, with as few packets as it takes. A
 * pump does it too. */
static inline void bus_flush(struct bus *bus)
{
    if (bus->ops->flush)
        bus->ops->flush(bus);
}
/* Acknowledges every delivery up to and including the tag. RETRY when down: the tags are void. */
static inline enum result bus_ack(struct bus *bus, uint64_t tag)
{
    return bus->ops->ack(bus, tag);
}
/* Gives the connection up and makes another: BUS_DOWN at the next pump, then what is subscribed by then
 * counts. Nothing while it is down. */
static inline void bus_reconnect(struct bus *bus)
{
    bus->ops->reconnect(bus);
}
/* Takes no more deliveries, for good. False: some may still come, ask again after the next pump. */
static inline bool bus_quiet(struct bus *bus)
{
    return bus->ops->quiet(bus);
}
static inline void bus_free(struct bus *bus)
{
    if (bus)
        bus->ops->release(bus);
}

#endif
