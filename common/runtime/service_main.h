/* The main() of a consumer: everything between its command line and its service loop. Exits 0 when
 * drained, 4 when asked to end with something still in hand after 10 s, 2 and 6 as INTERFACES says.
 */
#ifndef WARREN_RUNTIME_SERVICE_MAIN_H
#define WARREN_RUNTIME_SERVICE_MAIN_H

#include "common/messaging/effect.h"
#include "common/messaging/service.h"
#include "common/runtime/runtime.h"

/* What a service adds to the common parts: its state, and its port to the outside. */
struct service_made {
    void *self;
    struct effect *effect;
    struct store *extra;          /* a further store (ledger, accounts), freed after the effect */
    struct service_limits limits; /* zero: the defaults */
};

struct buf;

struct service_program {
    struct runtime_program runtime; /* its name is spec's */
    const struct service_spec *spec;
    const char *store; /* "order": HOME/store/order.db, and the owner of the migrations */
    const struct migration *migrations;
    size_t migration_count;
    /* Fills `made`; what it has put there when it fails is destroyed too. NULL: makes nothing. */
    enum result (*create)(const struct runtime *runtime, const void *context,
                          struct service_made *made, struct err *err);
    const void *context;         /* what the program has read from its own options; may be NULL */
    void (*destroy)(void *self); /* of `self`; NULL: nothing to free */
    void (*metrics)(void *self, struct buf *out); /* its own numbers; NULL: none */
};

int service_main(const struct service_program *program, int argc, char **argv);

/* The numbers of a service loop as Prometheus text; reads its tables, so not while a transaction is
 * open. */
void service_metrics(const struct service *service, const struct topology *topology,
                     int64_t now_wall_ms, struct buf *out);
struct otlp;
/* Spans sent and dropped; NULL writes zeros. */
void otlp_metrics(const struct otlp *otlp, struct buf *out);
/* Memory and descriptors of this process. */
void process_metrics(const struct clock *clock, struct buf *out);

#endif
