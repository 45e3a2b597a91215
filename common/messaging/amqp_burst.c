#include "common/messaging/amqp_burst.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum {
    METHOD_MAX = 1024,     /* two names of 255 bytes */
    PROPERTIES_MAX = 2048, /* five more, and one header */
    TLS_HEAD_BYTES = 300,  /* about what goes before a body */
    ROOM_TIMEOUT_MS = 5000,
};

/* A frame, but for its payload. */
enum { FRAME_HEAD = 7, FRAME_END = 1 };

static void frame_append(struct buf *out, uint8_t type, amqp_bytes_t payload)
{
    unsigned char head[FRAME_HEAD] = {type, AMQP_CHANNEL >> 8, AMQP_CHANNEL & 0xff};
    uint32_t size = htobe32((uint32_t)payload.len);
    memcpy(head + 3, &size, sizeof size);
    buf_append(out, head, sizeof head);
    buf_append(out, payload.bytes, payload.len);
    buf_append(out, &(unsigned char){AMQP_FRAME_END}, FRAME_END);
}

static int method_encode(amqp_basic_publish_t *method, unsigned char *out)
{
    uint32_t id = htobe32(AMQP_BASIC_PUBLISH_METHOD);
    memcpy(out, &id, sizeof id);
    amqp_bytes_t room = {METHOD_MAX - sizeof id, out + sizeof id};
    int size = amqp_encode_method(AMQP_BASIC_PUBLISH_METHOD, method, room);
    return size < 0 ? size : size + (int)sizeof id;
}

static int properties_encode(struct amqp_content_out *content, unsigned char *out)
{
    uint16_t class_and_weight[2] = {htobe16(AMQP_BASIC_CLASS), 0};
    uint64_t size = htobe64(content->body.len);
    memcpy(out, class_and_weight, sizeof class_and_weight);
    memcpy(out + sizeof class_and_weight, &size, sizeof size);
    size_t head = sizeof class_and_weight + sizeof size;
    amqp_bytes_t room = {PROPERTIES_MAX - head, out + head};
    int used = amqp_encode_properties(AMQP_BASIC_CLASS, &content->properties, room);
    return used < 0 ? used : used + (int)head;
}

enum result amqp_burst_encode(struct buf *out, size_t frame_max, struct amqp_content_out *content,
                              struct err *err)
{
    unsigned char method[METHOD_MAX];
    unsigned char properties[PROPERTIES_MAX];
    int method_size = method_encode(&content->method, method);
    int properties_size = properties_encode(content, properties);
    if (method_size < 0 || properties_size < 0)
        return err_set(err, INVALID, "publish: %s",
                       amqp_error_string2(method_size < 0 ? method_size : properties_size));
    frame_append(out, AMQP_FRAME_METHOD, (amqp_bytes_t){(size_t)method_size, method});
    frame_append(out, AMQP_FRAME_HEADER, (amqp_bytes_t){(size_t)properties_size, properties});
    size_t part_max = frame_max > 0 ? frame_max - FRAME_HEAD - FRAME_END : SIZE_MAX;
    amqp_bytes_t rest = content->body;
    while (rest.len > 0) {
        amqp_bytes_t part = {rest.len < part_max ? rest.len : part_max, rest.bytes};
        frame_append(out, AMQP_FRAME_BODY, part);
        rest = (amqp_bytes_t){rest.len - part.len, (char *)rest.bytes + part.len};
    }
    return OK;
}

/* A socket that does not know the option sends as it always did. */
static void cork(const struct amqp_link *link, int on)
{
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

static enum result tls_add(struct amqp_burst *burst, const struct amqp_link *link,
                           const struct amqp_content_out *content, struct err *err)
{
    if (burst->size == 0)
        cork(link, 1);
    burst->size += content->body.len + TLS_HEAD_BYTES;
    const amqp_basic_publish_t *method = &content->method;
    int status =
        amqp_basic_publish(link->connection, AMQP_CHANNEL, method->exchange, method->routing_key,
                           method->mandatory, 0, &content->properties, content->body);
    return status == AMQP_STATUS_OK ? OK : amqp_status_fail(status, "publish", err);
}

enum result amqp_burst_add(struct amqp_burst *burst, const struct amqp_link *link,
                           struct amqp_content_out *content, struct err *err)
{
    if (link->tls)
        return tls_add(burst, link, content, err);
    size_t frame_max = (size_t)amqp_get_frame_max(link->connection);
    enum result result = amqp_burst_encode(&burst->frames, frame_max, content, err);
    burst->size = burst->frames.size;
    return result;
}

/* The socket was asked for room before the burst began: to wait here is the exception. */
static enum result write_all(const struct amqp_link *link, const char *data, size_t size,
                             struct err *err)
{
    while (size > 0) {
        ssize_t sent = send(link->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        } else if (sent < 0 && errno == EAGAIN) {
            if (!amqp_link_writable(link, ROOM_TIMEOUT_MS))
                return err_set(err, RETRY, "publish: no room on the socket for %d s",
                               ROOM_TIMEOUT_MS / 1000);
        } else if (sent < 0 && errno != EINTR) {
            return err_set(err, RETRY, "publish: %s", strerror(errno));
        }
    }
    return OK;
}

enum result amqp_burst_end(struct amqp_burst *burst, const struct amqp_link *link, struct err *err)
{
    enum result result = OK;
    if (link->tls)
        cork(link, 0);
    else
        result = write_all(link, burst->frames.data, burst->frames.size, err);
    amqp_burst_clear(burst);
    return result;
}

void amqp_burst_clear(struct amqp_burst *burst)
{
    buf_clear(&burst->frames);
    burst->size = 0;
}
