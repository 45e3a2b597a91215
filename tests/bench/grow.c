/* Fills a suite's stores with orders that ended well, as many and as large as if they had been
 * placed, without the hours that this would take. Nothing of the suite may run but the broker.
 *
 *     grow HOME FIRST COUNT
 *
 * Makes the orders FIRST to FIRST + COUNT - 1; the same number is always the same order. Every table
 * gets the rows that an order leaves, in the order in which it would leave them, so that the trees
 * of the indices have the shape of real ones: ids derived from keys are scattered, ids made from
 * the time ascend. What is not as if: the stream has no facts of them (the edge has read them, says
 * its model), and their customers have no accounts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/store/store.h"
#include "contracts/messages.h"
#include "tests/bench/stencil.h"

enum {
    COMMIT_EVERY = 200000,
    GAP_MS = 30,
    CUSTOMERS = 10000,
    PRICE = 199,
    QUANTITY = 2,
    AMOUNT = PRICE * QUANTITY
};
#define SKU "CARROT-1KG"

/* --- one order ------------------------------------------------------------------------ */

struct grown {
    char order_id[UUID_SIZE], customer[UUID_SIZE];
    char place_id[UUID_SIZE]; /* of the command */
    char fact_ids[LIMIT_KINDS][UUID_SIZE];
    char reference_id[UUID_SIZE], reference[REFERENCE_SIZE];
    int64_t at_ms;
};

static void grown_make(int64_t number, int64_t base_ms, struct grown *grown)
{
    uint64_t seed = (uint64_t)number * 16;
    grown->at_ms = base_ms + number * GAP_MS;
    stencil_scattered_id(seed, grown->order_id);
    stencil_scattered_id(seed + 1, grown->place_id);
    stencil_scattered_id((uint64_t)(number % CUSTOMERS) << 40, grown->customer);
    for (unsigned i = 0; i < LIMIT_KINDS; i++)
        stencil_ascending_id(seed + 2 + i, grown->at_ms + i, grown->fact_ids[i]);
    stencil_ascending_id(seed + 2 + LIMIT_KINDS, grown->at_ms + LIMIT_KINDS, grown->reference_id);
    snprintf(grown->reference, sizeof grown->reference, "capture-%s", grown->reference_id);
}

/* --- a store's share of it -------------------------------------------------------------- */

struct field {
    struct store *store;
    struct stencil stencils[LIMIT_KINDS]; /* whole facts */
    struct stencil data[LIMIT_KINDS];     /* their data alone */
    int64_t number;                       /* of the last order of the read model; 0: not known */
    struct err err;
};

static const struct buf *cut(struct stencil *stencil, const struct grown *grown,
                             enum limit_kind kind)
{
    const char *const ids[STENCIL_IDS] = {
        [STENCIL_ORDER] = grown->order_id,
        [STENCIL_CUSTOMER] = grown->customer,
        [STENCIL_FACT] = grown->fact_ids[kind],
        [STENCIL_REFERENCE] = grown->reference_id,
    };
    return stencil_cut(stencil, ids);
}

static enum result write_row(struct field *field, const char *sql, const struct store_value *args,
                             size_t count)
{
    return store_exec(field->store, sql, args, count, NULL, &field->err);
}

static enum result write_inbox(struct field *field, const char *id, int64_t at_ms)
{
    return write_row(field, "INSERT INTO inbox(message_id, at_ms) VALUES ($1, $2)",
                     STORE_ARGS(store_text(id), store_int(at_ms)));
}

static enum result write_event(struct field *field, const struct grown *grown, int64_t version,
                               enum limit_kind kind)
{
    const struct buf *data = cut(&field->data[kind], grown, kind);
    return write_row(field,
                     "INSERT INTO order_event(order_id, version, type, fact_id, at_ms, data) "
                     "VALUES ($1, $2, $3, $4, $5, $6)",
                     STORE_ARGS(store_text(grown->order_id), store_int(version),
                                store_text(limit_kind_name(kind)),
                                store_text(grown->fact_ids[kind]),
                                store_int(grown->at_ms + 10 * version), store_text(data->data)));
}

