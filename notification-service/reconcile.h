/* Asks for settled orders of which nothing has been heard: a queue was purged, a binding gone. Why so,
 * and what it costs: docs/adr/0014-settled-orders-are-numbered.md.
 *
 * Every 10 seconds one instance looks at what has been heard. Numbers that were overtaken before the
 * last look are missing; what may follow the highest is asked for when nothing has come since the last
 * look. The answer are the facts themselves, once more. What stays missing although it was asked for
 * (its fact is in quarantine) is asked for again after 10, 20, 40 s and so on up to 10 minutes. */
#ifndef WARREN_NOTIFICATION_SERVICE_RECONCILE_H
#define WARREN_NOTIFICATION_SERVICE_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/messaging/service.h"

bool reconcile_due(struct store *store, int64_t now_ms);
/* Looks, and asks when there is something to ask for. */
enum result reconcile_look(struct uow *uow, int64_t now_ms, struct err *err) WARN_UNUSED;
/* As `wait_anew` of struct service_spec. */
enum result reconcile_wait_anew(struct store *store, int64_t now_ms, struct err *err) WARN_UNUSED;

#endif
