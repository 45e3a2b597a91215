#include "load/fact.h"

#include <stdlib.h>
#include <string.h>

#include "common/messaging/envelope.h"
#include "contracts/messages.h"

static const struct {
    const char *type;
    enum fact_kind kind;
} kinds[] = {
    {ORDER_PLACED, FACT_PLACED},        {ORDER_CONFIRMED, FACT_CONFIRMED},
    {ORDER_REJECTED, FACT_REJECTED},    {ORDER_CANCELLED, FACT_CANCELLED},
    {ORDER_EXPIRED, FACT_EXPIRED},      {PAYMENT_CAPTURED, FACT_CAPTURED},
    {NOTIFICATION_SENT, FACT_NOTIFIED},
};

static enum fact_kind kind_of(const char *type, size_t size)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(kinds[i].type, type, size) == 0 && kinds[i].type[size] == '\0')
            return kinds[i].kind;
    return FACT_OTHER;
}

/* --- ids ---------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum result order_key_read(const char *text, struct order_key *ret_key)
{
    size_t at = 0;
    for (size_t i = 0; i < ORDER_KEY_SIZE; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-')
            return INVALID;
        int high = hex_digit(text[at]);
        int low = high < 0 ? -1 : hex_digit(text[at + 1]);
        if (low < 0)
            return INVALID;
        ret_key->bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return OK;
}

void order_key_write(const struct order_key *key, char text[ID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *out = text;
    for (size_t i = 0; i < ORDER_KEY_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[key->bytes[i] >> 4];
        *out++ = digits[key->bytes[i] & 15];
    }
    *out = '\0';
}

/* --- the cheap way ------------------------------------------------------------------------------- */

/* Where we are in the text; NULL once something was not as expected. */
struct scan {
    const char *at;
};

static void expect(struct scan *scan, const char *text)
{
    size_t size = strlen(text);
    if (scan->at)
        scan->at = strncmp(scan->at, text, size) == 0 ? scan->at + size : NULL;
}

/* A text up to its closing quote, which is passed; one with an escape is not for us. */
static const char *take_text(struct scan *scan, size_t *ret_size)
{
    const char *begin = scan->at;
    *ret_size = begin ? strcspn(begin, "\"\\") : 0;
    scan->at = begin && begin[*ret_size] == '"' ? begin + *ret_size + 1 : NULL;
    return begin;
}

static void copy_text(struct scan *scan, char *out, size_t out_size)
{
    size_t size;
    const char *text = take_text(scan, &size);
    if (!scan->at || size >= out_size) {
        scan->at = NULL;
        return;
    }
    memcpy(out, text, size);
    out[size] = '\0';
}

static int64_t take_number(struct scan *scan)
{
    char *end;
    if (!scan->at || *scan->at < '0' || *scan->at > '9')
        scan->at = NULL;
    if (!scan->at)
        return 0;
    int64_t number = strtoll(scan->at, &end, 10);
    scan->at = end;
    return number;
}

static bool next_is(const struct scan *scan, const char *text)
{
    return scan->at && strncmp(scan->at, text, strlen(text)) == 0;
}

static void skip_member(struct scan *scan, const char *name)
{
    size_t size;
    expect(scan, name);
    (void)take_text(scan, &size);
}

/* From the envelope's end on; the subject has said which order. */
static void scan_data(struct scan *scan, struct fact *fact)
{
    if (next_is(scan, ",\"traceparent\":\""))
        skip_member(scan, ",\"traceparent\":\"");
    expect(scan, ",\"datacontenttype\":\"application/json\",\"data\":{");
    skip_member(scan, "\"order_id\":\"");
    if (fact->kind == FACT_CAPTURED)
        return;
    if (fact->kind == FACT_NOTIFIED) {
        expect(scan, ",\"order_version\":");
        (void)take_number(scan);
    }
    expect(scan, ",\"customer\":\"");
    copy_text(scan, fact->customer, sizeof fact->customer);
    if (fact->kind != FACT_REJECTED)
        return;
    expect(scan, ",\"version\":");
    (void)take_number(scan);
    expect(scan, ",\"reason\":\"");
    copy_text(scan, fact->reason, sizeof fact->reason);
}

enum result fact_scan(const char *body, size_t size, struct fact *ret_fact)
{
    struct scan scan = {body};
    struct fact fact = {.kind = FACT_OTHER};
    size_t type_size, subject_size;
    expect(&scan, "{\"specversion\":\"1.0\"");
    skip_member(&scan, ",\"id\":\"");
    skip_member(&scan, ",\"source\":\"");
    expect(&scan, ",\"type\":\"");
    const char *type = take_text(&scan, &type_size);
    if (!scan.at || size < 2 || strcmp(body + size - 2, "}}") != 0)
        return NOT_FOUND; /* or cut short */
    fact.kind = kind_of(type, type_size);
    *ret_fact = fact;
    if (fact.kind == FACT_OTHER)
        return OK;
    expect(&scan, ",\"subject\":\"");
    const char *subject = take_text(&scan, &subject_size);
    skip_member(&scan, ",\"time\":\"");
    if (next_is(&scan, ",\"sequence\":\"")) {
        expect(&scan, ",\"sequence\":\"");
        fact.sequence = take_number(&scan);
        expect(&scan, "\"");
    }
    scan_data(&scan, &fact);
    if (!scan.at || subject_size != ID_TEXT_SIZE - 1 || order_key_read(subject, &fact.order) != OK)
        return NOT_FOUND;
    *ret_fact = fact;
    return OK;
}

/* --- the sure way -------------------------------------------------------------------------------- */

static void copy_member(const cJSON *data, const char *name, char *out, size_t size)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, name));
    size_t length = text ? strlen(text) : 0;
    if (length < size)
        memcpy(out, text ? text : "", length + 1);
}

enum result fact_parse(const char *body, size_t size, struct fact *ret_fact)
{
    struct envelope envelope;
    cJSON *document;
    const cJSON *data;
    enum result result = envelope_decode(body, size, &envelope, &document, &data, NULL);
    if (result != OK)
        return result;
    struct fact fact = {.kind = kind_of(envelope.type, strlen(envelope.type))};
    if (fact.kind != FACT_OTHER) {
        fact.sequence = envelope.sequence;
        copy_member(data, "customer", fact.customer, sizeof fact.customer);
        if (fact.kind == FACT_REJECTED)
            copy_member(data, "reason", fact.reason, sizeof fact.reason);
        if (!id_valid(envelope.subject))
            result = INVALID;
        else
            result = order_key_read(envelope.subject, &fact.order);
    }
    cJSON_Delete(document);
    if (result == OK)
        *ret_fact = fact;
    return result;
}

enum result fact_read(const char *body, size_t size, struct fact *ret_fact)
{
    if (fact_scan(body, size, ret_fact) == OK)
        return OK;
    return fact_parse(body, size, ret_fact);
}
