/* What the edge reads and says, as data. It handles no queue: it follows the stream. */
#include "common/messaging/bus.h"
#include "contracts/messages.h"
#include "edge-service/edge.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct queue_spec queues[] = {
    {.name = STREAM_LOG,
     .kind = QUEUE_STREAM,
     .max_length_bytes = INT64_C(5000000000),
     .max_age = "30D",
     .prefetch = 256},
};

static const struct binding_spec bindings[] = {
    {STREAM_LOG, EXCHANGE_EVENTS, "#"},
};

static const struct publication_spec publications[] = {
    {EXCHANGE_COMMANDS, ORDER_PLACE, &order_place_type},
    {EXCHANGE_COMMANDS, ORDER_CANCEL, &order_cancel_type},
    {EXCHANGE_COMMANDS, CATALOGUE_SET_PRODUCT, &set_product_type},
    {EXCHANGE_COMMANDS, STOCK_ADJUST, &stock_adjust_type},
};

const struct topology edge_topology = {
    .service = "edge-service",
    .queues = queues,
    .queue_count = COUNT(queues),
    .bindings = bindings,
    .binding_count = COUNT(bindings),
    .publications = publications,
    .publication_count = COUNT(publications),
};
