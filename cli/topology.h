/* The topology of the whole suite, brought to its broker. */
#ifndef WARREN_CLI_TOPOLOGY_H
#define WARREN_CLI_TOPOLOGY_H

#include "cli/suite.h"
#include "common/base/err.h"
#include "common/messaging/topology.h"

/* The tables of all services. */
extern const struct topology *const topology_tables[];
extern const size_t topology_count;

/* Declares what the services' tables say, as the deploy user, or with the credentials of `url`
 * (NULL: the suite's own broker), over TLS believing `ca_file` (NULL: the system). RETRY: nobody there, or not ready to let us in. */
enum result topology_deploy(const struct suite *suite, const char *url, const char *ca_file,
                            struct err *err) WARN_UNUSED;

#endif
