/* The mailer over SMTP: libcurl's multi interface on an epoll of its own. One easy handle per mail;
 * libcurl keeps connections between them. */
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "notification-service/mail_text.h"
#include "notification-service/mailer.h"

enum { EVENTS_MAX = 32, SOCKETS_MAX = 64, IN_FLIGHT_MAX = SOCKETS_MAX / 2 };

struct transfer {
    struct transfer *next, **link;
    CURL *easy;
    char *job_id;
    struct curl_slist *recipients;
    struct buf content;
    size_t sent; /* of the content, as far as libcurl has taken it */
    char error[CURL_ERROR_SIZE];
};

/* A mail that cannot be sent at all, until the next pump says so. */
struct refusal {
    struct refusal *next;
    char *job_id;
    struct err err;
};

struct mailer {
    struct effect effect;
    const struct clock *clock;
    struct mailer_smtp_options options;
    char *url;
    char *from;
    char *ca_file; /* NULL: the system's */
    CURLM *multi;
    int epoll_fd;
    int64_t timer_ms; /* when libcurl wants to be called; INT64_MAX: never */
    struct transfer *transfers;
    struct refusal *refusals;
    size_t in_flight;
    int sockets[SOCKETS_MAX]; /* open ones, idle ones included; -1: free */
};

static struct mailer *self_of(struct effect *effect)
{
    return (struct mailer *)effect;
}

/* --- libcurl's sockets and timer --------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct mailer *self = context;
    struct epoll_event event = {.data.fd = fd};
    (void)easy, (void)socket_context;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(self->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    if (epoll_ctl(self->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
        return 0;
    return epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void replace_socket(struct mailer *self, int old, int new)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (self->sockets[i] == old) {
            self->sockets[i] = new;
            return;
        }
    }
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd >= 0)
        replace_socket(context, -1, fd);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int on_close(void *context, curl_socket_t fd)
{
    replace_socket(context, fd, -1);
    return close(fd);
}

/* libcurl says QUIT on each connection that it closes and waits for the answer, up to two minutes.
 * At our end nobody has that time. */
static void hang_up(struct mailer *self)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (self->sockets[i] >= 0)
            shutdown(self->sockets[i], SHUT_RDWR);
    }
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct mailer *self = context;
    (void)multi;
    self->timer_ms = timeout_ms < 0 ? INT64_MAX : clock_mono_ms(self->clock) + timeout_ms;
    return 0;
}

static void pump_sockets(struct mailer *self)
{
    struct epoll_event events[EVENTS_MAX];
    int running;
    int count = epoll_wait(self->epoll_fd, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++) {
        int mask = 0;
        if (events[i].events & EPOLLIN)
            mask |= CURL_CSELECT_IN;
        if (events[i].events & EPOLLOUT)
            mask |= CURL_CSELECT_OUT;
        if (events[i].events & (EPOLLERR | EPOLLHUP))
            mask |= CURL_CSELECT_ERR;
        curl_multi_socket_action(self->multi, events[i].data.fd, mask, &running);
    }
    if (self->timer_ms <= clock_mono_ms(self->clock)) {
        self->timer_ms = INT64_MAX; /* libcurl sets the next one from in there */
        curl_multi_socket_action(self->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

/* --- one mail ---------------------------------------------------------------------------- */

static size_t give_content(char *to, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t left = transfer->content.size - transfer->sent;
    size_t part = left < size * count ? left : size * count;
    memcpy(to, transfer->content.data + transfer->sent, part);
    transfer->sent += part;
    return part;
}

static void transfer_free(struct mailer *self, struct transfer *transfer)
{
    if (!transfer)
        return;
    if (transfer->link) {
        *transfer->link = transfer->next;
        if (transfer->next)
            transfer->next->link = transfer->link;
        curl_multi_remove_handle(self->multi, transfer->easy);
        self->in_flight--;
    }
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->recipients);
    buf_release(&transfer->content);
    free(transfer->job_id);
    free(transfer);
}

static struct transfer *transfer_new(const char *job_id, const char *to)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    char path[MAIL_ADDRESS_SIZE + 2];
    if (!transfer)
        return NULL;
    snprintf(path, sizeof path, "<%s>", to);
    transfer->easy = curl_easy_init();
    transfer->job_id = strdup(job_id);
    transfer->recipients = curl_slist_append(NULL, path);
    if (transfer->easy && transfer->job_id && transfer->recipients)
        return transfer;
    transfer_free(NULL, transfer);
    return NULL;
}

static long tls_option(enum mailer_tls tls)
{
    static const long options[] = {
        [MAILER_TLS_WHEN_OFFERED] = CURLUSESSL_TRY,
        [MAILER_TLS_REQUIRED] = CURLUSESSL_ALL,
        [MAILER_TLS_NEVER] = CURLUSESSL_NONE,
    };
    return options[tls];
}

static bool set_connection(struct mailer *self, CURL *easy)
{
    long timeout_ms = (long)self->options.timeout_ms;
    const char *authorities = self->ca_file;
    return curl_easy_setopt(easy, CURLOPT_URL, self->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USE_SSL, tls_option(self->options.tls)) == CURLE_OK &&
           (!authorities || curl_easy_setopt(easy, CURLOPT_CAINFO, authorities) == CURLE_OK) &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, self) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, self) == CURLE_OK;
}

