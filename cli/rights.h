/* What a service may do at the broker, derived from its topology table: it configures nothing, reads
 * its own queues, writes the exchanges that it publishes to, and there the routing keys of its own
 * publications only; and what one user for all of them may, and one who declares. */
#ifndef WARREN_CLI_RIGHTS_H
#define WARREN_CLI_RIGHTS_H

#include "common/base/buf.h"
#include "common/messaging/topology.h"

/* Each appends a regular expression that meets these names and no other; "^$" for none. */
void rights_read(const struct topology *topology, struct buf *out);
void rights_write(const struct topology *topology, struct buf *out);
void rights_publish(const struct topology *topology, const char *exchange, struct buf *out);

/* The same of all tables together: for one user that all services go by, as with `up --amqp-url`. */
void rights_read_all(const struct topology *const *tables, size_t count, struct buf *out);
void rights_write_all(const struct topology *const *tables, size_t count, struct buf *out);

/* Who declares the topology and nothing else: what it configures; writes (a queue, to bind it; where dead
 * letters go, to say so); reads (an exchange, to bind to it; a queue with dead letters). */
void rights_to_configure(const struct topology *const *tables, size_t count, struct buf *out);
void rights_to_bind(const struct topology *const *tables, size_t count, struct buf *out);
void rights_to_bind_to(const struct topology *const *tables, size_t count, struct buf *out);

#endif
