/* The publishes of one round on their way to the broker. On a plain connection their frames are laid
 * end to end and written in one piece; over TLS the library writes each by itself, into a corked
 * socket. Either way the broker gets full segments: it wakes up less often, and that is an eighth of
 * all the CPU time that a message costs.
 *
 * The frames are those of AMQP 0-9-1, section 2.3.5; the library encodes what is in them. */
#ifndef WARREN_MESSAGING_AMQP_BURST_H
#define WARREN_MESSAGING_AMQP_BURST_H

#include "common/base/buf.h"
#include "common/messaging/amqp_link.h"

enum { AMQP_BURST_BYTES = 64 * 1024 }; /* then it is full */

struct amqp_burst {
    struct buf frames; /* written by amqp_burst_end */
    size_t size;       /* bytes begun and not ended, TLS's about */
};

struct amqp_content_out {
    amqp_basic_publish_t method;
    amqp_basic_properties_t properties;
    amqp_bytes_t body;
};

/* Adds the frames of one publish, none of them over `frame_max` bytes (0: no bound). INVALID: its
 * method or its properties are larger than any of ours; nothing is added. */
enum result amqp_burst_encode(struct buf *out, size_t frame_max, struct amqp_content_out *content,
                              struct err *err) WARN_UNUSED;

/* INVALID: as above, nothing is on its way. RETRY: the connection is of no use any more. */
enum result amqp_burst_add(struct amqp_burst *burst, const struct amqp_link *link,
                           struct amqp_content_out *content, struct err *err) WARN_UNUSED;
/* All that was added leaves now. RETRY: the connection is of no use any more, and how much of it
 * the broker has is not known. The burst is empty either way. */
enum result amqp_burst_end(struct amqp_burst *burst, const struct amqp_link *link,
                           struct err *err) WARN_UNUSED;
/* Forgets what has not left. */
void amqp_burst_clear(struct amqp_burst *burst);

#endif
