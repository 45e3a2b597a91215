/* The message catalogue in C: one struct and one bind_type per message. contracts/schemas/ says the
 * same in JSON Schema; the corpus test holds the two to the same verdicts. Structs are plain
 * values. */
#ifndef WARREN_CONTRACTS_MESSAGES_H
#define WARREN_CONTRACTS_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bind.h"

enum {
    ORDER_LINES_MAX = 50,
    QUANTITY_MAX = 1000,
    UNIT_PRICE_MAX = 1000000000,
    STOCK_DELTA_MAX = 1000000000,
    NAME_POINTS_MAX = 128,
    MISSING_RANGES_MAX = 50,
};
#define AMOUNT_MAX INT64_C(1000000000000000)
#define COUNT_MAX INT64_C(9007199254740991)     /* 2^53 - 1, see json_integer */
#define REVISION_AHEAD_MAX_MS INT64_C(86400000) /* a revision further ahead of now is refused */

#define UUID_SIZE 37
#define SKU_SIZE 33
#define TOKEN_SIZE 45
#define CURRENCY_SIZE 4
#define WORD_SIZE 65
#define NAME_SIZE (4 * NAME_POINTS_MAX + 1)
#define HASH_SIZE 65
#define TYPE_SIZE 48
#define ABOUT_SIZE 64
#define REFERENCE_SIZE (4 * 64 + 1)

/* What begins so is said by others, whom the broker lets say nothing else (docs/join.md): never a
 * type of ours, whatever the message claims to be. */
#define NEIGHBOUR_WORD "neighbour."

/* Types, also the routing keys. */
#define ORDER_PLACE "order.place"
#define ORDER_CANCEL "order.cancel"
#define ORDER_RETELL "order.retell"
#define ORDER_RETELL_SETTLED "order.retell-settled"
#define PAYMENT_CLOSE "payment.close"
#define PAYMENT_REFUND "payment.refund"
#define PAYMENT_RETELL "payment.retell"
#define NOTIFICATION_RETELL "notification.retell"
#define CATALOGUE_SET_PRODUCT "catalogue.set-product"
#define STOCK_ADJUST "stock.adjust"
#define ORDER_PLACED "order.placed"
#define ORDER_REJECTED "order.rejected"
#define ORDER_CLOSING "order.closing"
#define ORDER_CONFIRMED "order.confirmed"
#define ORDER_CANCELLED "order.cancelled"
#define ORDER_EXPIRED "order.expired"
#define PAYMENT_CAPTURED "payment.captured"
#define PAYMENT_DECLINED "payment.declined"
#define PAYMENT_CLOSED "payment.closed"
#define PAYMENT_REFUNDED "payment.refunded"
#define PRODUCT_LISTED "product.listed"
#define STOCK_CHANGED "stock.changed"
#define NOTIFICATION_SENT "notification.sent"
#define ALERT_RAISED "alert.raised"
#define COMMAND_DONE "command.done"
#define COMMAND_REFUSED "command.refused"

struct order_line { /* asked for */
    char sku[SKU_SIZE];
    int64_t quantity;
};

struct priced_line {
    char sku[SKU_SIZE];
    char name[NAME_SIZE]; /* "" when the product is unknown */
    int64_t quantity;
    int64_t unit_price;
    int64_t amount;
};

struct payment_means {
    char token[TOKEN_SIZE];
};

/* Commands */

struct order_place {
    char order_id[UUID_SIZE];
    char customer[UUID_SIZE];
    size_t line_count;
    struct order_line lines[ORDER_LINES_MAX];
    struct payment_means payment;
    char request_hash[HASH_SIZE];
};

struct order_cancel {
    char order_id[UUID_SIZE];
    char customer[UUID_SIZE];
};

struct payment_close {
    char order_id[UUID_SIZE];
    char reason[WORD_SIZE]; /* cancelled | expired */
};

struct payment_refund {
    char order_id[UUID_SIZE];
    int64_t amount;
    char currency[CURRENCY_SIZE];
};

struct retell { /* order.retell, payment.retell, notification.retell */
    char order_id[UUID_SIZE];
};

struct number_range { /* both ends included */
    int64_t first;
    int64_t last; /* optional: 0 for no end */
};

struct retell_settled {
    size_t missing_count;
    struct number_range missing[MISSING_RANGES_MAX]; /* of settlements, see struct order_ended */
};

struct set_product {
    char sku[SKU_SIZE];
    char name[NAME_SIZE];
    int64_t unit_price;
    char currency[CURRENCY_SIZE];
    int64_t revision;           /* the highest wins; 0: order-service gives the next one */
    char request_id[UUID_SIZE]; /* "": whoever asked gave no key */
};

