/* Puts a message into a queue of a running suite, as its deploy user and past every exchange: what
 * no service would send.
 *
 *     inject HOME BASE-PORT QUEUE TYPE FILE
 *     inject HOME BASE-PORT --purge QUEUE
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

static enum result run(const struct suite *suite, char **words, struct err *err)
{
    struct amqp_target target;
    struct amqp_link link;
    struct buf body = {0};
    bool purge = strcmp(words[0], "--purge") == 0;
    enum result result = broker_target(suite, &target, err);
    if (result == OK && !purge)
        result = file_load(words[2], &body, err);
    if (result == OK)
        result = amqp_link_open(&target, "inject", &link, err);
    if (result != OK)
        return result;
    if (purge)
        amqp_queue_purge(link.connection, AMQP_CHANNEL, amqp_cstring_bytes(words[1]));
    else
        publish(link.connection, words[0], words[1], &body);
    result = amqp_link_check(&link, words[0], err);
    amqp_link_drop(&link);
    buf_release(&body);
    return result;
}

int main(int argc, char **argv)
{
    struct err err = {""};
    struct suite suite;
    if (argc != 5 && argc != 6)
        return 2;
    const struct suite_options options = {.home = argv[1], .base_port = strtol(argv[2], NULL, 10)};
    if (suite_resolve(&options, &suite, &err) == OK && run(&suite, argv + 3, &err) == OK)
        return 0;
    fprintf(stderr, "inject: %s\n", err.text);
    return 1;
}
