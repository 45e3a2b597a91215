#include "common/accounts/accounts.h"

#include <stdio.h>
#include <string.h>

#include "common/base/digest.h"

const struct migration accounts_migrations[] = {
    {1, "CREATE TABLE customer(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, email TEXT);"
        "CREATE TABLE token(hash TEXT PRIMARY KEY, customer TEXT, role INTEGER NOT NULL, "
        "expires_ms INTEGER NOT NULL)"},
    {2, "ALTER TABLE token ADD COLUMN scope TEXT NOT NULL DEFAULT ''"},
};
const size_t accounts_migration_count = 2;

static enum result copy_id(void *context, const struct store_row *row, struct err *err)
{
    struct id *id = context;
    (void)err;
    store_row_copy(row, 0, id->text, sizeof id->text);
    return OK;
}

static enum result check_name(const char *name, struct err *err)
{
    size_t length = strlen(name);
    if (length < 1 || length > 64 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != length)
        return err_set(err, INVALID, "a customer's name is 1 to 64 of a-z, 0-9, '.', '_' and '-'");
    return OK;
}

static enum result find_or_make(struct store *store, const struct clock *clock, const char *name,
                                struct id *ret_customer, struct err *err)
{
    struct id id = id_new(clock);
    enum result result = store_exec(
        store, "INSERT INTO customer(id, name) VALUES ($1, $2) ON CONFLICT(name) DO NOTHING",
        STORE_ARGS(store_text(id.text), store_text(name)), NULL, err);
    if (result == OK)
        result = store_query_one(store, "SELECT id FROM customer WHERE name = $1",
                                 STORE_ARGS(store_text(name)), copy_id, ret_customer, err);
    return result;
}

/* Ends the transaction either way. */
static enum result finish(struct store *store, enum result result, const char *what,
                          struct err *err)
{
    if (result == OK)
        result = store_commit(store, err);
    else
        store_rollback(store);
    return result == OK ? OK : err_context(err, result, "accounts: %s", what);
}

enum result accounts_customer(struct store *store, const struct clock *clock, const char *name,
                              struct id *ret_customer, struct err *err)
{
    enum result result = check_name(name, err);
    if (result == OK)
        result = store_begin(store, err);
    if (result != OK)
        return result;
    return finish(store, find_or_make(store, clock, name, ret_customer, err), name, err);
}

enum result accounts_set_email(struct store *store, const struct id *customer, const char *email,
                               struct err *err)
{
    int64_t changed = 0;
    enum result result = store_begin(store, err);
    if (result != OK)
        return result;
    result = store_exec(store, "UPDATE customer SET email = $2 WHERE id = $1",
                        STORE_ARGS(store_text(customer->text), store_text(email)), &changed, err);
    if (result == OK && changed == 0)
        result = err_set(err, NOT_FOUND, "no such customer");
    return finish(store, result, "email", err);
}

struct text_out {
    char *text;
    size_t size;
};

static enum result copy_text(void *context, const struct store_row *row, struct err *err)
{
    struct text_out *out = context;
    (void)err;
    store_row_copy(row, 0, out->text, out->size);
    return OK;
}

enum result accounts_email(struct store *store, const char *customer, char *email, size_t size,
                           struct err *err)
{
    struct text_out out = {email, size};
    return store_query_one(store, "SELECT email FROM customer WHERE id = $1 AND email IS NOT NULL",
                           STORE_ARGS(store_text(customer)), copy_text, &out, err);
}

enum result accounts_issue(struct store *store, const struct clock *clock,
                           const struct id *customer, enum scope scope, int64_t valid_ms,
                           char bearer[BEARER_SIZE], struct err *err)
{
    uint64_t random[4];
    char hash[SHA256_HEX_SIZE];
    for (int i = 0; i < 4; i++)
        random[i] = clock_random64(clock);
    memcpy(bearer, "wt_", 3);
    hex_encode(random, sizeof random, bearer + 3);
    sha256_hex(bearer, strlen(bearer), hash);
    enum result result = store_begin(store, err);
    if (result != OK)
        return result;
    result = store_exec(
        store,
        "INSERT INTO token(hash, customer, role, expires_ms, scope) VALUES ($1, $2, $3, $4, $5)",
        STORE_ARGS(store_text(hash), store_text(customer ? customer->text : NULL),
                   store_int(customer ? ROLE_CUSTOMER : ROLE_ADMIN),
                   store_int(clock_wall_ms(clock) + valid_ms),
                   store_text(scope == SCOPE_LOAD ? "load" : "")),
        NULL, err);
    return finish(store, result, "token", err);
}

static enum result copy_account(void *context, const struct store_row *row, struct err *err)
{
    struct account *account = context;
    (void)err;
    account->role = (enum role)store_row_int(row, 0);
    store_row_copy(row, 1, account->customer.text, sizeof account->customer.text);
    account->expires_ms = store_row_int(row, 2);
    char scope[8];
    store_row_copy(row, 3, scope, sizeof scope);
    account->scope = strcmp(scope, "load") == 0 ? SCOPE_LOAD : SCOPE_NONE;
    return OK;
}

enum result accounts_authenticate(struct store *store, int64_t now_ms, const char *bearer,
                                  struct account *ret_account, struct err *err)
{
    /* Looking up the hash leaks nothing about the token: who can time the index learns only of hashes. */
    char hash[SHA256_HEX_SIZE];
    struct account account = {0};
    size_t length = strlen(bearer);
    if (length != BEARER_SIZE - 1)
        return err_set(err, NOT_FOUND, "not a token");
    sha256_hex(bearer, length, hash);
    enum result result = store_query_one(
        store,
        "SELECT role, customer, expires_ms, scope FROM token WHERE hash = $1 "
        "AND expires_ms > $2",
        STORE_ARGS(store_text(hash), store_int(now_ms)), copy_account, &account, err);
    if (result == OK)
        *ret_account = account;
    return result;
}
