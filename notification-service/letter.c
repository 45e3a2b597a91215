#include "notification-service/letter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct sentence {
    const char *kind;
    const char *subject;
    const char *text;
} sentences[] = {
    {"confirmed", "Your order is confirmed", "Thank you. Your payment has arrived."},
    {"rejected", "Your order could not be accepted", "We are sorry. Nothing has been charged."},
    {"cancelled", "Your order is cancelled",
     "As you asked. If you had already paid, you get all of it back."},
    {"expired", "Your order has expired",
     "No payment arrived in time. If one arrives after all, you get all of it back."},
};

static const struct sentence *sentence_of(const char *kind)
{
    size_t i = 0;
    while (i + 1 < sizeof sentences / sizeof sentences[0] && strcmp(sentences[i].kind, kind) != 0)
        i++;
    return &sentences[i];
}

void letter_write(const struct ending *ending, struct mail *mail)
{
    const struct sentence *sentence = sentence_of(ending->kind);
    snprintf(mail->subject, sizeof mail->subject, "%s", sentence->subject);
    char reason[WORD_SIZE + sizeof "Reason: \n"] = "";
    if (ending->reason[0])
        snprintf(reason, sizeof reason, "Reason: %s\n", ending->reason);
    snprintf(mail->text, sizeof mail->text,
             "%s\n\nOrder: %s\nTotal: %" PRId64 ".%02" PRId64 " %s\n%s", sentence->text,
             ending->order_id, ending->total / 100, ending->total % 100, ending->currency, reason);
}
