#include "common/runtime/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/telemetry/otlp.h"

enum { PARTS_MAX = 8, EVENTS_MAX = 2 * PARTS_MAX + 1 };

struct loop {
    const struct clock *clock;
    int epoll_fd;
    int signal_fd;
    bool stopping;
    struct loop_part parts[PARTS_MAX];
    bool readable[PARTS_MAX];
    uint32_t count;
};

static int watch(struct loop *loop, int fd, uint32_t part)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = part};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum result loop_new(const struct clock *clock, struct loop **ret_loop, struct err *err)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        abort();
    loop->clock = clock;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->signal_fd = signals_open();
    if (loop->epoll_fd < 0 || loop->signal_fd < 0 || watch(loop, loop->signal_fd, PARTS_MAX) != 0) {
        enum result result = err_set(err, FATAL, "event loop: %s", strerror(errno));
        loop_free(loop);
        return result;
    }
    *ret_loop = loop;
    return OK;
}

enum result loop_add(struct loop *loop, const struct loop_part *part, struct err *err)
{
    if (loop->count == PARTS_MAX)
        return err_set(err, FATAL, "event loop: too many parts");
    loop->parts[loop->count] = *part;
    for (int i = 0; i < 2; i++)
        if (part->fds[i] >= 0 && watch(loop, part->fds[i], loop->count) != 0)
            return err_set(err, FATAL, "event loop: %s", strerror(errno));
    loop->count++;
    return OK;
}

static int64_t otlp_part_deadline(void *context)
{
    return otlp_deadline_ms(context);
}

static void otlp_part_run(void *context)
{
    otlp_run(context);
}

enum result loop_add_otlp(struct loop *loop, struct otlp *otlp, struct err *err)
{
    const struct loop_part part = {{-1, -1}, otlp_part_deadline, otlp_part_run, otlp};
    return otlp ? loop_add(loop, &part, err) : OK;
}

static int64_t deadline_of(const struct loop_part *part)
{
    return part->deadline_ms(part->context);
}

static int sleep_ms(const struct loop *loop, int64_t until_ms)
{
    for (uint32_t i = 0; i < loop->count; i++) {
        int64_t deadline = deadline_of(&loop->parts[i]);
        until_ms = deadline < until_ms ? deadline : until_ms;
    }
    int64_t left = until_ms - clock_mono_ms(loop->clock);
    if (until_ms <= 0 || left <= 0)
        return 0;
    return left < 60000 ? (int)left : 60000;
}

static void signals_read(struct loop *loop)
{
    struct signalfd_siginfo info;
    while (read(loop->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        loop->stopping = true;
}

void loop_turn(struct loop *loop, int64_t until_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, sleep_ms(loop, until_ms));
    for (int i = 0; i < count; i++) {
        if (events[i].data.u32 == PARTS_MAX)
            signals_read(loop);
        else
            loop->readable[events[i].data.u32] = true;
    }
    for (uint32_t i = 0; i < loop->count; i++) {
        const struct loop_part *part = &loop->parts[i];
        bool due = loop->readable[i] || deadline_of(part) <= clock_mono_ms(loop->clock);
        loop->readable[i] = false;
        if (due)
            part->run(part->context);
    }
}

bool loop_stopping(const struct loop *loop)
{
    return loop->stopping;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->signal_fd >= 0)
        close(loop->signal_fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop);
}
