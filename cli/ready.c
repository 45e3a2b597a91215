#include "cli/ready.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/broker.h"
#include "cli/files.h"
#include "common/messaging/amqp_link.h"

/* The second line of the answer: the first is the verdict, which we know. */
static void first_reason(const struct buf *body, char *text, size_t size)
{
    const char *line = body->size > 0 ? strchr(body->data, '\n') : NULL;
    snprintf(text, size, "%.*s", line ? (int)strcspn(line + 1, "\n") : 0, line ? line + 1 : "");
}

enum result ready_service(struct http *http, int port, struct err *err)
{
    char url[64];
    char reason[200];
    struct http_response response = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/readyz?verbose", port);
    struct http_request request = {.url = url, .timeout_ms = 2000};
    enum result result = http_call(http, &request, &response, NULL);
    if (result != OK) {
        result =
            err_set(err, RETRY,
                    result == RETRY ? "nobody listens on port %d" : "no answer on port %d", port);
    } else if (response.status != 200) {
        first_reason(&response.body, reason, sizeof reason);
        result = err_set(err, RETRY, "%s", reason[0] ? reason : "not ready");
    }
    http_response_release(&response);
    return result;
}

/* --- the broker's management interface ------------------------------------------------------------ */

struct management {
    char base[1024]; /* without a path */
    char user[AMQP_NAME_SIZE], password[AMQP_NAME_SIZE];
    char vhost[3 * AMQP_NAME_SIZE]; /* as a part of a path */
    char ca_file[512];              /* "": the system's authorities */
};

static void path_part(const char *text, char *out, size_t size)
{
    size_t used = 0;
    for (; *text && used + 4 < size; text++) {
        bool plain = isalnum((unsigned char)*text) || strchr("-_.", *text);
        used += (size_t)snprintf(out + used, size - used, plain ? "%c" : "%%%02X",
                                 (unsigned char)*text);
    }
    out[used] = '\0';
}

/* Who no name is given for there is asked as by AMQP. */
static enum result management_external(const struct suite *suite, struct management *management,
                                       struct err *err)
{
    char url[1024];
    struct amqp_target target;
    enum result result =
        file_read(suite_path(suite, MANAGEMENT_URL_FILE).text, url, sizeof url, NULL);
    if (result != OK)
        return err_set(err, NOT_FOUND,
                       "the broker is not the suite's own, and its management interface unknown");
    result = broker_target(suite, &target, err);
    if (result == OK)
        result = http_url_split(url, management->base, sizeof management->base, management->user,
                                management->password, AMQP_NAME_SIZE, err);
    explicit_bzero(url, sizeof url);
    if (result != OK)
        return result;
    if (!management->user[0]) {
        memcpy(management->user, target.user, sizeof management->user);
        memcpy(management->password, target.password, sizeof management->password);
    }
    path_part(target.vhost, management->vhost, sizeof management->vhost);
    snprintf(management->ca_file, sizeof management->ca_file, "%s", target.ca_file);
    explicit_bzero(&target, sizeof target);
    return OK;
}

static enum result management_own(const struct suite *suite, struct management *management,
                                  struct err *err)
{
    snprintf(management->base, sizeof management->base, "http://127.0.0.1:%d",
             suite->base_port + PORT_MANAGEMENT);
    snprintf(management->user, sizeof management->user, BROKER_DEPLOY_USER);
    path_part(BROKER_VHOST, management->vhost, sizeof management->vhost);
    char secret[BROKER_SECRET_SIZE];
    enum result result = broker_secret(suite, BROKER_DEPLOY_USER, secret, err);
    if (result == OK)
        snprintf(management->password, sizeof management->password, "%s", secret);
    return result;
}

/* BASE/api/PATH, the virtual host put in. */
static void management_url(const struct management *management, const char *path, char *url,
                           size_t size)
{
    static const char place[] = "{vhost}";
    const char *at = strstr(path, place);
    size_t before = at ? (size_t)(at - path) : strlen(path);
    snprintf(url, size, "%s/api/%.*s%s%s", management->base, (int)before, path,
             at ? management->vhost : "", at ? at + sizeof place - 1 : "");
}

enum result ready_management(struct http *http, const struct suite *suite, const char *path,
                             cJSON **ret_json, struct err *err)
{
    char url[2 * 1024];
    char external[1024];
    struct management management = {.base = ""};
    struct http_response response = {0};
    broker_external_url(suite, external, sizeof external);
    enum result result = external[0] ? management_external(suite, &management, err)
                                     : management_own(suite, &management, err);
    explicit_bzero(external, sizeof external);
    if (result != OK)
        return result;
    management_url(&management, path, url, sizeof url);
    struct http_request request = {.url = url,
                                   .user = management.user,
                                   .password = management.password,
                                   .ca_file = management.ca_file[0] ? management.ca_file : NULL,
                                   .timeout_ms = 3000};
    result = http_call(http, &request, &response, err);
    explicit_bzero(&management, sizeof management);
    if (result == OK && response.status != 200)
        result = err_set(err, RETRY, "broker management: HTTP %d", response.status);
    if (result == OK)
        result = http_json(&response, ret_json, err);
    http_response_release(&response);
    return result;
}
