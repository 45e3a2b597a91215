#include "common/messaging/topology.h"

#include <stdbool.h>
#include <string.h>

/* A list of words is a pointer to its first character; NULL is the list without any, which is not
 * the same as one empty word. */
static const char *words_of(const char *text)
{
    return *text ? text : NULL;
}

static size_t word_size(const char *words)
{
    return strcspn(words, ".");
}

static const char *words_after(const char *words)
{
    const char *end = words + word_size(words);
    return *end == '.' ? end + 1 : NULL;
}

static bool word_is(const char *words, const char *word)
{
    size_t size = word_size(words);
    return strlen(word) == size && memcmp(words, word, size) == 0;
}

static bool words_equal(const char *a, const char *b)
{
    size_t size = word_size(a);
    return word_size(b) == size && memcmp(a, b, size) == 0;
}

static bool words_match(const char *pattern, const char *key)
{
    while (pattern && !word_is(pattern, "#")) {
        if (!key || (!word_is(pattern, "*") && !words_equal(pattern, key)))
            return false;
        pattern = words_after(pattern);
        key = words_after(key);
    }
    if (!pattern)
        return !key;
    for (; key; key = words_after(key))
        if (words_match(words_after(pattern), key))
            return true;
    return words_match(words_after(pattern), NULL);
}

int topic_matches(const char *pattern, const char *key)
{
    return words_match(words_of(pattern), words_of(key));
}
