/* What became of a publish, and what is said of it: fates, deadlines, lost connections. */
#include <string.h>

#include "common/base/failpoint.h"
#include "common/messaging/spans.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace.h"
#include "edge-service/edge_private.h"

enum edge_verdict edge_about_key(const struct edge *edge, struct attempts *attempts,
                                 enum edge_verdict own)
{
    return edge->parts.switches.answer_per_key ? attempts_answer(attempts, own) : own;
}

const char *edge_reason_of(enum edge_verdict verdict, enum edge_verdict own, const char *reason)
{
    if (verdict == own)
        return reason;
    return verdict == EDGE_ACCEPTED
               ? ""
               : "this attempt was not accepted, but an earlier one under this key may have been";
}

static void tell_span(struct edge *edge, const struct flight *flight, enum edge_verdict verdict)
{
    if (!edge->parts.otlp)
        return;
    spans_sent(&(struct otlp_send){
        .otlp = edge->parts.otlp,
        .exchange = EXCHANGE_COMMANDS,
        .type = flight->type,
        .message_id = flight->message_id.text,
        .size = flight->body.size,
        .traceparent = flight->traceparent,
        .parent = flight->parent,
        .duration_us = clock_mono_us(edge->parts.clock) - flight->begun_us,
        .failed = verdict != EDGE_ACCEPTED,
    });
}

static void note_confirmed(struct edge *edge, struct flight *flight)
{
    if (flight->sent)
        sent_confirmed(&edge->sent, flight->sent, clock_mono_ms(edge->parts.clock));
    else
        flight->attempts->confirmed = true;
}

/* The slot is free, and what was known of it goes unless somebody still needs it. */
static void let_go(struct edge *edge, struct flight *flight)
{
    struct accepted_order *order = flight->order;
    struct sent_command *sent = flight->sent;
    inflight_give_back(&edge->inflight, flight);
    if (order)
        accepted_changed(&edge->accepted, order);
    if (sent)
        sent_changed(&edge->sent, sent);
}

/* One that is late, and will never hear of its fate. */
static void lose(struct edge *edge, struct flight *flight)
{
    flight->attempts->open--;
    let_go(edge, flight);
}

enum left { FATE_OPEN, FATE_CLOSED };

/* Gives the slot back first, unless its fate is still open: the reply may issue the next command. */
static void finish(struct edge *edge, struct flight *flight, enum edge_verdict own,
                   const char *reason, enum left left)
{
    struct edge_caller caller = flight->caller;
    char order_id[UUID_SIZE];
    char key[KEY_SIZE];
    struct id command_id = flight->message_id;
    memcpy(order_id, flight->order_id, sizeof order_id);
    memcpy(key, flight->key, sizeof key);
    tell_span(edge, flight, own);
    flight->attempts->asked--;
    enum edge_verdict verdict = edge_about_key(edge, flight->attempts, own);
    if (left == FATE_OPEN)
        inflight_late(&edge->inflight, flight);
    else
        let_go(edge, flight);
    struct edge_reply out = {verdict, order_id, command_id.text, key,
                             edge_reason_of(verdict, own, reason)};
    caller.reply(caller.context, &out);
}

static void count_fate(struct edge *edge, enum bus_fate fate)
{
    edge->counters.confirmed += fate == FATE_CONFIRMED;
    edge->counters.returned += fate == FATE_RETURNED;
    edge->counters.nacked += fate == FATE_NACKED;
}

static void finish_settled(struct edge *edge, struct flight *flight, enum bus_fate fate)
{
    static const struct {
        enum edge_verdict verdict;
        const char *reason;
    } told[] = {
        [FATE_CONFIRMED] = {EDGE_ACCEPTED, ""},
        [FATE_RETURNED] = {EDGE_REFUSED, "the shop is not open: no queue takes this command"},
        [FATE_NACKED] = {EDGE_REFUSED, "the shop is behind and takes no more for now"},
    };
    finish(edge, flight, told[fate].verdict, told[fate].reason, FATE_CLOSED);
}

void edge_settled(struct edge *edge, uint64_t token, enum bus_fate fate)
{
    struct flight *flight = inflight_find(&edge->inflight, token);
    count_fate(edge, fate);
    if (!flight)
        return;
    if (fate == FATE_CONFIRMED && !flight->late && FAILPOINT("edge-confirm-after")) {
        flight->attempts->open--;
        finish(edge, flight, EDGE_UNKNOWN, "failpoint", FATE_CLOSED);
        return;
    }
    flight->attempts->open--;
    if (fate == FATE_CONFIRMED)
        note_confirmed(edge, flight);
    if (flight->late)
        let_go(edge, flight);
    else
        finish_settled(edge, flight, fate);
}

static void finish_unknown(struct edge *edge, struct flight *flight, const char *reason,
                           enum left left)
{
    if (flight->on_wire) {
        char trace[TRACE_ID_SIZE];
        edge->counters.unknown++;
        LOG_EVENT(edge->parts.log, LOG_WARNING, "command-unknown", LOG_TEXT("type", flight->type),
                  LOG_TEXT("message_id", flight->message_id.text),
                  LOG_TEXT("trace_id", trace_id(flight->traceparent, trace)),
                  LOG_TEXT("reason", reason));
        flight->attempts->open -= left == FATE_CLOSED;
        finish(edge, flight, EDGE_UNKNOWN, reason, left);
        return;
    }
    edge->counters.no_room++;
    finish(edge, flight, EDGE_REFUSED, "the broker did not take the command in time", FATE_CLOSED);
}

static void end_all(struct edge *edge, const char *reason)
{
    struct flight *flight;
    while ((flight = TAILQ_FIRST(&edge->inflight.by_age)))
        finish_unknown(edge, flight, reason, FATE_CLOSED);
    while ((flight = TAILQ_FIRST(&edge->inflight.late)))
        lose(edge, flight);
}

/* Commands that a reply issues here are refused, since the bus is down: the loop ends. */
void edge_lost(struct edge *edge)
{
    end_all(edge, "the broker was lost before it confirmed");
}

void edge_abandon(struct edge *edge)
{
    edge->draining = true;
    end_all(edge, "the edge is stopping");
    waiters_expire(&edge->waiters, INT64_MAX);
}

/* A broker that says nothing on a connection that lives may still say it: the slot is kept for that,
 * and when all are, nothing more is taken. */
void edge_expire_commands(struct edge *edge, int64_t now_mono_ms)
{
    struct flight *flight;
    while ((flight = TAILQ_FIRST(&edge->inflight.by_age)) &&
           flight->deadline_mono_ms <= now_mono_ms)
        finish_unknown(edge, flight, "the broker has not confirmed in time", FATE_OPEN);
    while ((flight = TAILQ_FIRST(&edge->inflight.late)) &&
           flight->deadline_mono_ms + edge->limits.accepted_age_ms <= now_mono_ms)
        lose(edge, flight);
}
