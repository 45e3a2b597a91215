/* What an operator types: a broker's URL, a command line, a plan of load. The first byte says which. */
#include <math.h>
#include <strings.h>

#include "common/base/options.h"
#include "common/messaging/amqp_link.h"
#include "load/schedule.h"
#include "tests/fuzz/fuzz.h"

/* --- a broker's URL ------------------------------------------------------------------------------ */

static bool ends_within(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static void check_url(const char *url)
{
    static struct amqp_target target, again;
    struct err err = {""};
    memset(&target, 'x', sizeof target);
    enum result result = amqp_target_parse(url, "user", "secret", &target, &err);
    FUZZ_HOLDS(result == OK || result == INVALID);
    FUZZ_HOLDS((result == OK) == (err.text[0] == '\0'));
    /* It may hold a password. */
    FUZZ_HOLDS(strlen(url) < 12 || !strstr(err.text, url));
    if (result != OK)
        return;
    FUZZ_HOLDS(ends_within(target.host, sizeof target.host));
    FUZZ_HOLDS(ends_within(target.user, sizeof target.user));
    FUZZ_HOLDS(ends_within(target.password, sizeof target.password));
    FUZZ_HOLDS(ends_within(target.vhost, sizeof target.vhost));
    FUZZ_HOLDS(target.port > 0 && target.port <= 65535);
    FUZZ_HOLDS(target.host[0] && !strpbrk(target.host, "/?#@"));
    FUZZ_HOLDS(target.heartbeat_s > 0 && target.timeout_ms > 0);
    FUZZ_HOLDS(target.tls == (strncasecmp(url, "amqps:", 6) == 0));
    FUZZ_HOLDS(amqp_target_parse(url, "user", "secret", &again, NULL) == OK);
    FUZZ_HOLDS(strcmp(target.vhost, again.vhost) == 0 && strcmp(target.user, again.user) == 0);
}

/* --- a command line ------------------------------------------------------------------------------ */

enum { WORDS_MAX = 100 };

static void check_line(char *line)
{
    char *argv[WORDS_MAX + 1] = {line};
    int argc = 1, operand = -1;
    const char *text = "";
    int64_t number = 5;
    bool flag = false;
    struct option_list list = {.count = 0};
    struct err err = {""};
    const struct option table[] = {
        {"text", NULL, OPTION_TEXT, &text, "TEXT", "", 0, 0},
        {"number", NULL, OPTION_INT, &number, "N", "", 1, 10},
        {"flag", NULL, OPTION_FLAG, &flag, NULL, "", 0, 0},
        {"again", NULL, OPTION_REPEAT, &list, "TEXT", "", 0, 0},
    };
    const struct options options = {"fuzz", "", "", table, sizeof table / sizeof table[0]};
    for (char *end; argc < WORDS_MAX && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        argv[argc++] = line;
    }
    enum result result = options_read(&options, argc, argv, &operand, &err);
    FUZZ_HOLDS((result == OK) == (err.text[0] == '\0'));
    FUZZ_HOLDS(result == OK ? operand >= 1 && operand <= argc : operand == -1);
    FUZZ_HOLDS(number >= 1 && number <= 10);
    FUZZ_HOLDS(list.count <= sizeof list.items / sizeof list.items[0]);
    for (size_t i = 0; i < list.count; i++)
        FUZZ_HOLDS(list.items[i] && strlen(list.items[i]) < 1 << 20);
}

/* --- a plan of load -------------------------------------------------------------------------------- */

enum { ARRIVALS = 200 };

/* No arrival is before the one before it, or outside the plan. */
static void check_plan(const char *text)
{
    static struct schedule_plan plan;
    struct schedule schedule;
    struct err err = {""};
    plan = (struct schedule_plan){.kind = strlen(text) % 2 ? SCHEDULE_EVEN : SCHEDULE_POISSON};
    enum result result = schedule_parse(text, &plan, &err);
    FUZZ_HOLDS((result == OK) == (err.text[0] == '\0'));
    if (result != OK)
        return;
    int64_t last_ns = 0, whole_ns = schedule_duration_ns(&plan);
    FUZZ_HOLDS(plan.count >= 1 && plan.count <= SCHEDULE_PHASES_MAX && whole_ns > 0);
    for (size_t i = 0; i < plan.count; i++)
        FUZZ_HOLDS(isfinite(plan.phases[i].from) && isfinite(plan.phases[i].to) &&
                   plan.phases[i].from >= 0 && plan.phases[i].to >= 0);
    schedule_begin(&plan, &schedule);
    for (int i = 0; i < ARRIVALS && schedule.next_ns != INT64_MAX; i++) {
        FUZZ_HOLDS(schedule.next_ns >= last_ns && schedule.next_ns < whole_ns);
        last_ns = schedule.next_ns;
        schedule_step(&schedule);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = fuzz_text(data + 1, size - 1);
    switch (*data) {
    case 'u':
        check_url(text);
        break;
    case 'o':
        check_line(text);
        break;
    case 'p':
        check_plan(text);
        break;
    default:
        break;
    }
    free(text);
    return *data == 'u' || *data == 'o' || *data == 'p' ? 0 : -1;
}
