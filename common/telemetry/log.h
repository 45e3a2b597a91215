/* One JSON object per line on stdout: {"time","level","service","event",...}. Only main() and the
 * delivery boundary log; a library function returns an error instead. Nothing secret is ever passed
 * in: tokens, passwords, card data, addresses. */
#ifndef WARREN_TELEMETRY_LOG_H
#define WARREN_TELEMETRY_LOG_H

#include <stdint.h>

#include "common/base/clock.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log {
    const struct clock *clock;
    const char *service; /* "order-service" */
    int instance;
    enum log_level level; /* below: nothing */
    int fd;
};

struct log_field {
    const char *name;
    const char *text; /* NULL: the number counts */
    int64_t number;
};

/* `log` NULL is silent. `event` is a few words in kebab-case: "bus-down". */
void log_event(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, int count);
/* clang-format off */
#define LOG_TEXT(n, t)                                                                             \
    {                                                                                              \
        .name = (n), .text = (t) ? (t) : ""                                                        \
    }
#define LOG_NUMBER(n, v)                                                                           \
    {                                                                                              \
        .name = (n), .number = (v)                                                                 \
    }
/* clang-format on */
#define LOG_EVENT(log, level, event, ...)                                                          \
    log_event(log, level, event, (const struct log_field[]){__VA_ARGS__},                          \
              (int)(sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)))

#endif
