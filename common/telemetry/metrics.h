/* Writing the Prometheus text format (version 0.0.4). A service keeps its numbers where it counts
 * them and writes them out when asked. */
#ifndef WARREN_TELEMETRY_METRICS_H
#define WARREN_TELEMETRY_METRICS_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/telemetry/histogram.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* # HELP and # TYPE, once per name before its samples. */
void metric_head(struct buf *out, const char *name, enum metric_kind kind, const char *help);
/* One sample; `label` NULL for none. The value is escaped. */
void metric_sample(struct buf *out, const char *name, const char *label, const char *label_value,
                   int64_t number);
/* The same with any number of labels, at most four. */
struct metric_label {
    const char *name;
    const char *value; /* escaped */
};
void metric_sample_of(struct buf *out, const char *name, const struct metric_label *labels,
                      size_t label_count, int64_t number);
/* Both, for a metric of one sample. */
void metric_write(struct buf *out, const char *name, enum metric_kind kind, const char *help,
                  int64_t number);
/* A gauge in seconds, from milliseconds. */
void metric_write_ms(struct buf *out, const char *name, const char *help, int64_t ms);
/* Head, buckets, sum and count. One of HISTOGRAM_TIME is written in seconds. */
void metric_write_histogram(struct buf *out, const char *name, const char *help,
                            const struct histogram *histogram);

#endif
