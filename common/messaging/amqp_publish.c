#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/failpoint.h"
#include "common/messaging/amqp_internal.h"
#include "common/messaging/envelope.h"

/* Room for so much is asked of the socket at once: a publish into a full one would block. */
enum { BURST_MESSAGES = 32, BURST_BYTES = 64 * 1024 };

void amqp_ring_reset(struct amqp_ring *ring)
{
    for (size_t i = 0; i < ring->window; i++)
        ring->slots[i].state = AMQP_SLOT_FREE;
    ring->head = ring->next = 1;
    ring->burst_messages = 0;
    ring->burst_bytes = 0;
    ring->stalled = false;
    ring->corked = false;
}

/* A burst goes out in full segments instead of one per message: the broker wakes up less often, and
 * that is an eighth of all the CPU time that a message costs. A socket that does not know the option
 * sends as it always did. */
static void cork(struct bus_amqp *amqp, int on)
{
    (void)setsockopt(amqp->publish.fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
    amqp->ring.corked = on != 0;
}

void amqp_publish_flush(struct bus_amqp *amqp)
{
    if (amqp->ring.corked)
        cork(amqp, 0);
}

static struct amqp_slot *slot_at(struct amqp_ring *ring, uint64_t sequence)
{
    return &ring->slots[sequence % ring->window];
}

static bool burst_take(struct bus_amqp *amqp, size_t size)
{
    struct amqp_ring *ring = &amqp->ring;
    if (ring->burst_messages == 0 || ring->burst_bytes < size) {
        ring->stalled = !amqp_link_writable(&amqp->publish);
        if (ring->stalled)
            return false;
        ring->burst_messages = BURST_MESSAGES;
        ring->burst_bytes = BURST_BYTES;
    }
    ring->burst_messages--;
    ring->burst_bytes -= size < ring->burst_bytes ? size : ring->burst_bytes;
    return true;
}

static int message_write(struct bus_amqp *amqp, const struct bus_message *message)
{
    amqp_table_entry_t trace = {.key = amqp_cstring_bytes("traceparent")};
    trace.value.kind = AMQP_FIELD_KIND_UTF8;
    trace.value.value.bytes = amqp_cstring_bytes(message->traceparent ? message->traceparent : "");
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                  AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_TIMESTAMP_FLAG |
                  AMQP_BASIC_APP_ID_FLAG,
        .content_type = amqp_cstring_bytes(ENVELOPE_CONTENT_TYPE),
        .delivery_mode = AMQP_DELIVERY_PERSISTENT,
        .message_id = amqp_cstring_bytes(message->id),
        .type = amqp_cstring_bytes(message->routing_key),
        .timestamp = (uint64_t)(message->time_ms / 1000),
        .app_id = amqp_cstring_bytes(amqp->app_id),
    };
    if (trace.value.value.bytes.len > 0) {
        properties._flags |= AMQP_BASIC_HEADERS_FLAG;
        properties.headers = (amqp_table_t){1, &trace};
    }
    /* The library takes its bytes as not const, and does not change them. */
    amqp_bytes_t body = {message->size, (void *)message->body};
    return amqp_basic_publish(
        amqp->publish.connection, AMQP_CHANNEL, amqp_cstring_bytes(message->exchange),
        amqp_cstring_bytes(message->routing_key), amqp->switches.mandatory, 0, &properties, body);
}

enum result amqp_publish(struct bus_amqp *amqp, const struct bus_message *message, uint64_t token)
{
    struct amqp_ring *ring = &amqp->ring;
    size_t id_size = strlen(message->id);
    if (id_size >= AMQP_MESSAGE_ID_SIZE)
        return INVALID;
    if (amqp->state != AMQP_STATE_UP || amqp->broken || amqp->blocked ||
        ring->next - ring->head >= ring->window || !burst_take(amqp, message->size) ||
        FAILPOINT("publish-before"))
        return RETRY;
    struct amqp_slot *slot = slot_at(ring, ring->next++);
    if (!ring->corked)
        cork(amqp, 1);
    slot->token = token;
    slot->state = AMQP_SLOT_WAITING;
    memcpy(slot->message_id, message->id, id_size + 1);
    int status = message_write(amqp, message);
    if (FAILPOINT("publish-after"))
        status = AMQP_STATUS_SOCKET_ERROR;
    if (status != AMQP_STATUS_OK) /* half of it may be on its way: the fate is unknown */
        bus_amqp_break(amqp, "publish: %s", amqp_error_string2(status));
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
