/* What may become a mail, and how it looks. */
#include <stdlib.h>
#include <string.h>

#include "notification-service/letter.h"
#include "notification-service/mail_text.h"
#include "tests/unit/unit.h"

static const struct {
    const char *address;
    enum result result;
} addresses[] = {
    {"alice@example.org", OK},
    {"a@b", OK},
    {"first.last+tag@sub.example.org", OK},
    {"o'brien@example.org", OK},
    {"", INVALID},
    {"alice", INVALID},
    {"@example.org", INVALID},
    {"alice@", INVALID},
    {"alice@example.org ", INVALID},
    {" alice@example.org", INVALID},
    {"alice@@example.org", INVALID},
    {"alice@example.org@evil", INVALID},
    {"alice@example.org\r\nBcc: eve@example.org", INVALID},
    {"alice@example.org\n", INVALID},
    {"alice@example.org>", INVALID},
    {"<alice@example.org>", INVALID},
    {"\"alice\"@example.org", INVALID},
    {"alice@[127.0.0.1]", INVALID},
    {"alice,bob@example.org", INVALID},
    {"al ice@example.org", INVALID},
    {"-oX@example.org", INVALID},
    {".alice@example.org", INVALID},
    {"alice.@example.org", INVALID},
    {"al..ice@example.org", INVALID},
    {"alice@.example.org", INVALID},
    {"alice@example.org.", INVALID},
    {"alice@-example.org", INVALID},
    {"\xc3\xa4@example.org", INVALID},
    {"alice@ex\x01mple.org", INVALID},
};

static void addresses_are_checked(void)
{
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        if (mail_check_address(addresses[i].address, NULL) == addresses[i].result)
            continue;
        fprintf(stderr, "'%s'\n", addresses[i].address);
        CU_FAIL("mail_check_address");
    }
    char longest[400];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + 10, "@", 1);
    longest[MAIL_ADDRESS_SIZE - 1] = '\0';
    CU_ASSERT_EQUAL(mail_check_address(longest, NULL), OK);
    longest[MAIL_ADDRESS_SIZE - 1] = 'a';
    longest[MAIL_ADDRESS_SIZE] = '\0';
    CU_ASSERT_EQUAL(mail_check_address(longest, NULL), INVALID);
}

static void subjects_and_texts_are_checked(void)
{
    CU_ASSERT_EQUAL(mail_check_subject("Your order", NULL), OK);
    CU_ASSERT_EQUAL(mail_check_subject("", NULL), INVALID);
    CU_ASSERT_EQUAL(mail_check_subject("Your order\r\nBcc: eve@example.org", NULL), INVALID);
    CU_ASSERT_EQUAL(mail_check_subject("Your\torder", NULL), INVALID);
    CU_ASSERT_EQUAL(mail_check_text("one\ntwo\n", NULL), OK);
    CU_ASSERT_EQUAL(mail_check_text("", NULL), OK);
    CU_ASSERT_EQUAL(mail_check_text("one\r\n.\r\nMAIL FROM:<eve@example.org>\r\n", NULL), INVALID);
    char line[MAIL_LINE_MAX + 2];
    memset(line, 'x', sizeof line);
    line[MAIL_LINE_MAX + 1] = '\0';
    CU_ASSERT_EQUAL(mail_check_text(line, NULL), INVALID);
    line[MAIL_LINE_MAX] = '\0';
    CU_ASSERT_EQUAL(mail_check_text(line, NULL), OK);
}

static void requests_are_read_strictly(void)
{
    struct mail mail;
    CU_ASSERT_EQUAL(
        mail_read("{\"to\":\"a@b\",\"subject\":\"s\",\"text\":\"t\\n\",\"more\":1}", &mail, NULL),
        OK);
    CU_ASSERT_STRING_EQUAL(mail.text, "t\n");
    CU_ASSERT_EQUAL(mail_read("{\"to\":\"a\",\"subject\":\"s\",\"text\":\"t\"}", &mail, NULL),
                    INVALID);
    CU_ASSERT_EQUAL(
        mail_read("{\"to\":\"a@b\",\"subject\":\"s\\r\\nX: y\",\"text\":\"t\"}", &mail, NULL),
        INVALID);
    CU_ASSERT_EQUAL(mail_read("{\"to\":\"a@b\",\"subject\":\"s\"}", &mail, NULL), INVALID);
    CU_ASSERT_EQUAL(mail_read("", &mail, NULL), INVALID);
}

static void a_mail_looks_like_one(void)
{
    struct mail mail = {"alice@example.org", "Your order", "one\ntwo"};
    struct buf first = {0}, second = {0}, other = {0};
    mail_compose(&mail, "shop@warren.example", "mail:1", INT64_C(1800000000000), &first);
    mail_compose(&mail, "shop@warren.example", "mail:1", INT64_C(1800000000000), &second);
    mail_compose(&mail, "shop@warren.example", "mail:2", INT64_C(1800000000000), &other);
    CU_ASSERT_PTR_NOT_NULL(strstr(first.data, "Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(first.data, "\r\nFrom: <shop@warren.example>\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(first.data, "\r\nTo: <alice@example.org>\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(first.data, "@warren.example>\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(first.data, "\r\n\r\none\r\ntwo\r\n"));
    CU_ASSERT_STRING_EQUAL(first.data, second.data);
    CU_ASSERT_STRING_NOT_EQUAL(first.data, other.data);
    buf_release(&first);
    buf_release(&second);
    buf_release(&other);
}

static void every_letter_can_be_sent(void)
{
    static const char *const kinds[] = {"confirmed", "rejected", "cancelled", "expired"};
    for (size_t i = 0; i < 4; i++) {
        struct mail mail;
        struct ending ending = {.kind = kinds[i],
                                .order_id = "0190b0c0-0000-7000-8000-0000000000aa",
                                .version = 2,
                                .reason = i ? "out-of-stock" : "",
                                .currency = "EUR",
                                .total = 123405};
        letter_write(&ending, &mail);
        CU_ASSERT_EQUAL(mail_check_subject(mail.subject, NULL), OK);
        CU_ASSERT_EQUAL(mail_check_text(mail.text, NULL), OK);
        CU_ASSERT_PTR_NOT_NULL(strstr(mail.text, ending.order_id));
        CU_ASSERT_PTR_NOT_NULL(strstr(mail.text, "1234.05 EUR"));
        CU_ASSERT_EQUAL(strstr(mail.text, "out-of-stock") != NULL, i != 0);
    }
}

static const struct unit_case cases[] = {
    {"addresses are checked", addresses_are_checked},
    {"subjects and texts are checked", subjects_and_texts_are_checked},
    {"requests are read strictly", requests_are_read_strictly},
    {"a mail looks like one", a_mail_looks_like_one},
    {"every letter can be sent", every_letter_can_be_sent},
};
UNIT_MAIN("mail", cases)
