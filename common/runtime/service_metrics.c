#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "common/runtime/service_main.h"
#include "common/telemetry/metrics.h"

static void counter(struct buf *out, const char *name, const char *help, uint64_t number)
{
    metric_write(out, name, METRIC_COUNTER, help, (int64_t)number);
}

static void gauge(struct buf *out, const char *name, const char *help, int64_t number)
{
    metric_write(out, name, METRIC_GAUGE, help, number);
}

static void publishes(const struct service_state *state, struct buf *out)
{
    static const char name[] = "warren_publishes_settled_total";
    counter(out, "warren_publishes_total", "Messages handed to the broker.", state->published);
    metric_head(out, name, METRIC_COUNTER, "Publishes whose fate is known.");
    metric_sample(out, name, "fate", "confirmed", (int64_t)state->confirmed);
    metric_sample(out, name, "fate", "returned", (int64_t)state->returned);
    metric_sample(out, name, "fate", "nacked", (int64_t)state->nacked);
}

void service_metrics(const struct service_state *state, struct buf *out)
{
    gauge(out, "warren_bus_up", "1 while connected to the broker.", state->bus_up);
    gauge(out, "warren_bus_blocked", "1 while the broker asks to hold.", state->blocked);
    gauge(out, "warren_outbox_unsent", "Outbox rows not yet confirmed.", (int64_t)state->unsent);
    gauge(out, "warren_calls_in_flight", "Outside calls without an answer.", (int64_t)state->calls);
    counter(out, "warren_messages_handled_total", "Messages handled.", state->handled);
    counter(out, "warren_messages_duplicate_total", "Messages known from before.",
            state->duplicates);
    counter(out, "warren_messages_deferred_total", "Messages put off.", state->deferred);
    counter(out, "warren_messages_quarantined_total", "Messages put aside for good.",
            state->quarantined);
    counter(out, "warren_conflicts_total", "Version conflicts.", state->conflicts);
    counter(out, "warren_rollbacks_total", "Batches rolled back.", state->rollbacks);
    counter(out, "warren_batches_total", "Batches committed.", state->batches);
    counter(out, "warren_bus_reconnects_total", "Connections lost and made again.",
            state->reconnects);
    publishes(state, out);
}

static int64_t resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_descriptors(void)
{
    int64_t count = -3; /* ".", ".." and the folder itself */
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

void process_metrics(struct buf *out)
{
    gauge(out, "process_resident_memory_bytes", "Resident memory.", resident_bytes());
    gauge(out, "process_open_fds", "Open descriptors.", open_descriptors());
}
