/* Whether the stores and the broker belong together (docs/adr/0030). A suite has an id. It is kept beside the
 * stores, in HOME/store/suite-id, and at the broker as two durable exchanges that nobody publishes to:
 * "warren.suite", which can be declared for one id only, and "warren.suite.ID", which anybody may ask for. */
#ifndef WARREN_CLI_IDENTITY_H
#define WARREN_CLI_IDENTITY_H

#include <stdbool.h>

#include "cli/suite.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/messaging/amqp_link.h"

#define IDENTITY_EXCHANGE "warren.suite"

enum { IDENTITY_SIZE = 17 }; /* 16 hex digits */

enum identity_stores {
    STORES_NEW,  /* there are none yet, and no id */
    STORES_OLD,  /* they are from before there were ids; or their id has never been at a broker */
    STORES_HELD, /* their id has been at a broker */
};

enum identity_broker {
    BROKER_NOBODYS, /* it keeps no id */
    BROKER_OURS,
    BROKER_OTHERS,
};

enum identity_log { LOG_NONE, LOG_HOLDS_FACTS };

enum identity_verdict {
    IDENTITY_FITS,
    IDENTITY_CLAIM, /* the broker is to be told our id: it is new, or wiped, or both are from before ids */
    IDENTITY_OTHERS, /* the broker is another suite's */
    IDENTITY_STRAY,  /* nobody's id, and a log that is not known to be of these stores */
};

/* Pure. The log is that of a broker that keeps no id; of others it does not matter. */
enum identity_verdict identity_decide(enum identity_stores stores, enum identity_broker broker,
                                      enum identity_log log);

enum identity_force { IDENTITY_ASK, IDENTITY_ADOPT };

/* Before anything is declared at the broker at `target`: sees whether it is ours, and tells it so where it is
 * nobody's. With IDENTITY_ADOPT it becomes ours, whosever it was. `note` gets what is to be said all the
 * same ("": nothing). CONFLICT: it is another's, or may be; in words, with what to do. */
enum result identity_settle(const struct suite *suite, const struct clock *clock,
                            const struct amqp_target *target, enum identity_force force,
                            char note[160], struct err *err) WARN_UNUSED;

/* For whoever only looks, on a link of theirs. OK: it is ours, or that was never settled. CONFLICT: another's;
 * NOT_FOUND: nobody's, though it was ours. RETRY: no answer. */
enum result identity_look(const struct suite *suite, struct amqp_link *link,
                          struct err *err) WARN_UNUSED;

#endif
