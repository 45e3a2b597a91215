/* What makes a queue do something else than its table says. A policy of the broker's owner, an operator's
 * policy or an argument that somebody else declared changes a queue without a word to who uses it. One
 * table tells which of it loses messages, which is only to be known, and which is nobody's business
 * (docs/adr/0029). Pure. */
#ifndef WARREN_MESSAGING_QUEUE_RULES_H
#define WARREN_MESSAGING_QUEUE_RULES_H

#include <stddef.h>

#include "common/messaging/topology.h"

/* One key of a policy, or one argument; everything is borrowed. */
struct queue_setting {
    const char *queue;
    const char *key;   /* "message-ttl": of an argument without its "x-" */
    const char *value; /* "60000", "reject-publish" */
    const char *by; /* who says so: "policy short"; NULL: an argument, which it was declared with */
};

enum queue_effect {
    QUEUE_AS_TABLED,
    QUEUE_ALTERED, /* works otherwise than its table says, and loses nothing: a warning */
    QUEUE_LOSES,   /* what was confirmed may get lost, or never be handled */
};

struct queue_judgement {
    enum queue_effect effect;
    const char *what; /* "messages expire unheard"; static */
};

/* What settings[which] does to that queue, seen together with the others (those of other queues among them
 * are passed over): of a limit the lower counts, of a word the argument's. */
struct queue_judgement queue_judge(const struct queue_spec *queue,
                                   const struct queue_setting *settings, size_t count,
                                   size_t which);

/* What the queue lacks that its table gives it; NULL: nothing. The n-th such key, from 0. */
const char *queue_lacks(const struct queue_spec *queue, const struct queue_setting *settings,
                        size_t count, size_t n);

/* Every key that the table knows, in its order; NULL after the last. For documents and tests. */
const char *queue_rule_key(size_t n);

#endif
