/* order-service in a bottle: the real loop on a broker in memory, a database in memory and a clock
 * turned by hand, with one or two instances. For the tests of order-service. */
#ifndef WARREN_TESTS_UNIT_ORDER_SHOP_H
#define WARREN_TESTS_UNIT_ORDER_SHOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/messaging/memory_bus.h"
#include "common/messaging/service.h"
#include "contracts/messages.h"
#include "order-service/order_service.h"

enum { SHOP_INSTANCES = 2 };
#define ALICE "0190b0c0-0000-7000-8000-00000000a11c"
#define MALLORY "0190b0c0-0000-7000-8000-0000000000ff"
#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct shop_instance {
    struct store *store;
    struct bus *bus;
    struct order_service *order;
    struct service *service;
    char owner[32];
};

struct shop {
    struct manual_clock clock;
    struct memory_broker *broker;
    struct switches switches;
    struct order_service_options options;
    struct service_limits limits;
    char database[64];
    struct store *store; /* the test's own eye on the database, and what keeps it alive */
    struct shop_instance instances[SHOP_INSTANCES];
};

/* Both instances up; NULL: default options. Aborts when it cannot be. */
void shop_open(struct shop *shop, const struct order_service_options *options);
void shop_close(struct shop *shop);

/* As a crash does, and a new process after it. */
void shop_kill(struct shop *shop, size_t instance);
void shop_start(struct shop *shop, size_t instance);

/* Puts a message on the queue where this type is heard. */
void shop_send(struct shop *shop, const char *type, const char *subject, const void *payload);
/* Lets one instance work until it is idle; 240 ms go by, so that it tells of moved stock too. Only it
 * takes messages. */
void shop_run(struct shop *shop, size_t instance);
/* The same up to the end of the first `phase`. */
void shop_run_to(struct shop *shop, size_t instance, enum phase phase);

/* Shorthands, each with a message of its own. `order` is any small number. */
const char *shop_order_id(unsigned order);
void shop_list(struct shop *shop, const char *sku, int64_t unit_price, int64_t revision);
void shop_adjust(struct shop *shop, const char *sku, int64_t delta);
void shop_place(struct shop *shop, unsigned order, const char *sku, int64_t quantity,
                const char *hash);
void shop_cancel(struct shop *shop, unsigned order, const char *customer);
void shop_captured(struct shop *shop, unsigned order, int64_t amount);
void shop_declined(struct shop *shop, unsigned order);
void shop_closed(struct shop *shop, unsigned order);
void shop_refunded(struct shop *shop, unsigned order, int64_t amount);

/* What has been published: facts and commands of this type about this subject (NULL: any). */
size_t shop_count(struct shop *shop, const char *type, const char *subject);
/* How many different ids those had. */
size_t shop_ids(struct shop *shop, const char *type);
/* The payload of the last such; false: there is none. */
bool shop_last(struct shop *shop, const char *type, const char *subject, void *out);
/* Whether every subject's facts are numbered 1, 2, 3 ... in the order in which they left. */
bool shop_sequences_hold(struct shop *shop);

/* One integer out of the database. */
int64_t shop_number(struct shop *shop, const char *sql, const char *argument);
/* "order.placed order.confirmed" */
const char *shop_history(struct shop *shop, unsigned order);

#endif
