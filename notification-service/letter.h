/* What a customer is told about how an order ended. Pure text, ASCII, lines ending in \n. */
#ifndef WARREN_NOTIFICATION_SERVICE_LETTER_H
#define WARREN_NOTIFICATION_SERVICE_LETTER_H

#include <stdint.h>

#include "contracts/messages.h"
#include "notification-service/mailer.h"

/* One settled version of an order. */
struct ending {
    const char *kind; /* confirmed | rejected | cancelled | expired */
    const char *order_id;
    const char *customer;
    int64_t version;
    const char *reason; /* "" for none */
    const char *currency;
    int64_t total;
};

/* Fills subject and text, not the address. */
void letter_write(const struct ending *ending, struct mail *mail);

#endif
