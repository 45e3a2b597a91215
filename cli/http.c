#include "cli/http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct http {
    CURL *curl;
};

struct http *http_new(void)
{
    struct http *http = calloc(1, sizeof *http);
    if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
    http->curl = curl_easy_init();
    if (!http->curl)
        abort();
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    curl_global_cleanup();
    free(http);
}

void http_response_release(struct http_response *response)
{
    buf_release(&response->body);
}

static size_t take_body(char *data, size_t one, size_t size, void *context)
{
    enum { BODY_MAX = 16 * 1024 * 1024 };
    struct http_response *response = context;
    if (response->body.size + size > BODY_MAX)
        return 0;
    buf_append(&response->body, data, size * one);
    return size * one;
}

static struct curl_slist *header_add(struct curl_slist *headers, const char *name, const char *text)
{
    struct buf line = {0};
    buf_printf(&line, "%s: %s", name, text);
    struct curl_slist *longer = curl_slist_append(headers, line.data);
    buf_release(&line);
    if (!longer)
        abort();
    return longer;
}

static struct curl_slist *headers_of(const struct http_request *request)
{
    struct curl_slist *headers = NULL;
    if (request->bearer) {
        struct buf text = {0};
        buf_printf(&text, "Bearer %s", request->bearer);
        headers = header_add(headers, "Authorization", text.data);
        buf_release(&text);
    }
    if (request->idempotency_key)
        headers = header_add(headers, "Idempotency-Key", request->idempotency_key);
    if (request->body)
        headers = header_add(headers, "Content-Type",
                             request->content_type ? request->content_type : "application/json");
    return header_add(headers, "Expect", "");
}

static void prepare(CURL *curl, const struct http_request *request, struct http_response *response,
                    const struct curl_slist *headers)
{
    int64_t timeout = request->timeout_ms ? request->timeout_ms : 5000;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, response);
    if (request->socket)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request->socket);
    if (request->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
    if (request->user) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password ? request->password : "");
    }
    if (request->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
    if (request->method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->method && !request->body && strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
    }
}

/* Whether the request can have reached anybody. */
static enum result failure(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return RETRY;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return INVALID;
    default:
        return UNKNOWN;
    }
}

enum result http_call(struct http *http, const struct http_request *request,
                      struct http_response *response, struct err *err)
{
    buf_clear(&response->body);
    response->status = 0;
    response->retry_after_s = 0;
    struct curl_slist *headers = headers_of(request);
    prepare(http->curl, request, response, headers);
    CURLcode code = curl_easy_perform(http->curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return err_set(err, failure(code), "%s: %s", request->url, curl_easy_strerror(code));
    long status = 0;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry_after);
    response->status = (int)status;
    response->retry_after_s = retry_after;
    return OK;
}

/* One part of the URL; "" when it has none. */
static bool url_part(CURLU *url, CURLUPart part, unsigned flags, char *out, size_t size)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, flags);
    int used = snprintf(out, size, "%s", code == CURLUE_OK ? text : "");
    if (text)
        explicit_bzero(text, strlen(text));
    curl_free(text);
    return (size_t)used < size;
}

enum result http_url_split(const char *url, char *base, size_t size, char *user, char *password,
                           size_t name_size, struct err *err)
{
    char scheme[16], query[8];
    CURLU *parts = curl_url();
    if (!parts)
        abort();
    bool good = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                url_part(parts, CURLUPART_SCHEME, 0, scheme, sizeof scheme) &&
                strncmp(scheme, "http", 4) == 0 &&
                url_part(parts, CURLUPART_QUERY, 0, query, sizeof query) && !query[0] &&
                url_part(parts, CURLUPART_USER, CURLU_URLDECODE, user, name_size) &&
                url_part(parts, CURLUPART_PASSWORD, CURLU_URLDECODE, password, name_size);
    if (good)
        good = curl_url_set(parts, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
               curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
               url_part(parts, CURLUPART_URL, 0, base, size) && base[0];
    curl_url_cleanup(parts);
    if (!good)
        return err_set(err, INVALID, "a URL must be http[s]://[USER:PASSWORD@]HOST[:PORT]");
    for (size_t end = strlen(base); end > 0 && base[end - 1] == '/'; end--)
        base[end - 1] = '\0';
    return OK;
}

enum result http_json(const struct http_response *response, cJSON **ret_json, struct err *err)
{
    cJSON *json = response->body.size > 0
                      ? cJSON_ParseWithLength(response->body.data, response->body.size)
                      : NULL;
    if (!json)
        return err_set(err, INVALID, "the answer (%d) is not JSON", response->status);
    *ret_json = json;
    return OK;
}

enum result http_verdict(const struct http_response *response, struct err *err)
{
    int status = response->status;
    if (status < 400)
        return OK;
    enum result result = status == 503 || status < 500 ? REFUSED : status == 504 ? UNKNOWN : RETRY;
    cJSON *json = NULL;
    if (http_json(response, &json, NULL) != OK)
        return err_set(err, result, "HTTP %d", status);
    const char *title = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "title"));
    const char *detail = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "detail"));
    err_set(err, result, "HTTP %d %s%s%s", status, title ? title : "", detail ? ": " : "",
            detail ? detail : "");
    cJSON_Delete(json);
    return result;
}
