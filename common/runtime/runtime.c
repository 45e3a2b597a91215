#include "common/runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/failpoint.h"
#include "common/messaging/bus_amqp.h"
#include "common/messaging/topology_compare.h"
#include "common/store/stores_made.h"

enum { BASE_PORT_MAX = 32600, INSTANCE_MAX = 10, SECRET_SIZE = 256, LOCKED_PATIENCE_MS = 10000 };
enum { SAY_AGAIN_MS = 30 * 1000 };

static size_t options_fill(struct runtime *runtime, struct option *out)
{
    const struct option common[] = {
        {"home", "WARREN_HOME", OPTION_TEXT, &runtime->home, "DIR", "all state of the suite", 0, 0},
        {"base-port", "WARREN_BASE_PORT", OPTION_INT, &runtime->base_port, "N",
         "the suite's ports begin here", 1024, BASE_PORT_MAX},
        {"instance", NULL, OPTION_INT, &runtime->instance, "N", "which of several", 1,
         INSTANCE_MAX},
        {"amqp-url", "WARREN_AMQP_URL", OPTION_TEXT, &runtime->amqp_url, "URL",
         "another broker than the suite's own", 0, 0},
        {"amqp-ca", "WARREN_AMQP_CA", OPTION_TEXT, &runtime->ca_file, "FILE",
         "certificates that an amqps broker is held against", 0, 0},
        {"without", NULL, OPTION_REPEAT, &runtime->without, "SWITCH",
         "turn a guarantee off, to see what breaks", 0, 0},
        {"unsafe", NULL, OPTION_FLAG, &runtime->unsafe, NULL, "needed with --without", 0, 0},
        {"verbose", "WARREN_VERBOSE", OPTION_FLAG, &runtime->verbose, NULL, "log more", 0, 0},
    };
    memcpy(out, common, sizeof common);
    return sizeof common / sizeof common[0];
}

static void command_line(struct runtime *runtime, int argc, char **argv)
{
    const struct runtime_program *program = runtime->program;
    struct option table[RUNTIME_OPTIONS_MAX];
    size_t count = options_fill(runtime, table);
    for (size_t i = 0; i < program->option_count && count < RUNTIME_OPTIONS_MAX; i++)
        table[count++] = program->options[i];
    const struct options options = {program->name, "[OPTION]...", program->about, table, count};
    int operand = options_parse(&options, argc, argv);
    if (operand == argc)
        return;
    fprintf(stderr, "%s: '%s' is too much\n", program->name, argv[operand]);
    exit(EXIT_USAGE);
}

static enum result switches_fill(struct runtime *runtime, struct err *err)
{
    runtime->switches = switches_all_on();
    if (runtime->without.count > 0 && !runtime->unsafe)
        return err_set(err, INVALID, "--without breaks a promise on purpose: say --unsafe too");
    enum result result = OK;
    for (size_t i = 0; result == OK && i < runtime->without.count; i++)
        result = switches_turn_off(&runtime->switches, runtime->without.items[i], err);
    return result;
}

enum result runtime_path(const struct runtime *runtime, const char *name, char path[PATH_MAX],
                         struct err *err)
{
    int size = snprintf(path, PATH_MAX, "%s/%s", runtime->home, name);
    return size < PATH_MAX ? OK : err_set(err, INVALID, "--home: the path is too long");
}

static enum result folder_make(const struct runtime *runtime, const char *name, struct err *err)
{
    char path[PATH_MAX];
    enum result result = runtime_path(runtime, name, path, err);
    if (result == OK && mkdir(path, 0700) != 0 && errno != EEXIST)
        result = err_set(err, errno == ENOENT ? RETRY : FATAL, "%s: %s", path, strerror(errno));
    return result;
}

