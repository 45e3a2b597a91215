#include "common/messaging/amqp_link.h"

#ifdef HAVE_RABBITMQ_C_AMQP_H
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/base/clock.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

enum { CHANNELS_MAX = 4, FRAME_MAX = 131072, SEND_BUFFER = 1 << 20 };

static enum result text_copy(char *out, size_t size, const char *text, const char *what,
                             struct err *err)
{
    if (strlen(text) >= size)
        return err_set(err, INVALID, "broker URL: %s is too long", what);
    memcpy(out, text, strlen(text) + 1);
    return OK;
}

static enum result target_fill(const struct amqp_connection_info *info, struct amqp_target *target,
                               struct err *err)
{
    target->port = info->port;
    target->tls = info->ssl != 0;
    enum result result = text_copy(target->host, sizeof target->host, info->host, "host", err);
    if (result == OK)
        result = text_copy(target->user, sizeof target->user, info->user, "user", err);
    if (result == OK)
        result =
            text_copy(target->password, sizeof target->password, info->password, "password", err);
    if (result == OK)
        result = text_copy(target->vhost, sizeof target->vhost, info->vhost, "virtual host", err);
    return result;
}

enum result amqp_target_parse(const char *url, const char *user, const char *password,
                              const char *vhost, struct amqp_target *ret_target, struct err *err)
{
    char *copy = strdup(url);
    if (!copy)
        abort();
    struct amqp_connection_info info;
    amqp_default_connection_info(&info);
    const char *authority = strstr(url, "://");
    size_t size = authority ? strcspn(authority + 3, "/") : 0;
    bool named = authority && memchr(authority + 3, '@', size);
    bool has_vhost = authority && authority[3 + size] == '/' && authority[4 + size] != '\0';
    enum result result = OK;
    if (amqp_parse_url(copy, &info) != AMQP_STATUS_OK)
        result = err_set(err, INVALID,
                         "broker URL: must be amqp[s]://[USER:PASSWORD@]HOST[:PORT][/VHOST]");
    char no_name[] = "";
    char root[] = "/";
    if (result == OK) {
        struct amqp_target target = {.heartbeat_s = 15, .timeout_ms = 5000};
        if (!named)
            info.user = info.password = no_name;
        if (!has_vhost)
            info.vhost = root;
        result = target_fill(&info, &target, err);
        if (result == OK && !named && user)
            result = text_copy(target.user, sizeof target.user, user, "user", err);
        if (result == OK && !named && password)
            result = text_copy(target.password, sizeof target.password, password, "password", err);
        if (result == OK && !has_vhost && vhost)
            result = text_copy(target.vhost, sizeof target.vhost, vhost, "virtual host", err);
        if (result == OK)
            *ret_target = target;
        explicit_bzero(&target, sizeof target);
    }
    explicit_bzero(copy, strlen(url));
    free(copy);
    return result;
}

static amqp_socket_t *socket_new(amqp_connection_state_t connection,
                                 const struct amqp_target *target, struct err *err)
{
    amqp_socket_t *socket =
        target->tls ? amqp_ssl_socket_new(connection) : amqp_tcp_socket_new(connection);
    if (!socket)
        abort();
    if (!target->tls)
        return socket;
    const char *ca_file = target->ca_file[0] ? target->ca_file : SYSTEM_CA_FILE;
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 1);
    if (amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) == 0 &&
        amqp_ssl_socket_set_cacert(socket, ca_file) == 0)
        return socket;
    err_set(err, INVALID, "the certificates in %s cannot be used", ca_file);
    return NULL;
}

static amqp_table_entry_t entry_bool(const char *key)
{
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = 1;
    return entry;
}

static amqp_table_entry_t entry_text(const char *key, const char *text)
{
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(text);
    return entry;
}

static enum result login(const struct amqp_target *target, const char *role,
                         amqp_connection_state_t connection, struct err *err)
{
    char name[AMQP_NAME_SIZE + 32];
    snprintf(name, sizeof name, "%s (%s)", target->name, role);
    amqp_table_entry_t able[] = {
        entry_bool("consumer_cancel_notify"),       entry_bool("connection.blocked"),
        entry_bool("publisher_confirms"),           entry_bool("basic.nack"),
        entry_bool("authentication_failure_close"),
    };
    amqp_table_entry_t properties[4] = {
        entry_text("product", "warren"),
        entry_text("version", PACKAGE_VERSION),
        entry_text("connection_name", name),
        {.key = amqp_cstring_bytes("capabilities")},
    };
    properties[3].value.kind = AMQP_FIELD_KIND_TABLE;
    properties[3].value.value.table = (amqp_table_t){sizeof able / sizeof able[0], able};
    amqp_table_t table = {sizeof properties / sizeof properties[0], properties};
    amqp_rpc_reply_t reply = amqp_login_with_properties(
        connection, target->vhost, CHANNELS_MAX, FRAME_MAX, target->heartbeat_s, &table,
        AMQP_SASL_METHOD_PLAIN, target->user, target->password);
    return amqp_reply_check(reply, err);
}

