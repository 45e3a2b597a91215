/* Making the broker look as the tables say: exchanges, queues, bindings. For whoever deploys
 * (`warren up`) and for tests; services at run time have no right to declare anything. Blocks. */
#ifndef WARREN_MESSAGING_DEPLOY_H
#define WARREN_MESSAGING_DEPLOY_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/messaging/bus.h"
#include "common/messaging/topology.h"

struct deploy_options {
    const char *url;      /* see amqp_target_parse() */
    const char *user;     /* when the URL names nobody */
    const char *password; /* likewise */
    const char *ca_file;  /* amqps; NULL: the system's */
};

/* The broker that they name, with who is told to it as "warren". INVALID: the URL. It holds a password:
 * wipe it. */
struct amqp_target;
enum result deploy_target(const struct deploy_options *options, struct amqp_target *ret_target,
                          struct err *err) WARN_UNUSED;

/* What a user who may not declare was content with. */
struct deploy_seen {
    size_t
        accepted; /* exchanges and queues that are there; what they were declared with was not compared */
    size_t unasked; /* bindings: whether they are there cannot be asked */
};

/* Declares the exchanges, the dead-letter queue and the union of the tables, all durable. Doing it
 * again changes nothing. What a user may not declare must be there already; `seen` (may be NULL) counts it.
 * REFUSED: what is there differs from the tables, or is missing and the user may not declare it.
 * RETRY: the broker was not reachable. NOT_FOUND: all is there but a stream, which the broker has on
 * record and cannot serve. */
enum result deploy_declare(const struct deploy_options *options,
                           const struct topology *const *tables, size_t count,
                           struct deploy_seen *seen, struct err *err) WARN_UNUSED;

/* What a queue is declared with, for people: "x-queue-type quorum, x-delivery-limit 1000000". Appends. */
void deploy_print_arguments(const struct queue_spec *queue, struct buf *out);

/* Whether everything that deploy_declare makes is there (bindings cannot be asked for). NOT_FOUND
 * names the first that is missing. */
enum result deploy_check(const struct deploy_options *options, const struct topology *const *tables,
                         size_t count, struct err *err) WARN_UNUSED;

/* Loose ends of all tables together: a queue without a consumer; a handler for a type that has no
 * contract, or with another payload than contract or publication; a type that is handled and that
 * no binding brings, or brought and handled by nobody; a binding that no published type meets; a
 * command that no binding routes; one queue declared in two ways. Pure. Appends a line for each and
 * returns how many there are. `contracts` are contracts[] as publications. */
size_t topology_lint(const struct topology *const *tables, size_t count,
                     const struct publication_spec *contracts, size_t contract_count,
                     struct buf *findings);

#endif
