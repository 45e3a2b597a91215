#include "edge-service/sent.h"

#include <stdlib.h>
#include <string.h>

void sent_init(struct sent *sent, size_t max, int64_t age_ms)
{
    id_table_init(&sent->table, max);
    id_table_init(&sent->requests, max);
    TAILQ_INIT(&sent->confirmed);
    TAILQ_INIT(&sent->others);
    sent->max = max;
    sent->age_ms = age_ms;
}

static struct sent_queue *queue_of(struct sent *sent, const struct sent_command *command)
{
    return command->attempts.confirmed ? &sent->confirmed : &sent->others;
}

static void drop(struct sent *sent, struct sent_command *command)
{
    id_table_remove(&sent->table, &command->node);
    if (command->request.id[0])
        id_table_remove(&sent->requests, &command->request);
    TAILQ_REMOVE(queue_of(sent, command), command, link);
    free(command);
}

void sent_release(struct sent *sent)
{
    struct sent_command *command;
    while ((command = TAILQ_FIRST(&sent->confirmed)) || (command = TAILQ_FIRST(&sent->others)))
        drop(sent, command);
    id_table_release(&sent->table);
    id_table_release(&sent->requests);
}

/* One that is confirmed and that nobody waits for. */
static bool make_room(struct sent *sent)
{
    if (sent->table.count < sent->max)
        return true;
    struct sent_command *oldest = TAILQ_FIRST(&sent->confirmed);
    if (!oldest || attempts_go_on(&oldest->attempts))
        return false;
    drop(sent, oldest);
    return true;
}

struct sent_command *sent_begin(struct sent *sent, const struct sent_command *command)
{
    struct sent_command *known =
        (struct sent_command *)id_table_find(&sent->table, command->node.id);
    if (known) {
        known->attempts.asked++;
        return known;
    }
    if (!make_room(sent))
        return NULL;
    struct sent_command *fresh = malloc(sizeof *fresh);
    if (!fresh)
        abort();
    *fresh = *command;
    fresh->attempts.asked = 1;
    id_table_add(&sent->table, &fresh->node, command->node.id);
    if (command->request.id[0])
        id_table_add(&sent->requests, &fresh->request, command->request.id);
    TAILQ_INSERT_TAIL(&sent->others, fresh, link);
    return fresh;
}

/* One without a key cannot be repeated: that it is in doubt helps nobody. */
static bool is_needed(const struct sent_command *command)
{
    const struct attempts *attempts = &command->attempts;
    return attempts_go_on(attempts) || attempts->confirmed ||
           (attempts->doubt && command->request.id[0]);
}

void sent_changed(struct sent *sent, struct sent_command *command)
{
    if (!is_needed(command))
        drop(sent, command);
}

void sent_confirmed(struct sent *sent, struct sent_command *command, int64_t now_mono_ms)
{
    TAILQ_REMOVE(queue_of(sent, command), command, link);
    command->attempts.confirmed = true;
    command->since_mono_ms = now_mono_ms;
    TAILQ_INSERT_TAIL(&sent->confirmed, command, link);
}

const struct sent_command *sent_find(const struct sent *sent, const char *command_id)
{
    return (const struct sent_command *)id_table_find(&sent->table, command_id);
}

struct attempts *sent_attempts(const struct sent *sent, const char *command_id)
{
    struct sent_command *command = (struct sent_command *)id_table_find(&sent->table, command_id);
    return command ? &command->attempts : NULL;
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

static void expire(struct sent *sent, struct sent_queue *queue, int64_t now_mono_ms)
{
    struct sent_command *command;
    while ((command = TAILQ_FIRST(queue)) && !attempts_go_on(&command->attempts) &&
           now_mono_ms - command->since_mono_ms >= sent->age_ms)
        drop(sent, command);
}

void sent_expire(struct sent *sent, int64_t now_mono_ms)
{
    expire(sent, &sent->confirmed, now_mono_ms);
    expire(sent, &sent->others, now_mono_ms);
}
