#include "edge-service/projection.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/messaging/envelope.h"
#include "contracts/messages.h"
#include "edge-service/read_model.h"

enum { NOT_KNOWN = -1 };

struct rule;

/* One message of the stream, and where it belongs. */
struct incoming {
    const struct rule *rule; /* NULL: a stranger */
    struct envelope envelope;
    const char *body;
    size_t size;
    int64_t number; /* of the order in whose timeline it is; 0: none yet, or no such thing */
    bool known;     /* the order has a row */
};

/* What apply functions see. */
struct fact {
    struct projection *projection;
    const struct incoming *incoming;
    const struct envelope *envelope;
    const void *payload;
};

typedef enum result apply_fn(const struct fact *fact, struct err *err);

static void write_lines(struct buf *out, const struct priced_line *lines, size_t count)
{
    buf_clear(out);
    buf_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i ? ",{\"sku\":\"" : "{\"sku\":\"");
        buf_text(out, lines[i].sku);
        buf_text(out, "\",\"name\":");
        json_write_text(out, lines[i].name);
        buf_text(out, ",\"quantity\":");
        buf_int(out, lines[i].quantity);
        buf_text(out, ",\"unit_price\":");
        buf_int(out, lines[i].unit_price);
        buf_text(out, ",\"amount\":");
        buf_int(out, lines[i].amount);
        buf_append(out, "}", 1);
    }
    buf_text(out, "]");
}

static enum result apply_placed(const struct fact *fact, struct err *err)
{
    const struct order_placed *placed = fact->payload;
    write_lines(&fact->projection->lines, placed->lines, placed->line_count);
    struct order_change change = {
        .number = fact->incoming->number,
        .known = fact->incoming->known,
        .order_id = placed->order_id,
        .customer = placed->customer,
        .status = "placed",
        .version = placed->version,
        .currency = placed->currency,
        .total = placed->total,
        .reason = "",
        .lines = fact->projection->lines.data,
        .request_hash = placed->request_hash,
        .at_ms = fact->envelope->time_ms,
    };
    return read_model_order(fact->projection->store, &change, err);
}

static enum result apply_rejected(const struct fact *fact, struct err *err)
{
    const struct order_rejected *rejected = fact->payload;
    write_lines(&fact->projection->lines, rejected->lines, rejected->line_count);
    struct order_change change = {
        .number = fact->incoming->number,
        .known = fact->incoming->known,
        .order_id = rejected->order_id,
        .customer = rejected->customer,
        .status = "rejected",
        .version = rejected->version,
        .currency = rejected->currency,
        .total = rejected->total,
        .reason = rejected->reason,
        .lines = fact->projection->lines.data,
        .request_hash = rejected->request_hash,
        .at_ms = fact->envelope->time_ms,
    };
    return read_model_order(fact->projection->store, &change, err);
}

static enum result apply_closing(const struct fact *fact, struct err *err)
{
    const struct order_closing *closing = fact->payload;
    struct order_change change = {
        .number = fact->incoming->number,
        .known = fact->incoming->known,
        .order_id = closing->order_id,
        .customer = closing->customer,
        .status = "closing",
        .version = closing->version,
        .currency = "",
        .total = -1,
        .reason = closing->reason,
        .lines = "",
        .request_hash = "",
        .at_ms = fact->envelope->time_ms,
    };
    return read_model_order(fact->projection->store, &change, err);
}

/* order.confirmed, order.cancelled, order.expired: the status is the type's second word. */
static enum result apply_ended(const struct fact *fact, struct err *err)
{
    const struct order_ended *ended = fact->payload;
    struct order_change change = {
        .number = fact->incoming->number,
        .known = fact->incoming->known,
        .order_id = ended->order_id,
        .customer = ended->customer,
        .status = fact->envelope->type + strlen("order."),
        .version = ended->version,
        .currency = ended->currency,
        .total = ended->total,
        .reason = ended->reason,
        .lines = "",
        .request_hash = "",
        .at_ms = fact->envelope->time_ms,
    };
    return read_model_order(fact->projection->store, &change, err);
}

static enum result apply_listed(const struct fact *fact, struct err *err)
{
    return read_model_listed(fact->projection->store, fact->payload, err);
}

static enum result apply_stock(const struct fact *fact, struct err *err)
{
    return read_model_stock(fact->projection->store, fact->payload, err);
}