/* The lock goes with the process, however that ends; what the file holds is for people. */
static enum result lock_take(struct runtime *runtime, struct err *err)
{
    char name[96];
    char path[PATH_MAX];
    snprintf(name, sizeof name, "run/%s.lock", runtime->owner);
    enum result result = runtime_path(runtime, name, path, err);
    if (result != OK)
        return result;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, FATAL, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        result = errno == EWOULDBLOCK ? REFUSED : FATAL;
        err_set(err, result, "%s runs already (%s)", runtime->owner, path);
        close(fd);
        return result;
    }
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        err_set(err, FATAL, "%s: %s", path, strerror(errno));
        close(fd);
        return FATAL;
    }
    runtime->lock_fd = fd;
    return OK;
}

static enum result home_enter(struct runtime *runtime, struct err *err)
{
    static const char *const folders[] = {"", "run", "store", "provider"};
    enum result result = OK;
    for (size_t i = 0; result == OK && i < sizeof folders / sizeof folders[0]; i++)
        result = folder_make(runtime, folders[i], err);
    return result == OK ? lock_take(runtime, err) : result;
}

/* Its disk may not be there yet. */
static enum result home_await(struct runtime *runtime, struct err *err)
{
    const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
    int64_t say_ms = 0;
    enum result result;
    while ((result = home_enter(runtime, err)) == RETRY) {
        int64_t now_ms = clock_mono_ms(runtime->clock);
        if (now_ms >= say_ms) {
            LOG_EVENT(&runtime->log, LOG_WARNING, "home-missing", LOG_TEXT("reason", err->text));
            say_ms = now_ms + SAY_AGAIN_MS;
        }
        nanosleep(&pause, NULL);
    }
    return result;
}

int runtime_start(struct runtime *runtime, const struct runtime_program *program, int argc,
                  char **argv)
{
    *runtime = (struct runtime){
        .program = program,
        .clock = clock_system(),
        .home = "var",
        .base_port = 8080,
        .instance = 1,
        .lock_fd = -1,
    };
    command_line(runtime, argc, argv);
    snprintf(runtime->owner, sizeof runtime->owner, "%s-%" PRId64, program->name,
             runtime->instance);
    runtime->log = (struct log){runtime->clock, program->name, (int)runtime->instance,
                                runtime->verbose ? LOG_DEBUG : LOG_INFO, STDOUT_FILENO};
    struct err err = {""};
    int code = EXIT_USAGE;
    enum result result = switches_fill(runtime, &err);
    if (result == OK) {
        code = EXIT_MACHINE;
        result = home_await(runtime, &err);
    }
    if (result == OK) {
        failpoint_init(runtime->home, program->name);
        return EXIT_DONE;
    }
    fprintf(stderr, "%s: %s\n", program->name, err.text);
    return code;
}

void runtime_end(struct runtime *runtime)
{
    if (runtime->lock_fd >= 0)
        close(runtime->lock_fd);
    runtime->lock_fd = -1;
}

enum result runtime_migrate(const struct runtime *runtime, struct store *store, const char *owner,
                            const struct migration *steps, size_t count, struct err *err)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    int64_t end = clock_mono_ms(runtime->clock) + LOCKED_PATIENCE_MS;
    enum result result;
    /* Another instance of the same service may be at it: the write lock is all there is to watch.
     */
    while ((result = store_migrate(store, owner, steps, count, err)) == RETRY &&
           clock_mono_ms(runtime->clock) < end) {
        store_rollback(store);
        nanosleep(&pause, NULL);
    }
    return result == OK ? OK : err_context(err, result, "migrate %s", owner);
}

/* What must not be made anew in silence, and how to look at it. */
static enum result durable_advice(const char *path, bool damaged, enum result result,
                                  struct err *err)
{
    if (!damaged)
        return result;
    return err_context(err, result,
                       "%s is damaged and holds what nobody else knows: bring back a copy "
                       "(docs/operations.md, \"A store is missing or damaged\")",
                       path);
}

static enum result open_store(const struct runtime *runtime, const char *path, enum store_mode mode,
                              const char *owner, const struct migration *steps, size_t count,
                              struct store **ret_store, struct err *err)
{
    struct store *store = NULL;
    enum result result = store_open_sqlite(path, mode, &store, err);
    bool damaged = result == FATAL;
    if (result == OK && count > 0) {
        result = runtime_migrate(runtime, store, owner, steps, count, err);
        damaged = store_damaged(store);
    }
    if (result != OK) {
        store_free(store);
        return durable_advice(path, damaged && mode == STORE_DURABLE, result, err);
    }
    *ret_store = store;
    return OK;
}

