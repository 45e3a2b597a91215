/* The tables of all services, merged: no loose end. */
#include <stdio.h>

#include "cli/operator.h"
#include "common/messaging/deploy.h"
#include "contracts/messages.h"
#include "edge-service/edge.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"
#include "tests/unit/unit.h"

enum { CONTRACTS_MAX = 64 };

static const struct topology *const tables[] = {
    &edge_topology, &order_topology, &payment_topology, &notification_topology, &operator_topology,
};

static size_t contracts_fill(struct publication_spec *out)
{
    size_t count = 0;
    for (const struct contract *c = contracts; c->type && count < CONTRACTS_MAX; c++)
        out[count++] = (struct publication_spec){c->exchange, c->type, c->payload};
    return count;
}

static void no_loose_end(void)
{
    struct publication_spec known[CONTRACTS_MAX];
    struct buf findings = {0};
    size_t count = contracts_fill(known);
    size_t found = topology_lint(tables, sizeof tables / sizeof tables[0], known, count, &findings);
    CU_ASSERT_TRUE(count > 0);
    CU_ASSERT_EQUAL(found, 0);
    if (found > 0)
        fprintf(stderr, "%s", findings.data);
    buf_release(&findings);
}

/* A contract that nobody publishes is a promise that nobody keeps. */
static void every_contract_has_a_publisher(void)
{
    for (const struct contract *c = contracts; c->type; c++) {
        int published = 0;
        for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
            for (size_t i = 0; i < tables[t]->publication_count; i++)
                published |= strcmp(tables[t]->publications[i].type, c->type) == 0;
        CU_ASSERT_TRUE(published);
        if (!published)
            fprintf(stderr, "nobody publishes %s\n", c->type);
    }
}

static const struct unit_case cases[] = {
    {"no loose end", no_loose_end},
    {"every contract has a publisher", every_contract_has_a_publisher},
};
UNIT_MAIN("topology of the suite", cases)
