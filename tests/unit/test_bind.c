/* Tables that bind JSON to structs: what they accept, what they say about the rest, and that what
 * they write they read again. */
#include "common/base/bind.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "contracts/messages.h"
#include "tests/unit/unit.h"

struct part {
    int64_t weight;
    char sku[SKU_SIZE];
};
struct whole {
    char word[WORD_SIZE];
    char note[4 * 5 + 1];
    int64_t number;
    int64_t extra;
    struct part main;
    size_t count;
    struct part parts[3];
    char tail[WORD_SIZE];
};

static const struct bind_field part_fields[] = {
    BIND_TEXT_FIELD(struct part, sku, BIND_SKU),
    BIND_INT_FIELD(struct part, weight, -5, 5),
};
static const struct bind_type part_type = BIND_TYPE("part", struct part, part_fields);
static const char *const tails[] = {"long", "short", NULL};
static const struct bind_field whole_fields[] = {
    BIND_TEXT_FIELD(struct whole, word, BIND_WORD),
    BIND_FREE_FIELD(struct whole, note, 2, 5),
    BIND_NONZERO_FIELD(struct whole, number, -9, 9),
    {.name = "extra",
     .kind = BIND_KIND_INT,
     .need = BIND_OPTIONAL,
     .offset = offsetof(struct whole, extra),
     .min = 0,
     .max = 100},
    BIND_OBJECT_FIELD(struct whole, main, &part_type),
    BIND_ARRAY_FIELD(struct whole, parts, count, 1, 3, &part_type, struct part, sku),
    {.name = "tail",
     .kind = BIND_KIND_TEXT,
     .need = BIND_OPTIONAL,
     .offset = offsetof(struct whole, tail),
     .size = WORD_SIZE,
     .format = BIND_CHOICE,
     .choices = tails},
};
static const struct bind_type whole_type = BIND_TYPE("whole", struct whole, whole_fields);

static enum result decode(const struct bind_type *type, const char *text, enum bind_mode mode,
                          void *out, struct err *err)
{
    static const struct json_limits limits = {256 * 1024, 16};
    cJSON *json = NULL;
    enum result result = json_parse(text, strlen(text), &limits, &json, err);
    CU_ASSERT_EQUAL_FATAL(result, OK);
    result = bind_decode(type, json, mode, out, err);
    cJSON_Delete(json);
    return result;
}

#define HEAD "\"word\":\"a-1\",\"note\":\"\xc3\xa9\xe2\x82\xac\",\"number\":-9,"
#define MAIN "\"main\":{\"sku\":\"A\",\"weight\":5},"
#define PARTS "\"parts\":[{\"sku\":\"A\",\"weight\":0},{\"sku\":\"B\",\"weight\":0}]"
#define REST MAIN PARTS

