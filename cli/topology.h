/* The topology of the whole suite, brought to its broker. */
#ifndef WARREN_CLI_TOPOLOGY_H
#define WARREN_CLI_TOPOLOGY_H

#include <stdbool.h>

#include "cli/suite.h"
#include "common/base/err.h"
#include "common/messaging/topology.h"

/* The tables of all services. */
extern const struct topology *const topology_tables[];
extern const size_t topology_count;

/* The tables that are declared, the log as large as topology_log_max() says. `list` borrows from the rest:
 * it is filled in place and not copied. */
struct topology_set {
    const struct topology *list[8];
    size_t count;
    struct topology edge;
    struct queue_spec log;
};
void topology_declared(const struct suite *suite, struct topology_set *set);

/* Where to, and how. */
struct topology_how {
    const char *url; /* with its credentials; NULL: the suite's own broker, as the deploy user */
    const char *ca_file; /* whom a broker with TLS is believed by; NULL: the system's */
    bool adopt;          /* whosever the broker was, it is this suite's from now on */
};

/* What is to be said although all went well; "": nothing. */
struct topology_told {
    char identity[160];
    char rights[200];
};

/* Sees that the broker is this suite's (identity.h), and declares there what the services' tables say, the log
 * as large as topology_log_max() says. What is there already is enough for a user who may not declare it.
 * RETRY: nobody there, or not ready to let us in. CONFLICT: the broker is another suite's. `ret_told` may be NULL. */
enum result topology_deploy(const struct suite *suite, const struct topology_how *how,
                            struct topology_told *ret_told, struct err *err) WARN_UNUSED;

/* How large this suite's log may grow: HOME/run/log-max-bytes, as `warren up --log-max-bytes` has
 * written it. 0: as the edge's table says. */
int64_t topology_log_max(const struct suite *suite);
enum result topology_set_log_max(const struct suite *suite, int64_t bytes,
                                 struct err *err) WARN_UNUSED;

/* The same with what the suite in that home was started with. */
enum result topology_deploy_again(const struct suite *suite, struct topology_told *ret_told,
                                  struct err *err) WARN_UNUSED;

#endif
