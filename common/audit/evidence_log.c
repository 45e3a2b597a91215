/* The stream: every fact as a reader sees it, its first occurrence kept. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/audit/evidence.h"
#include "common/messaging/envelope.h"

/* Types that nobody has told the judge of may come and go. */
static const struct {
    const char *type;
    bool stored; /* each such fact is in a store too */
} known_types[] = {
    {"order.placed", true},     {"order.rejected", true},    {"order.closing", true},
    {"order.confirmed", true},  {"order.cancelled", true},   {"order.expired", true},
    {"payment.captured", true}, {"payment.declined", true},  {"payment.closed", true},
    {"payment.refunded", true}, {"notification.sent", true}, {"product.listed", false},
    {"stock.changed", false},
};

static bool type_is(const char *type, bool stored)
{
    for (size_t i = 0; i < sizeof known_types / sizeof known_types[0]; i++)
        if (strcmp(known_types[i].type, type) == 0)
            return known_types[i].stored || !stored;
    return false;
}

bool evidence_type_is_stored(const char *type)
{
    return type_is(type, true);
}

/* From the first that the log must have to the last one seen there. */
static void note_whole(struct series *series, int64_t sequence)
{
    if (series->count++ == 0)
        series->from = series->to = sequence;
    if (sequence < series->from)
        series->from = sequence;
    if (sequence > series->to)
        series->to = sequence;
}

static struct series *note_series(struct evidence *e, const struct envelope *envelope)
{
    char key[128];
    snprintf(key, sizeof key, "%s %s", envelope->source, envelope->subject);
    struct series *series = map_get(&e->series, key);
    if (!series->source) {
        series->source = evidence_word(e, envelope->source);
        snprintf(series->subject, sizeof series->subject, "%s", envelope->subject);
    }
    if (envelope->time_ms > series->last_ms)
        series->last_ms = envelope->time_ms;
    if (envelope->sequence > series->highest)
        series->highest = envelope->sequence;
    if (envelope->time_ms > e->options->log_given_up_ms)
        note_whole(series, envelope->sequence);
    return series;
}

static void note_id(struct evidence *e, struct stream_fact *fact)
{
    struct stream_fact **by_id = map_get(&e->ids, fact->id);
    if (*by_id)
        violated(e, 5,
                 "fact %s is on the stream as %s %" PRId64 " of %s and as %s %" PRId64 " of %s",
                 fact->id, (*by_id)->type, (*by_id)->sequence, (*by_id)->subject, fact->type,
                 fact->sequence, fact->subject);
    else
        *by_id = fact;
}

static void note_first(struct evidence *e, struct stream_fact *fact,
                       const struct envelope *envelope, const cJSON *payload)
{
    memcpy(fact->id, envelope->id.text, sizeof envelope->id.text);
    fact->type = evidence_word(e, envelope->type);
    fact->source = evidence_word(e, envelope->source);
    fact->subject = note_series(e, envelope)->subject;
    fact->sequence = envelope->sequence;
    fact->time_ms = envelope->time_ms;
    fact->digest = evidence_digest(payload);
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(payload, "order_version");
    fact->order_version = cJSON_IsNumber(version) ? (int64_t)version->valuedouble : 0;
    if (strcmp(fact->type, "command.refused") == 0)
        fact->data = cJSON_PrintUnformatted(payload);
    evidence_told(e, fact->type, fact->subject, fact->sequence, fact->time_ms, payload);
    note_id(e, fact);
}

static void note_again(struct evidence *e, const struct stream_fact *fact,
                       const struct envelope *envelope, const cJSON *payload)
{
    struct digest digest = evidence_digest(payload);
    if (strcmp(fact->id, envelope->id.text) != 0)
        violated(e, 5, "%s %" PRId64 " of %s is two facts on the stream: %s and %s", fact->source,
                 fact->sequence, fact->subject, fact->id, envelope->id.text);
    else if (memcmp(&fact->digest, &digest, sizeof digest) != 0)
        violated(e, 5, "fact %s (%s of %s) is on the stream with two contents", fact->id,
                 fact->type, fact->subject);
}

static void note_fact(struct evidence *e, const struct envelope *envelope, const cJSON *payload)
{
    char key[160];
    snprintf(key, sizeof key, "%s %s %" PRId64, envelope->source, envelope->subject,
             envelope->sequence);
    checked(e, 5);
    struct stream_fact *fact = map_get(&e->stream, key);
    if (fact->id[0])
        note_again(e, fact, envelope, payload);
    else
        note_first(e, fact, envelope, payload);
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
    if (envelope.sequence >= 1)
        note_fact(e, &envelope, data);
    else if (type_is(envelope.type, false))
        violated(e, 5, "fact %s (%s) is on the stream without a sequence", envelope.id.text,
                 envelope.type);
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
    evidence_told_done(e);
    e->log_read = result == NOT_FOUND;
    return result == NOT_FOUND ? OK : err_context(err, result, "stream");
}
