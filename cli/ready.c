#include "cli/ready.h"

#include <stdio.h>
#include <string.h>

#include "cli/broker.h"

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

enum result ready_management(struct http *http, const struct suite *suite, const char *path,
                             cJSON **ret_json, struct err *err)
{
    char url[200];
    char secret[BROKER_SECRET_SIZE];
    struct http_response response = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/api/%s", suite->base_port + PORT_MANAGEMENT,
             path);
    enum result result = broker_secret(suite, BROKER_DEPLOY_USER, secret, err);
    if (result != OK)
        return result;
    struct http_request request = {
        .url = url, .user = BROKER_DEPLOY_USER, .password = secret, .timeout_ms = 3000};
    result = http_call(http, &request, &response, err);
    if (result == OK && response.status != 200)
        result = err_set(err, RETRY, "broker management: HTTP %d", response.status);
    if (result == OK)
        result = http_json(&response, ret_json, err);
    http_response_release(&response);
    return result;
}