static const struct {
    const char *text;
    const char *open, *closed; /* what is said; "" when all is well */
} verdicts[] = {
    {"{" HEAD REST "}", "", ""},
    {"{" PARTS "," MAIN HEAD "\"extra\":100,\"tail\":\"short\"}", "", ""},
    {"{" HEAD REST ",\"more\":1}", "", "more: unknown member"},
    {"{" HEAD REST ",\"more\":1.5,\"x\":{\"y\":[null]}}", "", "more: unknown member"},
    {"{\"a\\u0022b\":0," HEAD REST "}", "", "an unknown member"},
    {"{\"\":0," HEAD REST "}", "", "an unknown member"},
    {"{\"WORD\":\"x\"," HEAD REST "}", "", "WORD: unknown member"},
    {"{" HEAD "\"main\":{\"sku\":\"A\",\"weight\":5,\"x\":0}," PARTS "}", "",
     "main.x: unknown member"},
    {"{" HEAD MAIN "\"parts\":[{\"sku\":\"A\",\"weight\":0},{\"sku\":\"B\",\"weight\":0,\"x\":1}]}",
     "", "parts[1].x: unknown member"},
    {"[]", "must be an object", "must be an object"},
    {"7", "must be an object", "must be an object"},
    {"{}", "word: is missing", "word: is missing"},
    {"{" HEAD MAIN "\"x\":0}", "parts: is missing", "parts: is missing"},
    {"{" HEAD REST ",\"extra\":101}", "extra: must be between 0 and 100",
     "extra: must be between 0 and 100"},
    {"{" HEAD REST ",\"extra\":null}", "extra: must be an integer", "extra: must be an integer"},
    {"{" HEAD REST ",\"tail\":\"\"}", "tail: must be one of: long, short",
     "tail: must be one of: long, short"},
    {"{" HEAD REST ",\"tail\":7}", "tail: must be a string", "tail: must be a string"},
    {"{" HEAD "\"main\":[]," PARTS "}", "main: must be an object", "main: must be an object"},
    {"{" HEAD "\"main\":{}," PARTS "}", "main.sku: is missing", "main.sku: is missing"},
    {"{" HEAD "\"main\":{\"sku\":\"a\",\"weight\":0}," PARTS "}", "main.sku: must be a SKU",
     "main.sku: must be a SKU"},
    {"{" HEAD MAIN "\"parts\":{}}", "parts: must be an array", "parts: must be an array"},
    {"{" HEAD MAIN "\"parts\":[]}", "parts: must have 1 to 3 elements",
     "parts: must have 1 to 3 elements"},
    {"{" HEAD MAIN "\"parts\":[1]}", "parts[0]: must be an object", "parts[0]: must be an object"},
    {"{" HEAD MAIN "\"parts\":[{\"sku\":\"A\",\"weight\":0},{\"sku\":\"B\",\"weight\":6}]}",
     "parts[1].weight: must be between -5 and 5", "parts[1].weight: must be between -5 and 5"},
    {"{" HEAD MAIN "\"parts\":[{\"sku\":\"A\",\"weight\":0},{\"sku\":\"B\",\"weight\":0},"
     "{\"sku\":\"A\",\"weight\":1}]}",
     "parts[2]: has the same key as [0]", "parts[2]: has the same key as [0]"},
    {"{" HEAD MAIN "\"parts\":[{\"sku\":\"A\",\"weight\":0},{\"sku\":\"A\",\"weight\":1}]}",
     "parts[1]: has the same key as [0]", "parts[1]: has the same key as [0]"},
    {"{" HEAD MAIN "\"parts\":[{\"sku\":\"A\",\"weight\":0},{\"sku\":\"B\",\"weight\":0},"
     "{\"sku\":\"C\",\"weight\":1},{\"sku\":\"D\",\"weight\":1}]}",
     "parts: must have 1 to 3 elements", "parts: must have 1 to 3 elements"},
    {"{\"word\":\"a\",\"note\":\"ab\",\"number\":0," REST "}", "number: must not be 0",
     "number: must not be 0"},
    {"{\"word\":\"a\",\"note\":\"ab\",\"number\":1.5," REST "}", "number: must be an integer",
     "number: must be an integer"},
    {"{\"word\":\"a\",\"note\":\"a\",\"number\":1," REST "}", "note: must have 2 to 5 characters",
     "note: must have 2 to 5 characters"},
    {"{\"word\":\"a\",\"note\":\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
     "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\",\"number\":1," REST "}",
     "", ""},
    {"{\"word\":\"a\",\"note\":\"abcdef\",\"number\":1," REST "}",
     "note: must have 2 to 5 characters", "note: must have 2 to 5 characters"},
};

static void check_verdict(const char *text, enum bind_mode mode, const char *expected)
{
    struct whole out;
    struct err err = {""};
    enum result result = decode(&whole_type, text, mode, &out, &err);
    if (result == OK)
        err.text[0] = '\0';
    if (strcmp(err.text, expected) != 0)
        fprintf(stderr, "%s\n  says: %s\n  not:  %s\n", text, err.text, expected);
    CU_ASSERT_EQUAL(result, *expected ? INVALID : OK);
    CU_ASSERT_STRING_EQUAL(err.text, expected);
    CU_ASSERT_EQUAL(decode(&whole_type, text, mode, &out, NULL), result);
}

static void judges(void)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        check_verdict(verdicts[i].text, BIND_OPEN, verdicts[i].open);
        check_verdict(verdicts[i].text, BIND_CLOSED, verdicts[i].closed);
    }
}

static void fills_and_zeroes(void)
{
    struct whole out;
    memset(&out, 0x5a, sizeof out);
    CU_ASSERT_EQUAL_FATAL(decode(&whole_type, "{" HEAD REST "}", BIND_OPEN, &out, NULL), OK);
    CU_ASSERT_STRING_EQUAL(out.word, "a-1");
    CU_ASSERT_STRING_EQUAL(out.note, "\xc3\xa9\xe2\x82\xac");
    CU_ASSERT_EQUAL(out.number, -9);
    CU_ASSERT_EQUAL(out.extra, 0);
    CU_ASSERT_EQUAL(out.main.weight, 5);
    CU_ASSERT_EQUAL(out.count, 2);
    CU_ASSERT_STRING_EQUAL(out.parts[1].sku, "B");
    CU_ASSERT_EQUAL(out.parts[1].weight, 0);
    CU_ASSERT_EQUAL(out.parts[2].sku[0], 0x5a); /* not used, not touched */
    CU_ASSERT_STRING_EQUAL(out.tail, "");
}

