/* Connections and the life of a request. */
#include "edge-service/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge-service/http_private.h"

enum {
    CONNECTIONS_DEFAULT = 1000,
    TIMEOUT_SPARE_S =
        60, /* the library's own, of silence: the deadlines of connections.c come sooner */
    STEP_MS_DEFAULT = 30000,
    REST_MS_DEFAULT = 75000,
    CONNECTION_MEMORY = HEAD_MEMORY, /* cleared for each request */
    LISTEN_BACKLOG = 1024,
    ROUNDS_MAX = 64, /* of one http_run */
    SPARE_MAX = 256, /* requests kept for the next ones */
    SPARE_BODY_MAX = 4096,
};

static struct connection *connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void step_begins(struct http *http, struct MHD_Connection *connection)
{
    connection_begin(&http->connections, connection_of(connection),
                     clock_mono_ms(http->options.clock));
}

void http_answer_begins(struct http *http, struct MHD_Connection *connection, bool unread)
{
    connection_of(connection)->unread = unread;
    connection_pause(&http->connections, connection_of(connection));
    step_begins(http, connection);
}

static void connection_news(void *context, struct MHD_Connection *connection, void **state,
                            enum MHD_ConnectionNotificationCode code)
{
    struct http *http = context;
    struct connection *own = *state;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (own->unread)
            lingering_add(&http->lingering, own->gate.fd, clock_mono_ms(http->options.clock));
        connection_close(&http->connections, own);
        free(own);
        return;
    }
    own = calloc(1, sizeof *own);
    if (!own)
        abort();
    *state = own;
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection_open(&http->connections, own, fd, clock_mono_ms(http->options.clock));
}

/* A request is too large for malloc's quick lists: most come from those that are over. */
static struct request *request_new(struct http *http, struct MHD_Connection *connection)
{
    struct request *request = TAILQ_FIRST(&http->spare);
    if (request) {
        TAILQ_REMOVE(&http->spare, request, ready);
        http->spare_count--;
    } else {
        request = malloc(sizeof *request);
        if (!request)
            abort();
        request->body = (struct buf){0};
    }
    struct buf body = request->body;
    buf_clear(&body);
    *request = (struct request){.body = body};
    request->http = http;
    request->connection = connection;
    request->begun_us = clock_mono_us(http->options.clock);
    http->active++;
    return request;
}

static void request_over(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct http *http = context;
    struct request *request = *state;
    if (!request)
        return;
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        connection_rest(&http->connections, connection_of(connection),
                        clock_mono_ms(http->options.clock));
    *state = NULL;
    http->active--;
    buf_release(&request->answer.body);
    if (http->spare_count < SPARE_MAX && request->body.capacity <= SPARE_BODY_MAX) {
        TAILQ_INSERT_HEAD(&http->spare, request, ready);
        http->spare_count++;
        return;
    }
    buf_release(&request->body);
    free(request);
}

/* The gate has ended the stream behind this request. */
static void refuse(struct request *request)
{
    const struct head_refusal *refusal = connection_of(request->connection)->gate.reader.refusal;
    answer_header(request, "Connection", "close");
    answer_problem(request, refusal->status, refusal->name, "%s", refusal->detail);
}

static enum gate_verdict verdict_of(const struct request *request)
{
    return gate_verdict(&connection_of(request->connection)->gate, request->number);
}

bool request_is_unread(const struct request *request)
{
    return request->stage == STAGE_READING || verdict_of(request) == GATE_REFUSED;
}

static bool type_is_json(struct request *request)
{
    static const char json[] = "application/json";
    const char *type = read_header(request, "Content-Type");
    if (!type || strncasecmp(type, json, sizeof json - 1) != 0)
        return false;
    type += sizeof json - 1;
    type += strspn(type, " \t");
    return *type == '\0' || *type == ';';
}

/* RFC 9110 15.5.16: a coding that is not taken is told apart from a type by Accept-Encoding. */
static void refuse_coding(struct request *request)
{
    answer_header(request, "Accept-Encoding", "identity");
    answer_problem(request, 415, "content-coding", "send the body as it is, without a coding");
}

