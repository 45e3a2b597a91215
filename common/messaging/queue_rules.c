#include "common/messaging/queue_rules.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/messaging/bus.h"

/* How a key is judged. */
enum way {
    HARMLESS,    /* speed, memory or place; or without effect on this kind of queue */
    ALTERS,      /* whatever its value is */
    LOSES,       /* whatever its value is */
    LENGTH,      /* a limit: below the table's, by what happens to what is too much */
    OVERFLOWS,   /* what happens to what is too much */
    DELIVERIES,  /* how often a message is given out before it is given up */
    DEAD_LETTER, /* where it goes then */
    RETENTION,   /* of a stream, in bytes or as an age: below the table's */
};

enum { ON_QUORUM = 1 << QUEUE_QUORUM, ON_STREAM = 1 << QUEUE_STREAM };

/* On a kind of queue that is not named a key is without effect. */
static const struct rule {
    const char *key;
    int kinds;
    enum way way;
    const char *what;
} rules[] = {
    {"message-ttl", ON_QUORUM, LOSES, "messages expire unheard"},
    {"expires", ON_QUORUM, LOSES, "the queue goes when nobody uses it, with what is in it"},
    {"max-length", ON_QUORUM, LENGTH, NULL},
    {"max-length-bytes", ON_QUORUM, LENGTH, NULL},
    {"overflow", ON_QUORUM, OVERFLOWS, "a full queue drops its oldest messages"},
    {"delivery-limit", ON_QUORUM, DELIVERIES,
     "a message is given up when its consumers have died that often"},
    {"dead-letter-exchange", ON_QUORUM, DEAD_LETTER, "what the broker gives up goes elsewhere"},
    {"single-active-consumer", ON_QUORUM, ALTERS, "one instance alone is served"},
    {"consumer-timeout", ON_QUORUM, ALTERS, "a consumer that takes long is cut off"},
    {"federation-upstream", ON_QUORUM | ON_STREAM, ALTERS, "another broker's messages come in"},
    {"federation-upstream-set", ON_QUORUM | ON_STREAM, ALTERS, "another broker's messages come in"},
    {"federation-upstream-pattern", ON_QUORUM | ON_STREAM, ALTERS,
     "another broker's messages come in"},
    {"max-length-bytes", ON_STREAM, RETENTION, "the log keeps less than its table says"},
    {"max-age", ON_STREAM, RETENTION, "the log keeps less than its table says"},
    /* With a fanout exchange for dead letters these two change nothing. */
    {"dead-letter-routing-key", ON_QUORUM, HARMLESS, NULL},
    {"dead-letter-strategy", ON_QUORUM, HARMLESS, NULL},
    {"queue-leader-locator", ON_QUORUM | ON_STREAM, HARMLESS, NULL},
    {"queue-master-locator", 0, HARMLESS, NULL},
    {"queue-type", ON_QUORUM | ON_STREAM, HARMLESS, NULL}, /* compared by itself */
    {"queue-mode", 0, HARMLESS, NULL},
    {"queue-version", 0, HARMLESS, NULL},
    {"max-priority", 0, HARMLESS, NULL},
    {"max-in-memory-length", ON_QUORUM, HARMLESS, NULL},
    {"max-in-memory-bytes", ON_QUORUM, HARMLESS, NULL},
    {"quorum-initial-group-size", ON_QUORUM, HARMLESS, NULL},
    {"quorum-target-group-size", ON_QUORUM, HARMLESS, NULL},
    {"target-group-size", ON_QUORUM, HARMLESS, NULL},
    {"initial-cluster-size", ON_STREAM, HARMLESS, NULL},
    {"stream-max-segment-size-bytes", ON_STREAM, HARMLESS, NULL},
    {"stream-filter-size-bytes", ON_STREAM, HARMLESS, NULL},
    {"ha-mode", 0, HARMLESS, NULL},
    {"ha-params", 0, HARMLESS, NULL},
    {"ha-sync-mode", 0, HARMLESS, NULL},
    {"ha-sync-batch-size", 0, HARMLESS, NULL},
    {"ha-promote-on-failure", 0, HARMLESS, NULL},
    {"ha-promote-on-shutdown", 0, HARMLESS, NULL},
};
enum { RULES = sizeof rules / sizeof rules[0] };

static const struct rule unknown_key = {"", ON_QUORUM | ON_STREAM, ALTERS,
                                        "nobody here knows what that does"};

/* The rule for this kind of queue; one for another kind alone: NULL. */
static const struct rule *rule_of(const char *key, enum queue_kind kind)
{
    bool known = false;
    for (size_t i = 0; i < RULES; i++) {
        if (strcmp(rules[i].key, key) != 0)
            continue;
        known = true;
        if (rules[i].kinds & 1 << kind)
            return &rules[i];
    }
    return known ? NULL : &unknown_key;
}

/* A word counts as the queue was declared with; a policy's, where that says nothing. */
static const char *word_of(const char *queue, const char *key, const struct queue_setting *settings,
                           size_t count)
{
    const char *word = NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].queue, queue) == 0 && strcmp(settings[i].key, key) == 0 &&
            (!word || !settings[i].by))
            word = settings[i].value;
    return word;
}

