/* Folding facts from the stream into the read model.
 *
 * The stream may repeat a fact and, where two instances relay, bring it before its predecessor. So
 * each (source, subject) counts: a number below the expected one is a repeat and dropped, one above
 * is held in the database until the gap has filled. State therefore never goes backwards. What
 * cannot be read is counted and skipped; it never blocks, and it does not use up its number. */
#ifndef WARREN_EDGE_SERVICE_PROJECTION_H
#define WARREN_EDGE_SERVICE_PROJECTION_H

#include "common/base/buf.h"
#include "common/store/store.h"

struct projection_counts {
    uint64_t facts, duplicates, held, ignored, poison;
};

enum order_news { ORDER_MOVED, ORDER_SETTLED, FATE_HEARD };
/* What has changed, for those who wait: called inside the transaction, so only remembered. The id is an
 * order's, or of FATE_HEARD a command's. */
typedef void projection_changed_fn(void *context, const char *id, enum order_news news);

struct projection {
    struct store *store;
    struct projection_counts counts;
    int64_t last_ms; /* the time that the last readable message says */
    projection_changed_fn *changed;
    void *context;
    int64_t held_count;  /* of the table; -1: not known */
    int64_t last_number; /* of an order; likewise */
    struct buf held;     /* scratch */
    struct buf lines;
    void *payload;
};

void projection_init(struct projection *projection, struct store *store,
                     projection_changed_fn *changed, void *context);
void projection_release(struct projection *projection);
/* What the open transaction has done is undone. */
void projection_rolled_back(struct projection *projection);
/* One message of the stream, inside an open transaction. OK also for poison; else the store's. `key`
 * is its routing key, which tells whose it is: what comes under another than those of the catalogue
 * is a stranger's, whatever its body claims, and changes nothing. Only a type of tomorrow of our own
 * services takes its number. "": not known, the body decides. */
enum result projection_apply(struct projection *projection, const char *key, const char *body,
                             size_t size, struct err *err) WARN_UNUSED;

#endif
