#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/failpoint.h"
#include "common/messaging/amqp_internal.h"

#define PROBE_TAG "probe"

enum { PROBE = -1 };

bool amqp_consume_is_probe(amqp_bytes_t tag)
{
    return tag.len == strlen(PROBE_TAG) && memcmp(tag.bytes, PROBE_TAG, tag.len) == 0;
}

static void copy_key(struct amqp_content *content, amqp_bytes_t key)
{
    size_t size = key.len < sizeof content->key ? key.len : sizeof content->key - 1;
    if (size > 0)
        memcpy(content->key, key.bytes, size);
    content->key[size] = '\0';
}

void amqp_consume_begin(struct bus_amqp *amqp, const amqp_basic_deliver_t *deliver)
{
    struct amqp_content *content = &amqp->arriving;
    char tag[16] = "";
    amqp_content_reset(content);
    content->open = true;
    content->tag = deliver->delivery_tag;
    content->redelivered = deliver->redelivered;
    content->consumer = PROBE;
    copy_key(content, deliver->routing_key);
    if (amqp_consume_is_probe(deliver->consumer_tag))
        return;
    if (deliver->consumer_tag.len > 0 && deliver->consumer_tag.len < sizeof tag)
        memcpy(tag, deliver->consumer_tag.bytes, deliver->consumer_tag.len);
    size_t consumer = strtoul(tag, NULL, 10);
    if (consumer >= amqp->plan.consumer_count) {
        bus_amqp_break(amqp, "a delivery for a consumer that is not ours");
        return;
    }
    content->consumer = (int)consumer;
}

static int64_t offset_of(const amqp_table_t *headers)
{
    static const char name[] = "x-stream-offset";
    for (int i = 0; i < headers->num_entries; i++) {
        const amqp_table_entry_t *entry = &headers->entries[i];
        if (entry->key.len != sizeof name - 1 ||
            memcmp(entry->key.bytes, name, entry->key.len) != 0)
            continue;
        if (entry->value.kind == AMQP_FIELD_KIND_I64)
            return entry->value.value.i64;
        if (entry->value.kind == AMQP_FIELD_KIND_U64)
            return (int64_t)entry->value.value.u64;
    }
    return -1;
}

void amqp_consume_header(struct amqp_content *content, const amqp_basic_properties_t *properties)
{
    if ((properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) &&
        properties->message_id.len < sizeof content->message_id) {
        if (properties->message_id.len > 0)
            memcpy(content->message_id, properties->message_id.bytes, properties->message_id.len);
        content->message_id[properties->message_id.len] = '\0';
    }
    if (properties->_flags & AMQP_BASIC_HEADERS_FLAG)
        content->offset = offset_of(&properties->headers);
}

void amqp_consume_complete(struct bus_amqp *amqp)
{
    const struct amqp_content *content = &amqp->arriving;
    if (content->consumer == PROBE) { /* acknowledged with the next that counts */
        amqp->last_tag = amqp->tag_base + content->tag;
        return;
    }
    const struct amqp_consumer *consumer = &amqp->plan.consumers[content->consumer];
    if (FAILPOINT("delivered")) {
        bus_amqp_break(amqp, "failpoint: a delivery is lost with its connection");
        return;
    }
    struct bus_delivery delivery = {
        .queue = consumer->queue,
        .tag = amqp->tag_base + content->tag,
        .redelivered = content->redelivered,
        .offset = consumer->stream ? content->offset : -1,
        .key = content->key,
        .message_id = content->message_id,
        .body = content->body.data ? content->body.data : "",
        .size = content->body.size,
    };
    amqp->last_tag = delivery.tag;
    bus_amqp_emit(amqp, &(struct bus_event){.kind = BUS_DELIVERY, .delivery = &delivery});
}

