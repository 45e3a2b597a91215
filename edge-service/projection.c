#include "edge-service/projection.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/messaging/envelope.h"
#include "contracts/messages.h"
#include "edge-service/read_model.h"

/* What apply functions see. */
struct fact {
    struct projection *projection;
    const struct envelope *envelope;
    const void *payload;
};

typedef enum result apply_fn(const struct fact *fact, struct err *err);

static void write_lines(struct buf *out, const struct priced_line *lines, size_t count)
{
    buf_clear(out);
    buf_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s{\"sku\":\"%s\",\"name\":", i ? "," : "", lines[i].sku);
        json_write_text(out, lines[i].name);
        buf_printf(out,
                   ",\"quantity\":%" PRId64 ",\"unit_price\":%" PRId64 ",\"amount\":%" PRId64 "}",
                   lines[i].quantity, lines[i].unit_price, lines[i].amount);
    }
    buf_text(out, "]");
}

static enum result apply_placed(const struct fact *fact, struct err *err)
{
    const struct order_placed *placed = fact->payload;
    write_lines(&fact->projection->lines, placed->lines, placed->line_count);
    struct order_change change = {
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

static enum result apply_nothing(const struct fact *fact, struct err *err)
{
    (void)fact;
    (void)err;
    return OK;
}

enum effect { ELSEWHERE, IN_TIMELINE, MOVES_ORDER, SETTLES_ORDER };

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
    if (rule->effect < MOVES_ORDER)
        return true;
    int64_t version =
        rule->payload == &order_placed_type     ? ((const struct order_placed *)payload)->version
        : rule->payload == &order_rejected_type ? ((const struct order_rejected *)payload)->version
        : rule->payload == &order_closing_type  ? ((const struct order_closing *)payload)->version
                                                : ((const struct order_ended *)payload)->version;
    return version == envelope->sequence;
}

static enum result apply_rule(struct projection *projection, const struct rule *rule,
                              const struct envelope *envelope, const char *body, size_t size,
                              struct err *err)
{
    struct fact fact = {projection, envelope, projection->payload};
    enum result result = rule->apply(&fact, err);
    if (result == OK && rule->effect != ELSEWHERE)
        result = read_model_fact(projection->store, envelope, body, size, err);
    if (result == OK && rule->effect >= MOVES_ORDER)
        projection->changed(projection->context, envelope->subject,
                            rule->effect == SETTLES_ORDER ? ORDER_SETTLED : ORDER_MOVED);
    return result;
}

/* In its turn: folded in and counted. */
static enum result apply_next(struct projection *projection, const struct rule *rule,
                              const struct envelope *envelope, const char *body, size_t size,
                              struct err *err)
{
    enum result result = OK;
    if (rule)
        result = apply_rule(projection, rule, envelope, body, size, err);
    if (result == OK)
        result = read_model_set_expected(projection->store, envelope, envelope->sequence + 1, err);
    if (result == OK && rule)
        projection->counts.facts++;
    else if (result == OK)
        projection->counts.ignored++;
    return result;
}

enum decoded { DECODED_FACT, DECODED_STRANGER, DECODED_POISON };

/* A type that nobody told us of still takes its number, so that its successors are not held. */
static enum decoded decode(struct projection *projection, const char *body, size_t size,
                           struct envelope *ret_envelope, const struct rule **ret_rule)
{
    cJSON *document;
    const cJSON *data;
    if (envelope_decode(body, size, ret_envelope, &document, &data, NULL) != OK)
        return DECODED_POISON;
    const struct rule *rule = rule_find(ret_envelope->type);
    enum decoded decoded = rule ? DECODED_FACT : DECODED_STRANGER;
    if (rule && (ret_envelope->sequence < 1 ||
                 bind_decode(rule->payload, data, BIND_OPEN, projection->payload, NULL) != OK ||
                 !agrees(rule, ret_envelope, projection->payload)))
        decoded = DECODED_POISON;
    cJSON_Delete(document);
    *ret_rule = rule;
    return decoded;
}

/* Those that were held for this one. */
static enum result apply_held(struct projection *projection, const struct envelope *before,
                              struct err *err)
{
    struct envelope envelope = *before;
    for (;;) {
        const struct rule *rule;
        enum result result = read_model_unhold(projection->store, &envelope, envelope.sequence + 1,
                                               &projection->held, err);
        if (result == NOT_FOUND)
            return OK;
        if (result != OK)
            return result;
        if (decode(projection, projection->held.data, projection->held.size, &envelope, &rule) ==
            DECODED_POISON) { /* it was readable when it was held: by an older program */
            projection->counts.poison++;
            return OK;
        }
        result = apply_next(projection, rule, &envelope, projection->held.data,
                            projection->held.size, err);
        if (result != OK)
            return result;
    }
}

static enum result apply_in_turn(struct projection *projection, const struct rule *rule,
                                 const struct envelope *envelope, const char *body, size_t size,
                                 struct err *err)
{
    int64_t next;
    enum result result = read_model_expected(projection->store, envelope, &next, err);
    if (result != OK)
        return result;
    if (envelope->sequence < next) {
        projection->counts.duplicates++;
        return OK;
    }
    if (envelope->sequence > next) {
        projection->counts.held++;
        return read_model_hold(projection->store, envelope, body, size, err);
    }
    result = apply_next(projection, rule, envelope, body, size, err);
    return result == OK ? apply_held(projection, envelope, err) : result;
}

enum result projection_apply(struct projection *projection, const char *body, size_t size,
                             struct err *err)
{
    struct envelope envelope;
    const struct rule *rule = NULL;
    switch (decode(projection, body, size, &envelope, &rule)) {
    case DECODED_POISON:
        projection->counts.poison++;
        return OK;
    case DECODED_STRANGER:
        if (envelope.sequence > 0)
            break;
        projection->counts.ignored++;
        return OK;
    case DECODED_FACT:
        break;
    }
    projection->last_ms = envelope.time_ms;
    return apply_in_turn(projection, rule, &envelope, body, size, err);
}

void projection_init(struct projection *projection, struct store *store,
                     projection_changed_fn *changed, void *context)
{
    *projection =
        (struct projection){.store = store, .changed = changed, .context = context, .held = {0}};
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
