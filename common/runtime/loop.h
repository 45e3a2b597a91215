/* One thread, one epoll: a few parts, each with an fd or two and a deadline, run when one of them
 * says so. SIGTERM and SIGINT arrive as events; SIGPIPE is ignored. */
#ifndef WARREN_RUNTIME_LOOP_H
#define WARREN_RUNTIME_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/err.h"

struct loop_part {
    int fds[2];                            /* level-triggered; -1: none. Stable for its life. */
    int64_t (*deadline_ms)(void *context); /* monotonic; 0: at once; INT64_MAX: never */
    void (*run)(void *context);            /* never blocks */
    void *context;
};

struct loop;

/* Before any other thread begins: blocks the two signals for them too. */
enum result loop_new(const struct clock *clock, struct loop **ret_loop,
                     struct err *err) WARN_UNUSED;
/* Copied; at most 8. */
enum result loop_add(struct loop *loop, const struct loop_part *part, struct err *err) WARN_UNUSED;
struct otlp;
/* Sends spans from time to time; NULL: does nothing. */
enum result loop_add_otlp(struct loop *loop, struct otlp *otlp, struct err *err) WARN_UNUSED;
/* Sleeps until something is to do, at most until the monotonic time `until_ms`, and does it. */
void loop_turn(struct loop *loop, int64_t until_ms);
/* Whether a signal has asked for the end. */
bool loop_stopping(const struct loop *loop);
/* Takes NULL. */
void loop_free(struct loop *loop);

#endif
