#include "load/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "load/random.h"

enum { RATE_MAX = 10000000, SECONDS_MAX = 7 * 86400 };
static const double second_ns = 1e9;

static enum result parse_phase(const char *text, struct schedule_phase *ret_phase, struct err *err)
{
    char *end;
    struct schedule_phase phase;
    phase.from = phase.to = strtod(text, &end);
    if (end != text && *end == '-') {
        const char *second = end + 1;
        phase.to = strtod(second, &end);
        if (end == second)
            return err_set(err, INVALID, "'%.40s': RATE:SECONDS or FROM-TO:SECONDS", text);
    }
    if (end == text || *end != ':')
        return err_set(err, INVALID, "'%.40s': RATE:SECONDS or FROM-TO:SECONDS", text);
    const char *number = end + 1;
    double seconds = strtod(number, &end);
    if (end == number || (*end != '\0' && *end != ','))
        return err_set(err, INVALID, "'%.40s': RATE:SECONDS or FROM-TO:SECONDS", text);
    if (!(phase.from >= 0 && phase.from <= RATE_MAX && phase.to >= 0 && phase.to <= RATE_MAX))
        return err_set(err, INVALID, "'%.40s': a rate is 0 to %d", text, RATE_MAX);
    if (!(seconds * second_ns >= 1 && seconds <= SECONDS_MAX))
        return err_set(err, INVALID, "'%.40s': a phase takes more than 0 and at most %d s", text,
                       SECONDS_MAX);
    phase.duration_ns = llround(seconds * second_ns);
    *ret_phase = phase;
    return OK;
}

enum result schedule_parse(const char *text, struct schedule_plan *plan, struct err *err)
{
    plan->count = 0;
    for (const char *item = text; item; item = strchr(item, ',')) {
        item += item != text;
        if (plan->count == SCHEDULE_PHASES_MAX)
            return err_set(err, INVALID, "more than %d phases", SCHEDULE_PHASES_MAX);
        enum result result = parse_phase(item, &plan->phases[plan->count], err);
        if (result != OK)
            return result;
        plan->count++;
    }
    return OK;
}

int64_t schedule_duration_ns(const struct schedule_plan *plan)
{
    int64_t sum = 0;
    for (size_t i = 0; i < plan->count; i++)
        sum += plan->phases[i].duration_ns;
    return sum;
}

/* How many arrivals a whole phase has. */
static double phase_total(const struct schedule_phase *phase)
{
    return (phase->from + phase->to) / 2 * ((double)phase->duration_ns / second_ns);
}

/* When the integral of the rate, from the phase's begin, reaches `due`: the root of
 * from t + (to - from) t^2 / 2T = due, in the form that is stable for a flat line too. */
static double reached_s(const struct schedule_phase *phase, double due)
{
    double slope = (phase->to - phase->from) / ((double)phase->duration_ns / second_ns);
    double root = sqrt(phase->from * phase->from + 2 * slope * due);
    return due <= 0 ? 0 : 2 * due / (phase->from + root);
}

/* Arrivals of a process of rate 1, bent by the rate: the time at which its integral has come to
 * where the next one is due. What a phase leaves over goes on into the next. */
static void settle(struct schedule *schedule)
{
    const struct schedule_plan *plan = schedule->plan;
    while (schedule->phase < plan->count) {
        const struct schedule_phase *phase = &plan->phases[schedule->phase];
        double total = phase_total(phase);
        if (schedule->due < total - 1e-9) {
            int64_t at = llround(reached_s(phase, schedule->due) * second_ns);
            schedule->next_ns =
                schedule->phase_begin_ns + (at < phase->duration_ns ? at : phase->duration_ns - 1);
            return;
        }
        schedule->due = schedule->due > total ? schedule->due - total : 0;
        schedule->phase_begin_ns += phase->duration_ns;
        schedule->phase++;
    }
    schedule->next_ns = INT64_MAX;
}

static double distance(struct schedule *schedule)
{
    if (schedule->plan->kind == SCHEDULE_EVEN)
        return 1;
    return -log1p(-random_unit(&schedule->random));
}

void schedule_begin(const struct schedule_plan *plan, struct schedule *ret_schedule)
{
    *ret_schedule = (struct schedule){.plan = plan, .random = plan->seed};
    if (plan->kind == SCHEDULE_POISSON)
        ret_schedule->due = distance(ret_schedule);
    settle(ret_schedule);
}

void schedule_step(struct schedule *schedule)
{
    schedule->due += distance(schedule);
    schedule->ordinal++;
    settle(schedule);
}
