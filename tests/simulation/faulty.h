/* A payment provider behind a bad network: in front of another effect, calls fail on their way,
 * arrive late, are answered late, twice or never. The caller may die; what it had sent may still
 * arrive, and is then answered to nobody. */
#ifndef WARREN_SIMULATION_FAULTY_H
#define WARREN_SIMULATION_FAULTY_H

#include "common/base/clock.h"
#include "common/messaging/effect.h"
#include "tests/simulation/chance.h"
#include "tests/simulation/coverage.h"

struct faulty;

/* Takes over `inner`; borrows the rest. */
struct faulty *faulty_new(struct effect *take_inner, const struct clock *clock,
                          struct chance *chance, struct coverage *coverage);
void faulty_free(struct faulty *faulty);
/* What the caller holds. It must not release it: see faulty_orphan. */
struct effect *faulty_effect(struct faulty *faulty);
/* The caller is dead. */
void faulty_orphan(struct faulty *faulty);
/* An orphan's last calls; false when there is nothing left on its way. */
bool faulty_orphan_pump(struct faulty *faulty);

#endif
