#include "cli/bearer.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cli/files.h"
#include "common/store/stores_made.h"

/* Enough to keep a slip of the hand out; whether mail arrives, only mail can tell. */
static enum result check_email(const char *email, struct err *err)
{
    const char *at = strchr(email, '@');
    bool fine = at && at != email && at[1] != '\0' && strlen(email) < 255;
    for (const char *c = email; *c && fine; c++)
        fine = *c > ' ' && *c < 0x7f && !strchr("<>()\"\\,;:", *c);
    return fine ? OK : err_set(err, INVALID, "'%s' is not a mail address", email);
}

static enum result issue_once(struct store *store, const char *name, const char *email,
                              enum scope scope, int64_t valid_ms, char bearer[BEARER_SIZE],
                              struct err *err)
{
    struct id customer = {""};
    const struct clock *clock = clock_system();
    enum result result =
        store_migrate(store, "accounts", accounts_migrations, accounts_migration_count, err);
    if (result == OK && name)
        result = accounts_customer(store, clock, name, &customer, err);
    if (result == OK && name && email)
        result = accounts_set_email(store, &customer, email, err);
    if (result == OK)
        result =
            accounts_issue(store, clock, name ? &customer : NULL, scope, valid_ms, bearer, err);
    return result;
}

/* Somebody else may be writing: then again, for two seconds. */
struct patience {
    int tries;
};

static bool once_more(struct patience *patience, enum result result)
{
    enum { TRIES = 100, PAUSE_MS = 20 };
    if (result != RETRY || patience->tries++ == TRIES)
        return false;
    if (patience->tries > 1)
        poll(NULL, 0, PAUSE_MS);
    return true;
}

static enum result open_accounts(const struct suite *suite, struct store **ret_store,
                                 struct err *err)
{
    if (access(suite->home, F_OK) != 0)
        return err_set(err, NOT_FOUND, "there is no suite in %s (warren up makes one)",
                       suite->home);
    enum result result = stores_made_check(suite->home, "store/accounts.db", err);
    if (result == OK)
        result = directory_make(suite_path(suite, "store").text, err);
    if (result != OK)
        return result;
    return store_open_sqlite(suite_path(suite, "store/accounts.db").text, STORE_DURABLE, ret_store,
                             err);
}

enum result bearer_issue(const struct suite *suite, const char *name, const char *email,
                         enum scope scope, int64_t valid_ms, char bearer[BEARER_SIZE],
                         struct err *err)
{
    struct store *store = NULL;
    struct patience patience = {0};
    enum result result = email ? check_email(email, err) : OK;
    if (result == OK)
        result = open_accounts(suite, &store, err);
    if (result != OK)
        return result;
    result = RETRY;
    while (once_more(&patience, result))
        result = issue_once(store, name, email, scope, valid_ms, bearer, err);
    store_free(store);
    return result;
}

enum result bearer_customer(const struct suite *suite, const char *name, struct id *ret_customer,
                            struct err *err)
{
    struct store *store = NULL;
    struct patience patience = {0};
    enum result result = open_accounts(suite, &store, err);
    if (result != OK)
        return result;
    result = RETRY;
    while (once_more(&patience, result)) {
        result =
            store_migrate(store, "accounts", accounts_migrations, accounts_migration_count, err);
        if (result == OK)
            result = accounts_customer(store, clock_system(), name, ret_customer, err);
    }
    store_free(store);
    return result;
}
