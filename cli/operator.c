#include "cli/operator.h"

#include "common/messaging/bus.h"
#include "contracts/messages.h"

static const struct publication_spec publications[] = {
    {EXCHANGE_COMMANDS, ORDER_RETELL, &order_retell_type},
    {EXCHANGE_COMMANDS, PAYMENT_RETELL, &payment_retell_type},
    {EXCHANGE_COMMANDS, NOTIFICATION_RETELL, &notification_retell_type},
};

const struct topology operator_topology = {
    .service = "warren",
    .publications = publications,
    .publication_count = sizeof publications / sizeof publications[0],
};
