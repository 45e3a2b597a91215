#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "common/messaging/amqp_internal.h"

/* More than that of a body is not kept; what is left is no JSON and goes the way of poison. */
enum { BODY_MAX = 1 << 20 };

void amqp_content_reset(struct amqp_content *content)
{
    struct buf body = content->body;
    buf_clear(&body);
    *content = (struct amqp_content){.body = body, .offset = -1};
}

bool amqp_link_has_work(const struct amqp_link *link)
{
    return link->connection &&
           (amqp_frames_enqueued(link->connection) || amqp_data_in_buffer(link->connection));
}

static void text_take(char *out, size_t size, amqp_bytes_t text)
{
    size_t used = text.len < size - 1 ? text.len : size - 1;
    if (used > 0)
        memcpy(out, text.bytes, used);
    out[used] = '\0';
}

static void blocked_set(struct bus_amqp *amqp, bool blocked, amqp_bytes_t reason)
{
    if (amqp->blocked == blocked)
        return;
    char text[ERR_TEXT_MAX];
    text_take(text, sizeof text, reason);
    amqp->blocked = blocked;
    bus_amqp_emit(
        amqp, &(struct bus_event){.kind = blocked ? BUS_BLOCKED : BUS_UNBLOCKED, .reason = text});
}

static void cancelled(struct bus_amqp *amqp, const amqp_basic_cancel_t *cancel)
{
    char tag[16];
    text_take(tag, sizeof tag, cancel->consumer_tag);
    size_t i = strtoul(tag, NULL, 10);
    bus_amqp_break(amqp, "the broker ended the consumer of %s",
                   i < amqp->plan.consumer_count ? amqp->plan.consumers[i].queue : tag);
}

static void method_arrived(struct bus_amqp *amqp, const amqp_method_t *method)
{
    struct err err;
    switch (method->id) {
    case AMQP_BASIC_ACK_METHOD: {
        const amqp_basic_ack_t *ack = method->decoded;
        amqp_publish_confirmed(amqp, ack->delivery_tag, ack->multiple, false);
        return;
    }
    case AMQP_BASIC_NACK_METHOD: {
        const amqp_basic_nack_t *nack = method->decoded;
        amqp_publish_confirmed(amqp, nack->delivery_tag, nack->multiple, true);
        return;
    }
    case AMQP_BASIC_RETURN_METHOD:
        amqp_content_reset(&amqp->returning);
        amqp->returning.open = true;
        return;
    case AMQP_BASIC_DELIVER_METHOD:
        amqp_consume_begin(amqp, method->decoded);
        return;
    case AMQP_BASIC_CANCEL_METHOD:
        cancelled(amqp, method->decoded);
        return;
    case AMQP_BASIC_CONSUME_OK_METHOD:
        amqp_consume_begun(amqp, ((const amqp_basic_consume_ok_t *)method->decoded)->consumer_tag);
        return;
    case AMQP_BASIC_CANCEL_OK_METHOD:
        amqp_consume_ended(amqp, ((const amqp_basic_cancel_ok_t *)method->decoded)->consumer_tag);
        return;
    case AMQP_CONNECTION_BLOCKED_METHOD:
        blocked_set(amqp, true, ((const amqp_connection_blocked_t *)method->decoded)->reason);
        return;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        blocked_set(amqp, false, amqp_empty_bytes);
        return;
    default: /* closes, and whatever else there should not be */
        (void)amqp_close_fail(method, &err);
        bus_amqp_break(amqp, "%s", err.text);
    }
}

static void content_complete(struct bus_amqp *amqp, struct amqp_content *content)
{
    if (content == &amqp->returning)
        amqp_publish_returned(amqp, content->message_id);
    else
        amqp_consume_complete(amqp);
    amqp_content_reset(content);
}

static void header_arrived(struct bus_amqp *amqp, struct amqp_content *content,
                           const amqp_frame_t *frame)
{
    if (!content->open || content->headed) {
        bus_amqp_break(amqp, "a content header that belongs to nothing");
        return;
    }
    content->headed = true;
    content->body_left = frame->payload.properties.body_size;
    amqp_consume_header(content, frame->payload.properties.decoded);
    if (content->body_left == 0)
        content_complete(amqp, content);
}

static void body_arrived(struct bus_amqp *amqp, struct amqp_content *content,
                         const amqp_frame_t *frame)
{
    amqp_bytes_t part = frame->payload.body_fragment;
    if (!content->headed || part.len > content->body_left) {
        bus_amqp_break(amqp, "a content body that belongs to nothing");
        return;
    }
    content->body_left -= part.len;
    size_t room = BODY_MAX - content->body.size;
    if (content != &amqp->returning)
        buf_append(&content->body, part.bytes, part.len < room ? part.len : room);
    if (content->body_left == 0)
        content_complete(amqp, content);
}

static void frame_arrived(struct bus_amqp *amqp, struct amqp_link *link, const amqp_frame_t *frame)
{
    struct amqp_content *content = link == &amqp->publish ? &amqp->returning : &amqp->arriving;
    if (frame->frame_type == AMQP_FRAME_METHOD)
        method_arrived(amqp, &frame->payload.method);
    else if (frame->frame_type == AMQP_FRAME_HEADER)
        header_arrived(amqp, content, frame);
    else if (frame->frame_type == AMQP_FRAME_BODY)
        body_arrived(amqp, content, frame);
}

/* Serves the heartbeats too: they live inside the library's calls. */
void amqp_frames_drain(struct bus_amqp *amqp, struct amqp_link *link)
{
    for (int i = 0; i < AMQP_FRAMES_PER_PUMP && link->connection && !amqp->broken; i++) {
        amqp_frame_t frame;
        struct timeval now = {0, 0};
        int status = amqp_simple_wait_frame_noblock(link->connection, &frame, &now);
        if (status == AMQP_STATUS_TIMEOUT)
            return;
        if (status != AMQP_STATUS_OK) {
            bus_amqp_break(amqp, "connection lost: %s", amqp_status_words(status).text);
            return;
        }
        frame_arrived(amqp, link, &frame);
        amqp_maybe_release_buffers(link->connection);
    }
}
