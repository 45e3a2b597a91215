#include "edge-service/head.h"

#include <string.h>
#include <strings.h>

#include "edge-service/head_span.h"

/* Whether any of eight bytes is a control, the tab and DEL among them. */
static bool has_control(uint64_t eight)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t below_space = (eight - each * ' ') & ~eight;
    uint64_t is_del = eight ^ each * 0x7f;
    return (below_space | ((is_del - each) & ~is_del)) & each * 0x80;
}

/* Likewise for text, of which there is most: eight bytes at once, as long as none is a control. */
static size_t run_of_text(struct span span)
{
    size_t length = 0;
    uint64_t eight;
    for (; span.size - length >= sizeof eight; length += sizeof eight) {
        memcpy(&eight, span.at + length, sizeof eight);
        if (has_control(eight))
            break;
    }
    while (length < span.size && is(span.at[length], TEXT))
        length++;
    return length;
}

static size_t count_of(struct span span, char byte)
{
    size_t count = 0;
    for (size_t i = 0; i < span.size; i++)
        count += span.at[i] == byte;
    return count;
}

/* Without the white space around it, RFC 9110 5.5. */
static struct span trimmed(struct span span)
{
    while (span.size > 0 && (*span.at == ' ' || *span.at == '\t'))
        span = rest_of(span, 1);
    while (span.size > 0 && (span.at[span.size - 1] == ' ' || span.at[span.size - 1] == '\t'))
        span.size--;
    return span;
}

enum why {
    BAD_LINE,
    BAD_TARGET,
    BAD_VERSION,
    LONG_TARGET,
    LARGE_HEAD,
    BAD_BYTE,
    BARE_RETURN,
    FOLDED,
    BAD_FIELD,
    DOUBLED,
    BAD_HOST,
    NO_HOST,
    BAD_FRAMING,
    BAD_EXPECTATION,
    LARGE_BODY,
    LONG_CHUNK_LINE,
    BAD_CHUNK_SIZE,
    BAD_CHUNK_END,
};

static const struct head_refusal refusals[] = {
    [BAD_LINE] = {400, "bad-head",
                  "the first line is a method, a target and a version, one space between them"},
    [BAD_TARGET] = {400, "bad-head",
                    "the target is a path, or http:// and the name of a host before it"},
    [BAD_VERSION] = {505, "bad-version", "this speaks HTTP/1.1"},
    [LONG_TARGET] = {414, "target-too-long", "the target is too long, or has too many parameters"},
    [LARGE_HEAD] = {431, "head-too-large", "the head is too long, or has too many fields"},
    [BAD_BYTE] = {400, "bad-head",
                  "a control character, or a line feed without a carriage return before it"},
    [BARE_RETURN] = {400, "bad-head", "a carriage return without a line feed behind it"},
    [FOLDED] = {400, "bad-head", "a line that goes on with the one before it is not read"},
    [BAD_FIELD] = {400, "bad-head", "a field is a name, at once a colon, and a value"},
    [DOUBLED] = {400, "doubled-field",
                 "Host, Content-Length, Transfer-Encoding, Content-Type, Authorization, "
                 "Idempotency-Key, Expect and traceparent: once each"},
    [BAD_HOST] = {400, "bad-head", "Host is not the name of a host"},
    [NO_HOST] = {400, "bad-head", "HTTP/1.1 wants a Host"},
    [BAD_FRAMING] = {400, "bad-framing",
                     "say once, by Content-Length or by Transfer-Encoding: chunked, where the body "
                     "ends"},
    [BAD_EXPECTATION] = {417, "bad-expectation", "only 100-continue can be expected"},
    [LARGE_BODY] = {413, "too-large", "a body of this size is not read"},
    [LONG_CHUNK_LINE] = {400, "bad-chunk", "the extensions of a chunk are too long"},
    [BAD_CHUNK_SIZE] = {400, "bad-chunk", "a chunk begins with its size in hexadecimal"},
    [BAD_CHUNK_END] = {400, "bad-chunk", "a chunk does not end where its size says"},
};

