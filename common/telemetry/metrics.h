/* Writing the Prometheus text format (version 0.0.4). A service keeps its numbers where it counts
 * them and writes them out when asked. */
#ifndef WARREN_TELEMETRY_METRICS_H
#define WARREN_TELEMETRY_METRICS_H

#include <stdint.h>

#include "common/base/buf.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

/* # HELP and # TYPE, once per name before its samples. */
void metric_head(struct buf *out, const char *name, enum metric_kind kind, const char *help);
/* One sample; `label` NULL for none. The value is escaped. */
void metric_sample(struct buf *out, const char *name, const char *label, const char *label_value,
                   int64_t number);
/* Both, for a metric of one sample. */
void metric_write(struct buf *out, const char *name, enum metric_kind kind, const char *help,
                  int64_t number);

#endif
