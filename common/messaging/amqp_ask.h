/* What a broker says when it is only asked: passive declarations need no right and no management interface,
 * and any broker answers them. A no closes the channel; it is open again afterwards. */
#ifndef WARREN_MESSAGING_AMQP_ASK_H
#define WARREN_MESSAGING_AMQP_ASK_H

#include <stdint.h>

#include "common/messaging/amqp_link.h"

struct amqp_queue_seen {
    int64_t ready; /* messages that nobody has in hand; right after a broker's start it may say 0 */
    int64_t consumers; /* a stream's are not always counted */
};

/* NOT_FOUND: there is none of that name. REFUSED: the broker has it on record and cannot serve it, or says
 * something else. RETRY: no answer; the link is of no use any more. */
enum result amqp_ask_queue(struct amqp_link *link, const char *name,
                           struct amqp_queue_seen *ret_seen, struct err *err) WARN_UNUSED;
enum result amqp_ask_exchange(struct amqp_link *link, const char *name,
                              struct err *err) WARN_UNUSED;

/* Whether the last call went well, as amqp_link_check; after a no of the broker's (REFUSED) the channel is
 * opened again, and `ret_code` is its reply code (0: it went well, or there was no answer). */
enum result amqp_link_settle(struct amqp_link *link, const char *what, int *ret_code,
                             struct err *err) WARN_UNUSED;

#endif
