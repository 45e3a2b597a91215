/* Folded orders kept in memory, the least recently used dropped first. It owns what it holds. It
 * never knows whether what it holds is still true: another instance may have moved the order on.
 * Whoever writes on the strength of it is caught by the version; whoever decides *not* to write
 * has to look at the store first. */
#ifndef WARREN_ORDER_SERVICE_ORDER_CACHE_H
#define WARREN_ORDER_SERVICE_ORDER_CACHE_H

#include <stddef.h>

#include "order-service/order.h"

struct order_cache;

/* Holds at most `max` (>= 1) orders. Never NULL. */
struct order_cache *order_cache_new(size_t max);
void order_cache_free(struct order_cache *cache);

/* Borrowed until the next call that puts, drops or clears; NULL: not held. */
struct order *order_cache_find(struct order_cache *cache, const char *order_id);
/* Takes the order, in place of one with the same id. */
void order_cache_put_take(struct order_cache *cache, struct order *order);
void order_cache_drop(struct order_cache *cache, const char *order_id);
void order_cache_clear(struct order_cache *cache);
size_t order_cache_count(const struct order_cache *cache);

#endif
