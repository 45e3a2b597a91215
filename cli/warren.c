/* warren SUB ARGUMENTS: runs warren-SUB from where the suite's programs are. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit_codes.h"
#include "cli/suite.h"

static const struct {
    const char *name;
    const char *about;
} commands[] = {
    {"up", "start a suite; returns when every part is ready"},
    {"down", "stop it"},
    {"status", "what runs, how full the queues are"},
    {"deploy", "declare at the broker what is missing there"},
    {"token", "print a bearer token for a customer or an admin"},
    {"guest", "let somebody else's program hear facts, or say its own"},
    {"order", "place an order and watch what happens to it"},
    {"cancel", "cancel an order"},
    {"demo", "a short day in the shop, checked"},
    {"audit", "prove the promises from stores, ledger and log"},
    {"quarantine", "what could not be handled: list, show, redrive, drop"},
    {"retell", "have the services say again what they know of an order"},
    {"load", "orders at a rate fixed in advance, and a report on them"},
    {"chaos", "orders while everything is killed and stopped, then the audit"},
};

static void print_help(FILE *out)
{
    fputs("Usage: warren COMMAND [ARGUMENTS]\n\n"
          "An event-driven shop on RabbitMQ.\n\nCommands:\n",
          out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].about);
    fputs("\n'warren COMMAND --help' tells more. All take --home DIR (WARREN_HOME) and\n"
          "--base-port N (WARREN_BASE_PORT): a suite is one directory and 100 ports.\n"
          "  --help     print this and exit\n"
          "  --version  print the version and exit\n",
          out);
}

static bool is_command_name(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return size > 0 && size < 40 && name[size] == '\0' && name[0] != '-';
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return CLI_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("warren (%s) %s\n", PACKAGE_NAME, PACKAGE_VERSION);
        return CLI_DONE;
    }
    char program[64];
    struct suite_path path;
    snprintf(program, sizeof program, "warren-%.40s", argv[1]);
    if (!is_command_name(argv[1]) || suite_program(program, &path, NULL) != OK) {
        fprintf(stderr, "warren: there is no command '%s'\nTry 'warren --help'.\n", argv[1]);
        return CLI_USAGE;
    }
    argv[1] = program;
    execv(path.text, argv + 1);
    fprintf(stderr, "warren: %s: %s\n", path.text, strerror(errno));
    return CLI_MACHINE;
}
