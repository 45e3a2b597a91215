/* Any service in a bottle: the real loop on a broker in memory, a database in memory and a clock
 * turned by hand, with one or two instances. Aborts when it cannot be. */
#ifndef WARREN_TESTS_UNIT_LOOP_H
#define WARREN_TESTS_UNIT_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/messaging/memory_bus.h"
#include "common/messaging/service.h"
#include "contracts/messages.h"

enum { LOOP_INSTANCES = 2, LOOP_ROUND_MS = 5 };
#define CUSTOMER "0190b0c0-0000-7000-8000-00000000a11c"

struct loop_instance {
    struct store *store;
    struct bus *bus;
    struct effect *effect;
    struct service *service;
    char owner[32];
};

struct loop {
    const struct service_spec *spec;
    struct manual_clock clock;
    struct memory_broker *broker;
    const struct topology *tables[2];
    struct switches switches;
    char database[64];
    struct store *store; /* the test's own eye on the database, and what keeps it alive */
    struct loop_instance instances[LOOP_INSTANCES];
};

/* No instance runs yet. The own tables are `steps`. */
void loop_open(struct loop *loop, const struct service_spec *spec, const struct migration *steps,
               size_t count);
void loop_close(struct loop *loop);

/* The effect is the loop's from now on (NULL: none), `self` borrowed. */
void loop_start(struct loop *loop, size_t instance, struct effect *effect, void *self);
/* As a crash does, the effect included. */
void loop_kill(struct loop *loop, size_t instance);

/* Puts a message on the queue; its id (NULL: a new one). */
void loop_send(struct loop *loop, const char *queue, const char *type, const char *subject,
               const void *payload, const char *id);
/* So many rounds of LOOP_ROUND_MS each. */
void loop_run(struct loop *loop, size_t instance, int rounds);
void loop_run_ms(struct loop *loop, size_t instance, int64_t ms);
/* Up to the end of the next `phase`; two rounds at most, for an idle loop leaves phases out. */
void loop_run_to(struct loop *loop, size_t instance, enum phase phase);

/* What has been published of this type about this subject (NULL: any). */
size_t loop_count(struct loop *loop, const char *type, const char *subject);
/* The payload and the envelope of the last such; false: there is none. `ret_envelope` may be NULL.
 */
bool loop_last(struct loop *loop, const char *type, const char *subject, void *out,
               struct envelope *ret_envelope);
/* One integer out of the database. */
int64_t loop_number(struct loop *loop, const char *sql);
/* A UUID made of a small number. */
const char *loop_order_id(unsigned order);

#endif
