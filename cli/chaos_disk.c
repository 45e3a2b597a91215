#include "cli/chaos_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli/chaos_watch.h"
#include "cli/ready.h"

enum { DISKS = 3, BROKER = 2, MARKS_MAX = 16, SIZE_MAX_MB = 1024, NOTICED_MS = 60000 };

static const char *const places[DISKS] = {"store", "provider", [BROKER] = "broker"};

/* --- may it be filled? ------------------------------------------------------------------ */

static bool is_place(const struct suite *suite, const char *path)
{
    for (int i = 0; i < DISKS; i++) {
        if (strcmp(path, suite_path(suite, "%s", places[i]).text) == 0)
            return true;
    }
    return false;
}

/* Whether that file system is mounted nowhere but at our places, as far as we can see. */
static bool is_ours_alone(const struct suite *suite, dev_t device)
{
    char line[4096];
    char path[2048];
    unsigned major_number;
    unsigned minor_number;
    bool ours = false;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file)
        return false;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%*d %*d %u:%u %*s %2047s", &major_number, &minor_number, path) != 3 ||
            makedev(major_number, minor_number) != device)
            continue;
        ours = is_place(suite, path);
        if (!ours)
            break;
    }
    fclose(file);
    return ours;
}

static enum result check_place(const struct suite *suite, const char *place, const char *fault,
                               struct err *err)
{
    struct suite_path path = suite_path(suite, "%s", place);
    struct stat home;
    struct stat there;
    struct statvfs disk;
    if (stat(suite->home, &home) != 0 || lstat(path.text, &there) != 0 ||
        statvfs(path.text, &disk) != 0)
        return err_set(err, INVALID, "%s: %s: %s", fault, path.text, strerror(errno));
    if (there.st_dev == home.st_dev || !is_ours_alone(suite, there.st_dev))
        return err_set(err, INVALID, "%s: %s is not a file system of its own (scripts/small-store)",
                       fault, path.text);
    unsigned long size_mb = (unsigned long)(disk.f_blocks / 1024 * disk.f_frsize / 1024);
    if (size_mb > SIZE_MAX_MB)
        return err_set(err, INVALID, "%s: %s has %lu MB, too many to fill", fault, path.text,
                       size_mb);
    return OK;
}

enum result chaos_disk_possible(const struct suite *suite, enum chaos_kind kind, struct err *err)
{
    enum result result = OK;
    for (int i = 0; i < DISKS && result == OK; i++)
        if ((i == BROKER) == (kind == CHAOS_BROKER_DISK))
            result = check_place(suite, places[i], chaos_kind_names[kind], err);
    return result;
}

/* --- filling --------------------------------------------------------------------------------- */

struct filler {
    int fd; /* -1: this disk is left alone */
    off_t size;
};

static struct suite_path filler_path(const struct suite *suite, const char *place)
{
    return suite_path(suite, "%s/chaos-filler", place);
}

/* To the last block, in ever smaller steps. What the services free meanwhile is taken at the next
 * call. Never more than the largest disk that may be filled. */
static void fill(struct filler *filler)
{
    enum { LARGEST = 64 << 20, SMALLEST = 4096, FILLER_MAX = SIZE_MAX_MB << 20 };
    for (off_t step = LARGEST; filler->fd >= 0 && step >= SMALLEST && filler->size < FILLER_MAX;) {
        if (posix_fallocate(filler->fd, filler->size, step) == 0)
            filler->size += step;
        else
            step /= 2;
    }
}

static bool takes_no_more(const struct filler *filler)
{
    static const char block[4096];
    return filler->fd < 0 ||
           (pwrite(filler->fd, block, sizeof block, filler->size) < 0 && errno == ENOSPC);
}

/* SQLite's log keeps its size and is written over from its beginning: a full disk might not be noticed
 * for a minute. Shortened to nothing, as a backup does it, it needs room with the next commit. A store
 * that is busy keeps its log: then it takes longer. */
static void shorten_log(const char *path)
{
    enum { PATIENCE_MS = 500 };
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
        (void)sqlite3_busy_timeout(db, PATIENCE_MS);
        (void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    (void)sqlite3_close(db);
}

static void shorten_logs(const struct suite *suite, const char *place)
{
    struct suite_path folder = suite_path(suite, "%s", place);
    DIR *dir = opendir(folder.text);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        size_t length = strlen(entry->d_name);
        if (length > 3 && strcmp(entry->d_name + length - 3, ".db") == 0)
            shorten_log(suite_path(suite, "%s/%s", place, entry->d_name).text);
    }
    if (dir)
        closedir(dir);
}

/* --- seeing ------------------------------------------------------------------------------------ */

struct disks {
    struct filler fillers[DISKS];
    struct log_mark marks[MARKS_MAX]; /* of who should notice */
    size_t mark_count;
    struct http *http; /* NULL: the node is not asked */
    const struct suite *suite;
};

static bool is_full(const void *context)
{
    struct disks *disks = (struct disks *)context;
    bool full = true;
    for (int i = 0; i < DISKS; i++) {
        fill(&disks->fillers[i]);
        full = full && takes_no_more(&disks->fillers[i]);
    }
    return full;
}

