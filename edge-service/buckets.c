#include "edge-service/buckets.h"

#include <stdlib.h>

enum { WAYS = 4, ONE = 1000 }; /* thousandths: at `rate` a second, `rate` of them in a ms */

struct bucket {
    uint64_t key; /* its hash; 0: nobody's */
    int64_t saved;
    int64_t at_ms;
};

struct buckets {
    size_t places;
    int64_t rate;
    uint64_t seed;
    struct bucket all[];
};

struct buckets *buckets_new(size_t places, int64_t rate, uint64_t seed)
{
    struct buckets *buckets = calloc(1, sizeof *buckets + places * sizeof buckets->all[0]);
    if (!buckets)
        abort();
    buckets->places = places;
    buckets->rate = rate;
    buckets->seed = seed;
    return buckets;
}

void buckets_free(struct buckets *buckets)
{
    free(buckets);
}

static uint64_t hash_of(const struct buckets *buckets, const void *key, size_t size)
{
    const unsigned char *bytes = key;
    uint64_t hash = buckets->seed;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash ? hash : 1;
}

static int64_t full(const struct buckets *buckets)
{
    return buckets->rate * ONE * BUCKET_SAVINGS_S;
}

static int64_t saved_by_now(const struct buckets *buckets, const struct bucket *bucket,
                            int64_t now_ms)
{
    int64_t elapsed = now_ms - bucket->at_ms;
    if (!bucket->key || elapsed >= (int64_t)BUCKET_SAVINGS_S * 1000)
        return full(buckets);
    int64_t saved = bucket->saved + elapsed * buckets->rate;
    return saved < full(buckets) ? saved : full(buckets);
}

static struct bucket *place_of(struct buckets *buckets, uint64_t key, int64_t now_ms)
{
    struct bucket *set = &buckets->all[(key & (buckets->places - 1)) & ~(size_t)(WAYS - 1)];
    struct bucket *fullest = &set[0];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (saved_by_now(buckets, &set[i], now_ms) > saved_by_now(buckets, fullest, now_ms))
            fullest = &set[i];
    }
    *fullest = (struct bucket){.key = key, .saved = full(buckets), .at_ms = now_ms};
    return fullest;
}

int64_t buckets_take(struct buckets *buckets, const void *key, size_t size, int64_t now_mono_ms)
{
    struct bucket *bucket = place_of(buckets, hash_of(buckets, key, size), now_mono_ms);
    bucket->saved = saved_by_now(buckets, bucket, now_mono_ms);
    bucket->at_ms = now_mono_ms;
    if (bucket->saved < ONE)
        return (ONE - bucket->saved + buckets->rate - 1) / buckets->rate;
    bucket->saved -= ONE;
    return 0;
}
