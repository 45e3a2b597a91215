/* What notification-service does with each fact and each answer of the mailer. For topology.c. */
#ifndef WARREN_NOTIFICATION_SERVICE_HANDLERS_H
#define WARREN_NOTIFICATION_SERVICE_HANDLERS_H

#include "common/messaging/service.h"

handler_fn notification_on_confirmed, notification_on_rejected, notification_on_cancelled,
    notification_on_expired, notification_on_retell;
job_done_fn notification_on_mailed;

/* As in struct service_spec. */
enum result notification_before_commit(void *self, struct uow *uow, struct err *err) WARN_UNUSED;
void notification_forget(void *self);

#endif
