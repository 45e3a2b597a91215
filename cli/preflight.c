#include "cli/preflight.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/fake_clock.h"
#include "cli/files.h"
#include "cli/process.h"
#include "common/store/stores_made.h"

enum { DISK_FREE_MB = 300 };

static size_t check_home(const struct suite *suite, struct buf *findings)
{
    struct err err = {""};
    struct stat there;
    if (directory_make_all(suite->home, &err) != OK) {
        buf_printf(findings, "the home cannot be made: %s\n", err.text);
        return 1;
    }
    if (stat(suite->home, &there) != 0 || there.st_uid != getuid()) {
        buf_printf(findings, "the home %s belongs to another user (uid %u)\n", suite->home,
                   (unsigned)there.st_uid);
        return 1;
    }
    if ((there.st_mode & 0077) != 0) { /* not ours to change: it may be somebody's /tmp */
        buf_printf(findings, "the home %s is open to others: chmod 700 it, or choose another\n",
                   suite->home);
        return 1;
    }
    if (access(suite->home, R_OK | W_OK | X_OK) != 0) {
        buf_printf(findings, "the home %s: %s\n", suite->home, strerror(errno));
        return 1;
    }
    return 0;
}

static size_t check_disk(const struct suite *suite, struct buf *findings)
{
    struct statvfs disk;
    if (statvfs(suite->home, &disk) != 0) {
        buf_printf(findings, "the disk of %s: %s\n", suite->home, strerror(errno));
        return 1;
    }
    unsigned long free_mb = (unsigned long)(disk.f_bavail / 1024 * disk.f_frsize / 1024);
    if (free_mb >= DISK_FREE_MB)
        return 0;
    buf_printf(findings,
               "the disk of %s has %lu MB free, %d are needed: the broker stops taking messages "
               "below 200\n",
               suite->home, free_mb, DISK_FREE_MB);
    return 1;
}

struct found {
    struct buf *findings;
    size_t count;
};

static void add_missing(void *context, const char *words)
{
    struct found *found = context;
    buf_printf(found->findings, "%s\n", words);
    found->count++;
}

static size_t check_stores(const struct suite *suite, struct buf *findings)
{
    struct found found = {findings, 0};
    stores_made_missing(suite->home, add_missing, &found);
    return found.count;
}

static bool in_path(const char *program)
{
    static const char *const directories[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                              "/usr/bin",        "/sbin",          "/bin"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", directories[i], program);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static size_t missing(struct buf *findings, const char *program, const char *package)
{
    buf_printf(findings, "%s is not there: install the Debian package %s (or run scripts/setup)\n",
               program, package);
    return 1;
}

static size_t check_programs(const struct plan *plan, struct buf *findings)
{
    size_t count = 0;
    struct err err = {""};
    struct suite_path path;
    if (!in_path("supervisord"))
        count += missing(findings, "supervisord", "supervisor");
    if (!plan->amqp_url && access(BROKER_SERVER, X_OK) != 0)
        count += missing(findings, BROKER_SERVER, "rabbitmq-server");
    if (!plan->amqp_url && !in_path("epmd"))
        count += missing(findings, "epmd", "erlang-base");
    if (plan->faketime && fake_clock_library(&path, &err) != OK) {
        buf_printf(findings, "%s\n", err.text);
        count++;
    }
    for (size_t i = 0; i < suite_service_count; i++) {
        if (suite_program(suite_services[i].name, &path, &err) == OK)
            continue;
        buf_printf(findings, "%s\n", err.text);
        count++;
    }
    return count;
}

static size_t check_port(const struct suite *suite, int offset, const char *what,
                         struct buf *findings)
{
    struct process_entry owner;
    int port = suite->base_port + offset;
    if (!process_listens(port, &owner))
        return 0;
    buf_printf(findings, "port %d (%s) is taken", port, what);
    if (owner.pid != 0)
        buf_printf(findings, " by %s, pid %d", owner.name, (int)owner.pid);
    buf_printf(findings, "; choose other ports with --base-port N\n");
    return 1;
}

static size_t check_ports(const struct suite *suite, const struct plan *plan, struct buf *findings)
{
    static const struct {
        int offset;
        const char *what;
    } of_broker[] = {{PORT_AMQP, "AMQP"},
                     {PORT_DISTRIBUTION, "broker distribution"},
                     {PORT_EPMD, "epmd"},
                     {PORT_MANAGEMENT, "broker management"},
                     {PORT_BROKER_METRICS, "broker metrics"}};
    size_t count = 0;
    for (size_t i = 0; i < suite_service_count; i++)
        for (int n = 0; n < plan->instances; n++)
            count +=
                check_port(suite, suite_services[i].port + n, suite_services[i].name, findings);
    for (size_t i = 0; !plan->amqp_url && i < sizeof of_broker / sizeof of_broker[0]; i++)
        count += check_port(suite, of_broker[i].offset, of_broker[i].what, findings);
    return count;
}

/* Its supervisor does not answer, or we would not be here. */
static size_t check_remains(const struct suite *suite, struct buf *findings)
{
    struct process_entry left;
    if (process_of_suite(suite, &left, 1) == 0)
        return 0;
    buf_printf(findings, "%s, pid %d, is left of this suite: warren down ends it\n", left.name,
               (int)left.pid);
    return 1;
}

size_t preflight(const struct suite *suite, const struct plan *plan, struct buf *findings)
{
    size_t count = check_home(suite, findings);
    if (count == 0)
        count += check_disk(suite, findings) + check_stores(suite, findings);
    count += check_programs(plan, findings);
    size_t remains = check_remains(suite, findings);
    if (remains == 0)
        count += check_ports(suite, plan, findings);
    return count + remains;
}
