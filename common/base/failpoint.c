#include "common/base/failpoint.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COUNTED_MAX = 64, NAME_SIZE = 48 };

static struct {
    const char *home, *program;
    struct counted { /* points that wait for their N-th time */
        char name[NAME_SIZE];
        long times;
    } counted[COUNTED_MAX];
    size_t count;
} failpoints;

void failpoint_init(const char *home, const char *program)
{
    failpoints.home = home;
    failpoints.program = program;
}

static struct counted *counted_find(const char *name)
{
    for (size_t i = 0; i < failpoints.count; i++) {
        if (strcmp(failpoints.counted[i].name, name) == 0)
            return &failpoints.counted[i];
    }
    if (failpoints.count == COUNTED_MAX)
        return NULL;
    struct counted *counted = &failpoints.counted[failpoints.count++];
    snprintf(counted->name, sizeof counted->name, "%s", name);
    counted->times = 0;
    return counted;
}

/* The file's text; false when there is none, as nearly always. */
static bool read_order(const char *path, char *action, long *ret_times, char *program)
{
    char text[128];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    *ret_times = 1;
    program[0] = '\0';
    return sscanf(text, "%15s %ld %47s", action, ret_times, program) >= 1;
}

static void record(const char *name, const char *action)
{
    char path[PATH_MAX];
    char line[256];
    snprintf(path, sizeof path, "%s/run/failpoints.log", failpoints.home);
    int size = snprintf(line, sizeof line, "%s %s %s %ld\n", name, action, failpoints.program,
                        (long)getpid());
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return; /* the test will miss its line */
    if (write(fd, line, (size_t)size) < 0)
        fputs("failpoint: the record cannot be written\n", stderr);
    close(fd);
}

bool failpoint_hit(const char *name)
{
    char path[PATH_MAX];
    char action[16];
    char program[48];
    long times;
    if (!failpoints.home)
        return false;
    snprintf(path, sizeof path, "%s/run/failpoints/%s", failpoints.home, name);
    if (!read_order(path, action, &times, program) ||
        (program[0] && strcmp(program, failpoints.program) != 0))
        return false;
    struct counted *counted = counted_find(name);
    if (!counted || ++counted->times < times)
        return false;
    counted->times = 0;
    if (unlink(path) != 0)
        return false; /* somebody else's */
    record(name, action);
    if (strcmp(action, "kill") == 0)
        (void)kill(getpid(), SIGKILL);
    if (strcmp(action, "pause") == 0)
        (void)raise(SIGSTOP);
    return strcmp(action, "error") == 0;
}
