/* The commands that this edge has had confirmed lately, orders left out (accepted.h has those): for
 * telling the fate of one that is not known yet, and a key that belongs to another command. Bounded by
 * count and age, the oldest going first; in memory only. */
#ifndef WARREN_EDGE_SERVICE_SENT_H
#define WARREN_EDGE_SERVICE_SENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "edge-service/id_table.h"

struct sent_command {
    struct id_node node;    /* the command's id */
    struct id_node request; /* the id of its key; "" without one */
    TAILQ_ENTRY(sent_command) link;
    char owner[UUID_SIZE]; /* the customer; "": an administrator */
    const char *type;
    char about[ABOUT_SIZE];
    int64_t since_mono_ms;
};
TAILQ_HEAD(sent_queue, sent_command);

struct sent {
    struct id_table table, requests;
    struct sent_queue by_age;
    size_t max;
    int64_t age_ms;
};

void sent_init(struct sent *sent, size_t max, int64_t age_ms);
void sent_release(struct sent *sent);
/* A copy; the ids of both nodes are what counts of them. The same command again is young again. */
void sent_add(struct sent *sent, const struct sent_command *command);
/* NULL: not known here, or no longer. */
const struct sent_command *sent_find(const struct sent *sent, const char *command_id);
/* Whether the key with this id was last used for another command. */
bool sent_key_is_of_another(const struct sent *sent, const char *request_id,
                            const char *command_id);
void sent_expire(struct sent *sent, int64_t now_mono_ms);

#endif
