#include "common/telemetry/metrics.h"

#include <inttypes.h>

void metric_head(struct buf *out, const char *name, enum metric_kind kind, const char *help)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kinds[kind]);
}

static void write_label_value(struct buf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n')
            buf_text(out, "\\n");
        else if (*value == '"' || *value == '\\')
            buf_printf(out, "\\%c", *value);
        else
            buf_append(out, value, 1);
    }
}

void metric_sample_of(struct buf *out, const char *name, const struct metric_label *labels,
                      size_t label_count, int64_t number)
{
    buf_text(out, name);
    for (size_t i = 0; i < label_count; i++) {
        buf_printf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
        write_label_value(out, labels[i].value);
        buf_text(out, "\"");
    }
    buf_printf(out, "%s %" PRId64 "\n", label_count > 0 ? "}" : "", number);
}

void metric_sample(struct buf *out, const char *name, const char *label, const char *label_value,
                   int64_t number)
{
    const struct metric_label one = {label, label_value};
    metric_sample_of(out, name, &one, label ? 1 : 0, number);
}

void metric_write(struct buf *out, const char *name, enum metric_kind kind, const char *help,
                  int64_t number)
{
    metric_head(out, name, kind, help);
    metric_sample(out, name, NULL, NULL, number);
}

void metric_write_ms(struct buf *out, const char *name, const char *help, int64_t ms)
{
    metric_head(out, name, METRIC_GAUGE, help);
    buf_printf(out, "%s %.3f\n", name, (double)ms / 1000);
}

static void write_value(struct buf *out, unsigned shift, int64_t value)
{
    if (shift == HISTOGRAM_TIME)
        buf_printf(out, "%.6f", (double)value / 1000000);
    else
        buf_printf(out, "%" PRId64, value);
}

void metric_write_histogram(struct buf *out, const char *name, const char *help,
                            const struct histogram *histogram)
{
    uint64_t count = 0;
    metric_head(out, name, METRIC_HISTOGRAM, help);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += histogram->buckets[i];
        buf_printf(out, "%s_bucket{le=\"", name);
        if (i < HISTOGRAM_BUCKETS - 1)
            write_value(out, histogram->shift, INT64_C(1) << (histogram->shift + i));
        else
            buf_text(out, "+Inf");
        buf_printf(out, "\"} %" PRIu64 "\n", count);
    }
    buf_printf(out, "%s_sum ", name);
    write_value(out, histogram->shift, histogram->sum);
    buf_printf(out, "\n%s_count %" PRIu64 "\n", name, count);
}