/* It may not have cleared its alarm since the time before, and then raises none. */
static bool has_alarm(const struct disks *disks)
{
    cJSON *nodes = NULL;
    if (!disks->http || ready_management(disks->http, disks->suite, "nodes", &nodes, NULL) != OK)
        return false;
    const cJSON *node = cJSON_GetArrayItem(nodes, 0);
    bool alarm = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(node, "disk_free_alarm"));
    cJSON_Delete(nodes);
    return alarm;
}

static bool is_noticed(const void *context)
{
    const struct disks *disks = context;
    (void)is_full(context);
    if (has_alarm(disks))
        return true;
    for (size_t i = 0; i < disks->mark_count; i++) {
        if (watch_log_says(&disks->marks[i]))
            return true;
    }
    return false;
}

/* In SQLite's words, in the events batch-rolled-back, read-model (the edge) and ledger-failing: the
 * second ones when it is the index of its log that has no room to grow. */
static void call_witness(const struct suite *suite, const char *service, struct disks *disks)
{
    static const char *const words[] = {"database or disk is full", "disk I/O error"};
    char program[64];
    snprintf(program, sizeof program, "%s-1", service);
    for (size_t i = 0; i < sizeof words / sizeof words[0] && disks->mark_count < MARKS_MAX; i++)
        disks->marks[disks->mark_count++] = watch_mark_log(suite, program, words[i]);
}

/* The ledger is payment-service's; a full one shows in nobody else's log. */
static void call_witnesses(const struct suite *suite, size_t target, struct disks *disks)
{
    for (size_t i = 0; i < suite_service_count; i++) {
        if (target != CHAOS_DISK_LEDGER || suite_services[i].port == PORT_PAYMENT)
            call_witness(suite, suite_services[i].name, disks);
    }
}

/* --- the fault ------------------------------------------------------------------------------------ */

static void open_filler(const struct suite *suite, int disk, struct disks *disks)
{
    disks->fillers[disk].fd = open(filler_path(suite, places[disk]).text,
                                   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void begin(const struct suite *suite, size_t target, struct disks *disks)
{
    static const size_t spared[BROKER] = {CHAOS_DISK_LEDGER, CHAOS_DISK_STORES};
    call_witnesses(suite, target, disks);
    for (int i = 0; i < BROKER; i++) {
        if (target == spared[i])
            continue;
        shorten_logs(suite, places[i]);
        open_filler(suite, i, disks);
    }
}

/* A node that works raises its alarm; one that starts cannot write, or is not started. */
static void begin_broker(const struct suite *suite, struct disks *disks)
{
    static const char *const words[] = {"disk resource limit alarm set", "enospc",
                                        "broker-waits-for-room"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        disks->marks[disks->mark_count++] = watch_mark_log(suite, "rabbitmq-server-1", words[i]);
    open_filler(suite, BROKER, disks);
}

static void hold(struct disks *disks, int64_t hold_ms)
{
    int64_t end = watch_now_ms() + hold_ms;
    while (watch_now_ms() < end) {
        (void)is_full(disks);
        watch_pause_ms(WATCH_LOOK_MS);
    }
}

/* From where it has begun to where there is room again. */
static void go_through(const struct suite *suite, struct disks *disks, const char *name,
                       struct chaos_fault *fault, char what[CHAOS_WHY_SIZE])
{
    int64_t began_ms = watch_now_ms();
    bool full = watch_until(is_full, disks, WATCH_SEEN_MS);
    fault->reached = full && watch_until(is_noticed, disks, NOTICED_MS);
    if (!fault->reached)
        snprintf(fault->why, sizeof fault->why, "%s",
                 full ? "nobody has noticed" : "there is still room");
    hold(disks, fault->hold_ms);
    off_t size = 0;
    for (int i = 0; i < DISKS; i++) {
        size += disks->fillers[i].size;
        if (disks->fillers[i].fd >= 0)
            close(disks->fillers[i].fd);
    }
    chaos_disk_heal(suite);
    snprintf(what, CHAOS_WHY_SIZE, "%s, %lld MB, %lld ms", name, (long long)(size >> 20),
             (long long)(watch_now_ms() - began_ms));
}

static const struct disks none_filled = {.fillers = {{-1, 0}, {-1, 0}, {-1, 0}}};

/* What could be filled when the run began may be gone: then its place is on a disk of others. */
static bool is_still_possible(const struct suite *suite, struct chaos_fault *fault)
{
    struct err err = {""};
    if (chaos_disk_possible(suite, fault->kind, &err) == OK)
        return true;
    snprintf(fault->why, sizeof fault->why, "%.110s", err.text);
    return false;
}

void chaos_disk_full(const struct suite *suite, struct chaos_fault *fault,
                     char what[CHAOS_WHY_SIZE])
{
    static const char *const names[CHAOS_DISKS] = {"stores and ledger", "stores", "ledger"};
    struct disks disks = none_filled;
    if (!is_still_possible(suite, fault))
        return;
    begin(suite, fault->target, &disks);
    go_through(suite, &disks, names[fault->target], fault, what);
}

void chaos_broker_disk_full(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                            char what[CHAOS_WHY_SIZE])
{
    struct disks disks = none_filled;
    if (!is_still_possible(suite, fault))
        return;
    disks.http = http;
    disks.suite = suite;
    begin_broker(suite, &disks);
    go_through(suite, &disks, "broker", fault, what);
}

void chaos_disk_heal(const struct suite *suite)
{
    for (int i = 0; i < DISKS; i++)
        unlink(filler_path(suite, places[i]).text);
}
