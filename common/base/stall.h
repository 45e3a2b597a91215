/* Work that stands still: there is something to do, and nothing of it gets done. Pure: the time is passed in,
 * monotonic, in milliseconds. Zeroed it moves. */
#ifndef WARREN_BASE_STALL_H
#define WARREN_BASE_STALL_H

#include <stdbool.h>
#include <stdint.h>

enum { STALL_MS = 5000 }; /* not before is it worth a word */

struct stall {
    int64_t since_ms; /* 0: it moves, or there is nothing to do */
    bool told;
};

enum stall_news { STALL_NONE, STALL_BEGINS, STALL_ENDS };

/* How long it has stood still; 0: it moves. */
static inline int64_t stall_age_ms(const struct stall *stall, int64_t now_ms)
{
    return stall->since_ms > 0 ? now_ms - stall->since_ms : 0;
}

/* Whether it is worth a word. */
static inline bool stall_is_long(const struct stall *stall, int64_t now_ms)
{
    return stall_age_ms(stall, now_ms) >= STALL_MS;
}

/* `waits`: there is something to do. `moved`: some of it was done since the last call. *ret_age_ms is how
 * long it stands, or has stood. Each piece of news comes once. */
static inline enum stall_news stall_look(struct stall *stall, bool waits, bool moved,
                                         int64_t now_ms, int64_t *ret_age_ms)
{
    bool told = stall->told;
    *ret_age_ms = stall_age_ms(stall, now_ms);
    if (!waits || moved) {
        *stall = (struct stall){.since_ms = waits ? now_ms : 0};
        return told ? STALL_ENDS : STALL_NONE;
    }
    if (stall->since_ms == 0)
        stall->since_ms = now_ms;
    stall->told = stall_is_long(stall, now_ms);
    return stall->told && !told ? STALL_BEGINS : STALL_NONE;
}

#endif