/* The first reason counts. Always false. */
static bool refuse(struct head_reader *reader, enum why why)
{
    if (!reader->refusal)
        reader->refusal = &refusals[why];
    return false;
}

/* --- the first line --------------------------------------------------------------------------- */

/* What the parts cost that libmicrohttpd will make of this line. */
static bool add_parts(struct head_reader *reader, size_t cost)
{
    reader->cost += cost;
    reader->parts += cost;
    if (reader->cost <= HEAD_COST_MAX && reader->parts <= HEAD_PARTS_MAX)
        return true;
    return refuse(reader, reader->begun ? LARGE_HEAD : LONG_TARGET);
}

static bool read_version(struct head_reader *reader, struct span version)
{
    static const char sample[] = "HTTP/1.1";
    if (version.size != sizeof sample - 1 || memcmp(version.at, sample, 5) != 0 ||
        !is(version.at[5], DIGIT) || version.at[6] != '.' || !is(version.at[7], DIGIT))
        return refuse(reader, BAD_LINE);
    if (version.at[5] != '1')
        return refuse(reader, BAD_VERSION);
    reader->version_1_0 = version.at[7] == '0';
    return true;
}

/* Takes out bytes that stand before `end`, of what is being read. */
static void take_out(struct head_reader *reader, char *bytes, size_t *size, struct span out)
{
    size_t from = (size_t)(out.at - bytes);
    memmove(bytes + from, bytes + from + out.size, *size - from - out.size);
    *size -= out.size;
    reader->line -= out.size;
    reader->seen -= out.size;
}

/* The host is this one, whatever it is called: what is left is the path, or what OPTIONS asks of the server
 * as a whole. */
static void shorten_target(struct head_reader *reader, char *bytes, size_t *size,
                           struct span method, struct span target, struct span prefix)
{
    if (prefix.size == 0 || *target.at == '/')
        return;
    if (prefix.size == target.size || target.at[prefix.size] == '?') {
        bool whole = prefix.size == target.size && equals(method, "OPTIONS");
        prefix.at[--prefix.size] = whole ? '*' : '/';
    }
    take_out(reader, bytes, size, prefix);
}

static bool read_first_line(struct head_reader *reader, char *bytes, size_t *size, struct span line)
{
    struct span method = {line.at, run_of(line, TOKEN)};
    struct span rest = rest_of(line, method.size);
    if (method.size == 0 || rest.size == 0 || *rest.at != ' ')
        return refuse(reader, BAD_LINE);
    rest = rest_of(rest, 1);
    struct span target = {rest.at, run_of(rest, VISIBLE)};
    rest = rest_of(rest, target.size);
    if (target.size == 0 || rest.size == 0 || *rest.at != ' ')
        return refuse(reader, BAD_LINE);
    reader->is_head = method.size == 4 && memcmp(method.at, "HEAD", 4) == 0;
    if (!read_version(reader, rest_of(rest, 1)))
        return false;
    struct span prefix;
    if (!head_target(method, target, &prefix))
        return refuse(reader, BAD_TARGET);
    if (memchr(target.at, '?', target.size) &&
        !add_parts(reader, HEAD_PART_COST * (1 + count_of(target, '&'))))
        return false;
    shorten_target(reader, bytes, size, method, target, prefix);
    reader->begun = true;
    return true;
}

/* --- the fields ------------------------------------------------------------------------------- */

enum field {
    FIELD_HOST,
    FIELD_EXPECT,
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    FIELD_LIST,  /* read elsewhere; may come more than once */
    FIELD_OTHER, /* from here on: read elsewhere, and told apart there by their names */
};

/* What the edge, or libmicrohttpd for it, reads of a head. All else is taken out. */
static const struct {
    const char *name;
    size_t length;
    enum field field;
} known[] = {
    {"Host", 4, FIELD_HOST},
    {"Prefer", 6, FIELD_LIST},
    {"Expect", 6, FIELD_EXPECT},
    {"Connection", 10, FIELD_LIST},
    {"traceparent", 11, FIELD_OTHER},
    {"Content-Type", 12, FIELD_OTHER},
    {"Authorization", 13, FIELD_OTHER},
    {"Content-Length", 14, FIELD_CONTENT_LENGTH},
    {"Idempotency-Key", 15, FIELD_OTHER},
    {"Content-Encoding", 16, FIELD_LIST},
    {"Transfer-Encoding", 17, FIELD_TRANSFER_ENCODING},
};
enum { KNOWN = sizeof known / sizeof known[0] };

