#include "common/messaging/amqp_link.h"

#ifdef HAVE_RABBITMQ_C_AMQP_H
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/clock.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

enum { CHANNELS_MAX = 4, FRAME_MAX = 131072, SEND_BUFFER = 1 << 20 };

/* Why the last certificate that this thread saw was not believed. */
static _Thread_local int verify_error;

static int verify_note(int believed, X509_STORE_CTX *store)
{
    if (!believed)
        verify_error = X509_STORE_CTX_get_error(store);
    return believed;
}

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* Whom the certificate must name. The library compares names only: an address is OpenSSL's to judge. */
static bool verify_prepare(amqp_socket_t *socket, const char *host)
{
    SSL_CTX *context = amqp_ssl_socket_get_context(socket);
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, !is_address(host));
    verify_error = X509_V_OK;
    SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), verify_note);
    return !is_address(host) ||
           X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context), host) == 1;
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
    if (verify_prepare(socket, target->host) &&
        amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) == 0 &&
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

static int connect_once(const struct addrinfo *address, int limit_ms)
{
    int error = 0;
    socklen_t size = sizeof error;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
        error = errno;
    if (error == EINPROGRESS) {
        struct pollfd poller = {.fd = fd, .events = POLLOUT};
        error = poll(&poller, 1, limit_ms) == 1 ? 0 : ETIMEDOUT;
        if (error == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            error = errno;
    }
    close(fd);
    return error;
}

/* The library forgets why a peer that did not answer at once could not be reached. */
static int connect_error(const struct amqp_target *target)
{
    enum { LIMIT_MS = 1000 };
    char port[16];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    snprintf(port, sizeof port, "%d", target->port);
    if (getaddrinfo(target->host, port, &hints, &found) != 0)
        return 0;
    int error = connect_once(found, LIMIT_MS);
    freeaddrinfo(found);
    return error;
}

static enum result connect_fail(int status, const struct amqp_target *target, struct err *err)
{
    if (status == AMQP_STATUS_SOCKET_ERROR && (errno == EINPROGRESS || errno == 0))
        errno = connect_error(target);
    enum result result = amqp_status_fail(status, "connect", err);
    if (target->tls && verify_error != X509_V_OK)
        return err_context(err, result, "%s", X509_verify_cert_error_string(verify_error));
    return result;
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
    errno = 0;
    if (status == AMQP_STATUS_OK)
        status = amqp_socket_open_noblock(socket, target->host, target->port, &timeout);
    if (status != AMQP_STATUS_OK)
        return connect_fail(status, target, err);
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
