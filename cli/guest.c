/* warren guest: somebody else's program at the bus, with just the rights that it is given. */
#include <stdio.h>
#include <string.h>

#include "cli/broker.h"
#include "cli/exit_codes.h"
#include "cli/guest_broker.h"
#include "cli/guests.h"
#include "cli/supervisor.h"
#include "cli/topology.h"
#include "common/base/options.h"
#include "common/base/text.h"

static struct {
    struct suite_options where;
    struct option_list hear, say;
    bool remove;
} arguments;

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "hear",
     .kind = OPTION_REPEAT,
     .value = &arguments.hear,
     .metavar = "KEY",
     .help = "facts that it may bind queues to: 'order.*', 'payment.captured', '#'"},
    {.name = "say",
     .kind = OPTION_REPEAT,
     .value = &arguments.say,
     .metavar = "KEY",
     .help = "facts that it may publish: 'neighbour.*' or narrower"},
    {.name = "remove",
     .kind = OPTION_FLAG,
     .value = &arguments.remove,
     .help = "take its users and its queues away"},
};

static const struct options options = {
    .program = "warren guest",
    .synopsis = "[NAME [--hear KEY ...] [--say KEY ...] | NAME --remove]",
    .about =
        "Makes broker users for somebody else's program, who may do just that, and prints the\n"
        "files with their URLs: first of the one who hears, then of the one who says. The same\n"
        "again changes what it may do. Without any KEY it prints the files, without NAME all\n"
        "guests. docs/join.md tells the rest.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

static enum cli_exit fail(enum cli_exit code, const struct err *err)
{
    fprintf(stderr, "warren guest: %s\n", err->text);
    return code;
}

static enum cli_exit usage(const struct err *err)
{
    (void)fail(CLI_USAGE, err);
    fprintf(stderr, "Try 'warren guest --help'.\n");
    return CLI_USAGE;
}

static void print_files(const struct suite *suite, const struct guest *guest)
{
    for (int side = GUEST_HEARS; side <= GUEST_SAYS; side++)
        if (guest_is(guest, (enum guest_side)side))
            puts(guest_url_file(suite, guest->name, (enum guest_side)side).text);
}

static void print_keys(const char *verb, const struct guest_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        printf("%s%s", i > 0 ? ", " : verb, keys->keys[i]);
}

static enum result print_guest(void *context, const struct guest *guest, struct err *err)
{
    (void)context, (void)err;
    printf("%-16s", guest->name);
    print_keys(" hears ", &guest->hear);
    print_keys(guest->hear.count > 0 ? "; says " : " says ", &guest->say);
    putchar('\n');
    return OK;
}

static enum cli_exit list(const struct suite *suite)
{
    struct err err = {""};
    enum result result = guests_each(suite, print_guest, NULL, &err);
    return result == OK ? CLI_DONE : fail(CLI_MACHINE, &err);
}

static enum cli_exit show(const struct suite *suite, const char *name)
{
    struct guest guest;
    struct err err = {""};
    enum result result = guest_load(suite, name, &guest, &err);
    if (result == NOT_FOUND) {
        err_set(&err, INVALID, "there is no guest %s; say what it may: --hear KEY, --say KEY",
                name);
        return usage(&err);
    }
    if (result != OK)
        return fail(CLI_MACHINE, &err);
    print_files(suite, &guest);
    return CLI_DONE;
}

static enum result read_rights(struct guest *guest, struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; i < arguments.hear.count && result == OK; i++)
        result = guest_hear(guest, arguments.hear.items[i], err);
    for (size_t i = 0; i < arguments.say.count && result == OK; i++)
        result = guest_say(guest, arguments.say.items[i], err);
    return result;
}

