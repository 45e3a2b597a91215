/* The tables `notification`, `failure` and `alert`. Inside the caller's transaction. */
#ifndef WARREN_NOTIFICATION_SERVICE_NOTIFICATION_STORE_H
#define WARREN_NOTIFICATION_SERVICE_NOTIFICATION_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/id.h"
#include "common/store/store.h"
#include "contracts/messages.h"
#include "notification-service/window.h"

#define CHANNEL_IN_APP "in-app"
#define CHANNEL_EMAIL "email"

struct notification {
    char order_id[UUID_SIZE];
    int64_t order_version;
    char customer[UUID_SIZE];
    char kind[WORD_SIZE];
    char channel[WORD_SIZE];
    char fact_id[ID_TEXT_SIZE]; /* notification.sent; "" while queued */
    int64_t fact_position;      /* where that is kept (uow_keep); 0: nowhere */
};

/* DUPLICATE: there is one for this (order, version). OK: there is none; how many of this order's have
 * been sent, that is, the sequence of the last one's fact. */
enum result notification_look(struct store *store, const char *order_id, int64_t order_version,
                              int64_t *ret_sent, struct err *err) WARN_UNUSED;
enum result notification_count_sent(struct store *store, const char *order_id, int64_t *ret_count,
                                    struct err *err) WARN_UNUSED;
/* Sent when it has a fact id, else queued. */
enum result notification_insert(struct store *store, const struct notification *notification,
                                int64_t now_ms, struct err *err) WARN_UNUSED;
/* NOT_FOUND: no such one. */
enum result notification_load(struct store *store, const char *order_id, int64_t order_version,
                              struct notification *ret_notification, struct err *err) WARN_UNUSED;
/* Queued becomes sent, by this channel, with this fact. */
enum result notification_mark_sent(struct store *store, const struct notification *notification,
                                   int64_t now_ms, struct err *err) WARN_UNUSED;
/* Where the facts about this order are kept, in their order: a row of one column each. */
enum result notification_kept(struct store *store, const char *order_id, store_row_fn *each,
                              void *context, struct err *err) WARN_UNUSED;

/* Puts a failure down and brings those around it. DUPLICATE: this order has failed already. */
enum result failure_insert(struct store *store, const char *order_id, int64_t at_ms,
                           struct window *ret_window, struct err *err) WARN_UNUSED;
/* The next alert: numbers are gap-free from 1. */
enum result alert_insert(struct store *store, const struct window_alert *alert, const char *fact_id,
                         int64_t *ret_number, struct err *err) WARN_UNUSED;

#endif
