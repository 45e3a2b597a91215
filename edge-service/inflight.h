/* The commands in flight: published, or waiting for room on the wire, and not answered yet. A fixed
 * number of slots; a token names a slot and its use, so that a fate that comes after the deadline
 * meets nobody. All deadlines are equally long, so the oldest is due first. */
#ifndef WARREN_EDGE_SERVICE_INFLIGHT_H
#define WARREN_EDGE_SERVICE_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/telemetry/trace.h"
#include "edge-service/edge.h"

struct flight {
    TAILQ_ENTRY(flight) link;   /* all of them, by age */
    TAILQ_ENTRY(flight) unsent; /* those not on the wire yet, by age */
    bool on_wire;
    bool is_place;
    uint64_t token;
    int64_t deadline_mono_ms;
    struct edge_caller caller;
    char order_id[UUID_SIZE]; /* "" for none */
    char key[KEY_SIZE];
    char owner[UUID_SIZE]; /* of another command than place: as in sent.h */
    char about[ABOUT_SIZE];
    char request_id[UUID_SIZE];
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
    size_t max, used, count; /* used: slots that have ever been taken */
    struct flight_queue idle, by_age, unsent;
};

void inflight_init(struct inflight *inflight, size_t max);
void inflight_release(struct inflight *inflight);
/* A slot, in the queue of unsent ones; NULL: all are taken. */
struct flight *inflight_take(struct inflight *inflight, int64_t deadline_mono_ms);
/* NULL: that use of the slot is over. */
struct flight *inflight_find(struct inflight *inflight, uint64_t token);
void inflight_sent(struct inflight *inflight, struct flight *flight);
void inflight_give_back(struct inflight *inflight, struct flight *flight);

#endif
