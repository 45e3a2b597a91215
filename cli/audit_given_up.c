#include "cli/audit_given_up.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/files.h"

static struct suite_path path_of(const struct suite *suite)
{
    return suite_path(suite, "log-given-up");
}

enum result log_given_up_read(const struct suite *suite, int64_t *ret_ms, struct err *err)
{
    char text[32];
    char *end;
    struct suite_path path = path_of(suite);
    *ret_ms = 0;
    enum result result = file_read(path.text, text, sizeof text, err);
    if (result == NOT_FOUND)
        return OK;
    if (result != OK)
        return result;
    errno = 0;
    long long at_ms = strtoll(text, &end, 10);
    if (errno || end == text || *end || at_ms <= 0)
        return err_set(err, INVALID, "%s: \"%s\" is no time", path.text, text);
    *ret_ms = at_ms;
    return OK;
}

enum result log_given_up_write(const struct suite *suite, int64_t at_ms, struct err *err)
{
    char text[32];
    struct suite_path path = path_of(suite);
    snprintf(text, sizeof text, "%" PRId64 "\n", at_ms);
    return file_write(path.text, text, strlen(text), err);
}
