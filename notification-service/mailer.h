/* The mailer as notification-service sees it: a struct effect that knows one kind of call, and the
 * one over SMTP (RFC 5321) by libcurl.
 *
 * At least once, honestly: when the connection dies after the text has gone and before the server's
 * answer has come, nobody knows whether the mail was taken (the outcome UNKNOWN), and it is sent
 * again. The Message-ID is derived from the key, the same in every attempt, so that a mailbox that
 * looks at it shows the mail once. */
#ifndef WARREN_NOTIFICATION_SERVICE_MAILER_H
#define WARREN_NOTIFICATION_SERVICE_MAILER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bind.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/messaging/effect.h"
#include "contracts/messages.h"

#define MAILER_MAIL "mail"

enum {
    MAIL_ADDRESS_SIZE = 255, /* RFC 5321 4.5.3.1.3 with the NUL */
    MAIL_SUBJECT_SIZE = 201,
    MAIL_TEXT_SIZE = 2001,
    MAIL_LINE_MAX = 900, /* RFC 5321 4.5.3.1.6 allows 998 */
};

struct mail { /* the request of a call */
    char to[MAIL_ADDRESS_SIZE];
    char subject[MAIL_SUBJECT_SIZE];
    char text[MAIL_TEXT_SIZE];
};
extern const struct bind_type mail_type;

/* Whether the text may stand behind "To:" and in RCPT TO: local@domain of printable ASCII without
 * spaces, quotes, brackets or anything else that could end a header or a command. */
enum result mail_check_address(const char *address, struct err *err) WARN_UNUSED;
/* Printable ASCII, 1 to 200 characters. */
enum result mail_check_subject(const char *subject, struct err *err) WARN_UNUSED;

/* Lines of printable ASCII that end in \n. */
enum result mail_check_text(const char *text, struct err *err) WARN_UNUSED;

enum mailer_tls {
    MAILER_TLS_WHEN_OFFERED, /* STARTTLS if the server has it; also the default */
    MAILER_TLS_REQUIRED,     /* no mail without STARTTLS; smtps:// is TLS from the first byte */
    MAILER_TLS_NEVER,
};

struct mailer_smtp_options {
    const char *url;  /* smtp://host:port or smtps://host:port */
    const char *from; /* an address */
    enum mailer_tls tls;
    const char *ca_file;  /* whom to trust, PEM; NULL: whom the system trusts */
    int64_t timeout_ms;   /* for a whole mail (10000); keep it below the loop's call_timeout_ms */
    size_t in_flight_max; /* connections at the same time (8, at most 32); more are told RETRY */
};

/* One thread, in which SIGPIPE is ignored. The clock and nothing else is borrowed. Outcomes: OK when the server has accepted the
 * mail; RETRY when it was not there, too slow, or said 4xx; UNKNOWN see above; INVALID when the
 * server turned the mail down for good (55x) or the mail itself cannot be sent. */
enum result mailer_smtp_new(const struct clock *clock, const struct mailer_smtp_options *options,
                            struct effect **ret_effect, struct err *err) WARN_UNUSED;

#endif
