/* The edge's read model: orders, their facts, the catalogue, and how far the stream has been read.
 * Disposable: it can be built again from the stream at any time. The projection writes it; each
 * query of an order names its customer. */
#ifndef WARREN_EDGE_SERVICE_READ_MODEL_H
#define WARREN_EDGE_SERVICE_READ_MODEL_H

#include "common/messaging/envelope.h"
#include "common/store/store.h"
#include "edge-service/edge.h"

enum { LOG_ID_SIZE = 64 };

/* How far the stream has been read. */
struct log_place {
    int64_t next_offset;       /* OFFSET_FIRST: nothing yet */
    char last_id[LOG_ID_SIZE]; /* the property of the message before: by it the stream is known
                                  again. "": not known */
    int64_t cut_at; /* retention had taken what is before this offset, and it had not been
                                  read: facts are missing for good. 0: none */
};
enum result read_model_place(struct store *store, struct log_place *ret_place,
                             struct err *err) WARN_UNUSED;
enum result read_model_set_place(struct store *store, const struct log_place *place,
                                 struct err *err) WARN_UNUSED;

/* The sequence number that the next fact of this (source, subject) must have: behind its timeline,
 * or behind what else has used up a number (`expected`), whichever is further. */
enum result read_model_expected(struct store *store, const struct envelope *fact, int64_t *ret_next,
                                struct err *err) WARN_UNUSED;
enum result read_model_set_expected(struct store *store, const struct envelope *fact, int64_t next,
                                    struct err *err) WARN_UNUSED;

/* Facts that came before their turn. Holding one twice is OK: the first counts. */
enum result read_model_count_held(struct store *store, int64_t *ret_count,
                                  struct err *err) WARN_UNUSED;
enum result read_model_hold(struct store *store, const struct envelope *fact, const char *body,
                            size_t size, struct err *err) WARN_UNUSED;
/* Takes the held fact whose turn it is; NOT_FOUND: none. */
enum result read_model_unhold(struct store *store, const struct envelope *like, int64_t sequence,
                              struct buf *ret_body, struct err *err) WARN_UNUSED;

/* The order's number and, behind it, the last sequence number of this source in its timeline; 0:
 * none. */
enum result read_model_find(struct store *store, const struct envelope *fact, int64_t *ret_number,
                            int64_t *ret_last, struct err *err) WARN_UNUSED;
/* The highest number that an order has. */
enum result read_model_last_number(struct store *store, int64_t *ret_number,
                                   struct err *err) WARN_UNUSED;

/* A new order, or a new state of one. Empty texts and -1 leave a column as it is. */
struct order_change {
    int64_t number;
    bool known; /* there is a row of this number; with version 0 if this is version 1 */
    const char *order_id;
    const char *customer;
    const char *status;
    int64_t version;
    const char *currency;
    int64_t total;
    const char *reason;
    const char *lines;
    const char *request_hash;
    int64_t at_ms;
};
enum result read_model_order(struct store *store, const struct order_change *change,
                             struct err *err) WARN_UNUSED;
/* Into the timeline of the order with this number. */
enum result read_model_add(struct store *store, int64_t number, const struct envelope *fact,
                           const struct store_value *body, struct err *err) WARN_UNUSED;
enum result read_model_listed(struct store *store, const struct product_listed *product,
                              struct err *err) WARN_UNUSED;
enum result read_model_stock(struct store *store, const struct stock_changed *stock,
                             struct err *err) WARN_UNUSED;

enum { FATES_KEPT = 10000 };

/* What became of a command; borrowed texts. */
struct command_fate {
    const char *command_id, *type, *about;
    const char *owner; /* the customer; "": an administrator */
    const char *status, *reason;
};
/* Keeps the last FATES_KEPT. DUPLICATE: known. */
enum result read_model_add_fate(struct store *store, const struct command_fate *fate,
                                struct err *err) WARN_UNUSED;
/* NOT_FOUND: not known, or another's. */
enum result read_model_fate(struct store *store, const char *owner, const char *command_id,
                            struct edge_fate *ret_fate, struct err *err) WARN_UNUSED;
/* The customer's newest orders. */
typedef void read_model_recent_fn(void *context, const char *order_id, const char *request_hash);
enum result read_model_recent(struct store *store, const char *customer, int limit,
                              read_model_recent_fn *each, void *context,
                              struct err *err) WARN_UNUSED;

/* As in edge.h; these know nothing of accepted orders. */
enum result read_model_get(struct store *store, const char *customer, const char *order_id,
                           edge_order_fn *each, void *context, struct err *err) WARN_UNUSED;
enum result read_model_list(struct store *store, const char *customer, int limit,
                            const struct edge_position *behind, edge_order_fn *each, void *context,
                            struct err *err) WARN_UNUSED;
enum result read_model_timeline(struct store *store, const char *customer, const char *order_id,
                                edge_fact_fn *each, void *context, struct err *err) WARN_UNUSED;
enum result read_model_products(struct store *store, edge_product_fn *each, void *context,
                                struct err *err) WARN_UNUSED;

#endif
