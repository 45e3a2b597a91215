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
void rights_read(const struct topology *topology, struct buf *out)
{
    for (size_t i = 0; i < topology->queue_count; i++) {
        const struct queue_spec *queue = &topology->queues[i];
        size_t size = strlen(queue->name);
        if (queue->kind == QUEUE_STREAM)
            while (size > 0 && isdigit((unsigned char)queue->name[size - 1]))
                size--;
        add_name(out, queue->name, size);
        if (queue->name[size] != '\0')
            buf_text(out, "[0-9]+");
    }
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
