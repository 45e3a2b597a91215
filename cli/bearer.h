/* Customers and their bearer tokens, made by the command line in the suite's accounts store. */
#ifndef WARREN_CLI_BEARER_H
#define WARREN_CLI_BEARER_H

#include <stdint.h>

#include "cli/suite.h"
#include "common/accounts/accounts.h"

enum { BEARER_SHORT_MS = 60 * 60 * 1000 };

/* A new token for the customer of that name, who is made when there is none; `name` NULL: for an
 * admin. `email` NULL leaves the address as it is. INVALID: the name or the address.
 * NOT_FOUND: there is no such home. */
enum result bearer_issue(const struct suite *suite, const char *name, const char *email,
                         enum scope scope, int64_t valid_ms, char bearer[BEARER_SIZE],
                         struct err *err) WARN_UNUSED;
/* The id of the customer of that name, who is made when there is none. */
enum result bearer_customer(const struct suite *suite, const char *name, struct id *ret_customer,
                            struct err *err) WARN_UNUSED;

#endif
