#include "common/telemetry/otlp_pairs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"

static char *copy_of(const char *text, size_t size)
{
    char *copy = strndup(text, size);
    if (!copy)
        abort();
    return copy;
}

static char *trimmed(const char *text, size_t size)
{
    while (size > 0 && strchr(" \t", *text)) {
        text++;
        size--;
    }
    while (size > 0 && strchr(" \t", text[size - 1]))
        size--;
    return copy_of(text, size);
}

static int hex(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = digit ? strchr(digits, digit | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* In place. False: "%" without two digits behind it, or a NUL. */
static bool decode(char *text)
{
    char *out = text;
    for (; *text; text++) {
        if (*text != '%') {
            *out++ = *text;
            continue;
        }
        int high = hex(text[1]);
        int low = high < 0 ? -1 : hex(text[2]);
        if (low < 0 || 16 * high + low == 0)
            return false;
        *out++ = (char)(16 * high + low);
        text += 2;
    }
    *out = '\0';
    return true;
}

/* RFC 9110 5.6.2 */
static bool is_token(const char *text)
{
    static const char also[] = "!#$%&'*+-.^_`|~";
    for (; *text; text++)
        if (!strchr(also, *text) && !(*text >= '0' && *text <= '9') &&
            !((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z'))
            return false;
    return true;
}

static bool is_visible(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static bool is_utf8(const char *text)
{
    static const struct json_limits limits = {8 * OTLP_PAIRS_SIZE_MAX, 1};
    struct buf quoted = {0};
    cJSON *json = NULL;
    json_write_text(&quoted, text);
    enum result result = json_parse(quoted.data, quoted.size, &limits, &json, NULL);
    cJSON_Delete(json);
    buf_release(&quoted);
    return result == OK;
}

static const char *fault_of(const struct otlp_pair *pair, enum otlp_pairs_of of)
{
    if (!pair->name[0])
        return "it has no name";
    if (of == OTLP_HEADERS && !is_token(pair->name))
        return "its name is none of a header";
    if (of == OTLP_HEADERS && !is_visible(pair->value))
        return "its value is none of a header";
    if (of == OTLP_ATTRIBUTES && (!is_utf8(pair->name) || !is_utf8(pair->value)))
        return "it is not UTF-8";
    return NULL;
}

static struct otlp_pair *place_for(struct otlp_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].name, name) == 0) {
            free(pairs->items[i].name);
            free(pairs->items[i].value);
            return &pairs->items[i];
        }
    return &pairs->items[pairs->count++];
}

static const char *read_one(const char *text, size_t size, enum otlp_pairs_of of,
                            struct otlp_pairs *pairs)
{
    const char *equals = memchr(text, '=', size);
    if (!equals)
        return "it has no =";
    struct otlp_pair pair = {trimmed(text, (size_t)(equals - text)),
                             trimmed(equals + 1, size - (size_t)(equals + 1 - text))};
    const char *fault = decode(pair.name) && decode(pair.value)
                            ? fault_of(&pair, of)
                            : "% is followed by two hexadecimal digits";
    if (!fault) {
        *place_for(pairs, pair.name) = pair;
        return NULL;
    }
    free(pair.name);
    free(pair.value);
    return fault;
}

static bool is_blank(const char *text, size_t size)
{
    return strspn(text, " \t") >= size;
}

enum result otlp_pairs_read(const char *text, enum otlp_pairs_of of, struct otlp_pairs *ret_pairs,
                            struct err *err)
{
    struct otlp_pairs pairs = {calloc(OTLP_PAIRS_MAX, sizeof(struct otlp_pair)), 0};
    const char *fault = NULL;
    int number = 0;
    if (!pairs.items)
        abort();
    if (strlen(text) > OTLP_PAIRS_SIZE_MAX)
        fault = "the list is too long";
    while (!fault && *text) {
        size_t size = strcspn(text, ",");
        number++;
        if (pairs.count == OTLP_PAIRS_MAX)
            fault = "there are too many";
        else if (!is_blank(text, size))
            fault = read_one(text, size, of, &pairs);
        text += size + (text[size] == ',');
    }
    if (fault) {
        otlp_pairs_release(&pairs);
        return err_set(err, INVALID, "entry %d: %s", number, fault);
    }
    *ret_pairs = pairs;
    return OK;
}

void otlp_pairs_release(struct otlp_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    free(pairs->items);
    *pairs = (struct otlp_pairs){0};
}

const char *otlp_pairs_find(const struct otlp_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].name, name) == 0)
            return pairs->items[i].value;
    return NULL;
}
