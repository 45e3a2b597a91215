/* What clients may send, and what they must not: one table, for the reader of heads alone and for
 * the whole edge. */
#ifndef WARREN_TESTS_UNIT_HEADS_H
#define WARREN_TESTS_UNIT_HEADS_H

#include <stddef.h>

struct head_case {
    const char *what;
    const char *bytes; /* each '@' stands for customer A's token */
    size_t size;
    int refused; /* the status of the refusal; 0: it is taken */
    int status;  /* what the edge answers to what is taken */
};

extern const struct head_case head_cases[];
extern const size_t head_case_count;

/* With the token in its places; `out` has room for HEAD_CASE_MAX. Returns the size. */
enum { HEAD_CASE_MAX = 32768 };
size_t head_case_write(const struct head_case *one, const char *token, char *out);

#endif
