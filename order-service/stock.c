#include "order-service/stock.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256, NOWHERE = UINT32_MAX };

struct stock {
    struct product **products; /* in the order of their first touch, so that facts are too */
    uint32_t count, allocated, capacity;
    uint32_t buckets[BUCKETS];
};

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

struct stock *stock_new(void)
{
    struct stock *stock = must(calloc(1, sizeof *stock));
    stock_forget(stock);
    return stock;
}

void stock_free(struct stock *stock)
{
    if (stock == NULL)
        return;
    for (uint32_t i = 0; i < stock->allocated; i++)
        free(stock->products[i]);
    free(stock->products);
    free(stock);
}

/* Keeps the memory: the next batch touches about as many. */
void stock_forget(struct stock *stock)
{
    stock->count = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        stock->buckets[i] = NOWHERE;
}

static uint32_t *bucket_of(struct stock *stock, const char *sku)
{
    uint32_t hash = 2166136261U;
    for (; *sku != '\0'; sku++)
        hash = (hash ^ (unsigned char)*sku) * 16777619U;
    return &stock->buckets[hash % BUCKETS];
}

static struct product *held(struct stock *stock, const char *sku)
{
    uint32_t i = *bucket_of(stock, sku);
    while (i != NOWHERE && strcmp(stock->products[i]->sku, sku) != 0)
        i = stock->products[i]->chain;
    return i == NOWHERE ? NULL : stock->products[i];
}

static struct product *spare(struct stock *stock)
{
    if (stock->count == stock->allocated) {
        if (stock->allocated == stock->capacity) {
            stock->capacity = stock->capacity == 0 ? 64 : stock->capacity * 2;
            stock->products =
                must(realloc(stock->products, stock->capacity * sizeof *stock->products));
        }
        stock->products[stock->allocated++] = must(malloc(sizeof(struct product)));
    }
    struct product *product = stock->products[stock->count];
    memset(product, 0, sizeof *product);
    return product;
}

static void hold(struct stock *stock, struct product *product)
{
    uint32_t *bucket = bucket_of(stock, product->sku);
    product->chain = *bucket;
    *bucket = stock->count++;
}

static enum result product_row(void *context, const struct store_row *row, struct err *err)
{
    struct product *product = context;
    (void)err;
    store_row_copy(row, 0, product->name, NAME_SIZE);
    store_row_copy(row, 1, product->currency, CURRENCY_SIZE);
    product->unit_price = store_row_int(row, 2);
    product->revision = store_row_int(row, 3);
    product->adjusted = store_row_int(row, 4);
    product->available = store_row_int(row, 5);
    product->reserved = store_row_int(row, 6);
    product->sold = store_row_int(row, 7);
    product->sequence = store_row_int(row, 8);
    product->changes = store_row_int(row, 9);
    product->told_ms = store_row_int(row, 10);
    product->untold = store_row_int(row, 11) != 0;
    return OK;
}

enum result stock_product(struct stock *stock, struct store *store, const char *sku,
                          struct product **ret_product, struct err *err)
{
    *ret_product = held(stock, sku);
    if (*ret_product != NULL)
        return OK;
    struct product *product = spare(stock);
    memcpy(product->sku, sku, strnlen(sku, SKU_SIZE - 1));
    enum result result =
        store_query(store,
                    "SELECT name, currency, unit_price, revision, adjusted, available, reserved, "
                    "sold, sequence, changes, told_ms, untold FROM product WHERE sku = $1",
                    STORE_ARGS(store_text(sku)), product_row, product, err);
    if (result != OK)
        return err_context(err, result, "product %s", sku);
    hold(stock, product);
    *ret_product = product;
    return OK;
}

static enum result publish(struct uow *uow, const struct product *product, const char *type,
                           const struct bind_type *payload_type, const void *payload,
                           struct err *err)
{
    return uow_publish(uow,
                       &(struct outgoing){
                           .exchange = "warren.events",
                           .type = type,
                           .subject = product->sku,
                           .sequence = product->sequence,
                           .payload_type = payload_type,
                           .payload = payload,
                       },
                       NULL, err);
}

