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

/* A type under which somebody else may speak is none of ours, however it is told. */
static const char neighbours[] = "neighbour.";
static const char *const sources[] = {"/order-service", "/payment-service",
                                      "/notification-service"};

static bool is_ours(const char *source, const char *type)
{
    if (strncmp(type, neighbours, sizeof neighbours - 1) == 0)
        return false;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (strcmp(sources[i], source) == 0)
            return true;
    return false;
}

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

int64_t evidence_log_count(const struct evidence *e)
{
    return e->report->counts.stream - e->strangers;
}

/* One of ours; a type that we know, or one of tomorrow. */
static void read_ours(struct evidence *e, const struct envelope *envelope, const cJSON *data)
{
    if (evidence_log_count(e) == 1)
        e->log_begins_ms = envelope->time_ms;
    if (envelope->sequence >= 1)
        note_fact(e, envelope, data);
    else if (type_is(envelope->type, false))
        violated(e, 5, "fact %s (%s) is on the stream without a sequence", envelope->id.text,
                 envelope->type);
}

/* Whoever may publish under a key is known to the broker; what a body claims is only words. So the key
 * tells whose a message is, and under one that is not ours nothing has to be readable. */
static void read_message(struct evidence *e, const struct audit_message *message)
{
    struct envelope envelope;
    cJSON *document = NULL;
    const cJSON *data = NULL;
    struct err err = {0};
    const char *key = message->key;
    bool known = !key[0] || type_is(key, false);
    if (e->report->counts.stream++ == 0)
        e->log_cut = message->offset > 0;
    enum result result =
        envelope_decode(message->body, message->size, &envelope, &document, &data, &err);
    if (result == OK && key[0] && strcmp(key, envelope.type) != 0)
        result = err_set(&err, INVALID, "%s says that it is %s", key, envelope.type);
    if (result != OK && known)
        violated(e, 5, "stream offset %" PRId64 ": %s", message->offset, err_text(&err));
    else if (result == OK &&
             (type_is(envelope.type, false) || is_ours(envelope.source, envelope.type)))
        read_ours(e, &envelope, data);
    else
        e->strangers++;
    cJSON_Delete(document);
}

enum result evidence_read_log(struct evidence *e, const struct audit_log *log, struct err *err)
{
    struct audit_message message;
    enum result result;
    while ((result = log->next(log->context, &message, err)) == OK)
        read_message(e, &message);
    evidence_told_done(e);
    e->log_read = result == NOT_FOUND;
    return result == NOT_FOUND ? OK : err_context(err, result, "stream");
}
