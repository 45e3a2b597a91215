/* Facts in bulk: a body made once by the suite's encoders, with the places of its ids noted, so that
 * a million of them are copies with other ids. */
#ifndef WARREN_TESTS_BENCH_STENCIL_H
#define WARREN_TESTS_BENCH_STENCIL_H

#include "common/base/buf.h"
#include "tests/bench/limit_messages.h"

enum { STENCIL_PLACES_MAX = 8 };

/* The ids that differ from order to order. */
enum stencil_id { STENCIL_ORDER, STENCIL_CUSTOMER, STENCIL_FACT, STENCIL_REFERENCE, STENCIL_IDS };

struct stencil {
    struct buf body;
    struct {
        size_t offset;
        enum stencil_id id;
    } places[STENCIL_PLACES_MAX];
    size_t count;
};

enum stencil_part { STENCIL_EVENT /* the whole CloudEvent */, STENCIL_DATA /* its data alone */ };

void stencil_make(enum limit_kind kind, enum stencil_part part, struct stencil *stencil);
void stencil_release(struct stencil *stencil);
/* The text with these ids, each a UUID; borrowed until the next cut. */
const struct buf *stencil_cut(struct stencil *stencil, const char *const ids[STENCIL_IDS]);

/* UUIDs in the two kinds that the suite has: derived from something (version 8: anywhere), and made
 * at a time (version 7: in its order). */
void stencil_scattered_id(uint64_t seed, char id[ID_TEXT_SIZE]);
void stencil_ascending_id(uint64_t seed, int64_t at_ms, char id[ID_TEXT_SIZE]);

#endif
