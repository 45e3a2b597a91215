/* payment-service on the real loop with the real sandbox. One at a time. For its tests. */
#ifndef WARREN_TESTS_UNIT_PAYMENT_TILL_H
#define WARREN_TESTS_UNIT_PAYMENT_TILL_H

#include "tests/unit/loop.h"

extern struct loop till;
extern struct store *till_ledger;

/* With instance 0 running. */
void till_open(void);
void till_close(void);
void till_start(size_t instance);

/* `order` is any small number; 1000 EUR each. The message's id (NULL: a new one). */
void till_place(unsigned order, const char *token);
void till_place_as(unsigned order, const char *token, const char *message_id);
void till_ask_to_close(unsigned order);
void till_ask_for_refund(unsigned order, int64_t amount);

/* "CDLF", one letter each with its count: how often captured, declined, closed, refunded were said
 * about an order. */
const char *till_said(unsigned order);
/* Entries of this kind. */
int64_t till_in_ledger(const char *kind);
int64_t till_quarantined(void);

#endif
