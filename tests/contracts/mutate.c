/* Breaks valid examples in every way that a contract's table knows of: each member left out, of
 * another type, at, just within and just beyond each limit. What the verdict on a mutant is, it does not
 * say; JSON Schema and the C decoders both judge it and must agree.
 *
 *     mutate FOLDER   reads file names from standard input, one per line, and writes the mutants of
 *                     each TYPE/valid/NAME.json to FOLDER/TYPE/mutants/NAME.jsonl */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/json.h"
#include "contracts/messages.h"
#include "tests/contracts/corpus.h"

struct mutator {
    cJSON *root;
    FILE *out;
};

/* Enough of a table to mutate an envelope by; it decodes nothing. */
/* clang-format off */
#define ATTRIBUTE(text, bytes)                                                                     \
    {                                                                                              \
        .name = (text), .kind = BIND_KIND_TEXT, .size = (bytes), .format = BIND_FREE, .min = 1,    \
        .max = (bytes)-1                                                                           \
    }
/* clang-format on */
static const struct bind_field envelope_fields[] = {
    ATTRIBUTE("specversion", 8),       ATTRIBUTE("id", 37),
    ATTRIBUTE("source", 40),           ATTRIBUTE("type", 48),
    ATTRIBUTE("subject", 64),          ATTRIBUTE("time", 40),
    ATTRIBUTE("traceparent", 56),      ATTRIBUTE("sequence", 19),
    ATTRIBUTE("datacontenttype", 256), {.name = "data", .kind = BIND_KIND_INT},
};
static const struct bind_type envelope_type = {CORPUS_ENVELOPE, 0, envelope_fields,
                                               sizeof envelope_fields / sizeof envelope_fields[0]};

static void emit(const struct mutator *mutator)
{
    char *text = cJSON_PrintUnformatted(mutator->root);
    if (!text)
        abort();
    fprintf(mutator->out, "%s\n", text);
    cJSON_free(text);
}

/* With member `name` of `owner` replaced by this JSON text. */
static void emit_with(const struct mutator *mutator, cJSON *owner, const char *name,
                      const char *json)
{
    cJSON *original = cJSON_DetachItemFromObjectCaseSensitive(owner, name);
    cJSON_AddItemToObject(owner, name, cJSON_CreateRaw(json));
    emit(mutator);
    cJSON_DeleteItemFromObjectCaseSensitive(owner, name);
    cJSON_AddItemToObject(owner, name, original);
}

static void emit_without(const struct mutator *mutator, cJSON *owner, const char *name)
{
    cJSON *original = cJSON_DetachItemFromObjectCaseSensitive(owner, name);
    emit(mutator);
    cJSON_AddItemToObject(owner, name, original);
}

