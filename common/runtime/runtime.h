/* One program of the suite: its options, its home, its lock, its log, and how to open from there
 * what it works with. INTERFACES: ports follow from --base-port, files lie under --home. */
#ifndef WARREN_RUNTIME_RUNTIME_H
#define WARREN_RUNTIME_RUNTIME_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/options.h"
#include "common/base/switches.h"
#include "common/messaging/bus.h"
#include "common/messaging/topology.h"
#include "common/store/store.h"
#include "common/telemetry/log.h"
#include "common/web/ops.h"

#define VHOST "warren"

/* Exit codes, a part of INTERFACES. */
enum { EXIT_DONE = 0, EXIT_UNKNOWN = 4, EXIT_MACHINE = 6 };

enum { AMQP_PORT_OFFSET = 10, RUNTIME_OPTIONS_MAX = 32 };

struct runtime_program {
    const char *name;             /* "order-service": user at the broker, log, lock */
    const char *about;            /* a sentence for --help */
    int port_offset;              /* of instance 1: BASE + offset */
    const struct option *options; /* besides the common ones */
    size_t option_count;
};

struct runtime {
    const struct runtime_program *program;
    const struct clock *clock;
    const char *home; /* as given */
    int64_t base_port;
    int64_t instance; /* 1 .. 10 */
    const char *amqp_url;
    const char *ca_file;
    struct option_list without;
    bool unsafe;
    bool verbose;
    struct switches switches;
    char owner[64]; /* "order-service-1" */
    struct log log;
    int lock_fd;
};

/* Reads the command line (printing and exiting as options_parse does), finds the home folder and
 * takes the lock that keeps a second process of the same name away. EXIT_DONE, or the exit code of
 * main after a line on stderr. The program is borrowed. */
int runtime_start(struct runtime *runtime, const struct runtime_program *program, int argc,
                  char **argv);
void runtime_end(struct runtime *runtime);

/* "HOME/NAME"; INVALID when it is too long. */
enum result runtime_path(const struct runtime *runtime, const char *name, char path[PATH_MAX],
                         struct err *err) WARN_UNUSED;
/* Opens HOME/`name` and migrates it. Waits up to 10 s for somebody else's lock. The store is the
 * caller's. FATAL, with words, for a durable one that was made once and is gone (stores_made.h), or that
 * is damaged. */
enum result runtime_store(const struct runtime *runtime, const char *name, enum store_mode mode,
                          const char *owner, const struct migration *steps, size_t count,
                          struct store **ret_store, struct err *err) WARN_UNUSED;
/* Migrates a further owner's tables in it. */
enum result runtime_migrate(const struct runtime *runtime, struct store *store, const char *owner,
                            const struct migration *steps, size_t count,
                            struct err *err) WARN_UNUSED;
enum bus_use {
    BUS_OF_SERVICE,  /* both ways; publishes once the log is back, or given up */
    BUS_OF_COMMANDS, /* publishes what the log does not take */
    BUS_OF_LOG,      /* reads only */
};
/* The bus as the user of the program's name with the password in HOME/secrets/NAME, or as --amqp-url
 * says. The caller's: bus_free. */
enum result runtime_bus(const struct runtime *runtime, enum bus_use use, struct bus **ret_bus,
                        struct err *err) WARN_UNUSED;
/* Whether, by the last look of the suite's watcher, nothing of what the table names is missing at the
 * broker: see topology_ready(). Reads a small file. */
bool runtime_bindings(const struct runtime *runtime, const struct topology *table,
                      struct buf *wrong, struct buf *notes);
/* The port of this instance. */
int runtime_port(const struct runtime *runtime);

#endif
