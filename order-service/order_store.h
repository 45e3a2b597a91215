/* Orders in order.db: the facts of each are its truth; state is their fold. Folded orders are
 * cached; the version in the key of order_event catches whoever writes on a stale one. Also the
 * deadlines of the orders that wait for payment's word. Belongs to one thread. */
#ifndef WARREN_ORDER_SERVICE_ORDER_STORE_H
#define WARREN_ORDER_SERVICE_ORDER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bind.h"
#include "common/messaging/service.h"
#include "common/store/store.h"
#include "order-service/order.h"

struct order_store;

struct order_store *order_store_new(size_t cache_max);
void order_store_free(struct order_store *orders);
/* Drops all that memory holds. */
void order_store_forget(struct order_store *orders);

/* The order as far as memory knows it (*ret_fresh false: another instance may know better), else
 * as the store has it. NOT_FOUND: no such order. Borrowed until the next call. */
enum result order_store_find(struct order_store *orders, struct store *store, const char *order_id,
                             struct order **ret_order, bool *ret_fresh,
                             struct err *err) WARN_UNUSED;
/* As the store has it now. */
enum result order_store_reload(struct order_store *orders, struct store *store,
                               const char *order_id, struct order **ret_order,
                               struct err *err) WARN_UNUSED;

/* What was placed, names and prices included. */
enum result order_store_placed(struct store *store, const char *order_id, struct order_placed *out,
                               struct err *err) WARN_UNUSED;

/* One version of one order. */
struct order_fact {
    const char *order_id;
    int64_t version;
    const char *type;
    const struct bind_type *payload_type;
    const void *payload;
    int64_t
        *settlement; /* a member of the payload, for the number it gets; NULL: settles nothing */
};

/* Appends to the order's facts and publishes; what settles the order is given the next number.
 * CONFLICT: that version is there already (with the version check off it is overwritten). */
enum result order_store_append(struct order_store *orders, struct uow *uow,
                               const struct order_fact *fact, struct err *err) WARN_UNUSED;
/* Last in a transaction: the numbers that follow may be another instance's. */
void order_store_leave(struct order_store *orders);
/* The order its first fact makes, once that has been appended. */
void order_store_put_take(struct order_store *orders, struct order *order);

/* From `now_ms` it waits until `deadline_ms`, for whatever its state says. */
enum result order_store_open(struct store *store, const char *order_id, int64_t now_ms,
                             int64_t deadline_ms, struct err *err) WARN_UNUSED;
/* The clock was put back to `now_ms`: deadlines set later than that count from now on. */
enum result order_store_wait_anew(struct store *store, int64_t now_ms, struct err *err) WARN_UNUSED;
enum result order_store_close(struct store *store, const char *order_id,
                              struct err *err) WARN_UNUSED;

enum { DUE_MAX = 64 };
struct due_orders {
    struct due_order {
        char id[UUID_SIZE];
        int64_t waited_ms; /* as long as it was to wait */
    } items[DUE_MAX];
    size_t count;
};
/* The longest overdue ones, at most DUE_MAX. */
enum result order_store_due(struct store *store, int64_t now_ms, struct due_orders *ret_due,
                            struct err *err) WARN_UNUSED;
bool order_store_any_due(struct store *store, int64_t now_ms);

#endif