static enum result grow_order(struct field *field, const struct grown *grown)
{
    enum result result = write_inbox(field, grown->place_id, grown->at_ms);
    if (result == OK)
        result = write_event(field, grown, 1, LIMIT_PLACED);
    if (result == OK)
        result = write_inbox(field, grown->fact_ids[LIMIT_CAPTURED], grown->at_ms);
    if (result == OK)
        result = write_event(field, grown, 2, LIMIT_CONFIRMED);
    if (result == OK)
        result = write_row(field,
                           "UPDATE product SET available = available - $1, sold = sold + $1 "
                           "WHERE sku = $2",
                           STORE_ARGS(store_int(QUANTITY), store_text(SKU)));
    return result;
}

static enum result grow_payment(struct field *field, const struct grown *grown)
{
    enum result result = write_inbox(field, grown->fact_ids[LIMIT_PLACED], grown->at_ms);
    if (result != OK)
        return result;
    return write_row(
        field,
        "INSERT INTO payment(order_id, state, amount, currency, token, provider_reference, "
        "outcome_fact_id, sequence, created_ms, updated_ms) "
        "VALUES ($1, 'captured', $2, 'EUR', 'tok_visa', $3, $4, 1, $5, $6)",
        STORE_ARGS(store_text(grown->order_id), store_int(AMOUNT), store_text(grown->reference),
                   store_text(grown->fact_ids[LIMIT_CAPTURED]), store_int(grown->at_ms),
                   store_int(grown->at_ms + 5)));
}

static enum result grow_ledger(struct field *field, const struct grown *grown)
{
    return write_row(field,
                     "INSERT INTO ledger(key, order_id, kind, amount, currency, reference, at_ms) "
                     "VALUES ('capture:' || $1, $1, 'capture', $2, 'EUR', $3, $4)",
                     STORE_ARGS(store_text(grown->order_id), store_int(AMOUNT),
                                store_text(grown->reference), store_int(grown->at_ms)));
}

static enum result grow_notification(struct field *field, const struct grown *grown)
{
    enum result result = write_inbox(field, grown->fact_ids[LIMIT_CONFIRMED], grown->at_ms);
    if (result != OK)
        return result;
    return write_row(field,
                     "INSERT INTO notification(order_id, order_version, customer, kind, channel, "
                     "state, fact_id, at_ms) "
                     "VALUES ($1, 2, $2, 'confirmed', 'in-app', 'sent', $3, $4)",
                     STORE_ARGS(store_text(grown->order_id), store_text(grown->customer),
                                store_text(grown->fact_ids[LIMIT_SENT]), store_int(grown->at_ms)));
}

static enum result write_read_facts(struct field *field, const struct grown *grown)
{
    static const struct {
        enum limit_kind kind;
        const char *source;
        int64_t sequence;
    } facts[] = {{LIMIT_PLACED, "/order-service", 1},
                 {LIMIT_CAPTURED, "/payment-service", 1},
                 {LIMIT_CONFIRMED, "/order-service", 2},
                 {LIMIT_SENT, "/notification-service", 1}};
    enum result result = OK;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0] && result == OK; i++) {
        const struct buf *body = cut(&field->stencils[facts[i].kind], grown, facts[i].kind);
        result = write_row(
            field,
            "INSERT INTO order_facts(number, source, sequence, body) VALUES ($1, $2, $3, $4)",
            STORE_ARGS(store_int(field->number), store_text(facts[i].source),
                       store_int(facts[i].sequence), store_blob(body->data, body->size)));
    }
    return result;
}

/* The read model numbers its orders as they come. */
static enum result next_number(struct field *field)
{
    enum result result = OK;
    if (field->number == 0)
        result = store_query_int(field->store, "SELECT coalesce(max(number), 0) FROM orders",
                                 STORE_NO_ARGS, &field->number, &field->err);
    field->number++;
    return result;
}