enum result stock_list(struct product *product, const struct set_product *listing, struct uow *uow,
                       struct err *err)
{
    struct product_listed fact = {.unit_price = listing->unit_price, .revision = listing->revision};
    memcpy(fact.sku, product->sku, SKU_SIZE);
    memcpy(fact.name, listing->name, NAME_SIZE);
    memcpy(fact.currency, listing->currency, CURRENCY_SIZE);
    memcpy(product->name, listing->name, NAME_SIZE);
    memcpy(product->currency, listing->currency, CURRENCY_SIZE);
    product->unit_price = listing->unit_price;
    product->revision = listing->revision;
    product->listed = true;
    product->sequence++;
    return publish(uow, product, PRODUCT_LISTED, &product_listed_type, &fact, err);
}

static bool countable(int64_t number)
{
    return number >= 0 && number <= COUNT_MAX;
}

enum result stock_adjust(struct product *product, int64_t delta)
{
    /* Within 2^53 and 10^9: cannot overflow. */
    if (!countable(product->available + delta) || !countable(product->adjusted + delta))
        return REFUSED;
    product->available += delta;
    product->adjusted += delta;
    product->moved = true;
    return OK;
}

static void pots_of(struct product *product, enum stock_move move, int64_t **ret_from,
                    int64_t **ret_to)
{
    *ret_from = &product->reserved;
    *ret_to = &product->available;
    if (move == STOCK_RESERVE) {
        *ret_from = &product->available;
        *ret_to = &product->reserved;
    } else if (move == STOCK_SELL) {
        *ret_to = &product->sold;
    } else if (move == STOCK_RETURN) {
        *ret_from = &product->sold;
    }
}

/* SKUs are distinct within an order, so that each line can be judged by itself. */
static enum result lines_check(struct stock *stock, struct store *store, enum stock_move move,
                               const struct order_line *lines, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct product *product = NULL;
        enum result result = stock_product(stock, store, lines[i].sku, &product, err);
        if (result != OK)
            return result;
        int64_t *from = NULL, *to = NULL;
        pots_of(product, move, &from, &to);
        if (*from < lines[i].quantity)
            return err_set(err, INVALID, "stock of %s: %lld of %lld to move", lines[i].sku,
                           (long long)lines[i].quantity, (long long)*from);
    }
    return OK;
}

enum result stock_move_lines(struct stock *stock, struct store *store, enum stock_move move,
                             const struct order_line *lines, size_t count, struct err *err)
{
    if (move == STOCK_KEEP)
        return OK;
    enum result result = lines_check(stock, store, move, lines, count, err);
    if (result != OK)
        return result;
    for (size_t i = 0; i < count; i++) {
        struct product *product = held(stock, lines[i].sku);
        int64_t *from = NULL, *to = NULL;
        pots_of(product, move, &from, &to);
        *from -= lines[i].quantity;
        *to += lines[i].quantity;
        product->moved = true;
    }
    return OK;
}

static enum result row_insert(struct store *store, const struct product *product, struct err *err)
{
    return store_exec(store,
                      "INSERT INTO product (sku, name, unit_price, currency, revision, adjusted, "
                      "available, reserved, sold, sequence, told_ms, untold, changes) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)",
                      STORE_ARGS(store_text(product->sku), store_text(product->name),
                                 store_int(product->unit_price), store_text(product->currency),
                                 store_int(product->revision), store_int(product->adjusted),
                                 store_int(product->available), store_int(product->reserved),
                                 store_int(product->sold), store_int(product->sequence),
                                 store_int(product->told_ms), store_int(product->untold)),
                      NULL, err);
}

