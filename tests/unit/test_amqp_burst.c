/* The frames of a burst, read back by the library's own decoder. */
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/messaging/amqp_burst.h"
#include "tests/unit/unit.h"

enum { FRAME_MAX = 4096, BODY_MAX = 3 * FRAME_MAX };

static char body[BODY_MAX];

static struct amqp_content_out content_of(size_t body_size)
{
    memset(body, 'b', sizeof body);
    return (struct amqp_content_out){
        .method = {.exchange = amqp_cstring_bytes("x"),
                   .routing_key = amqp_cstring_bytes("order.placed"),
                   .mandatory = 1},
        .properties = {._flags = AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG,
                       .message_id = amqp_cstring_bytes("id-1"),
                       .timestamp = 1234567890},
        .body = {body_size, body},
    };
}

static bool same(amqp_bytes_t bytes, const char *text)
{
    return bytes.len == strlen(text) && memcmp(bytes.bytes, text, bytes.len) == 0;
}

/* The next frame of `buf` from `*at`. */
static amqp_frame_t frame_next(amqp_connection_state_t reader, const struct buf *buf, size_t *at)
{
    amqp_frame_t frame = {0};
    while (frame.frame_type == 0 && *at < buf->size) {
        int used =
            amqp_handle_input(reader, (amqp_bytes_t){buf->size - *at, buf->data + *at}, &frame);
        CU_ASSERT_TRUE_FATAL(used > 0);
        *at += (size_t)used;
    }
    return frame;
}

static void publish_is_read(amqp_connection_state_t reader, const struct buf *buf, size_t *at,
                            size_t body_size)
{
    amqp_frame_t frame = frame_next(reader, buf, at);
    CU_ASSERT_EQUAL_FATAL(frame.frame_type, AMQP_FRAME_METHOD);
    CU_ASSERT_EQUAL(frame.channel, AMQP_CHANNEL);
    CU_ASSERT_EQUAL_FATAL(frame.payload.method.id, AMQP_BASIC_PUBLISH_METHOD);
    const amqp_basic_publish_t *method = frame.payload.method.decoded;
    CU_ASSERT_TRUE(same(method->exchange, "x"));
    CU_ASSERT_TRUE(same(method->routing_key, "order.placed"));
    CU_ASSERT_EQUAL(method->mandatory, 1);
    frame = frame_next(reader, buf, at);
    CU_ASSERT_EQUAL_FATAL(frame.frame_type, AMQP_FRAME_HEADER);
    CU_ASSERT_EQUAL(frame.payload.properties.class_id, AMQP_BASIC_CLASS);
    CU_ASSERT_EQUAL(frame.payload.properties.body_size, body_size);
    const amqp_basic_properties_t *properties = frame.payload.properties.decoded;
    CU_ASSERT_TRUE(same(properties->message_id, "id-1"));
    CU_ASSERT_EQUAL(properties->timestamp, 1234567890);
    for (size_t left = body_size; left > 0;) {
        frame = frame_next(reader, buf, at);
        CU_ASSERT_EQUAL_FATAL(frame.frame_type, AMQP_FRAME_BODY);
        amqp_bytes_t part = frame.payload.body_fragment;
        CU_ASSERT_EQUAL(part.len, left < FRAME_MAX - 8 ? left : FRAME_MAX - 8);
        CU_ASSERT_EQUAL(memcmp(part.bytes, body, part.len), 0);
        left -= part.len;
    }
}

static void the_library_reads_what_is_written(void)
{
    static const size_t sizes[] = {0, 1, 500, FRAME_MAX - 8, FRAME_MAX - 7, BODY_MAX};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    struct buf buf = {0};
    struct err err = {""};
    for (size_t i = 0; i < COUNT; i++) {
        struct amqp_content_out content = content_of(sizes[i]);
        CU_ASSERT_EQUAL(amqp_burst_encode(&buf, FRAME_MAX, &content, &err), OK);
    }
    amqp_connection_state_t reader = amqp_new_connection();
    size_t at = 0;
    for (size_t i = 0; i < COUNT; i++)
        publish_is_read(reader, &buf, &at, sizes[i]);
    CU_ASSERT_EQUAL(at, buf.size);
    amqp_destroy_connection(reader);
    buf_release(&buf);
}

