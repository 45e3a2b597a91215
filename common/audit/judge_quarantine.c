/* What the services have put aside. That something is in quarantine breaks no promise by itself; an
 * order that was accepted and is nowhere else does. */
#include <inttypes.h>
#include <string.h>

#include "common/audit/evidence.h"

static bool order_exists(const struct evidence *e, const char *id)
{
    const struct order_case *order = map_find(&e->orders, id);
    return order && order->fact_count > 0;
}

static void judge_one(struct evidence *e, const struct quarantined *one)
{
    noted(e, "in the quarantine of %s: %s %s of %s: %s", one->service,
          one->type[0] ? one->type : "no envelope,", one->id[0] ? one->id : "without an id",
          one->subject[0] ? one->subject : "nothing known", one->reason);
    if (strcmp(one->type, "order.place") == 0 && !order_exists(e, one->subject))
        violated(e, 1, "order %s was accepted and is in the quarantine of %s: %s", one->subject,
                 one->service, one->reason);
}

void judge_quarantine(struct evidence *e)
{
    for (size_t i = 0; i < e->quarantine_count; i++)
        judge_one(e, &e->quarantine[i]);
    int64_t expected = e->options->quarantined;
    int64_t found = e->report->counts.quarantined;
    if (expected >= 0 && found != expected)
        violated(e, 6, "%" PRId64 " messages are in quarantine, %" PRId64 " belong there", found,
                 expected);
    if (e->options->dead_letters > 0)
        violated(e, 6, "the broker has dead-lettered %" PRId64 " messages",
                 e->options->dead_letters);
}
