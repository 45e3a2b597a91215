/* A hash table of things known by an id, for the bounded tables of the edge: chained, intrusive,
 * of a fixed number of buckets. Several entries may have the same id. Ids are uniformly spread and
 * not of a client's choosing: no need of a keyed hash. */
#ifndef WARREN_EDGE_SERVICE_ID_TABLE_H
#define WARREN_EDGE_SERVICE_ID_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "contracts/messages.h"

struct id_node { /* embedded first in every entry */
    struct id_node *next;
    uint64_t hash;
    char id[UUID_SIZE];
};

struct id_table {
    struct id_node **buckets;
    size_t mask;
    size_t count;
};

/* Room for about so many entries. */
void id_table_init(struct id_table *table, size_t expected);
/* Frees the buckets, not the entries. */
void id_table_release(struct id_table *table);
/* An id longer than a UUID is cut. */
void id_table_add(struct id_table *table, struct id_node *node, const char *id);
void id_table_remove(struct id_table *table, struct id_node *node);
/* The youngest entry with this id, NULL without. */
struct id_node *id_table_find(const struct id_table *table, const char *id);

#endif
