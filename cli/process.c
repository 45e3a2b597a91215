#include "cli/process.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/files.h"
#include "common/base/buf.h"

/* Calls `each` for every process until it answers false. */
static void each_process(bool (*each)(void *context, pid_t pid), void *context)
{
    DIR *directory = opendir("/proc");
    if (!directory)
        return;
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        if (!each(context, (pid_t)strtol(entry->d_name, NULL, 10)))
            break;
    }
    closedir(directory);
}

static enum result proc_load(pid_t pid, const char *name, struct buf *out)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return file_load(path, out, NULL);
}

static void name_of(pid_t pid, char *name, size_t size)
{
    struct buf text = {0};
    name[0] = '\0';
    if (proc_load(pid, "comm", &text) == OK && text.size > 0)
        snprintf(name, size, "%.*s", (int)strcspn(text.data, "\n"), text.data);
    buf_release(&text);
}

struct search {
    char mark[SUITE_HOME_SIZE + 32];
    struct process_entry *entries;
    size_t max;
    size_t count;
};

/* The environment is NAME=VALUE texts, each with its NUL; a zombie's is empty. */
static bool has_mark(pid_t pid, const char *mark)
{
    struct buf environment = {0};
    bool found = false;
    if (proc_load(pid, "environ", &environment) == OK) {
        for (size_t at = 0; at < environment.size && !found;
             at += strlen(environment.data + at) + 1)
            found = strcmp(environment.data + at, mark) == 0;
    }
    buf_release(&environment);
    return found;
}

static bool collect_marked(void *context, pid_t pid)
{
    struct search *search = context;
    if (!has_mark(pid, search->mark))
        return true;
    struct process_entry *entry = &search->entries[search->count++];
    entry->pid = pid;
    name_of(pid, entry->name, sizeof entry->name);
    return search->count < search->max;
}

size_t process_of_suite(const struct suite *suite, struct process_entry *entries, size_t max)
{
    struct search search = {.entries = entries, .max = max};
    snprintf(search.mark, sizeof search.mark, "%s=%s", PROCESS_MARK, suite->home);
    if (max > 0)
        each_process(collect_marked, &search);
    return search.count;
}

int64_t process_rss_bytes(pid_t pid)
{
    struct buf text = {0};
    int64_t pages = 0;
    if (proc_load(pid, "statm", &text) == OK && text.size > 0) {
        const char *space = strchr(text.data, ' ');
        pages = space ? strtoll(space, NULL, 10) : 0;
    }
    buf_release(&text);
    return pages * sysconf(_SC_PAGESIZE);
}

/* The inode of the socket that listens on the port, from the kernel's table. */
static unsigned long listener_inode(const char *table, int port)
{
    struct buf text = {0};
    unsigned long found = 0;
    char *rest;
    if (file_load(table, &text, NULL) != OK || text.size == 0)
        return 0;
    for (char *line = strtok_r(text.data, "\n", &rest); line && !found;
         line = strtok_r(NULL, "\n", &rest)) {
        unsigned local = 0;
        unsigned state = 0;
        unsigned long inode = 0;
        int fields =
            sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
                   &local, &state, &inode);
        if (fields == 3 && state == 0x0a && local == (unsigned)port)
            found = inode;
    }
    buf_release(&text);
    return found;
}

struct owner_search {
    char link[64];
    pid_t pid;
};

static bool has_socket(void *context, pid_t pid)
{
    struct owner_search *search = context;
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (!directory)
        return true;
    const struct dirent *entry;
    while (search->pid == 0 && (entry = readdir(directory))) {
        char target[64];
        snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)pid, entry->d_name);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size <= 0)
            continue;
        target[size] = '\0';
        if (strcmp(target, search->link) == 0)
            search->pid = pid;
    }
    closedir(directory);
    return search->pid == 0;
}

bool process_listens(int port, struct process_entry *ret_entry)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    *ret_entry = (struct process_entry){.pid = 0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int on = 1; /* connections of yesterday do not count */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool taken = bind(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno == EADDRINUSE;
    close(fd);
    if (!taken)
        return false;
    unsigned long inode = listener_inode("/proc/net/tcp", port);
    if (inode == 0)
        inode = listener_inode("/proc/net/tcp6", port);
    struct owner_search search = {.pid = 0};
    snprintf(search.link, sizeof search.link, "socket:[%lu]", inode);
    if (inode != 0)
        each_process(has_socket, &search);
    ret_entry->pid = search.pid;
    if (search.pid != 0)
        name_of(search.pid, ret_entry->name, sizeof ret_entry->name);
    return true;
}
