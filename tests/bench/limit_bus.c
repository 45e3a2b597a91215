#include "tests/bench/limit_bus.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "common/messaging/envelope.h"

enum { FRAMES_PER_DRAIN = 4096 };

void limit_die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "limit: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static void must(enum result result, const struct err *err)
{
    if (result != OK)
        limit_die("%s", err->text);
}

void limit_bus_open(struct limit_bus *bus, const struct amqp_target *target,
                    const struct limit_message *messages)
{
    struct err err = {""};
    *bus = (struct limit_bus){.messages = messages, .cork = true, .next = 1, .settled = 1};
    bus->consume.fd = -1;
    bus->confirmed = calloc(LIMIT_RING, sizeof *bus->confirmed);
    if (!bus->confirmed)
        abort();
    must(amqp_link_open(target, "publish", &bus->publish, &err), &err);
    amqp_confirm_select(bus->publish.connection, AMQP_CHANNEL);
    must(amqp_link_check(&bus->publish, "confirm.select", &err), &err);
}

static void consume_queue(const struct amqp_link *link, const struct queue_spec *queue,
                          int prefetch)
{
    struct err err = {""};
    amqp_table_entry_t from = {.key = amqp_cstring_bytes("x-stream-offset")};
    from.value.kind = AMQP_FIELD_KIND_UTF8;
    from.value.value.bytes = amqp_cstring_bytes("next");
    amqp_table_t arguments = {queue->kind == QUEUE_STREAM ? 1 : 0, &from};
    amqp_basic_qos(link->connection, AMQP_CHANNEL, 0,
                   (uint16_t)(prefetch > 0 ? prefetch : queue->prefetch), 0);
    must(amqp_link_check(link, "basic.qos", &err), &err);
    amqp_basic_consume(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(queue->name),
                       amqp_empty_bytes, 0, 0, 0, arguments);
    must(amqp_link_check(link, queue->name, &err), &err);
}

void limit_bus_consume(struct limit_bus *bus, const struct amqp_target *target,
                       const struct topology *table, int prefetch)
{
    struct err err = {""};
    must(amqp_link_open(target, "consume", &bus->consume, &err), &err);
    for (size_t i = 0; i < table->queue_count; i++)
        consume_queue(&bus->consume, &table->queues[i], prefetch);
}

void limit_bus_close(struct limit_bus *bus)
{
    amqp_link_farewell(&bus->publish);
    amqp_link_farewell(&bus->consume);
    free(bus->confirmed);
}

