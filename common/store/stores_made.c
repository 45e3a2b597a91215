#include "common/store/stores_made.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_SIZE = 4096 };

/* The whole list; empty when there is none. */
static enum result list_read(int fd, const char *path, char text[LIST_SIZE], struct err *err)
{
    ssize_t size = pread(fd, text, LIST_SIZE - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    return size < 0 ? err_set(err, FATAL, "%s: %s", path, strerror(errno)) : OK;
}

static bool list_has(const char *text, const char *name)
{
    size_t size = strlen(name);
    for (const char *line = text; *line; line += strspn(line, "\n")) {
        size_t length = strcspn(line, "\n");
        if (length == size && memcmp(line, name, size) == 0)
            return true;
        line += length;
    }
    return false;
}

static enum result list_load(const char *home, char text[LIST_SIZE], struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" STORES_MADE, home);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    text[0] = '\0';
    if (fd < 0)
        return errno == ENOENT ? OK : err_set(err, FATAL, "%s: %s", path, strerror(errno));
    enum result result = list_read(fd, path, text, err);
    close(fd);
    return result;
}

static enum result check_file(const char *home, const char *name, struct err *err)
{
    char path[PATH_MAX];
    struct stat there;
    snprintf(path, sizeof path, "%s/%s", home, name);
    if (stat(path, &there) == 0 && there.st_size > 0)
        return OK;
    return err_set(
        err, FATAL,
        "the store %s was there once and is gone: bring it back, or take its line out of "
        "%s/" STORES_MADE " to begin with an empty one (docs/operations.md, \"A store is "
        "missing or damaged\")",
        path, home);
}

enum result stores_made_check(const char *home, const char *name, struct err *err)
{
    char text[LIST_SIZE];
    enum result result = list_load(home, text, err);
    if (result != OK || !list_has(text, name))
        return result;
    return check_file(home, name, err);
}

/* In one write, at the end; a list without its last newline (a crash, a hand) gets it. */
static enum result list_append(int fd, const char *path, const char *text, const char *name,
                               struct err *err)
{
    char line[PATH_MAX];
    size_t there = strlen(text);
    bool torn = there > 0 && text[there - 1] != '\n';
    int size = snprintf(line, sizeof line, "%s%s\n", torn ? "\n" : "", name);
    if (write(fd, line, (size_t)size) != size || fsync(fd) != 0)
        return err_set(err, FATAL, "%s: %s", path, strerror(errno));
    return OK;
}

/* The file's own entry in its directory. */
static void sync_home(const char *home)
{
    int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

enum result stores_made_note(const char *home, const char *name, struct err *err)
{
    char path[PATH_MAX];
    char text[LIST_SIZE];
    snprintf(path, sizeof path, "%s/" STORES_MADE, home);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return err_set(err, FATAL, "%s: %s", path, strerror(why));
    }
    enum result result = list_read(fd, path, text, err);
    if (result == OK && !list_has(text, name)) {
        result = list_append(fd, path, text, name, err);
        sync_home(home);
    }
    close(fd);
    return result;
}

void stores_made_missing(const char *home, stores_made_fn *each, void *context)
{
    char text[LIST_SIZE];
    char *rest = text;
    const char *name;
    if (list_load(home, text, NULL) != OK)
        return;
    while ((name = strsep(&rest, "\n"))) {
        struct err err = {""};
        if (name[0] && check_file(home, name, &err) != OK)
            each(context, err.text);
    }
}
