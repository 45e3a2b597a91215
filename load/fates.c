#include "load/fates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 4096,
    CHUNKS_MAX = 1 << 14,
    STRANGER = 1U << 31,
    VERSION_BITS = 15,
    CAPTURE_BITS = 7,
    REASONS_MAX = 32
};

/* Records that never move. */
struct list {
    struct fate *chunks[CHUNKS_MAX];
    uint32_t count;
};

struct fates {
    struct list ours, strangers;
    uint32_t *index; /* 0: free; else 1 + the place in `ours`, or in `strangers` with STRANGER */
    size_t capacity; /* a power of two */
    size_t used;
    char reasons[REASONS_MAX][FACT_REASON_SIZE]; /* each once; the first is "" */
    size_t reason_count;
};

static struct fate *list_at(const struct list *list, uint32_t at)
{
    return &list->chunks[at / CHUNK][at % CHUNK];
}

static struct fate *list_add(struct list *list)
{
    if (list->count % CHUNK == 0) {
        if (list->count / CHUNK == CHUNKS_MAX)
            abort(); /* 67 million orders */
        struct fate *chunk = calloc(CHUNK, sizeof *chunk);
        if (!chunk)
            abort();
        list->chunks[list->count / CHUNK] = chunk;
    }
    return list_at(list, list->count++);
}

static void list_release(struct list *list)
{
    for (size_t i = 0; i < CHUNKS_MAX && list->chunks[i]; i++)
        free(list->chunks[i]);
}

struct fates *fates_new(size_t expected)
{
    struct fates *fates = calloc(1, sizeof *fates);
    if (!fates)
        abort();
    fates->capacity = 1024;
    fates->reason_count = 1;
    while (fates->capacity < expected * 2)
        fates->capacity *= 2;
    fates->index = calloc(fates->capacity, sizeof *fates->index);
    if (!fates->index)
        abort();
    return fates;
}

void fates_free(struct fates *fates)
{
    if (!fates)
        return;
    list_release(&fates->ours);
    list_release(&fates->strangers);
    free(fates->index);
    free(fates);
}

struct fate *fates_add(struct fates *fates, uint32_t *ret_index)
{
    *ret_index = fates->ours.count;
    return list_add(&fates->ours);
}

struct fate *fates_at(const struct fates *fates, uint32_t index)
{
    return list_at(&fates->ours, index);
}

size_t fates_count(const struct fates *fates)
{
    return fates->ours.count;
}

/* --- the index ----------------------------------------------------------------------------------- */

static struct fate *entry_at(const struct fates *fates, uint32_t entry)
{
    if (entry & STRANGER)
        return list_at(&fates->strangers, (entry & ~STRANGER) - 1);
    return list_at(&fates->ours, entry - 1);
}

/* Ids are hashes or times with random tails: both halves together are spread enough, once mixed. */
static size_t home_of(const struct order_key *order)
{
    uint64_t a, b;
    memcpy(&a, order->bytes, 8);
    memcpy(&b, order->bytes + 8, 8);
    uint64_t mixed = (a ^ (b >> 7) ^ (b << 23)) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(mixed ^ (mixed >> 32));
}

/* Where the id is, or the free place where it belongs. */
static uint32_t *slot_of(const struct fates *fates, const struct order_key *order)
{
    size_t at = home_of(order) & (fates->capacity - 1);
    while (fates->index[at] != 0 && memcmp(entry_at(fates, fates->index[at])->order.bytes,
                                           order->bytes, ORDER_KEY_SIZE) != 0)
        at = (at + 1) & (fates->capacity - 1);
    return &fates->index[at];
}

static void grow(struct fates *fates)
{
    uint32_t *old = fates->index;
    size_t old_capacity = fates->capacity;
    fates->capacity *= 2;
    fates->index = calloc(fates->capacity, sizeof *fates->index);
    if (!fates->index)
        abort();
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i] != 0)
            *slot_of(fates, &entry_at(fates, old[i])->order) = old[i];
    free(old);
}

static void enter(struct fates *fates, const struct order_key *order, uint32_t entry)
{
    if ((fates->used + 1) * 4 > fates->capacity * 3)
        grow(fates);
    *slot_of(fates, order) = entry;
    fates->used++;
}

const struct fate *fates_find(const struct fates *fates, const struct order_key *order)
{
    uint32_t entry = *slot_of(fates, order);
    return entry == 0 ? NULL : entry_at(fates, entry);
}

/* --- what is told -------------------------------------------------------------------------------- */

/* What the log said about a stranger who turns out to be ours. */
static void adopt(struct fate *ours, struct fate *stranger)
{
    ours->settled_ns = stranger->settled_ns;
    ours->notified_ns = stranger->notified_ns;
    ours->settled_versions = stranger->settled_versions;
    ours->captures = stranger->captures;
    ours->end = stranger->end;
    ours->reason = stranger->reason;
    ours->placed = stranger->placed;
    ours->cancelled_later = stranger->cancelled_later;
    ours->doubled = ours->doubled || stranger->doubled;
    stranger->named = true;
}

