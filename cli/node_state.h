/* What is said of a node that is up: whether it is of use, and how often it was restarted because it
 * was not. `warren-warden` asks and writes, `warren status` reads. */
#ifndef WARREN_CLI_NODE_STATE_H
#define WARREN_CLI_NODE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/suite.h"
#include "common/base/err.h"
#include "common/messaging/topology.h"

/* Asks for every queue of the tables, and to read the stream, as the service that may only read.
 * REFUSED: the node is up and useless, for it answers 541, or that a queue's home node, itself, is
 * down. RETRY: it does not say, or a queue is not there at all: nothing that a restart would mend. */
enum result node_ask(const struct suite *suite, const struct topology *const *tables, size_t count,
                     struct err *err) WARN_UNUSED;

struct node_restarts {
    int64_t count;
    int64_t last_ms; /* epoch; 0: never */
    char why[160];
};
/* Nothing, when there is no record. */
void node_restarts_read(const struct suite *suite, struct node_restarts *ret_restarts);
enum result node_restarts_write(const struct suite *suite, const struct node_restarts *restarts,
                                struct err *err) WARN_UNUSED;
void node_restarts_forget(const struct suite *suite);

/* Whether its disk has so much room: BROKER_ROOM_MB, and it can start and work. */
bool node_has_room(const struct suite *suite, unsigned long mb);

#endif
