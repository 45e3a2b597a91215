#include "contracts/messages.h"

#include <string.h>

/* --- parts ----------------------------------------------------------------------------------- */

static const struct bind_field order_line_fields[] = {
    BIND_TEXT_FIELD(struct order_line, sku, BIND_SKU),
    BIND_INT_FIELD(struct order_line, quantity, 1, QUANTITY_MAX),
};
static const struct bind_type order_line_type =
    BIND_TYPE("order_line", struct order_line, order_line_fields);

#define PRICED_LINE_FIELDS(shortest_name)                                                          \
    BIND_TEXT_FIELD(struct priced_line, sku, BIND_SKU),                                            \
        BIND_FREE_FIELD(struct priced_line, name, shortest_name, NAME_POINTS_MAX),                 \
        BIND_INT_FIELD(struct priced_line, quantity, 1, QUANTITY_MAX),                             \
        BIND_INT_FIELD(struct priced_line, unit_price, 0, UNIT_PRICE_MAX),                         \
        BIND_INT_FIELD(struct priced_line, amount, 0, AMOUNT_MAX)

static const struct bind_field priced_line_fields[] = {PRICED_LINE_FIELDS(1)};
static const struct bind_type priced_line_type =
    BIND_TYPE("priced_line", struct priced_line, priced_line_fields);

/* In a rejected order a product may be unknown: no name, no price. */
static const struct bind_field rejected_line_fields[] = {PRICED_LINE_FIELDS(0)};
static const struct bind_type rejected_line_type =
    BIND_TYPE("rejected_line", struct priced_line, rejected_line_fields);

static const struct bind_field payment_means_fields[] = {
    BIND_TEXT_FIELD(struct payment_means, token, BIND_TOKEN),
};
static const struct bind_type payment_means_type =
    BIND_TYPE("payment_means", struct payment_means, payment_means_fields);

static const char *const closing_reasons[] = {"cancelled", "expired", NULL};
static const char *const notification_kinds[] = {"confirmed", "rejected", "cancelled", "expired",
                                                 NULL};
static const char *const notification_channels[] = {"in-app", "email", NULL};

#define ORDER_FIELDS(owner)                                                                        \
    BIND_TEXT_FIELD(owner, order_id, BIND_UUID), BIND_TEXT_FIELD(owner, customer, BIND_UUID)
#define SETTLEMENT_FIELD(owner) BIND_OPTIONAL_INT_FIELD(owner, settlement, 1, COUNT_MAX)
#define VERSION_FIELD(owner) BIND_INT_FIELD(owner, version, 1, COUNT_MAX)
#define MONEY_FIELDS(owner)                                                                        \
    BIND_INT_FIELD(owner, amount, 0, AMOUNT_MAX), BIND_TEXT_FIELD(owner, currency, BIND_CURRENCY)
#define LINES_FIELD(owner, bound, element)                                                         \
    BIND_ARRAY_FIELD(owner, lines, line_count, 1, ORDER_LINES_MAX, bound, element, sku)
#define PRODUCT_FIELDS(owner)                                                                      \
    BIND_TEXT_FIELD(owner, sku, BIND_SKU), BIND_FREE_FIELD(owner, name, 1, NAME_POINTS_MAX),       \
        BIND_INT_FIELD(owner, unit_price, 0, UNIT_PRICE_MAX),                                      \
        BIND_TEXT_FIELD(owner, currency, BIND_CURRENCY)

/* --- commands -------------------------------------------------------------------------------- */

static const struct bind_field order_place_fields[] = {
    ORDER_FIELDS(struct order_place),
    LINES_FIELD(struct order_place, &order_line_type, struct order_line),
    BIND_OBJECT_FIELD(struct order_place, payment, &payment_means_type),
    BIND_TEXT_FIELD(struct order_place, request_hash, BIND_HEX64),
};
const struct bind_type order_place_type =
    BIND_TYPE(ORDER_PLACE, struct order_place, order_place_fields);

static const struct bind_field order_cancel_fields[] = {ORDER_FIELDS(struct order_cancel)};
const struct bind_type order_cancel_type =
    BIND_TYPE(ORDER_CANCEL, struct order_cancel, order_cancel_fields);

