#include "common/messaging/bus_amqp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/messaging/amqp_internal.h"

enum {
    WINDOW_DEFAULT = 1000,
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 5000,
    LOOK_MS = 1000,        /* heartbeats live inside the library's calls */
    NO_ROOM_MS = 5,        /* nothing says when a full socket has room again */
    STEADY_MS = 10 * 1000, /* a connection that held so long ends the back-off */
    TELL_AGAIN_MS = 30 * 1000,
    LOG_PATIENCE_MS = 90 * 1000, /* a node that has to be restarted twice has it back by then */
};

static struct bus_amqp *amqp_of(struct bus *bus)
{
    return (struct bus_amqp *)bus;
}

void bus_amqp_emit(struct bus_amqp *amqp, const struct bus_event *event)
{
    if (amqp->bus.listener)
        amqp->bus.listener(amqp->bus.listener_context, event);
}

/* The first reason counts; what follows is its consequence. */
void bus_amqp_break(struct bus_amqp *amqp, const char *format, ...)
{
    if (amqp->broken)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(amqp->reason, sizeof amqp->reason, format, args);
    va_end(args);
    amqp->broken = true;
}

static void watch(struct bus_amqp *amqp, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(amqp->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        bus_amqp_break(amqp, "epoll: %s", strerror(errno));
}

/* Out of the epoll set before it is closed. */
static void link_forget(struct bus_amqp *amqp, struct amqp_link *link, bool politely)
{
    if (!link->connection)
        return;
    (void)epoll_ctl(amqp->epoll_fd, EPOLL_CTL_DEL, link->fd, NULL);
    if (politely)
        amqp_link_farewell(link);
    else
        amqp_link_drop(link);
}

/* Half to all of the present step, which doubles up to the limit. */
static void retry_later(struct bus_amqp *amqp)
{
    int64_t now = clock_mono_ms(amqp->clock);
    int64_t step = amqp->backoff_ms;
    uint64_t jitter = clock_random64(amqp->clock) % (uint64_t)(step / 2 + 1);
    amqp->state = AMQP_STATE_WAITING;
    amqp->wake_ms = now + step - step / 2 + (int64_t)jitter;
    amqp->backoff_ms = step * 2 < amqp->backoff_max_ms ? step * 2 : amqp->backoff_max_ms;
}

/* While it stays down for the same reason, that is told at once and then now and then. */
static void down_tell(struct bus_amqp *amqp, const char *reason)
{
    int64_t now_ms = clock_mono_ms(amqp->clock);
    if (strcmp(amqp->told, reason) == 0 && now_ms - amqp->told_ms < TELL_AGAIN_MS)
        return;
    amqp->told_ms = now_ms;
    snprintf(amqp->told, sizeof amqp->told, "%s", reason);
    bus_amqp_emit(amqp, &(struct bus_event){.kind = BUS_DOWN, .reason = amqp->told});
}

static void tear_down(struct bus_amqp *amqp)
{
    link_forget(amqp, &amqp->publish, false);
    link_forget(amqp, &amqp->consume, false);
    amqp_ring_reset(&amqp->ring);
    amqp_content_reset(&amqp->returning);
    amqp_content_reset(&amqp->arriving);
    amqp->tag_base = amqp->acked = amqp->ack_wanted = amqp->last_tag;
    amqp->blocked = amqp->broken = amqp->cancels_sent = false;
    amqp->cancels_left = 0;
    if (clock_mono_ms(amqp->clock) - amqp->up_since_ms >= STEADY_MS)
        amqp->backoff_ms = amqp->backoff_min_ms;
    retry_later(amqp);
    down_tell(amqp, amqp->reason);
}

static void connect_start(struct bus_amqp *amqp)
{
    struct err err = {""};
    amqp->attempt = amqp_attempt_start(&amqp->plan, amqp->event_fd, &err);
    if (amqp->attempt) {
        amqp->state = AMQP_STATE_CONNECTING;
        return;
    }
    retry_later(amqp);
    down_tell(amqp, err.text);
}

/* It fails for the log alone. A node that starts has it back within seconds; when it has been asked
 * for in vain for long enough, it is lost, and the next attempt does without (docs/adr/0017). */
static void log_is_refused(struct bus_amqp *amqp, const char *reason)
{
    int64_t now_ms = clock_mono_ms(amqp->clock);
    if (amqp->log_missed_ms == 0)
        amqp->log_missed_ms = now_ms;
    amqp->plan.without_log = now_ms - amqp->log_missed_ms >= amqp->log_patience_ms;
    snprintf(amqp->log_reason, sizeof amqp->log_reason, "%s", reason);
}

static void links_take(struct bus_amqp *amqp, const struct amqp_made *made)
{
    amqp->publish = made->publish;
    amqp->consume = made->consume;
    if (amqp->publish.connection)
        watch(amqp, amqp->publish.fd);
    if (amqp->consume.connection)
        watch(amqp, amqp->consume.fd);
}

static void connect_finish(struct bus_amqp *amqp)
{
    struct err err = {""};
    struct amqp_made made;
    bool done = false;
    enum result result = amqp_attempt_take(amqp->attempt, &made, &done, &err);
    if (!done)
        return;
    amqp->attempt = NULL;
    if (made.log_refused)
        log_is_refused(amqp, err.text);
    if (result != OK) {
        retry_later(amqp);
        down_tell(amqp, err.text);
        return;
    }
    amqp->state = AMQP_STATE_UP;
    amqp->up_since_ms = clock_mono_ms(amqp->clock);
    amqp->probe_ms = amqp->up_since_ms + AMQP_PROBE_EVERY_MS;
    amqp->probe_open = false;
    amqp->told[0] = '\0';
    links_take(amqp, &made);
    if (amqp->broken)
        return;
    bus_amqp_emit(amqp,
                  &(struct bus_event){.kind = BUS_UP,
                                      .reason = amqp->plan.without_log ? amqp->log_reason : NULL});
    amqp->log_missed_ms = 0;
    amqp->plan.without_log = false; /* the next connection asks again */
}

/* Confirms first: they make room. */
static void traffic(struct bus_amqp *amqp)
{
    amqp->wake_ms = clock_mono_ms(amqp->clock) + LOOK_MS;
    amqp_publish_flush(amqp);
    if (!amqp->switches.confirms)
        amqp_publish_assume(amqp);
    amqp_frames_drain(amqp, &amqp->publish);
    amqp_frames_drain(amqp, &amqp->consume);
    if (amqp->consume.connection) {
        amqp_consume_flush(amqp);
        amqp_consume_probe(amqp);
    }
    if (amqp->broken)
        tear_down(amqp);
}

static void amqp_pump(struct bus *bus)
{
    struct bus_amqp *amqp = amqp_of(bus);
    uint64_t count;
    (void)!read(amqp->event_fd, &count, sizeof count); /* not blocking; only a wake-up */
    if (amqp->state == AMQP_STATE_WAITING && clock_mono_ms(amqp->clock) >= amqp->wake_ms)
        connect_start(amqp);
    if (amqp->state == AMQP_STATE_CONNECTING)
        connect_finish(amqp);
    if (amqp->state == AMQP_STATE_UP)
        traffic(amqp);
}

static int amqp_fd(struct bus *bus)
{
    return amqp_of(bus)->epoll_fd;
}

static int64_t amqp_deadline_ms(struct bus *bus)
{
    struct bus_amqp *amqp = amqp_of(bus);
    if (amqp->state == AMQP_STATE_CONNECTING)
        return INT64_MAX; /* the eventfd wakes */
    if (amqp->state == AMQP_STATE_WAITING)
        return amqp->wake_ms;
    bool assumed = !amqp->switches.confirms && amqp->ring.head != amqp->ring.next;
    if (amqp->broken || assumed || amqp_link_has_work(&amqp->publish) ||
        amqp_link_has_work(&amqp->consume))
        return 0;
    bool no_room = amqp->ring.stalled || amqp->ack_wanted > amqp->acked;
    return no_room ? amqp->wake_ms - LOOK_MS + NO_ROOM_MS : amqp->wake_ms;
}

static enum result amqp_subscribe(struct bus *bus, const struct bus_subscription *subscription,
                                  struct err *err)
{
    struct amqp_plan *plan = &amqp_of(bus)->plan;
    if (strlen(subscription->queue) >= AMQP_NAME_SIZE || subscription->prefetch < 1 ||
        subscription->prefetch > UINT16_MAX)
        return err_set(err, INVALID, "subscribe: the queue's name or its prefetch");
    size_t i = 0;
    while (i < plan->consumer_count && strcmp(plan->consumers[i].queue, subscription->queue) != 0)
        i++;
    if (i == AMQP_CONSUMERS_MAX)
        return err_set(err, INVALID, "subscribe: %d queues at most", AMQP_CONSUMERS_MAX);
    if (i == plan->consumer_count && amqp_of(bus)->state != AMQP_STATE_WAITING)
        return err_set(err, INVALID, "subscribe: a new queue after the first pump");
    struct amqp_consumer *consumer = &plan->consumers[i];
    *consumer = (struct amqp_consumer){
        .prefetch = subscription->prefetch,
        .stream = subscription->stream,
        .from_offset = subscription->from_offset,
    };
    memcpy(consumer->queue, subscription->queue, strlen(subscription->queue) + 1);
    if (i == plan->consumer_count)
        plan->consumer_count++;
    return OK;
}

static enum result amqp_publish_op(struct bus *bus, const struct bus_message *message,
                                   uint64_t token)
{
    return amqp_publish(amqp_of(bus), message, token);
}

static void amqp_flush_op(struct bus *bus)
{
    amqp_publish_flush(amqp_of(bus));
}

static enum result amqp_ack_op(struct bus *bus, uint64_t tag)
{
    return amqp_consume_ack(amqp_of(bus), tag);
}

static void amqp_reconnect(struct bus *bus)
{
    if (amqp_of(bus)->state == AMQP_STATE_UP)
        bus_amqp_break(amqp_of(bus), "to connect anew");
}

/* Tells the broker to send nothing more; its answer comes behind what it has sent already. */
static bool amqp_quiet(struct bus *bus)
{
    struct bus_amqp *amqp = amqp_of(bus);
    amqp->plan.quiet = true;
    if (amqp->state != AMQP_STATE_UP || !amqp->consume.connection)
        return true;
    if (amqp->broken)
        return false;
    if (!amqp->cancels_sent && amqp_link_writable(&amqp->consume, 0))
        amqp_consume_cancel(amqp);
    return amqp->cancels_sent && amqp->cancels_left == 0;
}

static void amqp_release(struct bus *bus)
{
    struct bus_amqp *amqp = amqp_of(bus);
    amqp_attempt_abandon(amqp->attempt);
    amqp_publish_flush(amqp);
    link_forget(amqp, &amqp->publish, true);
    link_forget(amqp, &amqp->consume, true);
    buf_release(&amqp->returning.body);
    buf_release(&amqp->arriving.body);
    buf_release(&amqp->ring.burst.frames);
    free(amqp->ring.slots);
    close(amqp->event_fd);
    close(amqp->epoll_fd);
    explicit_bzero(&amqp->plan, sizeof amqp->plan);
    free(amqp);
}

static const struct bus_ops amqp_ops = {
    .fd = amqp_fd,
    .deadline_ms = amqp_deadline_ms,
    .pump = amqp_pump,
    .subscribe = amqp_subscribe,
    .publish = amqp_publish_op,
    .flush = amqp_flush_op,
    .ack = amqp_ack_op,
    .reconnect = amqp_reconnect,
    .quiet = amqp_quiet,
    .release = amqp_release,
};

static enum result target_fill(struct amqp_target *target, const struct bus_amqp_options *options,
                               struct err *err)
{
    if (options->target) {
        *target = *options->target;
        return OK;
    }
    enum result result =
        amqp_target_parse(options->url, options->user, options->password, target, err);
    if (result == OK)
        snprintf(target->ca_file, sizeof target->ca_file, "%s",
                 options->ca_file ? options->ca_file : "");
    return result;
}

static enum result plan_fill(struct bus_amqp *amqp, const struct bus_amqp_options *options,
                             struct err *err)
{
    struct amqp_target *target = &amqp->plan.target;
    const char *name = options->connection_name ? options->connection_name : "warren";
    enum result result = target_fill(target, options, err);
    if (result != OK)
        return result;
    snprintf(target->name, sizeof target->name, "%s", name);
    snprintf(amqp->plan.log, sizeof amqp->plan.log, "%s", options->log ? options->log : "");
    snprintf(amqp->app_id, sizeof amqp->app_id, "%s", options->app_id ? options->app_id : name);
    if (options->heartbeat_s > 0)
        target->heartbeat_s = options->heartbeat_s;
    amqp->plan.confirms = options->switches.confirms;
    amqp->plan.consume_only = options->consume_only;
    return OK;
}

static void limits_fill(struct bus_amqp *amqp, const struct bus_amqp_options *options)
{
    amqp->clock = options->clock;
    amqp->switches = options->switches;
    amqp->backoff_min_ms = options->backoff_min_ms > 0 ? options->backoff_min_ms : BACKOFF_MIN_MS;
    amqp->backoff_max_ms = options->backoff_max_ms > 0 ? options->backoff_max_ms : BACKOFF_MAX_MS;
    amqp->backoff_ms = amqp->backoff_min_ms;
    amqp->log_patience_ms =
        options->log_patience_ms > 0 ? options->log_patience_ms : LOG_PATIENCE_MS;
    amqp->ring.window = options->window > 0 ? options->window : WINDOW_DEFAULT;
    amqp->ring.slots = calloc(amqp->ring.window, sizeof *amqp->ring.slots);
    if (!amqp->ring.slots)
        abort();
    amqp_ring_reset(&amqp->ring);
}

enum result bus_amqp_new(const struct bus_amqp_options *options, struct bus **ret_bus,
                         struct err *err)
{
    struct bus_amqp *amqp = calloc(1, sizeof *amqp);
    if (!amqp)
        abort();
    amqp->bus.ops = &amqp_ops;
    amqp->publish.fd = amqp->consume.fd = -1;
    amqp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    amqp->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    limits_fill(amqp, options);
    enum result result = plan_fill(amqp, options, err);
    if (result == OK) {
        if (amqp->epoll_fd < 0 || amqp->event_fd < 0)
            bus_amqp_break(amqp, "no descriptor: %s", strerror(errno));
        else
            watch(amqp, amqp->event_fd);
        if (amqp->broken)
            result = err_set(err, FATAL, "%s", amqp->reason);
    }
    if (result != OK) {
        amqp_release(&amqp->bus);
        return result;
    }
    *ret_bus = &amqp->bus;
    return OK;
}
