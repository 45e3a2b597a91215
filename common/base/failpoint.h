/* Named places at which a test can make a process die, stop or fail: FAILPOINT("commit-before").
 * They are in test builds only (configure --enable-failpoints); elsewhere they compile to nothing.
 *
 * A test sets one by writing the file HOME/run/failpoints/NAME, whose text is
 *
 *     ACTION [N [PROGRAM]]        kill 1 order-service
 *
 * At the N-th time (1) that a process of that program (any) comes by, the file is removed, so that
 * nobody meets it again, a line `NAME ACTION PROGRAM PID` goes into HOME/run/failpoints.log, and
 *
 *     kill    the process ends by SIGKILL, at once
 *     pause   it stops (SIGSTOP) until somebody continues it
 *     error   FAILPOINT is true: the caller does what it does when that step fails. Behind a step
 *             that is, it has happened, and all who asked for it hear is an error
 *
 * Of several processes that come by at once, the one that removes the file is the one it hits. One
 * thread. All names are listed in tests/integration/failpoints.sh, which hits each of them. */
#ifndef WARREN_BASE_FAILPOINT_H
#define WARREN_BASE_FAILPOINT_H

#include <stdbool.h>

#ifdef WARREN_FAILPOINTS
#define FAILPOINT(name) failpoint_hit(name)
#else
#define FAILPOINT(name) false
#endif

/* Before this no point does anything. Borrows both. */
void failpoint_init(const char *home, const char *program);

/* Whether the step that follows, or went before, is to fail. */
bool failpoint_hit(const char *name);

#endif