static void encodes(void)
{
    struct whole value = {.word = "w", .note = "a\"b", .number = INT64_MIN, .count = 1};
    memcpy(value.main.sku, "M", 2);
    memcpy(value.parts[0].sku, "P", 2);
    struct buf out = {0};
    bind_encode(&whole_type, &value, &out);
    CU_ASSERT_STRING_EQUAL(out.data,
                           "{\"word\":\"w\",\"note\":\"a\\\"b\",\"number\":-9223372036854775808,"
                           "\"main\":{\"sku\":\"M\",\"weight\":0},"
                           "\"parts\":[{\"sku\":\"P\",\"weight\":0}]}");
    value.extra = 10;
    memcpy(value.tail, "long", 5);
    value.count = 0;
    buf_clear(&out);
    bind_encode(&whole_type, &value, &out);
    CU_ASSERT_STRING_EQUAL(out.data,
                           "{\"word\":\"w\",\"note\":\"a\\\"b\",\"number\":-9223372036854775808,"
                           "\"extra\":10,\"main\":{\"sku\":\"M\",\"weight\":0},\"parts\":[],"
                           "\"tail\":\"long\"}");
    static const struct bind_field optional[] = {
        {.name = "extra", .kind = BIND_KIND_INT, .need = BIND_OPTIONAL, .offset = 0, .max = 1}};
    static const struct bind_type empty_type = BIND_TYPE("empty", int64_t, optional);
    int64_t none = 0;
    buf_clear(&out);
    bind_encode(&empty_type, &none, &out);
    CU_ASSERT_STRING_EQUAL(out.data, "{}");
    buf_release(&out);
}

/* --- formats --------------------------------------------------------------------------------- */

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN
#define HEX16 "0123456789abcdef"

