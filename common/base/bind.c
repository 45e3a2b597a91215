#include "common/base/bind.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/json.h"

/* --- what a text must look like -------------------------------------------------------------- */

enum { UPPER = 1, LOWER = 2, DIGIT = 4, DASH = 8, UNDERSCORE = 16, HEX = 32 };

static unsigned class_of(char c)
{
    if (c >= '0' && c <= '9')
        return DIGIT | HEX;
    if (c >= 'a' && c <= 'z')
        return c <= 'f' ? LOWER | HEX : LOWER;
    if (c >= 'A' && c <= 'Z')
        return UPPER;
    return c == '-' ? DASH : c == '_' ? UNDERSCORE : 0;
}

static bool all_of(const char *text, unsigned classes)
{
    while (*text && (class_of(*text) & classes))
        text++;
    return *text == '\0';
}

/* Words of lower-case letters joined by single dashes; ends at a point or at the end. */
static const char *skip_name(const char *text)
{
    for (;;) {
        const char *start = text;
        while (class_of(*text) & LOWER)
            text++;
        if (text == start)
            return NULL;
        if (*text != '-')
            return text;
        text++;
    }
}

static bool is_type_name(const char *text)
{
    const char *at = skip_name(text);
    if (!at || *at != '.')
        return false;
    at = skip_name(at + 1);
    return at && *at == '\0';
}

static bool is_choice(const char *text, const char *const *choices)
{
    while (*choices && strcmp(*choices, text) != 0)
        choices++;
    return *choices;
}

/* Formats that are: a first character, then more of certain classes. */
struct format_rule {
    const char *name; /* for the sender's eyes */
    const char *prefix;
    size_t min, max; /* bytes, prefix included */
    unsigned first, rest;
};
static const struct format_rule format_rules[] = {
    [BIND_SKU] = {"a SKU", "", 1, 32, UPPER | DIGIT, UPPER | DIGIT | DASH},
    [BIND_TOKEN] = {"a payment token", "tok_", 5, 44, LOWER | DIGIT | UNDERSCORE,
                    LOWER | DIGIT | UNDERSCORE},
    [BIND_CURRENCY] = {"a currency code", "", 3, 3, UPPER, UPPER},
    [BIND_WORD] = {"a word of lower-case letters, digits and dashes", "", 1, 64, LOWER,
                   LOWER | DIGIT | DASH},
    [BIND_SUBJECT] = {"an id or a SKU", "", 1, 63, UPPER | LOWER | DIGIT,
                      UPPER | LOWER | DIGIT | DASH},
    [BIND_HEX64] = {"64 lower-case hexadecimal digits", "", 64, 64, HEX, HEX},
};

static bool rule_holds(const struct format_rule *rule, const char *text, size_t size)
{
    size_t prefix = strlen(rule->prefix);
    return size >= rule->min && size <= rule->max && memcmp(text, rule->prefix, prefix) == 0 &&
           (class_of(text[prefix]) & rule->first) && all_of(text + prefix, rule->rest);
}

static int64_t code_points(const char *text)
{
    int64_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static enum result choice_fail(const char *const *choices, struct err *err)
{
    char list[256] = "";
    size_t used = 0;
    for (; *choices && used < sizeof list; choices++) {
        int more =
            snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "", *choices);
        used += (size_t)(more > 0 ? more : 0);
    }
    return err_set(err, INVALID, "must be one of: %s", list);
}

static enum result check_text(const struct bind_field *field, const char *text, size_t size,
                              struct err *err)
{
    switch (field->format) {
    case BIND_FREE: {
        int64_t points = code_points(text);
        if (points >= field->min && points <= field->max)
            return OK;
        return err_set(err, INVALID, "must have %" PRId64 " to %" PRId64 " characters", field->min,
                       field->max);
    }
    case BIND_UUID:
        return id_valid(text) ? OK : err_set(err, INVALID, "must be a UUID in lower case");
    case BIND_TYPE_NAME:
        return is_type_name(text) ? OK : err_set(err, INVALID, "must be the type of a message");
    case BIND_CHOICE:
        return is_choice(text, field->choices) ? OK : choice_fail(field->choices, err);
    case BIND_SKU:
    case BIND_TOKEN:
    case BIND_CURRENCY:
    case BIND_WORD:
    case BIND_SUBJECT:
    case BIND_HEX64:
        break;
    }
    const struct format_rule *rule = &format_rules[field->format];
    if (rule_holds(rule, text, size))
        return OK;
    return err_set(err, INVALID, "must be %s", rule->name);
}

/* --- decoding -------------------------------------------------------------------------------- */

