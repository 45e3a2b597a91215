/* Following one order: its facts as they come, told in words, until it has come to its end. */
#ifndef WARREN_CLI_FOLLOW_H
#define WARREN_CLI_FOLLOW_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/shop.h"

enum follow_until {
    FOLLOW_PLACED,    /* the shop has taken the order up, or turned it down */
    FOLLOW_NOTIFIED,  /* settled, and the customer told so */
    FOLLOW_CANCELLED, /* the same for a cancel; a refund too, if money was taken */
};

struct follow {
    struct shop *shop; /* borrowed */
    struct id order;
    int64_t began_ms; /* wall clock when it was sent */
    FILE *out;        /* where facts are told; NULL: silent */
    cJSON *events;    /* all so far; follow_release */
    int told;
    /* what the facts say */
    char status[SHOP_WORD_SIZE]; /* "" none yet, placed, closing, confirmed, ... */
    char reason[SHOP_WORD_SIZE];
    int64_t version;
    int64_t notified; /* up to this version */
    int captured, refunded, closed;
    int64_t total;
    char currency[8];
    int64_t settled_ms; /* from began_ms to the fact that settled it last */
};

void follow_begin(struct follow *follow, struct shop *shop, const struct id *order,
                  int64_t began_ms, FILE *out);
void follow_release(struct follow *follow);

/* OK: it has come so far. UNKNOWN: not within patience_ms. RETRY: the shop is gone. */
enum result follow_until(struct follow *follow, enum follow_until until, int64_t patience_ms,
                         struct err *err) WARN_UNUSED;

bool follow_settled(const struct follow *follow);

/* One line: "     12 ms  order.placed         2.98 EUR, stock reserved". */
void follow_tell(FILE *out, int64_t ms, const char *what, const char *means);

/* "24.90 EUR" */
struct money_text {
    char text[40];
};
struct money_text money_text(int64_t amount, const char *currency);

#endif
