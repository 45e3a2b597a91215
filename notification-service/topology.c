/* The notification service as data: what it hears, what it says, who handles what. */
#include "common/messaging/bus.h"
#include "contracts/messages.h"
#include "notification-service/handlers.h"
#include "notification-service/notification_service.h"
#include "notification-service/reconcile.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define EVENTS "notification.events"
#define COMMANDS "notification.commands"

static const struct queue_spec queues[] = {
    {.name = EVENTS, .kind = QUEUE_QUORUM, .prefetch = 512},
    {.name = COMMANDS, .kind = QUEUE_QUORUM, .prefetch = 64},
};

static const struct binding_spec bindings[] = {
    {EVENTS, EXCHANGE_EVENTS, ORDER_CONFIRMED},         {EVENTS, EXCHANGE_EVENTS, ORDER_REJECTED},
    {EVENTS, EXCHANGE_EVENTS, ORDER_CANCELLED},         {EVENTS, EXCHANGE_EVENTS, ORDER_EXPIRED},
    {COMMANDS, EXCHANGE_COMMANDS, NOTIFICATION_RETELL},
};

static const struct handler handlers[] = {
    {EVENTS, ORDER_CONFIRMED, &order_confirmed_type, notification_on_confirmed},
    {EVENTS, ORDER_REJECTED, &order_rejected_type, notification_on_rejected},
    {EVENTS, ORDER_CANCELLED, &order_cancelled_type, notification_on_cancelled},
    {EVENTS, ORDER_EXPIRED, &order_expired_type, notification_on_expired},
    {COMMANDS, NOTIFICATION_RETELL, &notification_retell_type, notification_on_retell},
};

static const struct publication_spec publications[] = {
    {EXCHANGE_EVENTS, NOTIFICATION_SENT, &notification_sent_type},
    {EXCHANGE_EVENTS, ALERT_RAISED, &alert_raised_type},
    {EXCHANGE_COMMANDS, ORDER_RETELL_SETTLED, &order_retell_settled_type},
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

static bool due(void *self, struct store *store, int64_t now_ms)
{
    (void)self;
    return reconcile_due(store, now_ms);
}

static enum result tick(void *self, struct uow *uow, int64_t now_ms, struct err *err)
{
    (void)self;
    return reconcile_look(uow, now_ms, err);
}

static enum result wait_anew(void *self, struct uow *uow, int64_t now_ms, struct err *err)
{
    (void)self;
    return reconcile_wait_anew(uow_store(uow), now_ms, err);
}

const struct service_spec notification_service_spec = {
    .name = "notification-service",
    .source = "/notification-service",
    .topology = &notification_topology,
    .job_done = notification_on_mailed,
    .due = due,
    .tick = tick,
    .wait_anew = wait_anew,
    .before_commit = notification_before_commit,
    .forget = notification_forget,
};
