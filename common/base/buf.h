/* A growing byte buffer that always ends in a NUL beyond its size. Out of memory aborts: a service
 * that cannot hold one message cannot do anything else either. Zero-initialised is empty. */
#ifndef WARREN_BASE_BUF_H
#define WARREN_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/result.h"

struct buf {
    char *data;
    size_t size;
    size_t capacity;
};

void buf_append(struct buf *buf, const void *data, size_t size);
void buf_text(struct buf *buf, const char *text);
/* In decimal. */
void buf_int(struct buf *buf, int64_t number);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* Empty again, the memory kept. */
void buf_clear(struct buf *buf);
void buf_release(struct buf *buf);
/* The bytes, now the caller's to free(); the buffer is empty. Never NULL. */
char *buf_take(struct buf *buf);

#endif
