#include "cli/rights.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* "^(a|b)$", grown name by name. */
static void add_name(struct buf *out, const char *name, size_t size)
{
    buf_text(out, out->size > 0 ? "|" : "^(");
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
            buf_text(out, "\\");
        buf_append(out, &name[i], 1);
    }
}

static void end(struct buf *out)
{
    buf_text(out, out->size > 0 ? ")$" : "^$");
}

/* A stream's name ends in its generation, and a refilled log is the next one. */
static void add_queue(struct buf *out, const struct queue_spec *queue)
{
    size_t size = strlen(queue->name);
    if (queue->kind == QUEUE_STREAM)
        while (size > 0 && isdigit((unsigned char)queue->name[size - 1]))
            size--;
    add_name(out, queue->name, size);
    if (queue->name[size] != '\0')
        buf_text(out, "[0-9]+");
}

void rights_read(const struct topology *topology, struct buf *out)
{
    for (size_t i = 0; i < topology->queue_count; i++)
        add_queue(out, &topology->queues[i]);
    end(out);
}

void rights_write(const struct topology *topology, struct buf *out)
{
    for (size_t i = 0; i < topology->publication_count; i++) {
        const char *exchange = topology->publications[i].exchange;
        bool known = false;
        for (size_t j = 0; j < i; j++)
            known = known || strcmp(topology->publications[j].exchange, exchange) == 0;
        if (!known)
            add_name(out, exchange, strlen(exchange));
    }
    end(out);
}

void rights_publish(const struct topology *topology, const char *exchange, struct buf *out)
{
    for (size_t i = 0; i < topology->publication_count; i++)
        if (strcmp(topology->publications[i].exchange, exchange) == 0)
            add_name(out, topology->publications[i].type, strlen(topology->publications[i].type));
    end(out);
}

/* --- all tables together ----------------------------------------------------------------------------- */

/* Whether one of the tables before has it. */
static bool queue_before(const struct topology *const *tables, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < tables[i]->queue_count; j++)
            if (strcmp(tables[i]->queues[j].name, name) == 0)
                return true;
    return false;
}

static void add_queues(const struct topology *const *tables, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < tables[i]->queue_count; j++)
            if (!queue_before(tables, i, tables[i]->queues[j].name))
                add_queue(out, &tables[i]->queues[j]);
}

/* The exchanges; that of dead letters has the name of their queue. */
static void add_exchanges(struct buf *out)
{
    for (size_t i = 0; i < topology_exchange_count; i++)
        add_name(out, topology_exchanges[i].name, strlen(topology_exchanges[i].name));
}

static void add_pattern(struct buf *out, const char *pattern)
{
    buf_printf(out, "|%s", pattern);
}

#define SUITE "warren\\.suite"
#define SUITE_ID SUITE "\\.[0-9a-f]+"

void rights_read_all(const struct topology *const *tables, size_t count, struct buf *out)
{
    add_queues(tables, count, out);
    end(out);
}

static bool publishes(const struct topology *const *tables, size_t count, const char *exchange)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < tables[i]->publication_count; j++)
            if (strcmp(tables[i]->publications[j].exchange, exchange) == 0)
                return true;
    return false;
}

void rights_write_all(const struct topology *const *tables, size_t count, struct buf *out)
{
    for (size_t i = 0; i < topology_exchange_count; i++)
        if (publishes(tables, count, topology_exchanges[i].name))
            add_name(out, topology_exchanges[i].name, strlen(topology_exchanges[i].name));
    end(out);
}

void rights_to_configure(const struct topology *const *tables, size_t count, struct buf *out)
{
    add_exchanges(out);
    add_queues(tables, count, out);
    add_pattern(out, SUITE "|" SUITE_ID);
    end(out);
}

void rights_to_bind(const struct topology *const *tables, size_t count, struct buf *out)
{
    add_name(out, QUEUE_DEAD, strlen(QUEUE_DEAD));
    add_queues(tables, count, out);
    add_pattern(out, SUITE_ID);
    end(out);
}

void rights_to_bind_to(const struct topology *const *tables, size_t count, struct buf *out)
{
    add_exchanges(out);
    add_queues(tables, count, out);
    add_pattern(out, SUITE);
    end(out);
}
