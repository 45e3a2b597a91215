/* A hash table from text to a zeroed record of fixed size, kept in the order of first mention. */
#ifndef WARREN_AUDIT_MAP_H
#define WARREN_AUDIT_MAP_H

#include <stddef.h>

struct map {
    size_t record_size;
    size_t count;
    void **records; /* in order of first mention */
    char **keys;
    size_t *slots; /* index + 1 into records */
    size_t slot_count;
};

void map_init(struct map *map, size_t record_size);
/* Frees keys and records; what records own must be released before. */
void map_release(struct map *map);
/* NULL when it is not there. Records do not move. */
void *map_find(const struct map *map, const char *key);
/* Makes it when it is not there. */
void *map_get(struct map *map, const char *key);

#endif