static bool check_body(struct request *request, size_t size)
{
    bool matters = request->route->body == BODY_JSON || size > 0;
    if (size > BODY_MAX)
        answer_problem(request, 413, "too-large", "a body has %d bytes at most", BODY_MAX);
    else if (matters && !read_coding_is_identity(request))
        refuse_coding(request);
    else if (matters && !type_is_json(request))
        answer_problem(request, 415, "not-json", "send Content-Type: application/json");
    return !request->answer.status;
}

/* Before the body is read. Who asks whether to send it is told at once what is certain already. */
static enum MHD_Result headers_came(struct request *request, const char *method, const char *url)
{
    const char *length = read_header(request, "Content-Length");
    bool asked = read_header(request, "Expect") != NULL;
    if (verdict_of(request) == GATE_NEVER_SEEN)
        return MHD_NO;
    if (verdict_of(request) == GATE_REFUSED)
        refuse(request);
    else if (route_admit(request, method, url) &&
             check_body(request, length ? strtoul(length, NULL, 10) : 0) && asked &&
             request->route->check_head)
        (void)request->route->check_head(request);
    return asked && request->answer.status ? answer_send(request) : MHD_YES;
}

/* What nobody will read is not kept. */
static enum MHD_Result body_came(struct request *request, const char *data, size_t *size)
{
    request->body_seen += *size;
    if (!request->answer.status && request->body_seen <= BODY_MAX)
        buf_append(&request->body, data, *size);
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result request_came(struct request *request)
{
    request->stage = STAGE_WORKING;
    connection_pause(&request->http->connections, connection_of(request->connection));
    if (verdict_of(request) == GATE_REFUSED)
        refuse(request);
    if (!request->answer.status && check_body(request, request->body_seen))
        request->route->handle(request);
    if (request->answer.status)
        return answer_send(request);
    request->stage = STAGE_SUSPENDED;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

static enum MHD_Result take_in(void *context, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **state)
{
    struct request *request = *state;
    (void)version;
    if (!request) {
        request = request_new(context, connection);
        *state = request;
        request->number = ++connection_of(connection)->requests;
        connection_take(&request->http->connections, connection_of(connection));
        step_begins(request->http, connection);
        return headers_came(request, method, url);
    }
    if (*upload_size > 0)
        return body_came(request, upload, upload_size);
    switch (request->stage) {
    case STAGE_READING:
        return request_came(request);
    case STAGE_RESUMED:
        return answer_send(request);
    case STAGE_WORKING:
    case STAGE_SUSPENDED:
    case STAGE_SENT:
        break;
    }
    return MHD_YES;
}

/* libmicrohttpd hands out C strings: a NUL in one would hide what stands behind it; and a path has
 * its slashes where everybody on the way sees them. Such a text stays escaped, and then matches
 * nothing. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    bool hiding = strstr(text, "%00") || strcasestr(text, "%2f");
    return hiding ? strlen(text) : MHD_http_unescape(text);
}

static enum result listener_open(const struct http_options *options, int *ret_fd, int *ret_port,
                                 struct err *err)
{
    const char *host = options->address ? options->address : "127.0.0.1";
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options->port)};
    socklen_t size = sizeof address;
    int on = 1;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return err_set(err, INVALID, "'%s' is not an IPv4 address", host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, FATAL, "socket: %s", strerror(errno));
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, LISTEN_BACKLOG) != 0 ||
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

/* Strict: what two readers of HTTP might understand differently is not understood at all. */
static struct MHD_Daemon *start_daemon(struct http *http, int listener)
{
    const struct http_options *options = &http->options;
    const struct connections *times = &http->connections;
    unsigned connections = (unsigned)times->count_max + HTTP_CONNECTIONS_SPARE;
    int64_t longest_ms = times->rest_ms > times->step_ms ? times->rest_ms : times->step_ms;
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, take_in, http,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->connections_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(longest_ms / 1000) + TIMEOUT_SPARE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_NOTIFY_CONNECTION, connection_news, http, MHD_OPTION_NOTIFY_COMPLETED,
        request_over, http, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_END);
}

static void open_buckets(struct http *http)
{
    const struct http_options *options = &http->options;
    if (options->rate_per_caller > 0)
        http->callers =
            buckets_new(BUCKETS, options->rate_per_caller, clock_random64(options->clock));
    if (options->rate_per_address <= 0)
        return;
    http->addresses =
        buckets_new(BUCKETS, options->rate_per_address, clock_random64(options->clock));
    http->probes = buckets_new(BUCKETS, options->rate_per_address, clock_random64(options->clock));
}

static void close_buckets(struct http *http)
{
    buckets_free(http->callers);
    buckets_free(http->addresses);
    buckets_free(http->probes);
}

enum result http_new(const struct http_options *options, struct http **ret_http, struct err *err)
{
    int listener;
    int port;
    enum result result = listener_open(options, &listener, &port, err);
    if (result != OK)
        return result;
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        abort();
    http->options = *options;
    http->port = port;
    http->quiesced_fd = -1;
    http->accepted.shift = HISTOGRAM_TIME;
    TAILQ_INIT(&http->ready);
    TAILQ_INIT(&http->spare);
    open_buckets(http);
    connections_init(&http->connections, options->step_ms > 0 ? options->step_ms : STEP_MS_DEFAULT,
                     options->rest_ms > 0 ? options->rest_ms : REST_MS_DEFAULT,
                     options->connections_max ? options->connections_max : CONNECTIONS_DEFAULT);
    http->daemon = start_daemon(http, listener);
    if (!http->daemon) {
        close(listener);
        close_buckets(http);
        connections_release(&http->connections);
        free(http);
        return err_set(err, FATAL, "HTTP: the server did not start");
    }
    http->fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    *ret_http = http;
    return OK;
}

int http_port(const struct http *http)
{
    return http->port;
}

int http_fd(const struct http *http)
{
    return http->fd;
}

/* All that are ready at once: resuming costs a walk over all suspended connections, per run and not
 * per request. */
static void resume_ready(struct http *http)
{
    struct request *request;
    while ((request = TAILQ_FIRST(&http->ready))) {
        TAILQ_REMOVE(&http->ready, request, ready);
        request->stage = STAGE_RESUMED;
        MHD_resume_connection(request->connection);
    }
}

/* Whatever the library reads meanwhile goes through the gates. */
static void run_daemon(struct http *http)
{
    gates_begin(&http->connections.gates);
    MHD_run(http->daemon);
    gates_end();
    connections_wake(&http->connections, clock_mono_ms(http->options.clock));
}

void http_run(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    int rounds = 0;
    connections_cut(&http->connections, clock_mono_ms(http->options.clock));
    lingering_run(&http->lingering, clock_mono_ms(http->options.clock));
    edge_burst_begin(http->options.edge);
    do {
        resume_ready(http);
        run_daemon(http);
    } while (++rounds < ROUNDS_MAX && MHD_get_timeout(http->daemon, &timeout) == MHD_YES &&
             timeout == 0);
    edge_burst_end(http->options.edge);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t http_deadline_ms(const struct http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    if (!TAILQ_EMPTY(&http->ready))
        return 0;
    int64_t now = clock_mono_ms(http->options.clock);
    int64_t due = earlier(connections_deadline_ms(&http->connections),
                          lingering_deadline_ms(&http->lingering, now));
    if (MHD_get_timeout(http->daemon, &timeout) != MHD_YES)
        return due;
    return timeout == 0 ? 0 : earlier(due, now + (int64_t)timeout);
}

void http_quiesce(struct http *http)
{
    if (http->quiesced_fd >= 0)
        return;
    http->quiesced_fd = MHD_quiesce_daemon(http->daemon);
    connections_dismiss(&http->connections, clock_mono_ms(http->options.clock));
}

uint64_t http_rounds(const struct http *http)
{
    return http->connections.gates.round;
}

size_t http_active(const struct http *http)
{
    return http->active;
}

static void free_spare(struct http *http)
{
    struct request *request;
    while ((request = TAILQ_FIRST(&http->spare))) {
        TAILQ_REMOVE(&http->spare, request, ready);
        buf_release(&request->body);
        free(request);
    }
}

void http_free(struct http *http)
{
    if (!http)
        return;
    resume_ready(http);
    run_daemon(http);
    MHD_stop_daemon(http->daemon);
    if (http->quiesced_fd >= 0)
        close(http->quiesced_fd);
    close_buckets(http);
    free_spare(http);
    lingering_release(&http->lingering);
    connections_release(&http->connections);
    free(http);
}
