#include "cli/chaos_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chaos_watch.h"
#include "cli/fake_clock.h"
#include "common/base/clock.h"

enum { NEAR_MS = 1500 };

enum result chaos_clock_possible(const struct suite *suite, struct err *err)
{
    if (fake_clock_there(suite))
        return OK;
    return err_set(err, INVALID,
                   "clock: the suite's clocks are the machine's: 'warren up --faketime'");
}

struct clocks {
    struct http *http;
    const struct suite *suite;
    size_t from, to; /* services */
    int64_t offset_ms;
};

/* What it says its clock shows, since 1970. */
static bool read_clock(const struct clocks *clocks, size_t service, int64_t *ret_ms)
{
    static const char name[] = "\nwarren_clock_seconds ";
    char url[64];
    struct http_response response = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/metrics",
             clocks->suite->base_port + suite_services[service].port);
    struct http_request request = {.url = url, .timeout_ms = 2000};
    const char *line = NULL;
    if (http_call(clocks->http, &request, &response, NULL) == OK && response.body.size > 0)
        line = strstr(response.body.data, name);
    if (line)
        *ret_ms = (int64_t)(strtod(line + strlen(name), NULL) * 1000);
    http_response_release(&response);
    return line != NULL;
}

static bool all_answer(const void *context)
{
    const struct clocks *clocks = context;
    int64_t there_ms;
    for (size_t i = clocks->from; i < clocks->to; i++) {
        if (!read_clock(clocks, i, &there_ms))
            return false;
    }
    return true;
}

static bool all_show(const void *context)
{
    const struct clocks *clocks = context;
    int64_t there_ms;
    for (size_t i = clocks->from; i < clocks->to; i++) {
        if (!read_clock(clocks, i, &there_ms))
            return false;
        int64_t off_ms = there_ms - clock_wall_ms(clock_system());
        if (off_ms < clocks->offset_ms - NEAR_MS || off_ms > clocks->offset_ms + NEAR_MS)
            return false;
    }
    return true;
}

static bool set_all(struct clocks *clocks, int64_t offset_ms)
{
    clocks->offset_ms = offset_ms;
    for (size_t i = clocks->from; i < clocks->to; i++) {
        char program[64];
        snprintf(program, sizeof program, "%s-1", suite_services[i].name);
        if (fake_clock_set(clocks->suite, program, offset_ms, NULL) != OK)
            return false;
    }
    return watch_until(all_show, clocks, WATCH_SEEN_MS);
}

void chaos_clock(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                 char what[CHAOS_WHY_SIZE])
{
    bool all = fault->target >= suite_service_count;
    struct clocks clocks = {.http = http,
                            .suite = suite,
                            .from = all ? 0 : fault->target,
                            .to = all ? suite_service_count : fault->target + 1};
    snprintf(what, CHAOS_WHY_SIZE, "%s, %+.1f s, %s",
             all ? "every service" : suite_services[fault->target].name,
             (double)fault->offset_ms / 1000, fault->stays ? "stays" : "and back");
    if (!watch_until(all_answer, &clocks, WATCH_PRESENT_MS)) {
        snprintf(fault->why, sizeof fault->why, "it does not run");
        return;
    }
    fault->reached = set_all(&clocks, fault->offset_ms);
    if (!fault->reached)
        snprintf(fault->why, sizeof fault->why, "its clock does not show that");
    watch_pause_ms(fault->hold_ms);
    if (!fault->stays && !set_all(&clocks, 0)) {
        fault->reached = false;
        snprintf(fault->why, sizeof fault->why, "its clock does not come back");
    }
}

void chaos_clock_heal(const struct suite *suite)
{
    for (size_t i = 0; i < suite_service_count && fake_clock_there(suite); i++) {
        char program[64];
        snprintf(program, sizeof program, "%s-1", suite_services[i].name);
        (void)!fake_clock_set(suite, program, 0, NULL);
    }
}
