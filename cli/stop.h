/* Ending a suite: polite first, by its supervisor, then whatever carries its mark, by pid. */
#ifndef WARREN_CLI_STOP_H
#define WARREN_CLI_STOP_H

#include "cli/http.h"
#include "cli/progress.h"
#include "cli/suite.h"

/* Edge, then services, then broker, epmd and supervisor. NOT_FOUND: nothing was running. FATAL:
 * something is left (not ours to end). */
enum result suite_stop(struct http *http, const struct suite *suite, struct progress *progress,
                       struct err *err) WARN_UNUSED;

#endif
