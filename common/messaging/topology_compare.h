/* What the tables say against what a broker has. AMQP 0-9-1 has no way to ask for a binding, and a
 * fact whose binding is gone is confirmed all the same, since the log takes every fact: so somebody
 * who may look at the broker compares, and tells those who may not (docs/adr/0021). Pure. */
#ifndef WARREN_MESSAGING_TOPOLOGY_COMPARE_H
#define WARREN_MESSAGING_TOPOLOGY_COMPARE_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/messaging/queue_rules.h"
#include "common/messaging/topology.h"

/* What was found; everything is borrowed. Bindings of exchanges to exchanges are none of ours. */
struct topology_found {
    const struct exchange_spec *exchanges;
    size_t exchange_count;
    const char *const *queues;
    size_t queue_count;
    const struct binding_spec *bindings; /* those of the default exchange left out */
    size_t binding_count;
    const struct queue_setting *settings; /* NULL: not looked at. "queue-type" is one of them */
    size_t setting_count;
};

enum topology_fault {
    TOPOLOGY_MISSING, /* messages get lost */
    TOPOLOGY_OTHER,   /* an exchange or a queue of another type: messages go elsewhere */
    TOPOLOGY_SURPLUS, /* one of our queues gets what no table says: a warning */
    TOPOLOGY_LOSSY,   /* a policy or an argument makes a queue lose messages (queue_rules.h) */
    TOPOLOGY_ALTERED, /* it makes a queue work otherwise than its table says: a warning */
    TOPOLOGY_FAULTS
};
const char *topology_fault_name(enum topology_fault fault);
/* Whether it is only to be known: nothing of it counts as wrong. */
bool topology_is_warning(enum topology_fault fault);

struct topology_finding {
    enum topology_fault fault;
    char queue[64]; /* whose consumer it concerns; "": everybody */
    char text[192]; /* "binding payment.captured -> order.payments is missing" */
};

enum { TOPOLOGY_FINDINGS_KEPT = 32 };

/* In a suite's home: where the last verdict is. */
#define TOPOLOGY_VERDICT_FILE "run/bindings"

/* One look at a broker. */
struct topology_verdict {
    bool looked;
    char reason[160];   /* why not, "" when looked */
    int64_t at_mono_ms; /* of this machine, whatever its time of day */
    size_t untold;      /* queues whose policies the broker has not told yet; not in the file */
    size_t count; /* of findings; the first TOPOLOGY_FINDINGS_KEPT are kept, the worst first */
    size_t wrong; /* of those that are more than a warning */
    struct topology_finding findings[TOPOLOGY_FINDINGS_KEPT];
};

/* Adds the findings to the verdict. The exchanges and queues that belong to no service count as well.
 * A missing queue stands for its bindings, a missing exchange for its own. */
void topology_compare(const struct topology *const *tables, size_t count,
                      const struct topology_found *found, struct topology_verdict *verdict);
size_t topology_kept(const struct topology_verdict *verdict);

/* As text, for a file, and back. INVALID: it is no verdict. */
void topology_verdict_print(const struct topology_verdict *verdict, struct buf *out);
enum result topology_verdict_read(const char *text, struct topology_verdict *ret_verdict,
                                  struct err *err) WARN_UNUSED;

/* For a service's readiness: whether nothing of what its table names is wrong. A queue that loses messages
 * concerns everybody: who publishes says "accepted" for what gets lost there. Appends a line for
 * each thing that is to `wrong`, and to `notes` what else there is to say: when it was looked at, or
 * that nobody has looked, which is never called right. NULL: there is no verdict at all. */
bool topology_ready(const struct topology_verdict *verdict, const struct topology *table,
                    int64_t now_mono_ms, struct buf *wrong, struct buf *notes);

#endif
