#include "common/messaging/amqp_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BROKER_SAYS "the broker says "

/* "Again" and "in progress" are how a call that must not wait goes well. */
static bool is_telling(int error)
{
    return error != 0 && error != EAGAIN && error != EINPROGRESS;
}

struct amqp_words amqp_status_words(int status)
{
    struct amqp_words words;
    int error = errno;
    bool told = status == AMQP_STATUS_SOCKET_ERROR && is_telling(error);
    snprintf(words.text, sizeof words.text, "%s%s%s", amqp_error_string2(status), told ? ": " : "",
             told ? strerror(error) : "");
    return words;
}

static bool is_final(int status)
{
    return status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED ||
           status == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED ||
           status == AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD ||
           status == AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION;
}

enum result amqp_status_fail(int status, const char *what, struct err *err)
{
    struct amqp_words words = amqp_status_words(status);
    return err_set(err, is_final(status) ? REFUSED : RETRY, "%s: %s", what, words.text);
}

int amqp_words_code(const char *words)
{
    const char *at = strstr(words, BROKER_SAYS);
    return at ? (int)strtol(at + strlen(BROKER_SAYS), NULL, 10) : 0;
}

static enum result close_fail(uint16_t code, amqp_bytes_t text, struct err *err)
{
    enum result result = code == AMQP_CONNECTION_FORCED ? RETRY : REFUSED;
    return err_set(err, result, BROKER_SAYS "%u %.*s", code, (int)text.len,
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

static enum result library_fail(int status, struct err *err)
{
    struct amqp_words words = amqp_status_words(status);
    return err_set(err, is_final(status) ? REFUSED : RETRY, "%s", words.text);
}

enum result amqp_reply_check(amqp_rpc_reply_t reply, struct err *err)
{
    switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
        return OK;
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
        return library_fail(reply.library_error, err);
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
