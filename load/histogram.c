#include "load/histogram.h"

enum { SUB_BUCKETS = 1 << LOAD_HISTOGRAM_SUB_BITS };

static int bucket_of(int64_t value)
{
    if (value < LOAD_HISTOGRAM_LINEAR)
        return (int)value;
    int top = 63 - __builtin_clzll((unsigned long long)value);
    if (top > LOAD_HISTOGRAM_TOP_BIT)
        return LOAD_HISTOGRAM_BUCKETS - 1;
    int sub = (int)(value >> (top - LOAD_HISTOGRAM_SUB_BITS)) & (SUB_BUCKETS - 1);
    return LOAD_HISTOGRAM_LINEAR +
           ((top - LOAD_HISTOGRAM_SUB_BITS - 1) << LOAD_HISTOGRAM_SUB_BITS) + sub;
}

static int64_t bucket_middle(int bucket)
{
    if (bucket < LOAD_HISTOGRAM_LINEAR)
        return bucket;
    int above = bucket - LOAD_HISTOGRAM_LINEAR;
    int shift = (above >> LOAD_HISTOGRAM_SUB_BITS) + 1; /* the bucket is 2^shift wide */
    int64_t low = (int64_t)(SUB_BUCKETS + (above & (SUB_BUCKETS - 1))) << shift;
    return low + (INT64_C(1) << shift) / 2;
}

void load_histogram_add(struct load_histogram *histogram, int64_t value_us)
{
    int64_t value = value_us > 0 ? value_us : 0;
    if (histogram->count == 0 || value < histogram->min_us)
        histogram->min_us = value;
    if (value > histogram->max_us)
        histogram->max_us = value;
    histogram->count++;
    histogram->sum_us += value;
    histogram->buckets[bucket_of(value)]++;
}

void load_histogram_merge(struct load_histogram *into, const struct load_histogram *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0 || from->min_us < into->min_us)
        into->min_us = from->min_us;
    if (from->max_us > into->max_us)
        into->max_us = from->max_us;
    into->count += from->count;
    into->sum_us += from->sum_us;
    for (int i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

/* ceil(count * millionths / 10^6) without a product that overflows. */
static int64_t rank_of(int64_t count, int millionths)
{
    enum { WHOLE = 1000000 };
    int64_t rank = count / WHOLE * millionths + (count % WHOLE * millionths + WHOLE - 1) / WHOLE;
    return rank > 0 ? rank : 1;
}

int64_t load_histogram_quantile(const struct load_histogram *histogram, int millionths)
{
    if (histogram->count == 0)
        return 0;
    int64_t rank = rank_of(histogram->count, millionths);
    if (rank <= 1)
        return histogram->min_us;
    if (rank >= histogram->count)
        return histogram->max_us;
    int bucket = 0;
    for (int64_t seen = histogram->buckets[0]; seen < rank; seen += histogram->buckets[bucket])
        bucket++;
    int64_t value = bucket_middle(bucket);
    if (value < histogram->min_us)
        return histogram->min_us;
    return value < histogram->max_us ? value : histogram->max_us;
}

int64_t load_histogram_mean(const struct load_histogram *histogram)
{
    return histogram->count ? (histogram->sum_us + histogram->count / 2) / histogram->count : 0;
}

int64_t load_histogram_above(const struct load_histogram *histogram, int64_t value_us)
{
    int64_t above = 0;
    for (int i = bucket_of(value_us > 0 ? value_us : 0) + 1; i < LOAD_HISTOGRAM_BUCKETS; i++)
        above += histogram->buckets[i];
    return above;
}
