/* What the kernel tells about processes, read from /proc. Every process of a suite carries the mark
 * WARREN_SUITE=HOME in its environment, so that a suite finds what is its own by pid and never by
 * the name of a program that others run too. */
#ifndef WARREN_CLI_PROCESS_H
#define WARREN_CLI_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/suite.h"

#define PROCESS_MARK "WARREN_SUITE"

struct process_entry {
    pid_t pid;
    char name[32]; /* the program's short name */
};

/* The processes that carry this suite's mark, as many as fit; returns how many. Zombies are gone. */
size_t process_of_suite(const struct suite *suite, struct process_entry *entries, size_t max);

/* Resident memory; 0 when the process is gone. */
int64_t process_rss_bytes(pid_t pid);

/* Whether somebody listens on this TCP port of the loopback address, and who: pid 0 when this user
 * may not see it. */
bool process_listens(int port, struct process_entry *ret_entry);

#endif
