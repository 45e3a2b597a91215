/* The stores. Each is read by few statements, and what must agree with each other by a single one:
 * one statement sees one snapshot. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/audit/evidence.h"

static void read_lines(struct evidence *e, struct order_case *order, const cJSON *lines)
{
    int count = cJSON_GetArraySize(lines);
    const cJSON *line;
    order->lines = calloc(count > 0 ? (size_t)count : 1, sizeof *order->lines);
    if (!order->lines)
        abort();
    cJSON_ArrayForEach(line, lines)
    {
        struct order_item *item = &order->lines[order->line_count++];
        item->sku = evidence_word(e, evidence_member_text(line, "sku"));
        item->name = evidence_word(e, evidence_member_text(line, "name"));
        item->quantity = evidence_member_int(line, "quantity");
        item->unit_price = evidence_member_int(line, "unit_price");
        item->amount = evidence_member_int(line, "amount");
    }
}

static struct terms terms_of(struct evidence *e, const cJSON *json, const cJSON *lines)
{
    return (struct terms){.customer = evidence_word(e, evidence_member_text(json, "customer")),
                          .currency = evidence_word(e, evidence_member_text(json, "currency")),
                          .total = evidence_member_int(json, "total"),
                          .lines = evidence_lines_digest(lines)};
}

/* The first fact says what was ordered. */
static void read_terms(struct evidence *e, struct order_case *order, const cJSON *json)
{
    const cJSON *lines = cJSON_GetObjectItemCaseSensitive(json, "lines");
    order->terms = terms_of(e, json, lines);
    snprintf(order->request_hash, sizeof order->request_hash, "%s",
             evidence_member_text(json, "request_hash"));
    order->deadline_ms = evidence_member_int(json, "deadline_ms");
    read_lines(e, order, lines);
    e->report->counts.orders++;
}

/* Not every fact says all of it. */
static bool contradicts(const struct order_case *order, struct evidence *e, const cJSON *json)
{
    const cJSON *lines = cJSON_GetObjectItemCaseSensitive(json, "lines");
    const struct terms said = terms_of(e, json, lines);
    return strcmp(said.customer, order->terms.customer) != 0 ||
           (said.currency[0] && strcmp(said.currency, order->terms.currency) != 0) ||
           (cJSON_HasObjectItem(json, "total") && said.total != order->terms.total) ||
           (lines && memcmp(&said.lines, &order->terms.lines, sizeof said.lines) != 0);
}

static void read_event(struct evidence *e, const struct store_row *row)
{
    struct order_case *order = evidence_order(e, store_row_text(row, 1));
    order->facts =
        evidence_grow(order->facts, order->fact_count, &order->fact_capacity, sizeof *order->facts);
    struct order_fact *fact = &order->facts[order->fact_count++];
    *fact = (struct order_fact){.version = store_row_int(row, 2), .at_ms = store_row_int(row, 5)};
    fact->type = evidence_word(e, store_row_text(row, 3));
    fact->reason = "";
    store_row_copy(row, 4, fact->id, sizeof fact->id);
    e->report->counts.facts++;
    cJSON *json = cJSON_Parse(store_row_text(row, 6));
    if (!json) {
        violated(e, 5, "order %s: version %" PRId64 " is not JSON", order->id, fact->version);
        return;
    }
    fact->digest = evidence_digest(json);
    fact->reason = evidence_word(e, evidence_member_text(json, "reason"));
    if (order->fact_count == 1)
        read_terms(e, order, json);
    else
        fact->contradicts = contradicts(order, e, json);
    cJSON_Delete(json);
}

static void read_product(struct evidence *e, const struct store_row *row)
{
    struct product_case *product = map_get(&e->products, store_row_text(row, 1));
    product->there = true;
    product->sequence = store_row_int(row, 2);
    product->name = evidence_word(e, store_row_text(row, 3));
    product->currency = evidence_word(e, store_row_text(row, 4));
    product->adjusted = store_row_int(row, 5);
    product->available = store_row_int(row, 7);
    product->reserved = store_row_int(row, 8);
    product->sold = store_row_int(row, 9);
    product->unit_price = store_row_int(row, 10);
    product->revision = store_row_int(row, 11);
    product->told_ms = store_row_int(row, 12);
    product->untold = store_row_int(row, 13) != 0;
}

/* What one command did to one product. */
static void read_adjustment(struct evidence *e, const struct store_row *row)
{
    const char *sku = store_row_text(row, 1);
    struct product_case *product = map_get(&e->products, sku);
    product->put_in += store_row_int(row, 5);
    checked(e, 3);
    if (store_row_int(row, 2) > 1)
        violated(e, 3, "product %s: its stock was adjusted %" PRId64 " times by the command %s",
                 sku, store_row_int(row, 2), store_row_text(row, 4));
}

enum row_kind { ROW_EVENT, ROW_PRODUCT, ROW_ADJUSTMENT };

static enum result read_order_row(void *context, const struct store_row *row, struct err *err)
{
    (void)err;
    if (store_row_int(row, 0) == ROW_EVENT)
        read_event(context, row);
    else if (store_row_int(row, 0) == ROW_PRODUCT)
        read_product(context, row);
    else
        read_adjustment(context, row);
    return OK;
}

