/* A message as a queue or the log brings it: its envelope, its payload, what the load tool reads out of it, and what a
 * terminal shows of it. */
#include "common/messaging/envelope.h"
#include <inttypes.h>
#include <stdbool.h>

#include "common/base/json.h"
#include "common/messaging/quarantine.h"
#include "contracts/messages.h"
#include "load/fact.h"
#include "tests/fuzz/fuzz.h"

static void check_shown(const void *bytes, size_t size, size_t max)
{
    struct buf shown = {0};
    quarantine_print_bytes(&shown, bytes, size, max);
    FUZZ_HOLDS(shown.size <= 4 * (size < max ? size : max));
    for (size_t i = 0; i < shown.size; i++)
        FUZZ_HOLDS(shown.data[i] >= 0x20 && shown.data[i] < 0x7f);
    buf_release(&shown);
}

static bool same_envelope(const struct envelope *a, const struct envelope *b)
{
    return strcmp(a->id.text, b->id.text) == 0 && strcmp(a->type, b->type) == 0 &&
           strcmp(a->source, b->source) == 0 && strcmp(a->subject, b->subject) == 0 &&
           a->time_ms == b->time_ms && a->sequence == b->sequence &&
           strcmp(a->traceparent, b->traceparent) == 0;
}

static bool same_fact(const struct fact *a, const struct fact *b)
{
    return a->kind == b->kind && memcmp(&a->order, &b->order, sizeof a->order) == 0 &&
           a->sequence == b->sequence && strcmp(a->customer, b->customer) == 0 &&
           strcmp(a->reason, b->reason) == 0;
}

/* On what our own encoder wrote the cheap reader and the sure one say the same. */
static void check_fact(const char *body, size_t size)
{
    struct fact scanned = {.kind = FACT_OTHER}, parsed = {.kind = FACT_OTHER};
    if (fact_scan(body, size, &scanned) != OK)
        return;
    enum result result = fact_parse(body, size, &parsed);
    FUZZ_HOLDS(result == OK);
    FUZZ_HOLDS(scanned.kind == FACT_OTHER ? parsed.kind == FACT_OTHER
                                          : same_fact(&scanned, &parsed));
}

/* Written again it is read again, and means the same; cut anywhere it is no message. */
static void check_written(const struct envelope *envelope, const struct bind_type *type,
                          const void *payload)
{
    static char again[PAYLOAD_SIZE_MAX];
    struct buf body = {0}, second = {0};
    struct envelope reread;
    cJSON *document;
    const cJSON *data;
    envelope_encode(envelope, type, payload, &body);
    FUZZ_HOLDS(envelope_decode(body.data, body.size, &reread, &document, &data, NULL) == OK);
    FUZZ_HOLDS(same_envelope(envelope, &reread));
    FUZZ_HOLDS(bind_decode(type, data, BIND_CLOSED, again, NULL) == OK);
    envelope_encode(&reread, type, again, &second);
    FUZZ_HOLDS(body.size == second.size && memcmp(body.data, second.data, body.size) == 0);
    cJSON_Delete(document);
    size_t cut = (size_t)(unsigned char)envelope->id.text[0] * body.size / 256;
    FUZZ_HOLDS(envelope_decode(body.data, cut, &reread, &document, &data, NULL) == INVALID);
    check_fact(body.data, body.size);
    buf_release(&body);
    buf_release(&second);
}

/* The attribute of the document, or "" where there is none, or null. */
static bool says(const cJSON *document, const char *name, const char *text)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, name));
    return strcmp(value ? value : "", text) == 0;
}

static void check_attributes(const struct envelope *envelope, const cJSON *document)
{
    char sequence[24] = "";
    if (envelope->sequence != 0)
        snprintf(sequence, sizeof sequence, "%" PRId64, envelope->sequence);
    FUZZ_HOLDS(id_valid(envelope->id.text));
    FUZZ_HOLDS(envelope->sequence >= 0);
    FUZZ_HOLDS(says(document, "id", envelope->id.text));
    FUZZ_HOLDS(says(document, "source", envelope->source));
    FUZZ_HOLDS(says(document, "type", envelope->type));
    FUZZ_HOLDS(says(document, "subject", envelope->subject));
    FUZZ_HOLDS(says(document, "sequence", sequence));
    FUZZ_HOLDS(says(document, "traceparent", envelope->traceparent));
}

static void check_envelope(const struct envelope *envelope, const cJSON *data)
{
    static char payload[PAYLOAD_SIZE_MAX];
    FUZZ_HOLDS(cJSON_IsObject(data));
    const struct contract *contract = contract_find(envelope->type);
    if (contract && bind_decode(contract->payload, data, BIND_OPEN, payload, NULL) == OK)
        check_written(envelope, contract->payload, payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envelope envelope;
    struct err err = {""};
    struct fact fact;
    cJSON *document = NULL;
    const cJSON *inner = NULL;
    char *text = fuzz_text(data, size);
    check_shown(data, size, 512);
    (void)!fact_read(text, size, &fact);
    free(text);
    enum result result =
        envelope_decode((const char *)data, size, &envelope, &document, &inner, &err);
    FUZZ_HOLDS((result == OK) == (err.text[0] == '\0'));
    if (result == OK) {
        check_attributes(&envelope, document);
        check_envelope(&envelope, inner);
        cJSON_Delete(document);
    }
    return 0;
}
