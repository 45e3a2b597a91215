#include "cli/broker_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/broker.h"
#include "common/base/buf.h"

#define TOOL "/usr/lib/rabbitmq/bin/rabbitmqctl"

enum { WORDS_MAX = 12 };

static void set_variable(void *context, const char *name, const char *value)
{
    (void)context;
    (void)setenv(name, value, 1);
}

static void become_tool(const struct suite *suite, const char *const *words, int out)
{
    const char *arguments[WORDS_MAX + 3] = {TOOL, "-q"};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; words[i] && i < WORDS_MAX; i++)
        arguments[i + 2] = words[i];
    if (chdir(suite->home) != 0) /* paths of the node's environment are names in it */
        _exit(125);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    broker_environment(suite, set_variable, NULL);
    execv(TOOL, (char *const *)arguments);
    _exit(127);
}

static void read_all(int fd, struct buf *out)
{
    char chunk[1024];
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0)
            buf_append(out, chunk, (size_t)got);
}

static enum result judge(int status, const char *verb, const struct buf *said, struct err *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return OK;
    const char *words = said->size > 0 ? said->data : "nothing";
    for (char *at = said->data; said->size > 0 && *at; at++)
        if (*at == '\n')
            *at = ' ';
    return err_set(err, RETRY, "rabbitmqctl %s: %.150s", verb, words + strspn(words, " "));
}

enum result broker_tool(const struct suite *suite, const char *const *words, struct err *err)
{
    int ends[2];
    int status = -1;
    struct buf said = {0};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, FATAL, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        become_tool(suite, words, ends[1]);
    close(ends[1]);
    if (pid > 0)
        read_all(ends[0], &said);
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    enum result result = pid > 0 ? judge(status, words[0], &said, err)
                                 : err_set(err, FATAL, "fork: %s", strerror(errno));
    buf_release(&said);
    return result;
}
