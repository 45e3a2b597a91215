/* notification-service: tells customers how their orders ended, once per (order, version), and
 * raises an alert when 5 orders failed within a minute. The stateful consumer: what it remembers is
 * in its store, so that any instance may handle any event. */
#ifndef WARREN_NOTIFICATION_SERVICE_NOTIFICATION_SERVICE_H
#define WARREN_NOTIFICATION_SERVICE_NOTIFICATION_SERVICE_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/messaging/service.h"
#include "common/messaging/topology.h"
#include "common/store/store.h"

struct notification_service;

struct notification_service_options {
    /* Where mail addresses are, opened for reading (common/accounts); borrowed. NULL: no mail is
     * sent, every notification is in-app. Given: struct service_parts has the mailer as effect. */
    struct store *accounts;
};

/* `options` may be NULL. The result is the `self` of struct service_parts. */
enum result notification_service_new(const struct notification_service_options *options,
                                     struct notification_service **ret_service,
                                     struct err *err) WARN_UNUSED;
/* Takes NULL. */
void notification_service_free(struct notification_service *service);

extern const struct topology notification_topology;
extern const struct service_spec notification_service_spec;

/* The tables `notification`, `failure`, `alert`. Owner "notification". */
extern const struct migration notification_migrations[];
extern const size_t notification_migration_count;

#endif