/* A repeat is OK and no news. */
static enum result apply_fate(const struct fact *fact, const struct command_fate *fate,
                              struct err *err)
{
    struct projection *projection = fact->projection;
    enum result result = read_model_add_fate(projection->store, fate, err);
    if (result == DUPLICATE) {
        projection->counts.duplicates++;
        return OK;
    }
    if (result != OK)
        return result;
    projection->counts.facts++;
    projection->changed(projection->context, fate->command_id, FATE_HEARD);
    return OK;
}

static enum result apply_done(const struct fact *fact, struct err *err)
{
    const struct command_done *done = fact->payload;
    const struct command_fate fate = {
        done->command_id, done->command_type, done->about, done->customer, "done", ""};
    return apply_fate(fact, &fate, err);
}

static enum result apply_refused(const struct fact *fact, struct err *err)
{
    const struct command_refused *refused = fact->payload;
    const struct command_fate fate = {refused->command_id, refused->command_type,
                                      refused->about,      refused->customer,
                                      "refused",           refused->reason};
    return apply_fate(fact, &fate, err);
}

/* It stands in a timeline; if the order itself has not come yet, it gets a row that waits for it. */
static enum result apply_nothing(const struct fact *fact, struct err *err)
{
    const struct order_change unseen = {
        .number = fact->incoming->number,
        .order_id = fact->envelope->subject,
        .customer = "",
        .status = "",
        .currency = "",
        .reason = "",
        .lines = "",
        .request_hash = "",
        .at_ms = fact->envelope->time_ms,
    };
    if (fact->incoming->known)
        return OK;
    return read_model_order(fact->projection->store, &unseen, err);
}

/* TELLS_FATE: it is the only fact of its subject, so its own row tells a repeat. */
enum effect { ELSEWHERE, TELLS_FATE, IN_TIMELINE, MOVES_ORDER, SETTLES_ORDER };

struct rule {
    const char *type;
    const char *source;
    const struct bind_type *payload;
    enum effect effect;
    apply_fn *apply;
};

#define FROM_ORDER "/order-service"
#define FROM_PAYMENT "/payment-service"
#define FROM_NOTIFICATION "/notification-service"

static const struct rule rules[] = {
    {ORDER_PLACED, FROM_ORDER, &order_placed_type, MOVES_ORDER, apply_placed},
    {ORDER_REJECTED, FROM_ORDER, &order_rejected_type, SETTLES_ORDER, apply_rejected},
    {ORDER_CLOSING, FROM_ORDER, &order_closing_type, MOVES_ORDER, apply_closing},
    {ORDER_CONFIRMED, FROM_ORDER, &order_confirmed_type, SETTLES_ORDER, apply_ended},
    {ORDER_CANCELLED, FROM_ORDER, &order_cancelled_type, SETTLES_ORDER, apply_ended},
    {ORDER_EXPIRED, FROM_ORDER, &order_expired_type, SETTLES_ORDER, apply_ended},
    {PAYMENT_CAPTURED, FROM_PAYMENT, &payment_captured_type, IN_TIMELINE, apply_nothing},
    {PAYMENT_DECLINED, FROM_PAYMENT, &payment_declined_type, IN_TIMELINE, apply_nothing},
    {PAYMENT_CLOSED, FROM_PAYMENT, &payment_closed_type, IN_TIMELINE, apply_nothing},
    {PAYMENT_REFUNDED, FROM_PAYMENT, &payment_refunded_type, IN_TIMELINE, apply_nothing},
    {NOTIFICATION_SENT, FROM_NOTIFICATION, &notification_sent_type, IN_TIMELINE, apply_nothing},
    {PRODUCT_LISTED, FROM_ORDER, &product_listed_type, ELSEWHERE, apply_listed},
    {STOCK_CHANGED, FROM_ORDER, &stock_changed_type, ELSEWHERE, apply_stock},
    {COMMAND_DONE, FROM_ORDER, &command_done_type, TELLS_FATE, apply_done},
    {COMMAND_REFUSED, FROM_ORDER, &command_refused_type, TELLS_FATE, apply_refused},
};

static const struct rule *rule_find(const char *type)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(rules[i].type, type) == 0)
            return &rules[i];
    return NULL;
}