static bool refuses_when_full(const struct queue_spec *queue, const struct queue_setting *settings,
                              size_t count)
{
    const char *word = word_of(queue->name, "overflow", settings, count);
    return word && strcmp(word, "reject-publish") == 0;
}

static int64_t table_limit(const struct queue_spec *queue, const char *key)
{
    return strcmp(key, "max-length") == 0 ? queue->max_length : queue->max_length_bytes;
}

/* An age as RabbitMQ writes it, "30D", in seconds; -1: it is none. */
static int64_t age_s(const char *text)
{
    static const char units[] = "smhDMY";
    static const int64_t seconds[] = {1, 60, 3600, 86400, 30 * 86400, 365 * 86400};
    char *end;
    long long number = strtoll(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (end == text || !unit || end[1] != '\0' || number < 0 || number > 1000000)
        return -1;
    return number * seconds[unit - units];
}

static bool keeps_less(const struct queue_spec *queue, const struct queue_setting *setting)
{
    if (strcmp(setting->key, "max-age") == 0)
        return !queue->max_age || age_s(setting->value) < age_s(queue->max_age);
    int64_t limit = strtoll(setting->value, NULL, 10);
    return queue->max_length_bytes == 0 || limit < queue->max_length_bytes;
}

static struct queue_judgement judge_length(const struct queue_spec *queue,
                                           const struct queue_setting *settings, size_t count,
                                           const struct queue_setting *setting)
{
    int64_t tabled = table_limit(queue, setting->key);
    if (tabled > 0 && strtoll(setting->value, NULL, 10) >= tabled)
        return (struct queue_judgement){QUEUE_AS_TABLED, NULL};
    if (refuses_when_full(queue, settings, count))
        return (struct queue_judgement){QUEUE_ALTERED, "more than that is refused"};
    return (struct queue_judgement){QUEUE_LOSES, "the oldest messages are dropped"};
}

/* A negative one means none, from RabbitMQ 4.0 on. */
static bool gives_up_early(const char *value)
{
    int64_t limit = strtoll(value, NULL, 10);
    return limit >= 0 && limit < QUEUE_DELIVERY_LIMIT;
}

static bool goes_elsewhere(const struct queue_spec *queue, const struct queue_setting *settings,
                           size_t count)
{
    const char *exchange = word_of(queue->name, "dead-letter-exchange", settings, count);
    return exchange && strcmp(exchange, EXCHANGE_DEAD) != 0;
}

struct queue_judgement queue_judge(const struct queue_spec *queue,
                                   const struct queue_setting *settings, size_t count, size_t which)
{
    const struct queue_setting *setting = &settings[which];
    const struct rule *rule = rule_of(setting->key, queue->kind);
    enum queue_effect effect = QUEUE_AS_TABLED;
    switch (rule ? rule->way : HARMLESS) {
    case HARMLESS:
        return (struct queue_judgement){QUEUE_AS_TABLED, NULL};
    case LENGTH:
        return judge_length(queue, settings, count, setting);
    case ALTERS:
        effect = QUEUE_ALTERED;
        break;
    case LOSES:
        effect = QUEUE_LOSES;
        break;
    case OVERFLOWS: /* without a limit it is never asked */
        if (queue->max_length > 0 && !refuses_when_full(queue, settings, count))
            effect = QUEUE_LOSES;
        break;
    case DELIVERIES:
        effect = gives_up_early(setting->value) ? QUEUE_LOSES : QUEUE_AS_TABLED;
        break;
    case DEAD_LETTER:
        effect = goes_elsewhere(queue, settings, count) ? QUEUE_ALTERED : QUEUE_AS_TABLED;
        break;
    case RETENTION:
        effect = keeps_less(queue, setting) ? QUEUE_ALTERED : QUEUE_AS_TABLED;
        break;
    }
    return (struct queue_judgement){effect, effect == QUEUE_AS_TABLED ? NULL : rule->what};
}

/* --- what it should have been declared with ----------------------------------------------------- */

static bool table_gives(const struct queue_spec *queue, const char *key)
{
    bool quorum = queue->kind == QUEUE_QUORUM;
    if (strcmp(key, "max-length") == 0 || strcmp(key, "overflow") == 0)
        return quorum && queue->max_length > 0;
    if (strcmp(key, "delivery-limit") == 0)
        return quorum;
    if (strcmp(key, "dead-letter-exchange") == 0)
        return quorum && strcmp(queue->name, QUEUE_DEAD) != 0;
    if (strcmp(key, "max-age") == 0)
        return !quorum && queue->max_age;
    return strcmp(key, "max-length-bytes") == 0 && !quorum && queue->max_length_bytes > 0;
}

const char *queue_lacks(const struct queue_spec *queue, const struct queue_setting *settings,
                        size_t count, size_t n)
{
    static const char *const keys[] = {"overflow",       "max-length",
                                       "delivery-limit", "dead-letter-exchange",
                                       "max-age",        "max-length-bytes"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (table_gives(queue, keys[i]) && !word_of(queue->name, keys[i], settings, count) &&
            n-- == 0)
            return keys[i];
    return NULL;
}

const char *queue_rule_key(size_t n)
{
    return n < RULES ? rules[n].key : NULL;
}