static void cork(struct limit_bus *bus, int on)
{
    if (bus->corked == (on == 1))
        return;
    bus->corked = on == 1;
    (void)setsockopt(bus->publish.fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

uint64_t limit_bus_publish(struct limit_bus *bus, enum limit_kind kind, uint64_t order)
{
    const struct limit_message *message = &bus->messages[kind];
    char id[ID_TEXT_SIZE];
    limit_id_write(kind, order, id);
    amqp_table_entry_t trace = {.key = amqp_cstring_bytes("traceparent")};
    trace.value.kind = AMQP_FIELD_KIND_UTF8;
    trace.value.value.bytes = amqp_cstring_bytes(LIMIT_TRACEPARENT);
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                  AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_TIMESTAMP_FLAG |
                  AMQP_BASIC_APP_ID_FLAG | AMQP_BASIC_HEADERS_FLAG,
        .content_type = amqp_cstring_bytes(ENVELOPE_CONTENT_TYPE),
        .delivery_mode = AMQP_DELIVERY_PERSISTENT,
        .message_id = {ID_TEXT_SIZE - 1, id},
        .type = amqp_cstring_bytes(message->type),
        .timestamp = (uint64_t)time(NULL),
        .app_id = amqp_cstring_bytes(message->app_id),
        .headers = {1, &trace},
    };
    if (bus->next - bus->settled >= LIMIT_RING)
        limit_die("more than %d publishes without a confirm", LIMIT_RING);
    if (bus->cork)
        cork(bus, 1);
    bus->confirmed[bus->next % LIMIT_RING] = false;
    int status = amqp_basic_publish(bus->publish.connection, AMQP_CHANNEL,
                                    amqp_cstring_bytes(message->exchange),
                                    amqp_cstring_bytes(message->type), 1, 0, &properties,
                                    (amqp_bytes_t){message->body.size, message->body.data});
    if (status != AMQP_STATUS_OK)
        limit_die("publish: %s", amqp_error_string2(status));
    return bus->next++;
}

void limit_bus_ack(struct limit_bus *bus, uint64_t tag)
{
    int status = amqp_basic_ack(bus->consume.connection, AMQP_CHANNEL, tag, 1);
    if (status != AMQP_STATUS_OK)
        limit_die("ack: %s", amqp_error_string2(status));
}

void limit_bus_flush(struct limit_bus *bus)
{
    cork(bus, 0);
}

static void acked(struct limit_bus *bus, const amqp_basic_ack_t *ack)
{
    uint64_t last = ack->delivery_tag;
    if (last >= bus->next)
        limit_die("a confirm for what was never published");
    for (uint64_t i = ack->multiple ? bus->settled : last; i <= last; i++)
        bus->confirmed[i % LIMIT_RING] = true;
    while (bus->settled < bus->next && bus->confirmed[bus->settled % LIMIT_RING])
        bus->settled++;
}

static void method_arrived(struct limit_bus *bus, const amqp_method_t *method)
{
    struct err err = {""};
    if (method->id == AMQP_BASIC_ACK_METHOD) {
        acked(bus, method->decoded);
    } else if (method->id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *deliver = method->decoded;
        bus->arriving = (struct limit_delivery){
            .tag = deliver->delivery_tag,
            .kind = limit_kind_of(deliver->routing_key.bytes, deliver->routing_key.len),
        };
    } else if (method->id == AMQP_BASIC_NACK_METHOD) {
        limit_die("the broker nacked: a queue is full");
    } else {
        (void)amqp_close_fail(method, &err);
        limit_die("%s: %s", amqp_method_name(method->id), err.text);
    }
}

static void frame_arrived(struct limit_bus *bus, const amqp_frame_t *frame)
{
    if (frame->frame_type == AMQP_FRAME_METHOD) {
        method_arrived(bus, &frame->payload.method);
        return;
    }
    if (frame->frame_type == AMQP_FRAME_HEADER) {
        const amqp_basic_properties_t *properties = frame->payload.properties.decoded;
        bus->body_left = frame->payload.properties.body_size;
        bus->arriving.order =
            limit_id_order(properties->message_id.bytes, properties->message_id.len);
    } else if (frame->frame_type == AMQP_FRAME_BODY) {
        bus->body_left -= frame->payload.body_fragment.len;
    } else {
        return; /* a heartbeat */
    }
    if (bus->body_left == 0)
        bus->delivered(bus->context, &bus->arriving);
}

static bool drain_link(struct limit_bus *bus, const struct amqp_link *link)
{
    struct timeval now = {0, 0};
    amqp_frame_t frame;
    int i = 0;
    for (; i < FRAMES_PER_DRAIN; i++) {
        int status = amqp_simple_wait_frame_noblock(link->connection, &frame, &now);
        if (status == AMQP_STATUS_TIMEOUT)
            break;
        if (status != AMQP_STATUS_OK)
            limit_die("connection lost: %s", amqp_error_string2(status));
        frame_arrived(bus, &frame);
        amqp_maybe_release_buffers(link->connection);
    }
    return i > 0;
}

bool limit_bus_drain(struct limit_bus *bus)
{
    bool any = drain_link(bus, &bus->publish);
    if (bus->consume.connection && drain_link(bus, &bus->consume))
        any = true;
    return any;
}

bool limit_bus_wait(struct limit_bus *bus, int stop_fd, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = bus->publish.fd, .events = POLLIN},
                           {.fd = bus->consume.fd, .events = POLLIN},
                           {.fd = stop_fd, .events = POLLIN}};
    (void)poll(fds, sizeof fds / sizeof fds[0], timeout_ms);
    return fds[2].revents == 0;
}
