/* The commands in flight: published, or waiting for room on the wire, and not answered yet; and those
 * answered without their fate, which is still heard when it comes. A fixed number of slots; a token names a
 * slot and its use, so that a fate meets nobody else. All deadlines are equally long, so the oldest is
 * due first. */
#ifndef WARREN_EDGE_SERVICE_INFLIGHT_H
#define WARREN_EDGE_SERVICE_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/telemetry/trace.h"
#include "edge-service/accepted.h"
#include "edge-service/sent.h"

struct flight {
    TAILQ_ENTRY(flight) link;   /* all of them, or all that are late, by age */
    TAILQ_ENTRY(flight) unsent; /* those not on the wire yet, by age */
    bool on_wire;
    bool late;                    /* answered without its fate */
    struct attempts *attempts;    /* of its order's, or of its command's */
    struct accepted_order *order; /* of place, else NULL */
    struct sent_command *sent;    /* of any other, else NULL */
    uint64_t token;
    int64_t deadline_mono_ms;
    struct edge_caller caller;
    char order_id[UUID_SIZE]; /* "" for none */
    char key[KEY_SIZE];
    const char *type;
    struct id message_id;
    char traceparent[TRACEPARENT_SIZE];
    char parent[TRACEPARENT_SIZE]; /* the request's; "" for none */
    int64_t begun_us;              /* monotonic */
    int64_t time_ms;
    struct buf body; /* memory kept between uses */
};
TAILQ_HEAD(flight_queue, flight);

struct inflight {
    struct flight *slots;
    size_t max, used; /* used: slots that have ever been taken */
    size_t count;     /* without those that are late */
    struct flight_queue idle, by_age, late, unsent;
};

void inflight_init(struct inflight *inflight, size_t max);
void inflight_release(struct inflight *inflight);
/* A slot, in the queue of unsent ones; NULL: all are taken. */
struct flight *inflight_take(struct inflight *inflight, int64_t deadline_mono_ms);
/* NULL: that use of the slot is over. */
struct flight *inflight_find(struct inflight *inflight, uint64_t token);
void inflight_sent(struct inflight *inflight, struct flight *flight);
/* It has been answered, and keeps its slot until its fate is heard. */
void inflight_late(struct inflight *inflight, struct flight *flight);
void inflight_give_back(struct inflight *inflight, struct flight *flight);

#endif
