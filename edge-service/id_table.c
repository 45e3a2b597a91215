#include "edge-service/id_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

void id_table_init(struct id_table *table, size_t expected)
{
    size_t buckets = 16;
    while (buckets < expected)
        buckets *= 2;
    table->buckets = calloc(buckets, sizeof(struct id_node *));
    if (!table->buckets)
        abort();
    table->mask = buckets - 1;
    table->count = 0;
}

void id_table_release(struct id_table *table)
{
    free(table->buckets);
    *table = (struct id_table){0};
}

/* FNV-1a. */
static uint64_t hash_of(const char *id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

void id_table_add(struct id_table *table, struct id_node *node, const char *id)
{
    text_copy(node->id, sizeof node->id, id);
    node->hash = hash_of(node->id);
    struct id_node **bucket = &table->buckets[node->hash & table->mask];
    node->next = *bucket;
    *bucket = node;
    table->count++;
}

void id_table_remove(struct id_table *table, struct id_node *node)
{
    struct id_node **at = &table->buckets[node->hash & table->mask];
    while (*at && *at != node)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = node->next;
    table->count--;
}

struct id_node *id_table_find(const struct id_table *table, const char *id)
{
    uint64_t hash = hash_of(id);
    struct id_node *node = table->buckets[hash & table->mask];
    while (node && (node->hash != hash || strcmp(node->id, id) != 0))
        node = node->next;
    return node;
}
