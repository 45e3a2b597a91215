/* How often which values came, in buckets of powers of two: fixed, small, no allocation, and a few
 * nanoseconds a value. Zeroed memory is an empty histogram of counts.
 *
 * Bucket i takes values up to and including 2^(shift + i); the last one takes whatever is larger.
 * Times are microseconds with HISTOGRAM_TIME: 64 us, 128 us ... 16.8 s. */
#ifndef WARREN_TELEMETRY_HISTOGRAM_H
#define WARREN_TELEMETRY_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_BUCKETS = 20, /* the last: without a bound */
    HISTOGRAM_COUNT = 0,    /* the shift for sizes: 1, 2, 4 ... 262144 */
    HISTOGRAM_TIME = 6,     /* the shift for microseconds */
};

struct histogram {
    unsigned shift;
    int64_t sum;
    uint64_t buckets[HISTOGRAM_BUCKETS]; /* each its own, not cumulative */
};

/* What is not positive counts as the smallest, and adds nothing to the sum. */
static inline void histogram_add_many(struct histogram *histogram, int64_t value, uint64_t times)
{
    unsigned bucket = 0;
    if (value > 0) {
        uint64_t above = (uint64_t)(value - 1) >> histogram->shift;
        bucket = above ? 64U - (unsigned)__builtin_clzll(above) : 0;
        histogram->sum += value * (int64_t)times;
    }
    histogram->buckets[bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1] += times;
}

static inline void histogram_add(struct histogram *histogram, int64_t value)
{
    histogram_add_many(histogram, value, 1);
}

#endif
