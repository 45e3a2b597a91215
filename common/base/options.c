#include "common/base/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static bool in_bounds(const struct option *option, int64_t number)
{
    bool bounded = option->min != 0 || option->max != 0;
    return !bounded || (number >= option->min && number <= option->max);
}

static enum result int_set(const struct option *option, const char *text, struct err *err)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        return err_set(err, INVALID, "--%s: '%s' is not a whole number", option->name, text);
    if (!in_bounds(option, number))
        return err_set(err, INVALID, "--%s: must be between %" PRId64 " and %" PRId64, option->name,
                       option->min, option->max);
    *(int64_t *)option->value = number;
    return OK;
}

/* Nothing is no value: it is what "$HOME_OF_MINE" gives where nobody has set it, and the default would
 * be another suite than the one that was meant. */
static enum result option_set(const struct option *option, const char *text, struct err *err)
{
    if (option->kind != OPTION_FLAG && option->kind != OPTION_INT && !*text)
        return err_set(err, INVALID, "--%s: must not be empty", option->name);
    switch (option->kind) {
    case OPTION_TEXT:
        *(const char **)option->value = text;
        return OK;
    case OPTION_INT:
        return int_set(option, text, err);
    case OPTION_FLAG:
        *(bool *)option->value = true;
        return OK;
    case OPTION_REPEAT:
        break;
    }
    struct option_list *list = option->value;
    if (list->count == sizeof list->items / sizeof list->items[0])
        return err_set(err, INVALID, "--%s: given too often", option->name);
    list->items[list->count++] = text;
    return OK;
}

static enum result environment_read(const struct options *options, struct err *err)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct option *option = &options->table[i];
        const char *text = option->environment ? getenv(option->environment) : NULL;
        if (!text || (option->kind == OPTION_FLAG && (!*text || strcmp(text, "0") == 0)))
            continue;
        enum result result = option_set(option, text, err);
        if (result != OK)
            return err_context(err, result, "%s", option->environment);
    }
    return OK;
}

static const struct option *option_find(const struct options *options, const char *name,
                                        size_t size)
{
    for (size_t i = 0; i < options->count; i++) {
        const char *known = options->table[i].name;
        if (strlen(known) == size && memcmp(known, name, size) == 0)
            return &options->table[i];
    }
    return NULL;
}

enum result options_read(const struct options *options, int argc, char **argv, int *ret_operand,
                         struct err *err)
{
    enum result result = environment_read(options, err);
    int i = 1;
    while (result == OK && i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
        const char *text = argv[i++];
        if (strcmp(text, "--") == 0)
            break;
        size_t size = strncmp(text, "--", 2) == 0 ? strcspn(text + 2, "=") : 0;
        const struct option *option = size > 0 ? option_find(options, text + 2, size) : NULL;
        if (!option)
            return err_set(err, INVALID, "there is no option '%s'", text);
        const char *value = text[2 + size] == '=' ? text + 2 + size + 1 : NULL;
        if (option->kind == OPTION_FLAG && value)
            return err_set(err, INVALID, "--%s takes no value", option->name);
        if (option->kind != OPTION_FLAG && !value) {
            if (i == argc)
                return err_set(err, INVALID, "--%s needs a value", option->name);
            value = argv[i++];
        }
        result = option_set(option, value, err);
    }
    if (result == OK)
        *ret_operand = i;
    return result;
}

/* A number that could not be given is "not given", which the help explains where it is not plain. */
static void default_print(const struct option *option)
{
    const char *text = NULL;
    if (strstr(option->help, "(default"))
        return;
    if (option->kind == OPTION_TEXT)
        text = *(const char **)option->value;
    if (option->kind == OPTION_INT && in_bounds(option, *(int64_t *)option->value))
        printf(" (default %" PRId64 ")", *(int64_t *)option->value);
    if (text && *text)
        printf(" (default %s)", text);
}

static void option_print(const struct option *option)
{
    char flag[64];
    snprintf(flag, sizeof flag, "--%s%s%s", option->name, option->metavar ? " " : "",
             option->metavar ? option->metavar : "");
    printf("  %-22s %s", flag, option->help);
    default_print(option);
    if (option->environment)
        printf(" [%s]", option->environment);
    putchar('\n');
}

static void help_print(const struct options *options)
{
    printf("Usage: %s %s\n\n%s\n\nOptions:\n", options->program, options->synopsis, options->about);
    for (size_t i = 0; i < options->count; i++)
        option_print(&options->table[i]);
    printf("  %-22s %s\n  %-22s %s\n", "--help", "print this and exit", "--version",
           "print the version and exit");
}

/* Wherever they stand among the options: the rest of the line need not be right. */
static void help_answer(const struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            help_print(options);
            exit(0);
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("%s (warren) %s\n", options->program, PACKAGE_VERSION);
            exit(0);
        }
        const struct option *option = strncmp(argv[i], "--", 2) == 0
                                          ? option_find(options, argv[i] + 2, strlen(argv[i] + 2))
                                          : NULL;
        if (option && option->kind != OPTION_FLAG)
            i++;
    }
}

int options_parse(const struct options *options, int argc, char **argv)
{
    struct err err = {""};
    int operand = argc;
    help_answer(options, argc, argv);
    if (options_read(options, argc, argv, &operand, &err) != OK) {
        fprintf(stderr, "%s: %s\nTry '%s --help'.\n", options->program, err.text, options->program);
        exit(EXIT_USAGE);
    }
    return operand;
}
