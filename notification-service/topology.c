/* The notification service as data: what it hears, what it says, who handles what. */
#include "common/messaging/bus.h"
#include "contracts/messages.h"
#include "notification-service/handlers.h"
#include "notification-service/notification_service.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define EVENTS "notification.events"

static const struct queue_spec queues[] = {
    {.name = EVENTS, .kind = QUEUE_QUORUM, .prefetch = 512},
};

static const struct binding_spec bindings[] = {
    {EVENTS, EXCHANGE_EVENTS, ORDER_CONFIRMED},
    {EVENTS, EXCHANGE_EVENTS, ORDER_REJECTED},
    {EVENTS, EXCHANGE_EVENTS, ORDER_CANCELLED},
    {EVENTS, EXCHANGE_EVENTS, ORDER_EXPIRED},
};

static const struct handler handlers[] = {
    {EVENTS, ORDER_CONFIRMED, &order_confirmed_type, notification_on_confirmed},
    {EVENTS, ORDER_REJECTED, &order_rejected_type, notification_on_rejected},
    {EVENTS, ORDER_CANCELLED, &order_cancelled_type, notification_on_cancelled},
    {EVENTS, ORDER_EXPIRED, &order_expired_type, notification_on_expired},
};

static const struct publication_spec publications[] = {
    {EXCHANGE_EVENTS, NOTIFICATION_SENT, &notification_sent_type},
    {EXCHANGE_EVENTS, ALERT_RAISED, &alert_raised_type},
};

const struct topology notification_topology = {
    .service = "notification-service",
    .queues = queues,
    .queue_count = COUNT(queues),
    .bindings = bindings,
    .binding_count = COUNT(bindings),
    .handlers = handlers,
    .handler_count = COUNT(handlers),
    .publications = publications,
    .publication_count = COUNT(publications),
};

const struct service_spec notification_service_spec = {
    .name = "notification-service",
    .source = "/notification-service",
    .topology = &notification_topology,
    .job_done = notification_on_mailed,
};