/* Only at a broker of the suite's own may the suite make users. */
static enum cli_exit check_broker(struct http *http, const struct suite *suite)
{
    char url[1024];
    struct err err = {""};
    struct supervisor_list list;
    broker_external_url(suite, url, sizeof url);
    if (url[0]) {
        err_set(&err, REFUSED,
                "the broker is not the suite's own: who owns it makes the user, see docs/join.md");
        return fail(CLI_REFUSED, &err);
    }
    if (supervisor_list(http, suite, &list, &err) == OK)
        return CLI_DONE;
    err_set(&err, RETRY, "no suite runs in %s: 'warren up' first", suite->home);
    return fail(CLI_UNREACHABLE, &err);
}

static enum result rewrite(const struct suite *suite, struct err *err)
{
    return broker_write_definitions(suite, clock_system(), topology_tables, topology_count, err);
}

/* Less is taken away first: cut short, it leaves a guest that may too little, and the same again mends
 * it. */
static enum result admit(struct http *http, const struct suite *suite, const struct guest *guest,
                         struct err *err)
{
    struct guest before;
    enum result result = guest_load(suite, guest->name, &before, err);
    if (result == OK && !guest_same_rights(&before, guest))
        result = guest_dismiss(suite, guest->name, &before, err);
    if (result == NOT_FOUND)
        result = OK;
    if (result == OK)
        result = guest_clear(http, suite, guest, err);
    if (result == OK)
        result = guest_save(suite, clock_system(), guest, err);
    if (result == OK)
        result = guest_admit(suite, clock_system(), guest, err);
    return result == OK ? rewrite(suite, err) : result;
}

/* First from what a broker that is started again would load. Whoever is not known is dismissed all the
 * same, for this may have been cut short. */
static enum result dismiss(struct http *http, const struct suite *suite, const char *name,
                           struct err *err)
{
    struct guest guest;
    bool known = guest_load(suite, name, &guest, NULL) == OK;
    enum result result = guest_forget(suite, name, err);
    if (result == OK)
        result = rewrite(suite, err);
    if (result == OK)
        result = guest_dismiss(suite, name, known ? &guest : NULL, err);
    return result == OK ? guest_clear_all(http, suite, name, err) : result;
}

static enum cli_exit change(const struct suite *suite, const struct guest *guest)
{
    struct err err = {""};
    struct http *http = http_new();
    enum cli_exit code = check_broker(http, suite);
    if (code == CLI_DONE) {
        enum result result = arguments.remove ? dismiss(http, suite, guest->name, &err)
                                              : admit(http, suite, guest, &err);
        if (result != OK)
            code = fail(result == FATAL ? CLI_MACHINE : CLI_UNREACHABLE, &err);
        else if (!arguments.remove)
            print_files(suite, guest);
    }
    http_free(http);
    return code;
}

int main(int argc, char **argv)
{
    struct err err = {""};
    struct guest guest = {.name = ""};
    int first =
        argc > 1 && argv[1][0] != '-' ? 2 : 1; /* of the options; the name may be before them */
    int operand = options_parse(&options, argc - first + 1, argv + first - 1) + first - 1;
    const char *name = first == 2 ? argv[1] : operand < argc ? argv[operand++] : NULL;
    bool rights = arguments.hear.count + arguments.say.count > 0;
    if (operand < argc)
        err_set(&err, INVALID, "unexpected argument '%.64s'", argv[operand]);
    else if (name && !guest_name_valid(name))
        err_set(&err, INVALID,
                "'%.64s' is no name: a letter, then letters, digits and hyphens, all "
                "lower-case, 32 at most",
                name);
    else if (!name && (rights || arguments.remove))
        err_set(&err, INVALID, "say who: NAME");
    else if (rights && arguments.remove)
        err_set(&err, INVALID, "either --remove or what it may");
    else
        (void)!read_rights(&guest, &err);
    if (err.text[0])
        return usage(&err);
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    if (!name)
        return list(&suite);
    text_copy(guest.name, sizeof guest.name, name);
    if (rights || arguments.remove)
        return change(&suite, &guest);
    return show(&suite, name);
}