static const struct bind_field retell_fields[] = {
    BIND_TEXT_FIELD(struct retell, order_id, BIND_UUID),
};
const struct bind_type order_retell_type = BIND_TYPE(ORDER_RETELL, struct retell, retell_fields);
const struct bind_type payment_retell_type =
    BIND_TYPE(PAYMENT_RETELL, struct retell, retell_fields);
const struct bind_type notification_retell_type =
    BIND_TYPE(NOTIFICATION_RETELL, struct retell, retell_fields);

static const struct bind_field number_range_fields[] = {
    BIND_INT_FIELD(struct number_range, first, 1, COUNT_MAX),
    BIND_OPTIONAL_INT_FIELD(struct number_range, last, 1, COUNT_MAX),
};
static const struct bind_type number_range_type =
    BIND_TYPE("number_range", struct number_range, number_range_fields);

static const struct bind_field order_retell_settled_fields[] = {
    BIND_LIST_FIELD(struct retell_settled, missing, missing_count, 1, MISSING_RANGES_MAX,
                    &number_range_type),
};
const struct bind_type order_retell_settled_type =
    BIND_TYPE(ORDER_RETELL_SETTLED, struct retell_settled, order_retell_settled_fields);

static const struct bind_field payment_close_fields[] = {
    BIND_TEXT_FIELD(struct payment_close, order_id, BIND_UUID),
    BIND_CHOICE_FIELD(struct payment_close, reason, closing_reasons),
};
const struct bind_type payment_close_type =
    BIND_TYPE(PAYMENT_CLOSE, struct payment_close, payment_close_fields);

static const struct bind_field payment_refund_fields[] = {
    BIND_TEXT_FIELD(struct payment_refund, order_id, BIND_UUID),
    MONEY_FIELDS(struct payment_refund),
};
const struct bind_type payment_refund_type =
    BIND_TYPE(PAYMENT_REFUND, struct payment_refund, payment_refund_fields);

static const struct bind_field set_product_fields[] = {
    PRODUCT_FIELDS(struct set_product),
    BIND_OPTIONAL_INT_FIELD(struct set_product, revision, 1, COUNT_MAX),
    BIND_OPTIONAL_TEXT_FIELD(struct set_product, request_id, BIND_UUID),
};
const struct bind_type set_product_type =
    BIND_TYPE(CATALOGUE_SET_PRODUCT, struct set_product, set_product_fields);

static const struct bind_field stock_adjust_fields[] = {
    BIND_TEXT_FIELD(struct stock_adjust, sku, BIND_SKU),
    BIND_NONZERO_FIELD(struct stock_adjust, delta, -STOCK_DELTA_MAX, STOCK_DELTA_MAX),
    BIND_OPTIONAL_TEXT_FIELD(struct stock_adjust, request_id, BIND_UUID),
};
const struct bind_type stock_adjust_type =
    BIND_TYPE(STOCK_ADJUST, struct stock_adjust, stock_adjust_fields);

/* --- facts of order-service ------------------------------------------------------------------ */

static const struct bind_field order_placed_fields[] = {
    ORDER_FIELDS(struct order_placed),
    VERSION_FIELD(struct order_placed),
    BIND_TEXT_FIELD(struct order_placed, currency, BIND_CURRENCY),
    LINES_FIELD(struct order_placed, &priced_line_type, struct priced_line),
    BIND_INT_FIELD(struct order_placed, total, 0, AMOUNT_MAX),
    BIND_OBJECT_FIELD(struct order_placed, payment, &payment_means_type),
    BIND_TEXT_FIELD(struct order_placed, request_hash, BIND_HEX64),
    BIND_INT_FIELD(struct order_placed, deadline_ms, 0, COUNT_MAX),
};
const struct bind_type order_placed_type =
    BIND_TYPE(ORDER_PLACED, struct order_placed, order_placed_fields);

static const struct bind_field order_rejected_fields[] = {
    ORDER_FIELDS(struct order_rejected),
    VERSION_FIELD(struct order_rejected),
    BIND_TEXT_FIELD(struct order_rejected, reason, BIND_WORD),
    BIND_TEXT_FIELD(struct order_rejected, currency, BIND_CURRENCY),
    LINES_FIELD(struct order_rejected, &rejected_line_type, struct priced_line),
    BIND_INT_FIELD(struct order_rejected, total, 0, AMOUNT_MAX),
    BIND_TEXT_FIELD(struct order_rejected, request_hash, BIND_HEX64),
    SETTLEMENT_FIELD(struct order_rejected),
};
const struct bind_type order_rejected_type =
    BIND_TYPE(ORDER_REJECTED, struct order_rejected, order_rejected_fields);

