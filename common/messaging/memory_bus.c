#include "common/messaging/memory_bus.h"

#include <stdlib.h>
#include <string.h>

#include "common/messaging/memory_broker.h"

enum { SUBSCRIPTIONS_MAX = 8, WINDOW = 1000, NAME_SIZE_MAX = 64 };

/* What the handle has sent and the broker has not read yet, in order. */
enum frame_kind { FRAME_PUBLISH, FRAME_ACK };

struct frame {
    TAILQ_ENTRY(frame) link;
    enum frame_kind kind;
    char exchange[NAME_SIZE_MAX];
    char routing_key[NAME_SIZE_MAX];
    struct memory_message *message;
    uint64_t token; /* of a publish */
    uint64_t tag;   /* of an ack */
};
TAILQ_HEAD(frames, frame);

/* What the broker has said and the handle has not heard yet. */
struct confirm {
    uint64_t token;
    enum bus_fate fate;
};

struct delivery {
    TAILQ_ENTRY(delivery) link;
    uint64_t tag;
    size_t subscription;
    struct memory_entry *entry; /* NULL in a stream */
};
TAILQ_HEAD(deliveries, delivery);

struct subscription {
    struct bus_subscription spec;
    struct memory_queue *queue;
    size_t unacked;
    size_t next;  /* in a stream's log */
    int64_t from; /* the offset that this connection asked for */
};

struct memory_connection {
    struct bus bus; /* first */
    LIST_ENTRY(memory_connection) link;
    struct memory_broker *broker;
    struct switches switches;
    const char *name;
    bool up, blocked, drop_wanted, quiet;
    struct subscription subscriptions[SUBSCRIPTIONS_MAX];
    size_t subscription_count;
    struct frames frames;
    size_t frame_count;
    struct confirm *confirms;
    size_t confirm_count, confirm_capacity;
    size_t unconfirmed;
    struct deliveries deliveries; /* unacknowledged, as the broker sees it */
    uint64_t next_tag;
    uint64_t void_tag; /* up to here tags are of earlier connections */
};

static struct memory_connection *of(struct bus *bus)
{
    return (struct memory_connection *)bus;
}

static void tell(struct memory_connection *c, const struct bus_event *event)
{
    if (c->bus.listener)
        c->bus.listener(c->bus.listener_context, event);
}

static void confirm_push(struct memory_connection *c, uint64_t token, enum bus_fate fate)
{
    if (c->confirm_count == c->confirm_capacity) {
        c->confirm_capacity = c->confirm_capacity ? 2 * c->confirm_capacity : 64;
        c->confirms = realloc(c->confirms, c->confirm_capacity * sizeof *c->confirms);
        if (!c->confirms)
            abort();
    }
    c->confirms[c->confirm_count++] = (struct confirm){token, fate};
}

/* The broker reads one acknowledgement: everything up to the tag. */
static void broker_reads_ack(struct memory_connection *c, uint64_t tag)
{
    struct delivery *delivery;
    while ((delivery = TAILQ_FIRST(&c->deliveries)) && delivery->tag <= tag) {
        struct subscription *subscription = &c->subscriptions[delivery->subscription];
        TAILQ_REMOVE(&c->deliveries, delivery, link);
        subscription->unacked--;
        if (delivery->entry) {
            subscription->queue->unacked_count--;
            memory_entry_free(delivery->entry);
        }
        free(delivery);
    }
}

static void broker_reads_publish(struct memory_connection *c, const struct frame *frame)
{
    enum bus_fate fate = memory_broker_route(c->broker, frame->exchange, frame->routing_key,
                                             frame->message, c->switches.mandatory);
    static const char *const words[] = {"routed", "returned", "nacked"};
    memory_tell(c->broker, words[fate], c->name, frame->routing_key, frame->message);
    if (c->switches.confirms)
        confirm_push(c, frame->token, fate);
}

static void frame_free(struct memory_connection *c, struct frame *frame)
{
    TAILQ_REMOVE(&c->frames, frame, link);
    c->frame_count--;
    memory_message_release(frame->message);
    free(frame);
}

static void broker_reads(struct memory_connection *c, size_t count)
{
    for (; count > 0; count--) {
        struct frame *frame = TAILQ_FIRST(&c->frames);
        if (frame->kind == FRAME_PUBLISH)
            broker_reads_publish(c, frame);
        else
            broker_reads_ack(c, frame->tag);
        frame_free(c, frame);
    }
}

