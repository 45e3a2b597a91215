#include "edge-service/sent.h"

#include <stdlib.h>
#include <string.h>

void sent_init(struct sent *sent, size_t max, int64_t age_ms)
{
    id_table_init(&sent->table, max);
    id_table_init(&sent->requests, max);
    TAILQ_INIT(&sent->by_age);
    sent->max = max;
    sent->age_ms = age_ms;
}

static void drop(struct sent *sent, struct sent_command *command)
{
    id_table_remove(&sent->table, &command->node);
    if (command->request.id[0])
        id_table_remove(&sent->requests, &command->request);
    TAILQ_REMOVE(&sent->by_age, command, link);
    free(command);
}

void sent_release(struct sent *sent)
{
    struct sent_command *command;
    while ((command = TAILQ_FIRST(&sent->by_age)))
        drop(sent, command);
    id_table_release(&sent->table);
    id_table_release(&sent->requests);
}

void sent_add(struct sent *sent, const struct sent_command *command)
{
    struct sent_command *known =
        (struct sent_command *)id_table_find(&sent->table, command->node.id);
    if (known)
        drop(sent, known);
    else if (sent->table.count >= sent->max)
        drop(sent, TAILQ_FIRST(&sent->by_age));
    struct sent_command *fresh = malloc(sizeof *fresh);
    if (!fresh)
        abort();
    *fresh = *command;
    id_table_add(&sent->table, &fresh->node, command->node.id);
    if (command->request.id[0])
        id_table_add(&sent->requests, &fresh->request, command->request.id);
    TAILQ_INSERT_TAIL(&sent->by_age, fresh, link);
}

const struct sent_command *sent_find(const struct sent *sent, const char *command_id)
{
    return (const struct sent_command *)id_table_find(&sent->table, command_id);
}

bool sent_key_is_of_another(const struct sent *sent, const char *request_id, const char *command_id)
{
    const struct id_node *node = id_table_find(&sent->requests, request_id);
    if (!node)
        return false;
    const struct sent_command *command =
        (const void *)((const char *)node - offsetof(struct sent_command, request));
    return strcmp(command->node.id, command_id) != 0;
}

void sent_expire(struct sent *sent, int64_t now_mono_ms)
{
    struct sent_command *command;
    while ((command = TAILQ_FIRST(&sent->by_age)) &&
           now_mono_ms - command->since_mono_ms >= sent->age_ms)
        drop(sent, command);
}
