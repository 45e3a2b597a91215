/* warren demo: a short day in the shop, told and checked, and then the audit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/demo_scenes.h"
#include "cli/exit_codes.h"
#include "common/base/options.h"

static struct suite_options where;

static const struct option table[] = {SUITE_OPTION_ROWS(&where)};

static const struct options options = {
    .program = "warren demo",
    .synopsis = "[--home DIR] [--base-port N]",
    .about = "Plays a short day in the shop that runs there, tells what happens and why, compares "
             "it with what had to happen, and lets the audit judge. Exits 0 only if all was well.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

static void print_table(const struct scene *scenes, size_t count)
{
    printf("\n%-34s %-29s %-29s %6s\n", "what was done", "expected", "seen", "ms");
    for (size_t i = 0; i < count; i++)
        printf("%-34s %-29s %-29s %6d%s\n", scenes[i].title, scenes[i].expected, scenes[i].seen,
               (int)scenes[i].ms, strcmp(scenes[i].expected, scenes[i].seen) == 0 ? "" : "  <--");
    putchar('\n');
}

static size_t count_wrong(const struct scene *scenes, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += strcmp(scenes[i].expected, scenes[i].seen) != 0;
    return wrong;
}

/* The audit as a program of its own: what it says and how it exits is its business. */
static int run_audit(const struct suite *suite)
{
    struct suite_path path;
    struct err err = {""};
    char port[16];
    int status = 0;
    if (suite_program("warren-audit", &path, &err) != OK) {
        fprintf(stderr, "warren demo: %s\n", err.text);
        return CLI_MACHINE;
    }
    snprintf(port, sizeof port, "%d", suite->base_port);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        execl(path.text, "warren-audit", "--home", suite->home, "--base-port", port, (char *)NULL);
        _exit(CLI_MACHINE);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : CLI_MACHINE;
}

static enum cli_exit play(struct day *day)
{
    struct err err = {""};
    enum result result = day_open(day, &err);
    if (result == OK)
        result = day_play(day, &err);
    day_close(day);
    if (result == OK)
        return CLI_DONE;
    fprintf(stderr, "warren demo: %s\n", err.text);
    return result == UNKNOWN ? CLI_UNKNOWN : CLI_UNREACHABLE;
}

int main(int argc, char **argv)
{
    if (options_parse(&options, argc, argv) != argc) {
        fprintf(stderr, "warren demo: unexpected argument\nTry 'warren demo --help'.\n");
        return CLI_USAGE;
    }
    struct suite suite = suite_resolve_or_exit(options.program, &where);
    struct day day = {.suite = &suite, .http = http_new()};
    enum cli_exit played = play(&day);
    http_free(day.http);
    if (played != CLI_DONE)
        return (int)played;
    print_table(day.scenes, day.count);
    if (day_alarm(&day))
        printf("five orders failed within a minute: notification-service raised the alarm\n\n");
    size_t wrong = count_wrong(day.scenes, day.count);
    if (wrong > 0)
        printf("%zu of %zu ended otherwise than expected\n", wrong, day.count);
    int audited = run_audit(&suite);
    if (wrong == 0 && audited == CLI_DONE)
        printf("every outcome was the expected one, and the audit is clean\n");
    return wrong > 0 ? CLI_WRONG : audited;
}
