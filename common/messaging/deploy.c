#include "common/messaging/deploy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/messaging/amqp_ask.h"

enum {
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

static struct arguments quorum_arguments(const struct queue_spec *queue)
{
    struct arguments arguments = {.count = 0};
    argument_text(&arguments, "x-queue-type", "quorum");
    argument_number(&arguments, "x-delivery-limit", QUEUE_DELIVERY_LIMIT);
    if (strcmp(queue->name, QUEUE_DEAD) != 0)
        argument_text(&arguments, "x-dead-letter-exchange", EXCHANGE_DEAD);
    if (queue->max_length > 0) {
        argument_number(&arguments, "x-max-length", queue->max_length);
        argument_text(&arguments, "x-overflow", "reject-publish");
    }
    return arguments;
}

static struct arguments arguments_of(const struct queue_spec *queue)
{
    return queue->kind == QUEUE_STREAM ? stream_arguments(queue) : quorum_arguments(queue);
}

void deploy_print_arguments(const struct queue_spec *queue, struct buf *out)
{
    struct arguments arguments = arguments_of(queue);
    for (int i = 0; i < arguments.count; i++) {
        const amqp_table_entry_t *entry = &arguments.entries[i];
        buf_printf(out, "%s%.*s ", i > 0 ? ", " : "", (int)entry->key.len,
                   (const char *)entry->key.bytes);
        if (entry->value.kind == AMQP_FIELD_KIND_I64)
            buf_printf(out, "%" PRId64, entry->value.value.i64);
        else
            buf_printf(out, "%.*s", (int)entry->value.value.bytes.len,
                       (const char *)entry->value.value.bytes.bytes);
    }
}

/* One go over the tables. */
struct maker {
    struct amqp_link link;
    bool check; /* only ask */
    struct deploy_seen seen;
};

/* After a declaration that the broker has refused for want of rights: that it is there is enough. */
static enum result be_content(struct maker *maker, const char *name, enum result there,
                              struct err *err, const struct err *refusal)
{
    if (there == NOT_FOUND)
        return err_set(err, REFUSED, "%s is not there, and this user may not declare it: %.200s",
                       name, refusal->text);
    maker->seen.accepted += there == OK;
    return there;
}

static enum result exchange_make(struct maker *maker, const char *name, const char *type,
                                 struct err *err)
{
    struct err refusal = {""};
    int code = 0;
    if (maker->check)
        return amqp_ask_exchange(&maker->link, name, err);
    amqp_exchange_declare(maker->link.connection, AMQP_CHANNEL, amqp_cstring_bytes(name),
                          amqp_cstring_bytes(type), 0, 1, 0, 0, amqp_empty_table);
    enum result result = amqp_link_settle(&maker->link, name, &code, &refusal);
    if (code == AMQP_ACCESS_REFUSED)
        return be_content(maker, name, amqp_ask_exchange(&maker->link, name, err), err, &refusal);
    return result == OK ? OK : err_set(err, result, "exchange: %.480s", refusal.text);
}

static enum result queue_make(struct maker *maker, const struct queue_spec *queue, struct err *err)
{
    struct amqp_queue_seen seen;
    struct err refusal = {""};
    int code = 0;
    if (maker->check)
        return amqp_ask_queue(&maker->link, queue->name, &seen, err);
    struct arguments arguments = arguments_of(queue);
    amqp_table_t table = {arguments.count, arguments.entries};
    amqp_queue_declare(maker->link.connection, AMQP_CHANNEL, amqp_cstring_bytes(queue->name), 0, 1,
                       0, 0, table);
    enum result result = amqp_link_settle(&maker->link, queue->name, &code, &refusal);
    if (code == AMQP_ACCESS_REFUSED)
        return be_content(maker, queue->name, amqp_ask_queue(&maker->link, queue->name, &seen, err),
                          err, &refusal);
    return result == OK ? OK : err_set(err, result, "queue: %.480s", refusal.text);
}

/* AMQP 0-9-1 has no way to ask for a binding: who may not bind is believed. */
static enum result binding_make(struct maker *maker, const struct binding_spec *binding,
                                struct err *err)
{
    int code = 0;
    amqp_queue_bind(maker->link.connection, AMQP_CHANNEL, amqp_cstring_bytes(binding->queue),
                    amqp_cstring_bytes(binding->exchange), amqp_cstring_bytes(binding->pattern),
                    amqp_empty_table);
    enum result result = amqp_link_settle(&maker->link, binding->queue, &code, err);
    maker->seen.unasked += code == AMQP_ACCESS_REFUSED;
    if (code == AMQP_ACCESS_REFUSED)
        return OK;
    return result == OK ? OK : err_context(err, result, "binding of queue");
}

static enum queue_kind kind_of(const struct topology *table, const char *queue)
{
    for (size_t i = 0; i < table->queue_count; i++)
        if (strcmp(table->queues[i].name, queue) == 0)
            return table->queues[i].kind;
    return QUEUE_QUORUM;
}

static enum result table_make(struct maker *maker, const struct topology *table,
                              enum queue_kind kind, struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; result == OK && i < table->queue_count; i++)
        if (table->queues[i].kind == kind)
            result = queue_make(maker, &table->queues[i], err);
    for (size_t i = 0; result == OK && !maker->check && i < table->binding_count; i++)
        if (kind_of(table, table->bindings[i].queue) == kind)
            result = binding_make(maker, &table->bindings[i], err);
    return result;
}

