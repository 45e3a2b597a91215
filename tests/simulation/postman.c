#include "tests/simulation/postman.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_MAX = 16 };

struct postman {
    struct effect effect; /* first */
    struct mailbox *mailbox;
    char round[ROUND_MAX][128]; /* job ids, delivered and not yet answered */
    size_t count;
};

static enum result postman_start(struct effect *effect, const struct effect_call *call)
{
    struct postman *postman = (struct postman *)effect;
    struct mailbox *mailbox = postman->mailbox;
    if (postman->count == ROUND_MAX)
        return RETRY;
    snprintf(postman->round[postman->count++], sizeof postman->round[0], "%s", call->job_id);
    if (mailbox->count < MAILS_MAX)
        snprintf(mailbox->keys[mailbox->count++], MAIL_KEY_SIZE, "%s", call->key);
    return OK;
}

static int postman_fd(struct effect *effect)
{
    (void)effect;
    return -1;
}

static int64_t postman_deadline_ms(struct effect *effect)
{
    return ((struct postman *)effect)->count > 0 ? 0 : INT64_MAX;
}

static void postman_pump(struct effect *effect, effect_done *done, void *context)
{
    struct postman *postman = (struct postman *)effect;
    for (size_t i = 0; i < postman->count; i++)
        done(context, postman->round[i], OK, "{}");
    postman->count = 0;
}

static void postman_release(struct effect *effect)
{
    free(effect);
}

static const struct effect_ops postman_ops = {postman_start, postman_fd, postman_deadline_ms,
                                              postman_pump, postman_release};

struct effect *postman_new(struct mailbox *mailbox)
{
    struct postman *postman = calloc(1, sizeof *postman);
    if (!postman)
        abort();
    postman->effect.ops = &postman_ops;
    postman->mailbox = mailbox;
    return &postman->effect;
}

bool mailbox_has(const struct mailbox *mailbox, const char *key)
{
    for (size_t i = 0; i < mailbox->count; i++)
        if (strncmp(mailbox->keys[i], key, strlen(key)) == 0)
            return true;
    return false;
}
