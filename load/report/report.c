#include "load/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load_report *load_report_new(void)
{
    struct load_report *report = calloc(1, sizeof *report);
    if (!report)
        abort();
    report->plan.connections = LOAD_UNKNOWN;
    report->machine.memory_bytes = LOAD_UNKNOWN;
    report->machine.cores = LOAD_UNKNOWN;
    report->after = (struct load_after){LOAD_UNKNOWN, LOAD_UNKNOWN, LOAD_UNKNOWN,
                                        LOAD_UNKNOWN, LOAD_UNKNOWN, LOAD_UNKNOWN};
    report->generator.cpu_milli = LOAD_UNKNOWN;
    return report;
}

void load_report_free(struct load_report *report)
{
    if (report)
        free(report->series.samples);
    free(report);
}

void load_text(char *field, size_t size, const char *text)
{
    snprintf(field, size, "%s", text);
    /* A cut must not leave half a UTF-8 sequence behind. */
    size_t length = strlen(field);
    if (length < strlen(text)) {
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
        field[length] = '\0';
    }
}

void load_tally_add(struct load_tallies *tallies, const char *label, int64_t count)
{
    char name[LOAD_LABEL_MAX];
    load_text(name, sizeof name, label);
    for (size_t i = 0; i < tallies->count; i++) {
        if (strcmp(tallies->items[i].label, name) == 0) {
            tallies->items[i].count += count;
            return;
        }
    }
    if (tallies->count == LOAD_TALLIES_MAX) {
        tallies->items[LOAD_TALLIES_MAX - 1].count += count;
        return;
    }
    struct load_tally *tally = &tallies->items[tallies->count++];
    load_text(tally->label, sizeof tally->label,
              tallies->count == LOAD_TALLIES_MAX ? "other" : name);
    tally->count = count;
}

size_t load_name_index(struct load_names *names, size_t max, const char *name)
{
    char label[LOAD_LABEL_MAX];
    load_text(label, sizeof label, name);
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], label) == 0)
            return i;
    }
    if (names->count == max)
        return max;
    load_text(names->items[names->count], LOAD_LABEL_MAX, label);
    return names->count++;
}

static void all_unknown(int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = LOAD_UNKNOWN;
}

struct load_sample *load_series_add(struct load_series *series)
{
    if (series->count == series->capacity) {
        series->capacity = series->capacity ? 2 * series->capacity : 128;
        series->samples = realloc(series->samples, series->capacity * sizeof *series->samples);
        if (!series->samples)
            abort();
    }
    struct load_sample *sample = &series->samples[series->count++];
    *sample = (struct load_sample){.projection_lag = LOAD_UNKNOWN};
    all_unknown(sample->queue_ready, LOAD_QUEUES_MAX);
    all_unknown(sample->queue_unacked, LOAD_QUEUES_MAX);
    all_unknown(sample->outbox, LOAD_SERVICES_MAX);
    all_unknown(sample->cpu_milli, LOAD_PROCESSES_MAX);
    all_unknown(sample->rss_bytes, LOAD_PROCESSES_MAX);
    return sample;
}

struct load_moment load_moment_of(const struct load_histogram *histogram)
{
    return (struct load_moment){
        .count = histogram->count,
        .p50_us = load_histogram_quantile(histogram, LOAD_P50),
        .p99_us = load_histogram_quantile(histogram, LOAD_P99),
        .max_us = histogram->max_us,
    };
}

void load_fate_add(struct load_fate *fate, enum load_finding_kind kind, const char *order_id,
                   const char *key)
{
    int64_t *const counts[] = {
        [LOAD_LOST] = &fate->lost,           [LOAD_DOUBLED] = &fate->doubled,
        [LOAD_UNSETTLED] = &fate->unsettled, [LOAD_UNANSWERED] = &fate->unanswered,
        [LOAD_UNREFUSED] = &fate->unrefused,
    };
    ++*counts[kind];
    if (fate->finding_count == LOAD_FINDINGS_MAX)
        return;
    struct load_finding *finding = &fate->findings[fate->finding_count++];
    finding->kind = kind;
    load_text(finding->order_id, sizeof finding->order_id, order_id);
    load_text(finding->key, sizeof finding->key, key);
}

bool load_phase_complete(const struct load_report *report, size_t phase)
{
    int64_t begin_us = 0;
    for (size_t i = 0; i < phase; i++)
        begin_us += report->plan.phases[i].duration_us;
    int64_t lasted_us = report->identity.duration_us - begin_us;
    return lasted_us >= report->plan.phases[phase].duration_us / 10 * 9;
}

void load_limit_find(struct load_report *report)
{
    struct load_limit *limit = &report->limit;
    limit->best_rate = limit->first_bad = 0;
    for (size_t i = 0; i < report->plan.phase_count && limit->bound_us > 0; i++) {
        struct load_phase *phase = &report->plan.phases[i];
        bool complete = load_phase_complete(report, i);
        if (complete && !phase->held && (limit->first_bad <= 0 || phase->rate < limit->first_bad))
            limit->first_bad = phase->rate;
        phase->held = phase->held && complete;
    }
    for (size_t i = 0; i < report->plan.phase_count; i++) {
        const struct load_phase *phase = &report->plan.phases[i];
        bool below = limit->first_bad <= 0 || phase->rate < limit->first_bad;
        if (phase->held && below && phase->rate > limit->best_rate)
            limit->best_rate = phase->rate;
    }
}

const char *load_finding_name(enum load_finding_kind kind)
{
    static const char *const names[] = {
        [LOAD_LOST] = "lost",
        [LOAD_DOUBLED] = "doubled",
        [LOAD_UNSETTLED] = "unsettled",
        [LOAD_UNANSWERED] = "unanswered",
        [LOAD_UNREFUSED] = "refused, and exists",
    };
    return names[kind];
}

int64_t load_fate_wrong(const struct load_fate *fate)
{
    return fate->lost + fate->doubled + fate->unsettled + fate->unrefused +
           (fate->may_be_unanswered ? 0 : fate->unanswered);
}

bool load_report_clean(const struct load_report *report)
{
    const struct load_fate *fate = &report->fate;
    return fate->checked > 0 && fate->trouble[0] == '\0' && load_fate_wrong(fate) == 0;
}
