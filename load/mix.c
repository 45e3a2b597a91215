#include "load/mix.h"

#include <inttypes.h>
#include <string.h>

#include "load/random.h"

enum { ALL = 1000, LINES_MAX = 50, QUANTITY_MAX_HERE = 1000 };

/* What is drawn for one purpose does not shift what is drawn for another. */
enum purpose { FOR_LINES = 1, FOR_CARD, FOR_CANCEL, FOR_HOT };

static uint64_t stream_for(const struct mix *mix, uint64_t ordinal, enum purpose purpose)
{
    uint64_t state = mix->seed ^ (ordinal * 8 + purpose) * UINT64_C(0xD1342543DE82EF95);
    return random_next(&state);
}

static bool drawn(const struct mix *mix, uint64_t ordinal, enum purpose purpose, int64_t share)
{
    uint64_t state = stream_for(mix, ordinal, purpose);
    return share > 0 && random_below(&state, ALL) < (uint64_t)share;
}

enum result mix_read_skus(struct mix *mix, const char *text, struct err *err)
{
    mix->sku_count = 0;
    for (const char *item = text;;) {
        size_t size = strcspn(item, ",");
        if (size == 0 || size >= MIX_SKU_SIZE || strcspn(item, "\"\\") < size)
            return err_set(err, INVALID,
                           "'%.40s': SKUs are 1 to %d characters, with commas between", item,
                           MIX_SKU_SIZE - 1);
        if (mix->sku_count == MIX_SKUS_MAX)
            return err_set(err, INVALID, "more than %d SKUs", MIX_SKUS_MAX);
        memcpy(mix->skus[mix->sku_count], item, size);
        mix->skus[mix->sku_count++][size] = '\0';
        if (item[size] == '\0')
            return OK;
        item += size + 1;
    }
}

enum result mix_check(const struct mix *mix, struct err *err)
{
    if (mix->lines < 1 || mix->lines > LINES_MAX || (size_t)mix->lines > mix->sku_count)
        return err_set(err, INVALID, "an order has 1 to %d lines, and not more than there are SKUs",
                       LINES_MAX);
    if (mix->quantity < 1 || mix->quantity > QUANTITY_MAX_HERE)
        return err_set(err, INVALID, "a quantity is 1 to %d", QUANTITY_MAX_HERE);
    if (mix->declined + mix->flaky + mix->slow + mix->no_funds + mix->lost_answer > ALL)
        return err_set(err, INVALID, "the shares of cards are more than 1000 of 1000");
    return OK;
}

static const char *card_of(const struct mix *mix, uint64_t ordinal)
{
    uint64_t state = stream_for(mix, ordinal, FOR_CARD);
    int64_t draw = (int64_t)random_below(&state, ALL);
    const struct {
        int64_t share;
        const char *card;
    } cards[] = {
        {mix->declined, "tok_declined"},   {mix->flaky, "tok_flaky"},
        {mix->slow, "tok_slow"},           {mix->no_funds, "tok_insufficient_funds"},
        {mix->lost_answer, "tok_timeout"},
    };
    for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++) {
        if (draw < cards[i].share)
            return cards[i].card;
        draw -= cards[i].share;
    }
    return "tok_visa";
}

void mix_order(const struct mix *mix, uint64_t ordinal, struct buf *out)
{
    uint64_t state = stream_for(mix, ordinal, FOR_LINES);
    size_t sku = random_below(&state, mix->sku_count);
    if (mix->hot > 0)
        sku = drawn(mix, ordinal, FOR_HOT, mix->hot) ? 0 : sku;
    buf_clear(out);
    buf_text(out, "{\"lines\":[");
    for (int64_t i = 0; i < mix->lines; i++) {
        /* Neighbours in the list: distinct without a look at the others. */
        buf_printf(out, "%s{\"sku\":\"%s\",\"quantity\":%" PRIu64 "}", i ? "," : "",
                   mix->skus[(sku + (size_t)i) % mix->sku_count],
                   1 + random_below(&state, (uint64_t)mix->quantity));
    }
    buf_printf(out, "],\"payment\":{\"token\":\"%s\"}}", card_of(mix, ordinal));
}

bool mix_cancels(const struct mix *mix, uint64_t ordinal)
{
    return drawn(mix, ordinal, FOR_CANCEL, mix->cancel);
}
