/* Sockets whose connection has been answered and closed while the other side was still sending: what
 * comes is read and forgotten for a while, or the system would tell the sender of that (a reset) instead of
 * letting it read the answer. Bounded: so many, for so long, so much each; one more, and the oldest is
 * closed. They are looked at now and then, not waited for. */
#ifndef WARREN_EDGE_SERVICE_LINGERING_H
#define WARREN_EDGE_SERVICE_LINGERING_H

#include <stddef.h>
#include <stdint.h>

enum {
    LINGERING_MAX = 64,
    LINGERING_MS = 3000,
    LINGERING_BYTES = 16 * 1024 * 1024,
    LINGERING_LOOK_MS = 10,
};

/* Zeroed there are none. */
struct lingering {
    struct {
        int fd;
        int64_t until_mono_ms;
        size_t read;
    } items[LINGERING_MAX]; /* the oldest first */
    size_t count;
};

/* Takes a copy of `fd`, which is about to be closed; writing to it is over. */
void lingering_add(struct lingering *lingering, int fd, int64_t now_mono_ms);
void lingering_run(struct lingering *lingering, int64_t now_mono_ms);
/* INT64_MAX: there are none. */
int64_t lingering_deadline_ms(const struct lingering *lingering, int64_t now_mono_ms);
/* Closes all. */
void lingering_release(struct lingering *lingering);

#endif
