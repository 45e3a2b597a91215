#include "edge-service/token_cache.h"

#include <string.h>

enum { GOOD_FOR_MS = 2000 };

enum result token_cache_authenticate(struct token_cache *cache, struct store *accounts,
                                     const struct clock *clock, const char *bearer,
                                     struct account *ret_account, struct err *err)
{
    uint8_t digest[SHA256_SIZE];
    uint32_t index;
    sha256(bearer, strlen(bearer), digest);
    memcpy(&index, digest, sizeof index);
    struct token_place *place = &cache->places[index % TOKEN_PLACES];
    int64_t now = clock_mono_ms(clock);
    int64_t wall = clock_wall_ms(clock);
    if (now < place->good_until_mono_ms && wall < place->account.expires_ms &&
        memcmp(place->digest, digest, sizeof digest) == 0) {
        *ret_account = place->account;
        return OK;
    }
    enum result result = accounts_authenticate(accounts, wall, bearer, ret_account, err);
    if (result == OK) {
        memcpy(place->digest, digest, sizeof digest);
        place->account = *ret_account;
        place->good_until_mono_ms = now + GOOD_FOR_MS;
    }
    return result;
}
