/* The commands that this edge has sent lately, orders left out (accepted.h has those): those confirmed,
 * for telling the fate of one that is not known yet; those under a key of which nobody knows whether they
 * were accepted, for not refusing a repeat; and all of them for a key that belongs to another command.
 * Bounded by count and age; of those confirmed the oldest makes room. In memory only. */
#ifndef WARREN_EDGE_SERVICE_SENT_H
#define WARREN_EDGE_SERVICE_SENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/result.h"
#include "edge-service/attempts.h"
#include "edge-service/id_table.h"

struct sent_command {
    struct id_node node;    /* the command's id */
    struct id_node request; /* the id of its key; "" without one */
    TAILQ_ENTRY(sent_command) link;
    struct attempts attempts;
    char owner[UUID_SIZE]; /* the customer; "": an administrator */
    const char *type;
    char about[ABOUT_SIZE];
    int64_t since_mono_ms;
};
TAILQ_HEAD(sent_queue, sent_command);

struct sent {
    struct id_table table, requests;
    struct sent_queue confirmed; /* by age */
    struct sent_queue others;    /* likewise: in flight, or in doubt */
    size_t max;
    int64_t age_ms;
};

void sent_init(struct sent *sent, size_t max, int64_t age_ms);
void sent_release(struct sent *sent);
/* One more request for this command waits for its answer; a copy, of whose nodes only the ids count.
 * What comes back lives as long as its attempts go on. NULL: there are too many that cannot go. */
struct sent_command *sent_begin(struct sent *sent, const struct sent_command *command);
/* Its attempts have changed: it goes when nobody needs it any more. */
void sent_changed(struct sent *sent, struct sent_command *command);
/* Has been confirmed, and is young again. */
void sent_confirmed(struct sent *sent, struct sent_command *command, int64_t now_mono_ms);
/* NULL: not known here, or no longer. */
const struct sent_command *sent_find(const struct sent *sent, const char *command_id);
/* Likewise. */
struct attempts *sent_attempts(const struct sent *sent, const char *command_id);
/* Whether the key with this id was last used for another command. */
bool sent_key_is_of_another(const struct sent *sent, const char *request_id,
                            const char *command_id);
void sent_expire(struct sent *sent, int64_t now_mono_ms);

#endif
