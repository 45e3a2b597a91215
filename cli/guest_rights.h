/* What a guest of the bus may hear and say, as topic keys, and the broker's regular expressions for it.
 * Pure.
 *
 * A guest hears by queues of its own, which it binds to warren.events: the broker compares the key of
 * the binding, itself a pattern, with the expression. So whoever may hear "order.*" may bind "order.*"
 * and "order.placed", and neither "order.#" nor "#". */
#ifndef WARREN_CLI_GUEST_RIGHTS_H
#define WARREN_CLI_GUEST_RIGHTS_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum { GUEST_NAME_SIZE = 33, GUEST_KEY_SIZE = 64, GUEST_KEYS_MAX = 16 };

struct guest_keys {
    char keys[GUEST_KEYS_MAX][GUEST_KEY_SIZE];
    size_t count;
};

struct guest {
    char name[GUEST_NAME_SIZE];
    struct guest_keys hear, say;
};

/* A lower-case letter, then letters, digits and hyphens, 32 at most: it is part of the names of users
 * and queues, and of a path. */
bool guest_name_valid(const char *name);
/* Words of lower-case letters, digits and hyphens between points, `*` for any one word, `#` as the
 * last for any number of them. INVALID says what is wrong; a key that is there already is OK. */
enum result guest_hear(struct guest *guest, const char *key, struct err *err) WARN_UNUSED;
/* Likewise, but the first word must be the one for neighbours (contracts/messages.h). */
enum result guest_say(struct guest *guest, const char *key, struct err *err) WARN_UNUSED;
bool guest_same_rights(const struct guest *a, const struct guest *b);

/* Appends the expression that these keys and no others meet, as keys of bindings (hear) or of messages
 * (say); "^$" for none. */
void guest_keys_regex(const struct guest_keys *keys, struct buf *out);
/* Whether this binding is within the keys. */
bool guest_may_bind(const struct guest_keys *hear, const char *binding);
/* What all queues of a guest begin with: "guest.NAME.". */
void guest_prefix(const char *name, struct buf *out);
/* Appends the expression for names of its own. */
void guest_names_regex(const char *name, struct buf *out);

#endif
