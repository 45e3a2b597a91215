#include <string.h>

#include "common/base/failpoint.h"
#include "common/messaging/amqp_internal.h"
#include "common/messaging/envelope.h"

void amqp_ring_reset(struct amqp_ring *ring)
{
    for (size_t i = 0; i < ring->window; i++)
        ring->slots[i].state = AMQP_SLOT_FREE;
    ring->head = ring->next = 1;
    amqp_burst_clear(&ring->burst);
    ring->stalled = false;
}

void amqp_publish_flush(struct bus_amqp *amqp)
{
    struct err err = {""};
    if (amqp->ring.burst.size == 0 || amqp->broken)
        return;
    enum result result = amqp_burst_end(&amqp->ring.burst, &amqp->publish, &err);
    if (FAILPOINT("publish-after"))
        result = err_set(&err, RETRY, "publish: failpoint");
    if (result != OK) /* half of it may be on its way: the fate is unknown */
        bus_amqp_break(amqp, "%s", err.text);
}

static struct amqp_slot *slot_at(struct amqp_ring *ring, uint64_t sequence)
{
    return &ring->slots[sequence % ring->window];
}

/* Room for a whole burst is asked of the socket before it begins: a write into a full one would block. */
static bool has_room(struct bus_amqp *amqp)
{
    struct amqp_ring *ring = &amqp->ring;
    if (ring->burst.size >= AMQP_BURST_BYTES)
        amqp_publish_flush(amqp);
    ring->stalled = ring->burst.size == 0 && !amqp_link_writable(&amqp->publish, 0);
    return !ring->stalled;
}

static enum result message_write(struct bus_amqp *amqp, const struct bus_message *message,
                                 struct err *err)
{
    amqp_table_entry_t trace = {.key = amqp_cstring_bytes("traceparent")};
    trace.value.kind = AMQP_FIELD_KIND_UTF8;
    trace.value.value.bytes = amqp_cstring_bytes(message->traceparent ? message->traceparent : "");
    struct amqp_content_out content = {
        .method =
            {
                .exchange = amqp_cstring_bytes(message->exchange),
                .routing_key = amqp_cstring_bytes(message->routing_key),
                .mandatory = amqp->switches.mandatory,
            },
        .properties =
            {
                ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                          AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG |
                          AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_APP_ID_FLAG,
                .content_type = amqp_cstring_bytes(ENVELOPE_CONTENT_TYPE),
                .delivery_mode = AMQP_DELIVERY_PERSISTENT,
                .message_id = amqp_cstring_bytes(message->id),
                .type = amqp_cstring_bytes(message->routing_key),
                .timestamp = (uint64_t)(message->time_ms / 1000),
                .app_id = amqp_cstring_bytes(amqp->app_id),
            },
        /* The library takes its bytes as not const, and does not change them. */
        .body = {message->size, (void *)message->body},
    };
    if (trace.value.value.bytes.len > 0) {
        content.properties._flags |= AMQP_BASIC_HEADERS_FLAG;
        content.properties.headers = (amqp_table_t){1, &trace};
    }
    return amqp_burst_add(&amqp->ring.burst, &amqp->publish, &content, err);
}

enum result amqp_publish(struct bus_amqp *amqp, const struct bus_message *message, uint64_t token)
{
    struct amqp_ring *ring = &amqp->ring;
    struct err err = {""};
    size_t id_size = strlen(message->id);
    if (id_size >= AMQP_MESSAGE_ID_SIZE)
        return INVALID;
    if (amqp->state != AMQP_STATE_UP || !amqp->publish.connection || amqp->blocked ||
        ring->next - ring->head >= ring->window || !has_room(amqp) || amqp->broken ||
        FAILPOINT("publish-before"))
        return RETRY;
    enum result result = message_write(amqp, message, &err);
    if (result == INVALID)
        return INVALID;
    if (result != OK) /* half of it may be on its way: the fate is unknown */
        bus_amqp_break(amqp, "%s", err.text);
    struct amqp_slot *slot = slot_at(ring, ring->next++);
    slot->token = token;
    slot->state = AMQP_SLOT_WAITING;
    memcpy(slot->message_id, message->id, id_size + 1);
    return OK;
}

static void slot_settle(struct bus_amqp *amqp, struct amqp_slot *slot, bool nacked)
{
    enum bus_fate fate = nacked                              ? FATE_NACKED
                         : slot->state == AMQP_SLOT_RETURNED ? FATE_RETURNED
                                                             : FATE_CONFIRMED;
    slot->state = AMQP_SLOT_FREE;
    bus_amqp_emit(amqp,
                  &(struct bus_event){.kind = BUS_SETTLED, .token = slot->token, .fate = fate});
}

/* Confirms come in any order, single and multiple mixed. The listener may publish meanwhile: slots
 * become free for it only when the head has moved. */
void amqp_publish_confirmed(struct bus_amqp *amqp, uint64_t sequence, bool multiple, bool nacked)
{
    struct amqp_ring *ring = &amqp->ring;
    if (multiple && sequence == 0)
        sequence = ring->next - 1;
    if (sequence >= ring->next) {
        bus_amqp_break(amqp, "a confirm for what was never published");
        return;
    }
    for (uint64_t i = multiple || sequence < ring->head ? ring->head : sequence; i <= sequence; i++)
        if (slot_at(ring, i)->state != AMQP_SLOT_FREE)
            slot_settle(amqp, slot_at(ring, i), nacked);
    while (ring->head < ring->next && slot_at(ring, ring->head)->state == AMQP_SLOT_FREE)
        ring->head++;
}

/* A return carries no tag; its confirm follows. Of two with one id the older is meant. */
void amqp_publish_returned(struct bus_amqp *amqp, const char *message_id)
{
    struct amqp_ring *ring = &amqp->ring;
    for (uint64_t i = ring->head; i < ring->next; i++) {
        struct amqp_slot *slot = slot_at(ring, i);
        if (slot->state == AMQP_SLOT_WAITING && strcmp(slot->message_id, message_id) == 0) {
            slot->state = AMQP_SLOT_RETURNED;
            return;
        }
    }
}

void amqp_publish_assume(struct bus_amqp *amqp)
{
    if (amqp->ring.head == amqp->ring.next)
        return;
    for (uint64_t i = amqp->ring.head; i < amqp->ring.next; i++)
        slot_at(&amqp->ring, i)->state = AMQP_SLOT_WAITING;
    amqp_publish_confirmed(amqp, amqp->ring.next - 1, true, false);
}
