#include "common/audit/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void map_init(struct map *map, size_t record_size)
{
    *map = (struct map){.record_size = record_size};
}

void map_release(struct map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free(map->records[i]);
        free(map->keys[i]);
    }
    free(map->records);
    free(map->keys);
    free(map->slots);
    *map = (struct map){.record_size = map->record_size};
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const char *key)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
    return hash;
}

/* Where the key is, or the free slot where it belongs. */
static size_t slot_of(const struct map *map, const char *key)
{
    size_t i = (size_t)(hash_of(key) & (map->slot_count - 1));
    while (map->slots[i] && strcmp(map->keys[map->slots[i] - 1], key) != 0)
        i = (i + 1) & (map->slot_count - 1);
    return i;
}

static void *need(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void grow(struct map *map)
{
    size_t count = map->slot_count ? 2 * map->slot_count : 64;
    map->records = need(realloc(map->records, count * sizeof *map->records));
    map->keys = need(realloc(map->keys, count * sizeof *map->keys));
    free(map->slots);
    map->slots = need(calloc(count, sizeof *map->slots));
    map->slot_count = count;
    for (size_t i = 0; i < map->count; i++)
        map->slots[slot_of(map, map->keys[i])] = i + 1;
}

void *map_find(const struct map *map, const char *key)
{
    if (map->count == 0)
        return NULL;
    size_t at = map->slots[slot_of(map, key)];
    return at ? map->records[at - 1] : NULL;
}

void *map_get(struct map *map, const char *key)
{
    void *found = map_find(map, key);
    if (found)
        return found;
    if (2 * (map->count + 1) > map->slot_count)
        grow(map);
    map->records[map->count] = need(calloc(1, map->record_size));
    map->keys[map->count] = need(strdup(key));
    map->slots[slot_of(map, key)] = map->count + 1;
    return map->records[map->count++];
}