static void requeue_all(struct memory_connection *c)
{
    struct delivery *delivery;
    while ((delivery = TAILQ_LAST(&c->deliveries, deliveries))) {
        struct memory_queue *queue = c->subscriptions[delivery->subscription].queue;
        TAILQ_REMOVE(&c->deliveries, delivery, link);
        if (delivery->entry) {
            queue->unacked_count--;
            memory_queue_requeue(queue, delivery->entry);
            c->broker->happened.redeliveries++;
        }
        free(delivery);
    }
    for (size_t i = 0; i < c->subscription_count; i++)
        c->subscriptions[i].unacked = 0;
}

static void swallow_frames(struct memory_connection *c)
{
    struct memory_happened *happened = &c->broker->happened;
    struct frame *frame;
    while ((frame = TAILQ_FIRST(&c->frames))) {
        if (frame->kind == FRAME_PUBLISH) {
            happened->publishes_lost++;
            memory_tell(c->broker, "lost", c->name, frame->routing_key, frame->message);
        } else if (!TAILQ_EMPTY(&c->deliveries) && TAILQ_FIRST(&c->deliveries)->tag <= frame->tag)
            happened->acks_lost++;
        frame_free(c, frame);
    }
}

/* The broker's side of a connection's end: some of what was sent last never arrived, and nothing
 * of what it answered will be heard. */
static void end_at_broker(struct memory_connection *c)
{
    uint64_t lost = memory_choose(c->broker, MEMORY_CUT, c->frame_count + 1);
    broker_reads(c, c->frame_count - (size_t)lost);
    swallow_frames(c);
    requeue_all(c);
    if (c->switches.confirms) {
        c->broker->happened.confirms_lost += c->confirm_count;
        c->confirm_count = 0;
    }
}

static void go_down(struct memory_connection *c, const char *reason)
{
    c->up = c->blocked = c->drop_wanted = false;
    c->broker->happened.drops++;
    end_at_broker(c);
    c->unconfirmed = c->switches.confirms ? 0 : c->confirm_count;
    tell(c, &(struct bus_event){.kind = BUS_DOWN, .reason = reason});
}

void memory_connection_break(struct memory_connection *c)
{
    c->drop_wanted = true;
}

void memory_connections_break_all(struct memory_broker *broker)
{
    struct memory_connection *c;
    LIST_FOREACH(c, &broker->connections, link)
    memory_connection_break(c);
}

static size_t stream_position(const struct memory_queue *queue, int64_t offset)
{
    size_t i = 0;
    if (offset == OFFSET_NEXT)
        return queue->log_count;
    if (offset < 0)
        return 0;
    size_t end = queue->log_count;
    while (i < end) {
        size_t middle = i + (end - i) / 2;
        if ((int64_t)queue->log[middle]->place < offset)
            i = middle + 1;
        else
            end = middle;
    }
    return i;
}

static void go_up(struct memory_connection *c)
{
    if (memory_choose(c->broker, MEMORY_STAY_DOWN, 2) != 0) {
        c->broker->happened.refused_connects++;
        return;
    }
    c->up = true;
    for (size_t i = 0; i < c->subscription_count; i++) {
        struct subscription *subscription = &c->subscriptions[i];
        if (subscription->spec.stream) {
            subscription->from = subscription->spec.from_offset;
            subscription->next = stream_position(subscription->queue, subscription->from);
        }
    }
    c->void_tag = c->next_tag;
    tell(c, &(struct bus_event){.kind = BUS_UP});
}

/* Takes one out of the confirms still to be heard: the first, or by choice a later one. */
static struct confirm confirm_pop(struct memory_connection *c, size_t count)
{
    size_t i = (size_t)memory_choose(c->broker, MEMORY_SWAP_CONFIRM, count);
    struct confirm confirm = c->confirms[i];
    c->broker->happened.swapped_confirms += i > 0;
    memmove(&c->confirms[i], &c->confirms[i + 1], (c->confirm_count - i - 1) * sizeof *c->confirms);
    c->confirm_count--;
    c->unconfirmed--;
    return confirm;
}

static void hear_confirms(struct memory_connection *c)
{
    size_t count = c->confirm_count;
    if (c->switches.confirms)
        count -= (size_t)memory_choose(c->broker, MEMORY_HOLD_CONFIRM, count + 1);
    for (; count > 0; count--) {
        struct confirm confirm = confirm_pop(c, count);
        tell(c, &(struct bus_event){
                    .kind = BUS_SETTLED, .token = confirm.token, .fate = confirm.fate});
    }
}