static void socket_tune(int fd)
{
    int on = 1;
    int size = SEND_BUFFER;
    /* Both only make things faster: a failure changes nothing that we promise. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static enum result link_make(const struct amqp_target *target, const char *role,
                             struct amqp_link *link, struct err *err)
{
    struct timeval timeout = {.tv_sec = target->timeout_ms / 1000,
                              .tv_usec = target->timeout_ms % 1000 * 1000};
    amqp_socket_t *socket = socket_new(link->connection, target, err);
    if (!socket)
        return INVALID;
    int status = amqp_set_handshake_timeout(link->connection, &timeout);
    if (status == AMQP_STATUS_OK)
        status = amqp_set_rpc_timeout(link->connection, &timeout);
    if (status == AMQP_STATUS_OK)
        status = amqp_socket_open_noblock(socket, target->host, target->port, &timeout);
    if (status != AMQP_STATUS_OK)
        return amqp_status_fail(status, "connect", err);
    link->fd = amqp_get_sockfd(link->connection);
    socket_tune(link->fd);
    enum result result = login(target, role, link->connection, err);
    if (result != OK)
        return err_context(err, result, "login");
    amqp_channel_open(link->connection, AMQP_CHANNEL);
    return amqp_link_check(link, "channel", err);
}

enum result amqp_link_open(const struct amqp_target *target, const char *role,
                           struct amqp_link *ret_link, struct err *err)
{
    struct amqp_link link = {amqp_new_connection(), -1, target->tls};
    if (!link.connection)
        abort();
    enum result result = link_make(target, role, &link, err);
    if (result != OK) {
        amqp_link_drop(&link);
        return err_context(err, result, "broker %s:%d", target->host, target->port);
    }
    *ret_link = link;
    return OK;
}

bool amqp_link_writable(const struct amqp_link *link, int wait_ms)
{
    struct pollfd poller = {.fd = link->fd, .events = POLLOUT};
    int ready = 0;
    do
        ready = poll(&poller, 1, wait_ms);
    while (ready < 0 && errno == EINTR);
    return ready == 1 && (poller.revents & POLLOUT);
}

/* A socket that is closed with something unread in it takes back what was written last: the broker
 * would never hear of the last acknowledgements. Whoever has answered the close has read all. */
static void await_close_ok(const struct amqp_link *link)
{
    enum { FAREWELL_MS = 100 };
    int64_t end_ms = clock_mono_ms(clock_system()) + FAREWELL_MS;
    int64_t left_ms = FAREWELL_MS;
    for (; left_ms > 0; left_ms = end_ms - clock_mono_ms(clock_system())) {
        struct timeval timeout = {.tv_usec = (suseconds_t)left_ms * 1000};
        amqp_frame_t frame;
        if (amqp_simple_wait_frame_noblock(link->connection, &frame, &timeout) != AMQP_STATUS_OK)
            return;
        if (frame.frame_type == AMQP_FRAME_METHOD &&
            frame.payload.method.id == AMQP_CONNECTION_CLOSE_OK_METHOD)
            return;
        amqp_maybe_release_buffers(link->connection);
    }
}

void amqp_link_farewell(struct amqp_link *link)
{
    if (link->connection && amqp_link_writable(link, 0)) {
        amqp_connection_close_t close = {.reply_code = AMQP_REPLY_SUCCESS,
                                         .reply_text = amqp_cstring_bytes("bye")};
        if (amqp_send_method(link->connection, 0, AMQP_CONNECTION_CLOSE_METHOD, &close) ==
            AMQP_STATUS_OK)
            await_close_ok(link);
    }
    amqp_link_drop(link);
}

void amqp_link_drop(struct amqp_link *link)
{
    if (link->connection)
        amqp_destroy_connection(link->connection);
    *link = (struct amqp_link){.fd = -1};
}