struct stock_adjust {
    char sku[SKU_SIZE];
    int64_t delta;              /* never 0 */
    char request_id[UUID_SIZE]; /* "": whoever asked gave no key */
};

/* Facts */

struct order_placed {
    char order_id[UUID_SIZE];
    char customer[UUID_SIZE];
    int64_t version;
    char currency[CURRENCY_SIZE];
    size_t line_count;
    struct priced_line lines[ORDER_LINES_MAX];
    int64_t total;
    struct payment_means payment;
    char request_hash[HASH_SIZE];
    int64_t deadline_ms; /* epoch; payment has to have its outcome by then */
};

struct order_rejected {
    char order_id[UUID_SIZE];
    char customer[UUID_SIZE];
    int64_t version;
    char reason[WORD_SIZE];
    char currency[CURRENCY_SIZE];
    size_t line_count;
    struct priced_line lines[ORDER_LINES_MAX];
    int64_t total;
    char request_hash[HASH_SIZE];
    int64_t settlement; /* see struct order_ended */
};

struct order_closing {
    char order_id[UUID_SIZE];
    char customer[UUID_SIZE];
    int64_t version;
    char reason[WORD_SIZE]; /* cancelled | expired */
};

struct order_ended { /* confirmed, cancelled, expired */
    char order_id[UUID_SIZE];
    char customer[UUID_SIZE];
    int64_t version;
    char reason[WORD_SIZE]; /* optional: "" for confirmed */
    char currency[CURRENCY_SIZE];
    int64_t total;
    int64_t settlement; /* gap-free over all settled versions of all orders; 0: it has none */
};

struct payment_outcome { /* captured, refunded */
    char order_id[UUID_SIZE];
    int64_t amount;
    char currency[CURRENCY_SIZE];
    char provider_reference[REFERENCE_SIZE]; /* 1..64 characters, whatever they are */
};

struct payment_declined {
    char order_id[UUID_SIZE];
    int64_t amount;
    char currency[CURRENCY_SIZE];
    char reason[WORD_SIZE];
};

struct payment_closed {
    char order_id[UUID_SIZE];
    char reason[WORD_SIZE];
};

struct product_listed {
    char sku[SKU_SIZE];
    char name[NAME_SIZE];
    int64_t unit_price;
    char currency[CURRENCY_SIZE];
    int64_t revision;
};

struct stock_changed {
    char sku[SKU_SIZE];
    int64_t available;
    int64_t reserved;
    int64_t sold;
};

struct notification_sent {
    char order_id[UUID_SIZE];
    int64_t order_version;
    char customer[UUID_SIZE];
    char kind[WORD_SIZE];    /* confirmed | rejected | cancelled | expired */
    char channel[WORD_SIZE]; /* in-app | email */
};

struct alert_raised {
    char alert[WORD_SIZE]; /* failed-orders */
    int64_t count;
    int64_t window_ms;
};

/* What became of a command. Of order.place, which makes an order where it is done, only a refusal is
 * told. */
struct command_done {
    char command_id[UUID_SIZE];
    char command_type[TYPE_SIZE];
    char about[ABOUT_SIZE];   /* the order id or SKU it was about */
    char customer[UUID_SIZE]; /* who sent it; "": an administrator */
};

struct command_refused {
    char command_id[UUID_SIZE];
    char command_type[TYPE_SIZE];
    char about[ABOUT_SIZE];
    char customer[UUID_SIZE];
    char reason[WORD_SIZE];
};

extern const struct bind_type order_place_type, order_cancel_type, order_retell_type,
    order_retell_settled_type, payment_close_type, payment_refund_type, payment_retell_type,
    notification_retell_type, set_product_type, stock_adjust_type;
extern const struct bind_type order_placed_type, order_rejected_type, order_closing_type,
    order_confirmed_type, order_cancelled_type, order_expired_type, payment_captured_type,
    payment_declined_type, payment_closed_type, payment_refunded_type, product_listed_type,
    stock_changed_type, notification_sent_type, alert_raised_type, command_done_type,
    command_refused_type;

struct contract {
    const char *type;     /* "order.placed" */
    const char *exchange; /* where it is published */
    const struct bind_type *payload;
};
/* Every message there is, ending in a NULL type. */
extern const struct contract contracts[];
/* NULL: there is no such message. */
const struct contract *contract_find(const char *type);

/* The largest of the structs above: what a loop needs to hold any decoded payload. */
#define PAYLOAD_SIZE_MAX (sizeof(struct order_placed) + 64)

#endif
