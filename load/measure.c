#include "load/measure.h"

#include <stdlib.h>
#include <string.h>

struct phase {
    struct load_histogram accept, settle;
};

struct measure {
    struct load_report *report;
    int64_t begun_ns;
    int64_t own_lateness;
    int64_t last_settled_ns;
    int64_t accepted, settled_accepted; /* for the level of what is unsettled */
    struct load_sample now;             /* counts of this second */
    struct load_histogram second[LOAD_NOTIFY + 1];
    int64_t recent_p99_us;
    struct phase *phases;
};

struct measure *measure_new(struct load_report *report)
{
    struct measure *measure = calloc(1, sizeof *measure);
    if (!measure)
        abort();
    measure->report = report;
    measure->phases = calloc(report->plan.phase_count + 1, sizeof *measure->phases);
    if (!measure->phases)
        abort();
    return measure;
}

void measure_free(struct measure *measure)
{
    if (measure)
        free(measure->phases);
    free(measure);
}

void measure_begin(struct measure *measure, int64_t now_ns)
{
    measure->begun_ns = now_ns;
}

int64_t measure_begun_ns(const struct measure *measure)
{
    return measure->begun_ns;
}

static struct load_phase *phase_of(struct measure *measure, const struct fate *fate)
{
    return &measure->report->plan.phases[fate->phase];
}

static int64_t us_between(int64_t from_ns, int64_t to_ns)
{
    return to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
}

void measure_offered(struct measure *measure, size_t phase)
{
    measure->report->totals.offered++;
    measure->report->plan.phases[phase].offered++;
    measure->now.offered++;
}

void measure_sent(struct measure *measure, const struct fate *fate, int64_t now_ns,
                  bool free_connection)
{
    struct load_totals *totals = &measure->report->totals;
    int64_t late_us = us_between(fate->intended_ns, now_ns);
    totals->sent++;
    phase_of(measure, fate)->sent++;
    measure->now.sent++;
    totals->late += late_us > LATE_AFTER_US;
    measure->own_lateness += late_us > LATE_AFTER_US && free_connection;
    load_histogram_add(&measure->report->latency[LOAD_LATENESS], late_us);
}

void measure_accepted(struct measure *measure, const struct fate *fate, int64_t now_ns)
{
    int64_t us = us_between(fate->intended_ns, now_ns);
    measure->report->totals.accepted++;
    phase_of(measure, fate)->accepted++;
    measure->now.accepted++;
    measure->accepted++;
    measure->settled_accepted += fate->settled_ns != 0;
    load_histogram_add(&measure->report->latency[LOAD_ACCEPT], us);
    load_histogram_add(&measure->second[LOAD_ACCEPT], us);
    load_histogram_add(&measure->phases[fate->phase].accept, us);
}

void measure_error(struct measure *measure, const struct fate *fate, const char *kind)
{
    load_tally_add(&measure->report->totals.errors, kind, 1);
    phase_of(measure, fate)->errors++;
    measure->now.errors++;
}

void measure_gave_up(struct measure *measure, const struct fate *fate)
{
    struct load_totals *totals = &measure->report->totals;
    if (fate->answer == ANSWER_UNKNOWN)
        totals->unknown++;
    else
        totals->refused++;
}

void measure_query(struct measure *measure, int64_t intended_ns, int64_t now_ns, bool fine)
{
    measure->report->totals.queries++;
    measure->report->totals.queries_failed += !fine;
    if (fine)
        load_histogram_add(&measure->report->latency[LOAD_QUERY], us_between(intended_ns, now_ns));
}

void measure_cancel(struct measure *measure, bool fine)
{
    measure->report->totals.cancels++;
    measure->report->totals.cancels_failed += !fine;
}

static const char *end_name(enum fact_kind kind)
{
    switch (kind) {
    case FACT_CONFIRMED:
        return "confirmed";
    case FACT_REJECTED:
        return "rejected";
    case FACT_CANCELLED:
        return "cancelled";
    case FACT_EXPIRED:
        return "expired";
    default:
        return "other";
    }
}

