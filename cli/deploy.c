/* warren deploy: makes the broker as the tables say, and tells what was not. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/bindings.h"
#include "cli/broker.h"
#include "cli/exit_codes.h"
#include "cli/refusal.h"
#include "cli/rights_page.h"
#include "cli/topology.h"
#include "common/base/options.h"

static struct {
    struct suite_options where;
    bool json, rights;
} arguments;

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "json", .kind = OPTION_FLAG, .value = &arguments.json, .help = "as one JSON object"},
    {.name = "rights",
     .kind = OPTION_FLAG,
     .value = &arguments.rights,
     .help = "only prints what a broker must grant, as docs/rights.md has it"},
};

static const struct options options = {
    .program = "warren deploy",
    .synopsis = "[--json | --rights]",
    .about = "Declares the exchanges, queues and bindings of all services at a suite's broker, "
             "says what\n"
             "had been missing, and changes nothing else. Exits 0 when all is as the tables say, 1 "
             "when\n"
             "something is not even now, 5 when the broker is not reachable, 7 when it refuses: "
             "what is\n"
             "there is of another kind, or the broker another suite's.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

static void print_text(const char *what, const struct topology_verdict *verdict)
{
    if (!verdict->looked)
        printf("%s: bindings not checked, %s\n", what, verdict->reason);
    for (size_t i = 0; i < topology_kept(verdict); i++)
        printf("%s: %s\n", what, verdict->findings[i].text);
    if (verdict->count > topology_kept(verdict))
        printf("%s: and %zu more\n", what, verdict->count - topology_kept(verdict));
}

static void print_json(const struct topology_verdict *before, const struct topology_verdict *after)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "before", bindings_json(before));
    cJSON_AddItemToObject(json, "after", bindings_json(after));
    char *text = cJSON_Print(json);
    puts(text);
    free(text);
    cJSON_Delete(json);
}

/* NOT_FOUND: a log that is lost; all else is declared. */
static int exit_code(enum result result)
{
    return result == REFUSED || result == CONFLICT ? CLI_REFUSED
           : result == NOT_FOUND                   ? CLI_WRONG
                                                   : CLI_UNREACHABLE;
}

static void tell(const char *text)
{
    if (text[0])
        fprintf(stderr, "warren deploy: warning: %s\n", text);
}

static int print_rights(void)
{
    struct buf page = {0};
    rights_page(&page);
    fputs(page.data, stdout);
    buf_release(&page);
    return CLI_DONE;
}

int main(int argc, char **argv)
{
    struct err err = {""};
    struct topology_verdict before, after;
    if (options_parse(&options, argc, argv) != argc) {
        fprintf(stderr, "warren deploy: unexpected argument\nTry 'warren deploy --help'.\n");
        return CLI_USAGE;
    }
    if (arguments.rights)
        return print_rights();
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    struct http *http = http_new();
    bindings_look(http, &suite, &before);
    struct topology_told told;
    enum result result = topology_deploy_again(&suite, &told, &err);
    if (result != OK) {
        const char *advice = refusal_advice(err.text);
        fprintf(stderr, "warren deploy: %s\n", err.text);
        if (result == REFUSED && advice[0])
            fprintf(stderr, "  %s; see " REFUSAL_PAGE "\n", advice);
        http_free(http);
        return exit_code(result);
    }
    bindings_look(http, &suite, &after);
    (void)!bindings_record(&suite, &after, NULL); /* the services need not wait for the watcher */
    http_free(http);
    tell(told.identity);
    tell(told.rights);
    if (arguments.json) {
        print_json(&before, &after);
    } else {
        print_text("was", &before);
        print_text("is", &after);
        printf("exchanges, queues and bindings are declared\n");
    }
    return after.wrong > 0 ? CLI_WRONG : CLI_DONE;
}
