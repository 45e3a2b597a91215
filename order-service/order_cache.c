#include "order-service/order_cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NOWHERE = UINT32_MAX };

/* Slots are named by index: a chain per bucket, and one ring-less list by age. */
struct slot {
    struct order *order;
    uint32_t chain;
    uint32_t newer, older;
};

struct order_cache {
    struct slot *slots;
    uint32_t *buckets;
    uint32_t mask;
    uint32_t max, count;
    uint32_t newest, oldest;
    uint32_t free_slot; /* chained through `chain` */
};

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

/* FNV-1a. Ids are made by SHA-256 or a generator: nobody can choose them to collide. */
static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261U;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    return hash;
}

static void slots_reset(struct order_cache *cache)
{
    for (uint32_t i = 0; i < cache->max; i++)
        cache->slots[i] = (struct slot){.chain = i + 1 < cache->max ? i + 1 : NOWHERE};
    for (uint32_t i = 0; i <= cache->mask; i++)
        cache->buckets[i] = NOWHERE;
    cache->free_slot = 0;
    cache->newest = cache->oldest = NOWHERE;
    cache->count = 0;
}

struct order_cache *order_cache_new(size_t max)
{
    struct order_cache *cache = must(calloc(1, sizeof *cache));
    cache->max = max < 1 ? 1 : (uint32_t)max;
    uint32_t buckets = 16;
    while (buckets < cache->max * 2U)
        buckets *= 2;
    cache->mask = buckets - 1;
    cache->slots = must(calloc(cache->max, sizeof *cache->slots));
    cache->buckets = must(calloc(buckets, sizeof *cache->buckets));
    slots_reset(cache);
    return cache;
}

void order_cache_clear(struct order_cache *cache)
{
    if (cache->count == 0)
        return;
    for (uint32_t i = 0; i < cache->max; i++)
        free(cache->slots[i].order);
    slots_reset(cache);
}

void order_cache_free(struct order_cache *cache)
{
    if (cache == NULL)
        return;
    order_cache_clear(cache);
    free(cache->slots);
    free(cache->buckets);
    free(cache);
}

static void age_unlink(struct order_cache *cache, uint32_t i)
{
    const struct slot *slot = &cache->slots[i];
    if (slot->newer == NOWHERE)
        cache->newest = slot->older;
    else
        cache->slots[slot->newer].older = slot->older;
    if (slot->older == NOWHERE)
        cache->oldest = slot->newer;
    else
        cache->slots[slot->older].newer = slot->newer;
}

static void age_link_newest(struct order_cache *cache, uint32_t i)
{
    cache->slots[i].newer = NOWHERE;
    cache->slots[i].older = cache->newest;
    if (cache->newest == NOWHERE)
        cache->oldest = i;
    else
        cache->slots[cache->newest].newer = i;
    cache->newest = i;
}

static uint32_t *bucket_of(struct order_cache *cache, const char *order_id)
{
    return &cache->buckets[hash_of(order_id) & cache->mask];
}

/* The link that names the order's slot, or the chain's end. */
static uint32_t *link_to(struct order_cache *cache, const char *order_id)
{
    uint32_t *link = bucket_of(cache, order_id);
    while (*link != NOWHERE && strcmp(cache->slots[*link].order->id, order_id) != 0)
        link = &cache->slots[*link].chain;
    return link;
}

struct order *order_cache_find(struct order_cache *cache, const char *order_id)
{
    uint32_t i = *link_to(cache, order_id);
    if (i == NOWHERE)
        return NULL;
    if (cache->newest != i) {
        age_unlink(cache, i);
        age_link_newest(cache, i);
    }
    return cache->slots[i].order;
}

void order_cache_drop(struct order_cache *cache, const char *order_id)
{
    uint32_t *link = link_to(cache, order_id);
    uint32_t i = *link;
    if (i == NOWHERE)
        return;
    *link = cache->slots[i].chain;
    age_unlink(cache, i);
    free(cache->slots[i].order);
    cache->slots[i] = (struct slot){.chain = cache->free_slot};
    cache->free_slot = i;
    cache->count--;
}

void order_cache_put_take(struct order_cache *cache, struct order *order)
{
    order_cache_drop(cache, order->id);
    if (cache->count == cache->max)
        order_cache_drop(cache, cache->slots[cache->oldest].order->id);
    uint32_t i = cache->free_slot;
    cache->free_slot = cache->slots[i].chain;
    uint32_t *bucket = bucket_of(cache, order->id);
    cache->slots[i].order = order;
    cache->slots[i].chain = *bucket;
    *bucket = i;
    age_link_newest(cache, i);
    cache->count++;
}

size_t order_cache_count(const struct order_cache *cache)
{
    return cache->count;
}
