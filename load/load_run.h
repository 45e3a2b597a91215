/* One run from beginning to end: ready, load, drain, the fate of every order, the report. */
#ifndef WARREN_LOAD_LOAD_RUN_H
#define WARREN_LOAD_LOAD_RUN_H

#include "load/report/report.h"
#include "load/settings.h"

/* Blocks until all is told; SIGINT or SIGTERM shortens it, and the report is made all the same.
 * Returns how the program exits (cli/exit_codes.h). */
int run_load(const struct settings *settings, const char *command);

#endif
