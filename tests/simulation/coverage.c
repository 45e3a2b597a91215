#include "tests/simulation/coverage.h"

#include <inttypes.h>
#include <stdio.h>

#include "edge-service/edge.h"

#define COVERAGE_TEXT(name, text) text,
static const char *const texts[COVER_COUNT] = {COVERAGE_ITEMS(COVERAGE_TEXT)};

const char *const kind_names[KIND_COUNT] = {"order", "payment", "notification", "edge"};

size_t coverage_phases(enum process_kind kind)
{
    return kind == KIND_EDGE ? EDGE_PHASE_COUNT : PHASE_COUNT;
}

const char *coverage_phase_name(enum process_kind kind, size_t phase)
{
    return kind == KIND_EDGE ? edge_phase_name((enum edge_phase)phase)
                             : phase_name((enum phase)phase);
}

void coverage_add(struct coverage *sum, const struct coverage *more)
{
    sum->seeds += more->seeds;
    for (size_t i = 0; i < COVER_COUNT; i++)
        sum->items[i] += more->items[i];
    for (size_t k = 0; k < KIND_COUNT; k++)
        for (size_t p = 0; p < STEPS_MAX; p++)
            sum->deaths[k][p] += more->deaths[k][p];
}

size_t coverage_print(const struct coverage *coverage)
{
    size_t missing = 0;
    for (size_t i = 0; i < COVER_COUNT; i++) {
        missing += coverage->items[i] == 0;
        printf("%10" PRIu64 "  %s%s\n", coverage->items[i], texts[i],
               coverage->items[i] ? "" : "   <-- never reached");
    }
    for (size_t k = 0; k < KIND_COUNT; k++)
        for (size_t p = 0; p < coverage_phases((enum process_kind)k); p++) {
            missing += coverage->deaths[k][p] == 0;
            printf("%10" PRIu64 "  death: %s-service after %s%s\n", coverage->deaths[k][p],
                   kind_names[k], coverage_phase_name((enum process_kind)k, p),
                   coverage->deaths[k][p] ? "" : "   <-- never reached");
        }
    return missing;
}
