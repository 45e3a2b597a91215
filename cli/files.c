#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum result file_load(const char *path, struct buf *out, struct err *err)
{
    char chunk[4096];
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : FATAL, "%s: %s", path,
                       strerror(errno));
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        buf_append(out, chunk, (size_t)got);
    int error = errno;
    close(fd);
    return got < 0 ? err_set(err, FATAL, "%s: %s", path, strerror(error)) : OK;
}

enum result file_read(const char *path, char *text, size_t size, struct err *err)
{
    struct buf whole = {0};
    enum result result = file_load(path, &whole, err);
    size_t used = result == OK && whole.size > 0 ? strcspn(whole.data, "\r\n") : 0;
    if (result == OK && used >= size)
        result = err_set(err, FATAL, "%s: its first line is longer than %zu bytes", path, size - 1);
    if (result == OK) {
        if (used > 0)
            memcpy(text, whole.data, used);
        text[used] = '\0';
    }
    buf_release(&whole);
    return result;
}

static enum result write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, text, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return FATAL;
        text += put;
        size -= (size_t)put;
    }
    return OK;
}

enum result file_write(const char *path, const char *text, size_t size, struct err *err)
{
    char temporary[PATH_MAX];
    snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(err, FATAL, "%s: %s", temporary, strerror(errno));
    enum result result = write_all(fd, text, size);
    int error = errno;
    if (close(fd) != 0 && result == OK) {
        result = FATAL;
        error = errno;
    }
    if (result == OK && rename(temporary, path) != 0) {
        result = FATAL;
        error = errno;
    }
    if (result == OK)
        return OK;
    unlink(temporary);
    return err_set(err, FATAL, "%s: %s", path, strerror(error));
}

static enum result sync_one(const char *path, int flags, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    bool synced = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    return synced ? OK : err_set(err, FATAL, "%s: %s", path, strerror(error));
}

enum result file_sync(const char *path, struct err *err)
{
    char directory[PATH_MAX];
    snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash)
        *slash = '\0';
    enum result result = sync_one(path, 0, err);
    return result == OK ? sync_one(slash ? directory : ".", O_DIRECTORY, err) : result;
}

enum result directory_make(const char *path, struct err *err)
{
    if (mkdir(path, 0700) == 0)
        return OK;
    struct stat there;
    int error = errno;
    if (error == EEXIST && stat(path, &there) == 0 && S_ISDIR(there.st_mode))
        return OK;
    return err_set(err, FATAL, "%s: %s", path, strerror(error == EEXIST ? ENOTDIR : error));
}

enum result directory_make_all(const char *path, struct err *err)
{
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(parent, 0755) != 0 && errno != EEXIST)
            return err_set(err, FATAL, "%s: %s", parent, strerror(errno));
        *slash = '/';
    }
    return directory_make(path, err);
}
