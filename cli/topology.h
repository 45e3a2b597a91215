/* The topology of the whole suite, brought to its broker. */
#ifndef WARREN_CLI_TOPOLOGY_H
#define WARREN_CLI_TOPOLOGY_H

#include "cli/suite.h"
#include "common/base/err.h"

/* Declares what the services' tables say, as the deploy user, or with the credentials of `url`
 * (NULL: the suite's own broker). RETRY: nobody there, or not ready to let us in. */
enum result topology_deploy(const struct suite *suite, const char *url,
                            struct err *err) WARN_UNUSED;

#endif
