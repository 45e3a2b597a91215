/* Puts a message into a queue of a running suite, as its deploy user and past every exchange, or
 * changes what there is at its broker: what no service would do.
 *
 *     inject HOME BASE-PORT QUEUE TYPE FILE
 *     inject HOME BASE-PORT --purge QUEUE
 *     inject HOME BASE-PORT --delete QUEUE
 *     inject HOME BASE-PORT --bind QUEUE EXCHANGE KEY
 *     inject HOME BASE-PORT --unbind QUEUE EXCHANGE KEY
 *     inject HOME BASE-PORT --exchange NAME TYPE     in place of the one that is there; "": none
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/broker.h"
#include "cli/files.h"
#include "common/messaging/amqp_link.h"

static void publish(amqp_connection_state_t connection, const char *queue, const char *type,
                    const struct buf *body)
{
    const amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG,
        .type = amqp_cstring_bytes(type),
        .delivery_mode = 2,
    };
    amqp_basic_publish(connection, AMQP_CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue), 0, 0,
                       &properties, (amqp_bytes_t){.len = body->size, .bytes = body->data});
    /* An answer to this says that the publish has been read. */
    amqp_queue_declare(connection, AMQP_CHANNEL, amqp_cstring_bytes(queue), 1, 1, 0, 0,
                       amqp_empty_table);
}

static void replace_exchange(amqp_connection_state_t connection, const char *name, const char *type)
{
    amqp_exchange_delete(connection, AMQP_CHANNEL, amqp_cstring_bytes(name), 0);
    if (type[0])
        amqp_exchange_declare(connection, AMQP_CHANNEL, amqp_cstring_bytes(name),
                              amqp_cstring_bytes(type), 0, 1, 0, 0, amqp_empty_table);
}

/* Returns false for words that it does not know. */
static bool change(amqp_connection_state_t connection, char **words)
{
    const amqp_bytes_t subject = amqp_cstring_bytes(words[1]);
    if (strcmp(words[0], "--purge") == 0)
        amqp_queue_purge(connection, AMQP_CHANNEL, subject);
    else if (strcmp(words[0], "--delete") == 0)
        amqp_queue_delete(connection, AMQP_CHANNEL, subject, 0, 0);
    else if (strcmp(words[0], "--bind") == 0)
        amqp_queue_bind(connection, AMQP_CHANNEL, subject, amqp_cstring_bytes(words[2]),
                        amqp_cstring_bytes(words[3]), amqp_empty_table);
    else if (strcmp(words[0], "--unbind") == 0)
        amqp_queue_unbind(connection, AMQP_CHANNEL, subject, amqp_cstring_bytes(words[2]),
                          amqp_cstring_bytes(words[3]), amqp_empty_table);
    else if (strcmp(words[0], "--exchange") == 0)
        replace_exchange(connection, words[1], words[2]);
    else
        return false;
    return true;
}

static enum result run(const struct suite *suite, char **words, struct err *err)
{
    struct amqp_target target;
    struct amqp_link link;
    struct buf body = {0};
    bool message = strncmp(words[0], "--", 2) != 0;
    enum result result = broker_target(suite, &target, err);
    if (result == OK && message)
        result = file_load(words[2], &body, err);
    if (result == OK)
        result = amqp_link_open(&target, "inject", &link, err);
    if (result != OK)
        return result;
    if (message)
        publish(link.connection, words[0], words[1], &body);
    else if (!change(link.connection, words))
        result = err_set(err, INVALID, "%s?", words[0]);
    if (result == OK)
        result = amqp_link_check(&link, words[0], err);
    amqp_link_farewell(&link);
    buf_release(&body);
    return result;
}

int main(int argc, char **argv)
{
    struct err err = {""};
    struct suite suite;
    if (argc < 5 || argc > 7)
        return 2;
    const struct suite_options options = {.home = argv[1], .base_port = strtol(argv[2], NULL, 10)};
    if (suite_resolve(&options, &suite, &err) == OK && run(&suite, argv + 3, &err) == OK)
        return 0;
    fprintf(stderr, "inject: %s\n", err.text);
    return 1;
}
