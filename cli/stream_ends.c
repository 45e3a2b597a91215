#include "cli/stream_ends.h"

#include <string.h>
#include <sys/time.h>

#include "cli/broker.h"
#include "common/base/clock.h"
#include "common/messaging/amqp_link.h"

enum { PREFETCH = 1000 };

static int64_t offset_in(const amqp_table_t *headers)
{
    static const char name[] = "x-stream-offset";
    for (int i = 0; i < headers->num_entries; i++) {
        const amqp_table_entry_t *entry = &headers->entries[i];
        if (entry->key.len == sizeof name - 1 &&
            memcmp(entry->key.bytes, name, entry->key.len) == 0 &&
            (entry->value.kind == AMQP_FIELD_KIND_I64 || entry->value.kind == AMQP_FIELD_KIND_U64))
            return entry->value.value.i64;
    }
    return -1;
}

/* The next message's offset; NOT_FOUND when none has come in time. */
static enum result take_one(struct amqp_link *link, int patience_ms, int64_t *ret_offset,
                            struct err *err)
{
    amqp_envelope_t envelope;
    struct timeval patience = {.tv_sec = patience_ms / 1000, .tv_usec = patience_ms % 1000 * 1000};
    amqp_maybe_release_buffers(link->connection);
    amqp_rpc_reply_t reply = amqp_consume_message(link->connection, &envelope, &patience, 0);
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
        reply.library_error == AMQP_STATUS_TIMEOUT)
        return NOT_FOUND;
    enum result result = amqp_reply_check(reply, err);
    if (result != OK)
        return result;
    *ret_offset = offset_in(&envelope.message.properties.headers);
    amqp_basic_ack(link->connection, AMQP_CHANNEL, envelope.delivery_tag, 0);
    amqp_destroy_envelope(&envelope);
    return OK;
}

static enum result subscribe(struct amqp_link *link, const char *stream, const char *from,
                             struct err *err)
{
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("x-stream-offset")};
    amqp_table_t arguments = {1, &entry};
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(from);
    amqp_basic_qos(link->connection, AMQP_CHANNEL, 0, PREFETCH, 0);
    enum result result = amqp_link_check(link, "qos", err);
    if (result != OK)
        return result;
    amqp_basic_consume(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(stream), amqp_empty_bytes,
                       0, 0, 0, arguments);
    return amqp_link_check(link, stream, err);
}

/* What the stream says that it holds. A busy broker may take long to send the first of it. */
static enum result count_messages(struct amqp_link *link, const char *stream, uint32_t *ret_count,
                                  struct err *err)
{
    const amqp_queue_declare_ok_t *there = amqp_queue_declare(
        link->connection, AMQP_CHANNEL, amqp_cstring_bytes(stream), 1, 0, 0, 0, amqp_empty_table);
    *ret_count = there ? there->message_count : 0;
    return amqp_link_check(link, stream, err);
}

/* The offset of the first message from there, or of the last one that comes without a pause: while
 * orders come in there may be none for hours, and then what comes within TAIL_MS will do. */
static enum result read_from(const struct amqp_target *target, const char *stream, const char *from,
                             int64_t *ret_offset, struct err *err)
{
    enum { EMPTY_MS = 300, FIRST_MS = 10000, NEXT_MS = 60, TAIL_MS = 2000 };
    bool to_the_end = strcmp(from, "last") == 0;
    struct amqp_link link;
    int64_t offset = -1;
    uint32_t count = 0;
    enum result result = amqp_link_open(target, "status", &link, err);
    if (result != OK)
        return result;
    result = count_messages(&link, stream, &count, err);
    if (result == OK)
        result = subscribe(&link, stream, from, err);
    if (result == OK)
        result = take_one(&link, count > 0 ? FIRST_MS : EMPTY_MS, &offset, err);
    if (result == NOT_FOUND && count > 0)
        result = err_set(err, RETRY, "%s: it holds messages, and none has come in %d s", stream,
                         FIRST_MS / 1000);
    *ret_offset = offset;
    int64_t until_ms = clock_mono_ms(clock_system()) + TAIL_MS;
    while (to_the_end && result == OK && clock_mono_ms(clock_system()) < until_ms) {
        result = take_one(&link, NEXT_MS, &offset, err);
        if (result == OK)
            *ret_offset = offset;
    }
    amqp_link_farewell(&link);
    return result == NOT_FOUND ? OK : result;
}

enum result stream_ends(const struct suite *suite, const char *stream, struct stream_ends *ret_ends,
                        struct err *err)
{
    struct amqp_target target;
    struct stream_ends ends = {.first = -1, .last = -1};
    enum result result = broker_target(suite, &target, err);
    if (result == OK)
        result = read_from(&target, stream, "first", &ends.first, err);
    if (result == OK && ends.first >= 0)
        result = read_from(&target, stream, "last", &ends.last, err);
    if (result == OK)
        *ret_ends = ends;
    return result;
}