static enum result common_make(struct maker *maker, struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; result == OK && i < topology_exchange_count; i++)
        result = exchange_make(maker, topology_exchanges[i].name, topology_exchanges[i].type, err);
    return result == OK ? table_make(maker, &topology_common, QUEUE_QUORUM, err) : result;
}

static enum result tables_make(struct maker *maker, const struct topology *const *tables,
                               size_t count, enum queue_kind kind, struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; result == OK && i < count; i++) {
        result = table_make(maker, tables[i], kind, err);
        if (result != OK)
            err_context(err, result, "%s", tables[i]->service);
    }
    return result;
}

/* The streams last: the rest can do without them. */
static enum result all_make(struct maker *maker, const struct topology *const *tables, size_t count,
                            struct err *err)
{
    enum result result = common_make(maker, err);
    if (result == OK)
        result = tables_make(maker, tables, count, QUEUE_QUORUM, err);
    if (result != OK)
        return result;
    result = tables_make(maker, tables, count, QUEUE_STREAM, err);
    return result == REFUSED && amqp_words_of_loss(err_text(err)) ? NOT_FOUND : result;
}

enum result deploy_target(const struct deploy_options *options, struct amqp_target *ret_target,
                          struct err *err)
{
    enum result result =
        amqp_target_parse(options->url, options->user, options->password, ret_target, err);
    if (result != OK)
        return result;
    snprintf(ret_target->name, sizeof ret_target->name, "warren");
    snprintf(ret_target->ca_file, sizeof ret_target->ca_file, "%s",
             options->ca_file ? options->ca_file : "");
    return OK;
}

static enum result make(const struct deploy_options *options, struct maker *maker,
                        const struct topology *const *tables, size_t count, struct err *err)
{
    struct amqp_target target;
    enum result result = deploy_target(options, &target, err);
    if (result != OK)
        return result;
    if (target.timeout_ms < FIRST_TIME_MS)
        target.timeout_ms = FIRST_TIME_MS;
    result = amqp_link_open(&target, "deploy", &maker->link, err);
    explicit_bzero(target.password, sizeof target.password);
    if (result != OK)
        return result;
    result = all_make(maker, tables, count, err);
    amqp_link_farewell(&maker->link);
    return result;
}

enum result deploy_declare(const struct deploy_options *options,
                           const struct topology *const *tables, size_t count,
                           struct deploy_seen *seen, struct err *err)
{
    struct maker maker = {.check = false};
    enum result result = make(options, &maker, tables, count, err);
    if (seen)
        *seen = maker.seen;
    return result;
}

enum result deploy_check(const struct deploy_options *options, const struct topology *const *tables,
                         size_t count, struct err *err)
{
    struct maker maker = {.check = true};
    enum result result = make(options, &maker, tables, count, err);
    return result == REFUSED ? NOT_FOUND : result;
}
