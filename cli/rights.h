/* What a service may do at the broker, derived from its topology table: it configures nothing, reads
 * its own queues, writes the exchanges that it publishes to, and there the routing keys of its own
 * publications only. */
#ifndef WARREN_CLI_RIGHTS_H
#define WARREN_CLI_RIGHTS_H

#include "common/base/buf.h"
#include "common/messaging/topology.h"

/* Each appends a regular expression that meets these names and no other; "^$" for none. */
void rights_read(const struct topology *topology, struct buf *out);
void rights_write(const struct topology *topology, struct buf *out);
void rights_publish(const struct topology *topology, const char *exchange, struct buf *out);

#endif
