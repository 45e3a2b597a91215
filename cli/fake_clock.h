/* A clock of its own for each service of a suite, which can be set wrong: `warren up --faketime` puts
 * libfaketime (Debian's package faketime) before the C library of each, which adds to the time of day
 * what stands in that process's file below HOME/run/clock. The monotonic clock stays what it is. For
 * tests only. */
#ifndef WARREN_CLI_FAKE_CLOCK_H
#define WARREN_CLI_FAKE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/suite.h"

/* NOT_FOUND: it is not on this machine. INVALID: this build has AddressSanitizer, which wants to be
 * first itself. */
enum result fake_clock_library(struct suite_path *ret_path, struct err *err) WARN_UNUSED;

/* Whether this suite was last started with such clocks. */
bool fake_clock_there(const struct suite *suite);

/* All right again, for that many instances of each service, before they start; with 0 the files go. */
enum result fake_clock_prepare(const struct suite *suite, int instances,
                               struct err *err) WARN_UNUSED;

/* What a process needs in its environment, given to `add` variable by variable. */
void fake_clock_environment(const struct suite *suite, const struct suite_path *library,
                            const char *program,
                            void (*add)(void *context, const char *name, const char *value),
                            void *context);

/* From then on (a second later at most) that process takes the time to be so much later; 0: right. */
enum result fake_clock_set(const struct suite *suite, const char *program, int64_t offset_ms,
                           struct err *err) WARN_UNUSED;

/* What the library leaves in /dev/shm of a process that was killed. */
void fake_clock_forget(pid_t pid);

#endif
