/* What every struct bus must do (common/messaging/bus.h), as CUnit cases over a fixture. */
#ifndef WARREN_TESTS_CONFORMANCE_BUS_SUITE_H
#define WARREN_TESTS_CONFORMANCE_BUS_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/switches.h"
#include "common/messaging/bus.h"
#include "common/messaging/topology.h"

/* The queues of the suite; the fixture's broker has them, empty, after reset. */
#define SUITE_WORK "suite.work" /* quorum; warren.commands <- suite.work */
#define SUITE_FULL "suite.full" /* quorum, at most 3 messages; warren.commands <- suite.full */
#define SUITE_LOG "suite.log"   /* stream; warren.events <- # */
extern const struct topology suite_topology;

struct bus_fixture {
    void *self;
    /* Every quorum queue empty; a stream may keep what it has. */
    void (*reset)(void *self);
    /* A new handle. */
    struct bus *(*open)(void *self, const struct switches *switches);
    /* Lets a little time pass and pumps what wants to be pumped: readable, or its deadline come. */
    void (*turn)(void *self, struct bus *const *buses, size_t count);
    int64_t (*now_ms)(void *self);
    int64_t patience_ms; /* for something that has to come */
    int64_t quiet_ms;    /* after which nothing more comes */
    size_t window;       /* unconfirmed publishes of a handle at most */
    /* All connections are lost, by force; and the broker is there again. */
    void (*kill)(void *self);
    /* The same as an orderly end of the broker, which keeps every stream: one that is killed soon
     * after it has declared a stream may lose it. */
    void (*stop)(void *self);
    void (*revive)(void *self);
    /* An alarm begins or ends. */
    void (*block)(void *self, bool blocked);
};

/* Runs all cases; the exit status of a test program. */
int bus_suite_run(const char *name, const struct bus_fixture *fixture);

#endif