static enum result grow_edge(struct field *field, const struct grown *grown)
{
    enum result result = next_number(field);
    if (result == OK)
        result = write_row(
            field,
            "INSERT INTO orders(number, order_id, customer, status, version, currency, total, "
            "reason, lines, request_hash, placed_ms, updated_ms) "
            "VALUES ($1, $2, $3, 'confirmed', 2, 'EUR', $4, '', $5, $6, $7, $8)",
            STORE_ARGS(store_int(field->number), store_text(grown->order_id),
                       store_text(grown->customer), store_int(AMOUNT),
                       store_text("[{\"sku\":\"" SKU "\",\"name\":\"Carrots, 1 kg\",\"quantity\":2,"
                                  "\"unit_price\":199,\"amount\":398}]"),
                       store_text(LIMIT_HASH), store_int(grown->at_ms + 10),
                       store_int(grown->at_ms + 20)));
    return result == OK ? write_read_facts(field, grown) : result;
}

static const struct share {
    const char *path; /* below the home */
    enum result (*grow)(struct field *field, const struct grown *grown);
} shares[] = {
    {"store/edge-read-1.db", grow_edge},          {"store/order.db", grow_order},
    {"store/payment.db", grow_payment},           {"provider/ledger.db", grow_ledger},
    {"store/notification.db", grow_notification},
};
enum { SHARES = sizeof shares / sizeof shares[0] };

/* --- the work --------------------------------------------------------------------------- */

struct job {
    const char *home;
    int64_t first, count, base_ms;
};

static enum result nothing(void *context, const struct store_row *row, struct err *err)
{
    (void)context;
    (void)row;
    (void)err;
    return OK;
}

static enum result field_open(const struct job *job, const struct share *share, struct field *field)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", job->home, share->path);
    if (access(path, R_OK | W_OK) != 0)
        return err_set(&field->err, NOT_FOUND, "there is no such store");
    enum result result = store_open_sqlite(path, STORE_DISPOSABLE, &field->store, &field->err);
    /* The service's own small cache would make every row of a large index a read. */
    if (result == OK)
        result = store_query(field->store, "PRAGMA cache_size = -1000000", STORE_NO_ARGS, nothing,
                             NULL, &field->err);
    /* Nobody wants these stores if this fails. The services go back to their log by themselves. */
    if (result == OK)
        result = store_query(field->store, "PRAGMA journal_mode = OFF", STORE_NO_ARGS, nothing,
                             NULL, &field->err);
    for (enum limit_kind kind = 0; kind < LIMIT_KINDS && result == OK; kind++) {
        stencil_make(kind, STENCIL_EVENT, &field->stencils[kind]);
        stencil_make(kind, STENCIL_DATA, &field->data[kind]);
    }
    return result;
}

static enum result field_fill(const struct job *job, const struct share *share, struct field *field)
{
    enum result result = OK;
    for (int64_t i = 0; i < job->count && result == OK; i++) {
        struct grown grown;
        grown_make(job->first + i, job->base_ms, &grown);
        if (i % COMMIT_EVERY == 0)
            result = store_begin(field->store, &field->err);
        if (result == OK)
            result = share->grow(field, &grown);
        if (result == OK && (i % COMMIT_EVERY == COMMIT_EVERY - 1 || i == job->count - 1))
            result = store_commit(field->store, &field->err);
    }
    return result;
}

static int share_run(const struct job *job, const struct share *share)
{
    struct field field = {.store = NULL};
    enum result result = field_open(job, share, &field);
    if (result == OK)
        result = field_fill(job, share, &field);
    if (result != OK)
        fprintf(stderr, "grow: %s: %s\n", share->path, field.err.text);
    store_free(field.store);
    for (size_t i = 0; i < LIMIT_KINDS; i++) {
        stencil_release(&field.stencils[i]);
        stencil_release(&field.data[i]);
    }
    return result == OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "Usage: grow HOME FIRST COUNT\n");
        return 2;
    }
    struct job job = {
        .home = argv[1], .first = strtoll(argv[2], NULL, 10), .count = strtoll(argv[3], NULL, 10)};
    /* All of them lie in the past. */
    job.base_ms = clock_wall_ms(clock_system()) - (job.first + job.count) * GAP_MS;
    int failed = 0;
    for (size_t i = 0; i < SHARES; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(share_run(&job, &shares[i]));
        failed += pid < 0;
    }
    int status = 0;
    while (wait(&status) > 0)
        failed += status != 0;
    return failed > 0;
}