/* Every payload names its subject first; orders also say their version, which is the sequence. */
static bool agrees(const struct rule *rule, const struct envelope *envelope, const void *payload)
{
    if (strcmp(envelope->source, rule->source) != 0 || strcmp(envelope->subject, payload) != 0)
        return false;
    if (rule->effect == TELLS_FATE)
        return envelope->sequence == 1;
    if (rule->effect < MOVES_ORDER)
        return true;
    int64_t version =
        rule->payload == &order_placed_type     ? ((const struct order_placed *)payload)->version
        : rule->payload == &order_rejected_type ? ((const struct order_rejected *)payload)->version
        : rule->payload == &order_closing_type  ? ((const struct order_closing *)payload)->version
                                                : ((const struct order_ended *)payload)->version;
    return version == envelope->sequence;
}

static bool in_timeline(const struct rule *rule)
{
    return rule && rule->effect >= IN_TIMELINE;
}

/* A new order's number: the next. */
static enum result number_order(struct projection *projection, struct incoming *incoming,
                                struct err *err)
{
    enum result result = OK;
    if (projection->last_number == NOT_KNOWN)
        result = read_model_last_number(projection->store, &projection->last_number, err);
    if (result == OK)
        incoming->number = ++projection->last_number;
    return result;
}

/* In its turn: it uses up its sequence number. */
static enum result record(struct projection *projection, struct incoming *incoming, struct err *err)
{
    const struct envelope *envelope = &incoming->envelope;
    const struct store_value body = store_blob(incoming->body, incoming->size);
    if (!in_timeline(incoming->rule))
        return read_model_set_expected(projection->store, envelope, envelope->sequence + 1, err);
    enum result result = OK;
    if (incoming->number == 0)
        result = number_order(projection, incoming, err);
    if (result == OK)
        result = read_model_add(projection->store, incoming->number, envelope, &body, err);
    return result;
}

static enum result fold(struct projection *projection, struct incoming *incoming, struct err *err)
{
    const struct rule *rule = incoming->rule;
    enum result result = record(projection, incoming, err);
    if (result != OK)
        return result;
    if (!rule) {
        projection->counts.ignored++;
        return OK;
    }
    const struct fact fact = {projection, incoming, &incoming->envelope, projection->payload};
    result = rule->apply(&fact, err);
    if (result != OK)
        return result;
    incoming->known = true;
    projection->counts.facts++;
    if (rule->effect >= MOVES_ORDER)
        projection->changed(projection->context, incoming->envelope.subject,
                            rule->effect == SETTLES_ORDER ? ORDER_SETTLED : ORDER_MOVED);
    return OK;
}

static bool is_ours(const char *source)
{
    return strcmp(source, FROM_ORDER) == 0 || strcmp(source, FROM_PAYMENT) == 0 ||
           strcmp(source, FROM_NOTIFICATION) == 0;
}

enum decoded { DECODED_FACT, DECODED_STRANGER, DECODED_POISON };

/* A type of tomorrow still takes its number, so that its successors are not held: it keeps a
 * sequence. A stranger's numbers are its own, and are forgotten. */
static enum decoded judge_stranger(struct envelope *envelope)
{
    if (!is_ours(envelope->source) ||
        strncmp(envelope->type, NEIGHBOUR_WORD, strlen(NEIGHBOUR_WORD)) == 0)
        envelope->sequence = 0;
    return DECODED_STRANGER;
}

static enum decoded judge_fact(struct projection *projection, const struct rule *rule,
                               const struct envelope *envelope, const cJSON *data)
{
    if (envelope->sequence < 1 ||
        bind_decode(rule->payload, data, BIND_OPEN, projection->payload, NULL) != OK ||
        !agrees(rule, envelope, projection->payload))
        return DECODED_POISON;
    return DECODED_FACT;
}

static enum decoded decode(struct projection *projection, const char *key, const char *body,
                           size_t size, struct incoming *ret_incoming)
{
    cJSON *document;
    const cJSON *data;
    struct envelope *envelope = &ret_incoming->envelope;
    bool foreign = key[0] && !rule_find(key);
    envelope->sequence = 0;
    if (foreign && strncmp(key, NEIGHBOUR_WORD, strlen(NEIGHBOUR_WORD)) == 0)
        return DECODED_STRANGER;
    if (envelope_decode(body, size, envelope, &document, &data, NULL) != OK) {
        envelope->sequence = 0;
        return foreign ? DECODED_STRANGER : DECODED_POISON;
    }
    const struct rule *rule = rule_find(envelope->type);
    enum decoded decoded;
    if (key[0] && strcmp(key, envelope->type) != 0) {
        envelope->sequence = 0;
        decoded = foreign ? DECODED_STRANGER : DECODED_POISON;
    } else {
        decoded = rule ? judge_fact(projection, rule, envelope, data) : judge_stranger(envelope);
    }
    cJSON_Delete(document);
    ret_incoming->rule = rule;
    ret_incoming->body = body;
    ret_incoming->size = size;
    return decoded;
}

