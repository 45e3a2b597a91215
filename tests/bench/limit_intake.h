/* How fast the broker confirms order.place into order.commands when nobody takes it out. */
#ifndef WARREN_TESTS_BENCH_LIMIT_INTAKE_H
#define WARREN_TESTS_BENCH_LIMIT_INTAKE_H

#include "tests/bench/limit_chain.h"

struct limit_intake {
    int64_t confirmed;
    double seconds;
    double per_s;
    double p50_ms, p99_ms; /* from publish to confirm */
    int64_t cpu_us;
};

/* With always `outstanding` publishes without a confirm, for `run_ms` or until the queue is nearly
 * as full as it may be. Empties the queue afterwards. */
void limit_intake_run(const struct limit_plan *plan, int64_t outstanding,
                      struct limit_intake *ret_intake);

#endif