static size_t find_known(struct span name)
{
    size_t i = 0;
    while (i < KNOWN &&
           (known[i].length != name.size || strncasecmp(known[i].name, name.at, name.size) != 0))
        i++;
    return i;
}

static bool read_length(struct head_reader *reader, struct span value)
{
    if (value.size == 0 || !all_of(value, DIGIT) || reader->chunked)
        return refuse(reader, BAD_FRAMING);
    uint64_t length = 0;
    for (size_t i = 0; i < value.size && length <= HEAD_BODY_MAX; i++)
        length = length * 10 + (uint64_t)(value.at[i] - '0');
    if (length > HEAD_BODY_MAX)
        return refuse(reader, LARGE_BODY);
    reader->left = length;
    return true;
}

static bool seen_before(const struct head_reader *reader, enum field field)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (known[i].field == field)
            return reader->fields & 1U << i;
    return false;
}

/* HTTP/1.0 knows no chunks: one reader of it would see them, another the connection's end. */
static bool read_coding(struct head_reader *reader, struct span value)
{
    reader->chunked = equals(value, "chunked") && !reader->version_1_0 &&
                      !seen_before(reader, FIELD_CONTENT_LENGTH);
    return reader->chunked || refuse(reader, BAD_FRAMING);
}

/* The white space behind a value goes before it, where libmicrohttpd passes over it. */
static void move_space(struct span field, struct span value)
{
    size_t space = (size_t)(field.at + field.size - (value.at + value.size));
    if (space == 0 || value.size == 0)
        return;
    memmove(value.at + space, value.at, value.size);
    memset(value.at, ' ', space);
}

static bool read_known(struct head_reader *reader, enum field field, struct span value)
{
    switch (field) {
    case FIELD_HOST:
        return all_of(value, AUTHORITY) || refuse(reader, BAD_HOST);
    case FIELD_EXPECT:
        return equals(value, "100-continue") || refuse(reader, BAD_EXPECTATION);
    case FIELD_CONTENT_LENGTH:
        return read_length(reader, value);
    case FIELD_TRANSFER_ENCODING:
        return read_coding(reader, value);
    case FIELD_LIST:
    case FIELD_OTHER:
        break;
    }
    return true;
}

/* The name before the colon; its size is 0 when it is none. */
static struct span name_of(struct span line)
{
    struct span name = {line.at, run_of(line, TOKEN)};
    if (name.size == line.size || line.at[name.size] != ':')
        name.size = 0;
    return name;
}

static bool bad_field(struct head_reader *reader, struct span line)
{
    return refuse(reader, *line.at == ' ' || *line.at == '\t' ? FOLDED : BAD_FIELD);
}

/* One that somebody reads. */
static bool keep_field(struct head_reader *reader, struct span line, struct span name, size_t i)
{
    reader->cost += line.size + 2;
    if (!add_parts(reader, HEAD_PART_COST))
        return false;
    if (reader->fields & 1U << i && known[i].field != FIELD_LIST)
        return refuse(reader, DOUBLED);
    struct span value = trimmed(rest_of(line, name.size + 1));
    if (!read_known(reader, known[i].field, value))
        return false;
    move_space(line, value);
    reader->fields |= 1U << i;
    return true;
}

static bool read_field(struct head_reader *reader, char *bytes, size_t *size, struct span line)
{
    struct span name = name_of(line);
    if (name.size == 0)
        return bad_field(reader, line);
    size_t i = find_known(name);
    if (i < KNOWN)
        return keep_field(reader, line, name, i);
    take_out(reader, bytes, size, (struct span){line.at, line.size + 2});
    return true;
}

/* --- lines, and what they belong to ----------------------------------------------------------- */

