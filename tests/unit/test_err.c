/* Error text: context in front, cut rather than overrun, nobody need listen. */
#include "common/base/err.h"

#include <string.h>

#include "tests/unit/unit.h"

static void layers_add_context(void)
{
    struct err err = {""};
    CU_ASSERT_EQUAL(err_set(&err, RETRY, "database is %s", "locked"), RETRY);
    CU_ASSERT_EQUAL(err_context(&err, RETRY, "insert"), RETRY);
    CU_ASSERT_EQUAL(err_context(&err, FATAL, "order %d", 42), FATAL);
    CU_ASSERT_STRING_EQUAL(err_text(&err), "order 42: insert: database is locked");
    CU_ASSERT_EQUAL(err_set(&err, INVALID, "anew"), INVALID);
    CU_ASSERT_STRING_EQUAL(err_text(&err), "anew");
}

static void nobody_need_listen(void)
{
    CU_ASSERT_EQUAL(err_set(NULL, INVALID, "%d", 1), INVALID);
    CU_ASSERT_EQUAL(err_context(NULL, RETRY, "%d", 1), RETRY);
    CU_ASSERT_STRING_EQUAL(err_text(NULL), "");
}

/* Every length of context before every length of what is below, around the limit. */
static void long_texts_are_cut(void)
{
    char filler[2 * ERR_TEXT_MAX];
    memset(filler, 'x', sizeof filler);
    for (int below = ERR_TEXT_MAX - 4; below < ERR_TEXT_MAX + 4; below++)
        for (int context = 0; context < ERR_TEXT_MAX + 4; context++) {
            struct {
                struct err err;
                char guard[8];
            } held = {.guard = "guarded"};
            err_set(&held.err, INVALID, "%.*s", below, filler);
            err_context(&held.err, INVALID, "c%.*s", context, filler);
            size_t length = strnlen(held.err.text, ERR_TEXT_MAX);
            if (length >= ERR_TEXT_MAX || length < ERR_TEXT_MAX - 4 || held.err.text[0] != 'c' ||
                strcmp(held.guard, "guarded") != 0)
                CU_FAIL("overrun, or cut too much");
        }
}

static void results_have_names(void)
{
    CU_ASSERT_STRING_EQUAL(result_name(OK), "ok");
    for (int result = OK; result <= FATAL; result++) {
        CU_ASSERT_STRING_NOT_EQUAL(result_name(result), "?");
        for (int other = OK; other < result; other++)
            CU_ASSERT_STRING_NOT_EQUAL(result_name(result), result_name(other));
    }
}

static const struct unit_case cases[] = {
    {"layers add context", layers_add_context},
    {"nobody need listen", nobody_need_listen},
    {"long texts are cut", long_texts_are_cut},
    {"results have names", results_have_names},
};
UNIT_MAIN("err", cases)
