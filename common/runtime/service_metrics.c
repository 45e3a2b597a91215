#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "common/runtime/service_main.h"
#include "common/telemetry/metrics.h"
#include "common/telemetry/otlp.h"

static void counter(struct buf *out, const char *name, const char *help, uint64_t number)
{
    metric_write(out, name, METRIC_COUNTER, help, (int64_t)number);
}

static void gauge(struct buf *out, const char *name, const char *help, int64_t number)
{
    metric_write(out, name, METRIC_GAUGE, help, number);
}

static void messages(const struct service_numbers *numbers, const struct topology *topology,
                     struct buf *out)
{
    static const char name[] = "warren_messages_total";
    metric_head(out, name, METRIC_COUNTER, "Messages by what became of them, once committed.");
    for (size_t i = 0; i < topology->queue_count && i < SERVICE_QUEUES_MAX; i++) {
        for (int j = 0; j < OUTCOME_COUNT; j++) {
            const struct metric_label labels[] = {
                {"queue", topology->queues[i].name},
                {"outcome", outcome_name((enum message_outcome)j)}};
            metric_sample_of(out, name, labels, 2, (int64_t)numbers->messages[i][j]);
        }
    }
}

static void repeats(const struct service_numbers *numbers, const struct topology *topology,
                    struct buf *out)
{
    static const char name[] = "warren_repeats_total";
    metric_head(out, name, METRIC_COUNTER, "Messages said again, for they may have been lost.");
    for (size_t i = 0; i < topology->publication_count && i < SERVICE_PUBLICATIONS_MAX; i++)
        metric_sample(out, name, "type", topology->publications[i].type,
                      (int64_t)numbers->repeats[i]);
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

/* One that cannot be read now is left out, for Prometheus to show as a gap. */
static void tables(const struct service *service, int64_t now_wall_ms, struct buf *out)
{
    struct service_rows rows;
    if (service_rows(service, &rows, NULL) != OK)
        return;
    int64_t age_ms = rows.outbox > 0 ? now_wall_ms - rows.outbox_oldest_ms : 0;
    gauge(out, "warren_outbox_rows", "Messages in the outbox, all instances'.", rows.outbox);
    metric_write_ms(out, "warren_outbox_oldest_age_seconds", "Age of the outbox's first row.",
                    age_ms > 0 ? age_ms : 0);
    gauge(out, "warren_unlogged_rows", "Facts that wait for the log to come back.", rows.unlogged);
    gauge(out, "warren_jobs_open", "Outside calls whose answer is not accepted yet.", rows.jobs);
    gauge(out, "warren_deferred_rows", "Messages that wait for another attempt.", rows.deferred);
    gauge(out, "warren_quarantine_rows", "Messages put aside, for somebody to look at.",
          rows.quarantined);
}

static void standstill(const struct service_state *state, struct buf *out)
{
    static const char name[] = "warren_standing_still_seconds";
    metric_head(out, name, METRIC_GAUGE, "For how long nothing has moved there; 0: it moves.");
    for (int i = 0; i < SERVICE_STALLS; i++)
        metric_sample(out, name, "what", service_stall_name((enum service_stall)i),
                      state->stalled_ms[i] / 1000);
    metric_write_ms(out, "warren_oldest_in_hand_seconds", "Age of the oldest message in hand.",
                    state->oldest_ms);
}

static void latencies(const struct service_numbers *numbers, struct buf *out)
{
    metric_write_histogram(out, "warren_batch_messages", "Messages of one transaction.",
                           &numbers->batch);
    metric_write_histogram(out, "warren_batch_handle_seconds",
                           "Handlers of a transaction with messages, all together.",
                           &numbers->handle);
    metric_write_histogram(out, "warren_commit_seconds", "COMMIT of a transaction.",
                           &numbers->commit);
    metric_write_histogram(out, "warren_publish_confirm_seconds", "From a publish to its confirm.",
                           &numbers->confirm);
}

void service_metrics(const struct service *service, const struct topology *topology,
                     int64_t now_wall_ms, struct buf *out)
{
    struct service_state state;
    service_state(service, &state);
    gauge(out, "warren_bus_up", "1 while connected to the broker.", state.bus_up);
    gauge(out, "warren_bus_blocked", "1 while the broker asks to hold.", state.blocked);
    counter(out, "warren_bus_reconnects_total", "Connections lost.", state.reconnects);
    messages(service_numbers(service), topology, out);
    gauge(out, "warren_messages_in_hand", "Delivered, not acknowledged.", (int64_t)state.arrived);
    standstill(&state, out);
    counter(out, "warren_batches_total", "Transactions committed.", state.batches);
    counter(out, "warren_rollbacks_total", "Transactions rolled back.", state.rollbacks);
    counter(out, "warren_conflicts_total", "Messages run again for a version conflict.",
            state.conflicts);
    latencies(service_numbers(service), out);
    publishes(&state, out);
    repeats(service_numbers(service), topology, out);
    gauge(out, "warren_publishes_in_flight", "Published, not confirmed.", (int64_t)state.in_flight);
    gauge(out, "warren_outbox_unsent", "This instance's messages not confirmed yet.",
          (int64_t)state.unsent);
    gauge(out, "warren_calls_in_flight", "Outside calls without an answer.", (int64_t)state.calls);
    tables(service, now_wall_ms, out);
}

void otlp_metrics(const struct otlp *otlp, struct buf *out)
{
    struct otlp_counts counts = otlp_counts(otlp);
    counter(out, "warren_spans_exported_total", "Spans that the collector took.", counts.exported);
    counter(out, "warren_spans_dropped_total", "Spans that it did not, or had no room.",
            counts.dropped);
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

void process_metrics(const struct clock *clock, struct buf *out)
{
    metric_write_ms(out, "warren_clock_seconds", "The time of day, as this process takes it.",
                    clock_wall_ms(clock));
    gauge(out, "process_resident_memory_bytes", "Resident memory.", resident_bytes());
    gauge(out, "process_open_fds", "Open descriptors.", open_descriptors());
}
