/* The operations endpoints of a service: /livez (the process answers; asks nobody), /readyz (200 or
 * 503; with ?verbose the reasons) and /metrics (Prometheus text). GET and HEAD only, on loopback
 * unless told otherwise, a bounded number of connections. No thread of its own: nest ops_fd in an
 * epoll, call ops_run when it is readable or ops_deadline_ms has come. */
#ifndef WARREN_WEB_OPS_H
#define WARREN_WEB_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"

struct ops_options {
    const char *address;       /* NULL: 127.0.0.1 */
    int port;                  /* 0: any free one, see ops_port */
    const struct clock *clock; /* borrowed, outlives the server */
    /* Whether the service can do its work; appends a line of text per reason or fact. */
    bool (*ready)(void *context, struct buf *out);
    /* Appends Prometheus text. */
    void (*metrics)(void *context, struct buf *out);
    void *context;
};

struct ops;

/* On OK *ret_ops is the caller's: ops_free. REFUSED: the port is taken. */
enum result ops_new(const struct ops_options *options, struct ops **ret_ops,
                    struct err *err) WARN_UNUSED;
/* The port it listens on. */
int ops_port(const struct ops *ops);
/* One fd for its life. */
int ops_fd(const struct ops *ops);
/* Answers what has arrived. Never blocks. */
void ops_run(struct ops *ops);
/* Monotonic; INT64_MAX: only when ops_fd is readable. */
int64_t ops_deadline_ms(const struct ops *ops);
/* Takes NULL. */
void ops_free(struct ops *ops);

#endif