static enum result row_update(struct store *store, const struct product *product, struct err *err)
{
    int64_t changed = 0;
    enum result result =
        store_exec(store,
                   "UPDATE product SET name = $2, unit_price = $3, currency = $4, revision = $5, "
                   "adjusted = $6, available = $7, reserved = $8, sold = $9, sequence = $10, "
                   "told_ms = $11, untold = $12, changes = changes + 1 "
                   "WHERE sku = $1 AND changes = $13",
                   STORE_ARGS(store_text(product->sku), store_text(product->name),
                              store_int(product->unit_price), store_text(product->currency),
                              store_int(product->revision), store_int(product->adjusted),
                              store_int(product->available), store_int(product->reserved),
                              store_int(product->sold), store_int(product->sequence),
                              store_int(product->told_ms), store_int(product->untold),
                              store_int(product->changes)),
                   &changed, err);
    if (result == OK && changed != 1)
        return err_set(err, CONFLICT, "somebody else wrote it after change %lld",
                       (long long)product->changes);
    return result;
}

static enum result tell(struct product *product, struct uow *uow, struct err *err)
{
    struct stock_changed fact = {
        .available = product->available, .reserved = product->reserved, .sold = product->sold};
    memcpy(fact.sku, product->sku, SKU_SIZE);
    product->sequence++;
    product->told_ms = uow_now_ms(uow);
    return publish(uow, product, STOCK_CHANGED, &stock_changed_type, &fact, err);
}

/* Too soon after the last time? A wall clock that was set back makes nobody wait. */
static bool has_to_wait(const struct product *product, int64_t now_ms)
{
    return now_ms >= product->told_ms && now_ms < product->told_ms + STOCK_TELL_MS;
}

static enum result product_flush(struct product *product, struct uow *uow, struct err *err)
{
    if (!product->moved && !product->listed)
        return OK;
    bool late = product->moved || product->untold;
    product->untold = late && has_to_wait(product, uow_now_ms(uow));
    enum result result = OK;
    if (late && !product->untold)
        result = tell(product, uow, err);
    if (result != OK)
        return result;
    struct store *store = uow_store(uow);
    return product->changes == 0 ? row_insert(store, product, err)
                                 : row_update(store, product, err);
}

bool stock_any_untold(struct store *store, int64_t now_ms)
{
    int64_t first = 0;
    return store_query_int(store,
                           "SELECT told_ms FROM product WHERE untold = 1 "
                           "AND (told_ms <= $1 OR told_ms > $2) LIMIT 1",
                           STORE_ARGS(store_int(now_ms - STOCK_TELL_MS), store_int(now_ms)), &first,
                           NULL) == OK;
}

enum { UNTOLD_MAX = 64 };

struct untold {
    size_t count;
    char skus[UNTOLD_MAX][SKU_SIZE];
};

static enum result untold_row(void *context, const struct store_row *row, struct err *err)
{
    struct untold *untold = context;
    (void)err;
    store_row_copy(row, 0, untold->skus[untold->count++], SKU_SIZE);
    return OK;
}

enum result stock_take_untold(struct stock *stock, struct store *store, int64_t now_ms,
                              struct err *err)
{
    struct untold untold = {.count = 0};
    enum result result = store_query(
        store,
        "SELECT sku FROM product WHERE untold = 1 "
        "AND (told_ms <= $1 OR told_ms > $2) ORDER BY told_ms LIMIT $3",
        STORE_ARGS(store_int(now_ms - STOCK_TELL_MS), store_int(now_ms), store_int(UNTOLD_MAX)),
        untold_row, &untold, err);
    for (size_t i = 0; result == OK && i < untold.count; i++) {
        struct product *product = NULL;
        result = stock_product(stock, store, untold.skus[i], &product, err);
        if (result == OK)
            product->moved = true;
    }
    return result;
}

enum result stock_flush(struct stock *stock, struct uow *uow, struct err *err)
{
    for (uint32_t i = 0; i < stock->count; i++) {
        enum result result = product_flush(stock->products[i], uow, err);
        if (result != OK)
            return err_context(err, result, "product %s", stock->products[i]->sku);
    }
    stock_forget(stock);
    return OK;
}
