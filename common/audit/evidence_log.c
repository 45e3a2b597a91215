/* The stream: every fact as a reader sees it, its first occurrence kept. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/audit/evidence.h"
#include "common/base/digest.h"
#include "common/messaging/envelope.h"

static void copy(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text);
}

static void note_series(struct evidence *e, const struct stream_fact *fact)
{
    char key[128];
    snprintf(key, sizeof key, "%s %s", fact->source, fact->subject);
    struct series *series = map_get(&e->series, key);
    if (series->count++ == 0) {
        copy(series->source, sizeof series->source, fact->source);
        copy(series->subject, sizeof series->subject, fact->subject);
        series->lowest = fact->sequence;
    }
    if (fact->sequence < series->lowest)
        series->lowest = fact->sequence;
    if (fact->time_ms > series->last_ms)
        series->last_ms = fact->time_ms;
    if (fact->sequence > series->highest)
        series->highest = fact->sequence;
}

static void note_first(struct evidence *e, struct stream_fact *fact,
                       const struct envelope *envelope, char *data, const char *digest)
{
    copy(fact->id, sizeof fact->id, envelope->id.text);
    copy(fact->type, sizeof fact->type, envelope->type);
    copy(fact->source, sizeof fact->source, envelope->source);
    copy(fact->subject, sizeof fact->subject, envelope->subject);
    copy(fact->digest, sizeof fact->digest, digest);
    fact->sequence = envelope->sequence;
    fact->time_ms = envelope->time_ms;
    fact->data = data;
    note_series(e, fact);
    struct stream_fact **by_id = map_get(&e->ids, fact->id);
    if (*by_id)
        violated(e, 5,
                 "fact %s is on the stream as %s %" PRId64 " of %s and as %s %" PRId64 " of %s",
                 fact->id, (*by_id)->type, (*by_id)->sequence, (*by_id)->subject, fact->type,
                 fact->sequence, fact->subject);
    else
        *by_id = fact;
}

static void note_again(struct evidence *e, const struct stream_fact *fact,
                       const struct envelope *envelope, const char *digest)
{
    if (strcmp(fact->id, envelope->id.text) != 0)
        violated(e, 5, "%s %" PRId64 " of %s is two facts on the stream: %s and %s", fact->source,
                 fact->sequence, fact->subject, fact->id, envelope->id.text);
    else if (strcmp(fact->digest, digest) != 0)
        violated(e, 5, "fact %s (%s of %s) is on the stream with two contents", fact->id,
                 fact->type, fact->subject);
}

static void note_fact(struct evidence *e, const struct envelope *envelope, const cJSON *payload)
{
    char key[160], digest[SHA256_HEX_SIZE];
    snprintf(key, sizeof key, "%s %s %" PRId64, envelope->source, envelope->subject,
             envelope->sequence);
    char *data = cJSON_PrintUnformatted(payload);
    if (!data)
        abort();
    sha256_hex(data, strlen(data), digest);
    checked(e, 5);
    struct stream_fact *fact = map_get(&e->stream, key);
    if (!fact->id[0]) {
        note_first(e, fact, envelope, data, digest);
        return;
    }
    note_again(e, fact, envelope, digest);
    free(data);
}

static void read_fact(struct evidence *e, int64_t offset, const char *body, size_t size)
{
    struct envelope envelope;
    cJSON *document = NULL;
    const cJSON *data = NULL;
    struct err err = {0};
    e->report->counts.stream++;
    if (envelope_decode(body, size, &envelope, &document, &data, &err) != OK) {
        violated(e, 5, "stream offset %" PRId64 ": %s", offset, err_text(&err));
        return;
    }
    if (e->report->counts.stream == 1) {
        e->log_cut = offset > 0;
        e->log_begins_ms = envelope.time_ms;
    }
    if (envelope.sequence < 1)
        violated(e, 5, "fact %s (%s) is on the stream without a sequence", envelope.id.text,
                 envelope.type);
    else
        note_fact(e, &envelope, data);
    cJSON_Delete(document);
}

enum result evidence_read_log(struct evidence *e, const struct audit_log *log, struct err *err)
{
    int64_t offset;
    const char *body;
    size_t size;
    enum result result;
    while ((result = log->next(log->context, &offset, &body, &size, err)) == OK)
        read_fact(e, offset, body, size);
    e->log_read = result == NOT_FOUND;
    return result == NOT_FOUND ? OK : err_context(err, result, "stream");
}
