/* A store that is busy, full or broken now and then: puts itself between a handle and its engine. */
#ifndef WARREN_SIMULATION_BAD_STORE_H
#define WARREN_SIMULATION_BAD_STORE_H

#include "common/store/store.h"
#include "tests/simulation/chance.h"
#include "tests/simulation/coverage.h"

/* From now on. All handles in a process share one plan, the one named last. */
void bad_store_spoil(struct store *store, struct chance *chance, struct coverage *coverage);

#endif