void measure_settled(struct measure *measure, const struct fate *fate, const char *reason)
{
    char label[LOAD_LABEL_MAX];
    int64_t us = us_between(fate->intended_ns, fate->settled_ns);
    snprintf(label, sizeof label, "%s%s%.40s", end_name(fate->end), reason[0] ? ": " : "", reason);
    load_tally_add(&measure->report->totals.outcomes, label, 1);
    measure->report->totals.settled++;
    measure->now.settled++;
    measure->settled_accepted += fate->answer == ANSWER_ACCEPTED;
    if (fate->settled_ns > measure->last_settled_ns)
        measure->last_settled_ns = fate->settled_ns;
    load_histogram_add(&measure->report->latency[LOAD_SETTLE], us);
    load_histogram_add(&measure->second[LOAD_SETTLE], us);
    load_histogram_add(&measure->phases[fate->phase].settle, us);
}

void measure_notified(struct measure *measure, const struct fate *fate)
{
    int64_t us = us_between(fate->intended_ns, fate->notified_ns);
    measure->report->totals.notified++;
    measure->now.notified++;
    load_histogram_add(&measure->report->latency[LOAD_NOTIFY], us);
    load_histogram_add(&measure->second[LOAD_NOTIFY], us);
}

struct load_sample *measure_tick(struct measure *measure, int64_t now_ns)
{
    struct load_sample *sample = load_series_add(&measure->report->series);
    sample->at_us = us_between(measure->begun_ns, now_ns);
    sample->offered = measure->now.offered;
    sample->sent = measure->now.sent;
    sample->accepted = measure->now.accepted;
    sample->errors = measure->now.errors;
    sample->settled = measure->now.settled;
    sample->notified = measure->now.notified;
    sample->unsettled = measure_unsettled(measure);
    for (size_t i = 0; i <= LOAD_NOTIFY; i++)
        sample->latency[i] = load_moment_of(&measure->second[i]);
    measure->recent_p99_us = sample->latency[LOAD_ACCEPT].p99_us;
    memset(&measure->now, 0, sizeof measure->now);
    for (size_t i = 0; i <= LOAD_NOTIFY; i++)
        if (measure->second[i].count > 0)
            memset(&measure->second[i], 0, sizeof measure->second[i]);
    return sample;
}

int64_t measure_recent_p99_us(const struct measure *measure)
{
    return measure->recent_p99_us;
}

int64_t measure_unsettled(const struct measure *measure)
{
    return measure->accepted - measure->settled_accepted;
}

int64_t measure_own_lateness(const struct measure *measure)
{
    return measure->own_lateness;
}

int64_t measure_last_settled_ns(const struct measure *measure)
{
    return measure->last_settled_ns;
}

bool measure_phase_broken(const struct measure *measure, size_t phase, int64_t bound_us)
{
    int64_t over = load_histogram_above(&measure->phases[phase].settle, bound_us);
    return over * 100 > measure->report->plan.phases[phase].offered;
}

void measure_finish(struct measure *measure)
{
    struct load_plan *plan = &measure->report->plan;
    int64_t bound_us = measure->report->limit.bound_us;
    for (size_t i = 0; i < plan->phase_count; i++) {
        struct load_phase *phase = &plan->phases[i];
        const struct phase *seen = &measure->phases[i];
        phase->accept_p99_us = load_histogram_quantile(&seen->accept, LOAD_P99);
        phase->settle_p50_us = load_histogram_quantile(&seen->settle, LOAD_P50);
        phase->settle_p99_us = load_histogram_quantile(&seen->settle, LOAD_P99);
        phase->settle_max_us = load_histogram_quantile(&seen->settle, LOAD_P100);
        /* An order that was refused, lost or never sent has not settled in time either. */
        int64_t in_time = seen->settle.count - load_histogram_above(&seen->settle, bound_us);
        phase->held = bound_us > 0 && in_time * 100 >= phase->offered * 99;
    }
    load_limit_find(measure->report);
}
