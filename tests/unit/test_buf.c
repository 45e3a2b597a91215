/* The growing buffer. */
#include "common/base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void grows_and_ends_in_nul(void)
{
    struct buf buf = {0};
    for (size_t i = 0; i < 5000; i++) {
        char byte = (char)('a' + i % 26);
        buf_append(&buf, &byte, 1);
        if (buf.size != i + 1 || buf.data[i] != byte || buf.data[i + 1] != 0)
            CU_FAIL("lost a byte, or its NUL");
    }
    buf_release(&buf);
    CU_ASSERT_PTR_NULL(buf.data);
    CU_ASSERT_EQUAL(buf.size + buf.capacity, 0);
}

static void texts_and_formats(void)
{
    struct buf buf = {0};
    buf_text(&buf, "one ");
    buf_printf(&buf, "%d and %s", 2, "three");
    buf_append(&buf, "\0x", 2); /* bytes, not text */
    buf_append(&buf, NULL, 0);
    CU_ASSERT_EQUAL(buf.size, 17);
    CU_ASSERT_EQUAL(memcmp(buf.data, "one 2 and three\0x", 18), 0);
    buf_release(&buf);
}

/* Formats of every length, so that one of them ends exactly where the memory does. */
static void formats_of_every_length(void)
{
    for (int length = 0; length < 300; length++) {
        struct buf buf = {0};
        buf_printf(&buf, "%*s", length, "");
        CU_ASSERT_EQUAL(buf.size, (size_t)length);
        CU_ASSERT_EQUAL(strlen(buf.data), (size_t)length);
        buf_release(&buf);
    }
}

static void clearing_keeps_the_memory(void)
{
    struct buf buf = {0};
    buf_clear(&buf);
    buf_text(&buf, "something");
    const char *data = buf.data;
    buf_clear(&buf);
    CU_ASSERT_EQUAL(buf.size, 0);
    CU_ASSERT_STRING_EQUAL(buf.data, "");
    buf_text(&buf, "else");
    CU_ASSERT_PTR_EQUAL(buf.data, data);
    buf_release(&buf);
}

static void taking_empties(void)
{
    struct buf buf = {0};
    char *nothing = buf_take(&buf);
    CU_ASSERT_STRING_EQUAL(nothing, "");
    free(nothing);
    buf_text(&buf, "mine");
    char *taken = buf_take(&buf);
    CU_ASSERT_STRING_EQUAL(taken, "mine");
    CU_ASSERT_PTR_NULL(buf.data);
    free(taken);
}

static const struct unit_case cases[] = {
    {"grows and ends in NUL", grows_and_ends_in_nul},
    {"texts and formats", texts_and_formats},
    {"formats of every length", formats_of_every_length},
    {"clearing keeps the memory", clearing_keeps_the_memory},
    {"taking empties", taking_empties},
};
UNIT_MAIN("buf", cases)
