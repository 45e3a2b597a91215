#include "tests/unit/payment_till.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "payment-service/payment_service.h"
#include "payment-service/provider.h"

#define ORDERS "payment.orders"
#define COMMANDS "payment.commands"

struct loop till;
struct store *till_ledger;
static char ledger_path[64];

static void must(enum result result, const struct err *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "%s: %s\n", result_name(result), err_text(err));
    abort();
}

void till_start(size_t instance)
{
    struct effect *provider;
    struct err err;
    must(provider_sandbox_new(&till.clock.clock, till_ledger, NULL, &provider, &err), &err);
    loop_start(&till, instance, provider, NULL);
}

void till_open(void)
{
    static unsigned number;
    struct err err;
    loop_open(&till, &payment_service_spec, payment_migrations, payment_migration_count);
    snprintf(ledger_path, sizeof ledger_path, "memdb:/payment-ledger-%u", ++number);
    must(store_open_sqlite(ledger_path, STORE_DURABLE, &till_ledger, &err), &err);
    must(store_migrate(till_ledger, "ledger", ledger_migrations, ledger_migration_count, &err),
         &err);
    till_start(0);
    loop_run(&till, 0, 5);
}

void till_close(void)
{
    loop_close(&till);
    store_free(till_ledger);
}

void till_place_as(unsigned order, const char *token, const char *message_id)
{
    struct order_placed placed = {.customer = CUSTOMER,
                                  .version = 1,
                                  .currency = "EUR",
                                  .line_count = 1,
                                  .lines = {{"SKU-1", "A thing", 1, 1000, 1000}},
                                  .total = 1000,
                                  .deadline_ms = 1};
    snprintf(placed.order_id, sizeof placed.order_id, "%s", loop_order_id(order));
    snprintf(placed.payment.token, sizeof placed.payment.token, "%s", token);
    memset(placed.request_hash, 'a', sizeof placed.request_hash - 1);
    loop_send(&till, ORDERS, ORDER_PLACED, placed.order_id, &placed, message_id);
}

void till_place(unsigned order, const char *token)
{
    till_place_as(order, token, NULL);
}

void till_ask_to_close(unsigned order)
{
    struct payment_close close = {.reason = "cancelled"};
    snprintf(close.order_id, sizeof close.order_id, "%s", loop_order_id(order));
    loop_send(&till, COMMANDS, PAYMENT_CLOSE, close.order_id, &close, NULL);
}

void till_ask_for_refund(unsigned order, int64_t amount)
{
    struct payment_refund refund = {.amount = amount, .currency = "EUR"};
    snprintf(refund.order_id, sizeof refund.order_id, "%s", loop_order_id(order));
    loop_send(&till, COMMANDS, PAYMENT_REFUND, refund.order_id, &refund, NULL);
}

const char *till_said(unsigned order)
{
    static char text[16];
    const char *id = loop_order_id(order);
    snprintf(text, sizeof text, "%zu%zu%zu%zu", loop_count(&till, PAYMENT_CAPTURED, id),
             loop_count(&till, PAYMENT_DECLINED, id), loop_count(&till, PAYMENT_CLOSED, id),
             loop_count(&till, PAYMENT_REFUNDED, id));
    return text;
}

int64_t till_in_ledger(const char *kind)
{
    int64_t count = 0;
    struct err err;
    must(store_query_int(till_ledger, "SELECT count(*) FROM ledger WHERE kind = $1",
                         STORE_ARGS(store_text(kind)), &count, &err),
         &err);
    return count;
}

int64_t till_quarantined(void)
{
    return loop_number(&till, "SELECT count(*) FROM quarantine");
}
