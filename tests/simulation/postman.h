/* The mailer of the simulation: takes every mail, and remembers by its key that it was sent. */
#ifndef WARREN_SIMULATION_POSTMAN_H
#define WARREN_SIMULATION_POSTMAN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/messaging/effect.h"

enum { MAILS_MAX = 1024, MAIL_KEY_SIZE = 96 };

/* What has arrived, however many instances sent it. */
struct mailbox {
    char keys[MAILS_MAX][MAIL_KEY_SIZE];
    size_t count;
};

/* The mailbox is borrowed. */
struct effect *postman_new(struct mailbox *mailbox);
/* Whether a mail with a key that begins like this has arrived. */
bool mailbox_has(const struct mailbox *mailbox, const char *key);

#endif