static void note_delivery(struct memory_connection *c, size_t subscription, uint64_t tag,
                          struct memory_entry *entry)
{
    struct delivery *delivery = calloc(1, sizeof *delivery);
    if (!delivery)
        abort();
    *delivery = (struct delivery){.tag = tag, .subscription = subscription, .entry = entry};
    TAILQ_INSERT_TAIL(&c->deliveries, delivery, link);
    c->subscriptions[subscription].unacked++;
}

/* Nothing before the offset that was asked for, even if the stream has not got so far yet. */
static struct memory_entry *take_from_stream(struct subscription *subscription)
{
    struct memory_queue *queue = subscription->queue;
    if (subscription->next < queue->log_first)
        subscription->next = queue->log_first;
    while (subscription->next < queue->log_count) {
        struct memory_entry *entry = queue->log[subscription->next++];
        if ((int64_t)entry->place >= subscription->from)
            return entry;
    }
    return NULL;
}

/* The next message for this subscription, no longer in the queue; NULL when there is none. */
static struct memory_entry *take_next(struct subscription *subscription)
{
    struct memory_queue *queue = subscription->queue;
    if (subscription->spec.stream)
        return take_from_stream(subscription);
    struct memory_entry *entry = TAILQ_FIRST(&queue->ready);
    if (!entry)
        return NULL;
    TAILQ_REMOVE(&queue->ready, entry, link);
    queue->ready_count--;
    queue->unacked_count++;
    return entry;
}

static void deliver_one(struct memory_connection *c, size_t index, struct memory_entry *entry)
{
    bool stream = c->subscriptions[index].spec.stream;
    uint64_t tag = ++c->next_tag;
    note_delivery(c, index, tag, stream ? NULL : entry);
    memory_tell(c->broker, entry->redelivered ? "delivered again" : "delivered", c->name,
                c->subscriptions[index].spec.queue, entry->message);
    tell(c, &(struct bus_event){.kind = BUS_DELIVERY,
                                .delivery = &(struct bus_delivery){
                                    .queue = c->subscriptions[index].spec.queue,
                                    .tag = tag,
                                    .redelivered = entry->redelivered,
                                    .offset = stream ? (int64_t)entry->place : -1,
                                    .key = entry->message->key,
                                    .message_id = entry->message->id,
                                    .body = entry->message->body,
                                    .size = entry->message->size,
                                }});
}

static void serve(struct memory_connection *c, size_t index)
{
    struct subscription *subscription = &c->subscriptions[index];
    size_t room = (size_t)subscription->spec.prefetch;
    room = room > subscription->unacked ? room - subscription->unacked : 0;
    if (room > 0 && memory_choose(c->broker, MEMORY_HOLD_QUEUE, 2) != 0) {
        c->broker->happened.held++;
        return;
    }
    struct memory_entry *entry;
    for (; room > 0 && (entry = take_next(subscription)); room--) {
        deliver_one(c, index, entry);
        if (memory_choose(c->broker, MEMORY_HOLD_MESSAGE, 2) != 0)
            return;
    }
}

static void serve_all(struct memory_connection *c)
{
    if (c->quiet)
        return;
    size_t count = c->subscription_count;
    size_t first = (size_t)memory_choose(c->broker, MEMORY_FIRST_QUEUE, count);
    for (size_t i = 0; i < count; i++)
        serve(c, (first + i) % count);
}

static void follow_alarm(struct memory_connection *c)
{
    if (c->blocked == c->broker->blocked)
        return;
    c->blocked = c->broker->blocked;
    if (c->blocked)
        tell(c, &(struct bus_event){.kind = BUS_BLOCKED, .reason = "low on memory"});
    else
        tell(c, &(struct bus_event){.kind = BUS_UNBLOCKED});
}

static void memory_pump(struct bus *bus)
{
    struct memory_connection *c = of(bus);
    if (!c->switches.confirms)
        hear_confirms(c);
    if (!c->up) {
        go_up(c);
        return;
    }
    if (c->drop_wanted || memory_choose(c->broker, MEMORY_DROP, 2) != 0) {
        go_down(c, "connection reset");
        return;
    }
    follow_alarm(c);
    if (!c->blocked)
        broker_reads(c, c->frame_count - (size_t)memory_choose(c->broker, MEMORY_HOLD_FRAMES,
                                                               c->frame_count + 1));
    hear_confirms(c);
    serve_all(c);
}

