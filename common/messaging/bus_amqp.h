/* The bus on AMQP 0-9-1 (RabbitMQ). See README.md, "The AMQP bus", for how it works.
 *
 * One handle belongs to one thread. Connecting, which can block, happens on a short-lived helper
 * thread (docs/adr/0002-connect-on-a-helper-thread.md) that hands over finished connections. */
#ifndef WARREN_MESSAGING_BUS_AMQP_H
#define WARREN_MESSAGING_BUS_AMQP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/switches.h"
#include "common/messaging/bus.h"

struct amqp_target;

struct bus_amqp_options {
    const struct amqp_target *target; /* the broker (amqp_link.h); NULL: as the URL says */
    const char *url;                  /* see amqp_target_parse() */
    const char *user;                 /* when the URL names nobody; may be NULL otherwise */
    const char *password;             /* likewise */
    const char *ca_file;         /* amqps: PEM; NULL: the system's. The peer is always verified. */
    const char *connection_name; /* what the broker shows: "order-service-1" */
    const char *app_id;          /* of every message; NULL: the connection's name */
    const char *log; /* a queue that has to be there before anything is published; NULL: none */
    int64_t log_patience_ms; /* asked for in vain for so long, it is done without; 0: 90000 */
    bool consume_only;       /* one connection, for what is subscribed; nothing can be published */
    int heartbeat_s;        /* 0: as the URL says, or 15. A silent peer is lost after twice that. */
    size_t window;          /* unconfirmed publishes at most; 0: 1000 */
    int64_t backoff_min_ms; /* 0: 100 */
    int64_t backoff_max_ms; /* 0: 5000 */
    const struct clock *clock; /* borrowed, outlives the bus; its random64 makes the jitter */
    struct switches switches;  /* confirms, mandatory */
};

/* Connects to nothing yet: that begins with the first bus_pump. Everything but the clock is copied.
 * INVALID: the URL. Free with bus_free, which says goodbye without waiting for an answer: what was
 * not acknowledged goes back to its queue. */
enum result bus_amqp_new(const struct bus_amqp_options *options, struct bus **ret_bus,
                         struct err *err) WARN_UNUSED;

#endif
