/* How a fault is seen to have happened: looking until it is so, and what a log has said since. */
#ifndef WARREN_CLI_CHAOS_WATCH_H
#define WARREN_CLI_CHAOS_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/suite.h"

enum {
    WATCH_PRESENT_MS = 60000, /* how long a victim may take to be there */
    WATCH_SEEN_MS = 15000,    /* how long a fault may take to show */
    WATCH_LOOK_MS = 50,       /* between two looks */
};

int64_t watch_now_ms(void); /* monotonic */
void watch_pause_ms(int64_t ms);

/* Whether `look` comes true within that time. */
bool watch_until(bool (*look)(const void *context), const void *context, int64_t patience_ms);

struct log_mark {
    const char *text; /* what is looked for */
    struct suite_path path;
    off_t from;
};

/* From its end as it is now. */
struct log_mark watch_mark_log(const struct suite *suite, const char *program, const char *text);
/* For watch_until, about a struct log_mark: since the mark was made. A log that was rotated meanwhile
 * is read from its beginning. */
bool watch_log_says(const void *context);

#endif
