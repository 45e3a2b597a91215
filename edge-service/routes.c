/* Who may do what: one table, and what is not in it does not exist. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "edge-service/http_private.h"

static const struct route routes[] = {
    {"POST", "/v1/orders", FOR_CUSTOMERS, BODY_JSON, handle_place, check_key_and_wait},
    {"GET", "/v1/orders", FOR_CUSTOMERS, BODY_NONE, handle_list, NULL},
    {"GET", "/v1/orders/{}", FOR_CUSTOMERS, BODY_NONE, handle_get, NULL},
    {"GET", "/v1/orders/{}/events", FOR_CUSTOMERS, BODY_NONE, handle_timeline, NULL},
    {"POST", "/v1/orders/{}/cancel", FOR_CUSTOMERS, BODY_NONE, handle_cancel, NULL},
    {"GET", "/v1/products", FOR_ANYBODY, BODY_NONE, handle_products, NULL},
    {"PUT", "/v1/products/{}", FOR_ADMINS, BODY_JSON, handle_set_product, check_key_and_wait},
    {"POST", "/v1/products/{}/stock", FOR_ADMINS, BODY_JSON, handle_stock, check_key_and_wait},
    {"GET", "/v1/commands/{}", FOR_BOTH, BODY_NONE, handle_command, NULL},
    {"GET", "/", FOR_ANYBODY, BODY_NONE, handle_root, NULL},
    {"GET", "/livez", FOR_ANYBODY, BODY_NONE, handle_livez, NULL},
    {"GET", "/readyz", FOR_ANYBODY, BODY_NONE, handle_readyz, NULL},
    {"GET", "/metrics", FOR_ANYBODY, BODY_NONE, handle_metrics, NULL},
    {"GET", "/openapi.yaml", FOR_ANYBODY, BODY_NONE, handle_openapi, NULL},
};
enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

_Static_assert((int)ROUTE_COUNT <= (int)HTTP_ROUTES_MAX, "each route is counted");

const struct route *route_at(size_t index)
{
    return index < ROUTE_COUNT ? &routes[index] : NULL;
}

size_t route_index(const struct route *route)
{
    return (size_t)(route - routes);
}

/* A longer segment than a parameter can be matches nothing. */
static bool path_matches(const char *pattern, const char *path,
                         char parameter[PATH_PARAMETER_MAX + 1])
{
    while (*pattern) {
        if (pattern[0] == '{' && pattern[1] == '}') {
            size_t length = strcspn(path, "/");
            if (length == 0 || length > PATH_PARAMETER_MAX)
                return false;
            memcpy(parameter, path, length);
            parameter[length] = '\0';
            path += length;
            pattern += 2;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool method_matches(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* Appends "GET, HEAD" or the like; false: no such path. */
static bool allowed(const char *path, char *out, size_t size)
{
    char ignored[PATH_PARAMETER_MAX + 1];
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!path_matches(routes[i].pattern, path, ignored))
            continue;
        bool get = strcmp(routes[i].method, "GET") == 0;
        used += (size_t)snprintf(out + used, size - used, "%s%s%s", used ? ", " : "",
                                 routes[i].method, get ? ", HEAD" : "");
    }
    if (used)
        snprintf(out + used, size - used, ", OPTIONS");
    return used > 0;
}

/* RFC 9110 9.3.7: "*" stands for all that there is. */
static bool allowed_anywhere(const char *method, const char *path, char *out, size_t size)
{
    if (strcmp(method, "OPTIONS") != 0 || strcmp(path, "*") != 0)
        return false;
    snprintf(out, size, "GET, HEAD, POST, PUT, OPTIONS");
    return true;
}

static void no_route(struct request *request, const char *method, const char *path)
{
    char methods[128];
    if (!allowed_anywhere(method, path, methods, sizeof methods) &&
        !allowed(path, methods, sizeof methods)) {
        answer_problem(request, 404, "no-such-path", "there is nothing at this path");
        return;
    }
    answer_header(request, "Allow", methods);
    if (strcmp(method, "OPTIONS") == 0) {
        struct buf empty = {0};
        answer_text(request, 204, NULL, &empty);
        return;
    }
    answer_problem(request, 405, "method-not-allowed", "this path takes %s", methods);
}

/* What operators ask is counted apart, so that no crowd from their address keeps them from asking. */
static bool of_operators(const struct route *route)
{
    return strncmp(route->pattern, "/v1/", 4) != 0;
}

static int64_t take_of_address(struct request *request, int64_t now_ms)
{
    struct http *http = request->http;
    struct buckets *buckets = of_operators(request->route) ? http->probes : http->addresses;
    const struct sockaddr *address =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr;
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    if (!buckets || address->sa_family != AF_INET)
        return 0;
    return buckets_take(buckets, &in->sin_addr, sizeof in->sin_addr, now_ms);
}

/* All administrators are one caller. */
static int64_t take_of_caller(struct request *request, int64_t now_ms)
{
    const struct account *account = &request->account;
    if (!request->http->callers || account->role == ROLE_NOBODY)
        return 0;
    return buckets_take(request->http->callers, account->customer.text,
                        strlen(account->customer.text), now_ms);
}

/* Who holds a token for load tests is not counted; who has no valid one, by his address only. */
static bool within_rates(struct request *request)
{
    int64_t now = clock_mono_ms(request->http->options.clock);
    char seconds[24];
    if (request->account.scope == SCOPE_LOAD)
        return true;
    int64_t wait = take_of_address(request, now);
    if (wait == 0)
        wait = take_of_caller(request, now);
    if (wait == 0)
        return true;
    snprintf(seconds, sizeof seconds, "%" PRId64, (wait + 999) / 1000);
    answer_header(request, "Retry-After", seconds);
    answer_problem(request, 429, "too-many-requests", "more requests than are allowed: wait %s s",
                   seconds);
    return false;
}

static bool unauthorized(struct request *request, const char *challenge, const char *detail)
{
    if (!within_rates(request))
        return false;
    answer_header(request, "WWW-Authenticate", challenge);
    answer_problem(request, 401, "unauthorized", "%s", detail);
    return false;
}

/* Whose key it is, is not known then, nor whether an earlier attempt under it was accepted. */
static void accounts_busy(struct request *request)
{
    static const char reason[] = "the accounts cannot be read now";
    char key[KEY_SIZE];
    bool keyed = false;
    if (request->route->check_head && !read_key(request, key, &keyed))
        return;
    if (keyed)
        answer_verdict(request, &(struct edge_reply){EDGE_UNKNOWN, "", "", key, reason});
    else
        answer_problem(request, 503, "busy", "%s", reason);
}

static bool authenticate(struct request *request)
{
    static const char scheme[] = "Bearer ";
    const char *header = read_header(request, "Authorization");
    if (!header || strncasecmp(header, scheme, sizeof scheme - 1) != 0)
        return unauthorized(request, "Bearer realm=\"warren\"", "send a bearer token");
    const char *bearer = header + sizeof scheme - 1;
    bearer += strspn(bearer, " ");
    struct http *http = request->http;
    enum result result =
        token_cache_authenticate(&http->tokens, http->options.accounts, http->options.clock, bearer,
                                 &request->account, NULL);
    if (result == NOT_FOUND)
        return unauthorized(request, "Bearer realm=\"warren\", error=\"invalid_token\"",
                            "this token is not valid, or no longer");
    if (result != OK)
        accounts_busy(request);
    return result == OK;
}

static bool may_take(const struct route *route, enum role role)
{
    switch (route->access) {
    case FOR_CUSTOMERS:
        return role == ROLE_CUSTOMER;
    case FOR_ADMINS:
        return role == ROLE_ADMIN;
    case FOR_BOTH:
        return role == ROLE_CUSTOMER || role == ROLE_ADMIN;
    case FOR_ANYBODY:
        break;
    }
    return true;
}

bool route_admit(struct request *request, const char *method, const char *path)
{
    for (size_t i = 0; i < ROUTE_COUNT && !request->route; i++)
        if (method_matches(&routes[i], method) &&
            path_matches(routes[i].pattern, path, request->parameter))
            request->route = &routes[i];
    if (!request->route) {
        no_route(request, method, path);
        return false;
    }
    if (request->route->access == FOR_ANYBODY)
        return within_rates(request);
    if (!authenticate(request) || !within_rates(request))
        return false;
    if (!may_take(request->route, request->account.role)) {
        answer_problem(request, 403, "forbidden", "this is for %s only",
                       request->route->access == FOR_ADMINS ? "administrators" : "customers");
        return false;
    }
    return true;
}
