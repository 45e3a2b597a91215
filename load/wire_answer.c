#include "load/wire_answer.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 15 };

struct head {
    size_t size; /* with the empty line */
    int status;
    bool chunked, keep, has_length;
    size_t length;
};

/* A number of at most 15 digits at the beginning of the text. */
static bool read_number(const char *text, int base, size_t *ret_value)
{
    char *end;
    size_t digits = strspn(text, base == 10 ? "0123456789" : "0123456789abcdefABCDEF");
    if (digits == 0 || digits > DIGITS_MAX)
        return false;
    *ret_value = (size_t)strtoull(text, &end, base);
    return true;
}

static bool value_is(const char *value, const char *wanted)
{
    size_t size = strlen(wanted);
    return strncasecmp(value, wanted, size) == 0 && !isalnum((unsigned char)value[size]);
}

/* One header line: the name is compared without case. */
static bool read_header(const char *line, struct head *head)
{
    static const char length[] = "content-length:";
    static const char encoding[] = "transfer-encoding:";
    static const char connection[] = "connection:";
    if (strncasecmp(line, length, sizeof length - 1) == 0) {
        const char *value = line + sizeof length - 1;
        head->has_length = true;
        return read_number(value + strspn(value, " \t"), 10, &head->length);
    }
    if (strncasecmp(line, encoding, sizeof encoding - 1) == 0) {
        const char *value = line + sizeof encoding - 1;
        head->chunked = value_is(value + strspn(value, " \t"), "chunked");
        return head->chunked;
    }
    if (strncasecmp(line, connection, sizeof connection - 1) == 0) {
        const char *value = line + sizeof connection - 1;
        value += strspn(value, " \t");
        if (value_is(value, "close"))
            head->keep = false;
        else if (value_is(value, "keep-alive"))
            head->keep = true;
    }
    return true;
}

static enum result read_head(const char *bytes, struct head *ret_head)
{
    struct head head = {.keep = true};
    size_t status;
    const char *end = strstr(bytes, "\r\n\r\n");
    if (strncmp(bytes, "HTTP/1.", strnlen(bytes, 7)) != 0)
        return INVALID;
    if (!end)
        return RETRY;
    if ((bytes[7] != '0' && bytes[7] != '1') || bytes[8] != ' ' ||
        !read_number(bytes + 9, 10, &status) || status < 100 || status > 999)
        return INVALID;
    head.status = (int)status;
    head.keep = bytes[7] == '1';
    head.size = (size_t)(end - bytes) + 4;
    for (const char *line = strstr(bytes, "\r\n") + 2; line < end; line = strstr(line, "\r\n") + 2)
        if (!read_header(line, &head))
            return INVALID;
    *ret_head = head;
    return OK;
}

/* Chunks (RFC 9112, 7.1) up to the last one and its trailer. */
static enum result read_chunks(const char *bytes, size_t size, struct buf *plain, size_t *ret_taken)
{
    size_t at = 0;
    for (;;) {
        size_t length;
        const char *line_end = strstr(bytes + at, "\r\n");
        if (!line_end)
            return size - at > 256 ? INVALID : RETRY;
        if (!read_number(bytes + at, 16, &length))
            return INVALID;
        size_t data = (size_t)(line_end - bytes) + 2;
        if (length == 0) {
            /* The trailer: lines until an empty one. */
            const char *end = strstr(line_end, "\r\n\r\n");
            *ret_taken = end ? (size_t)(end - bytes) + 4 : 0;
            return end ? OK : RETRY;
        }
        if (length > size || data + length + 2 > size)
            return RETRY;
        buf_append(plain, bytes + data, length);
        at = data + length + 2;
    }
}

static bool has_no_body(int status)
{
    return status == 204 || status == 304;
}

static enum result read_body(const char *bytes, size_t size, enum wire_end end,
                             const struct head *head, struct buf *plain,
                             struct wire_message *message)
{
    message->body = bytes + head->size;
    if (has_no_body(head->status)) {
        message->taken = head->size;
        return OK;
    }
    if (head->chunked) {
        size_t taken = 0;
        enum result result = read_chunks(bytes + head->size, size - head->size, plain, &taken);
        message->body = plain->data ? plain->data : "";
        message->size = plain->size;
        message->taken = head->size + taken;
        return result;
    }
    if (head->has_length) {
        message->size = head->length;
        message->taken = head->size + head->length;
        return size - head->size >= head->length ? OK : RETRY;
    }
    message->keep = false;
    message->size = size - head->size;
    message->taken = size;
    return end == WIRE_CLOSED ? OK : RETRY;
}

enum result wire_answer_read(const char *bytes, size_t size, enum wire_end end, struct buf *plain,
                             struct wire_message *ret_message)
{
    struct head head;
    size_t skipped = 0;
    buf_clear(plain);
    for (;;) {
        enum result result = read_head(bytes + skipped, &head);
        if (result != OK)
            return result;
        if (head.status >= 200)
            break;
        skipped += head.size; /* 100 Continue and the like */
    }
    struct wire_message message = {.status = head.status, .keep = head.keep};
    enum result result = read_body(bytes + skipped, size - skipped, end, &head, plain, &message);
    if (result != OK)
        return result;
    message.taken += skipped;
    *ret_message = message;
    return OK;
}
