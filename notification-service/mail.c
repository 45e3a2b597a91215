#include <stdbool.h>
#include <string.h>

#include "notification-service/mailer.h"

static const struct bind_field mail_fields[] = {
    BIND_FREE_FIELD(struct mail, to, 1, MAIL_ADDRESS_SIZE - 1),
    BIND_FREE_FIELD(struct mail, subject, 1, MAIL_SUBJECT_SIZE - 1),
    BIND_FREE_FIELD(struct mail, text, 1, MAIL_TEXT_SIZE - 1),
};
const struct bind_type mail_type = BIND_TYPE("mail", struct mail, mail_fields);

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* RFC 5321's dot-string and domain, without quoted strings and address literals, which nobody needs
 * and in which injections hide. */
enum result mail_check_address(const char *address, struct err *err)
{
    size_t size = strlen(address);
    size_t local = strspn(address, LETTERS "!#$%&'*+-/=?^_`{|}~.");
    if (size >= MAIL_ADDRESS_SIZE || local == 0 || local > 64 || address[local] != '@')
        return err_set(err, INVALID, "not a mail address");
    const char *domain = address + local + 1;
    size_t rest = strspn(domain, LETTERS "-.");
    bool dots = address[0] == '.' || address[local - 1] == '.' || domain[0] == '.' ||
                strstr(address, "..") != NULL;
    bool dashes = address[0] == '-' || domain[0] == '-';
    if (rest == 0 || domain[rest] != '\0' || dots || dashes || domain[rest - 1] == '.')
        return err_set(err, INVALID, "not a mail address");
    return OK;
}

static size_t printable(const char *text)
{
    size_t size = 0;
    while (text[size] >= ' ' && text[size] <= '~')
        size++;
    return size;
}

enum result mail_check_subject(const char *subject, struct err *err)
{
    size_t size = printable(subject);
    if (size == 0 || subject[size] != '\0' || size >= MAIL_SUBJECT_SIZE)
        return err_set(err, INVALID, "the subject is not 1 to %d printable ASCII characters",
                       MAIL_SUBJECT_SIZE - 1);
    return OK;
}

enum result mail_check_text(const char *text, struct err *err)
{
    for (const char *line = text; *line;) {
        size_t size = printable(line);
        if (size > MAIL_LINE_MAX || (line[size] != '\n' && line[size] != '\0'))
            return err_set(err, INVALID, "the text is not lines of up to %d ASCII characters",
                           MAIL_LINE_MAX);
        line += size + (line[size] == '\n');
    }
    return OK;
}
