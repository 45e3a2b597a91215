/* warren down: ends the suite, and makes sure that nothing of it is left. */
#include <stdio.h>
#include <unistd.h>

#include "cli/exit_codes.h"
#include "cli/stop.h"
#include "common/base/options.h"

int main(int argc, char **argv)
{
    static struct suite_options where;
    static const struct option table[] = {SUITE_OPTION_ROWS(&where)};
    static const struct options options = {.program = "warren down",
                                           .synopsis = "[--home DIR]",
                                           .about = "Stops a suite: the edge first, the broker "
                                                    "last. What it has stored stays.",
                                           .table = table,
                                           .count = sizeof table / sizeof table[0]};
    struct err err = {""};
    struct progress progress;
    if (options_parse(&options, argc, argv) != argc) {
        fprintf(stderr, "warren down: unexpected argument\nTry 'warren down --help'.\n");
        return CLI_USAGE;
    }
    struct suite suite = suite_resolve_or_exit(options.program, &where);
    struct http *http = http_new();
    progress_begin(&progress, false);
    enum result result = suite_stop(http, &suite, &progress, &err);
    progress_end(&progress);
    http_free(http);
    if (result == NOT_FOUND) {
        printf("nothing is running in %s\n", suite.home);
        return CLI_DONE;
    }
    if (result != OK) {
        fprintf(stderr, "warren down: %s\n", err.text);
        return CLI_MACHINE;
    }
    printf("stopped; its data is in %s\n", suite.home);
    return CLI_DONE;
}