static const struct {
    enum bind_format format;
    const char *text;
    int good;
} formats[] = {
    {BIND_UUID, "0190b7a0-0000-7000-8000-00000000000f", 1},
    {BIND_UUID, "0190B7A0-0000-7000-8000-00000000000F", 0},
    {BIND_UUID, "0190b7a0-0000-7000-8000-00000000000", 0},
    {BIND_UUID, "0190b7a0-0000-7000-8000-00000000000ff", 0},
    {BIND_UUID, "0190b7a000000-7000-8000-00000000000f", 0},
    {BIND_UUID, "", 0},
    {BIND_SKU, "A", 1},
    {BIND_SKU, "9-", 1},
    {BIND_SKU, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-01234", 1},
    {BIND_SKU, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-012345", 0},
    {BIND_SKU, "", 0},
    {BIND_SKU, "-A", 0},
    {BIND_SKU, "a", 0},
    {BIND_SKU, "A_", 0},
    {BIND_SKU, "A\n", 0},
    {BIND_SKU, "\xc3\x84", 0},
    {BIND_TOKEN, "tok_a", 1},
    {BIND_TOKEN, "tok__9" TEN TEN TEN "abcdefgh", 1},
    {BIND_TOKEN, "tok__9" TEN TEN TEN "abcdefghi", 0},
    {BIND_TOKEN, "tok_", 0},
    {BIND_TOKEN, "tok", 0},
    {BIND_TOKEN, "Tok_a", 0},
    {BIND_TOKEN, "tok_A", 0},
    {BIND_TOKEN, "tok-a", 0},
    {BIND_CURRENCY, "EUR", 1},
    {BIND_CURRENCY, "EU", 0},
    {BIND_CURRENCY, "EURO", 0},
    {BIND_CURRENCY, "eur", 0},
    {BIND_CURRENCY, "EU1", 0},
    {BIND_WORD, "a", 1},
    {BIND_WORD, "a-9-", 1},
    {BIND_WORD, SIXTY "abcd", 1},
    {BIND_WORD, SIXTY "abcde", 0},
    {BIND_WORD, "9a", 0},
    {BIND_WORD, "-a", 0},
    {BIND_WORD, "a_b", 0},
    {BIND_WORD, "a b", 0},
    {BIND_TYPE_NAME, "order.place", 1},
    {BIND_TYPE_NAME, "a-b.c-d-e", 1},
    {BIND_TYPE_NAME, TEN TEN "abc." TEN TEN "abc", 1},
    {BIND_TYPE_NAME, TEN TEN "abc." TEN TEN "abcd", 0},
    {BIND_TYPE_NAME, "order", 0},
    {BIND_TYPE_NAME, "order.", 0},
    {BIND_TYPE_NAME, ".place", 0},
    {BIND_TYPE_NAME, "a.b.c", 0},
    {BIND_TYPE_NAME, "a--b.c", 0},
    {BIND_TYPE_NAME, "a-.c", 0},
    {BIND_TYPE_NAME, "a.-c", 0},
    {BIND_TYPE_NAME, "a.c1", 0},
    {BIND_SUBJECT, "A", 1},
    {BIND_SUBJECT, "0190b7a0-0000-7000-8000-00000000000f", 1},
    {BIND_SUBJECT, SIXTY "abc", 1},
    {BIND_SUBJECT, SIXTY "abcd", 0},
    {BIND_SUBJECT, "-", 0},
    {BIND_SUBJECT, "a.b", 0},
    {BIND_HEX64, HEX16 HEX16 HEX16 HEX16, 1},
    {BIND_HEX64, HEX16 HEX16 HEX16 HEX16 "0", 0},
    {BIND_HEX64, HEX16 HEX16 HEX16 "0123456789abcde", 0},
    {BIND_HEX64, HEX16 HEX16 HEX16 "0123456789abcdeF", 0},
};

/* As large as messages.h gives each format. */
static const size_t format_sizes[] = {
    [BIND_UUID] = UUID_SIZE,         [BIND_SKU] = SKU_SIZE,    [BIND_TOKEN] = TOKEN_SIZE,
    [BIND_CURRENCY] = CURRENCY_SIZE, [BIND_WORD] = WORD_SIZE,  [BIND_TYPE_NAME] = TYPE_SIZE,
    [BIND_SUBJECT] = ABOUT_SIZE,     [BIND_HEX64] = HASH_SIZE,
};

static void knows_the_formats(void)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct bind_field field = {.name = "text",
                                   .kind = BIND_KIND_TEXT,
                                   .size = format_sizes[formats[i].format],
                                   .format = formats[i].format};
        struct bind_type type = {"holder", field.size, &field, 1};
        char *out = malloc(field.size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        struct buf text = {0};
        buf_text(&text, "{\"text\":");
        json_write_text(&text, formats[i].text);
        buf_text(&text, "}");
        enum result result = decode(&type, text.data, BIND_CLOSED, out, NULL);
        if (result != (formats[i].good ? OK : INVALID))
            fprintf(stderr, "format %d: %s\n", formats[i].format, formats[i].text);
        CU_ASSERT_EQUAL(result, formats[i].good ? OK : INVALID);
        if (result == OK)
            CU_ASSERT_STRING_EQUAL(out, formats[i].text);
        buf_release(&text);
        free(out);
    }
}

/* --- the catalogue --------------------------------------------------------------------------- */

static void catalogue_is_sound(void)
{
    size_t count = 0;
    for (const struct contract *contract = contracts; contract->type; contract++, count++) {
        CU_ASSERT_PTR_EQUAL(contract_find(contract->type), contract);
        CU_ASSERT_STRING_EQUAL(contract->payload->name, contract->type);
        CU_ASSERT(contract->payload->size <= PAYLOAD_SIZE_MAX);
        CU_ASSERT(strlen(contract->type) < TYPE_SIZE);
    }
    CU_ASSERT_EQUAL(count, 26);
    CU_ASSERT_PTR_NULL(contract_find("order.teleported"));
    CU_ASSERT_PTR_NULL(contract_find(""));
}

/* --- property: what is written is read again, the same --------------------------------------- */

static uint64_t random_state;

static uint64_t next_random(void) /* splitmix64 */
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t random_below(size_t limit)
{
    assert(limit > 0);
    return (size_t)(next_random() % limit);
}

static void random_from(char *out, size_t count, const char *alphabet)
{
    for (size_t i = 0; i < count; i++)
        out[i] = alphabet[random_below(strlen(alphabet))];
    out[count] = '\0';
}

/* Code points that need care: quotes, escapes, controls, the ends of each length of UTF-8. */
static void random_free_text(const struct bind_field *field, char *out)
{
    static const char *const points[] = {"a",
                                         "\"",
                                         "\\",
                                         "/",
                                         "\x01",
                                         "\n",
                                         "\x7f",
                                         "\xc2\x80",
                                         "\xdf\xbf",
                                         "\xe0\xa0\x80",
                                         "\xef\xbf\xbf",
                                         "\xf0\x90\x80\x80",
                                         "{",
                                         "\xf4\x8f\xbf\xbf"};
    size_t count = (size_t)field->min + random_below((size_t)(field->max - field->min) + 1);
    for (size_t i = 0; i < count; i++) {
        const char *point = points[random_below(sizeof points / sizeof points[0])];
        memcpy(out, point, strlen(point));
        out += strlen(point);
    }
    *out = '\0';
}

static void random_text(const struct bind_field *field, char *out)
{
    static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                      lower[] = "abcdefghijklmnopqrstuvwxyz";
    switch (field->format) {
    case BIND_FREE:
        random_free_text(field, out);
        break;
    case BIND_UUID:
        random_from(out, 36, "0123456789abcdef");
        out[8] = out[13] = out[18] = out[23] = '-';
        break;
    case BIND_SKU:
        random_from(out, 1 + random_below(32), upper);
        break;
    case BIND_TOKEN:
        memcpy(out, "tok_", 4);
        random_from(out + 4, 1 + random_below(40), "abcxyz019_");
        break;
    case BIND_CURRENCY:
        random_from(out, 3, upper);
        break;
    case BIND_WORD:
        random_from(out, 1 + random_below(64), lower);
        break;
    case BIND_TYPE_NAME:
        random_from(out, 3 + random_below(45), lower);
        out[1] = '.';
        break;
    case BIND_SUBJECT:
        random_from(out, 1 + random_below(63), lower);
        break;
    case BIND_HEX64:
        random_from(out, 64, "0123456789abcdef");
        break;
    case BIND_CHOICE: {
        size_t count = 0;
        while (field->choices[count])
            count++;
        const char *choice = field->choices[random_below(count)];
        memcpy(out, choice, strlen(choice) + 1);
        break;
    }
    }
}

static int64_t random_int(const struct bind_field *field)
{
    int64_t edges[] = {field->min, field->max, field->min + 1, field->max - 1};
    int64_t value = edges[random_below(4)];
    if (next_random() % 2)
        value = field->min +
                (int64_t)(next_random() % ((uint64_t)field->max - (uint64_t)field->min + 1));
    return field->not_zero && value == 0 ? field->max : value;
}

static void random_struct(const struct bind_type *type, char *out);

static void random_array(const struct bind_field *field, char *owner)
{
    size_t count = (size_t)field->min + random_below((size_t)(field->max - field->min) + 1);
    memcpy(owner + field->count_offset, &count, sizeof count);
    for (size_t i = 0; i < count; i++) {
        char *element = owner + field->offset + i * field->type->size;
        random_struct(field->type, element);
        /* Distinct by their index. */
        snprintf(element + field->unique_offset, SKU_SIZE, "N%zu", i);
    }
}

static void random_struct(const struct bind_type *type, char *out)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct bind_field *field = &type->fields[i];
        int64_t number;
        switch (field->kind) {
        case BIND_KIND_TEXT:
            random_text(field, out + field->offset);
            break;
        case BIND_KIND_INT:
            number = random_int(field);
            memcpy(out + field->offset, &number, sizeof number);
            break;
        case BIND_KIND_OBJECT:
            random_struct(field->type, out + field->offset);
            break;
        case BIND_KIND_ARRAY:
            random_array(field, out);
            break;
        }
    }
}

