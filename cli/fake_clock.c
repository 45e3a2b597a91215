#include "cli/fake_clock.h"

#include <glob.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/files.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum result fake_clock_library(struct suite_path *ret_path, struct err *err)
{
    static const char pattern[] = "/usr/lib/*/faketime/libfaketimeMT.so.1";
    glob_t found;
    if (SANITIZED)
        return err_set(err, INVALID,
                       "--faketime does not go together with AddressSanitizer: take another build");
    if (glob(pattern, 0, NULL, &found) != 0)
        return err_set(err, NOT_FOUND,
                       "%s is not there: install the Debian package faketime (or run "
                       "scripts/setup --check)",
                       pattern);
    snprintf(ret_path->text, sizeof ret_path->text, "%s", found.gl_pathv[0]);
    globfree(&found);
    return OK;
}

static struct suite_path file_of(const struct suite *suite, const char *program)
{
    return suite_path(suite, "run/clock/%s", program);
}

bool fake_clock_there(const struct suite *suite)
{
    return access(file_of(suite, "order-service-1").text, F_OK) == 0;
}

enum result fake_clock_prepare(const struct suite *suite, int instances, struct err *err)
{
    enum result result = OK;
    if (instances > 0)
        result = directory_make(suite_path(suite, "run/clock").text, err);
    for (size_t i = 0; i < suite_service_count && result == OK; i++) {
        for (int n = 1; n <= SUITE_INSTANCES_MAX && result == OK; n++) {
            char program[64];
            snprintf(program, sizeof program, "%s-%d", suite_services[i].name, n);
            if (n <= instances)
                result = fake_clock_set(suite, program, 0, err);
            else
                unlink(file_of(suite, program).text);
        }
    }
    return result;
}

void fake_clock_environment(const struct suite *suite, const struct suite_path *library,
                            const char *program,
                            void (*add)(void *context, const char *name, const char *value),
                            void *context)
{
    struct suite_path file = file_of(suite, program);
    add(context, "LD_PRELOAD", library->text);
    add(context, "FAKETIME_TIMESTAMP_FILE", suite_inside(suite, &file));
    add(context, "FAKETIME_CACHE_DURATION", "1"); /* seconds between two looks at the file */
    add(context, "FAKETIME_DONT_FAKE_MONOTONIC", "1");
    add(context, "NO_FAKE_STAT", "1");
}

enum result fake_clock_set(const struct suite *suite, const char *program, int64_t offset_ms,
                           struct err *err)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%+.3f\n", (double)offset_ms / 1000);
    return file_write(file_of(suite, program).text, text, (size_t)size, err);
}

void fake_clock_forget(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/faketime_shm_%ld", (long)pid);
    unlink(path);
    snprintf(path, sizeof path, "/dev/shm/sem.faketime_sem_%ld", (long)pid);
    unlink(path);
}
