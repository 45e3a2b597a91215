#include "common/messaging/amqp_link.h"

#include <string.h>

enum result amqp_status_fail(int status, const char *what, struct err *err)
{
    return err_set(err, RETRY, "%s: %s", what, amqp_error_string2(status));
}

static enum result close_fail(uint16_t code, amqp_bytes_t text, struct err *err)
{
    enum result result = code == AMQP_CONNECTION_FORCED ? RETRY : REFUSED;
    return err_set(err, result, "the broker says %u %.*s", code, (int)text.len,
                   (const char *)text.bytes);
}

enum result amqp_close_fail(const amqp_method_t *method, struct err *err)
{
    if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *close = method->decoded;
        return close_fail(close->reply_code, close->reply_text, err);
    }
    if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *close = method->decoded;
        return close_fail(close->reply_code, close->reply_text, err);
    }
    return err_set(err, RETRY, "unexpected method 0x%08x", method->id);
}

enum result amqp_reply_check(amqp_rpc_reply_t reply, struct err *err)
{
    switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
        return OK;
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
        return err_set(err, RETRY, "%s", amqp_error_string2(reply.library_error));
    case AMQP_RESPONSE_SERVER_EXCEPTION:
        return amqp_close_fail(&reply.reply, err);
    case AMQP_RESPONSE_NONE:
        break;
    }
    return err_set(err, RETRY, "no answer");
}

enum result amqp_link_check(const struct amqp_link *link, const char *what, struct err *err)
{
    enum result result = amqp_reply_check(amqp_get_rpc_reply(link->connection), err);
    return result == OK ? OK : err_context(err, result, "%s", what);
}

bool amqp_words_of_loss(const char *words)
{
    if (strstr(words, " 541 "))
        return true;
    return strstr(words, " 404 ") && !strstr(words, "no queue");
}
