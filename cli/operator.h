/* What the command line itself says on the bus, as a table like those of the services: for the lint and
 * for asyncapi.yaml. It publishes as the user `deploy`, who may do everything. */
#ifndef WARREN_CLI_OPERATOR_H
#define WARREN_CLI_OPERATOR_H

#include "common/messaging/topology.h"

extern const struct topology operator_topology;

#endif
