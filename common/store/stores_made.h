/* Which durable stores of a home were ever made: the file HOME/stores-made, one path a line ("store/
 * order.db"). A store that is listed and not there was lost, and making it anew in silence would forget
 * orders and payments. The file is not in HOME/store: that may be a disk of its own, not mounted. */
#ifndef WARREN_STORE_STORES_MADE_H
#define WARREN_STORE_STORES_MADE_H

#include "common/base/err.h"

#define STORES_MADE "stores-made"

/* FATAL: `name` is listed, and the file HOME/`name` is not there or empty. OK: it is there, or was never
 * made. */
enum result stores_made_check(const char *home, const char *name, struct err *err) WARN_UNUSED;
/* Enters it; on disk when OK. Nothing when it is there. Several processes may do so at a time. */
enum result stores_made_note(const char *home, const char *name, struct err *err) WARN_UNUSED;
/* Calls back for each that is listed and not there, with the words of stores_made_check. */
typedef void stores_made_fn(void *context, const char *words);
void stores_made_missing(const char *home, stores_made_fn *each, void *context);

#endif
