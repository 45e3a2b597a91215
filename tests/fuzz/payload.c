/* A JSON document through the scanner and the decoder of every message. What is accepted means the same when it is
 * written and read again; what is refused says why; the closed mode accepts nothing that the open one refuses. */
#include <math.h>
#include <stdbool.h>

#include "common/base/json.h"
#include "contracts/messages.h"
#include "tests/fuzz/fuzz.h"

enum { DEPTH_MAX = 16, ROOM = 1 << 22 };

static const struct json_limits roomy = {ROOM, DEPTH_MAX};

/* --- the document, as a second reader sees it ------------------------------------------------------- */

/* How many bytes the code point at `at` has; 0: it is none, not in its shortest form, or half a pair. */
static size_t point_size(const unsigned char *at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    uint32_t point = size == 1 ? at[0] : at[0] & (0x7fu >> size);
    if (size > 1 && (at[0] < 0xc0 || at[0] > 0xf7))
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (at[i] & 0x3f);
    }
    bool half = point >= 0xd800 && point <= 0xdfff;
    return point >= least[size] && point <= 0x10ffff && !half ? size : 0;
}

static void check_text(const char *text)
{
    size_t size;
    for (const unsigned char *at = (const unsigned char *)text; *at; at += size) {
        size = point_size(at);
        FUZZ_HOLDS(size > 0);
    }
}

static void check_name(const cJSON *member)
{
    check_text(member->string);
    for (const cJSON *other = member->next; other; other = other->next)
        FUZZ_HOLDS(strcmp(member->string, other->string) != 0);
}

/* Texts are UTF-8, names differ, numbers are numbers, nothing is nested too deeply. */
static void check_value(const cJSON *value, int depth_left)
{
    FUZZ_HOLDS(depth_left >= 0);
    if (cJSON_IsString(value))
        check_text(value->valuestring);
    if (cJSON_IsNumber(value))
        FUZZ_HOLDS(isfinite(value->valuedouble));
    for (const cJSON *child = value->child; child; child = child->next) {
        if (cJSON_IsObject(value))
            check_name(child);
        bool nests = cJSON_IsObject(child) || cJSON_IsArray(child);
        check_value(child, depth_left - nests);
    }
}

/* cJSON writes invalid UTF-8 or a cut number only if we let one in. */
static void check_document(const cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    cJSON *again = NULL;
    FUZZ_HOLDS(text);
    FUZZ_HOLDS(json_parse(text, strlen(text), &roomy, &again, NULL) == OK);
    FUZZ_HOLDS(cJSON_Compare(json, again, 1));
    cJSON_Delete(again);
    cJSON_free(text);
}

/* What the encoder writes even a reader takes that ignores nothing. */
static void check_bound(const struct bind_type *type, const void *value)
{
    static char again[PAYLOAD_SIZE_MAX];
    struct buf first = {0}, second = {0};
    cJSON *json = NULL;
    bind_encode(type, value, &first);
    FUZZ_HOLDS(json_parse(first.data, first.size, &roomy, &json, NULL) == OK);
    FUZZ_HOLDS(bind_decode(type, json, BIND_CLOSED, again, NULL) == OK);
    bind_encode(type, again, &second);
    FUZZ_HOLDS(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    cJSON_Delete(json);
    buf_release(&first);
    buf_release(&second);
}

static void check_type(const struct bind_type *type, const cJSON *json)
{
    static char value[PAYLOAD_SIZE_MAX], closed[PAYLOAD_SIZE_MAX];
    struct err err = {""}, closed_err = {""};
    enum result result = bind_decode(type, json, BIND_OPEN, value, &err);
    enum result closed_result = bind_decode(type, json, BIND_CLOSED, closed, &closed_err);
    FUZZ_HOLDS(result == OK || result == INVALID);
    FUZZ_HOLDS((result == OK) == (err.text[0] == '\0'));
    FUZZ_HOLDS((closed_result == OK) == (closed_err.text[0] == '\0'));
    FUZZ_HOLDS(result == OK || closed_result == INVALID);
    if (result == OK)
        check_bound(type, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct json_limits limits = {65536, DEPTH_MAX};
    struct err err = {""};
    cJSON *json = NULL;
    enum result result = json_parse((const char *)data, size, &limits, &json, &err);
    FUZZ_HOLDS(result == OK || result == INVALID);
    FUZZ_HOLDS((result == OK) == (err.text[0] == '\0'));
    if (result != OK)
        return 0;
    check_value(json, DEPTH_MAX - 1);
    check_document(json);
    for (const struct contract *contract = contracts; contract->type; contract++)
        check_type(contract->payload, json);
    cJSON_Delete(json);
    return 0;
}
