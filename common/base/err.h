/* Error text, owned by the caller: every layer adds its context in front, so that a reader sees
 * "order 42: insert: database is locked". A text that does not fit is cut; it is never a reason to
 * fail. A NULL struct err is allowed everywhere and means that nobody wants to know. */
#ifndef WARREN_BASE_ERR_H
#define WARREN_BASE_ERR_H

#include "common/base/result.h"

#define ERR_TEXT_MAX 512

struct err {
    char text[ERR_TEXT_MAX];
};

/* Sets the text and yields `outcome`, so that a failure is one line:
 * `return err_set(err, INVALID, "quantity %d is over the limit", n);`
 * Macros, so that the compiler sees that a failure is never OK. */
#define err_set(err, outcome, ...)                                                                 \
    ({                                                                                             \
        enum result err_set_outcome = (outcome);                                                   \
        err_write((err), __VA_ARGS__);                                                             \
        err_set_outcome;                                                                           \
    })

/* Puts "CONTEXT: " in front of what is there and yields `outcome`. */
#define err_context(err, outcome, ...)                                                             \
    ({                                                                                             \
        enum result err_context_outcome = (outcome);                                               \
        err_prefix((err), __VA_ARGS__);                                                            \
        err_context_outcome;                                                                       \
    })

/* The two halves without an outcome. */
void err_write(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);
void err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The text, or "" for NULL. */
const char *err_text(const struct err *err);

#endif
