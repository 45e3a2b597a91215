#include "common/audit/evidence.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"

void evidence_init(struct evidence *e, const struct audit_options *options,
                   struct audit_report *report)
{
    *e = (struct evidence){.options = options, .report = report};
    map_init(&e->orders, sizeof(struct order_case));
    map_init(&e->products, sizeof(struct product_case));
    map_init(&e->stream, sizeof(struct stream_fact));
    map_init(&e->ids, sizeof(struct stream_fact *));
    map_init(&e->series, sizeof(struct series));
    map_init(&e->unsent, sizeof(struct unsent));
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

struct digest evidence_digest(const cJSON *json)
{
    uint8_t full[SHA256_SIZE];
    struct digest digest;
    char *text = cJSON_PrintUnformatted(json);
    if (!text)
        abort();
    sha256(text, strlen(text), full);
    free(text);
    memcpy(digest.bytes, full, sizeof digest.bytes);
    return digest;
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

void checked(struct evidence *e, int promise)
{
    e->report->promises[promise - 1].checked++;
}

void violated(struct evidence *e, int promise, const char *format, ...)
{
    struct audit_promise *p = &e->report->promises[promise - 1];
    if (p->violations++ >= AUDIT_VIOLATIONS_KEPT)
        return;
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    p->texts[p->violations - 1] = strdup(text);
    if (!p->texts[p->violations - 1])
        abort();
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
