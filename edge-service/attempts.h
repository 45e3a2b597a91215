/* What is known of all attempts at one command together: those under one key. An answer is about the
 * key, not about this attempt (docs/adr/0026): while one attempt may have been accepted, none is
 * refused. Zeroed nothing has been attempted. */
#ifndef WARREN_EDGE_SERVICE_ATTEMPTS_H
#define WARREN_EDGE_SERVICE_ATTEMPTS_H

#include <stdbool.h>

#include "edge-service/edge.h"

struct attempts {
    unsigned asked; /* requests that wait for their answer */
    unsigned open;  /* publishes on the wire whose fate may still be heard */
    bool doubt;     /* somebody was told that it is unknown */
    bool confirmed; /* one was */
};

/* Whether somebody still waits for one of them, or may still hear of it. */
static inline bool attempts_go_on(const struct attempts *attempts)
{
    return attempts->asked > 0 || attempts->open > 0;
}

/* What is said of the key, when `own` is what became of this attempt. Whoever has been told once that
 * it is unknown is not told later that it is refused. */
static inline enum edge_verdict attempts_answer(struct attempts *attempts, enum edge_verdict own)
{
    if (own != EDGE_REFUSED && own != EDGE_UNKNOWN)
        return own;
    if (attempts->confirmed)
        return EDGE_ACCEPTED;
    if (attempts->open > 0 || attempts->doubt)
        own = EDGE_UNKNOWN;
    attempts->doubt = own == EDGE_UNKNOWN;
    return own;
}

#endif
