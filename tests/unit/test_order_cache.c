/* The cache of folded orders: it finds what was put, forgets the least recently used. */
#include "order-service/order_cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "tests/unit/unit.h"

static struct order *order_numbered(unsigned number)
{
    struct order *order = calloc(1, sizeof *order);
    snprintf(order->id, sizeof order->id, "%08x-0000-7000-8000-000000000000", number);
    order->total = number;
    return order;
}

static struct order *find(struct order_cache *cache, unsigned number)
{
    char id[UUID_SIZE];
    snprintf(id, sizeof id, "%08x-0000-7000-8000-000000000000", number);
    return order_cache_find(cache, id);
}

static void drop(struct order_cache *cache, unsigned number)
{
    const struct order *order = find(cache, number);
    if (order != NULL) {
        char id[UUID_SIZE];
        memcpy(id, order->id, sizeof id);
        order_cache_drop(cache, id);
    }
    order_cache_drop(cache, "not there");
}

static void least_recently_used_goes(void)
{
    struct order_cache *cache = order_cache_new(3);
    for (unsigned i = 1; i <= 3; i++)
        order_cache_put_take(cache, order_numbered(i));
    CU_ASSERT_PTR_NOT_NULL(find(cache, 1)); /* now the youngest */
    order_cache_put_take(cache, order_numbered(4));
    CU_ASSERT_PTR_NULL(find(cache, 2));
    CU_ASSERT_PTR_NOT_NULL(find(cache, 1));
    CU_ASSERT_PTR_NOT_NULL(find(cache, 3));
    CU_ASSERT_PTR_NOT_NULL(find(cache, 4));
    CU_ASSERT_EQUAL(order_cache_count(cache), 3);
    order_cache_free(cache);
}

static void putting_again_replaces(void)
{
    struct order_cache *cache = order_cache_new(2);
    order_cache_put_take(cache, order_numbered(1));
    struct order *later = order_numbered(1);
    later->version = 2;
    order_cache_put_take(cache, later);
    CU_ASSERT_EQUAL(order_cache_count(cache), 1);
    CU_ASSERT_EQUAL(find(cache, 1)->version, 2);
    order_cache_free(cache);
}

static void clearing_forgets_all(void)
{
    struct order_cache *cache = order_cache_new(8);
    for (unsigned i = 0; i < 8; i++)
        order_cache_put_take(cache, order_numbered(i));
    order_cache_clear(cache);
    CU_ASSERT_EQUAL(order_cache_count(cache), 0);
    for (unsigned i = 0; i < 8; i++)
        CU_ASSERT_PTR_NULL(find(cache, i));
    order_cache_put_take(cache, order_numbered(3));
    CU_ASSERT_PTR_NOT_NULL(find(cache, 3));
    order_cache_free(cache);
}

/* Against a model: an array by age. */
struct model {
    unsigned by_age[16];
    size_t count;
};

static size_t model_at(const struct model *model, unsigned number)
{
    size_t i = 0;
    while (i < model->count && model->by_age[i] != number)
        i++;
    return i;
}

static void model_remove(struct model *model, size_t i)
{
    if (i == model->count)
        return;
    memmove(&model->by_age[i], &model->by_age[i + 1],
            (model->count - i - 1) * sizeof model->by_age[0]);
    model->count--;
}

static void model_touch(struct model *model, unsigned number)
{
    model_remove(model, model_at(model, number));
    if (model->count == 16)
        model_remove(model, 0);
    model->by_age[model->count++] = number;
}

static void behaves_as_the_model(void)
{
    struct manual_clock clock;
    manual_clock_init(&clock, 0, 11);
    struct order_cache *cache = order_cache_new(16);
    struct model model = {.count = 0};
    for (int step = 0; step < 50000; step++) {
        uint64_t dice = clock_random64(&clock.clock);
        unsigned number = (unsigned)(dice >> 8) % 40;
        bool held = model_at(&model, number) < model.count;
        switch (dice % 8) {
        case 0:
            model_remove(&model, model_at(&model, number));
            drop(cache, number);
            break;
        case 1:
        case 2:
        case 3:
            model_touch(&model, number);
            order_cache_put_take(cache, order_numbered(number));
            break;
        default:
            if ((find(cache, number) != NULL) != held)
                CU_FAIL("held or not");
            if (held)
                model_touch(&model, number);
        }
        if (order_cache_count(cache) != model.count)
            CU_FAIL("count");
    }
    order_cache_free(cache);
}

static const struct unit_case cases[] = {
    {"the least recently used goes", least_recently_used_goes},
    {"putting again replaces", putting_again_replaces},
    {"clearing forgets all", clearing_forgets_all},
    {"behaves as the model", behaves_as_the_model},
};
UNIT_MAIN("order_cache", cases)
