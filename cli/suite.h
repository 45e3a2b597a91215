/* One suite: the directory that holds its state and the block of ports that it owns. Everything
 * that a command has to know about where things are is asked here. Plain data, no resources. */
#ifndef WARREN_CLI_SUITE_H
#define WARREN_CLI_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/options.h"

enum {
    SUITE_HOME_SIZE = 512,
    SUITE_PATH_SIZE = 1024,
    SUITE_PORT_DEFAULT = 8080,
    SUITE_PORT_MIN = 1024,
    SUITE_PORT_MAX = 32600, /* above base + 99 the system hands out ports by itself */
    SUITE_INSTANCES_MAX = 10,
};

/* Offsets in the suite's block of 100 ports. */
enum suite_port {
    PORT_EDGE = 0,
    PORT_AMQP = 10,
    PORT_DISTRIBUTION = 12,
    PORT_EPMD = 13,
    PORT_MANAGEMENT = 14,
    PORT_BROKER_METRICS = 15,
    PORT_ORDER = 20,
    PORT_PAYMENT = 30,
    PORT_NOTIFICATION = 40,
    PORT_QUERY = 50,
    PORT_CTL_MIN = 80,
    PORT_CTL_MAX = 89,
};

struct suite {
    char home[SUITE_HOME_SIZE]; /* absolute */
    int base_port;
};

struct suite_path {
    char text[SUITE_PATH_SIZE];
};

/* What --home and --base-port were given; zero-initialised: nothing. */
struct suite_options {
    const char *home;
    int64_t base_port;
};

/* The two options that every command takes, as rows of its option table. */
#define SUITE_OPTION_ROWS(options)                                                                 \
    {.name = "home",                                                                               \
     .environment = "WARREN_HOME",                                                                 \
     .kind = OPTION_TEXT,                                                                          \
     .value = &(options)->home,                                                                    \
     .metavar = "DIR",                                                                             \
     .help =                                                                                       \
         "all state of the suite (default: var/ of the build tree, or ~/.local/state/warren)"},    \
    {                                                                                              \
        .name = "base-port", .environment = "WARREN_BASE_PORT", .kind = OPTION_INT,                \
        .value = &(options)->base_port, .metavar = "N",                                            \
        .help = "it owns the ports N to N+99 (default: as last started there, or 8080)",           \
        .min = SUITE_PORT_MIN, .max = SUITE_PORT_MAX                                               \
    }

/* Fills in what was not given. The home: var/ in a build tree, else $XDG_STATE_HOME/warren, else
 * ~/.local/state/warren. The port: the one that the suite in that home was last started with, else
 * 8080. INVALID: a home that cannot be used as one. */
enum result suite_resolve(const struct suite_options *options, struct suite *ret_suite,
                          struct err *err) WARN_UNUSED;
/* The same for a main(): prints what is wrong and exits CLI_USAGE. */
struct suite suite_resolve_or_exit(const char *program, const struct suite_options *options);

/* A path inside the home: suite_path(suite, "log/%s-%d.log", name, 1). */
struct suite_path suite_path(const struct suite *suite, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same path for a program that runs in the home: its name there, which no name of a home can spoil.
 * Points into `path`. */
const char *suite_inside(const struct suite *suite, const struct suite_path *path);

/* The home by a name that a shell takes as it is: its own, or a symbolic link in a directory of its own
 * in /dev/shm, which `up` makes. For the broker: RabbitMQ asks a shell how much room its folder has. */
struct suite_path suite_plain_home(const struct suite *suite);

/* Where the suite's supervisor listens. Socket names are short (108 bytes), so for a long home it
 * is in a directory of its own in /tmp. */
struct suite_path suite_socket(const struct suite *suite);

/* Where this build keeps its programs. `warren-up` and the like, or a service by its name
 * ("order-service"). NOT_FOUND: not there, or not executable. */
enum result suite_program(const char *name, struct suite_path *ret_path,
                          struct err *err) WARN_UNUSED;

/* A URL of the first edge: suite_url(suite, "/v1/orders/%s", id). */
struct suite_path suite_url(const struct suite *suite, const char *format, ...) PRINTF_LIKE(2, 3);

/* The services of a suite in the order in which they start. */
struct suite_service {
    const char *name; /* program, broker user, log */
    int port;         /* offset of instance 1 */
};
extern const struct suite_service suite_services[];
extern const size_t suite_service_count;

/* The stores of the services that put messages aside; the edge follows the log and counts instead. */
struct suite_store {
    const char *service, *file; /* "store/order.db" */
};
extern const struct suite_store suite_stores[];
extern const size_t suite_store_count;

#endif
