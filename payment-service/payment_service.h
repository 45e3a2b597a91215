/* payment-service: it alone decides about money. One row per order; exactly one of captured,
 * declined and closed is said about it, and at most one refund, only after captured.
 *
 * It keeps nothing in memory between two messages, so there is nothing to make: the `self` of
 * struct service_parts is NULL. Its `effect` is the provider (provider.h). */
#ifndef WARREN_PAYMENT_SERVICE_PAYMENT_SERVICE_H
#define WARREN_PAYMENT_SERVICE_PAYMENT_SERVICE_H

#include <stddef.h>

#include "common/messaging/service.h"
#include "common/messaging/topology.h"
#include "common/store/store.h"

extern const struct topology payment_topology;
extern const struct service_spec payment_service_spec;

/* The table `payment`. Owner "payment". */
extern const struct migration payment_migrations[];
extern const size_t payment_migration_count;

#endif
