/* The accounts store: customers and bearer tokens, shared by all edges and not disposable. Tokens
 * are opaque, random (256 bits) and stored only as SHA-256. The command line writes, edges read. */
#ifndef WARREN_ACCOUNTS_ACCOUNTS_H
#define WARREN_ACCOUNTS_ACCOUNTS_H

#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/store/store.h"

enum role { ROLE_NOBODY, ROLE_CUSTOMER, ROLE_ADMIN };

/* What a token is good for besides. */
enum scope {
    SCOPE_NONE,
    SCOPE_LOAD, /* its requests are not counted against the edge's rates: for load tests */
};

struct account {
    enum role role;
    struct id customer; /* opaque; "" for an admin */
    int64_t expires_ms; /* epoch */
    enum scope scope;
};

/* "wt_" and 64 hexadecimal digits. */
#define BEARER_SIZE 68

extern const struct migration accounts_migrations[];
extern const size_t accounts_migration_count;

/* The customer of that name, made when there is none (name: 1..64 characters of [a-z0-9._-],
 * INVALID otherwise). */
enum result accounts_customer(struct store *store, const struct clock *clock, const char *name,
                              struct id *ret_customer, struct err *err) WARN_UNUSED;
/* Sets the customer's mail address; NULL clears it. */
enum result accounts_set_email(struct store *store, const struct id *customer, const char *email,
                               struct err *err) WARN_UNUSED;
/* NOT_FOUND: no such customer, or no address. */
enum result accounts_email(struct store *store, const char *customer, char *email, size_t size,
                           struct err *err) WARN_UNUSED;
/* A new token; the text exists only here. `customer` NULL for an admin. */
enum result accounts_issue(struct store *store, const struct clock *clock,
                           const struct id *customer, enum scope scope, int64_t valid_ms,
                           char bearer[BEARER_SIZE], struct err *err) WARN_UNUSED;
/* Who holds this token; NOT_FOUND: nobody, or it has expired. The comparison is of hashes. */
enum result accounts_authenticate(struct store *store, int64_t now_ms, const char *bearer,
                                  struct account *ret_account, struct err *err) WARN_UNUSED;

#endif
