/* That the log of facts was given up: HOME/log-given-up holds the moment, in milliseconds since 1970.
 * Facts as old as that are not looked for on the log any more. Only an operator writes it. */
#ifndef WARREN_CLI_AUDIT_GIVEN_UP_H
#define WARREN_CLI_AUDIT_GIVEN_UP_H

#include <stdint.h>

#include "cli/suite.h"

/* 0: it was not. INVALID: the file says something else. */
enum result log_given_up_read(const struct suite *suite, int64_t *ret_ms,
                              struct err *err) WARN_UNUSED;
enum result log_given_up_write(const struct suite *suite, int64_t at_ms,
                               struct err *err) WARN_UNUSED;

#endif
