/* warren load compare A B: two runs side by side, each told by its summary.json. */
#ifndef WARREN_LOAD_COMPARE_H
#define WARREN_LOAD_COMPARE_H

#include "common/base/buf.h"
#include "common/base/err.h"

/* Appends the table. `a` and `b` are folders that --out wrote, or summary.json files. NOT_FOUND and
 * INVALID: one of them cannot be read, or is not a summary. */
enum result compare_write(const char *a, const char *b, struct buf *out,
                          struct err *err) WARN_UNUSED;

/* The command; argv[0] is its name. Returns how the program exits. */
int compare_main(int argc, char **argv);

#endif
