/* Declares the topology of the whole suite on a broker. */
#include <stdio.h>

#include "common/messaging/deploy.h"
#include "edge-service/edge.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"

int main(int argc, char **argv)
{
    static const struct topology *const tables[] = {&edge_topology, &order_topology,
                                                    &payment_topology, &notification_topology};
    const struct deploy_options options = {.url = argc == 2 ? argv[1] : ""};
    struct err err = {""};
    if (deploy_declare(&options, tables, sizeof tables / sizeof tables[0], NULL, &err) == OK)
        return 0;
    fprintf(stderr, "deploy_probe: %s\n", err.text);
    return 1;
}