/* The next whole line, without its end; false: there is none yet, or never will be. A byte that may
 * not be there is noticed as soon as it comes. */
static bool next_line(struct head_reader *reader, char *bytes, size_t size, size_t room,
                      struct span *ret_line)
{
    struct span rest = {bytes + reader->seen, size - reader->seen};
    size_t at = reader->seen + run_of_text(rest);
    reader->seen = at;
    if (at - reader->line > room) {
        if (reader->part == HEAD_CHUNK_LINE)
            return refuse(reader, LONG_CHUNK_LINE);
        return refuse(reader, reader->begun ? LARGE_HEAD : LONG_TARGET);
    }
    if (at == size)
        return false;
    if (bytes[at] != '\r')
        return refuse(reader, BAD_BYTE);
    if (at + 1 == size)
        return false;
    if (bytes[at + 1] != '\n')
        return refuse(reader, BARE_RETURN);
    *ret_line = (struct span){bytes + reader->line, at - reader->line};
    reader->line = reader->seen = at + 2;
    return true;
}

static size_t room_of(const struct head_reader *reader, size_t max)
{
    return reader->cost < max ? max - reader->cost : 0;
}

/* Ready for the next piece. */
static void begin(struct head_reader *reader, enum head_part part)
{
    reader->part = part;
    reader->line = reader->seen = 0;
}

static void begin_head(struct head_reader *reader)
{
    begin(reader, HEAD_LINES);
    reader->begun = reader->blank = reader->chunked = reader->is_head = false;
    reader->fields = 0;
    reader->raw = reader->cost = reader->parts = 0;
    reader->left = reader->body = 0;
}

static bool finish_head(struct head_reader *reader)
{
    if (!reader->version_1_0 && !seen_before(reader, FIELD_HOST))
        return refuse(reader, NO_HOST);
    reader->heads++;
    reader->cost = reader->parts = 0;
    if (reader->chunked)
        begin(reader, HEAD_CHUNK_LINE);
    else if (reader->left > 0)
        begin(reader, HEAD_BODY);
    else
        begin_head(reader);
    return true;
}

/* RFC 9112 2.2: one empty line before a head is passed over. */
static bool pass_blank(struct head_reader *reader)
{
    if (reader->blank)
        return refuse(reader, BAD_LINE);
    reader->blank = true;
    return true;
}

/* Each of these returns the size of a whole piece, or 0. */

/* How long the line may be that is being read. The first one the library keeps as it is. */
static size_t room_of_line(const struct head_reader *reader)
{
    return reader->begun ? HEAD_SIZE_MAX - reader->raw : room_of(reader, HEAD_COST_MAX);
}

static size_t read_head(struct head_reader *reader, char *bytes, size_t *size)
{
    struct span line;
    while (next_line(reader, bytes, *size, room_of_line(reader), &line)) {
        size_t end = reader->line;
        if (line.size == 0 && reader->begun)
            return finish_head(reader) ? end : 0;
        reader->raw += line.size + 2;
        reader->cost += reader->begun ? 0 : line.size + 2;
        if (reader->raw > HEAD_SIZE_MAX)
            refuse(reader, LARGE_HEAD);
        if (reader->refusal || (line.size == 0  ? !pass_blank(reader)
                                : reader->begun ? !read_field(reader, bytes, size, line)
                                                : !read_first_line(reader, bytes, size, line)))
            return 0;
    }
    return 0;
}

static bool read_chunk_size(struct head_reader *reader, struct span digits)
{
    uint64_t chunk = 0;
    for (size_t i = 0; i < digits.size && chunk <= HEAD_BODY_MAX; i++) {
        int value = digits.at[i] | 0x20;
        chunk = chunk * 16 + (uint64_t)(value <= ('9' | 0x20) ? value - '0' : value - 'a' + 10);
    }
    if (chunk > HEAD_BODY_MAX - reader->body)
        return refuse(reader, LARGE_BODY);
    reader->body += chunk;
    reader->left = chunk;
    return true;
}

