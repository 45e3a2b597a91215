#include "cli/guest_rights.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "contracts/messages.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define WORD_CHARS LETTERS "0123456789-"

bool guest_name_valid(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size < GUEST_NAME_SIZE && strchr(LETTERS, name[0]) &&
           strspn(name, WORD_CHARS) == size;
}

static enum result check_word(const char *key, const char *word, size_t size, struct err *err)
{
    if (size == 1 && *word == '*')
        return OK;
    if (size == 1 && *word == '#')
        return word[1] ? err_set(err, INVALID, "'%.64s': # can only be the last word", key) : OK;
    if (size == 0 || strspn(word, WORD_CHARS) < size)
        return err_set(err, INVALID,
                       "'%.64s': a word is of lower-case letters, digits and hyphens, or * or #",
                       key);
    return OK;
}

static enum result check_key(const char *key, struct err *err)
{
    if (strlen(key) >= GUEST_KEY_SIZE)
        return err_set(err, INVALID, "'%.64s...': longer than %d characters", key,
                       GUEST_KEY_SIZE - 1);
    for (const char *word = key;; word++) {
        size_t size = strcspn(word, ".");
        enum result result = check_word(key, word, size, err);
        word += size;
        if (result != OK || *word == '\0')
            return result;
    }
}

static enum result add_key(struct guest_keys *keys, const char *key, struct err *err)
{
    enum result result = check_key(key, err);
    if (result != OK)
        return result;
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->keys[i], key) == 0)
            return OK;
    if (keys->count == GUEST_KEYS_MAX)
        return err_set(err, INVALID, "more than %d keys", GUEST_KEYS_MAX);
    text_copy(keys->keys[keys->count++], GUEST_KEY_SIZE, key);
    return OK;
}

enum result guest_hear(struct guest *guest, const char *key, struct err *err)
{
    return add_key(&guest->hear, key, err);
}

enum result guest_say(struct guest *guest, const char *key, struct err *err)
{
    static const char first[] = NEIGHBOUR_WORD;
    if (strncmp(key, first, sizeof first - 1) != 0)
        return err_set(err, INVALID,
                       "'%.64s': what a guest says begins with " NEIGHBOUR_WORD
                       ", all else is said by the services alone",
                       key);
    return add_key(&guest->say, key, err);
}

static bool same_keys(const struct guest_keys *a, const struct guest_keys *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->keys[i], b->keys[i]) != 0)
            return false;
    return true;
}

bool guest_same_rights(const struct guest *a, const struct guest *b)
{
    return same_keys(&a->hear, &b->hear) && same_keys(&a->say, &b->say);
}

/* --- expressions: both PCRE, for the broker, and POSIX ----------------------------------------- */

static void add_word(const char *word, size_t size, bool first, struct buf *out)
{
    if (*word == '#') { /* no word at all, or any number */
        buf_text(out, first ? ".*" : "(\\..*)?");
        return;
    }
    if (!first)
        buf_text(out, "\\.");
    if (*word == '*')
        buf_text(out, "[^.#]*");
    else
        buf_append(out, word, size);
}

static void add_key_regex(const char *key, struct buf *out)
{
    for (const char *word = key;; word++) {
        size_t size = strcspn(word, ".");
        add_word(word, size, word == key, out);
        word += size;
        if (*word == '\0')
            return;
    }
}

void guest_keys_regex(const struct guest_keys *keys, struct buf *out)
{
    buf_text(out, keys->count > 0 ? "^(" : "^");
    for (size_t i = 0; i < keys->count; i++) {
        buf_text(out, i > 0 ? "|" : "");
        add_key_regex(keys->keys[i], out);
    }
    buf_text(out, keys->count > 0 ? ")$" : "$");
}

bool guest_may_bind(const struct guest_keys *hear, const char *binding)
{
    struct buf expression = {0};
    regex_t regex;
    guest_keys_regex(hear, &expression);
    if (regcomp(&regex, expression.data, REG_EXTENDED | REG_NOSUB) != 0)
        abort(); /* made of checked keys */
    bool may = regexec(&regex, binding, 0, NULL, 0) == 0;
    regfree(&regex);
    buf_release(&expression);
    return may;
}

void guest_prefix(const char *name, struct buf *out)
{
    buf_printf(out, "guest.%s.", name);
}

void guest_names_regex(const char *name, struct buf *out)
{
    buf_printf(out, "^guest\\.%s\\..+$", name);
}
