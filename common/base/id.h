/* Identifiers: UUIDs as text (RFC 9562). A new one is version 7, time-ordered, from the injected
 * clock. One that a repeat must arrive at again is derived: version 8, from SHA-256. */
#ifndef WARREN_BASE_ID_H
#define WARREN_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/clock.h"

#define ID_TEXT_SIZE 37

struct id {
    char text[ID_TEXT_SIZE]; /* lower case, NUL at the end; "" is no id */
};

struct id id_new(const struct clock *clock);

/* The same for the same parts, always and everywhere; no part may contain NUL.
 * ("ab", "c") and ("a", "bc") differ. */
struct id id_derive(const char *const *parts, size_t count);
#define ID_DERIVE(...)                                                                             \
    id_derive((const char *const[]){__VA_ARGS__},                                                  \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Whether the text is a UUID in lower case of any version. */
bool id_valid(const char *text);

#endif
