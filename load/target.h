/* Whom a run loads: a suite, or some server that speaks like an edge; and as which customers. */
#ifndef WARREN_LOAD_TARGET_H
#define WARREN_LOAD_TARGET_H

#include <stdbool.h>

#include "cli/bearer.h"
#include "load/drive.h"
#include "load/settings.h"

struct target_customers {
    size_t count;
    char bearers[DRIVE_CUSTOMERS_MAX][BEARER_SIZE];
    struct id ids[DRIVE_CUSTOMERS_MAX];           /* of a suite only */
    struct order_key newest[DRIVE_CUSTOMERS_MAX]; /* of another server only */
};

struct load_target {
    bool is_suite;
    struct suite suite;
    char url[SUITE_PATH_SIZE];
    char run[16]; /* of this run alone: in keys and names of customers */
    struct target_customers customers;
};

/* Its edge has to be ready. Its customers are new ones of this run alone, so that an order of
 * theirs that no key explains is found. RETRY: not there, or its edge is not ready; INVALID, FATAL: a file. */
enum result target_open(const struct settings *settings, struct load_target *ret_target,
                        struct err *err) WARN_UNUSED;

#endif
