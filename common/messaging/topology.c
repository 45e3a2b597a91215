#include "common/messaging/topology.h"

#include <stdbool.h>
#include <string.h>

#include "common/messaging/bus.h"

const struct exchange_spec topology_exchanges[] = {
    {EXCHANGE_COMMANDS, "topic"},
    {EXCHANGE_EVENTS, "topic"},
    {EXCHANGE_DEAD, "fanout"},
};
const size_t topology_exchange_count = sizeof topology_exchanges / sizeof topology_exchanges[0];

static const struct queue_spec common_queues[] = {{.name = QUEUE_DEAD, .kind = QUEUE_QUORUM}};
static const struct binding_spec common_bindings[] = {{QUEUE_DEAD, EXCHANGE_DEAD, ""}};
const struct topology topology_common = {
    .service = "warren",
    .queues = common_queues,
    .queue_count = 1,
    .bindings = common_bindings,
    .binding_count = 1,
};

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
