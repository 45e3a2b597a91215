/* Pieces of a head, and of what their bytes are: for head.c and head_target.c. */
#ifndef WARREN_EDGE_SERVICE_HEAD_SPAN_H
#define WARREN_EDGE_SERVICE_HEAD_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* RFC 9110 5.5 and 5.6.2, RFC 3986 3.2.2. All that is no control is text. */
enum { TEXT = 1, VISIBLE = 2, TOKEN = 4, AUTHORITY = 8, DIGIT = 16 };
extern const unsigned char head_classes[256];

struct span {
    char *at;
    size_t size;
};

static inline bool is(char byte, int class)
{
    return head_classes[(unsigned char)byte] & class;
}

/* How many bytes at the beginning are of the class. */
static inline size_t run_of(struct span span, int class)
{
    size_t length = 0;
    while (length < span.size && is(span.at[length], class))
        length++;
    return length;
}

static inline struct span rest_of(struct span span, size_t from)
{
    return (struct span){span.at + from, span.size - from};
}

static inline bool all_of(struct span span, int class)
{
    return run_of(span, class) == span.size;
}

static inline bool equals(struct span span, const char *text)
{
    return strlen(text) == span.size && strncasecmp(span.at, text, span.size) == 0;
}

/* RFC 9112 3.2: which forms of a target there are. *ret_prefix is what stands before the path, of size 0 when
 * it is the path that comes first. */
bool head_target(struct span method, struct span target, struct span *ret_prefix);

#endif