static bool set_mail(const struct mailer *self, struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    char path[MAIL_ADDRESS_SIZE + 2];
    snprintf(path, sizeof path, "<%s>", self->from);
    return curl_easy_setopt(easy, CURLOPT_MAIL_FROM, path) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, transfer->recipients) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_content) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK;
}

static void transfer_link(struct mailer *self, struct transfer *transfer)
{
    transfer->next = self->transfers;
    transfer->link = &self->transfers;
    if (self->transfers)
        self->transfers->link = &transfer->next;
    self->transfers = transfer;
    self->in_flight++;
}

static enum result refuse(struct mailer *self, const char *job_id, const struct err *err)
{
    struct refusal *refusal = calloc(1, sizeof *refusal);
    char *copy = strdup(job_id);
    if (!refusal || !copy) {
        free(refusal);
        free(copy);
        return RETRY;
    }
    *refusal = (struct refusal){self->refusals, copy, *err};
    self->refusals = refusal;
    return OK;
}

static enum result mailer_start(struct effect *effect, const struct effect_call *call)
{
    struct mailer *self = self_of(effect);
    struct mail mail;
    struct err err;
    if (self->in_flight >= self->options.in_flight_max)
        return RETRY;
    if (mail_read(call->request, &mail, &err) != OK)
        return refuse(self, call->job_id, &err);
    struct transfer *transfer = transfer_new(call->job_id, mail.to);
    if (!transfer)
        return RETRY;
    mail_compose(&mail, self->from, call->key, clock_wall_ms(self->clock), &transfer->content);
    if (!set_connection(self, transfer->easy) || !set_mail(self, transfer) ||
        curl_multi_add_handle(self->multi, transfer->easy) != CURLM_OK) {
        transfer_free(self, transfer);
        return RETRY;
    }
    transfer_link(self, transfer);
    return OK;
}

/* --- answers ------------------------------------------------------------------------------- */

/* What the server's last word (RFC 5321 4.2) and libcurl's verdict mean to us. */
static enum result outcome_of(const struct transfer *transfer, CURLcode code, long reply)
{
    bool gone = transfer->sent == transfer->content.size;
    if (code == CURLE_OK)
        return OK;
    if (gone && reply == 354) /* "go ahead" was the last that we heard */
        return UNKNOWN;
    if (reply >= 550 && reply <= 553) /* this mailbox, or this mail: not tomorrow either */
        return INVALID;
    return gone && reply >= 500 && reply <= 559 ? INVALID : RETRY;
}

static void answer(struct mailer *self, struct transfer *transfer, CURLcode code, effect_done *done,
                   void *context)
{
    long reply = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &reply);
    struct buf response = {0};
    buf_printf(&response, "{\"reply\":%ld,\"why\":", reply);
    json_write_text(&response, transfer->error[0] ? transfer->error : curl_easy_strerror(code));
    buf_text(&response, "}");
    done(context, transfer->job_id, outcome_of(transfer, code, reply), response.data);
    buf_release(&response);
    transfer_free(self, transfer);
}

