/* A client's own record of what it was told (INTERFACES.md): JSON lines. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "common/audit/evidence.h"

static const char *text_of(const cJSON *line, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(line, name);
    return cJSON_IsString(member) ? member->valuestring : "";
}

static void note_hash(struct request_case *request, const char *hash)
{
    for (size_t i = 0; i < request->hash_count; i++)
        if (strcmp(request->hashes[i], hash) == 0)
            return;
    if (request->hash_count < 4)
        snprintf(request->hashes[request->hash_count++], sizeof request->hashes[0], "%s", hash);
}

static void note_order_id(struct request_case *request, const char *id)
{
    if (!id[0])
        return;
    if (!request->order_id[0])
        snprintf(request->order_id, sizeof request->order_id, "%s", id);
    else if (strcmp(request->order_id, id) != 0)
        request->ids_differ = true;
}

static enum result note_line(struct evidence *e, const cJSON *line, struct err *err)
{
    const char *op = text_of(line, "op");
    if (strcmp(op, "place") != 0 && strcmp(op, "order") != 0)
        return OK; /* others say nothing about an order's existence */
    char key[400];
    snprintf(key, sizeof key, "%s %s", text_of(line, "customer"), text_of(line, "key"));
    struct request_case *request = map_get(&e->requests, key);
    const char *told = text_of(line, "result");
    note_order_id(request, text_of(line, "order_id"));
    if (strcmp(told, "ok") == 0) {
        request->ok++;
        if (text_of(line, "request_hash")[0])
            note_hash(request, text_of(line, "request_hash"));
    } else if (strcmp(told, "refused") == 0) {
        request->refused++;
    } else if (strcmp(told, "unknown") == 0) {
        request->unknown++;
    } else {
        return err_set(err, INVALID, "result: \"%s\"", told);
    }
    return OK;
}

enum result evidence_read_history(struct evidence *e, FILE *history, struct err *err)
{
    char *text = NULL;
    size_t capacity = 0;
    size_t number = 0;
    enum result result = OK;
    ssize_t size;
    while (result == OK && (size = getline(&text, &capacity, history)) >= 0) {
        number++;
        if (size <= 1)
            continue;
        cJSON *line = cJSON_Parse(text);
        result = line ? note_line(e, line, err) : err_set(err, INVALID, "not JSON");
        if (result != OK)
            err_context(err, result, "history, line %zu", number);
        cJSON_Delete(line);
    }
    free(text);
    if (result == OK && ferror(history))
        result = err_set(err, RETRY, "history: cannot be read");
    return result;
}
