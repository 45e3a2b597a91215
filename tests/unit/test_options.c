/* Options: flags over environment over defaults; every wrong line is refused with its reason. */
#include <stdlib.h>
#include <string.h>

#include "common/base/options.h"
#include "tests/unit/unit.h"

static const char *home;
static int64_t port;
static bool json;
static struct option_list lines;

static const struct option table[] = {
    {.name = "home",
     .environment = "T_HOME",
     .kind = OPTION_TEXT,
     .value = &home,
     .metavar = "DIR"},
    {.name = "port", .environment = "T_PORT", .kind = OPTION_INT, .value = &port, .max = 100},
    {.name = "json", .environment = "T_JSON", .kind = OPTION_FLAG, .value = &json},
    {.name = "line", .kind = OPTION_REPEAT, .value = &lines},
};
static const struct options options = {"t", "[OPTION]...", "A test.", table, 4};

static enum result read_line(const char **argv, int *operand, struct err *err)
{
    home = "default";
    port = 7;
    json = false;
    lines.count = 0;
    int argc = 0;
    while (argv[argc])
        argc++;
    return options_read(&options, argc, (char **)argv, operand, err);
}

static void environment_clear(void)
{
    unsetenv("T_HOME");
    unsetenv("T_PORT");
    unsetenv("T_JSON");
}

static void defaults_stay(void)
{
    environment_clear();
    int operand = 0;
    CU_ASSERT_EQUAL(read_line((const char *[]){"t", "rest", "--json", NULL}, &operand, NULL), OK);
    CU_ASSERT_EQUAL(operand, 1);
    CU_ASSERT_STRING_EQUAL(home, "default");
    CU_ASSERT_EQUAL(port, 7);
    CU_ASSERT_FALSE(json);
}

static void flag_beats_environment(void)
{
    environment_clear();
    setenv("T_HOME", "from-environment", 1);
    setenv("T_PORT", "8", 1);
    setenv("T_JSON", "1", 1);
    int operand = 0;
    CU_ASSERT_EQUAL(
        read_line((const char *[]){"t", "--home=flag", "--", "--x", NULL}, &operand, NULL), OK);
    CU_ASSERT_EQUAL(operand, 3);
    CU_ASSERT_STRING_EQUAL(home, "flag");
    CU_ASSERT_EQUAL(port, 8);
    CU_ASSERT_TRUE(json);
    environment_clear();
}

static void repeats_collect(void)
{
    environment_clear();
    int operand = 0;
    const char *argv[] = {"t", "--line", "A=1", "--line=B=2", "--port", "100", NULL};
    CU_ASSERT_EQUAL(read_line(argv, &operand, NULL), OK);
    CU_ASSERT_EQUAL(lines.count, 2);
    CU_ASSERT_STRING_EQUAL(lines.items[0], "A=1");
    CU_ASSERT_STRING_EQUAL(lines.items[1], "B=2");
    CU_ASSERT_EQUAL(port, 100);
}

static void wrong_lines_are_refused(void)
{
    environment_clear();
    static const struct {
        const char *word[3];
        const char *reason;
    } cases[] = {
        {{"--port", "101"}, "between 0 and 100"},
        {{"--port", "-1"}, "between 0 and 100"},
        {{"--port", "1x"}, "not a whole number"},
        {{"--port", ""}, "not a whole number"},
        {{"--port", "99999999999999999999"}, "not a whole number"},
        {{"--port"}, "needs a value"},
        {{"--home", ""}, "--home: must not be empty"},
        {{"--home="}, "--home: must not be empty"},
        {{"--line", ""}, "--line: must not be empty"},
        {{"--json=1"}, "takes no value"},
        {{"--por", "1"}, "no option"},
        {{"-j"}, "no option"},
        {{"--=x"}, "no option"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int operand = -1;
        struct err err = {""};
        const char *argv[] = {"t", cases[i].word[0], cases[i].word[1], NULL};
        CU_ASSERT_EQUAL(read_line(argv, &operand, &err), INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].reason));
        CU_ASSERT_EQUAL(operand, -1);
    }
}

static void bad_environment_names_its_variable(void)
{
    environment_clear();
    setenv("T_PORT", "many", 1);
    int operand = 0;
    struct err err = {""};
    CU_ASSERT_EQUAL(read_line((const char *[]){"t", NULL}, &operand, &err), INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "T_PORT"));
    environment_clear();
}

/* As "$UNSET" gives it: the default would be another suite than the one that was meant. */
static void an_empty_variable_is_no_value(void)
{
    static const char *const names[] = {"T_HOME", "T_PORT"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int operand = -1;
        struct err err = {""};
        environment_clear();
        setenv(names[i], "", 1);
        CU_ASSERT_EQUAL(read_line((const char *[]){"t", NULL}, &operand, &err), INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, names[i]));
    }
    environment_clear();
    setenv("T_JSON", "", 1);
    int operand = -1;
    CU_ASSERT_EQUAL(read_line((const char *[]){"t", NULL}, &operand, NULL), OK);
    CU_ASSERT_FALSE(json);
    environment_clear();
}

static const struct unit_case cases[] = {
    {"an empty variable is no value", an_empty_variable_is_no_value},
    {"defaults stay", defaults_stay},
    {"a flag beats the environment", flag_beats_environment},
    {"repeats collect", repeats_collect},
    {"wrong lines are refused", wrong_lines_are_refused},
    {"a bad environment names its variable", bad_environment_names_its_variable},
};
UNIT_MAIN("options", cases)
