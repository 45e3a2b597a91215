/* The messages of one order that ends well, as the suite's services would write them: bodies made
 * by the suite's own encoders, so that their sizes follow the contracts. Made once; the chain
 * publishes the same bytes again and again and tells orders apart by their message ids. */
#ifndef WARREN_TESTS_BENCH_LIMIT_MESSAGES_H
#define WARREN_TESTS_BENCH_LIMIT_MESSAGES_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/id.h"

enum limit_kind {
    LIMIT_PLACE, /* the command; all others are facts */
    LIMIT_PLACED,
    LIMIT_STOCK,
    LIMIT_CAPTURED,
    LIMIT_CONFIRMED,
    LIMIT_SENT,
    LIMIT_KINDS,
};

/* Of every message, in its body and as a header. */
#define LIMIT_TRACEPARENT "00-a08e0b0b26ead081cc625ac950fddd07-32e2929880280878-01"

/* The ids in the bodies. */
#define LIMIT_ORDER "5af78f7b-ecd5-88fd-a918-35f2331f3bc4"
#define LIMIT_CUSTOMER "01a21bb3-81b3-72ec-a1d2-b01a260b1b65"
#define LIMIT_ID "01a21bb3-9f30-739b-9ef7-67b4442dc4e7"
#define LIMIT_REFERENCE "01a21bb3-9f71-7912-9596-f49da3a3f92f" /* of the capture */
#define LIMIT_HASH "7a718554807259d9294e9b42e9f3803276793234736af23b69690c9e0b07b6e7"

struct limit_message {
    const char *exchange;
    const char *type; /* also the routing key */
    const char *app_id;
    struct buf body;
};

/* Fills all of them. Free each body with limit_messages_release. */
void limit_messages_make(struct limit_message messages[LIMIT_KINDS]);
void limit_messages_release(struct limit_message messages[LIMIT_KINDS]);

const char *limit_kind_name(enum limit_kind kind);
/* Which kind a routing key names; LIMIT_KINDS: none of them. */
enum limit_kind limit_kind_of(const char *type, size_t size);

/* An id that says which kind of which order a message is, in the form of a UUID, and back. */
void limit_id_write(enum limit_kind kind, uint64_t order, char id[ID_TEXT_SIZE]);
/* UINT64_MAX: not one of ours. */
uint64_t limit_id_order(const char *id, size_t size);

#endif
