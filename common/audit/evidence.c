#include "common/audit/evidence.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/digest.h"
#include "common/base/json.h"

void evidence_init(struct evidence *e, const struct audit_options *options,
                   struct audit_report *report)
{
    *e = (struct evidence){.options = options, .report = report};
    map_init(&e->orders, sizeof(struct order_case));
    map_init(&e->products, sizeof(struct product_case));
    map_init(&e->stream, sizeof(struct stream_fact));
    map_init(&e->ids, sizeof(struct stream_fact *));
    map_init(&e->series, sizeof(struct series));
    map_init(&e->told, sizeof(struct told_case));
    map_init(&e->listings, sizeof(bool));
    map_init(&e->unsent, sizeof(bool));
    map_init(&e->requests, sizeof(struct request_case));
    map_init(&e->words, sizeof(char *));
}

void evidence_release(struct evidence *e)
{
    for (size_t i = 0; i < e->orders.count; i++) {
        struct order_case *order = e->orders.records[i];
        free(order->facts);
        free(order->lines);
        free(order->notices);
    }
    for (size_t i = 0; i < e->stream.count; i++)
        free(((struct stream_fact *)e->stream.records[i])->data);
    for (size_t i = 0; i < e->told.count; i++)
        free(((struct told_case *)e->told.records[i])->facts);
    free(e->shown);
    free(e->shown_products);
    free(e->held);
    free(e->quarantine);
    map_release(&e->told);
    map_release(&e->listings);
    map_release(&e->orders);
    map_release(&e->products);
    map_release(&e->stream);
    map_release(&e->ids);
    map_release(&e->series);
    map_release(&e->unsent);
    map_release(&e->requests);
    map_release(&e->words);
}

const char *evidence_word(struct evidence *e, const char *text)
{
    char **word = map_get(&e->words, text);
    if (!*word)
        *word = e->words.keys[e->words.count - 1];
    return *word;
}

static struct digest digest_of(const void *data, size_t size)
{
    uint8_t full[SHA256_SIZE];
    struct digest digest;
    sha256(data, size, full);
    memcpy(digest.bytes, full, sizeof digest.bytes);
    return digest;
}

struct digest evidence_digest(const cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    if (!text)
        abort();
    struct digest digest = digest_of(text, strlen(text));
    free(text);
    return digest;
}

struct digest evidence_text_digest(const char *text)
{
    return digest_of(text, strlen(text));
}

struct digest evidence_entry_digest(const char *order_id, const char *kind, int64_t amount,
                                    const char *currency, const char *reference)
{
    struct buf text = {0};
    buf_printf(&text, "%s\n%s\n%" PRId64 "\n%s\n%s", order_id, kind, amount, currency, reference);
    struct digest digest = digest_of(text.data, text.size);
    buf_release(&text);
    return digest;
}

struct digest evidence_lines_digest(const cJSON *lines)
{
    struct buf text = {0};
    const cJSON *line;
    cJSON_ArrayForEach(line, lines)
    {
        buf_printf(&text, "%s\n%s\n%" PRId64 " %" PRId64 " %" PRId64 "\n",
                   evidence_member_text(line, "sku"), evidence_member_text(line, "name"),
                   evidence_member_int(line, "quantity"), evidence_member_int(line, "unit_price"),
                   evidence_member_int(line, "amount"));
    }
    struct digest digest = digest_of(text.data, text.size);
    buf_release(&text);
    return digest;
}

const char *evidence_member_text(const cJSON *json, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsString(member) ? member->valuestring : "";
}

int64_t evidence_member_int(const cJSON *json, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, name);
    bool fits = cJSON_IsNumber(member) && fabs(member->valuedouble) <= (double)JSON_INTEGER_MAX;
    return fits ? (int64_t)member->valuedouble : 0;
}

struct order_case *evidence_order(struct evidence *e, const char *id)
{
    struct order_case *order = map_get(&e->orders, id);
    if (!order->id[0])
        snprintf(order->id, sizeof order->id, "%s", id);
    return order;
}

void *evidence_grow(void *list, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return list;
    *capacity = *capacity ? 2 * *capacity : 2;
    list = realloc(list, *capacity * size);
    if (!list)
        abort();
    return list;
}

bool evidence_due(struct evidence *e, int64_t at_ms)
{
    if (e->options->moment == AUDIT_FINAL || at_ms + e->options->grace_ms <= e->options->now_ms)
        return true;
    e->report->pending++;
    return false;
}

bool evidence_log_may_lack(const struct evidence *e, int64_t at_ms)
{
    return at_ms <= e->options->log_given_up_ms ||
           (e->log_cut && at_ms <= e->log_begins_ms + e->options->grace_ms);
}

bool evidence_log_is_another(const struct evidence *e)
{
    return e->report->lost > 0;
}

void checked(struct evidence *e, int promise)
{
    e->report->promises[promise - 1].checked++;
}

static char *text_new(const char *format, va_list args)
{
    char text[400];
    vsnprintf(text, sizeof text, format, args);
    char *copy = strdup(text);
    if (!copy)
        abort();
    return copy;
}

void violated(struct evidence *e, int promise, const char *format, ...)
{
    struct audit_promise *p = &e->report->promises[promise - 1];
    if (p->violations++ >= AUDIT_VIOLATIONS_KEPT)
        return;
    va_list args;
    va_start(args, format);
    p->texts[p->violations - 1] = text_new(format, args);
    va_end(args);
}

void noted(struct evidence *e, const char *format, ...)
{
    struct audit_report *report = e->report;
    if (report->note_count == AUDIT_NOTES_KEPT)
        return;
    va_list args;
    va_start(args, format);
    report->notes[report->note_count++] = text_new(format, args);
    va_end(args);
}

const struct order_fact *order_last(const struct order_case *order)
{
    return order->fact_count ? &order->facts[order->fact_count - 1] : NULL;
}

const char *order_state(const struct order_case *order)
{
    static const char prefix[] = "order.";
    const struct order_fact *last = order_last(order);
    if (!last)
        return "";
    return strncmp(last->type, prefix, sizeof prefix - 1) == 0 ? last->type + sizeof prefix - 1
                                                               : last->type;
}

bool order_settled(const struct order_case *order)
{
    const char *state = order_state(order);
    return strcmp(state, "confirmed") == 0 || strcmp(state, "rejected") == 0 ||
           strcmp(state, "cancelled") == 0 || strcmp(state, "expired") == 0;
}
