/* What a fact of the log says about an order, read without parsing more than is needed: our own
 * encoder writes the members of an envelope and of its data in one order (common/messaging/
 * envelope.c, contracts/messages.c), and a scanner that expects exactly that is some ten times
 * cheaper than a parser. Whatever looks otherwise is parsed in full. */
#ifndef WARREN_LOAD_FACT_H
#define WARREN_LOAD_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/id.h"

enum fact_kind {
    FACT_OTHER, /* says nothing about how far an order is */
    FACT_PLACED,
    FACT_CONFIRMED,
    FACT_REJECTED,
    FACT_CANCELLED,
    FACT_EXPIRED,
    FACT_CAPTURED,
    FACT_NOTIFIED,
};

enum { ORDER_KEY_SIZE = 16, FACT_REASON_SIZE = 65 };

/* An order's id as bytes. */
struct order_key {
    uint8_t bytes[ORDER_KEY_SIZE];
};

/* INVALID: not a UUID in lower case. */
enum result order_key_read(const char *text, struct order_key *ret_key) WARN_UNUSED;
void order_key_write(const struct order_key *key, char text[ID_TEXT_SIZE]);

struct fact {
    enum fact_kind kind;
    struct order_key order;
    int64_t sequence;
    char customer[ID_TEXT_SIZE];   /* "": the fact does not say */
    char reason[FACT_REASON_SIZE]; /* of a rejection */
};

/* `body` has a NUL at `size`. With FACT_OTHER nothing else is set. INVALID: no envelope of ours. */
enum result fact_read(const char *body, size_t size, struct fact *ret_fact) WARN_UNUSED;
/* The two ways of fact_read, for the test that holds them to each other. NOT_FOUND: not in the
 * order that the scanner knows. */
enum result fact_scan(const char *body, size_t size, struct fact *ret_fact) WARN_UNUSED;
enum result fact_parse(const char *body, size_t size, struct fact *ret_fact) WARN_UNUSED;

#endif