static enum result decode_object(const struct bind_type *type, const cJSON *json,
                                 enum bind_mode mode, char *out, struct err *err);

/* Puts the path of a member in front of what was said about it. */
static enum result member_fail(const char *path, const char *joint, enum result result,
                               struct err *err)
{
    if (!err)
        return result;
    struct err below = *err;
    return err_set(err, result, "%s%s%s", path, joint, below.text);
}

static enum result decode_text(const struct bind_field *field, const cJSON *json, char *out,
                               struct err *err)
{
    if (!cJSON_IsString(json))
        return err_set(err, INVALID, "must be a string");
    size_t size = strlen(json->valuestring);
    enum result result = check_text(field, json->valuestring, size, err);
    if (result != OK)
        return result;
    if (size >= field->size) /* a table whose struct has too little room */
        return err_set(err, INVALID, "too long");
    memcpy(out, json->valuestring, size + 1);
    return OK;
}

static enum result decode_int(const struct bind_field *field, const cJSON *json, char *out,
                              struct err *err)
{
    int64_t value;
    enum result result = json_integer(json, &value, err);
    if (result == OK && (value < field->min || value > field->max))
        result = err_set(err, INVALID, "must be between %" PRId64 " and %" PRId64, field->min,
                         field->max);
    if (result == OK && field->not_zero && value == 0)
        result = err_set(err, INVALID, "must not be 0");
    if (result == OK)
        memcpy(out, &value, sizeof value);
    return result;
}

/* Arrays are short (their tables bound them): comparing each with each is the fastest way. */
static enum result check_unique(const struct bind_field *field, const char *elements, size_t last,
                                struct err *err)
{
    const char *text = elements + last * field->type->size + field->unique_offset;
    for (size_t i = 0; i < last; i++)
        if (strcmp(elements + i * field->type->size + field->unique_offset, text) == 0)
            return err_set(err, INVALID, "has the same key as [%zu]", i);
    return OK;
}

static enum result decode_element(const struct bind_field *field, const cJSON *json,
                                  enum bind_mode mode, char *elements, size_t index,
                                  struct err *err)
{
    char path[32];
    snprintf(path, sizeof path, "[%zu]", index);
    if (!cJSON_IsObject(json))
        return err_set(err, INVALID, "%s: must be an object", path);
    enum result result =
        decode_object(field->type, json, mode, elements + index * field->type->size, err);
    if (result != OK)
        return member_fail(path, ".", result, err);
    if (!field->unique)
        return OK;
    result = check_unique(field, elements, index, err);
    return result == OK ? OK : member_fail(path, ": ", result, err);
}

static enum result decode_array(const struct bind_field *field, const cJSON *json,
                                enum bind_mode mode, char *owner, struct err *err)
{
    if (!cJSON_IsArray(json))
        return err_set(err, INVALID, ": must be an array");
    size_t count = 0;
    const cJSON *element = NULL;
    cJSON_ArrayForEach(element, json)
    {
        if ((int64_t)count == field->max)
            break;
        enum result result =
            decode_element(field, element, mode, owner + field->offset, count, err);
        if (result != OK)
            return result;
        count++;
    }
    if (element || (int64_t)count < field->min)
        return err_set(err, INVALID, ": must have %" PRId64 " to %" PRId64 " elements", field->min,
                       field->max);
    memcpy(owner + field->count_offset, &count, sizeof count);
    return OK;
}

static enum result decode_member(const struct bind_field *field, const cJSON *json,
                                 enum bind_mode mode, char *owner, struct err *err)
{
    enum result result = INVALID;
    const char *joint = ": ";
    switch (field->kind) {
    case BIND_KIND_TEXT:
        result = decode_text(field, json, owner + field->offset, err);
        break;
    case BIND_KIND_INT:
        result = decode_int(field, json, owner + field->offset, err);
        break;
    case BIND_KIND_OBJECT:
        if (!cJSON_IsObject(json)) {
            result = err_set(err, INVALID, "must be an object");
            break;
        }
        result = decode_object(field->type, json, mode, owner + field->offset, err);
        joint = ".";
        break;
    case BIND_KIND_ARRAY:
        result = decode_array(field, json, mode, owner, err);
        joint = ""; /* "[3].sku: ..." and ": must ..." bring their own */
        break;
    }
    return result == OK ? OK : member_fail(field->name, joint, result, err);
}

static bool field_holds(const struct bind_type *type, const char *name)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (strcmp(type->fields[i].name, name) == 0)
            return true;
    return false;
}