static void check_round_trip(const struct bind_type *type, void *value, void *again)
{
    random_struct(type, value);
    struct buf first = {0}, second = {0};
    bind_encode(type, value, &first);
    struct err err = {""};
    enum result result = decode(type, first.data, BIND_CLOSED, again, &err);
    if (result != OK)
        fprintf(stderr, "%s: %s\n%s\n", type->name, err.text, first.data);
    CU_ASSERT_EQUAL_FATAL(result, OK);
    bind_encode(type, again, &second);
    CU_ASSERT_STRING_EQUAL(first.data, second.data);
    buf_release(&first);
    buf_release(&second);
}

static void round_trips(void)
{
    const char *seed = getenv("WARREN_SEED");
    random_state = seed ? strtoull(seed, NULL, 10) : 1;
    fprintf(stderr, "WARREN_SEED=%" PRIu64 " ", random_state);
    void *value = malloc(PAYLOAD_SIZE_MAX), *again = malloc(PAYLOAD_SIZE_MAX);
    CU_ASSERT_FATAL(value && again);
    for (const struct contract *contract = contracts; contract->type; contract++)
        for (int i = 0; i < 100; i++)
            check_round_trip(contract->payload, value, again);
    for (int i = 0; i < 100; i++)
        check_round_trip(&whole_type, value, again);
    free(value);
    free(again);
}

static const struct unit_case cases[] = {
    {"judges, and says why", judges},
    {"fills what is there and zeroes the rest", fills_and_zeroes},
    {"encodes", encodes},
    {"knows the formats", knows_the_formats},
    {"the catalogue is sound", catalogue_is_sound},
    {"what is written is read again", round_trips},
};

UNIT_MAIN("bind", cases)
