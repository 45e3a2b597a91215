/* A mail as text: read from a call's request, and written as RFC 5322 wants it. */
#ifndef WARREN_NOTIFICATION_SERVICE_MAIL_TEXT_H
#define WARREN_NOTIFICATION_SERVICE_MAIL_TEXT_H

#include <stdint.h>

#include "common/base/buf.h"
#include "notification-service/mailer.h"

/* INVALID: not a mail, or one whose address, subject or text may not be sent. */
enum result mail_read(const char *request, struct mail *ret_mail, struct err *err) WARN_UNUSED;

/* Headers and text, lines ending in CRLF; the parts have been checked. The Message-ID follows from
 * `key` and the sender's domain alone. */
void mail_compose(const struct mail *mail, const char *from, const char *key, int64_t wall_ms,
                  struct buf *out);

#endif