static bool is_hex(char byte)
{
    return is(byte, DIGIT) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

static size_t read_chunk_line(struct head_reader *reader, char *bytes, size_t size)
{
    struct span line;
    if (!next_line(reader, bytes, size, HEAD_CHUNK_LINE_MAX, &line))
        return 0;
    struct span digits = {line.at, 0};
    while (digits.size < line.size && is_hex(line.at[digits.size]))
        digits.size++;
    struct span extension = trimmed(rest_of(line, digits.size));
    if (digits.size == 0 ||
        (digits.size < line.size && (extension.size == 0 || *extension.at != ';'))) {
        refuse(reader, BAD_CHUNK_SIZE);
        return 0;
    }
    if (!read_chunk_size(reader, digits))
        return 0;
    memmove(bytes + line.size - digits.size, bytes, digits.size);
    memset(bytes, '0', line.size - digits.size);
    begin(reader, reader->left > 0 ? HEAD_CHUNK_DATA : HEAD_TRAILERS);
    return line.size + 2;
}

static size_t read_chunk_end(struct head_reader *reader, const char *bytes, size_t size)
{
    if (bytes[0] != '\r' || (size > 1 && bytes[1] != '\n')) {
        refuse(reader, BAD_CHUNK_END);
        return 0;
    }
    if (size < 2)
        return 0;
    begin(reader, HEAD_CHUNK_LINE);
    return 2;
}

/* Nobody reads them. */
static size_t read_trailer(struct head_reader *reader, char *bytes, size_t size)
{
    struct span line;
    if (!next_line(reader, bytes, size, room_of(reader, HEAD_TRAILERS_MAX), &line))
        return 0;
    if (line.size == 0) {
        begin_head(reader);
        return 2;
    }
    reader->cost += line.size + HEAD_PART_COST;
    if (reader->cost > HEAD_TRAILERS_MAX)
        refuse(reader, LARGE_HEAD);
    else if (name_of(line).size == 0)
        bad_field(reader, line);
    if (reader->refusal)
        return 0;
    begin(reader, HEAD_TRAILERS);
    return line.size + 2;
}

static size_t read_data(struct head_reader *reader, size_t size)
{
    size_t taken = size < reader->left ? size : (size_t)reader->left;
    reader->left -= taken;
    if (reader->left > 0)
        return taken;
    if (reader->part == HEAD_CHUNK_DATA)
        begin(reader, HEAD_CHUNK_END);
    else
        begin_head(reader);
    return taken;
}

static size_t read_piece(struct head_reader *reader, char *bytes, size_t *size)
{
    switch (reader->part) {
    case HEAD_LINES:
        return read_head(reader, bytes, size);
    case HEAD_CHUNK_LINE:
        return read_chunk_line(reader, bytes, *size);
    case HEAD_CHUNK_END:
        return read_chunk_end(reader, bytes, *size);
    case HEAD_TRAILERS:
        return read_trailer(reader, bytes, *size);
    case HEAD_BODY:
    case HEAD_CHUNK_DATA:
        break;
    }
    return read_data(reader, *size);
}

size_t head_read(struct head_reader *reader, char *bytes, size_t *size)
{
    size_t whole = 0;
    while (!reader->refusal && whole < *size) {
        size_t rest = *size - whole;
        size_t piece = read_piece(reader, bytes + whole, &rest);
        *size = whole + rest;
        if (piece == 0)
            break;
        whole += piece;
    }
    return whole;
}

const char *head_ending(const struct head_reader *reader)
{
    switch (reader->part) {
    case HEAD_CHUNK_LINE:
        return "0\r\n\r\n";
    case HEAD_CHUNK_END:
        return "\r\n0\r\n\r\n";
    case HEAD_TRAILERS:
        return "\r\n";
    case HEAD_LINES:
    case HEAD_BODY:
    case HEAD_CHUNK_DATA:
        break;
    }
    return reader->is_head ? "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
                           : "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
}

uint64_t head_refused(const struct head_reader *reader)
{
    if (!reader->refusal)
        return 0;
    return reader->part == HEAD_LINES ? reader->heads + 1 : reader->heads;
}
