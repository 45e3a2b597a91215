/* What payment-service says about a payment, and says again to those who have not heard it. Inside the
 * caller's transaction. `type` is that of a fact: captured, declined or closed (the outcome) or
 * refunded. */
#ifndef WARREN_PAYMENT_SERVICE_FACTS_H
#define WARREN_PAYMENT_SERVICE_FACTS_H

#include <stdbool.h>

#include "common/messaging/service.h"
#include "payment-service/payment_store.h"

/* Says it, keeps the bytes, and notes in `payment` (for payment_save) where they are. */
enum result payment_say(struct uow *uow, struct payment *payment, const char *type,
                        struct err *err) WARN_UNUSED;
/* Whether the bytes of this fact are kept: all but those of a store from before migration 2. */
bool payment_keeps(const struct payment *payment, const char *type);
/* Again, byte for byte. */
enum result payment_say_kept(struct uow *uow, const struct payment *payment, const char *type,
                             struct err *err) WARN_UNUSED;
/* Again, made from what the row has: id, sequence and data are as they were, the trace is lost, and
 * the time may be that of the row. Of a refund the caller knows refund_reference. */
enum result payment_say_remade(struct uow *uow, const struct payment *payment, const char *type,
                               struct err *err) WARN_UNUSED;

#endif
