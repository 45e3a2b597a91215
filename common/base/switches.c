#include "common/base/switches.h"

#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} table[] = {
    {"confirms", offsetof(struct switches, confirms)},
    {"mandatory", offsetof(struct switches, mandatory)},
    {"inbox", offsetof(struct switches, inbox)},
    {"outbox", offsetof(struct switches, outbox)},
    {"ack-after-commit", offsetof(struct switches, ack_after_commit)},
    {"sent-when-confirmed", offsetof(struct switches, sent_when_confirmed)},
    {"rescan", offsetof(struct switches, rescan)},
    {"stable-provider-key", offsetof(struct switches, stable_provider_key)},
    {"version-check", offsetof(struct switches, version_check)},
    {"repeat-close", offsetof(struct switches, repeat_close)},
    {"repeat-refund", offsetof(struct switches, repeat_refund)},
    {"say-again", offsetof(struct switches, say_again)},
    {"reconcile", offsetof(struct switches, reconcile)},
    {"answer-per-key", offsetof(struct switches, answer_per_key)},
};

enum { SWITCH_COUNT = sizeof table / sizeof table[0] };

static bool *switch_at(struct switches *switches, size_t i)
{
    return (bool *)((char *)switches + table[i].offset);
}

struct switches switches_all_on(void)
{
    struct switches switches;
    for (size_t i = 0; i < SWITCH_COUNT; i++)
        *switch_at(&switches, i) = true;
    return switches;
}

enum result switches_turn_off(struct switches *switches, const char *name, struct err *err)
{
    for (size_t i = 0; i < SWITCH_COUNT; i++) {
        if (strcmp(table[i].name, name) == 0) {
            *switch_at(switches, i) = false;
            return OK;
        }
    }
    return err_set(err, INVALID, "there is no switch named '%s'", name);
}

const char *switches_name(size_t i)
{
    return i < SWITCH_COUNT ? table[i].name : NULL;
}
