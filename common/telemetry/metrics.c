#include "common/telemetry/metrics.h"

#include <inttypes.h>

void metric_head(struct buf *out, const char *name, enum metric_kind kind, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
               kind == METRIC_COUNTER ? "counter" : "gauge");
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

void metric_sample(struct buf *out, const char *name, const char *label, const char *label_value,
                   int64_t number)
{
    buf_text(out, name);
    if (label) {
        buf_printf(out, "{%s=\"", label);
        write_label_value(out, label_value);
        buf_text(out, "\"}");
    }
    buf_printf(out, " %" PRId64 "\n", number);
}

void metric_write(struct buf *out, const char *name, enum metric_kind kind, const char *help,
                  int64_t number)
{
    metric_head(out, name, kind, help);
    metric_sample(out, name, NULL, NULL, number);
}
