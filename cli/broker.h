/* A suite's private RabbitMQ node: its users, its configuration files, its environment. Nothing
 * here starts anything. All of it listens on loopback only. */
#ifndef WARREN_CLI_BROKER_H
#define WARREN_CLI_BROKER_H

#include <stdbool.h>

#include "cli/suite.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/messaging/topology.h"

#define BROKER_SERVER "/usr/lib/rabbitmq/bin/rabbitmq-server"
#define BROKER_VHOST "warren"
#define BROKER_DEPLOY_USER "deploy"

enum {
    BROKER_SECRET_SIZE = 65,
    BROKER_DISK_LIMIT_MB = 200, /* below, the node takes no messages: its alarm */
    BROKER_ROOM_MB = 64,        /* below, it is not started */
};

/* Makes secrets/ with a random password for every user that has none yet. */
enum result broker_make_secrets(const struct suite *suite, const struct clock *clock,
                                struct err *err) WARN_UNUSED;
/* NOT_FOUND: the suite has no such user. */
enum result broker_secret(const struct suite *suite, const char *user,
                          char secret[BROKER_SECRET_SIZE], struct err *err) WARN_UNUSED;
/* Where the suite's broker is, its own or the one of --amqp-url, as the one who may do everything. */
struct amqp_target;
enum result broker_target(const struct suite *suite, struct amqp_target *ret_target,
                          struct err *err) WARN_UNUSED;
/* A bus to there, which the broker will show as `name`: bus_amqp_new, every switch on. It connects
 * with the first bus_pump; the caller's, bus_free. `clock` is borrowed and outlives it. */
struct bus;
enum result broker_bus(const struct suite *suite, const struct clock *clock, const char *name,
                       struct bus **ret_bus, struct err *err) WARN_UNUSED;
/* How many messages the safety net holds. RETRY: the broker does not tell. */
struct amqp_link;
enum result broker_dead_letters(const struct amqp_link *link, int64_t *ret_count,
                                struct err *err) WARN_UNUSED;
/* Of the node that the suite starts itself, naming nobody. */
void broker_private_url(const struct suite *suite, char *url, size_t size);
/* The URL of --amqp-url that the suite was started with; "": it has a broker of its own. */
void broker_external_url(const struct suite *suite, char *url, size_t size);
/* Makes broker/ with all that the node reads; the secrets must be there. What a service may do there
 * follows from its table (rights.h). */
enum result broker_configure(const struct suite *suite, const struct clock *clock,
                             const struct topology *const *tables, size_t count,
                             struct err *err) WARN_UNUSED;
/* Of it, what the node loads at each start: users, the guests among them, and their rights. */
enum result broker_write_definitions(const struct suite *suite, const struct clock *clock,
                                     const struct topology *const *tables, size_t count,
                                     struct err *err) WARN_UNUSED;
/* Whether the node would find its streams again if it were killed now. It enters them in a register
 * that reaches the disk up to 3 s later (ra's, through dets); without the entry they are lost. */
bool broker_streams_registered(const struct suite *suite);
/* The node's environment: name, value, name, value ... through `add`. */
void broker_environment(const struct suite *suite,
                        void (*add)(void *context, const char *name, const char *value),
                        void *context);

#endif
