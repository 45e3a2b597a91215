/* What the edges show their customers. One statement a table: each sees one snapshot, and whoever
 * opened the read model has made it the same for all (audit.h). */
#include <stdlib.h>
#include <string.h>

#include "common/audit/evidence.h"
#include "common/messaging/envelope.h"

static enum result read_shown(void *context, const struct store_row *row, struct err *err)
{
    struct evidence *e = context;
    (void)err;
    e->shown = evidence_grow(e->shown, e->shown_count, &e->shown_capacity, sizeof *e->shown);
    struct shown *shown = &e->shown[e->shown_count++];
    *shown = (struct shown){.edge = e->edge_count - 1,
                            .version = store_row_int(row, 1),
                            .placed_ms = store_row_int(row, 8),
                            .updated_ms = store_row_int(row, 9)};
    shown->order = evidence_order(e, store_row_text(row, 0));
    shown->order->shown_by |= 1u << shown->edge;
    shown->status = evidence_word(e, store_row_text(row, 2));
    shown->reason = evidence_word(e, store_row_text(row, 3));
    shown->terms.customer = evidence_word(e, store_row_text(row, 4));
    shown->terms.currency = evidence_word(e, store_row_text(row, 5));
    shown->terms.total = store_row_int(row, 6);
    cJSON *lines = cJSON_Parse(store_row_text(row, 7));
    shown->terms.lines = evidence_lines_digest(lines);
    cJSON_Delete(lines);
    shown->request_hash = evidence_text_digest(store_row_text(row, 10));
    return OK;
}

static enum result read_shown_product(void *context, const struct store_row *row, struct err *err)
{
    struct evidence *e = context;
    (void)err;
    e->shown_products = evidence_grow(e->shown_products, e->shown_product_count,
                                      &e->shown_product_capacity, sizeof *e->shown_products);
    e->shown_products[e->shown_product_count++] = (struct shown_product){
        .edge = e->edge_count - 1,
        .sku = evidence_word(e, store_row_text(row, 0)),
        .name = evidence_word(e, store_row_text(row, 1)),
        .currency = evidence_word(e, store_row_text(row, 3)),
        .unit_price = store_row_int(row, 2),
        .available = store_row_int(row, 4),
        .listed = store_row_int(row, 5) != 0,
        .read = store_row_int(row, 6) - 1,
    };
    return OK;
}

static enum result read_held(void *context, const struct store_row *row, struct err *err)
{
    struct evidence *e = context;
    size_t size;
    const char *body = store_row_blob(row, 2, &size);
    struct envelope envelope = {.time_ms = 0};
    cJSON *document;
    const cJSON *data;
    (void)err;
    if (envelope_decode(body, size, &envelope, &document, &data, NULL) == OK)
        cJSON_Delete(document);
    e->held = evidence_grow(e->held, e->held_count, &e->held_capacity, sizeof *e->held);
    struct held_fact *held = &e->held[e->held_count++];
    *held = (struct held_fact){
        .edge = e->edge_count - 1, .sequence = store_row_int(row, 1), .time_ms = envelope.time_ms};
    store_row_copy(row, 0, held->subject, sizeof held->subject);
    return OK;
}

enum result evidence_read_edge(struct evidence *e, const struct audit_edge *edge, struct err *err)
{
    e->edges[e->edge_count].name = edge->name;
    e->edges[e->edge_count++].serving = edge->serving;
    /* Version 0: a fact of another service came before the order; no customer sees it. */
    enum result result =
        store_query(edge->store,
                    "SELECT order_id, version, status, reason, customer, currency, total, lines,"
                    " placed_ms, updated_ms, request_hash FROM orders WHERE version > 0",
                    STORE_NO_ARGS, read_shown, e, err);
    if (result == OK)
        result = store_query(edge->store,
                             "SELECT sku, name, unit_price, currency, available, listed,"
                             " coalesce((SELECT next FROM expected AS x WHERE x.subject = p.sku"
                             " AND x.source = '/order-service'), 1) FROM products AS p",
                             STORE_NO_ARGS, read_shown_product, e, err);
    if (result == OK)
        result = store_query(edge->store, "SELECT subject, sequence, body FROM held", STORE_NO_ARGS,
                             read_held, e, err);
    return err_context(err, result, "%s", edge->name);
}
