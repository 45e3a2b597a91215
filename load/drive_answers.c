#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "load/drive_private.h"

enum { MS = 1000000, LABEL_SIZE = 32 };

static const char *const answer_names[] = {
    [ANSWER_REFUSED] = "refused", [ANSWER_UNKNOWN] = "unknown", [ANSWER_ACCEPTED] = "ok"};

/* What the sender of an order knows after this, and what to call it. "Unknown" whenever the server
 * may have heard the request. */
static enum fate_answer judge(const struct wire_answer *answer, char label[LABEL_SIZE])
{
    static const char *const outcome_names[WIRE_OUTCOMES] = {
        [WIRE_NO_CONNECTION] = "no connection",
        [WIRE_BROKEN] = "connection lost",
        [WIRE_TIMEOUT] = "timeout",
        [WIRE_GARBLED] = "no HTTP",
    };
    if (answer->outcome != WIRE_ANSWERED) {
        snprintf(label, LABEL_SIZE, "%s", outcome_names[answer->outcome]);
        return answer->outcome == WIRE_NO_CONNECTION ? ANSWER_REFUSED : ANSWER_UNKNOWN;
    }
    snprintf(label, LABEL_SIZE, "%d", answer->status);
    if (answer->status < 300)
        return ANSWER_ACCEPTED;
    return answer->status < 500 || answer->status == 503 ? ANSWER_REFUSED : ANSWER_UNKNOWN;
}

/* The first "order_id" of the body: the server's JSON, in which spaces may stand around the colon. */
static enum result read_order_id(const char *body, struct order_key *ret_key)
{
    static const char name[] = "\"order_id\"";
    const char *at = strstr(body, name);
    if (!at)
        return NOT_FOUND;
    at += sizeof name - 1;
    at += strspn(at, " \t\r\n:");
    return *at == '"' ? order_key_read(at + 1, ret_key) : NOT_FOUND;
}

static void record(const struct drive *drive, const struct attempt *attempt,
                   enum fate_answer answer, int status)
{
    char key[DRIVE_KEY_SIZE];
    char id[ID_TEXT_SIZE] = "";
    struct timespec now;
    const struct fate *fate = fates_at(drive->options.fates, attempt->fate);
    if (!drive->options.history)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    drive_key(drive->options.run, fate->ordinal, key);
    if (fate->named)
        order_key_write(&fate->order, id);
    fprintf(drive->options.history,
            "{\"op\":\"%s\",\"key\":\"%s\",\"order_id\":\"%s\",\"invoked_ns\":%" PRId64
            ",\"completed_ns\":%" PRId64 ",\"result\":\"%s\",\"http\":%d}\n",
            attempt->operation == OP_PLACE ? "place" : "cancel", key, id, attempt->invoked_wall_ns,
            (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, answer_names[answer], status);
}

/* The answer has named the order. Another name than before, or somebody else's: two orders. */
static void take_name(struct drive *drive, uint32_t index, const struct order_key *order)
{
    char id[ID_TEXT_SIZE];
    char key[DRIVE_KEY_SIZE];
    struct fate *fate = fates_at(drive->options.fates, index);
    bool had_settled = fate->settled_ns != 0;
    bool had_notified = fate->notified_ns != 0;
    if (fates_name(drive->options.fates, index, order) != OK) {
        order_key_write(order, id);
        drive_key(drive->options.run, fate->ordinal, key);
        load_fate_add(&drive->options.report->fate, LOAD_DOUBLED, id, key);
        fate->doubled = true;
        return;
    }
    if (!had_settled && fate->settled_ns != 0)
        measure_settled(drive->options.measure, fate, fates_reason(drive->options.fates, fate));
    if (!had_notified && fate->notified_ns != 0)
        measure_notified(drive->options.measure, fate);
}

static void user_is_free(struct drive *drive, int64_t now_ns)
{
    if (!drive->options.settings->closed)
        return;
    due_push(&drive->users,
             &(struct due){.at_ns = now_ns + drive->options.settings->think_ms * MS});
}

/* Half as long as it has been tried already: those who wait do not trample on what comes back. */
static int64_t pause_ns(const struct settings *settings, int64_t tried_ns)
{
    enum { LONGEST = 64 };
    int64_t shortest_ns = settings->again_ms * MS;
    int64_t pause_ns = tried_ns / 2 > shortest_ns ? tried_ns / 2 : shortest_ns;
    return pause_ns < LONGEST * shortest_ns ? pause_ns : LONGEST * shortest_ns;
}

/* Whether the same is to be sent again, after a pause. */
static bool again(struct drive *drive, const struct attempt *attempt, int64_t now_ns)
{
    const struct settings *settings = drive->options.settings;
    int64_t tried_ns = now_ns - attempt->since_ns;
    if (!settings->until_accepted || tried_ns > settings->patience_s * 1000 * MS)
        return false;
    due_push(&drive->again, &(struct due){.at_ns = now_ns + pause_ns(settings, tried_ns),
                                          .since_ns = attempt->since_ns,
                                          .what = attempt->fate});
    return true;
}

static void placed(struct drive *drive, const struct attempt *attempt,
                   const struct wire_answer *answer)
{
    char label[LABEL_SIZE];
    struct order_key order;
    struct fate *fate = fates_at(drive->options.fates, attempt->fate);
    enum fate_answer told = judge(answer, label);
    bool named = read_order_id(answer->body, &order) == OK;
    if (told == ANSWER_ACCEPTED && !named) {
        told = ANSWER_UNKNOWN;
        snprintf(label, sizeof label, "%d without an id", answer->status);
    }
    if (named && told != ANSWER_REFUSED)
        take_name(drive, attempt->fate, &order);
    record(drive, attempt, told, answer->status);
    if (told > (enum fate_answer)fate->answer)
        fate->answer = (uint8_t)told;
    if (told == ANSWER_ACCEPTED) {
        measure_accepted(drive->options.measure, fate, answer->finished_ns);
        if (mix_cancels(&drive->options.settings->mix, fate->ordinal))
            due_push(&drive->cancels,
                     &(struct due){.at_ns = answer->finished_ns, .what = attempt->fate});
        drive->newest = attempt->fate;
        drive->has_newest = true;
    } else {
        measure_error(drive->options.measure, fate, label);
        if (again(drive, attempt, answer->finished_ns))
            return;
        measure_gave_up(drive->options.measure, fate);
    }
    user_is_free(drive, answer->finished_ns);
}

void drive_answered(void *context, uint64_t token, const struct wire_answer *answer)
{
    char label[LABEL_SIZE];
    struct drive *drive = context;
    struct attempt attempt = drive->attempts[token];
    drive->attempts[token].next_free = drive->free_attempt;
    drive->free_attempt = (uint32_t)token;
    switch (attempt.operation) {
    case OP_PLACE:
        placed(drive, &attempt, answer);
        break;
    case OP_CANCEL: {
        enum fate_answer told = judge(answer, label);
        record(drive, &attempt, told, answer->status);
        measure_cancel(drive->options.measure, told == ANSWER_ACCEPTED);
        break;
    }
    case OP_QUERY:
        measure_query(drive->options.measure, attempt.intended_ns, answer->finished_ns,
                      answer->outcome == WIRE_ANSWERED && answer->status == 200);
        break;
    }
}
