/* Latencies in microseconds, so that any quantile can be told within 1 %.
 *
 * Log-linear, as HdrHistogram is: values below 256 us have a bucket each; above, every power of two
 * is cut into 128 equal buckets, so a bucket is at most 1/128 of its values wide. A quantile is the
 * middle of its bucket: at most 0.4 % off. Up to 2^36 us (19 hours); what is larger counts in the
 * last bucket, and in the maximum. Fixed memory (32 KiB), no allocation, a few nanoseconds a value.
 *
 * Zeroed memory is an empty histogram. One thread. */
#ifndef WARREN_LOAD_HISTOGRAM_H
#define WARREN_LOAD_HISTOGRAM_H

#include <stdint.h>

enum {
    LOAD_HISTOGRAM_SUB_BITS = 7, /* 128 buckets for each power of two */
    LOAD_HISTOGRAM_TOP_BIT = 35, /* of the largest value that has a bucket of its own */
    LOAD_HISTOGRAM_LINEAR = 2 << LOAD_HISTOGRAM_SUB_BITS,
    LOAD_HISTOGRAM_BUCKETS =
        LOAD_HISTOGRAM_LINEAR +
        ((LOAD_HISTOGRAM_TOP_BIT - LOAD_HISTOGRAM_SUB_BITS) << LOAD_HISTOGRAM_SUB_BITS),
};

struct load_histogram {
    int64_t count;
    int64_t sum_us;
    int64_t min_us; /* exact; 0 when empty */
    int64_t max_us; /* exact; 0 when empty */
    int64_t buckets[LOAD_HISTOGRAM_BUCKETS];
};

/* A negative value counts as 0. */
void load_histogram_add(struct load_histogram *histogram, int64_t value_us);
/* As if every value of `from` had been added to `into`, too. */
void load_histogram_merge(struct load_histogram *into, const struct load_histogram *from);

/* Quantiles are asked for in millionths, so that 99.9 % is exactly that: 999000. */
enum {
    LOAD_P50 = 500000,
    LOAD_P75 = 750000,
    LOAD_P90 = 900000,
    LOAD_P95 = 950000,
    LOAD_P99 = 990000,
    LOAD_P999 = 999000,
    LOAD_P9999 = 999900,
    LOAD_P100 = 1000000,
};

/* The nearest rank: of n values in ascending order the one at place ceil(n * millionths / 10^6),
 * at least the first (type 1 of Hyndman and Fan, 1996). Never interpolated: it is, within the 0.4 %,
 * a value that was seen. The first and the last are exact. 0 when empty. */
int64_t load_histogram_quantile(const struct load_histogram *histogram, int millionths);
/* Exact, rounded to the nearest; 0 when empty. */
int64_t load_histogram_mean(const struct load_histogram *histogram);

/* The number of values that are larger than the bucket of `value_us`. */
int64_t load_histogram_above(const struct load_histogram *histogram, int64_t value_us);

#endif