/* One channel carries all consumers, so that one multiple ack is enough for all of them. */
void amqp_consume_flush(struct bus_amqp *amqp)
{
    if (amqp->ack_wanted <= amqp->acked || amqp->broken || !amqp_link_writable(&amqp->consume, 0))
        return;
    int status = AMQP_STATUS_SOCKET_ERROR;
    if (!FAILPOINT("ack-before"))
        status = amqp_basic_ack(amqp->consume.connection, AMQP_CHANNEL,
                                amqp->ack_wanted - amqp->tag_base, 1);
    if (FAILPOINT("ack-after"))
        status = AMQP_STATUS_SOCKET_ERROR;
    if (status != AMQP_STATUS_OK)
        bus_amqp_break(amqp, "acknowledge: %s", amqp_status_words(status).text);
    amqp->acked = amqp->ack_wanted;
}

void amqp_consume_cancel(struct bus_amqp *amqp)
{
    amqp->cancels_sent = true;
    for (size_t i = 0; i < amqp->plan.consumer_count && !amqp->broken; i++) {
        char tag[24];
        snprintf(tag, sizeof tag, "%zu", i);
        amqp_basic_cancel_t cancel = {.consumer_tag = amqp_cstring_bytes(tag)};
        int status = amqp_send_method(amqp->consume.connection, AMQP_CHANNEL,
                                      AMQP_BASIC_CANCEL_METHOD, &cancel);
        if (status != AMQP_STATUS_OK)
            bus_amqp_break(amqp, "cancel: %s", amqp_status_words(status).text);
        amqp->cancels_left++;
    }
}

enum result amqp_consume_ack(struct bus_amqp *amqp, uint64_t tag)
{
    if (amqp->state != AMQP_STATE_UP || amqp->broken || tag <= amqp->tag_base)
        return RETRY;
    if (tag > amqp->last_tag)
        return INVALID;
    if (tag > amqp->ack_wanted)
        amqp->ack_wanted = tag;
    amqp_consume_flush(amqp);
    return OK;
}

static void probe_send(struct bus_amqp *amqp, amqp_method_number_t id, void *method)
{
    int status = amqp_send_method(amqp->consume.connection, AMQP_CHANNEL, id, method);
    if (status != AMQP_STATUS_OK)
        bus_amqp_break(amqp, "probe: %s", amqp_status_words(status).text);
}

static void probe_begin(struct bus_amqp *amqp)
{
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("x-stream-offset")};
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes("next");
    amqp_basic_consume_t consume = {
        .queue = amqp_cstring_bytes(amqp->plan.consumers[0].queue),
        .consumer_tag = amqp_cstring_bytes(PROBE_TAG),
        .arguments = {1, &entry},
    };
    amqp->probe_open = true;
    probe_send(amqp, AMQP_BASIC_CONSUME_METHOD, &consume);
}

void amqp_consume_probe(struct bus_amqp *amqp)
{
    int64_t now_ms = clock_mono_ms(amqp->clock);
    if (amqp->broken || !amqp->plan.consume_only || amqp->plan.consumer_count == 0 ||
        !amqp->plan.consumers[0].stream || now_ms < amqp->probe_ms)
        return;
    if (amqp->probe_open && now_ms >= amqp->probe_ms + AMQP_PROBE_PATIENCE_MS)
        bus_amqp_break(amqp, "%s: the broker does not say whether it can be read",
                       amqp->plan.consumers[0].queue);
    else if (!amqp->probe_open && amqp_link_writable(&amqp->consume, 0))
        probe_begin(amqp);
}

void amqp_consume_begun(struct bus_amqp *amqp, amqp_bytes_t tag)
{
    amqp_basic_cancel_t cancel = {.consumer_tag = amqp_cstring_bytes(PROBE_TAG)};
    if (amqp_consume_is_probe(tag))
        probe_send(amqp, AMQP_BASIC_CANCEL_METHOD, &cancel);
}

void amqp_consume_ended(struct bus_amqp *amqp, amqp_bytes_t tag)
{
    if (amqp_consume_is_probe(tag)) {
        amqp->probe_open = false;
        amqp->probe_ms = clock_mono_ms(amqp->clock) + AMQP_PROBE_EVERY_MS;
    } else if (amqp->cancels_left > 0) {
        amqp->cancels_left--;
    }
}
