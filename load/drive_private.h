/* Shared by drive.c (what is sent when) and drive_answers.c (what comes back). */
#ifndef WARREN_LOAD_DRIVE_PRIVATE_H
#define WARREN_LOAD_DRIVE_PRIVATE_H

#include "load/drive.h"
#include "load/due.h"
#include "load/schedule.h"
#include "load/wire.h"

enum operation { OP_PLACE, OP_CANCEL, OP_QUERY };

/* One request on its way. */
struct attempt {
    enum operation operation;
    uint32_t fate;
    uint32_t next_free;
    int64_t intended_ns;
    int64_t since_ns;        /* of the first attempt of this order */
    int64_t invoked_wall_ns; /* for the history */
};

struct drive {
    struct drive_options options;
    struct wire *wire;
    int64_t begun_ns, end_ns;
    bool stopped;

    struct schedule due;     /* counts what the schedule wants */
    struct schedule sending; /* the first of it that has not been sent */
    struct schedule_plan query_plan;
    struct schedule queries;
    uint64_t query_number;
    struct due_queue users;   /* closed loop: who is ready */
    struct due_queue again;   /* fates to repeat */
    struct due_queue cancels; /* fates to cancel */
    uint32_t next_ordinal;    /* closed loop */

    struct attempt *attempts;
    uint32_t attempt_count, free_attempt;
    int64_t starved_ns; /* when an order that was due last found no connection */
    uint32_t recent;    /* an order that was accepted a while ago, for queries */
    uint32_t newest;
    bool has_recent, has_newest;
    struct buf body;
};

/* The listener of the wire. */
void drive_answered(void *context, uint64_t token, const struct wire_answer *answer);

#endif
