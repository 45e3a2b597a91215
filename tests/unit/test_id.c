/* Identifiers: RFC 9562 versions 7 and 8. */
#include "common/base/id.h"

#include <string.h>

#include "tests/unit/unit.h"

static void new_ones_sort_by_time(void)
{
    struct manual_clock clock;
    manual_clock_init(&clock, INT64_C(0x0123456789ab), 1);
    struct id first = id_new(&clock.clock);
    struct id same_time = id_new(&clock.clock);
    manual_clock_advance(&clock, 1);
    struct id later = id_new(&clock.clock);
    CU_ASSERT(id_valid(first.text));
    CU_ASSERT_EQUAL(strncmp(first.text, "01234567-89ab-7", 15), 0);
    CU_ASSERT_PTR_NOT_NULL(strchr("89ab", first.text[19]));
    CU_ASSERT_STRING_NOT_EQUAL(first.text, same_time.text);
    CU_ASSERT(strcmp(first.text, later.text) < 0 && strcmp(same_time.text, later.text) < 0);
}

/* Other programs derive the same: this value is computed by another implementation. */
static void derived_ones_are_fixed(void)
{
    struct id id = ID_DERIVE("order", "0190b0c0-0000-7000-8000-00000000a11c", "key-1");
    CU_ASSERT_STRING_EQUAL(id.text, "ee7111ff-9a81-8803-8686-393fd2d5fd4b");
    CU_ASSERT(id_valid(id.text));
}

static void parts_do_not_run_together(void)
{
    const struct id ids[] = {ID_DERIVE("ab", "c"), ID_DERIVE("a", "bc"), ID_DERIVE("abc"),
                             ID_DERIVE("abc", ""), ID_DERIVE("", "abc"), ID_DERIVE("Ab", "c")};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        for (size_t n = 0; n < i; n++)
            CU_ASSERT_STRING_NOT_EQUAL(ids[i].text, ids[n].text);
}

static void what_is_an_id(void)
{
    static const struct {
        const char *text;
        bool valid;
    } table[] = {
        {"0190b0c0-0000-7000-8000-00000000a11c", true},
        {"00000000-0000-0000-0000-000000000000", true},
        {"0190B0C0-0000-7000-8000-00000000A11C", false},
        {"0190b0c0-0000-7000-8000-00000000a11", false},
        {"0190b0c0-0000-7000-8000-00000000a11cc", false},
        {"0190b0c0-0000-7000-8000-00000000a11g", false},
        {"0190b0c000000-7000-8000-00000000a11c", false},
        {"0190b0c0-0000-7000-8000-0000-000a11c", false},
        {" 190b0c0-0000-7000-8000-00000000a11c", false},
        {"", false},
        {NULL, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        CU_ASSERT_EQUAL(id_valid(table[i].text), table[i].valid);
}

static const struct unit_case cases[] = {
    {"new ones sort by time", new_ones_sort_by_time},
    {"derived ones are fixed", derived_ones_are_fixed},
    {"parts do not run together", parts_do_not_run_together},
    {"what is an id", what_is_an_id},
};
UNIT_MAIN("id", cases)