static enum result memory_subscribe(struct bus *bus, const struct bus_subscription *wanted,
                                    struct err *err)
{
    struct memory_connection *c = of(bus);
    struct memory_queue *queue = memory_queue_find(c->broker, wanted->queue);
    if (!queue)
        return err_set(err, INVALID, "there is no queue %s", wanted->queue);
    for (size_t i = 0; i < c->subscription_count; i++)
        if (strcmp(c->subscriptions[i].spec.queue, wanted->queue) == 0) {
            c->subscriptions[i].spec = *wanted;
            return OK;
        }
    if (c->subscription_count == SUBSCRIPTIONS_MAX)
        return err_set(err, FATAL, "more than %d subscriptions", SUBSCRIPTIONS_MAX);
    c->subscriptions[c->subscription_count++] =
        (struct subscription){.spec = *wanted, .queue = queue};
    return OK;
}

static struct frame *frame_push(struct memory_connection *c, enum frame_kind kind)
{
    struct frame *frame = calloc(1, sizeof *frame);
    if (!frame)
        abort();
    frame->kind = kind;
    TAILQ_INSERT_TAIL(&c->frames, frame, link);
    c->frame_count++;
    return frame;
}

static void copy_name(char *out, const char *name)
{
    size_t length = strnlen(name, NAME_SIZE_MAX - 1);
    memcpy(out, name, length);
    out[length] = '\0';
}

static enum result memory_publish(struct bus *bus, const struct bus_message *message,
                                  uint64_t token)
{
    struct memory_connection *c = of(bus);
    if (!c->up || c->blocked || c->unconfirmed >= WINDOW)
        return RETRY;
    if (memory_choose(c->broker, MEMORY_NO_ROOM, 2) != 0) {
        c->broker->happened.no_room++;
        return RETRY;
    }
    struct frame *frame = frame_push(c, FRAME_PUBLISH);
    frame->message =
        memory_message_new(message->id, message->routing_key, message->body, message->size);
    frame->token = token;
    copy_name(frame->exchange, message->exchange);
    copy_name(frame->routing_key, message->routing_key);
    c->unconfirmed++;
    if (!c->switches.confirms)
        confirm_push(c, token, FATE_CONFIRMED);
    return OK;
}

static enum result memory_ack(struct bus *bus, uint64_t tag)
{
    struct memory_connection *c = of(bus);
    if (!c->up || tag <= c->void_tag)
        return RETRY;
    frame_push(c, FRAME_ACK)->tag = tag;
    return OK;
}

static int memory_fd(struct bus *bus)
{
    (void)bus;
    return -1;
}

static bool has_work(const struct memory_connection *c)
{
    if (!c->up || c->drop_wanted || c->confirm_count > 0 || c->blocked != c->broker->blocked ||
        (c->frame_count > 0 && !c->blocked))
        return true;
    for (size_t i = 0; i < c->subscription_count; i++) {
        const struct subscription *s = &c->subscriptions[i];
        bool waiting = s->spec.stream ? s->next < s->queue->log_count : s->queue->ready_count > 0;
        if (waiting && s->unacked < (size_t)s->spec.prefetch)
            return true;
    }
    return false;
}

static int64_t memory_deadline_ms(struct bus *bus)
{
    return has_work(of(bus)) ? 0 : INT64_MAX;
}

static void memory_release(struct bus *bus)
{
    struct memory_connection *c = of(bus);
    if (c->up)
        end_at_broker(c);
    LIST_REMOVE(c, link);
    free(c->confirms);
    free(c);
}

static bool memory_quiet(struct bus *bus)
{
    of(bus)->quiet = true;
    return true;
}

static void memory_reconnect(struct bus *bus)
{
    if (of(bus)->up)
        memory_connection_break(of(bus));
}

static const struct bus_ops memory_ops = {
    .fd = memory_fd,
    .deadline_ms = memory_deadline_ms,
    .pump = memory_pump,
    .subscribe = memory_subscribe,
    .publish = memory_publish,
    .ack = memory_ack,
    .reconnect = memory_reconnect,
    .quiet = memory_quiet,
    .release = memory_release,
};

struct bus *memory_bus_new(struct memory_broker *broker, const struct switches *switches)
{
    struct memory_connection *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->bus.ops = &memory_ops;
    c->broker = broker;
    c->switches = *switches;
    c->name = "";
    TAILQ_INIT(&c->frames);
    TAILQ_INIT(&c->deliveries);
    LIST_INSERT_HEAD(&broker->connections, c, link);
    return &c->bus;
}

void memory_bus_name(struct bus *bus, const char *name)
{
    of(bus)->name = name;
}

void memory_bus_drop(struct bus *bus)
{
    memory_connection_break(of(bus));
}