enum result runtime_store(const struct runtime *runtime, const char *name, enum store_mode mode,
                          const char *owner, const struct migration *steps, size_t count,
                          struct store **ret_store, struct err *err)
{
    char path[PATH_MAX];
    enum result result = runtime_path(runtime, name, path, err);
    if (result == OK && mode == STORE_DURABLE)
        result = stores_made_check(runtime->home, name, err);
    if (result == OK)
        result = open_store(runtime, path, mode, owner, steps, count, ret_store, err);
    if (result != OK)
        return err_context(err, result, "%s", path);
    result = mode == STORE_DURABLE ? stores_made_note(runtime->home, name, err) : OK;
    if (result != OK)
        store_free(*ret_store);
    return result;
}

/* The first line of a file that nobody else may read. */
static enum result secret_read(const struct runtime *runtime, char secret[SECRET_SIZE],
                               struct err *err)
{
    char name[96];
    char path[PATH_MAX];
    struct stat info;
    snprintf(name, sizeof name, "secrets/%s", runtime->program->name);
    enum result result = runtime_path(runtime, name, path, err);
    if (result != OK)
        return result;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, FATAL, "%s: %s", path, strerror(errno));
    ssize_t size = fstat(fd, &info) == 0 ? read(fd, secret, SECRET_SIZE - 1) : -1;
    close(fd);
    if (size < 0)
        return err_set(err, FATAL, "%s: %s", path, strerror(errno));
    if (info.st_mode & 077)
        return err_set(err, FATAL, "%s: others may read it; chmod 600", path);
    secret[size] = '\0';
    secret[strcspn(secret, "\r\n")] = '\0';
    return OK;
}

enum result runtime_bus(const struct runtime *runtime, enum bus_use use, struct bus **ret_bus,
                        struct err *err)
{
    char url[64];
    char secret[SECRET_SIZE] = "";
    snprintf(url, sizeof url, "amqp://127.0.0.1:%" PRId64 "/" VHOST,
             runtime->base_port + AMQP_PORT_OFFSET);
    struct bus_amqp_options options = {
        .url = runtime->amqp_url ? runtime->amqp_url : url,
        .user = runtime->program->name,
        .password = secret,
        .ca_file = runtime->ca_file,
        .connection_name = runtime->owner,
        .app_id = runtime->program->name,
        .log = use == BUS_OF_SERVICE ? STREAM_LOG : NULL,
        .consume_only = use == BUS_OF_LOG,
        .clock = runtime->clock,
        .switches = runtime->switches,
    };
    enum result result = runtime->amqp_url ? OK : secret_read(runtime, secret, err);
    if (result == OK)
        result = bus_amqp_new(&options, ret_bus, err);
    explicit_bzero(secret, sizeof secret);
    return result;
}

/* The watcher replaces the file as a whole. */
static bool verdict_load(const struct runtime *runtime, struct topology_verdict *ret_verdict)
{
    char path[PATH_MAX];
    char text[sizeof *ret_verdict + 512];
    if (runtime_path(runtime, TOPOLOGY_VERDICT_FILE, path, NULL) != OK)
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (size < 0)
        return false;
    text[size] = '\0';
    return topology_verdict_read(text, ret_verdict, NULL) == OK;
}

bool runtime_bindings(const struct runtime *runtime, const struct topology *table,
                      struct buf *wrong, struct buf *notes)
{
    struct topology_verdict verdict;
    bool there = verdict_load(runtime, &verdict);
    return topology_ready(there ? &verdict : NULL, table, clock_mono_ms(runtime->clock), wrong,
                          notes);
}

int runtime_port(const struct runtime *runtime)
{
    return (int)(runtime->base_port + runtime->program->port_offset + runtime->instance - 1);
}
