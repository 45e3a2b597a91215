/* warren token: prints a bearer token and nothing else. */
#include <stdio.h>
#include <string.h>

#include "cli/bearer.h"
#include "cli/exit_codes.h"
#include "cli/suite.h"
#include "common/base/options.h"

static struct {
    struct suite_options where;
    const char *customer;
    const char *email;
    const char *scope;
    bool admin;
    int64_t days;
} arguments = {.days = 30};

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "customer",
     .kind = OPTION_TEXT,
     .value = &arguments.customer,
     .metavar = "NAME",
     .help = "who it is for; made when not known yet"},
    {.name = "email",
     .kind = OPTION_TEXT,
     .value = &arguments.email,
     .metavar = "ADDR",
     .help = "the customer's mail address"},
    {.name = "admin",
     .kind = OPTION_FLAG,
     .value = &arguments.admin,
     .help = "for the catalogue and the stock instead"},
    {.name = "scope",
     .kind = OPTION_TEXT,
     .value = &arguments.scope,
     .metavar = "NAME",
     .help = "load: not counted against the edge's rates, for load tests"},
    {.name = "days",
     .kind = OPTION_INT,
     .value = &arguments.days,
     .metavar = "N",
     .help = "how long it is good for",
     .min = 1,
     .max = 3650},
};

static const struct options options = {
    .program = "warren token",
    .synopsis = "--customer NAME [--email ADDR] [--scope load] | --admin",
    .about = "Prints a bearer token for the HTTP interface: curl -H \"Authorization: Bearer "
             "$(warren token --customer ada)\" ...",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

int main(int argc, char **argv)
{
    enum { DAY_MS = 24 * 60 * 60 * 1000 };
    char bearer[BEARER_SIZE];
    struct err err = {""};
    bool plain = options_parse(&options, argc, argv) == argc;
    if (!plain || (arguments.customer != NULL) == arguments.admin ||
        (arguments.email && !arguments.customer) ||
        (arguments.scope && strcmp(arguments.scope, "load") != 0)) {
        fprintf(stderr, "warren token: say --customer NAME or --admin; the only --scope is load\n"
                        "Try 'warren token --help'.\n");
        return CLI_USAGE;
    }
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    enum result result = bearer_issue(&suite, arguments.customer, arguments.email,
                                      arguments.scope ? SCOPE_LOAD : SCOPE_NONE,
                                      arguments.days * DAY_MS, bearer, &err);
    if (result != OK) {
        fprintf(stderr, "warren token: %s\n", err.text);
        return result == INVALID ? CLI_USAGE : result == NOT_FOUND ? CLI_UNREACHABLE : CLI_MACHINE;
    }
    puts(bearer);
    return CLI_DONE;
}
