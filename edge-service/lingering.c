#include "edge-service/lingering.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEP = 16384, STEPS_MAX = 64 }; /* of one look at one of them */

static void end(struct lingering *lingering, size_t i)
{
    close(lingering->items[i].fd);
    lingering->count--;
    memmove(&lingering->items[i], &lingering->items[i + 1],
            (lingering->count - i) * sizeof lingering->items[0]);
}

void lingering_add(struct lingering *lingering, int fd, int64_t now_mono_ms)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return;
    if (lingering->count == LINGERING_MAX)
        end(lingering, 0);
    (void)shutdown(copy, SHUT_WR);
    lingering->items[lingering->count].fd = copy;
    lingering->items[lingering->count].read = 0;
    lingering->items[lingering->count++].until_mono_ms = now_mono_ms + LINGERING_MS;
}

/* False: the other side has closed, or has sent too much. */
static bool read_on(struct lingering *lingering, size_t i)
{
    char bytes[STEP];
    for (int step = 0; step < STEPS_MAX; step++) {
        ssize_t came =
            recvfrom(lingering->items[i].fd, bytes, sizeof bytes, MSG_DONTWAIT, NULL, NULL);
        if (came == 0)
            return false;
        if (came < 0)
            return true; /* an error is followed by an end */
        lingering->items[i].read += (size_t)came;
        if (lingering->items[i].read > LINGERING_BYTES)
            return false;
    }
    return true;
}

void lingering_run(struct lingering *lingering, int64_t now_mono_ms)
{
    for (size_t i = 0; i < lingering->count;)
        if (lingering->items[i].until_mono_ms <= now_mono_ms || !read_on(lingering, i))
            end(lingering, i);
        else
            i++;
}

int64_t lingering_deadline_ms(const struct lingering *lingering, int64_t now_mono_ms)
{
    return lingering->count > 0 ? now_mono_ms + LINGERING_LOOK_MS : INT64_MAX;
}

void lingering_release(struct lingering *lingering)
{
    while (lingering->count > 0)
        end(lingering, lingering->count - 1);
}
