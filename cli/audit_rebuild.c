#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/audit_edges.h"
#include "edge-service/edge.h"

/* A fold of a million facts takes some 20 s of a core and 1 GB of disk. */
enum { MESSAGES_MAX = 1000000 };

struct twin {
    char edge[16];
    int64_t next; /* the offset that the live one wants next */
    char live[65], anew[65];
    bool made; /* anew */
};

struct audit_rebuild {
    struct audit_log log;
    const struct audit_log *source;
    struct suite_path path;
    struct store *store;
    struct edge_rebuild *fold;
    struct twin twins[SUITE_INSTANCES_MAX];
    size_t count, left; /* left: not made yet */
    int64_t next;       /* the offset behind the last message */
    char why_not[ERR_TEXT_MAX];
};

static void give_up(struct audit_rebuild *rebuild, const struct err *err)
{
    snprintf(rebuild->why_not, sizeof rebuild->why_not, "%s", err->text);
    rebuild->left = 0;
}

/* Those that have read as far as this and no further. */
static void hash_twins(struct audit_rebuild *rebuild, int64_t next)
{
    struct err err = {{0}};
    for (size_t i = 0; i < rebuild->count && rebuild->left > 0; i++) {
        struct twin *twin = &rebuild->twins[i];
        if (twin->made || twin->next > next)
            continue;
        if (edge_rebuild_hash(rebuild->fold, twin->anew, &err) != OK) {
            give_up(rebuild, &err);
            return;
        }
        twin->made = true;
        rebuild->left--;
    }
}

static void take(struct audit_rebuild *rebuild, const struct audit_message *message)
{
    int64_t offset = message->offset;
    struct err err = {{0}};
    if (rebuild->next == 0 && offset > 0) {
        err_set(&err, INVALID, "the log was cut, it begins at offset %lld", (long long)offset);
        give_up(rebuild, &err);
        return;
    }
    hash_twins(rebuild, offset);
    if (rebuild->left > 0 &&
        edge_rebuild_take(rebuild->fold, message->key, message->body, message->size, &err) != OK)
        give_up(rebuild, &err);
    rebuild->next = offset + 1;
}

static enum result next_message(void *context, struct audit_message *ret_message, struct err *err)
{
    struct audit_rebuild *rebuild = context;
    const struct audit_log *source = rebuild->source;
    enum result result = source->next(source->context, ret_message, err);
    if (result == OK && rebuild->left > 0)
        take(rebuild, ret_message);
    else if (result == NOT_FOUND && rebuild->left > 0)
        hash_twins(rebuild, rebuild->next);
    return result;
}

static enum result make_twins(struct audit_rebuild *rebuild, const struct audit_edges *edges,
                              struct err *err)
{
    for (size_t i = 0; i < edges->count; i++) {
        struct twin *twin = &rebuild->twins[rebuild->count];
        struct store *store = edges->list[i].store;
        snprintf(twin->edge, sizeof twin->edge, "%s", edges->list[i].name);
        enum result result = edge_read_model_offset(store, &twin->next, err);
        if (result == OK)
            result = edge_read_model_hash(store, twin->live, err);
        if (result != OK)
            return err_context(err, result, "%s", twin->edge);
        rebuild->count++;
    }
    rebuild->left = rebuild->count;
    return OK;
}

static void remove_file(const struct audit_rebuild *rebuild)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[SUITE_PATH_SIZE + 8];
        snprintf(path, sizeof path, "%s%s", rebuild->path.text, suffixes[i]);
        unlink(path);
    }
}

struct audit_rebuild *audit_rebuild_new(const struct suite *suite, const struct audit_edges *edges,
                                        const struct audit_log *log, int64_t messages)
{
    struct err err = {{0}};
    struct audit_rebuild *rebuild = calloc(1, sizeof *rebuild);
    if (!rebuild)
        abort();
    rebuild->log = (struct audit_log){next_message, rebuild};
    rebuild->source = log;
    rebuild->path = suite_path(suite, "run/audit-rebuild-%d.db", (int)getpid());
    remove_file(rebuild);
    enum result result = make_twins(rebuild, edges, &err);
    if (result == OK && messages > MESSAGES_MAX)
        result = err_set(&err, INVALID, "the log has %lld messages, more than %d",
                         (long long)messages, MESSAGES_MAX);
    if (result == OK)
        result = store_open_sqlite(rebuild->path.text, STORE_DISPOSABLE, &rebuild->store, &err);
    if (result == OK)
        result = edge_rebuild_new(rebuild->store, &rebuild->fold, &err);
    if (result != OK)
        give_up(rebuild, &err);
    return rebuild;
}

const struct audit_log *audit_rebuild_log(const struct audit_rebuild *rebuild)
{
    return &rebuild->log;
}

void audit_rebuild_finish(struct audit_rebuild *rebuild)
{
    edge_rebuild_free(rebuild->fold);
    store_free(rebuild->store);
    rebuild->fold = NULL;
    rebuild->store = NULL;
    rebuild->source = NULL;
    remove_file(rebuild);
}

void audit_rebuild_judge(const struct audit_rebuild *rebuild, struct audit_report *report)
{
    for (size_t i = 0; i < rebuild->count; i++) {
        const struct twin *twin = &rebuild->twins[i];
        const char *why_not = rebuild->why_not[0] ? rebuild->why_not
                              : !twin->made       ? "the log ends before what it has read"
                                                  : NULL;
        audit_judge_rebuilt(report,
                            &(struct audit_rebuilt){.edge = twin->edge,
                                                    .offset = twin->next,
                                                    .live = twin->live,
                                                    .anew = twin->anew,
                                                    .why_not = twin->made ? NULL : why_not});
    }
}

void audit_rebuild_free(struct audit_rebuild *rebuild)
{
    if (!rebuild)
        return;
    audit_rebuild_finish(rebuild);
    free(rebuild);
}
