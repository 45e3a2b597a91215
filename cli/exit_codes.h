/* How every `warren` program exits. Scripts rely on these numbers. */
#ifndef WARREN_CLI_EXIT_CODES_H
#define WARREN_CLI_EXIT_CODES_H

enum cli_exit {
    CLI_DONE = 0,        /* as expected */
    CLI_WRONG = 1,       /* checked and found wrong */
    CLI_USAGE = 2,       /* the command line itself */
    CLI_OTHERWISE = 3,   /* settled otherwise than confirmed */
    CLI_UNKNOWN = 4,     /* timed out: the outcome is not known */
    CLI_UNREACHABLE = 5, /* suite or broker not there, or a source could not be read */
    CLI_MACHINE = 6,     /* port, package, disk, rights */
    CLI_REFUSED = 7,     /* 4xx, 503: nothing was done */
};

#endif