static void answer_refusals(struct mailer *self, effect_done *done, void *context)
{
    struct refusal *refusal;
    while ((refusal = self->refusals)) {
        self->refusals = refusal->next;
        struct buf response = {0};
        buf_text(&response, "{\"why\":");
        json_write_text(&response, refusal->err.text);
        buf_text(&response, "}");
        done(context, refusal->job_id, INVALID, response.data);
        buf_release(&response);
        free(refusal->job_id);
        free(refusal);
    }
}

static void mailer_pump(struct effect *effect, effect_done *done, void *context)
{
    struct mailer *self = self_of(effect);
    CURLMsg *message;
    int left;
    answer_refusals(self, done, context);
    pump_sockets(self);
    while ((message = curl_multi_info_read(self->multi, &left))) {
        char *transfer = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        answer(self, (struct transfer *)(void *)transfer, code, done, context);
    }
}

static int64_t mailer_deadline_ms(struct effect *effect)
{
    struct mailer *self = self_of(effect);
    if (self->refusals || self->timer_ms <= clock_mono_ms(self->clock))
        return 0;
    return self->timer_ms;
}

static int mailer_fd(struct effect *effect)
{
    return self_of(effect)->epoll_fd;
}

static void ignore_answer(void *context, const char *job_id, enum result outcome,
                          const char *response)
{
    (void)context, (void)job_id, (void)outcome, (void)response;
}

static void mailer_release(struct effect *effect)
{
    struct mailer *self = self_of(effect);
    for (struct transfer *transfer = self->transfers, *next; transfer; transfer = next) {
        next = transfer->next;
        transfer_free(self, transfer);
    }
    answer_refusals(self, ignore_answer, NULL);
    hang_up(self);
    curl_multi_cleanup(self->multi);
    if (self->epoll_fd >= 0)
        close(self->epoll_fd);
    free(self->url);
    free(self->from);
    free(self->ca_file);
    free(self);
}

static const struct effect_ops mailer_ops = {
    .start = mailer_start,
    .fd = mailer_fd,
    .deadline_ms = mailer_deadline_ms,
    .pump = mailer_pump,
    .release = mailer_release,
};

/* --- the whole --------------------------------------------------------------------------------- */

static bool has_scheme(const char *url)
{
    return strncmp(url, "smtp://", 7) == 0 || strncmp(url, "smtps://", 8) == 0;
}

static enum result connect_multi(struct mailer *self, struct err *err)
{
    self->multi = curl_multi_init();
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!self->multi || self->epoll_fd < 0 || !self->url || !self->from)
        return err_set(err, RETRY, "mailer: %s", strerror(errno));
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETDATA, self);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERDATA, self);
    curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long)self->options.in_flight_max);
    return OK;
}

enum result mailer_smtp_new(const struct clock *clock, const struct mailer_smtp_options *options,
                            struct effect **ret_effect, struct err *err)
{
    if (!has_scheme(options->url))
        return err_set(err, INVALID, "%s: not an smtp:// or smtps:// address", options->url);
    if (mail_check_address(options->from, err) != OK)
        return err_context(err, INVALID, "sender %s", options->from);
    struct mailer *self = calloc(1, sizeof *self);
    if (!self)
        return err_set(err, RETRY, "mailer: out of memory");
    self->effect.ops = &mailer_ops;
    self->clock = clock;
    self->options = *options;
    self->timer_ms = INT64_MAX;
    if (!self->options.timeout_ms)
        self->options.timeout_ms = 10000;
    if (!self->options.in_flight_max)
        self->options.in_flight_max = 8;
    if (self->options.in_flight_max > IN_FLIGHT_MAX)
        self->options.in_flight_max = IN_FLIGHT_MAX;
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        self->sockets[i] = -1;
    self->url = strdup(options->url);
    if (options->ca_file)
        self->ca_file = strdup(options->ca_file);
    self->from = strdup(options->from);
    enum result result = connect_multi(self, err);
    if (result != OK) {
        mailer_release(&self->effect);
        return result;
    }
    *ret_effect = &self->effect;
    return OK;
}
