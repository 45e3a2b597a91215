#include "common/messaging/deploy.h"

#include <stdio.h>
#include <string.h>

#include "common/messaging/amqp_link.h"

enum {
    DELIVERY_LIMIT = 1000000,
    ARGUMENTS_MAX = 8,
    FIRST_TIME_MS = 30000, /* a queue's first declaration elects a leader */
};

struct arguments {
    amqp_table_entry_t entries[ARGUMENTS_MAX];
    int count;
};

static void argument_text(struct arguments *arguments, const char *key, const char *text)
{
    amqp_table_entry_t *entry = &arguments->entries[arguments->count++];
    entry->key = amqp_cstring_bytes(key);
    entry->value.kind = AMQP_FIELD_KIND_UTF8;
    entry->value.value.bytes = amqp_cstring_bytes(text);
}

static void argument_number(struct arguments *arguments, const char *key, int64_t number)
{
    amqp_table_entry_t *entry = &arguments->entries[arguments->count++];
    entry->key = amqp_cstring_bytes(key);
    entry->value.kind = AMQP_FIELD_KIND_I64;
    entry->value.value.i64 = number;
}

static struct arguments stream_arguments(const struct queue_spec *queue)
{
    struct arguments arguments = {.count = 0};
    argument_text(&arguments, "x-queue-type", "stream");
    if (queue->max_length_bytes > 0)
        argument_number(&arguments, "x-max-length-bytes", queue->max_length_bytes);
    if (queue->max_age)
        argument_text(&arguments, "x-max-age", queue->max_age);
    if (queue->segment_bytes > 0)
        argument_number(&arguments, "x-stream-max-segment-size-bytes", queue->segment_bytes);
    return arguments;
}

/* The delivery limit is out of reach: it would punish a poison's neighbours. We count ourselves. */
static struct arguments quorum_arguments(const struct queue_spec *queue)
{
    struct arguments arguments = {.count = 0};
    argument_text(&arguments, "x-queue-type", "quorum");
    argument_number(&arguments, "x-delivery-limit", DELIVERY_LIMIT);
    if (strcmp(queue->name, QUEUE_DEAD) != 0)
        argument_text(&arguments, "x-dead-letter-exchange", EXCHANGE_DEAD);
    if (queue->max_length > 0) {
        argument_number(&arguments, "x-max-length", queue->max_length);
        argument_text(&arguments, "x-overflow", "reject-publish");
    }
    return arguments;
}

enum mode { MODE_DECLARE, MODE_CHECK };

static enum result checked(const struct amqp_link *link, const char *kind, const char *name,
                           struct err *err)
{
    enum result result = amqp_link_check(link, name, err);
    return result == OK ? OK : err_context(err, result, "%s", kind);
}

static enum result exchange_make(const struct amqp_link *link, enum mode mode, const char *name,
                                 const char *type, struct err *err)
{
    amqp_exchange_declare(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(name),
                          amqp_cstring_bytes(type), mode == MODE_CHECK, 1, 0, 0, amqp_empty_table);
    return checked(link, "exchange", name, err);
}

static enum result queue_make(const struct amqp_link *link, enum mode mode,
                              const struct queue_spec *queue, struct err *err)
{
    struct arguments arguments =
        queue->kind == QUEUE_STREAM ? stream_arguments(queue) : quorum_arguments(queue);
    amqp_table_t table = {arguments.count, arguments.entries};
    amqp_queue_declare(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(queue->name),
                       mode == MODE_CHECK, 1, 0, 0, mode == MODE_CHECK ? amqp_empty_table : table);
    return checked(link, "queue", queue->name, err);
}

static enum result binding_make(const struct amqp_link *link, const struct binding_spec *binding,
                                struct err *err)
{
    amqp_queue_bind(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(binding->queue),
                    amqp_cstring_bytes(binding->exchange), amqp_cstring_bytes(binding->pattern),
                    amqp_empty_table);
    return checked(link, "binding of queue", binding->queue, err);
}

static enum queue_kind kind_of(const struct topology *table, const char *queue)
{
    for (size_t i = 0; i < table->queue_count; i++)
        if (strcmp(table->queues[i].name, queue) == 0)
            return table->queues[i].kind;
    return QUEUE_QUORUM;
}

static enum result table_make(const struct amqp_link *link, enum mode mode,
                              const struct topology *table, enum queue_kind kind, struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; result == OK && i < table->queue_count; i++)
        if (table->queues[i].kind == kind)
            result = queue_make(link, mode, &table->queues[i], err);
    for (size_t i = 0; result == OK && mode == MODE_DECLARE && i < table->binding_count; i++)
        if (kind_of(table, table->bindings[i].queue) == kind)
            result = binding_make(link, &table->bindings[i], err);
    return result;
}

static enum result common_make(const struct amqp_link *link, enum mode mode, struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; result == OK && i < topology_exchange_count; i++)
        result =
            exchange_make(link, mode, topology_exchanges[i].name, topology_exchanges[i].type, err);
    return result == OK ? table_make(link, mode, &topology_common, QUEUE_QUORUM, err) : result;
}

static enum result tables_make(const struct amqp_link *link, enum mode mode,
                               const struct topology *const *tables, size_t count,
                               enum queue_kind kind, struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; result == OK && i < count; i++) {
        result = table_make(link, mode, tables[i], kind, err);
        if (result != OK)
            err_context(err, result, "%s", tables[i]->service);
    }
    return result;
}

/* The streams last: the rest can do without them. */
static enum result all_make(const struct amqp_link *link, enum mode mode,
                            const struct topology *const *tables, size_t count, struct err *err)
{
    enum result result = common_make(link, mode, err);
    if (result == OK)
        result = tables_make(link, mode, tables, count, QUEUE_QUORUM, err);
    if (result != OK)
        return result;
    result = tables_make(link, mode, tables, count, QUEUE_STREAM, err);
    return result == REFUSED && amqp_words_of_loss(err_text(err)) ? NOT_FOUND : result;
}

static enum result make(const struct deploy_options *options, enum mode mode,
                        const struct topology *const *tables, size_t count, struct err *err)
{
    struct amqp_target target;
    struct amqp_link link;
    enum result result =
        amqp_target_parse(options->url, options->user, options->password, &target, err);
    if (result != OK)
        return result;
    snprintf(target.name, sizeof target.name, "warren");
    snprintf(target.ca_file, sizeof target.ca_file, "%s", options->ca_file ? options->ca_file : "");
    if (target.timeout_ms < FIRST_TIME_MS)
        target.timeout_ms = FIRST_TIME_MS;
    result = amqp_link_open(&target, "deploy", &link, err);
    explicit_bzero(target.password, sizeof target.password);
    if (result != OK)
        return result;
    result = all_make(&link, mode, tables, count, err);
    amqp_link_farewell(&link);
    return result;
}

enum result deploy_declare(const struct deploy_options *options,
                           const struct topology *const *tables, size_t count, struct err *err)
{
    return make(options, MODE_DECLARE, tables, count, err);
}

enum result deploy_check(const struct deploy_options *options, const struct topology *const *tables,
                         size_t count, struct err *err)
{
    enum result result = make(options, MODE_CHECK, tables, count, err);
    return result == REFUSED ? NOT_FOUND : result;
}
