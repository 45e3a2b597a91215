#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/store/store.h"

/* rename replaces what is there, so the oldest goes by itself. */
static enum result move(const char *from, const char *to, struct err *err)
{
    if (rename(from, to) == 0 || errno == ENOENT)
        return OK;
    return err_set(err, FATAL, "%s: %s", from, strerror(errno));
}

enum result store_set_aside(const char *path, struct err *err)
{
    static const char *const suffixes[] = {"-wal", "-shm", ""}; /* the file last: it is the mark */
    char from[PATH_MAX];
    char first[PATH_MAX];
    char second[PATH_MAX];
    enum result result = OK;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0] && result == OK; i++) {
        snprintf(from, sizeof from, "%s%s", path, suffixes[i]);
        snprintf(first, sizeof first, "%s.damaged-1%s", path, suffixes[i]);
        snprintf(second, sizeof second, "%s.damaged-2%s", path, suffixes[i]);
        result = move(first, second, err);
        if (result == OK)
            result = move(from, first, err);
    }
    return result;
}
