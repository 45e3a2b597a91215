/* The order service: orders (event-sourced), catalogue and stock. What it owns, hears and says is
 * in README.md; this header is all that a main(), a test or a lint needs.
 *
 * The struct is `self` of the service loop: a bounded cache of folded orders and the stock touched
 * in the open transaction. It belongs to the loop's thread and to one store. Memory is never the
 * truth: `forget` empties it. */
#ifndef WARREN_ORDER_SERVICE_ORDER_SERVICE_H
#define WARREN_ORDER_SERVICE_ORDER_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "common/messaging/service.h"
#include "common/messaging/topology.h"
#include "common/store/store.h"

struct order_service;
struct buf;
struct log;

struct order_service_options {   /* zero: the default */
    int64_t payment_deadline_ms; /* from placing to giving up on payment (30000) */
    size_t cache_max;            /* folded orders kept in memory (4096) */
    const struct log *log;       /* of what is refused; NULL: silent */
};

/* `options` may be NULL. The result is the caller's: order_service_free. */
enum result order_service_new(const struct order_service_options *options,
                              struct order_service **ret_service, struct err *err) WARN_UNUSED;
/* Takes NULL. */
void order_service_free(struct order_service *service);
/* What it counts beside the loop, as Prometheus text. */
void order_service_metrics(const struct order_service *service, struct buf *out);

extern const struct topology order_topology;
extern const struct service_spec order_service_spec;

/* Tables of order.db, owner "order". */
extern const struct migration order_migrations[];
extern const size_t order_migration_count;

#endif
