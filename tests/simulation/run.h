/* One seed from its first step to its verdict. */
#ifndef WARREN_SIMULATION_RUN_H
#define WARREN_SIMULATION_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/switches.h"
#include "tests/simulation/coverage.h"

struct run_result {
    bool red;
    bool broken[8];    /* promises, by number */
    struct buf report; /* what was found, one a line */
    uint64_t steps;
    int64_t virtual_ms;
};

/* Adds to `coverage`. The caller releases result->report. */
void run_seed(uint64_t seed, const struct switches *switches, bool trace, struct coverage *coverage,
              struct run_result *result);

#endif
