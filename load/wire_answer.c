#include "load/wire_answer.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 15, CHUNK_LINE_MAX = 256 };

struct head {
    size_t size; /* with the empty line */
    int status;
    bool chunked, keep, has_length;
    size_t length;
};

/* A number of at most 15 digits, one of `ends` behind it. */
static bool read_number(const char *text, int base, const char *ends, size_t *ret_value)
{
    size_t digits = strspn(text, base == 10 ? "0123456789" : "0123456789abcdefABCDEF");
    if (digits == 0 || digits > DIGITS_MAX || strcspn(text + digits, ends) != 0)
        return false;
    *ret_value = (size_t)strtoull(text, NULL, base);
    return true;
}

/* Nothing but spaces up to the end of the line. */
static bool line_ends(const char *text)
{
    return text[strspn(text, " \t")] == '\r';
}

/* More is needed, unless there is a NUL where HTTP has none. */
static enum result not_yet(const char *text, size_t size)
{
    return strlen(text) < size ? INVALID : RETRY;
}

static bool value_is(const char *value, const char *wanted)
{
    size_t size = strlen(wanted);
    return strncasecmp(value, wanted, size) == 0 && !isalnum((unsigned char)value[size]);
}

/* Twice is fine, if it says the same. */
static bool read_length(const char *value, struct head *head)
{
    size_t length;
    if (!read_number(value, 10, " \t\r", &length) ||
        !line_ends(value + strspn(value, "0123456789")))
        return false;
    if (head->has_length && head->length != length)
        return false;
    head->has_length = true;
    head->length = length;
    return true;
}

/* Chunked and nothing else, once: what else there is we cannot undo. */
static bool read_coding(const char *value, struct head *head)
{
    static const char chunked[] = "chunked";
    if (head->chunked || strncasecmp(value, chunked, sizeof chunked - 1) != 0)
        return false;
    head->chunked = line_ends(value + sizeof chunked - 1);
    return head->chunked;
}

/* One header line: the name is compared without case. */
static bool read_header(const char *line, struct head *head)
{
    static const char length[] = "content-length:";
    static const char encoding[] = "transfer-encoding:";
    static const char connection[] = "connection:";
    if (strncasecmp(line, length, sizeof length - 1) == 0) {
        const char *value = line + sizeof length - 1;
        return read_length(value + strspn(value, " \t"), head);
    }
    if (strncasecmp(line, encoding, sizeof encoding - 1) == 0) {
        const char *value = line + sizeof encoding - 1;
        return read_coding(value + strspn(value, " \t"), head);
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

static enum result read_head(const char *bytes, size_t size, struct head *ret_head)
{
    struct head head = {.keep = true};
    size_t status;
    const char *end = strstr(bytes, "\r\n\r\n");
    if (strncmp(bytes, "HTTP/1.", strnlen(bytes, 7)) != 0)
        return INVALID;
    if (!end)
        return not_yet(bytes, size);
    if ((bytes[7] != '0' && bytes[7] != '1') || bytes[8] != ' ' ||
        !read_number(bytes + 9, 10, " \r", &status) || status < 100 || status > 999)
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
            return size - at > CHUNK_LINE_MAX ? INVALID : not_yet(bytes + at, size - at);
        size_t data = (size_t)(line_end - bytes) + 2;
        if (data - at > CHUNK_LINE_MAX || !read_number(bytes + at, 16, "; \t\r", &length))
            return INVALID;
        if (length == 0) {
            /* The trailer: lines until an empty one. */
            const char *end = strstr(line_end, "\r\n\r\n");
            *ret_taken = end ? (size_t)(end - bytes) + 4 : 0;
            return end ? OK : not_yet(line_end, size + 2 - data);
        }
        if (length > size || data + length + 2 > size)
            return RETRY;
        if (memcmp(bytes + data + length, "\r\n", 2) != 0)
            return INVALID;
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
        enum result result = read_head(bytes + skipped, size - skipped, &head);
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
