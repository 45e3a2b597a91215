#include "order-service/pricing.h"

#include <stdbool.h>
#include <string.h>

struct findings {
    bool unknown, mixed, large, short_of;
};

static bool within_amount(int64_t unit_price, int64_t quantity, int64_t *ret_amount)
{
    int64_t amount = 0;
    if (__builtin_mul_overflow(unit_price, quantity, &amount) || amount > AMOUNT_MAX)
        return false;
    *ret_amount = amount;
    return true;
}

static bool add_amount(int64_t *total, int64_t amount)
{
    int64_t sum = 0;
    if (__builtin_add_overflow(*total, amount, &sum) || sum > AMOUNT_MAX)
        return false;
    *total = sum;
    return true;
}

static void line_begin(const struct order_line *asked, struct priced_line *line)
{
    memcpy(line->sku, asked->sku, SKU_SIZE);
    line->quantity = asked->quantity;
    line->name[0] = '\0';
    line->unit_price = 0;
    line->amount = 0;
}

static void line_price(const struct offer *offer, struct priced_line *line,
                       struct findings *findings)
{
    size_t length = strnlen(offer->name, NAME_SIZE - 1);
    memcpy(line->name, offer->name, length);
    line->name[length] = '\0';
    line->unit_price = offer->unit_price;
    if (!within_amount(offer->unit_price, line->quantity, &line->amount))
        findings->large = true;
    if (offer->available < line->quantity)
        findings->short_of = true;
}

static void take_currency(char currency[CURRENCY_SIZE], const char *offered,
                          struct findings *findings)
{
    if (currency[0] == '\0')
        memcpy(currency, offered, CURRENCY_SIZE);
    else if (strcmp(currency, offered) != 0)
        findings->mixed = true;
}

static const char *verdict(const struct findings *findings)
{
    if (findings->unknown)
        return "unknown-product";
    if (findings->mixed)
        return "mixed-currencies";
    if (findings->large)
        return "amount-too-large";
    return findings->short_of ? "out-of-stock" : NULL;
}

const char *price_lines(const struct order_line *asked, const struct offer *offers, size_t count,
                        struct priced_line *lines, int64_t *ret_total, char currency[CURRENCY_SIZE])
{
    struct findings findings = {0};
    int64_t total = 0;
    currency[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        line_begin(&asked[i], &lines[i]);
        if (offers[i].name == NULL) {
            findings.unknown = true;
            continue;
        }
        line_price(&offers[i], &lines[i], &findings);
        take_currency(currency, offers[i].currency, &findings);
        if (!add_amount(&total, lines[i].amount))
            findings.large = true;
    }
    if (currency[0] == '\0')
        memcpy(currency, CURRENCY_DEFAULT, CURRENCY_SIZE);
    *ret_total = total;
    return verdict(&findings);
}
