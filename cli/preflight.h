/* Looks at the machine before anything is started, so that what is wrong is said in words and not
 * found in a log. */
#ifndef WARREN_CLI_PREFLIGHT_H
#define WARREN_CLI_PREFLIGHT_H

#include "cli/suite.h"
#include "cli/supervisor.h"
#include "common/base/buf.h"

/* Makes the home (0700), then checks rights, disk, programs, ports and what is
 * left of an earlier life. Appends a line for each
 * thing that is wrong and returns how many there are. */
size_t preflight(const struct suite *suite, const struct plan *plan, struct buf *findings);

#endif