static const struct bind_field order_closing_fields[] = {
    ORDER_FIELDS(struct order_closing),
    VERSION_FIELD(struct order_closing),
    BIND_CHOICE_FIELD(struct order_closing, reason, closing_reasons),
};
const struct bind_type order_closing_type =
    BIND_TYPE(ORDER_CLOSING, struct order_closing, order_closing_fields);

static const struct bind_field order_confirmed_fields[] = {
    ORDER_FIELDS(struct order_ended),
    VERSION_FIELD(struct order_ended),
    BIND_TEXT_FIELD(struct order_ended, currency, BIND_CURRENCY),
    BIND_INT_FIELD(struct order_ended, total, 0, AMOUNT_MAX),
    SETTLEMENT_FIELD(struct order_ended),
};
const struct bind_type order_confirmed_type =
    BIND_TYPE(ORDER_CONFIRMED, struct order_ended, order_confirmed_fields);

static const struct bind_field order_ended_fields[] = {
    ORDER_FIELDS(struct order_ended),
    VERSION_FIELD(struct order_ended),
    BIND_TEXT_FIELD(struct order_ended, reason, BIND_WORD),
    BIND_TEXT_FIELD(struct order_ended, currency, BIND_CURRENCY),
    BIND_INT_FIELD(struct order_ended, total, 0, AMOUNT_MAX),
    SETTLEMENT_FIELD(struct order_ended),
};
const struct bind_type order_cancelled_type =
    BIND_TYPE(ORDER_CANCELLED, struct order_ended, order_ended_fields);
const struct bind_type order_expired_type =
    BIND_TYPE(ORDER_EXPIRED, struct order_ended, order_ended_fields);

static const struct bind_field product_listed_fields[] = {
    PRODUCT_FIELDS(struct product_listed),
    BIND_INT_FIELD(struct product_listed, revision, 1, COUNT_MAX),
};
const struct bind_type product_listed_type =
    BIND_TYPE(PRODUCT_LISTED, struct product_listed, product_listed_fields);

static const struct bind_field stock_changed_fields[] = {
    BIND_TEXT_FIELD(struct stock_changed, sku, BIND_SKU),
    BIND_INT_FIELD(struct stock_changed, available, 0, COUNT_MAX),
    BIND_INT_FIELD(struct stock_changed, reserved, 0, COUNT_MAX),
    BIND_INT_FIELD(struct stock_changed, sold, 0, COUNT_MAX),
};
const struct bind_type stock_changed_type =
    BIND_TYPE(STOCK_CHANGED, struct stock_changed, stock_changed_fields);

#define COMMAND_FIELDS(owner)                                                                      \
    BIND_TEXT_FIELD(owner, command_id, BIND_UUID),                                                 \
        BIND_TEXT_FIELD(owner, command_type, BIND_TYPE_NAME),                                      \
        BIND_TEXT_FIELD(owner, about, BIND_SUBJECT),                                               \
        BIND_OPTIONAL_TEXT_FIELD(owner, customer, BIND_UUID)

static const struct bind_field command_done_fields[] = {COMMAND_FIELDS(struct command_done)};
const struct bind_type command_done_type =
    BIND_TYPE(COMMAND_DONE, struct command_done, command_done_fields);

static const struct bind_field command_refused_fields[] = {
    COMMAND_FIELDS(struct command_refused),
    BIND_TEXT_FIELD(struct command_refused, reason, BIND_WORD),
};
const struct bind_type command_refused_type =
    BIND_TYPE(COMMAND_REFUSED, struct command_refused, command_refused_fields);

/* --- facts of payment-service ---------------------------------------------------------------- */

static const struct bind_field payment_outcome_fields[] = {
    BIND_TEXT_FIELD(struct payment_outcome, order_id, BIND_UUID),
    MONEY_FIELDS(struct payment_outcome),
    BIND_FREE_FIELD(struct payment_outcome, provider_reference, 1, 64),
};
const struct bind_type payment_captured_type =
    BIND_TYPE(PAYMENT_CAPTURED, struct payment_outcome, payment_outcome_fields);
const struct bind_type payment_refunded_type =
    BIND_TYPE(PAYMENT_REFUNDED, struct payment_outcome, payment_outcome_fields);

