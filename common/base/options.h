/* Command-line options from one table: a flag over an environment variable over a default; the same
 * table prints --help. Every program answers --help and --version. An empty value is refused, on the
 * line and in the environment. */
#ifndef WARREN_BASE_OPTIONS_H
#define WARREN_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

enum option_kind {
    OPTION_TEXT,   /* const char ** */
    OPTION_INT,    /* int64_t *, within [min, max] */
    OPTION_FLAG,   /* bool *, takes no value */
    OPTION_REPEAT, /* struct option_list *, may be given several times */
};

struct option_list {
    const char *items[64];
    size_t count;
};

struct option {
    const char *name;        /* "base-port" */
    const char *environment; /* "WARREN_BASE_PORT", or NULL */
    enum option_kind kind;
    void *value;         /* holds the default beforehand */
    const char *metavar; /* "N", NULL for a flag */
    const char *help;
    int64_t min, max; /* OPTION_INT; both 0: any */
};

struct options {
    const char *program;  /* "warren order" */
    const char *synopsis; /* "--customer NAME --line SKU=QTY ..." */
    const char *about;    /* a sentence or two */
    const struct option *table;
    size_t count;
};

enum { EXIT_USAGE = 2 };

/* Reads argv. On --help and --version prints to stdout and exits 0; on a bad option prints one line
 * and a hint to stderr and exits EXIT_USAGE. Returns the index of the first operand in argv. */
int options_parse(const struct options *options, int argc, char **argv);

/* The same without printing or exiting: INVALID says what is wrong; --help is no option here. */
enum result options_read(const struct options *options, int argc, char **argv, int *ret_operand,
                         struct err *err) WARN_UNUSED;

#endif
