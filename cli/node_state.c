#include "cli/node_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/files.h"
#include "common/messaging/amqp_link.h"

#define READER "query-service" /* may read the log, and nothing else */
#define RECORD "run/node-restarts"

static enum result verdict(enum result result, struct err *err)
{
    if (result == OK)
        return OK;
    return result == REFUSED && amqp_words_of_loss(err_text(err)) ? REFUSED : RETRY;
}

static enum result ask_queue(const struct amqp_link *link, const char *queue, struct err *err)
{
    amqp_queue_declare(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(queue), 1, 1, 0, 0,
                       amqp_empty_table);
    return amqp_link_check(link, queue, err);
}

/* A stream whose writer is dead still lets itself be declared; it cannot be read. */
static enum result ask_stream(const struct amqp_link *link, const char *queue, struct err *err)
{
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("x-stream-offset")};
    amqp_table_t arguments = {1, &entry};
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes("next");
    amqp_basic_qos(link->connection, AMQP_CHANNEL, 0, 1, 0);
    enum result result = amqp_link_check(link, "qos", err);
    if (result != OK)
        return result;
    amqp_basic_consume(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(queue), amqp_empty_bytes,
                       0, 0, 0, arguments);
    return amqp_link_check(link, queue, err);
}

/* The streams last: behind a consumer nothing else can be asked. */
static enum result ask_all(const struct amqp_link *link, const struct topology *const *tables,
                           size_t count, struct err *err)
{
    enum result result = OK;
    const char *stream = NULL;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < tables[i]->queue_count && result == OK; j++) {
            const struct queue_spec *queue = &tables[i]->queues[j];
            if (queue->kind == QUEUE_STREAM)
                stream = queue->name;
            result = ask_queue(link, queue->name, err);
        }
    }
    return result == OK && stream ? ask_stream(link, stream, err) : result;
}

enum result node_ask(const struct suite *suite, const struct topology *const *tables, size_t count,
                     struct err *err)
{
    struct amqp_target target;
    struct amqp_link link;
    char url[64];
    char secret[BROKER_SECRET_SIZE];
    broker_private_url(suite, url, sizeof url);
    enum result result = broker_secret(suite, READER, secret, err);
    if (result == OK)
        result = amqp_target_parse(url, READER, secret, &target, err);
    if (result != OK)
        return RETRY;
    snprintf(target.name, sizeof target.name, "warden");
    target.timeout_ms = 15000; /* on a busy machine too */
    result = amqp_link_open(&target, "ask", &link, err);
    explicit_bzero(&target, sizeof target);
    if (result != OK)
        return verdict(result, err);
    result = ask_all(&link, tables, count, err);
    amqp_link_farewell(&link);
    return verdict(result, err);
}

void node_restarts_read(const struct suite *suite, struct node_restarts *ret_restarts)
{
    char text[256];
    char *end = text;
    *ret_restarts = (struct node_restarts){0};
    if (file_read(suite_path(suite, RECORD).text, text, sizeof text, NULL) != OK)
        return;
    ret_restarts->count = strtoll(end, &end, 10);
    ret_restarts->last_ms = strtoll(end, &end, 10);
    snprintf(ret_restarts->why, sizeof ret_restarts->why, "%s", end + (*end == ' '));
}

enum result node_restarts_write(const struct suite *suite, const struct node_restarts *restarts,
                                struct err *err)
{
    char text[256];
    int size = snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %s", restarts->count,
                        restarts->last_ms, restarts->why);
    return file_write(suite_path(suite, RECORD).text, text, (size_t)size, err);
}

void node_restarts_forget(const struct suite *suite)
{
    (void)unlink(suite_path(suite, RECORD).text);
}

bool node_has_room(const struct suite *suite, unsigned long mb)
{
    struct statvfs disk;
    if (statvfs(suite_path(suite, "broker").text, &disk) != 0)
        return false;
    return disk.f_bavail / 1024 * disk.f_frsize / 1024 >= mb;
}
