/* Short texts with a form of their own: traces, times, ids, topics. The first byte says which. */
#include "common/base/id.h"
#include "common/messaging/topology.h"
#include "common/telemetry/trace.h"
#include "load/fact.h"
#include "tests/fuzz/fuzz.h"

/* --- traceparent ----------------------------------------------------------------------------------- */

static void check_trace(const char *text)
{
    struct manual_clock clock;
    char child[TRACEPARENT_SIZE], trace[TRACE_ID_SIZE], of_child[TRACE_ID_SIZE];
    manual_clock_init(&clock, 1, strlen(text));
    trace_child(&clock.clock, text, child);
    FUZZ_HOLDS(trace_valid(child) && strlen(child) == TRACEPARENT_SIZE - 1);
    trace_id(text, trace);
    trace_id(child, of_child);
    FUZZ_HOLDS(trace_valid(text) ? strcmp(trace, of_child) == 0 : trace[0] == '\0');
}

/* --- times ----------------------------------------------------------------------------------------- */

static void check_time(const char *text)
{
    char again[TIME_TEXT_SIZE];
    int64_t ms, reread;
    if (time_parse(text, &ms) != 0)
        return;
    time_format(ms, again);
    FUZZ_HOLDS(time_parse(again, &reread) == 0 && reread == ms);
}

/* --- ids ------------------------------------------------------------------------------------------- */

static void check_id(const char *text)
{
    struct order_key key;
    char again[ID_TEXT_SIZE];
    bool valid = id_valid(text);
    enum result result = order_key_read(text, &key);
    FUZZ_HOLDS(!valid || result == OK);
    if (result != OK)
        return;
    order_key_write(&key, again);
    FUZZ_HOLDS(id_valid(again) && strncmp(text, again, sizeof again - 1) == 0);
    FUZZ_HOLDS(valid == (strlen(text) == sizeof again - 1));
}

/* --- topics ---------------------------------------------------------------------------------------- */

enum { WORDS_MAX = 8 };

struct words {
    const char *at[WORDS_MAX];
    size_t count;
};

/* Cuts the text at its points; false: more words than fit. */
static bool cut(char *text, struct words *out)
{
    out->count = 0;
    if (!*text)
        return true;
    for (;;) {
        char *point = strchr(text, '.');
        if (out->count == WORDS_MAX)
            return false;
        out->at[out->count++] = text;
        if (!point)
            return true;
        *point = '\0';
        text = point + 1;
    }
}

/* As AMQP 0-9-1 says it, word by word. */
static bool meets(const struct words *pattern, size_t p, const struct words *key, size_t k)
{
    if (p == pattern->count)
        return k == key->count;
    const char *word = pattern->at[p];
    if (strcmp(word, "#") == 0)
        return meets(pattern, p + 1, key, k) || (k < key->count && meets(pattern, p, key, k + 1));
    return k < key->count && (strcmp(word, "*") == 0 || strcmp(word, key->at[k]) == 0) &&
           meets(pattern, p + 1, key, k + 1);
}

/* Pattern and key, a line each. */
static void check_topic(char *pattern)
{
    struct words of_pattern, of_key;
    char *key = strchr(pattern, '\n');
    if (!key)
        return;
    *key++ = '\0';
    char *pattern_copy = strdup(pattern), *key_copy = strdup(key);
    FUZZ_HOLDS(pattern_copy && key_copy);
    if (cut(pattern_copy, &of_pattern) && cut(key_copy, &of_key))
        FUZZ_HOLDS((topic_matches(pattern, key) != 0) == meets(&of_pattern, 0, &of_key, 0));
    free(pattern_copy);
    free(key_copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = fuzz_text(data + 1, size - 1);
    int keep = 0;
    switch (*data) {
    case 't':
        check_trace(text);
        break;
    case 'w':
        check_time(text);
        break;
    case 'i':
        check_id(text);
        break;
    case 'k':
        check_topic(text);
        break;
    default:
        keep = -1;
        break;
    }
    free(text);
    return keep;
}
