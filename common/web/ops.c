#include "common/web/ops.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 32,
    CONNECTION_TIMEOUT_S = 10,
    CONNECTION_MEMORY = 8192,
    ROUNDS_MAX = 64, /* of one ops_run */
};

#define TEXT_PLAIN "text/plain; charset=utf-8"
#define TEXT_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

struct ops {
    struct ops_options options;
    struct MHD_Daemon *daemon;
    int port;
    int fd;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
                             struct buf *take_body)
{
    size_t size = take_body->size;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, buf_take(take_body), MHD_RESPMEM_MUST_FREE);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_text(struct MHD_Connection *connection, unsigned status,
                                  const char *text)
{
    struct buf body = {0};
    buf_text(&body, text);
    return reply(connection, status, TEXT_PLAIN, &body);
}

static enum MHD_Result reply_ready(struct ops *ops, struct MHD_Connection *connection)
{
    struct buf reasons = {0};
    bool ready = ops->options.ready(ops->options.context, &reasons);
    const char *verdict = ready ? "ready\n" : "not ready\n";
    bool verbose = MHD_lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, "verbose", 7,
                                                 NULL, NULL) == MHD_YES;
    struct buf body = {0};
    buf_text(&body, verdict);
    if (verbose && reasons.size > 0)
        buf_append(&body, reasons.data, reasons.size);
    buf_release(&reasons);
    return reply(connection, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, TEXT_PLAIN, &body);
}

static enum MHD_Result reply_metrics(struct ops *ops, struct MHD_Connection *connection)
{
    struct buf body = {0};
    ops->options.metrics(ops->options.context, &body);
    return reply(connection, MHD_HTTP_OK, TEXT_PROMETHEUS, &body);
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct ops *ops = context;
    static char seen; /* its address only: headers first, then the (unwanted) body, then the end */
    (void)version;
    (void)upload;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return reply_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    if (strcmp(url, "/livez") == 0)
        return reply_text(connection, MHD_HTTP_OK, "alive\n");
    if (strcmp(url, "/readyz") == 0)
        return reply_ready(ops, connection);
    if (strcmp(url, "/metrics") == 0)
        return reply_metrics(ops, connection);
    return reply_text(connection, MHD_HTTP_NOT_FOUND, "/livez, /readyz and /metrics are here\n");
}

static enum result listener_open(const struct ops_options *options, int *ret_fd, int *ret_port,
                                 struct err *err)
{
    const char *host = options->address ? options->address : "127.0.0.1";
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options->port)};
    socklen_t size = sizeof address;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return err_set(err, INVALID, "'%s' is not an IPv4 address", host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, FATAL, "socket: %s", strerror(errno));
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        enum result result = errno == EADDRINUSE ? REFUSED : FATAL;
        err_set(err, result, "port %d on %s: %s", options->port, host, strerror(errno));
        close(fd);
        return result;
    }
    *ret_fd = fd;
    *ret_port = ntohs(address.sin_port);
    return OK;
}

enum result ops_new(const struct ops_options *options, struct ops **ret_ops, struct err *err)
{
    int listener;
    int port;
    enum result result = listener_open(options, &listener, &port, err);
    if (result != OK)
        return result;
    struct ops *ops = calloc(1, sizeof *ops);
    if (!ops)
        abort();
    ops->options = *options;
    ops->port = port;
    ops->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, answer, ops, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    if (!ops->daemon) {
        close(listener);
        free(ops);
        return err_set(err, FATAL, "operations HTTP: the server did not start");
    }
    ops->fd = MHD_get_daemon_info(ops->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    *ret_ops = ops;
    return OK;
}

int ops_port(const struct ops *ops)
{
    return ops->port;
}

int ops_fd(const struct ops *ops)
{
    return ops->fd;
}

void ops_run(struct ops *ops)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    int rounds = 0;
    do
        MHD_run(ops->daemon);
    while (++rounds < ROUNDS_MAX && MHD_get_timeout(ops->daemon, &timeout) == MHD_YES &&
           timeout == 0);
}

int64_t ops_deadline_ms(const struct ops *ops)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    if (MHD_get_timeout(ops->daemon, &timeout) != MHD_YES)
        return INT64_MAX;
    return timeout == 0 ? 0 : clock_mono_ms(ops->options.clock) + (int64_t)timeout;
}

void ops_free(struct ops *ops)
{
    if (!ops)
        return;
    MHD_stop_daemon(ops->daemon);
    free(ops);
}