static void what_is_too_large_adds_nothing(void)
{
    static char name[70000];
    memset(name, 'n', sizeof name - 1);
    struct buf buf = {0};
    struct err err = {""};
    struct amqp_content_out content = content_of(1);
    content.method.routing_key.len = 256;
    content.method.routing_key.bytes = name;
    CU_ASSERT_EQUAL(amqp_burst_encode(&buf, FRAME_MAX, &content, &err), INVALID);
    content = content_of(1);
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("k")};
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(name);
    content.properties._flags |= AMQP_BASIC_HEADERS_FLAG;
    content.properties.headers = (amqp_table_t){1, &entry};
    CU_ASSERT_EQUAL(amqp_burst_encode(&buf, FRAME_MAX, &content, &err), INVALID);
    CU_ASSERT_EQUAL(buf.size, 0);
    buf_release(&buf);
}

static void a_burst_leaves_whole_or_fails(void)
{
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct amqp_link link = {.fd = ends[0]};
    struct amqp_burst burst = {0};
    struct err err = {""};
    struct amqp_content_out content = content_of(500);
    CU_ASSERT_EQUAL(amqp_burst_encode(&burst.frames, 0, &content, &err), OK);
    struct buf sent = {0};
    buf_append(&sent, burst.frames.data, burst.frames.size);
    CU_ASSERT_EQUAL(amqp_burst_end(&burst, &link, &err), OK);
    CU_ASSERT_EQUAL(burst.frames.size, 0);
    char got[2000];
    CU_ASSERT_EQUAL(read(ends[1], got, sizeof got), (ssize_t)sent.size);
    CU_ASSERT_EQUAL(memcmp(got, sent.data, sent.size), 0);
    close(ends[1]);
    buf_append(&burst.frames, sent.data, sent.size);
    CU_ASSERT_EQUAL(amqp_burst_end(&burst, &link, &err), RETRY);
    CU_ASSERT_EQUAL(burst.frames.size, 0);
    close(ends[0]);
    buf_release(&burst.frames);
    buf_release(&sent);
}

/* Reads until the end; 0 when these were `size` bytes of the body. */
static int reader_main(int fd, size_t size)
{
    char part[1000];
    ssize_t got = 0;
    while ((got = read(fd, part, sizeof part)) > 0 && (size_t)got <= size) {
        for (ssize_t i = 0; i < got; i++)
            if (part[i] != 'b')
                return 1;
        size -= (size_t)got;
    }
    return got == 0 && size == 0 ? 0 : 1;
}

static void a_burst_waits_for_room(void)
{
    enum { SIZE = 4 << 20 };
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_t reader = fork();
    if (reader == 0) {
        close(ends[0]);
        _exit(reader_main(ends[1], SIZE));
    }
    close(ends[1]);
    struct amqp_link link = {.fd = ends[0]};
    struct amqp_burst burst = {0};
    struct err err = {""};
    memset(body, 'b', sizeof body);
    for (size_t left = SIZE; left > 0; left -= left < BODY_MAX ? left : BODY_MAX)
        buf_append(&burst.frames, body, left < BODY_MAX ? left : BODY_MAX);
    CU_ASSERT_EQUAL(amqp_burst_end(&burst, &link, &err), OK);
    close(ends[0]);
    int status = -1;
    CU_ASSERT_EQUAL(waitpid(reader, &status, 0), reader);
    CU_ASSERT_EQUAL(status, 0);
    buf_release(&burst.frames);
}

static const struct unit_case cases[] = {
    {"the library reads what is written", the_library_reads_what_is_written},
    {"what is too large adds nothing", what_is_too_large_adds_nothing},
    {"a burst leaves whole or fails", a_burst_leaves_whole_or_fails},
    {"a burst waits for room", a_burst_waits_for_room},
};
UNIT_MAIN("amqp burst", cases)
