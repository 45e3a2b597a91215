#include "common/messaging/amqp_internal.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Shared by the helper thread and the bus until the bus takes or abandons it. */
struct amqp_attempt {
    struct amqp_plan plan;
    int event_fd; /* a duplicate: the bus may be gone */
    pthread_mutex_t lock;
    bool done;
    bool abandoned;
    enum result result;
    struct amqp_made made;
    struct err err;
};

static void attempt_free(struct amqp_attempt *attempt)
{
    amqp_link_farewell(&attempt->made.publish);
    amqp_link_farewell(&attempt->made.consume);
    close(attempt->event_fd);
    pthread_mutex_destroy(&attempt->lock);
    explicit_bzero(&attempt->plan, sizeof attempt->plan);
    free(attempt);
}

/* What everybody publishes to must be there, or the first publish would close the channel. */
static enum result exchanges_check(const struct amqp_link *link, struct err *err)
{
    static const char *const names[] = {EXCHANGE_COMMANDS, EXCHANGE_EVENTS};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        amqp_exchange_declare(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(names[i]),
                              amqp_cstring_bytes("topic"), 1, 1, 0, 0, amqp_empty_table);
        enum result result = amqp_link_check(link, names[i], err);
        if (result != OK)
            return err_context(err, result, "exchange");
    }
    return OK;
}

static enum result queue_check(const struct amqp_link *link, const char *name, struct err *err)
{
    amqp_queue_declare(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(name), 1, 1, 0, 0,
                       amqp_empty_table);
    return amqp_link_check(link, name, err);
}

/* A node that starts opens its door before its streams are back. What is published meanwhile goes to
 * the other queues it is bound for, is confirmed, and never gets into the log: "404 home node down"
 * is what tells. */
static enum result log_check(struct amqp_attempt *attempt)
{
    if (attempt->plan.log[0] == '\0' || attempt->plan.without_log)
        return OK;
    enum result result = queue_check(&attempt->made.publish, attempt->plan.log, &attempt->err);
    attempt->made.log_refused = result == REFUSED;
    return result;
}

static enum result publish_prepare(struct amqp_attempt *attempt)
{
    struct amqp_link *link = &attempt->made.publish;
    enum result result = amqp_link_open(&attempt->plan.target, "publish", link, &attempt->err);
    if (result == OK)
        result = exchanges_check(link, &attempt->err);
    if (result == OK)
        result = log_check(attempt);
    if (result != OK || !attempt->plan.confirms)
        return result;
    amqp_confirm_select(link->connection, AMQP_CHANNEL);
    return amqp_link_check(link, "confirm.select", &attempt->err);
}

static amqp_table_entry_t offset_entry(int64_t from)
{
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("x-stream-offset")};
    if (from >= 0) {
        entry.value.kind = AMQP_FIELD_KIND_I64;
        entry.value.value.i64 = from;
        return entry;
    }
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(from == OFFSET_NEXT ? "next" : "first");
    return entry;
}

/* The consumer tag is the index: a delivery names its queue by it. */
static enum result consumer_start(const struct amqp_link *link,
                                  const struct amqp_consumer *consumer, size_t index,
                                  struct err *err)
{
    char tag[24];
    snprintf(tag, sizeof tag, "%zu", index);
    amqp_table_entry_t entry = offset_entry(consumer->from_offset);
    amqp_table_t arguments = {consumer->stream ? 1 : 0, &entry};
    amqp_basic_qos(link->connection, AMQP_CHANNEL, 0, (uint16_t)consumer->prefetch, 0);
    enum result result = amqp_link_check(link, "basic.qos", err);
    if (result != OK)
        return result;
    amqp_basic_consume(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(consumer->queue),
                       amqp_cstring_bytes(tag), 0, 0, 0, arguments);
    return amqp_link_check(link, "basic.consume", err);
}

/* All checks before the first consumer: after that deliveries come in between the answers. */
static enum result consume_prepare(struct amqp_attempt *attempt)
{
    const struct amqp_plan *plan = &attempt->plan;
    struct amqp_link *link = &attempt->made.consume;
    enum result result = amqp_link_open(&plan->target, "consume", link, &attempt->err);
    for (size_t i = 0; result == OK && i < plan->consumer_count; i++)
        result = queue_check(link, plan->consumers[i].queue, &attempt->err);
    for (size_t i = 0; result == OK && i < plan->consumer_count; i++) {
        result = consumer_start(link, &plan->consumers[i], i, &attempt->err);
        if (result != OK)
            err_context(&attempt->err, result, "%s", plan->consumers[i].queue);
    }
    return result;
}

static void *attempt_run(void *context)
{
    struct amqp_attempt *attempt = context;
    enum result result = attempt->plan.consume_only ? OK : publish_prepare(attempt);
    if (result == OK && attempt->plan.consumer_count > 0 && !attempt->plan.quiet)
        result = consume_prepare(attempt);

    pthread_mutex_lock(&attempt->lock);
    attempt->result = result;
    attempt->done = true;
    bool abandoned = attempt->abandoned;
    if (!abandoned) {
        uint64_t one = 1;
        if (write(attempt->event_fd, &one, sizeof one) != (ssize_t)sizeof one)
            abort(); /* an eventfd that nobody fills has room */
    }
    pthread_mutex_unlock(&attempt->lock);
    if (abandoned)
        attempt_free(attempt);
    return NULL;
}

/* An abandoned attempt may be in the middle of a handshake when the process ends: OpenSSL must not
 * tidy itself away beneath it. It only obeys whoever asks first, hence before main(). */
__attribute__((constructor)) static void keep_openssl(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

/* No signal is ever for this thread. */
static int thread_start(struct amqp_attempt *attempt)
{
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&thread, &attributes, attempt_run, attempt);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return status;
}

struct amqp_attempt *amqp_attempt_start(const struct amqp_plan *plan, int event_fd, struct err *err)
{
    struct amqp_attempt *attempt = calloc(1, sizeof *attempt);
    if (!attempt)
        abort();
    attempt->plan = *plan;
    attempt->made.publish.fd = attempt->made.consume.fd = -1;
    attempt->event_fd = dup(event_fd);
    pthread_mutex_init(&attempt->lock, NULL);
    int status = attempt->event_fd < 0 ? errno : thread_start(attempt);
    if (status == 0)
        return attempt;
    (void)err_set(err, RETRY, "a thread to connect on: %s", strerror(status));
    attempt_free(attempt);
    return NULL;
}

enum result amqp_attempt_take(struct amqp_attempt *attempt, struct amqp_made *ret_made,
                              bool *ret_done, struct err *err)
{
    pthread_mutex_lock(&attempt->lock);
    *ret_done = attempt->done;
    pthread_mutex_unlock(&attempt->lock);
    if (!*ret_done)
        return RETRY;
    enum result result = attempt->result;
    if (err)
        *err = attempt->err;
    *ret_made = (struct amqp_made){{.fd = -1}, {.fd = -1}, attempt->made.log_refused};
    if (result == OK) {
        *ret_made = attempt->made;
        attempt->made = (struct amqp_made){{.fd = -1}, {.fd = -1}, false};
    }
    attempt_free(attempt);
    return result;
}

void amqp_attempt_abandon(struct amqp_attempt *attempt)
{
    if (!attempt)
        return;
    pthread_mutex_lock(&attempt->lock);
    bool done = attempt->done;
    attempt->abandoned = true;
    pthread_mutex_unlock(&attempt->lock);
    if (done)
        attempt_free(attempt);
}
