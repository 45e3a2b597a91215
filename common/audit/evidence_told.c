/* What facts of the stream say that is held against something else: the catalogue, the ledger. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/audit/evidence.h"

static void listing_key(char key[700], const char *sku, const char *name, int64_t unit_price,
                        const char *currency)
{
    snprintf(key, 700, "%s\n%s\n%" PRId64 "\n%s", sku, name, unit_price, currency);
}

static void note_listing(struct evidence *e, const char *sku, const struct told *told)
{
    char key[700];
    listing_key(key, sku, told->name, told->unit_price, told->currency);
    *(bool *)map_get(&e->listings, key) = true;
    listing_key(key, sku, told->name, told->unit_price, "");
    *(bool *)map_get(&e->listings, key) = true;
}

bool evidence_listed(const struct evidence *e, const char *sku, const char *name,
                     int64_t unit_price, const char *currency)
{
    char key[700];
    listing_key(key, sku, name, unit_price, currency);
    return map_find(&e->listings, key) != NULL;
}

static struct told *told_add(struct evidence *e, const char *sku)
{
    struct told_case *told = map_get(&e->told, sku);
    told->facts = evidence_grow(told->facts, told->count, &told->capacity, sizeof *told->facts);
    return &told->facts[told->count++];
}

static void note_product(struct evidence *e, const char *sku, const struct told *when, bool listing,
                         const cJSON *payload)
{
    struct told *told = told_add(e, sku);
    *told = *when;
    if (listing) {
        told->name = evidence_word(e, evidence_member_text(payload, "name"));
        told->currency = evidence_word(e, evidence_member_text(payload, "currency"));
        told->unit_price = evidence_member_int(payload, "unit_price");
        told->revision = evidence_member_int(payload, "revision");
        note_listing(e, sku, told);
        return;
    }
    told->available = evidence_member_int(payload, "available");
    told->reserved = evidence_member_int(payload, "reserved");
    told->sold = evidence_member_int(payload, "sold");
}

static int by_sequence(const void *a, const void *b)
{
    const struct told *one = a, *other = b;
    return one->sequence < other->sequence ? -1 : one->sequence > other->sequence;
}

void evidence_told_done(struct evidence *e)
{
    for (size_t i = 0; i < e->told.count; i++) {
        struct told_case *told = e->told.records[i];
        qsort(told->facts, told->count, sizeof *told->facts, by_sequence);
    }
}

int64_t told_last(const struct told_case *told)
{
    return told && told->count > 0 ? told->facts[told->count - 1].sequence : 0;
}

bool told_whole(const struct told_case *told)
{
    return told && told_last(told) == (int64_t)told->count;
}

void told_until(const struct told_case *told, int64_t sequence, struct told_state *ret_state)
{
    *ret_state = (struct told_state){0};
    int64_t due = sequence;
    for (size_t i = told ? told->count : 0; i > 0; i--) {
        const struct told *fact = &told->facts[i - 1];
        if (fact->sequence > sequence)
            continue;
        if (fact->sequence != due)
            return;
        if (fact->name && !ret_state->listing)
            ret_state->listing = fact;
        if (!fact->name && !ret_state->stock)
            ret_state->stock = fact;
        due--;
    }
    ret_state->whole = due == 0;
}

static void note_money(struct evidence *e, const char *order_id, int64_t sequence, const char *kind,
                       const cJSON *payload)
{
    struct order_case *order = evidence_order(e, order_id);
    struct money_fact *fact = strcmp(kind, "capture") == 0 ? &order->captured : &order->refunded;
    fact->sequence = sequence;
    fact->what = evidence_entry_digest(order_id, kind, evidence_member_int(payload, "amount"),
                                       evidence_member_text(payload, "currency"),
                                       evidence_member_text(payload, "provider_reference"));
}

void evidence_told(struct evidence *e, const char *type, const char *subject, int64_t sequence,
                   int64_t time_ms, const cJSON *payload)
{
    const struct told when = {.sequence = sequence, .time_ms = time_ms};
    if (strcmp(type, "product.listed") == 0)
        note_product(e, subject, &when, true, payload);
    else if (strcmp(type, "stock.changed") == 0)
        note_product(e, subject, &when, false, payload);
    else if (strcmp(type, "payment.captured") == 0)
        note_money(e, subject, sequence, "capture", payload);
    else if (strcmp(type, "payment.refunded") == 0)
        note_money(e, subject, sequence, "refund", payload);
}
