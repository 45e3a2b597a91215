/* What became of every order of a run: the answers that its sender got, and what the log of facts
 * says about it, brought together by the order's id. 56 bytes an order and 5 to 11 for the index.
 *
 * The log may speak of an order before its answer has been read, or when there was none. Such an
 * order is a stranger, until somebody is told its id; one that stays a stranger was made without a
 * key of ours. */
#ifndef WARREN_LOAD_FATES_H
#define WARREN_LOAD_FATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/fact.h"

/* The better one stays: after a 202 nothing else counts, and what is unknown is not made certain
 * by a later refusal. */
enum fate_answer { ANSWER_NONE, ANSWER_REFUSED, ANSWER_UNKNOWN, ANSWER_ACCEPTED };

struct fate {
    struct order_key order; /* all zero: not known */
    int64_t intended_ns;    /* monotonic */
    int64_t settled_ns;     /* 0: not (yet) seen */
    int64_t notified_ns;
    uint32_t ordinal; /* of the schedule: part of the key */
    uint16_t
        settled_versions; /* bit n: a settling fact of version n, the last bit for all higher */
    uint8_t captures;     /* bit n: a capture with sequence n */
    uint8_t phase;
    uint8_t answer; /* enum fate_answer */
    uint8_t end;    /* enum fact_kind of the first settling fact; 0: none */
    uint8_t reason; /* of a rejection: see fates_reason */
    bool named, placed, cancelled_later, doubled;
};

_Static_assert(sizeof(struct fate) == 56, "a million orders are 56 MB, and no more");

struct fates;

/* `expected`: how many orders there may be; more is no error. */
struct fates *fates_new(size_t expected);
/* Takes NULL. */
void fates_free(struct fates *fates);

/* A new order of ours; its index counts up from 0. Valid until fates_free. */
struct fate *fates_add(struct fates *fates, uint32_t *ret_index);
struct fate *fates_at(const struct fates *fates, uint32_t index);
size_t fates_count(const struct fates *fates);

/* Our order `index` has this id. OK, also when it was known. INVALID: it has another one already,
 * or another order of ours has this one. What the log has said before is then the order's. */
enum result fates_name(struct fates *fates, uint32_t index,
                       const struct order_key *order) WARN_UNUSED;

enum fate_news {
    NEWS_NONE = 0,
    NEWS_SETTLED = 1,  /* for the first time */
    NEWS_NOTIFIED = 2, /* for the first time */
    NEWS_DOUBLED = 4,  /* for the first time: it settled twice or was charged twice */
};

/* What the log says, read at `now_ns`. *ret_fate NULL: not one of ours, nothing was kept. `ours`
 * says whether the fact's customer is one of ours: then a stranger is kept. A fact may come more
 * than once. Returns bits of enum fate_news. */
unsigned fates_note(struct fates *fates, const struct fact *fact, bool ours, int64_t now_ns,
                    struct fate **ret_fate);

/* Why it was rejected, "" when it was not. */
const char *fates_reason(const struct fates *fates, const struct fate *fate);

/* Calls for every stranger left. */
void fates_strangers(const struct fates *fates,
                     void (*each)(void *context, const struct fate *fate), void *context);
/* Whether this id is known, as ours or as a stranger. */
const struct fate *fates_find(const struct fates *fates, const struct order_key *order);

#endif
