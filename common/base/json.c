#include "common/base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json_memory.h"

enum {
    NUMBER_SIZE_MAX = 63, /* cJSON reads no more of a number than this */
    KEYS_INLINE = 32,
    KEYS_PAIRWISE = 12, /* up to here comparing each with each beats sorting */
};

/* A member's name after unescaping; in the document itself where nothing was escaped. */
struct key {
    const char *text;
    size_t size;
};

/* One pass over the document. The names of the objects that are open lie on one stack. */
struct scan {
    const char *begin, *at, *end;
    int depth_left;
    struct key *keys;
    size_t key_count, key_room;
    struct key keys_inline[KEYS_INLINE];
    char *unescaped; /* made when first needed; the names can never outgrow the document */
    size_t unescaped_size;
    struct err *err;
};

static enum result scan_fail(const struct scan *scan, const char *what)
{
    return err_set(scan->err, INVALID, "byte %zu: %s", (size_t)(scan->at - scan->begin), what);
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

static bool next_is(const struct scan *scan, char c)
{
    return scan->at < scan->end && *scan->at == c;
}

/* --- strings --------------------------------------------------------------------------------- */

/* ASCII that stands in a string as it is. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The high bit of each byte of `word` that is not plain, eight at once. A byte above one that is not
 * plain may be marked by mistake (the subtraction borrows): the first mark is right. */
static uint64_t not_plain(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = 0x80 * ones;
    uint64_t quote = word ^ ('"' * ones);
    uint64_t backslash = word ^ ('\\' * ones);
    uint64_t below = (word - 0x20 * ones) & ~word;
    uint64_t is_quote = (quote - ones) & ~quote;
    uint64_t is_backslash = (backslash - ones) & ~backslash;
    return (word | below | is_quote | is_backslash) & highs;
}

/* How many plain bytes come first. Most strings are plain from end to end, and half of all the time of
 * checking a document went into looking at their bytes one by one. */
static size_t plain_run(const char *text, size_t size)
{
    size_t at = 0;
    for (; size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        word = not_plain(word);
        if (word != 0 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
            return at + (size_t)__builtin_ctzll(word) / 8;
        if (word != 0)
            break;
    }
    while (at < size && is_plain((unsigned char)text[at]))
        at++;
    return at;
}

/* Steps over one sequence of two to four bytes of UTF-8 (RFC 3629: no overlong ones, no
 * surrogates, nothing above U+10FFFF). */
static enum result scan_utf8(struct scan *scan)
{
    const unsigned char *at = (const unsigned char *)scan->at;
    size_t left = (size_t)(scan->end - scan->at);
    size_t size = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    bool good = at[0] >= 0xc2 && at[0] <= 0xf4 && left >= size;
    for (size_t i = 1; good && i < size; i++)
        good = (at[i] & 0xc0) == 0x80;
    if (good && size == 3)
        good = !(at[0] == 0xe0 && at[1] < 0xa0) && !(at[0] == 0xed && at[1] >= 0xa0);
    if (good && size == 4)
        good = !(at[0] == 0xf0 && at[1] < 0x90) && !(at[0] == 0xf4 && at[1] >= 0x90);
    if (!good)
        return scan_fail(scan, "not UTF-8");
    scan->at += size;
    return OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of the \uXXXX that begins at `at`; -1 if none does. */
static int32_t escaped_unit(const char *at, const char *end)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    int32_t unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

static enum result scan_escape(struct scan *scan)
{
    if (scan->end - scan->at < 2)
        return scan_fail(scan, "the string does not end");
    char kind = scan->at[1];
    if (kind != 'u') {
        if (kind == '\0' || !strchr("\"\\/bfnrt", kind))
            return scan_fail(scan, "no such escape in a string");
        scan->at += 2;
        return OK;
    }
    int32_t unit = escaped_unit(scan->at, scan->end);
    if (unit < 0)
        return scan_fail(scan, "\\u needs four hexadecimal digits");
    if (unit == 0)
        return scan_fail(scan, "NUL in a string");
    if (is_low_surrogate(unit))
        return scan_fail(scan, "half a surrogate pair in a string");
    if (is_high_surrogate(unit)) {
        if (!is_low_surrogate(escaped_unit(scan->at + 6, scan->end)))
            return scan_fail(scan, "half a surrogate pair in a string");
        scan->at += 6;
    }
    scan->at += 6;
    return OK;
}

static void put_utf8(struct scan *scan, int32_t point)
{
    char *out = scan->unescaped + scan->unescaped_size;
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (char)(lead[size] | point);
    scan->unescaped_size += size;
}

/* Unescapes the text of a string that scan_string has found good. */
static struct key key_unescape(struct scan *scan, const char *at, const char *end)
{
    if (!scan->unescaped) {
        scan->unescaped = malloc((size_t)(scan->end - scan->begin));
        if (!scan->unescaped)
            abort();
    }
    size_t start = scan->unescaped_size;
    while (at < end) {
        if (*at != '\\') {
            scan->unescaped[scan->unescaped_size++] = *at++;
            continue;
        }
        int32_t point = escaped_unit(at, end);
        if (point < 0) {
            static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
            put_utf8(scan, to[strchr(from, at[1]) - from]);
            at += 2;
            continue;
        }
        at += 6;
        if (is_high_surrogate(point)) {
            point = 0x10000 + ((point - 0xd800) << 10) + (escaped_unit(at, end) - 0xdc00);
            at += 6;
        }
        put_utf8(scan, point);
    }
    return (struct key){scan->unescaped + start, scan->unescaped_size - start};
}

/* Steps over a string; its unescaped text goes to *ret_key where somebody asks. */
static enum result scan_string(struct scan *scan, struct key *ret_key)
{
    if (!next_is(scan, '"'))
        return scan_fail(scan, "expected a string");
    const char *start = ++scan->at;
    bool escapes = false;
    enum result result = OK;
    while (result == OK) {
        scan->at += plain_run(scan->at, (size_t)(scan->end - scan->at));
        if (scan->at == scan->end)
            return scan_fail(scan, "the string does not end");
        if (*scan->at == '"')
            break;
        if ((unsigned char)*scan->at < 0x20)
            return scan_fail(scan, "control character in a string");
        if (*scan->at == '\\') {
            escapes = true;
            result = scan_escape(scan);
        } else {
            result = scan_utf8(scan);
        }
    }
    if (result == OK && ret_key)
        *ret_key = escapes ? key_unescape(scan, start, scan->at)
                           : (struct key){start, (size_t)(scan->at - start)};
    scan->at++;
    return result;
}

/* --- numbers --------------------------------------------------------------------------------- */

static size_t scan_digits(struct scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return (size_t)(scan->at - start);
}

/* Whether a number is whole as written: its last digit that is not 0 does not stand behind the
 * point, once the exponent has moved it. */
static bool number_is_whole(const char *text)
{
    enum { FAR = 10000 }; /* no double has as many places */
    if (*text == '-')
        text++;
    int place = (int)strspn(text, "0123456789") - 1; /* units are 0, tenths -1 */
    int last = 2 * FAR;
    const char *at = text;
    for (; *at && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.')
            continue;
        if (*at != '0')
            last = place;
        place--;
    }
    long exponent = *at ? strtol(at + 1, NULL, 10) : 0;
    if (exponent < -FAR || exponent > FAR)
        exponent = exponent < 0 ? -FAR : FAR;
    return last + exponent >= 0;
}

/* A double that is a whole number must have been one as written: 0.99999999999999999999 would
 * read as 1. And it must be finite. */
static enum result check_double(const struct scan *scan, const char *start)
{
    char text[NUMBER_SIZE_MAX + 1];
    size_t size = (size_t)(scan->at - start);
    memcpy(text, start, size);
    text[size] = '\0';
    double value = strtod(text, NULL);
    if (!isfinite(value))
        return scan_fail(scan, "a number too large");
    if (fabs(value) <= (double)JSON_INTEGER_MAX && value == trunc(value) && !number_is_whole(text))
        return scan_fail(scan, "a number with more digits than can be kept");
    return OK;
}

static enum result scan_number(struct scan *scan)
{
    const char *start = scan->at;
    if (next_is(scan, '-'))
        scan->at++;
    const char *whole = scan->at;
    if (scan_digits(scan) == 0)
        return scan_fail(scan, "expected a value");
    if (*whole == '0' && scan->at - whole > 1)
        return scan_fail(scan, "a number with a leading 0");
    bool plain = true;
    if (next_is(scan, '.')) {
        plain = false;
        scan->at++;
        if (scan_digits(scan) == 0)
            return scan_fail(scan, "a number needs digits behind its point");
    }
    if (next_is(scan, 'e') || next_is(scan, 'E')) {
        plain = false;
        scan->at++;
        if (next_is(scan, '+') || next_is(scan, '-'))
            scan->at++;
        if (scan_digits(scan) == 0)
            return scan_fail(scan, "a number needs digits in its exponent");
    }
    if (scan->at - start > NUMBER_SIZE_MAX)
        return scan_fail(scan, "a number with too many digits");
    return plain ? OK : check_double(scan, start);
}

/* --- structure ------------------------------------------------------------------------------- */

static int key_order(const void *a, const void *b)
{
    const struct key *left = a, *right = b;
    if (left->size != right->size)
        return left->size < right->size ? -1 : 1;
    return memcmp(left->text, right->text, left->size);
}

static bool keys_repeat(struct key *keys, size_t count)
{
    if (count > KEYS_PAIRWISE) {
        qsort(keys, count, sizeof *keys, key_order);
        for (size_t i = 1; i < count; i++)
            if (key_order(&keys[i - 1], &keys[i]) == 0)
                return true;
        return false;
    }
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (key_order(&keys[i], &keys[j]) == 0)
                return true;
    return false;
}

static void key_push(struct scan *scan, struct key key)
{
    if (scan->key_count == scan->key_room) {
        size_t room = scan->key_room * 2;
        bool moved = scan->keys != scan->keys_inline;
        struct key *keys = realloc(moved ? scan->keys : NULL, room * sizeof *keys);
        if (!keys)
            abort();
        if (!moved)
            memcpy(keys, scan->keys_inline, sizeof scan->keys_inline);
        scan->keys = keys;
        scan->key_room = room;
    }
    scan->keys[scan->key_count++] = key;
}

static enum result scan_value(struct scan *scan);

static enum result scan_member(struct scan *scan)
{
    struct key key;
    enum result result = scan_string(scan, &key);
    if (result != OK)
        return result;
    key_push(scan, key);
    skip_space(scan);
    if (!next_is(scan, ':'))
        return scan_fail(scan, "expected a colon");
    scan->at++;
    return scan_value(scan);
}

/* Steps over the rest of an array or object, whose bracket has been read. */
static enum result scan_elements(struct scan *scan, char close, enum result (*one)(struct scan *))
{
    skip_space(scan);
    if (next_is(scan, close)) {
        scan->at++;
        return OK;
    }
    for (;;) {
        skip_space(scan);
        enum result result = one(scan);
        if (result != OK)
            return result;
        skip_space(scan);
        if (next_is(scan, close)) {
            scan->at++;
            return OK;
        }
        if (!next_is(scan, ','))
            return scan_fail(scan,
                             close == '}' ? "expected a comma or }" : "expected a comma or ]");
        scan->at++;
    }
}

static enum result scan_container(struct scan *scan)
{
    if (scan->depth_left == 0)
        return scan_fail(scan, "nested too deeply");
    scan->depth_left--;
    bool object = *scan->at++ == '{';
    size_t first_key = scan->key_count;
    enum result result = scan_elements(scan, object ? '}' : ']', object ? scan_member : scan_value);
    if (result == OK && object && keys_repeat(scan->keys + first_key, scan->key_count - first_key))
        result = scan_fail(scan, "an object has two members of the same name");
    scan->key_count = first_key;
    scan->depth_left++;
    return result;
}

static enum result scan_word(struct scan *scan, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
        return scan_fail(scan, "expected a value");
    scan->at += size;
    return OK;
}

static enum result scan_value(struct scan *scan)
{
    skip_space(scan);
    if (scan->at == scan->end)
        return scan_fail(scan, "the document ends too early");
    switch (*scan->at) {
    case '{':
    case '[':
        return scan_container(scan);
    case '"':
        return scan_string(scan, NULL);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    default:
        return scan_number(scan);
    }
}

static enum result scan_document(struct scan *scan)
{
    if (scan->end - scan->at >= 3 && memcmp(scan->at, "\xef\xbb\xbf", 3) == 0)
        return scan_fail(scan, "a byte order mark is not JSON");
    skip_space(scan);
    if (scan->at == scan->end)
        return scan_fail(scan, "there is no document");
    enum result result = scan_value(scan);
    if (result != OK)
        return result;
    skip_space(scan);
    if (scan->at != scan->end)
        return scan_fail(scan, "something follows the document");
    return OK;
}

/* --- the interface --------------------------------------------------------------------------- */

enum result json_parse(const char *text, size_t size, const struct json_limits *limits,
                       cJSON **ret_json, struct err *err)
{
    if (size > limits->max_size)
        return err_set(err, INVALID, "larger than %zu bytes", limits->max_size);
    if (size == 0)
        return err_set(err, INVALID, "there is no document");
    struct scan scan = {
        .begin = text,
        .at = text,
        .end = text + size,
        .depth_left = limits->max_depth,
        .key_room = KEYS_INLINE,
        .err = err,
    };
    scan.keys = scan.keys_inline;
    enum result result = scan_document(&scan);
    if (scan.keys != scan.keys_inline)
        free(scan.keys);
    free(scan.unescaped);
    if (result != OK)
        return result;
    json_memory_open();
    cJSON *json = cJSON_ParseWithLength(text, size);
    json_memory_close();
    if (!json)
        return err_set(err, INVALID, "cannot be read");
    *ret_json = json;
    return OK;
}

enum result json_integer(const cJSON *json, int64_t *ret_value, struct err *err)
{
    if (!cJSON_IsNumber(json))
        return err_set(err, INVALID, "must be an integer");
    double value = json->valuedouble; /* valueint is cut off at 2^31 */
    if (!isfinite(value) || value != trunc(value))
        return err_set(err, INVALID, "must be an integer");
    if (fabs(value) > (double)JSON_INTEGER_MAX)
        return err_set(err, INVALID, "must be between -%" PRId64 " and %" PRId64, JSON_INTEGER_MAX,
                       JSON_INTEGER_MAX);
    *ret_value = (int64_t)value;
    return OK;
}

void json_write_text(struct buf *out, const char *text)
{
    size_t size = strlen(text);
    size_t at = 0, from = 0; /* text[from, at) is still to be written */
    buf_append(out, "\"", 1);
    for (;;) {
        at += plain_run(text + at, size - at);
        if (at < size && (unsigned char)text[at] >= 0x80) {
            at++;
            continue;
        }
        buf_append(out, text + from, at - from);
        if (at == size)
            break;
        char c = text[at];
        if (c == '"' || c == '\\')
            buf_append(out, (const char[]){'\\', c}, 2);
        else
            buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
        from = ++at;
    }
    buf_append(out, "\"", 1);
}
