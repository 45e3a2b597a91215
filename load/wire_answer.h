/* Reading one HTTP/1.1 answer out of bytes (RFC 9112). Pure. */
#ifndef WARREN_LOAD_WIRE_ANSWER_H
#define WARREN_LOAD_WIRE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

enum wire_end { WIRE_OPEN, WIRE_CLOSED }; /* whether more bytes can come */

struct wire_message {
    int status;
    bool keep;        /* the connection may be used again */
    const char *body; /* inside the bytes, or inside `plain` */
    size_t size;
    size_t taken; /* bytes of the answer */
};

/* OK: a whole answer. RETRY: more is needed. INVALID: no HTTP. `bytes` has a NUL at `size`. `plain`
 * takes a body that came in chunks; it is cleared first. */
enum result wire_answer_read(const char *bytes, size_t size, enum wire_end end, struct buf *plain,
                             struct wire_message *ret_message) WARN_UNUSED;

#endif
