/* The topology of the whole suite, brought to its broker. */
#ifndef WARREN_CLI_TOPOLOGY_H
#define WARREN_CLI_TOPOLOGY_H

#include "cli/suite.h"
#include "common/base/err.h"
#include "common/messaging/topology.h"

/* The tables of all services. */
extern const struct topology *const topology_tables[];
extern const size_t topology_count;

/* Declares what the services' tables say, the log as large as topology_log_max() says, as the deploy user, or with the credentials of `url`
 * (NULL: the suite's own broker), over TLS believing `ca_file` (NULL: the system). RETRY: nobody there, or not ready to let us in. */
enum result topology_deploy(const struct suite *suite, const char *url, const char *ca_file,
                            struct err *err) WARN_UNUSED;

/* How large this suite's log may grow: HOME/run/log-max-bytes, as `warren up --log-max-bytes` has
 * written it. 0: as the edge's table says. */
int64_t topology_log_max(const struct suite *suite);
enum result topology_set_log_max(const struct suite *suite, int64_t bytes,
                                 struct err *err) WARN_UNUSED;

/* The same with what the suite in that home was started with. */
enum result topology_deploy_again(const struct suite *suite, struct err *err) WARN_UNUSED;

#endif
