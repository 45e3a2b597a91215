#include "cli/progress.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"

static void watched(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

void progress_begin(struct progress *progress, bool quiet)
{
    sigset_t set;
    watched(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* whoever stops listening does not stop us half way */
    *progress = (struct progress){.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
                                  .quiet = quiet};
}

void progress_end(struct progress *progress)
{
    sigset_t set;
    watched(&set);
    if (progress->signals >= 0)
        close(progress->signals);
    progress->signals = -1;
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void progress_step(struct progress *progress, const char *step)
{
    progress->step = step;
    progress->began_ms = clock_mono_ms(clock_system());
    progress->spoke_ms = progress->began_ms;
}

void progress_done(struct progress *progress, const char *format, ...)
{
    char text[200];
    va_list args;
    if (progress->quiet)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int64_t took = clock_mono_ms(clock_system()) - progress->began_ms;
    printf("  %-22s %-34s %5.1f s\n", progress->step, text, (double)took / 1000.0);
    fflush(stdout);
}

enum result progress_pause(struct progress *progress, int64_t ms, int64_t patience_ms,
                           const char *why, struct err *err)
{
    enum { SPEAK_EVERY_MS = 5000 };
    struct pollfd poll_fd = {.fd = progress->signals, .events = POLLIN};
    int ready = poll(&poll_fd, 1, (int)ms);
    if (ready > 0) {
        struct signalfd_siginfo info;
        if (read(progress->signals, &info, sizeof info) == (ssize_t)sizeof info)
            progress->interrupted = true;
    }
    if (progress->interrupted)
        return err_set(err, REFUSED, "%s: interrupted", progress->step);
    int64_t now = clock_mono_ms(clock_system());
    if (now - progress->began_ms > patience_ms)
        return err_set(err, UNKNOWN, "%s: not ready after %d s%s%s", progress->step,
                       (int)(patience_ms / 1000), why && *why ? ": " : "", why ? why : "");
    if (!progress->quiet && now - progress->spoke_ms >= SPEAK_EVERY_MS) {
        progress->spoke_ms = now;
        printf("  %-22s still waiting (%d s)%s%s\n", progress->step,
               (int)((now - progress->began_ms) / 1000), why && *why ? ": " : "", why ? why : "");
        fflush(stdout);
    }
    return OK;
}
