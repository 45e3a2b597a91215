#include "cli/audit_edges.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/http.h"
#include "common/store/store.h"
#include "edge-service/edge.h"

static bool is_serving(struct http *http, const struct suite *suite, int instance)
{
    char url[64];
    struct http_response response = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/livez",
             suite->base_port + PORT_EDGE + instance - 1);
    const struct http_request request = {.url = url, .timeout_ms = 2000};
    bool serving = http_call(http, &request, &response, NULL) == OK;
    http_response_release(&response);
    return serving;
}

/* Its first query makes the snapshot. */
static enum result open_snapshot(const char *path, struct store **ret_store, struct err *err)
{
    struct store *store;
    int64_t next;
    enum result result = store_open_sqlite(path, STORE_READ_ONLY, &store, err);
    if (result != OK)
        return result;
    store_read_begin(store);
    result = edge_read_model_offset(store, &next, err);
    if (result == OK)
        *ret_store = store;
    else
        store_free(store);
    return result;
}

static enum result open_edge(struct audit_edges *edges, struct http *http,
                             const struct suite *suite, int instance, struct err *err)
{
    struct suite_path path = suite_path(suite, "store/edge-read-%d.db", instance);
    bool serving = is_serving(http, suite, instance);
    struct audit_edge *edge = &edges->list[edges->count];
    if (access(path.text, F_OK) != 0)
        return serving ? err_set(err, RETRY, "it runs without %s", path.text) : OK;
    snprintf(edges->names[edges->count], sizeof edges->names[0], "edge %d", instance);
    *edge = (struct audit_edge){.name = edges->names[edges->count], .serving = serving};
    enum result result = open_snapshot(path.text, &edge->store, err);
    if (result == OK)
        edges->count++;
    return serving ? result : OK; /* what is left of one that is gone may be anything */
}

enum result audit_edges_open(const struct suite *suite, struct audit_edges *ret_edges,
                             struct err *err)
{
    struct http *http = http_new();
    enum result result = OK;
    *ret_edges = (struct audit_edges){.count = 0};
    for (int i = 1; i <= SUITE_INSTANCES_MAX && result == OK; i++) {
        result = open_edge(ret_edges, http, suite, i, err);
        err_context(err, result, "edge %d", i);
    }
    http_free(http);
    return result == OK ? OK : RETRY;
}

void audit_edges_close(struct audit_edges *edges)
{
    for (size_t i = 0; i < edges->count; i++)
        store_free(edges->list[i].store);
    edges->count = 0;
}
