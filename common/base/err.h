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

/* Sets the text and returns `result`, so that a failure is one line:
 * `return err_set(err, INVALID, "quantity %d is over the limit", n);` */
enum result err_set(struct err *err, enum result result, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "CONTEXT: " in front of what is there and returns `result`. */
enum result err_context(struct err *err, enum result result, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The text, or "" for NULL. */
const char *err_text(const struct err *err);

#endif
