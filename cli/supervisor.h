/* The process supervisor (supervisord, from Debian) of one suite: its configuration, its start, and
 * the few calls of its interface that we need, over its Unix socket. */
#ifndef WARREN_CLI_SUPERVISOR_H
#define WARREN_CLI_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/http.h"
#include "cli/suite.h"
#include "common/base/err.h"
#include "common/base/options.h"

enum { SUPERVISOR_PROGRAMS_MAX = 64 };

/* What runs: decided by `warren up`. */
struct plan {
    int instances;              /* of each service */
    const char *amqp_url;       /* an existing broker; NULL: a private one */
    const char *amqp_ca;        /* whom it must be certified by; NULL: the system's authorities */
    const char *management_url; /* where amqp_url's management interface is; NULL: not known */
    const char *smtp_url;       /* where mail goes; NULL: nowhere */
    const char *smtp_from;      /* NULL: the service's own default */
    int64_t rate_per_caller;    /* at the edge; 0: none */
    int64_t rate_per_address;
    int64_t log_max_bytes; /* 0: as it was, or the table's */
    int64_t connections_per_address;
    int64_t request_s, idle_s;  /* as the edge has them */
    bool adopt_broker;          /* it becomes this suite's, whosever it was (identity.h) */
    bool faketime;              /* clocks that can be set wrong, see fake_clock.h */
    struct option_list without; /* guarantees to switch off */
};

enum result supervisor_write_config(const struct suite *suite, const struct plan *plan,
                                    struct buf *out, struct err *err) WARN_UNUSED;

/* What the services hear by their environment: URLs, and where spans go. It is the supervisor's own, which
 * they inherit: a line of its configuration could not hold a quote or ' ;'. */
void supervisor_environment(const struct plan *plan,
                            void (*add)(void *context, const char *name, const char *value),
                            void *context);

/* Starts it as a daemon with a small, clean environment. It answers calls a moment later. */
enum result supervisor_launch(const struct suite *suite, const struct plan *plan,
                              struct err *err) WARN_UNUSED;

enum supervisor_state { /* numbers of supervisord */
                        SUPERVISOR_STOPPED = 0,
                        SUPERVISOR_STARTING = 10,
                        SUPERVISOR_RUNNING = 20,
                        SUPERVISOR_BACKOFF = 30,
                        SUPERVISOR_STOPPING = 40,
                        SUPERVISOR_EXITED = 100,
                        SUPERVISOR_FATAL = 200,
                        SUPERVISOR_UNKNOWN = 1000,
};

struct supervisor_program {
    char name[64]; /* "order-service-1" */
    int state;
    pid_t pid; /* 0: none */
    int64_t started_s;
};

struct supervisor_list {
    struct supervisor_program programs[SUPERVISOR_PROGRAMS_MAX];
    size_t count;
};

/* NOT_FOUND: no supervisor runs in that home. */
enum result supervisor_list(struct http *http, const struct suite *suite,
                            struct supervisor_list *ret_list, struct err *err) WARN_UNUSED;
/* Return at once; the list tells when it has happened. DUPLICATE: it is so already. */
enum result supervisor_start(struct http *http, const struct suite *suite, const char *program,
                             struct err *err) WARN_UNUSED;
enum result supervisor_stop(struct http *http, const struct suite *suite, const char *program,
                            struct err *err) WARN_UNUSED;
enum result supervisor_shutdown(struct http *http, const struct suite *suite,
                                struct err *err) WARN_UNUSED;

/* How often the program was started again since the supervisor started. */
int supervisor_restarts(const struct suite *suite, const char *program);

const struct supervisor_program *supervisor_find(const struct supervisor_list *list,
                                                 const char *name);

#endif
