#include "tests/unit/load_sample.h"

#include <math.h>

#include "common/base/clock.h"

enum { RATE = 1200, SECONDS = 60, TAIL = 4, STALL_BEGIN = 30, STALL_END = 32 };

static double uniform(struct manual_clock *dice)
{
    return ((double)(clock_random64(&dice->clock) >> 11) + 0.5) / 9007199254740992.0;
}

/* Milliseconds, skewed as latencies are. */
static int64_t draw_us(struct manual_clock *dice, double median_ms)
{
    double normal = sqrt(-2 * log(uniform(dice))) * cos(6.283185307179586 * uniform(dice));
    return (int64_t)(1000 * median_ms * exp(0.45 * normal));
}

static void identify(struct load_report *report)
{
    load_text(report->identity.title, LOAD_TEXT_MAX, "steady");
    load_text(report->identity.command, LOAD_COMMAND_MAX,
              "warren load --rate 1200 --duration 60 --arrivals poisson --out build/load/steady");
    load_text(report->identity.version, LOAD_TEXT_MAX, "warren 0.1.0");
    report->identity.started_ms = INT64_C(1795762800000);
    report->identity.duration_us = INT64_C(1000000) * SECONDS;
    load_text(report->machine.cpu_model, LOAD_TEXT_MAX, "A processor, 2.60 GHz");
    load_text(report->machine.kernel, LOAD_TEXT_MAX, "Linux 6.1.0");
    load_text(report->machine.broker, LOAD_TEXT_MAX, "RabbitMQ 3.10.8");
    report->machine.cores = 2;
    report->machine.memory_bytes = INT64_C(8) << 30;
    report->plan.mode = LOAD_OPEN_POISSON;
    report->plan.connections = 512;
    report->plan.phases[0] = (struct load_phase){
        .rate = RATE, .duration_us = INT64_C(1000000) * SECONDS, .offered = RATE * SECONDS};
    report->plan.phase_count = 1;
}

static void name_all(struct load_series *series)
{
    static const char *const queues[] = {"order.commands", "order.payments", "payment.orders",
                                         "notification.events"};
    static const char *const services[] = {"order-service 1", "payment-service 1",
                                           "notification-service 1"};
    static const char *const processes[] = {
        "edge-service 1",         "order-service 1", "payment-service 1",
        "notification-service 1", "broker",          "generator"};
    for (size_t i = 0; i < 4; i++)
        (void)load_name_index(&series->queues, LOAD_QUEUES_MAX, queues[i]);
    for (size_t i = 0; i < 3; i++)
        (void)load_name_index(&series->services, LOAD_SERVICES_MAX, services[i]);
    for (size_t i = 0; i < 6; i++)
        (void)load_name_index(&series->processes, LOAD_PROCESSES_MAX, processes[i]);
}

/* What waits at the end of this second: nothing much, but for the pause and just after it. */
static int64_t backlog_at(int second)
{
    if (second >= STALL_BEGIN && second < STALL_END)
        return RATE * (second + 1 - STALL_BEGIN);
    int64_t left = RATE * (STALL_END - STALL_BEGIN) - (int64_t)400 * (second + 1 - STALL_END);
    return second >= STALL_END && left > 0 ? left : 0;
}

static void fill_latency(struct load_report *report, struct load_sample *sample, int second,
                         struct manual_clock *dice)
{
    static const double medians[] = {4.2, 21, 34};
    double waited_ms = 1000.0 * (double)backlog_at(second) / RATE;
    for (int which = 0; which <= LOAD_NOTIFY; which++) {
        static struct load_histogram now;
        now = (struct load_histogram){0};
        int64_t count = which == LOAD_ACCEPT ? sample->accepted : sample->settled;
        for (int64_t i = 0; i < count; i++) {
            double wait = which == LOAD_ACCEPT ? 0 : waited_ms * (0.7 + 0.3 * uniform(dice));
            load_histogram_add(&now, draw_us(dice, medians[which]) + (int64_t)(1000 * wait));
        }
        sample->latency[which] = load_moment_of(&now);
        load_histogram_merge(&report->latency[which], &now);
    }
}

static void fill_levels(struct load_sample *sample, int second, struct manual_clock *dice)
{
    static const double cpu[] = {310, 420, 260, 180, 560, 150};
    static const double rss_mib[] = {14.2, 11.8, 9.6, 9.1, 128, 7.3};
    double busy = second < SECONDS ? 1 : 0.1;
    int64_t backlog = backlog_at(second);
    sample->in_flight = (int64_t)(12 * busy * uniform(dice));
    sample->unsettled = backlog + (int64_t)(60 * busy * uniform(dice));
    sample->projection_lag = (int64_t)(30 * busy * uniform(dice));
    for (size_t i = 0; i < 4; i++) {
        sample->queue_ready[i] = (int64_t)(8 * busy * uniform(dice)) + (i == 2 ? backlog : 0);
        sample->queue_unacked[i] = (int64_t)(40 * busy * uniform(dice));
    }
    for (size_t i = 0; i < 3; i++)
        sample->outbox[i] = (int64_t)(25 * busy * uniform(dice));
    for (size_t i = 0; i < 6; i++) {
        sample->cpu_milli[i] = (int64_t)(cpu[i] * busy * (0.85 + 0.3 * uniform(dice)));
        sample->rss_bytes[i] = (int64_t)(1048576 * (rss_mib[i] + 0.01 * second));
    }
}

static void fill_second(struct load_report *report, int second, struct manual_clock *dice)
{
    struct load_sample *sample = load_series_add(&report->series);
    int64_t offered = second < SECONDS ? RATE : 0;
    sample->at_us = INT64_C(1000000) * (second + 1);
    sample->offered = sample->sent = sample->accepted = offered;
    sample->settled = offered + backlog_at(second - 1) - backlog_at(second);
    sample->notified = sample->settled;
    /* The broker's management was too slow to answer once. */
    fill_levels(sample, second, dice);
    if (second == 12)
        sample->queue_ready[0] = LOAD_UNKNOWN;
    fill_latency(report, sample, second, dice);
    report->totals.offered += sample->offered;
    report->totals.sent += sample->sent;
    report->totals.accepted += sample->accepted;
    report->totals.settled += sample->settled;
    report->totals.notified += sample->notified;
    for (int64_t i = 0; i < sample->sent; i++)
        load_histogram_add(&report->latency[LOAD_LATENESS], draw_us(dice, 0.08));
}

struct load_report *load_sample_new(void)
{
    struct load_report *report = load_report_new();
    struct manual_clock dice;
    manual_clock_init(&dice, 0, 4);
    identify(report);
    name_all(&report->series);
    for (int second = 0; second < SECONDS + TAIL; second++)
        fill_second(report, second, &dice);
    load_tally_add(&report->totals.outcomes, "confirmed", report->totals.settled - 720);
    load_tally_add(&report->totals.outcomes, "rejected: payment-declined", 720);
    report->after = (struct load_after){.backlog_at_end = 31,
                                        .drain_us = 412000,
                                        .redeliveries = 17,
                                        .duplicates = 17,
                                        .deferred = 0,
                                        .quarantined = 0};
    report->fate.checked = report->totals.sent;
    report->generator.cpu_milli = 150;
    report->generator.max_in_flight = 141;
    return report;
}
