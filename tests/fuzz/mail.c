/* The request of a mail, and the mail that is made of it: whatever the parts hold, they end no header and begin none. */
#include "common/base/json.h"
#include "notification-service/mail_text.h"
#include "tests/fuzz/fuzz.h"

enum { RFC_LINE_MAX = 998 };

static const char *const headers[] = {
    "Date: ",
    "Message-ID: <",
    "From: <shop@example.org>\r\n",
    "To: <",
    "Subject: ",
    "MIME-Version: 1.0\r\n",
    "Content-Type: text/plain; charset=us-ascii\r\n",
    "Auto-Submitted: auto-generated\r\n",
};

/* Each line ends in CRLF, and neither stands anywhere else. */
static const char *next_line(const char *line)
{
    size_t size = strcspn(line, "\r\n");
    FUZZ_HOLDS(size <= RFC_LINE_MAX);
    FUZZ_HOLDS(strncmp(line + size, "\r\n", 2) == 0);
    return line + size + 2;
}

static void check_composed(const struct mail *mail, const char *composed)
{
    const char *line = composed;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        FUZZ_HOLDS(strncmp(line, headers[i], strlen(headers[i])) == 0);
        line = next_line(line);
    }
    FUZZ_HOLDS(strncmp(line, "\r\n", 2) == 0);
    line += 2;
    for (const char *text = mail->text; *text;) {
        size_t size = strcspn(text, "\n");
        FUZZ_HOLDS(strncmp(line, text, size) == 0 && line[size] == '\r');
        line = next_line(line);
        text += size + (text[size] == '\n');
    }
    FUZZ_HOLDS(*line == '\0');
}

static void check_again(const struct mail *mail)
{
    struct buf text = {0};
    struct mail again;
    bind_encode(&mail_type, mail, &text);
    FUZZ_HOLDS(mail_read(text.data, &again, NULL) == OK);
    FUZZ_HOLDS(strcmp(mail->to, again.to) == 0 && strcmp(mail->subject, again.subject) == 0 &&
               strcmp(mail->text, again.text) == 0);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mail mail;
    struct err err = {""};
    struct buf composed = {0};
    char *text = fuzz_text(data, size);
    enum result result = mail_read(text, &mail, &err);
    FUZZ_HOLDS((result == OK) == (err.text[0] == '\0'));
    if (result == OK) {
        mail_compose(&mail, "shop@example.org", text, (int64_t)size * 86400000, &composed);
        FUZZ_HOLDS(strlen(composed.data) == composed.size);
        check_composed(&mail, composed.data);
        check_again(&mail);
        buf_release(&composed);
    }
    free(text);
    return 0;
}