enum result fates_name(struct fates *fates, uint32_t index, const struct order_key *order)
{
    struct fate *fate = list_at(&fates->ours, index);
    if (fate->named)
        return memcmp(fate->order.bytes, order->bytes, ORDER_KEY_SIZE) == 0 ? OK : INVALID;
    uint32_t *slot = slot_of(fates, order);
    if (*slot != 0 && !(*slot & STRANGER))
        return INVALID;
    fate->order = *order;
    fate->named = true;
    if (*slot != 0) {
        adopt(fate, entry_at(fates, *slot));
        *slot = index + 1;
    } else {
        enter(fates, order, index + 1);
    }
    return OK;
}

/* There are few reasons; one too many is told as none. */
static uint8_t intern(struct fates *fates, const char *reason)
{
    for (size_t i = 0; i < fates->reason_count; i++)
        if (strcmp(fates->reasons[i], reason) == 0)
            return (uint8_t)i;
    if (fates->reason_count == REASONS_MAX)
        return 0;
    snprintf(fates->reasons[fates->reason_count], FACT_REASON_SIZE, "%s", reason);
    return (uint8_t)fates->reason_count++;
}

const char *fates_reason(const struct fates *fates, const struct fate *fate)
{
    return fates->reasons[fate->reason];
}

static unsigned bit(int64_t number, unsigned bits)
{
    return 1U << (number < 0 || number > bits ? bits : (unsigned)number);
}

/* An order ends once; only what was confirmed may still be cancelled, once. */
static unsigned note_end(struct fate *fate, const struct fact *fact, int64_t now_ns)
{
    unsigned version = bit(fact->sequence, VERSION_BITS);
    if (fate->settled_versions & version)
        return NEWS_NONE; /* the same fact again */
    fate->settled_versions |= (uint16_t)version;
    if (fate->end == FACT_OTHER) {
        fate->end = (uint8_t)fact->kind;
        fate->settled_ns = now_ns;
        return NEWS_SETTLED;
    }
    bool may =
        fate->end == FACT_CONFIRMED && fact->kind == FACT_CANCELLED && !fate->cancelled_later;
    fate->cancelled_later = true;
    if (may || fate->doubled)
        return NEWS_NONE;
    fate->doubled = true;
    return NEWS_DOUBLED;
}

static unsigned note_capture(struct fate *fate, const struct fact *fact)
{
    unsigned before = fate->captures;
    fate->captures |= (uint8_t)bit(fact->sequence, CAPTURE_BITS);
    if (before == 0 || before == fate->captures || fate->doubled)
        return NEWS_NONE;
    fate->doubled = true;
    return NEWS_DOUBLED;
}

static unsigned note(struct fate *fate, const struct fact *fact, int64_t now_ns)
{
    switch (fact->kind) {
    case FACT_PLACED:
        fate->placed = true;
        return NEWS_NONE;
    case FACT_CONFIRMED:
    case FACT_REJECTED:
    case FACT_CANCELLED:
    case FACT_EXPIRED:
        return note_end(fate, fact, now_ns);
    case FACT_CAPTURED:
        return note_capture(fate, fact);
    case FACT_NOTIFIED:
        if (fate->notified_ns != 0)
            return NEWS_NONE;
        fate->notified_ns = now_ns;
        return NEWS_NOTIFIED;
    case FACT_OTHER:
        break;
    }
    return NEWS_NONE;
}

unsigned fates_note(struct fates *fates, const struct fact *fact, bool ours, int64_t now_ns,
                    struct fate **ret_fate)
{
    uint32_t entry = *slot_of(fates, &fact->order);
    *ret_fate = NULL;
    if (entry == 0 && !ours)
        return NEWS_NONE;
    if (entry == 0) {
        struct fate *stranger = list_add(&fates->strangers);
        stranger->order = fact->order;
        entry = fates->strangers.count | STRANGER;
        enter(fates, &fact->order, entry);
    }
    struct fate *fate = entry_at(fates, entry);
    unsigned news = note(fate, fact, now_ns);
    if (fact->kind == FACT_REJECTED)
        fate->reason = intern(fates, fact->reason);
    /* News about a stranger is told when it gets its name. */
    if (entry & STRANGER)
        return NEWS_NONE;
    *ret_fate = fate;
    return news;
}

void fates_strangers(const struct fates *fates,
                     void (*each)(void *context, const struct fate *fate), void *context)
{
    for (uint32_t i = 0; i < fates->strangers.count; i++) {
        const struct fate *stranger = list_at(&fates->strangers, i);
        if (!stranger->named)
            each(context, stranger);
    }
}
