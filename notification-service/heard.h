/* Which settlements have been heard (their numbers, see struct order_ended), and by that which are
 * missing. The table `heard` has them as ranges that neither touch nor overlap: one row as long as
 * nothing is missing, one more for each hole. Numbers of a batch are collected in memory and folded in
 * at its end: one statement or two a batch, not a message. Belongs to one thread. */
#ifndef WARREN_NOTIFICATION_SERVICE_HEARD_H
#define WARREN_NOTIFICATION_SERVICE_HEARD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/store/store.h"
#include "contracts/messages.h"

/* Zeroed: nothing heard. */
struct heard {
    int64_t *numbers; /* of the open transaction, as they came */
    size_t count, capacity;
};

void heard_release(struct heard *heard);
/* 0 is no number: the fact is older than the numbers. */
void heard_note(struct heard *heard, int64_t number);
/* The transaction is rolled back. */
void heard_forget(struct heard *heard);
/* Inside the transaction, at its end: what was noted is in the table. */
enum result heard_fold(struct heard *heard, struct store *store, struct err *err) WARN_UNUSED;

/* The highest number heard; 0: none. */
enum result heard_highest(struct store *store, int64_t *ret_number, struct err *err) WARN_UNUSED;

enum {
    MISSING_MAX = 500,                          /* numbers that are listed */
    MISSING_LISTED_MAX = MISSING_RANGES_MAX - 1 /* ranges of them; the last is the asker's */
};

struct missing {
    /* Of all missing numbers up to a mark: together they tell whether it is still the same ones. The
     * sum is taken modulo 2^64, which is enough for that. */
    int64_t count, sum;
    size_t range_count; /* those beyond `from`, as many as there is room for */
    struct number_range ranges[MISSING_RANGES_MAX];
    int64_t listed; /* the last number in `ranges` when some had no room; 0: all are in it */
};
/* What is missing up to and including `mark`. It reads a row per hole. */
enum result heard_missing(struct store *store, int64_t from, int64_t mark,
                          struct missing *ret_missing, struct err *err) WARN_UNUSED;

#endif