enum result evidence_read_order(struct evidence *e, struct store *store, struct err *err)
{
    enum result result =
        store_query(store,
                    "SELECT 0, order_id, version AS n, type, fact_id, at_ms, data, 0, 0, 0, 0,"
                    " 0, 0, 0"
                    " FROM order_event"
                    " UNION ALL SELECT 1, sku, sequence, name, currency, adjusted, '', available,"
                    " reserved, sold, unit_price, revision, told_ms, untold FROM product"
                    " UNION ALL SELECT 2, sku, count(*), '', command_id, sum(delta), '', 0, 0, 0,"
                    " 0, 0, 0, 0"
                    " FROM stock_adjustment GROUP BY sku, command_id ORDER BY 1, 2, 3",
                    STORE_NO_ARGS, read_order_row, e, err);
    return err_context(err, result, "order store");
}

static enum result read_payment_row(void *context, const struct store_row *row, struct err *err)
{
    struct evidence *e = context;
    struct order_case *order = evidence_order(e, store_row_text(row, 0));
    (void)err;
    order->payment.there = true;
    store_row_copy(row, 1, order->payment.state, sizeof order->payment.state);
    order->payment.amount = store_row_int(row, 2);
    store_row_copy(row, 3, order->payment.outcome_fact, sizeof order->payment.outcome_fact);
    store_row_copy(row, 4, order->payment.refund_fact, sizeof order->payment.refund_fact);
    order->payment.updated_ms = store_row_int(row, 5);
    order->payment.currency = evidence_word(e, store_row_text(row, 6));
    order->payment.reference = evidence_text_digest(store_row_text(row, 7));
    return OK;
}

enum result evidence_read_payment(struct evidence *e, struct store *store, struct err *err)
{
    enum result result =
        store_query(store,
                    "SELECT order_id, state, amount, outcome_fact_id,"
                    " refund_fact_id, updated_ms, currency, provider_reference FROM payment",
                    STORE_NO_ARGS, read_payment_row, e, err);
    return err_context(err, result, "payment store");
}

static struct entry entry_of(struct evidence *e, const struct store_row *row)
{
    const char *currency = evidence_word(e, store_row_text(row, 4));
    return (struct entry){
        .currency = currency,
        .what = evidence_entry_digest(store_row_text(row, 0), store_row_text(row, 1),
                                      store_row_int(row, 2), currency, store_row_text(row, 5)),
        .reference = evidence_text_digest(store_row_text(row, 5)),
    };
}

static enum result read_entry(void *context, const struct store_row *row, struct err *err)
{
    struct evidence *e = context;
    struct order_case *order = evidence_order(e, store_row_text(row, 0));
    const char *kind = store_row_text(row, 1);
    int64_t amount = store_row_int(row, 2);
    int64_t at_ms = store_row_int(row, 3);
    (void)err;
    if (at_ms > order->ledger.last_ms)
        order->ledger.last_ms = at_ms;
    if (strcmp(kind, "capture") == 0 && order->ledger.captures == 0)
        order->ledger.capture = entry_of(e, row);
    if (strcmp(kind, "refund") == 0 && order->ledger.refunds == 0)
        order->ledger.refund = entry_of(e, row);
    order->ledger.refund_first |= strcmp(kind, "refund") == 0 && order->ledger.captures == 0;
    order->ledger.declines += strcmp(kind, "decline") == 0;
    order->ledger.voids += strcmp(kind, "void") == 0;
    if (strcmp(kind, "capture") == 0) {
        order->ledger.captures++;
        order->ledger.captured += amount;
        e->report->counts.captures++;
        e->report->captured += amount;
    } else if (strcmp(kind, "refund") == 0) {
        order->ledger.refunds++;
        order->ledger.refunded += amount;
        e->report->counts.refunds++;
        e->report->refunded += amount;
    }
    return OK;
}

enum result evidence_read_ledger(struct evidence *e, struct store *store, struct err *err)
{
    enum result result = store_query(store,
                                     "SELECT order_id, kind, amount, at_ms, currency, reference"
                                     " FROM ledger ORDER BY entry",
                                     STORE_NO_ARGS, read_entry, e, err);
    return err_context(err, result, "provider's ledger");
}

static enum result read_notice(void *context, const struct store_row *row, struct err *err)
{
    struct evidence *e = context;
    struct order_case *order = evidence_order(e, store_row_text(row, 0));
    (void)err;
    e->report->counts.notifications++;
    order->notices = evidence_grow(order->notices, order->notice_count, &order->notice_capacity,
                                   sizeof *order->notices);
    struct notice *notice = &order->notices[order->notice_count++];
    *notice = (struct notice){.version = store_row_int(row, 1), .at_ms = store_row_int(row, 6)};
    store_row_copy(row, 2, notice->customer, sizeof notice->customer);
    notice->kind = evidence_word(e, store_row_text(row, 3));
    notice->state = evidence_word(e, store_row_text(row, 4));
    store_row_copy(row, 5, notice->id, sizeof notice->id);
    return OK;
}

enum result evidence_read_notification(struct evidence *e, struct store *store, struct err *err)
{
    enum result result =
        store_query(store,
                    "SELECT order_id, order_version, customer, kind, state, fact_id, at_ms"
                    " FROM notification ORDER BY order_id, order_version",
                    STORE_NO_ARGS, read_notice, e, err);
    return err_context(err, result, "notification store");
}