/* The sender's own name for a member goes into the message only when it is harmless. */
static enum result refuse_unknown(const struct bind_type *type, const cJSON *json, struct err *err)
{
    const cJSON *member = json->child;
    while (member && field_holds(type, member->string))
        member = member->next;
    if (member && strlen(member->string) <= 40 && member->string[0] &&
        all_of(member->string, UPPER | LOWER | DIGIT | DASH | UNDERSCORE))
        return err_set(err, INVALID, "%s: unknown member", member->string);
    return err_set(err, INVALID, "an unknown member");
}

/* Zeroes the struct without the elements of its arrays: a message of one line has room for 50. */
static void zero_struct(const struct bind_type *type, char *out)
{
    size_t at = 0;
    for (;;) {
        const struct bind_field *next = NULL;
        for (size_t i = 0; i < type->field_count; i++) {
            const struct bind_field *field = &type->fields[i];
            if (field->kind == BIND_KIND_ARRAY && field->offset >= at &&
                (!next || field->offset < next->offset))
                next = field;
        }
        if (!next) {
            memset(out + at, 0, type->size - at);
            return;
        }
        memset(out + at, 0, next->offset - at);
        at = next->offset + (size_t)next->max * next->type->size;
    }
}

/* The member `name`; `hint` is where it would be if they came in the order of the table. */
static const cJSON *find_member(const cJSON *json, const cJSON *hint, const char *name)
{
    if (hint && strcmp(hint->string, name) == 0)
        return hint;
    for (const cJSON *member = json->child; member; member = member->next)
        if (strcmp(member->string, name) == 0)
            return member;
    return NULL;
}

static enum result decode_object(const struct bind_type *type, const cJSON *json,
                                 enum bind_mode mode, char *out, struct err *err)
{
    zero_struct(type, out);
    const cJSON *hint = json->child;
    int found = 0;
    for (size_t i = 0; i < type->field_count; i++) {
        const struct bind_field *field = &type->fields[i];
        const cJSON *member = find_member(json, hint, field->name);
        if (!member) {
            if (field->need == BIND_OPTIONAL)
                continue;
            return err_set(err, INVALID, "%s: is missing", field->name);
        }
        enum result result = decode_member(field, member, mode, out, err);
        if (result != OK)
            return result;
        found++;
        hint = member->next;
    }
    if (mode == BIND_CLOSED && cJSON_GetArraySize(json) > found)
        return refuse_unknown(type, json, err);
    return OK;
}

enum result bind_decode(const struct bind_type *type, const cJSON *json, enum bind_mode mode,
                        void *out, struct err *err)
{
    if (!cJSON_IsObject(json))
        return err_set(err, INVALID, "must be an object");
    return decode_object(type, json, mode, out, err);
}

/* --- encoding -------------------------------------------------------------------------------- */

static int64_t int_at(const char *at)
{
    int64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static size_t count_at(const char *at)
{
    size_t count;
    memcpy(&count, at, sizeof count);
    return count;
}

static bool left_out(const struct bind_field *field, const char *owner)
{
    if (field->need == BIND_REQUIRED)
        return false;
    switch (field->kind) {
    case BIND_KIND_TEXT:
        return owner[field->offset] == '\0';
    case BIND_KIND_INT:
        return int_at(owner + field->offset) == 0;
    case BIND_KIND_ARRAY:
        return count_at(owner + field->count_offset) == 0;
    case BIND_KIND_OBJECT:
        break;
    }
    return false;
}

static void write_array(const struct bind_field *field, const char *owner, struct buf *out)
{
    size_t count = count_at(owner + field->count_offset);
    buf_append(out, "[", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append(out, ",", 1);
        bind_encode(field->type, owner + field->offset + i * field->type->size, out);
    }
    buf_append(out, "]", 1);
}

static void write_member(const struct bind_field *field, const char *owner, struct buf *out)
{
    switch (field->kind) {
    case BIND_KIND_TEXT:
        json_write_text(out, owner + field->offset);
        break;
    case BIND_KIND_INT:
        buf_int(out, int_at(owner + field->offset));
        break;
    case BIND_KIND_OBJECT:
        bind_encode(field->type, owner + field->offset, out);
        break;
    case BIND_KIND_ARRAY:
        write_array(field, owner, out);
        break;
    }
}

void bind_encode(const struct bind_type *type, const void *value, struct buf *out)
{
    char joint = '{';
    for (size_t i = 0; i < type->field_count; i++) {
        const struct bind_field *field = &type->fields[i];
        if (left_out(field, value))
            continue;
        buf_append(out, (const char[]){joint, '"'}, 2);
        buf_text(out, field->name);
        buf_append(out, "\":", 2);
        write_member(field, value, out);
        joint = ',';
    }
    buf_text(out, joint == '{' ? "{}" : "}");
}
