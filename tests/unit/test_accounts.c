/* Customers and tokens. */
#include <string.h>

#include "common/accounts/accounts.h"
#include "tests/unit/unit.h"

static struct manual_clock manual;
static struct store *store;
static struct err err;

static void start(void)
{
    manual_clock_init(&manual, 1000000, 7);
    CU_ASSERT_EQUAL_FATAL(store_open_sqlite("memdb:/accounts", STORE_DURABLE, &store, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        store_migrate(store, "accounts", accounts_migrations, accounts_migration_count, &err), OK);
}

static void a_name_is_one_customer(void)
{
    struct id first, again, other;
    start();
    CU_ASSERT_EQUAL(accounts_customer(store, &manual.clock, "alice", &first, &err), OK);
    CU_ASSERT_EQUAL(accounts_customer(store, &manual.clock, "alice", &again, &err), OK);
    CU_ASSERT_EQUAL(accounts_customer(store, &manual.clock, "bob", &other, &err), OK);
    CU_ASSERT_STRING_EQUAL(first.text, again.text);
    CU_ASSERT_STRING_NOT_EQUAL(first.text, other.text);
    static const char *const bad[] = {"", "Alice", "a b", "a'b", "a\nb", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(accounts_customer(store, &manual.clock, bad[i], &other, &err), INVALID);
    store_free(store);
}

static void a_token_names_its_holder_until_it_expires(void)
{
    struct id alice;
    struct account account;
    char customers[BEARER_SIZE], admins[BEARER_SIZE];
    start();
    CU_ASSERT_EQUAL(accounts_customer(store, &manual.clock, "alice", &alice, &err), OK);
    CU_ASSERT_EQUAL(accounts_issue(store, &manual.clock, &alice, SCOPE_LOAD, 5000, customers, &err),
                    OK);
    CU_ASSERT_EQUAL(accounts_issue(store, &manual.clock, NULL, SCOPE_NONE, 5000, admins, &err), OK);
    CU_ASSERT_EQUAL(strlen(customers), BEARER_SIZE - 1);
    int64_t now_ms = manual.wall_ms;
    CU_ASSERT_EQUAL(accounts_authenticate(store, now_ms, customers, &account, &err), OK);
    CU_ASSERT_EQUAL(account.role, ROLE_CUSTOMER);
    CU_ASSERT_STRING_EQUAL(account.customer.text, alice.text);
    CU_ASSERT_EQUAL(account.scope, SCOPE_LOAD);
    CU_ASSERT_EQUAL(accounts_authenticate(store, now_ms, admins, &account, &err), OK);
    CU_ASSERT_EQUAL(account.role, ROLE_ADMIN);
    CU_ASSERT_EQUAL(account.scope, SCOPE_NONE);
    CU_ASSERT_STRING_EQUAL(account.customer.text, "");
    CU_ASSERT_EQUAL(accounts_authenticate(store, now_ms + 5000, customers, &account, &err),
                    NOT_FOUND);
    customers[10] = customers[10] == 'a' ? 'b' : 'a';
    CU_ASSERT_EQUAL(accounts_authenticate(store, now_ms, customers, &account, &err), NOT_FOUND);
    CU_ASSERT_EQUAL(accounts_authenticate(store, now_ms, "", &account, &err), NOT_FOUND);
    store_free(store);
}

static void a_token_is_stored_hashed(void)
{
    struct id alice;
    char bearer[BEARER_SIZE];
    int64_t found = -1;
    start();
    CU_ASSERT_EQUAL(accounts_customer(store, &manual.clock, "alice", &alice, &err), OK);
    CU_ASSERT_EQUAL(accounts_issue(store, &manual.clock, &alice, SCOPE_LOAD, 5000, bearer, &err),
                    OK);
    CU_ASSERT_EQUAL(store_query_int(store,
                                    "SELECT count(*) FROM token WHERE hash LIKE '%' || $1 || '%'",
                                    STORE_ARGS(store_text(bearer + 3)), &found, &err),
                    OK);
    CU_ASSERT_EQUAL(found, 0);
    store_free(store);
}

static void an_address_can_be_set_and_cleared(void)
{
    struct id alice, nobody = {"018bcfe5-6800-7000-8000-000000000001"};
    char email[64];
    start();
    CU_ASSERT_EQUAL(accounts_customer(store, &manual.clock, "alice", &alice, &err), OK);
    CU_ASSERT_EQUAL(accounts_email(store, alice.text, email, sizeof email, &err), NOT_FOUND);
    CU_ASSERT_EQUAL(accounts_set_email(store, &alice, "a@example.org", &err), OK);
    CU_ASSERT_EQUAL(accounts_email(store, alice.text, email, sizeof email, &err), OK);
    CU_ASSERT_STRING_EQUAL(email, "a@example.org");
    CU_ASSERT_EQUAL(accounts_set_email(store, &alice, NULL, &err), OK);
    CU_ASSERT_EQUAL(accounts_email(store, alice.text, email, sizeof email, &err), NOT_FOUND);
    CU_ASSERT_EQUAL(accounts_set_email(store, &nobody, "a@example.org", &err), NOT_FOUND);
    store_free(store);
}

static const struct unit_case cases[] = {
    {"a name is one customer", a_name_is_one_customer},
    {"a token names its holder until it expires", a_token_names_its_holder_until_it_expires},
    {"a token is stored hashed", a_token_is_stored_hashed},
    {"an address can be set and cleared", an_address_can_be_set_and_cleared},
};
UNIT_MAIN("accounts", cases)
