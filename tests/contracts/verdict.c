/* What the C decoders say of documents. Reads file names from standard input, one per line, and
 * prints for each document, separated by tabs: valid or invalid, its name, the reason.
 * TYPE/FOLDER/NAME.json holds one document; of TYPE/FOLDER/NAME.jsonl each line is one, named
 * NAME.jsonl:1 and so on. TYPE is a message type (the document is its data), "envelope", or "json"
 * (any document will do). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/messaging/envelope.h"
#include "contracts/messages.h"
#include "tests/contracts/corpus.h"

static enum result judge_data(const struct contract *contract, const char *text, size_t size,
                              struct err *err)
{
    static const struct json_limits limits = {ENVELOPE_SIZE_MAX, 16};
    cJSON *json = NULL;
    enum result result = json_parse(text, size, &limits, &json, err);
    if (result != OK || !contract) {
        cJSON_Delete(json);
        return result;
    }
    void *payload = malloc(contract->payload->size);
    if (!payload)
        abort();
    result = bind_decode(contract->payload, json, BIND_OPEN, payload, err);
    free(payload);
    cJSON_Delete(json);
    return result;
}

static enum result judge_envelope(const char *text, size_t size, struct err *err)
{
    struct envelope envelope;
    cJSON *document = NULL;
    const cJSON *data = NULL;
    enum result result = envelope_decode(text, size, &envelope, &document, &data, err);
    if (result == OK)
        cJSON_Delete(document);
    return result;
}

static void judge(const char *type, const char *name, const char *text, size_t size)
{
    struct err err = {""};
    enum result result = strcmp(type, CORPUS_ENVELOPE) == 0
                             ? judge_envelope(text, size, &err)
                             : judge_data(contract_find(type), text, size, &err);
    printf("%s\t%s\t%s\n", result == OK ? "valid" : "invalid", name, result == OK ? "" : err.text);
}

static void judge_lines(const char *type, const char *path, const struct buf *text)
{
    size_t number = 0;
    struct buf name = {0};
    for (const char *at = text->data, *end; at < text->data + text->size; at = end + 1) {
        end = memchr(at, '\n', text->size - (size_t)(at - text->data));
        if (!end)
            break;
        buf_clear(&name);
        buf_printf(&name, "%s:%zu", path, ++number);
        judge(type, name.data, at, (size_t)(end - at));
    }
    buf_release(&name);
}

static int judge_file(const char *path, struct buf *text)
{
    char type[CORPUS_TYPE_SIZE];
    if (corpus_type(path, type) != 0 || corpus_read(path, text) != 0)
        return -1;
    if (strcmp(type, CORPUS_ENVELOPE) != 0 && strcmp(type, CORPUS_JSON) != 0 &&
        !contract_find(type)) {
        fprintf(stderr, "%s: there is no message %s\n", path, type);
        return -1;
    }
    const char *suffix = strrchr(path, '.');
    if (suffix && strcmp(suffix, ".jsonl") == 0)
        judge_lines(type, path, text);
    else
        judge(type, path, text->data, text->size);
    return 0;
}

int main(void)
{
    char path[4096];
    int status = 0;
    struct buf text = {0};
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        if (judge_file(path, &text) != 0)
            status = 1;
    }
    buf_release(&text);
    return status;
}