/* Whether anything at all is held: mostly not, and then nobody needs to look. */
static enum result look_for_held(struct projection *projection, bool *ret_any, struct err *err)
{
    enum result result = OK;
    if (projection->held_count == NOT_KNOWN)
        result = read_model_count_held(projection->store, &projection->held_count, err);
    *ret_any = projection->held_count > 0;
    return result;
}

/* Those that were held for this one. */
static enum result apply_held(struct projection *projection, const struct incoming *before,
                              struct err *err)
{
    struct incoming incoming = *before;
    for (;;) {
        bool any;
        enum result result = look_for_held(projection, &any, err);
        if (result != OK || !any)
            return result;
        result = read_model_unhold(projection->store, &incoming.envelope,
                                   incoming.envelope.sequence + 1, &projection->held, err);
        if (result == NOT_FOUND)
            return OK;
        if (result != OK)
            return result;
        projection->held_count--;
        if (decode(projection, "", projection->held.data, projection->held.size, &incoming) ==
            DECODED_POISON) { /* it was readable when it was held: by an older program */
            projection->counts.poison++;
            return OK;
        }
        result = fold(projection, &incoming, err);
        if (result != OK)
            return result;
    }
}

/* Too late, too early, or in its turn after all. */
static enum result find_turn(struct projection *projection, const struct incoming *incoming,
                             bool *ret_in_turn, struct err *err)
{
    const struct envelope *envelope = &incoming->envelope;
    int64_t next;
    enum result result = read_model_expected(projection->store, envelope, &next, err);
    if (result != OK)
        return result;
    *ret_in_turn = envelope->sequence == next;
    if (*ret_in_turn)
        return OK;
    if (envelope->sequence < next) {
        projection->counts.duplicates++;
        return OK;
    }
    projection->counts.held++;
    projection->held_count = NOT_KNOWN;
    return read_model_hold(projection->store, envelope, incoming->body, incoming->size, err);
}

static enum result apply_in_turn(struct projection *projection, struct incoming *incoming,
                                 struct err *err)
{
    bool in_turn = false;
    int64_t last = 0;
    enum result result = OK;
    if (in_timeline(incoming->rule)) {
        result =
            read_model_find(projection->store, &incoming->envelope, &incoming->number, &last, err);
        incoming->known = incoming->number != 0;
        in_turn = incoming->envelope.sequence == last + 1;
    }
    if (result == OK && !in_turn)
        result = find_turn(projection, incoming, &in_turn, err);
    if (result != OK || !in_turn)
        return result;
    result = fold(projection, incoming, err);
    return result == OK ? apply_held(projection, incoming, err) : result;
}

enum result projection_apply(struct projection *projection, const char *key, const char *body,
                             size_t size, struct err *err)
{
    struct incoming incoming = {.number = 0, .known = false};
    switch (decode(projection, key, body, size, &incoming)) {
    case DECODED_POISON:
        projection->counts.poison++;
        return OK;
    case DECODED_STRANGER:
        if (incoming.envelope.sequence > 0)
            break;
        projection->counts.ignored++;
        return OK;
    case DECODED_FACT:
        break;
    }
    projection->last_ms = incoming.envelope.time_ms;
    if (incoming.rule && incoming.rule->effect == TELLS_FATE) {
        const struct fact fact = {projection, &incoming, &incoming.envelope, projection->payload};
        return incoming.rule->apply(&fact, err);
    }
    return apply_in_turn(projection, &incoming, err);
}

void projection_rolled_back(struct projection *projection)
{
    projection->held_count = NOT_KNOWN;
    projection->last_number = NOT_KNOWN;
}

void projection_init(struct projection *projection, struct store *store,
                     projection_changed_fn *changed, void *context)
{
    *projection = (struct projection){.store = store,
                                      .changed = changed,
                                      .context = context,
                                      .held_count = NOT_KNOWN,
                                      .last_number = NOT_KNOWN};
    projection->payload = malloc(PAYLOAD_SIZE_MAX);
    if (!projection->payload)
        abort();
}

void projection_release(struct projection *projection)
{
    buf_release(&projection->held);
    buf_release(&projection->lines);
    free(projection->payload);
}
