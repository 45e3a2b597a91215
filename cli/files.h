/* Small files of a suite, written whole: a reader sees the old text or the new one. */
#ifndef WARREN_CLI_FILES_H
#define WARREN_CLI_FILES_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/* Reads a text of at most size-1 bytes and ends it; a newline at its end is dropped. NOT_FOUND:
 * there is no such file; FATAL: it cannot be read, or is longer. */
enum result file_read(const char *path, char *text, size_t size, struct err *err) WARN_UNUSED;
/* The whole file, whatever its size. */
enum result file_load(const char *path, struct buf *out, struct err *err) WARN_UNUSED;
/* Mode 0600, through a temporary name beside it. */
enum result file_write(const char *path, const char *text, size_t size,
                       struct err *err) WARN_UNUSED;
/* Until it and its name are on the disk. */
enum result file_sync(const char *path, struct err *err) WARN_UNUSED;
/* OK also when it is there already. Mode 0700. */
enum result directory_make(const char *path, struct err *err) WARN_UNUSED;
/* The same with all its parents (those 0755). */
enum result directory_make_all(const char *path, struct err *err) WARN_UNUSED;

#endif
