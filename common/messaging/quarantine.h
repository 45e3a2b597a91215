/* What a service has put aside (DESIGN.md 4): to look at, to run again, to throw away. For an
 * operator's tool, over the store of a service that may be running; schema.c has the table.
 *
 * Redriving is a move, in one transaction, to `deferred`, due at once: the service's loop runs the
 * message again, with this service alone and past broker and inbox (docs/adr/0008). */
#ifndef WARREN_MESSAGING_QUARANTINE_H
#define WARREN_MESSAGING_QUARANTINE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/store/store.h"

enum { QUARANTINE_ALL = 0 }; /* numbers begin at 1 */

/* Borrowed, valid inside the callback. */
struct quarantined {
    int64_t number; /* given once, never again */
    const char *message_id;
    const char *queue;
    const char *reason;
    int64_t attempts;
    int64_t at_ms; /* epoch */
    const void *body;
    size_t size;
};
typedef enum result quarantine_fn(void *context, const struct quarantined *message,
                                  struct err *err);

/* One by its number (NOT_FOUND without it), or QUARANTINE_ALL in their order. */
enum result quarantine_read(struct store *store, int64_t number, quarantine_fn *each, void *context,
                            struct err *err) WARN_UNUSED;
enum result quarantine_count(struct store *store, int64_t *ret_count, struct err *err) WARN_UNUSED;
/* Each is a transaction of its own; RETRY: somebody else writes, try again. `ret_moved` and
 * `ret_dropped` count rows; 0 for a number that is not there. A message that is waiting in
 * `deferred` already stays where it is. */
enum result quarantine_redrive(struct store *store, int64_t number, int64_t now_ms,
                               int64_t *ret_moved, struct err *err) WARN_UNUSED;
enum result quarantine_drop(struct store *store, int64_t number, int64_t *ret_dropped,
                            struct err *err) WARN_UNUSED;

/* At most `max` of the bytes for a terminal: printable ASCII as it is, a backslash doubled, all
 * else as \xNN, so that no message can steer the terminal that shows it. */
void quarantine_print_bytes(struct buf *out, const void *bytes, size_t size, size_t max);

#endif