static const struct bind_field payment_declined_fields[] = {
    BIND_TEXT_FIELD(struct payment_declined, order_id, BIND_UUID),
    MONEY_FIELDS(struct payment_declined),
    BIND_TEXT_FIELD(struct payment_declined, reason, BIND_WORD),
};
const struct bind_type payment_declined_type =
    BIND_TYPE(PAYMENT_DECLINED, struct payment_declined, payment_declined_fields);

static const struct bind_field payment_closed_fields[] = {
    BIND_TEXT_FIELD(struct payment_closed, order_id, BIND_UUID),
    BIND_TEXT_FIELD(struct payment_closed, reason, BIND_WORD),
};
const struct bind_type payment_closed_type =
    BIND_TYPE(PAYMENT_CLOSED, struct payment_closed, payment_closed_fields);

/* --- facts of notification-service ----------------------------------------------------------- */

static const struct bind_field notification_sent_fields[] = {
    BIND_TEXT_FIELD(struct notification_sent, order_id, BIND_UUID),
    BIND_INT_FIELD(struct notification_sent, order_version, 1, COUNT_MAX),
    BIND_TEXT_FIELD(struct notification_sent, customer, BIND_UUID),
    BIND_CHOICE_FIELD(struct notification_sent, kind, notification_kinds),
    BIND_CHOICE_FIELD(struct notification_sent, channel, notification_channels),
};
const struct bind_type notification_sent_type =
    BIND_TYPE(NOTIFICATION_SENT, struct notification_sent, notification_sent_fields);

static const struct bind_field alert_raised_fields[] = {
    BIND_TEXT_FIELD(struct alert_raised, alert, BIND_WORD),
    BIND_INT_FIELD(struct alert_raised, count, 1, COUNT_MAX),
    BIND_INT_FIELD(struct alert_raised, window_ms, 1, COUNT_MAX),
};
const struct bind_type alert_raised_type =
    BIND_TYPE(ALERT_RAISED, struct alert_raised, alert_raised_fields);

/* --- the catalogue --------------------------------------------------------------------------- */

#define COMMANDS "warren.commands"
#define EVENTS "warren.events"

const struct contract contracts[] = {
    {ORDER_PLACE, COMMANDS, &order_place_type},
    {ORDER_CANCEL, COMMANDS, &order_cancel_type},
    {ORDER_RETELL, COMMANDS, &order_retell_type},
    {ORDER_RETELL_SETTLED, COMMANDS, &order_retell_settled_type},
    {PAYMENT_CLOSE, COMMANDS, &payment_close_type},
    {PAYMENT_REFUND, COMMANDS, &payment_refund_type},
    {PAYMENT_RETELL, COMMANDS, &payment_retell_type},
    {NOTIFICATION_RETELL, COMMANDS, &notification_retell_type},
    {CATALOGUE_SET_PRODUCT, COMMANDS, &set_product_type},
    {STOCK_ADJUST, COMMANDS, &stock_adjust_type},
    {ORDER_PLACED, EVENTS, &order_placed_type},
    {ORDER_REJECTED, EVENTS, &order_rejected_type},
    {ORDER_CLOSING, EVENTS, &order_closing_type},
    {ORDER_CONFIRMED, EVENTS, &order_confirmed_type},
    {ORDER_CANCELLED, EVENTS, &order_cancelled_type},
    {ORDER_EXPIRED, EVENTS, &order_expired_type},
    {PAYMENT_CAPTURED, EVENTS, &payment_captured_type},
    {PAYMENT_DECLINED, EVENTS, &payment_declined_type},
    {PAYMENT_CLOSED, EVENTS, &payment_closed_type},
    {PAYMENT_REFUNDED, EVENTS, &payment_refunded_type},
    {PRODUCT_LISTED, EVENTS, &product_listed_type},
    {STOCK_CHANGED, EVENTS, &stock_changed_type},
    {NOTIFICATION_SENT, EVENTS, &notification_sent_type},
    {ALERT_RAISED, EVENTS, &alert_raised_type},
    {COMMAND_DONE, EVENTS, &command_done_type},
    {COMMAND_REFUSED, EVENTS, &command_refused_type},
    {NULL, NULL, NULL},
};

const struct contract *contract_find(const char *type)
{
    for (const struct contract *contract = contracts; contract->type; contract++)
        if (strcmp(contract->type, type) == 0)
            return contract;
    return NULL;
}
