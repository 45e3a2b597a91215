/* Token buckets: each key may spend so many a second, and save up two seconds' worth. A fixed number
 * of places, looked up in O(1): a key's place is one of four, and a new key takes that of the
 * fullest bucket, which forgets the least. No allocation after buckets_new. */
#ifndef WARREN_EDGE_SERVICE_BUCKETS_H
#define WARREN_EDGE_SERVICE_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

enum { BUCKET_SAVINGS_S = 2 };

struct buckets;

/* `rate` per second, 1 to 10^6; `places` is a power of two, 4 at least. `seed`: so that nobody can
 * choose whose place he takes. */
struct buckets *buckets_new(size_t places, int64_t rate, uint64_t seed);
void buckets_free(struct buckets *buckets);
/* 0: taken. Otherwise nothing was: in so many ms there will be one. */
int64_t buckets_take(struct buckets *buckets, const void *key, size_t size, int64_t now_mono_ms);

#endif
