/* warren cancel: asks for an order's end and tells how it went. */
#include <stdio.h>
#include <string.h>

#include "cli/exit_codes.h"
#include "cli/follow.h"
#include "common/base/options.h"

static struct {
    struct suite_options where;
    const char *customer;
    int64_t timeout_s;
} arguments = {.timeout_s = 60};

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "customer",
     .kind = OPTION_TEXT,
     .value = &arguments.customer,
     .metavar = "NAME",
     .help = "whose order it is"},
    {.name = "timeout",
     .kind = OPTION_INT,
     .value = &arguments.timeout_s,
     .metavar = "SECONDS",
     .help = "how long to wait for the end",
     .min = 1,
     .max = 3600},
};

static const struct options options = {
    .program = "warren cancel",
    .synopsis = "--customer NAME ORDER-ID",
    .about = "Cancels an order and follows it to its end: if it was paid, the money goes back. "
             "Exits 0 cancelled, 3 settled otherwise, 4 not known in time, 5 nobody there, 7 "
             "refused.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

static enum cli_exit run(struct shop *shop, const struct id *order, struct err *err)
{
    struct follow follow;
    enum result result = shop_cancel(shop, order, err);
    if (result != OK)
        return result == REFUSED ? CLI_REFUSED : result == UNKNOWN ? CLI_UNKNOWN : CLI_UNREACHABLE;
    follow_begin(&follow, shop, order, clock_wall_ms(clock_system()), NULL);
    result = follow_until(&follow, FOLLOW_CANCELLED, arguments.timeout_s * 1000, err);
    enum cli_exit status = result == OK ? CLI_OTHERWISE : CLI_UNKNOWN;
    if (result == OK && strcmp(follow.status, "cancelled") == 0)
        status = CLI_DONE;
    if (result == OK)
        printf("%s%s%s%s\n", follow.status, follow.reason[0] ? ": " : "", follow.reason,
               follow.refunded > 0 ? ", the money went back" : "");
    follow_release(&follow);
    return status;
}

int main(int argc, char **argv)
{
    struct err err = {""};
    struct shop shop;
    struct id order = {""};
    int operand = options_parse(&options, argc, argv);
    if (operand != argc - 1 || !arguments.customer || !id_valid(argv[operand])) {
        fprintf(stderr, "warren cancel: say --customer NAME and an order id\n"
                        "Try 'warren cancel --help'.\n");
        return CLI_USAGE;
    }
    snprintf(order.text, sizeof order.text, "%s", argv[operand]);
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    struct http *http = http_new();
    enum result result = shop_open(&shop, http, &suite, arguments.customer, NULL, &err);
    enum cli_exit status = result == OK        ? run(&shop, &order, &err)
                           : result == INVALID ? CLI_USAGE
                                               : CLI_MACHINE;
    shop_close(&shop);
    http_free(http);
    if (status != CLI_DONE && status != CLI_OTHERWISE && err.text[0])
        fprintf(stderr, "warren cancel: %s\n", err.text);
    return (int)status;
}
