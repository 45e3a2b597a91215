#include "load/target.h"

#include <stdio.h>
#include <string.h>

#include "cli/files.h"
#include "cli/ready.h"

/* Only the edge: a run while others are stopped is a run worth having. */
static enum result check_ready(const struct suite *suite, struct err *err)
{
    struct http *http = http_new();
    enum result result = ready_service(http, suite->base_port + PORT_EDGE, err);
    http_free(http);
    return result == OK ? OK : err_context(err, RETRY, "the edge of the suite in %s", suite->home);
}

static enum result make_customers(struct load_target *target, size_t count, int64_t valid_ms,
                                  struct err *err)
{
    enum result result = OK;
    char name[48];
    for (size_t i = 0; i < count && result == OK; i++) {
        snprintf(name, sizeof name, "load-%s-%zu", target->run, i + 1);
        result = bearer_issue(&target->suite, name, NULL, SCOPE_LOAD, valid_ms,
                              target->customers.bearers[i], err);
        if (result == OK)
            result = bearer_customer(&target->suite, name, &target->customers.ids[i], err);
    }
    target->customers.count = count;
    return result;
}

static enum result open_suite(const struct settings *settings, struct load_target *target,
                              struct err *err)
{
    int64_t valid_ms = (int64_t)30 * 86400 * 1000;
    enum result result = suite_resolve(&settings->where, &target->suite, err);
    if (result == OK)
        result = check_ready(&target->suite, err);
    if (result == OK)
        result = make_customers(target, (size_t)settings->customers, valid_ms, err);
    snprintf(target->url, sizeof target->url, "http://127.0.0.1:%d",
             target->suite.base_port + PORT_EDGE);
    return result;
}

enum result target_open(const struct settings *settings, struct load_target *ret_target,
                        struct err *err)
{
    struct load_target *target = ret_target;
    const char *url = settings->url;
    *target = (struct load_target){.is_suite = !url};
    struct id id = id_new(clock_system());
    snprintf(target->run, sizeof target->run, "%.8s", id.text + ID_TEXT_SIZE - 9);
    if (!url)
        return open_suite(settings, target, err);
    if (strlen(url) >= sizeof target->url)
        return err_set(err, INVALID, "--url: longer than %zu bytes", sizeof target->url - 1);
    memcpy(target->url, url, strlen(url) + 1);
    for (size_t end = strlen(target->url); end > 0 && target->url[end - 1] == '/';)
        target->url[--end] = '\0'; /* paths are put behind it */
    target->customers.count = 1;
    return file_read(settings->token_file, target->customers.bearers[0], BEARER_SIZE, err);
}
