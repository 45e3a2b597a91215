/* "Sometimes" assertions: what a run of many seeds must have reached, or it has proved nothing. */
#ifndef WARREN_SIMULATION_COVERAGE_H
#define WARREN_SIMULATION_COVERAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/messaging/service.h"

#define COVERAGE_ITEMS(X)                                                                          \
    X(ORDER_CONFIRMED, "order: confirmed")                                                         \
    X(ORDER_UNKNOWN_PRODUCT, "order: rejected, unknown product")                                   \
    X(ORDER_OUT_OF_STOCK, "order: rejected, out of stock")                                         \
    X(ORDER_DECLINED, "order: rejected, card declined")                                            \
    X(ORDER_NO_FUNDS, "order: rejected, insufficient funds")                                       \
    X(ORDER_CANCELLED_UNPAID, "order: cancelled before payment")                                   \
    X(ORDER_CANCELLED_CLOSING, "order: cancelled, charged meanwhile, refunded")                    \
    X(ORDER_CANCELLED_PAID, "order: cancelled after payment, refunded")                            \
    X(ORDER_EXPIRED, "order: expired")                                                             \
    X(ORDER_EXPIRED_REFUNDED, "order: expired, charged meanwhile, refunded")                       \
    X(COMMAND_REFUSED, "command refused")                                                          \
    X(COMMAND_DONE, "command done")                                                                \
    X(KEY_REUSED, "a key reused with another body, told")                                          \
    X(ALERT, "alert raised")                                                                       \
    X(CLIENT_OK, "client: accepted")                                                               \
    X(CLIENT_REFUSED, "client: refused")                                                           \
    X(CLIENT_UNKNOWN, "client: unknown")                                                           \
    X(CLIENT_REPEATED, "client: same key again")                                                   \
    X(BUS_DROP, "bus: connection dropped")                                                         \
    X(BUS_PUBLISH_LOST, "bus: publish lost with its connection")                                   \
    X(BUS_CONFIRM_LOST, "bus: confirm lost with its connection")                                   \
    X(BUS_ACK_LOST, "bus: acknowledgement lost with its connection")                               \
    X(BUS_REFUSED, "bus: connection refused")                                                      \
    X(BUS_NACK, "bus: nack")                                                                       \
    X(BUS_NACK_KEPT, "bus: nack, kept by one queue")                                               \
    X(BUS_RETURN, "bus: returned")                                                                 \
    X(BUS_DUPLICATE, "bus: duplicate")                                                             \
    X(BUS_REDELIVERED, "bus: redelivered")                                                         \
    X(BUS_SWAPPED, "bus: confirms out of order")                                                   \
    X(BUS_HELD, "bus: delayed")                                                                    \
    X(BUS_BLOCKED, "bus: blocked")                                                                 \
    X(BUS_NO_ROOM, "bus: no room")                                                                 \
    X(LOST_ORDER_PAYMENTS, "bus: confirmed, and lost by order.payments")                           \
    X(LOST_PAYMENT_ORDERS, "bus: confirmed, and lost by payment.orders")                           \
    X(LOST_PAYMENT_COMMANDS, "bus: confirmed, and lost by payment.commands")                       \
    X(LOST_NOTIFICATION_EVENTS, "bus: confirmed, and lost by notification.events")                 \
    X(PROVIDER_FAILED, "provider: failed")                                                         \
    X(PROVIDER_STALLED, "provider: stalled")                                                       \
    X(PROVIDER_LOST, "provider: acted, answer lost")                                               \
    X(PROVIDER_TWICE, "provider: answered twice")                                                  \
    X(PROVIDER_LATE, "provider: answered late")                                                    \
    X(PROVIDER_ORPHAN, "provider: acted for a dead caller")                                        \
    X(MAILED, "told by mail")                                                                      \
    X(STORE_BUSY, "store: busy")                                                                   \
    X(STORE_FAILED, "store: failed")                                                               \
    X(STORE_UNKNOWN, "store: committed, and said that it failed")                                  \
    X(CLOCK_JUMP, "clock: jumped ahead")                                                           \
    X(CLOCK_BACK, "clock: wall clock put back")                                                    \
    X(CLOCK_FAR_BACK, "clock: wall clock put back by up to a month")                               \
    X(CLOCK_SKEW, "clock: wrong in one process alone")                                             \
    X(LOOP_DUPLICATE, "loop: duplicate skipped")                                                   \
    X(LOOP_DEFERRED, "loop: deferred")                                                             \
    X(LOOP_QUARANTINED, "loop: quarantined")                                                       \
    X(LOOP_ROLLED_BACK, "loop: batch rolled back")                                                 \
    X(ASKED_CLOSE_AGAIN, "order: asked again to close")                                            \
    X(ASKED_REFUND_AGAIN, "order: asked again for a refund")                                       \
    X(SAID_CAPTURED_AGAIN, "payment: said again that it captured")                                 \
    X(SAID_DECLINED_AGAIN, "payment: said again that it declined")                                 \
    X(SAID_CLOSED_AGAIN, "payment: said again that it closed")                                     \
    X(SAID_REFUNDED_AGAIN, "payment: said again that it refunded")                                 \
    X(SAID_CONFIRMED_AGAIN, "order: said again that it is confirmed")                              \
    X(SAID_REJECTED_AGAIN, "order: said again that it is rejected")                                \
    X(SAID_CANCELLED_AGAIN, "order: said again that it is cancelled")                              \
    X(SAID_EXPIRED_AGAIN, "order: said again that it has expired")                                 \
    X(AUDITED_RUNNING, "audited in mid-flight")                                                    \
    X(EDGE_HELD, "edge: a fact came before its predecessor")                                       \
    X(EDGE_DUPLICATE, "edge: a fact came twice")                                                   \
    X(EDGE_ROLLED_BACK, "edge: batch rolled back")                                                 \
    X(STAYED_DEAD, "an instance that never came back")

#define COVERAGE_ENUM(name, text) COVER_##name,
enum coverage_item { COVERAGE_ITEMS(COVERAGE_ENUM) COVER_COUNT };

enum process_kind { KIND_ORDER, KIND_PAYMENT, KIND_NOTIFICATION, KIND_EDGE, KIND_COUNT };
extern const char *const kind_names[KIND_COUNT];
enum { STEPS_MAX = PHASE_COUNT };

struct coverage {
    uint64_t seeds;
    uint64_t items[COVER_COUNT];
    uint64_t deaths[KIND_COUNT][STEPS_MAX]; /* after which phase */
};

/* How many phases a kind has, and what they are called. */
size_t coverage_phases(enum process_kind kind);
const char *coverage_phase_name(enum process_kind kind, size_t phase);
void coverage_add(struct coverage *sum, const struct coverage *more);
/* Prints what was reached; returns how many things never were. */
size_t coverage_print(const struct coverage *coverage);

#endif
