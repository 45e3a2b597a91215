/* Pricing: sums, limits, and the reason when it cannot be had. */
#include "order-service/pricing.h"

#include <string.h>

#include "common/base/clock.h"
#include "tests/unit/unit.h"

/* clang-format off */
#define NONE                                                                                       \
    {                                                                                              \
        NULL, NULL, 0, 0                                                                           \
    }
/* clang-format on */

static const struct {
    const char *what;
    size_t count;
    int64_t quantities[3];
    struct offer offers[3];
    const char *reason; /* NULL: fine */
    int64_t total;
    const char *currency;
} table[] = {
    {"one", 1, {2}, {{"Cup", "EUR", 450, 2}}, NULL, 900, "EUR"},
    {"two", 2, {2, 3}, {{"Cup", "EUR", 450, 9}, {"Pot", "EUR", 1, 3}}, NULL, 903, "EUR"},
    {"for nothing", 1, {1}, {{"Gift", "CHF", 0, 1}}, NULL, 0, "CHF"},
    {"the last one too many", 1, {3}, {{"Cup", "EUR", 450, 2}}, "out-of-stock", 1350, "EUR"},
    {"unknown", 1, {3}, {NONE}, "unknown-product", 0, "EUR"},
    {"unknown beats stock", 2, {3, 1}, {{"Cup", "USD", 5, 0}, NONE}, "unknown-product", 15, "USD"},
    {"mixed", 2, {1, 1}, {{"A", "EUR", 5, 9}, {"B", "USD", 5, 9}}, "mixed-currencies", 10, "EUR"},
    {"mixed beats stock",
     2,
     {1, 1},
     {{"A", "EUR", 5, 0}, {"B", "USD", 5, 9}},
     "mixed-currencies",
     10,
     "EUR"},
    {"as much as there may be", 1, {1}, {{"A", "EUR", AMOUNT_MAX, 9}}, NULL, AMOUNT_MAX, "EUR"},
    {"a line too large", 1, {2}, {{"A", "EUR", AMOUNT_MAX, 9}}, "amount-too-large", 0, "EUR"},
    {"a line that overflows",
     1,
     {4},
     {{"A", "EUR", INT64_MAX / 2, 9}},
     "amount-too-large",
     0,
     "EUR"},
    {"a sum too large",
     2,
     {1, 1},
     {{"A", "EUR", AMOUNT_MAX, 9}, {"B", "EUR", 1, 9}},
     "amount-too-large",
     AMOUNT_MAX,
     "EUR"},
};

static void cases_of_the_table(void)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct order_line asked[3] = {{"A", 0}, {"B", 0}, {"C", 0}};
        struct priced_line lines[3];
        int64_t total = -1;
        char currency[CURRENCY_SIZE];
        for (size_t n = 0; n < table[i].count; n++)
            asked[n].quantity = table[i].quantities[n];
        const char *reason =
            price_lines(asked, table[i].offers, table[i].count, lines, &total, currency);
        const char *expected = table[i].reason ? table[i].reason : "fine";
        if (strcmp(reason ? reason : "fine", expected) != 0 || total != table[i].total ||
            strcmp(currency, table[i].currency) != 0) {
            fprintf(stderr, "%s: %s, %lld %s\n", table[i].what, reason ? reason : "fine",
                    (long long)total, currency);
            CU_FAIL("priced wrongly");
        }
    }
}

/* An unknown product shows neither name nor price; the others do. */
static void lines_say_what_is_known(void)
{
    const struct order_line asked[] = {{"CUP", 2}, {"GHOST", 1}};
    const struct offer offers[] = {{"Cup", "EUR", 450, 9}, NONE};
    struct priced_line lines[2];
    memset(lines, 'x', sizeof lines);
    int64_t total = 0;
    char currency[CURRENCY_SIZE];
    (void)price_lines(asked, offers, 2, lines, &total, currency);
    CU_ASSERT_STRING_EQUAL(lines[0].name, "Cup");
    CU_ASSERT_EQUAL(lines[0].amount, 900);
    CU_ASSERT_STRING_EQUAL(lines[1].sku, "GHOST");
    CU_ASSERT_STRING_EQUAL(lines[1].name, "");
    CU_ASSERT_EQUAL(lines[1].quantity, 1);
    CU_ASSERT_EQUAL(lines[1].unit_price + lines[1].amount, 0);
}

/* Fifty lines of the dearest: the total is the sum of the lines, whatever the numbers. */
static void total_is_the_sum(void)
{
    struct manual_clock clock;
    manual_clock_init(&clock, 0, 7);
    for (int round = 0; round < 1000; round++) {
        struct order_line asked[ORDER_LINES_MAX] = {{"A", 0}};
        struct offer offers[ORDER_LINES_MAX];
        static struct priced_line lines[ORDER_LINES_MAX];
        int64_t sum = 0, total = 0;
        char currency[CURRENCY_SIZE];
        for (size_t i = 0; i < ORDER_LINES_MAX; i++) {
            asked[i].quantity = 1 + (int64_t)(clock_random64(&clock.clock) % QUANTITY_MAX);
            int64_t price = (int64_t)(clock_random64(&clock.clock) % (UNIT_PRICE_MAX + 1));
            offers[i] = (struct offer){"A", "EUR", price, QUANTITY_MAX};
            sum += asked[i].quantity * price;
        }
        CU_ASSERT_PTR_NULL(price_lines(asked, offers, ORDER_LINES_MAX, lines, &total, currency));
        CU_ASSERT_EQUAL(total, sum);
    }
}

static const struct unit_case cases[] = {
    {"table", cases_of_the_table},
    {"lines say what is known", lines_say_what_is_known},
    {"the total is the sum", total_is_the_sum},
};
UNIT_MAIN("pricing", cases)
