#include "common/messaging/amqp_ask.h"

/* The broker has closed the channel and waits to hear that we know. */
static enum result open_again(struct amqp_link *link, struct err *err)
{
    amqp_channel_close_ok_t known = {0};
    int status =
        amqp_send_method(link->connection, AMQP_CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &known);
    if (status != AMQP_STATUS_OK)
        return amqp_status_fail(status, "channel", err);
    amqp_channel_open(link->connection, AMQP_CHANNEL);
    return amqp_link_check(link, "channel", err);
}

enum result amqp_link_settle(struct amqp_link *link, const char *what, int *ret_code,
                             struct err *err)
{
    struct err again = {""};
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(link->connection);
    enum result result = amqp_reply_check(reply, err);
    *ret_code = 0;
    if (result == OK)
        return OK;
    err_context(err, result, "%s", what);
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION ||
        reply.reply.id != AMQP_CHANNEL_CLOSE_METHOD)
        return result;
    const amqp_channel_close_t *closed = reply.reply.decoded;
    *ret_code = closed->reply_code;
    return open_again(link, &again) == OK ? result : err_set(err, RETRY, "%s", again.text);
}

/* A queue whose home node is down is a 404 as well, and is there. */
static enum result asked_for_queue(struct amqp_link *link, const char *name, struct err *err)
{
    int code = 0;
    enum result result = amqp_link_settle(link, name, &code, err);
    return code == AMQP_NOT_FOUND && !amqp_words_of_loss(err_text(err)) ? NOT_FOUND : result;
}

enum result amqp_ask_queue(struct amqp_link *link, const char *name,
                           struct amqp_queue_seen *ret_seen, struct err *err)
{
    amqp_maybe_release_buffers(link->connection);
    const amqp_queue_declare_ok_t *answer = amqp_queue_declare(
        link->connection, AMQP_CHANNEL, amqp_cstring_bytes(name), 1, 0, 0, 0, amqp_empty_table);
    struct amqp_queue_seen seen = {answer ? answer->message_count : 0,
                                   answer ? answer->consumer_count : 0};
    struct err unheard = {""};
    enum result result = asked_for_queue(link, name, err ? err : &unheard);
    if (result == OK)
        *ret_seen = seen;
    return result;
}

enum result amqp_ask_exchange(struct amqp_link *link, const char *name, struct err *err)
{
    int code = 0;
    amqp_maybe_release_buffers(link->connection);
    amqp_exchange_declare(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(name),
                          amqp_cstring_bytes("fanout"), 1, 0, 0, 0, amqp_empty_table);
    enum result result = amqp_link_settle(link, name, &code, err);
    return code == AMQP_NOT_FOUND ? NOT_FOUND : result;
}