static void emit_other_types(const struct mutator *mutator, cJSON *owner, const char *name)
{
    static const char *const others[] = {
        "null",     "true", "false", "0",    "-0.0",   "1",    "1.0",       "1e0",
        "-1",       "1.5",  "1e-1",  "1e19", "1e300",  "\"\"", "\"x\"",     "\"1\"",
        "\"null\"", "[]",   "[1]",   "[{}]", "[null]", "{}",   "{\"x\":1}",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        emit_with(mutator, owner, name, others[i]);
}

/* --- texts ----------------------------------------------------------------------------------- */

static void emit_text(const struct mutator *mutator, cJSON *owner, const char *name,
                      const char *text)
{
    struct buf json = {0};
    json_write_text(&json, text);
    emit_with(mutator, owner, name, json.data);
    buf_release(&json);
}

/* `text`, its last code point repeated or cut so that it has `points`. */
static void emit_of_length(const struct mutator *mutator, cJSON *owner, const char *name,
                           const char *text, int64_t points)
{
    struct buf out = {0};
    const char *point = text;
    buf_text(&out, "");
    for (int64_t i = 0; i < points; i++) {
        size_t size = 1;
        while (((unsigned char)point[size] & 0xc0) == 0x80)
            size++;
        buf_append(&out, point, size);
        if (point[size])
            point += size;
    }
    emit_text(mutator, owner, name, out.data);
    buf_release(&out);
}

static void emit_lengths(const struct mutator *mutator, cJSON *owner,
                         const struct bind_field *field, const char *text)
{
    int64_t room = (int64_t)field->size - 1;
    int64_t edges[] = {room, field->format == BIND_FREE ? field->min : 4,
                       field->format == BIND_FREE ? field->max : 32};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        for (int64_t points = edges[i] - 1; points <= edges[i] + 1; points++)
            if (points >= 0)
                emit_of_length(mutator, owner, field->name, text, points);
}

static void emit_texts(const struct mutator *mutator, cJSON *owner, const struct bind_field *field)
{
    static const char *const around[] = {"a", "A",  "0", "-", "_",        ".",
                                         " ", "\n", "/", "~", "\xc3\x9f", "\xf0\x9f\x98\x80"};
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(owner, field->name);
    char *text = strdup(member->valuestring);
    if (!text)
        abort();
    struct buf changed = {0};
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
        buf_clear(&changed);
        buf_printf(&changed, "%s%s", text, around[i]);
        emit_text(mutator, owner, field->name, changed.data);
        buf_clear(&changed);
        buf_printf(&changed, "%s%s", around[i], text);
        emit_text(mutator, owner, field->name, changed.data);
        buf_clear(&changed);
        buf_printf(&changed, "%s%s", around[i], *text ? text + 1 : "");
        emit_text(mutator, owner, field->name, changed.data);
        emit_lengths(mutator, owner, field, around[i]);
    }
    if (*text)
        emit_lengths(mutator, owner, field, text);
    for (size_t i = 0; text[i]; i++)
        text[i] =
            (char)(text[i] ^ (((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z') ? 0x20 : 0));
    emit_text(mutator, owner, field->name, text);
    for (size_t i = 0; field->format == BIND_CHOICE && field->choices[i]; i++)
        emit_text(mutator, owner, field->name, field->choices[i]);
    buf_release(&changed);
    free(text);
}

/* --- numbers, objects, arrays ---------------------------------------------------------------- */

static void emit_ints(const struct mutator *mutator, cJSON *owner, const struct bind_field *field)
{
    int64_t edges[] = {field->min, field->max};
    char json[64];
    for (size_t i = 0; i < 2; i++) {
        for (int64_t value = edges[i] - 1; value <= edges[i] + 1; value++) {
            snprintf(json, sizeof json, "%" PRId64, value);
            emit_with(mutator, owner, field->name, json);
        }
        snprintf(json, sizeof json, "\"%" PRId64 "\"", edges[i]);
        emit_with(mutator, owner, field->name, json);
        snprintf(json, sizeof json, "%" PRId64 ".5", edges[i] / 4);
        emit_with(mutator, owner, field->name, json);
    }
}

static void mutate_object(const struct mutator *mutator, cJSON *object,
                          const struct bind_type *type);

/* Grows the array to `count` copies of its first element, told apart by their SKU if they have one. */
static void emit_of_count(const struct mutator *mutator, cJSON *array, int64_t count)
{
    cJSON *saved = cJSON_Duplicate(array, 1);
    cJSON *first = cJSON_DetachItemFromArray(array, 0);
    while (array->child)
        cJSON_DeleteItemFromArray(array, 0);
    for (int64_t i = 0; i < count; i++) {
        char sku[SKU_SIZE];
        snprintf(sku, sizeof sku, "N-%" PRId64, i);
        cJSON *element = cJSON_Duplicate(first, 1);
        if (cJSON_HasObjectItem(element, "sku"))
            cJSON_ReplaceItemInObjectCaseSensitive(element, "sku", cJSON_CreateString(sku));
        cJSON_AddItemToArray(array, element);
    }
    emit(mutator);
    if (count > 0) { /* the last one is the first again */
        cJSON_DeleteItemFromArray(array, (int)count - 1);
        cJSON_AddItemToArray(array, cJSON_Duplicate(array->child ? array->child : first, 1));
        emit(mutator);
    }
    cJSON_Delete(first);
    while (array->child)
        cJSON_DeleteItemFromArray(array, 0);
    while (saved->child)
        cJSON_AddItemToArray(array, cJSON_DetachItemFromArray(saved, 0));
    cJSON_Delete(saved);
}

static void mutate_array(const struct mutator *mutator, cJSON *array,
                         const struct bind_field *field)
{
    for (int64_t count = field->min - 1; count <= field->min + 2; count++)
        emit_of_count(mutator, array, count);
    for (int64_t count = field->max - 1; count <= field->max + 1; count++)
        emit_of_count(mutator, array, count);
    mutate_object(mutator, array->child, field->type);
    if (array->child->next)
        mutate_object(mutator, array->child->prev, field->type); /* the last */
}

static void mutate_member(const struct mutator *mutator, cJSON *owner,
                          const struct bind_field *field)
{
    cJSON *member = cJSON_GetObjectItemCaseSensitive(owner, field->name);
    if (!member)
        return;
    emit_without(mutator, owner, field->name);
    emit_other_types(mutator, owner, field->name);
    member = cJSON_GetObjectItemCaseSensitive(owner, field->name);
    switch (field->kind) {
    case BIND_KIND_TEXT:
        if (cJSON_IsString(member)) /* or null, where it is optional */
            emit_texts(mutator, owner, field);
        break;
    case BIND_KIND_INT:
        emit_ints(mutator, owner, field);
        break;
    case BIND_KIND_OBJECT:
        mutate_object(mutator, member, field->type);
        break;
    case BIND_KIND_ARRAY:
        mutate_array(mutator, member, field);
        break;
    }
}

static void mutate_object(const struct mutator *mutator, cJSON *object,
                          const struct bind_type *type)
{
    cJSON_AddItemToObject(object, "unheard_of", cJSON_CreateRaw("{\"since\":[\"version 9\",0.5]}"));
    emit(mutator);
    cJSON_DeleteItemFromObjectCaseSensitive(object, "unheard_of");
    for (size_t i = 0; i < type->field_count; i++)
        mutate_member(mutator, object, &type->fields[i]);
}

/* --- files ----------------------------------------------------------------------------------- */

static FILE *open_mutants(const char *folder, const char *type, const char *path)
{
    struct buf name = {0};
    const char *base = strrchr(path, '/') + 1;
    buf_printf(&name, "%s/%s", folder, type);
    int failed = mkdir(name.data, 0777) != 0 && errno != EEXIST;
    buf_text(&name, "/mutants");
    failed |= mkdir(name.data, 0777) != 0 && errno != EEXIST;
    buf_printf(&name, "/%.*s.jsonl", (int)(strlen(base) - strlen(".json")), base);
    FILE *out = failed ? NULL : fopen(name.data, "we");
    if (!out)
        perror(name.data);
    buf_release(&name);
    return out;
}

static int mutate_file(const char *folder, const char *path, struct buf *text)
{
    char type[CORPUS_TYPE_SIZE];
    if (corpus_type(path, type) != 0 || corpus_read(path, text) != 0)
        return -1;
    const struct contract *contract = contract_find(type);
    if (!contract && strcmp(type, CORPUS_ENVELOPE) != 0) {
        fprintf(stderr, "%s: there is no message %s\n", path, type);
        return -1;
    }
    struct mutator mutator = {.root = cJSON_ParseWithLength(text->data, text->size)};
    mutator.out = open_mutants(folder, type, path);
    if (!mutator.root || !mutator.out) {
        fprintf(stderr, "%s: cannot be mutated\n", path);
        cJSON_Delete(mutator.root);
        if (mutator.out)
            fclose(mutator.out);
        return -1;
    }
    mutate_object(&mutator, mutator.root, contract ? contract->payload : &envelope_type);
    cJSON_Delete(mutator.root);
    return fclose(mutator.out);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: mutate FOLDER < NAMES\n");
        return 2;
    }
    char path[4096];
    int status = 0;
    struct buf text = {0};
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        if (mutate_file(argv[1], path, &text) != 0)
            status = 1;
    }
    buf_release(&text);
    return status;
}
