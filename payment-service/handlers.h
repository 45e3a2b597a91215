/* What payment-service does with each message and each answer of the provider. For topology.c. */
#ifndef WARREN_PAYMENT_SERVICE_HANDLERS_H
#define WARREN_PAYMENT_SERVICE_HANDLERS_H

#include "common/messaging/service.h"

handler_fn payment_on_placed, payment_on_close, payment_on_refund, payment_on_retell;
job_done_fn payment_on_answer;

#endif
