/* Who holds a bearer token, remembered for two seconds: a revoked token is good for so long at
 * most. Known by the token's hash, never by the token. A fixed number of places. */
#ifndef WARREN_EDGE_SERVICE_TOKEN_CACHE_H
#define WARREN_EDGE_SERVICE_TOKEN_CACHE_H

#include "common/accounts/accounts.h"
#include "common/base/digest.h"

enum { TOKEN_PLACES = 1024 };

struct token_cache {
    struct token_place {
        uint8_t digest[SHA256_SIZE];
        int64_t good_until_mono_ms;
        struct account account;
    } places[TOKEN_PLACES];
};

/* As accounts_authenticate. */
enum result token_cache_authenticate(struct token_cache *cache, struct store *accounts,
                                     const struct clock *clock, const char *bearer,
                                     struct account *ret_account, struct err *err) WARN_UNUSED;

#endif
