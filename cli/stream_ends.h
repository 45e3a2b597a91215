/* Where the log of all facts begins and ends. */
#ifndef WARREN_CLI_STREAM_ENDS_H
#define WARREN_CLI_STREAM_ENDS_H

#include <stdint.h>

#include "cli/suite.h"
#include "common/base/err.h"

struct stream_ends {
    int64_t first; /* offsets; -1: the log is empty */
    int64_t last;
};

/* Reads one message at the log's beginning and the last ones at its end; takes nothing away. While
 * more keeps coming, the end is where it was within the last two seconds. */
enum result stream_ends(const struct suite *suite, const char *stream, struct stream_ends *ret_ends,
                        struct err *err) WARN_UNUSED;

#endif
