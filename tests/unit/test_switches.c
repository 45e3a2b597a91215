/* The switches: all on; each name turns off one and only one; every member has a name. */
#include "common/base/switches.h"

#include <string.h>

#include "tests/unit/unit.h"

static size_t count_off(struct switches switches)
{
    bool members[sizeof switches / sizeof(bool)];
    size_t off = 0;
    memcpy(members, &switches, sizeof switches);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        off += !members[i];
    return off;
}

static void all_on(void)
{
    CU_ASSERT_EQUAL(count_off(switches_all_on()), 0);
}

static void each_turns_off_one(void)
{
    struct switches off = switches_all_on();
    size_t count = 0;
    for (; switches_name(count) != NULL; count++) {
        struct switches one = switches_all_on();
        CU_ASSERT_EQUAL(switches_turn_off(&one, switches_name(count), NULL), OK);
        CU_ASSERT_EQUAL(count_off(one), 1);
        CU_ASSERT_EQUAL(switches_turn_off(&off, switches_name(count), NULL), OK);
        CU_ASSERT_EQUAL(count_off(off), count + 1);
    }
    CU_ASSERT_EQUAL(count, sizeof(struct switches) / sizeof(bool));
}

static void names_mean_what_they_say(void)
{
    struct switches switches = switches_all_on();
    CU_ASSERT_EQUAL(switches_turn_off(&switches, "version-check", NULL), OK);
    CU_ASSERT_FALSE(switches.version_check);
    CU_ASSERT_EQUAL(switches_turn_off(&switches, "ack-after-commit", NULL), OK);
    CU_ASSERT_FALSE(switches.ack_after_commit);
}

static void no_such_switch(void)
{
    static const char *const names[] = {"", "Inbox", "inbox ", "version_check"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct switches switches = switches_all_on();
        struct err err = {""};
        CU_ASSERT_EQUAL(switches_turn_off(&switches, names[i], &err), INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, names[i]));
        CU_ASSERT_EQUAL(count_off(switches), 0);
    }
}

static const struct unit_case cases[] = {
    {"all on", all_on},
    {"each turns off one", each_turns_off_one},
    {"names mean what they say", names_mean_what_they_say},
    {"no such switch", no_such_switch},
};
UNIT_MAIN("switches", cases)
