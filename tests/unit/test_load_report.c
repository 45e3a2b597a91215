/* The writers of a load report: the figures in summary.json and the CSVs are those of the model,
 * the page is well-formed whatever the names in it are. WARREN_REPORT_SAMPLE=DIR keeps a report of
 * invented figures there, to be looked at. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/files.h"
#include "common/base/json.h"
#include "load/report/figures.h"
#include "load/report/page.h"
#include "load/report/verdict.h"
#include "load/report/writers.h"
#include "tests/unit/load_sample.h"
#include "tests/unit/unit.h"

/* --- helpers ---------------------------------------------------------------------------------------- */

static bool well_formed(const char *html);

static cJSON *summary_of(const struct load_report *report)
{
    static const struct json_limits limits = {1 << 20, 16};
    struct buf text = {0};
    struct err err = {""};
    cJSON *json = NULL;
    report_json(report, &text);
    if (json_parse(text.data, text.size, &limits, &json, &err) != OK)
        CU_FAIL("summary.json is not JSON");
    buf_release(&text);
    return json;
}

/* The member at "a.b.c"; NULL when it is not there. */
static const cJSON *member(const cJSON *json, const char *path)
{
    char names[128];
    snprintf(names, sizeof names, "%s", path);
    char *rest = names;
    for (char *name = strtok_r(rest, ".", &rest); name && json; name = strtok_r(NULL, ".", &rest))
        json = cJSON_GetObjectItemCaseSensitive(json, name);
    return json;
}

static int64_t number(const cJSON *json, const char *path)
{
    const cJSON *item = member(json, path);
    int64_t value = -999;
    if (!item || json_integer(item, &value, NULL) != OK)
        printf("%s: no integer\n", path);
    return value;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* --- words and figures ------------------------------------------------------------------------------- */

#define NB "\u00a0"

static void figures_are_as_a_person_reads_them(void)
{
    static const struct {
        int64_t us;
        const char *text;
    } durations[] = {
        {-1, "\u2013"},
        {0, "0" NB "µs"},
        {999, "999" NB "µs"},
        {1000, "1.00" NB "ms"},
        {8449, "8.45" NB "ms"},
        {84000, "84.0" NB "ms"},
        {99960, "100" NB "ms"},
        {999400, "999" NB "ms"},
        {999600, "1.00" NB "s"},
        {1240000, "1.24" NB "s"},
        {60000000, "60" NB "s"},
        {59600000, "59.6" NB "s"},
        {119600000, "2" NB "min"},
        {125000000, "2" NB "min" NB "5" NB "s"},
        {12000000000, "3" NB "h" NB "20" NB "min"},
    };
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++)
        CU_ASSERT_STRING_EQUAL(figure_duration(durations[i].us).text, durations[i].text);
    CU_ASSERT_STRING_EQUAL(figure_count(0).text, "0");
    CU_ASSERT_STRING_EQUAL(figure_count(999).text, "999");
    CU_ASSERT_STRING_EQUAL(figure_count(1000).text, "1,000");
    CU_ASSERT_STRING_EQUAL(figure_count(12345678).text, "12,345,678");
    CU_ASSERT_STRING_EQUAL(figure_rate(3.25).text, "3.2");
    CU_ASSERT_STRING_EQUAL(figure_rate(1199.6).text, "1,200");
    CU_ASSERT_STRING_EQUAL(figure_rate(50).text, "50");
    CU_ASSERT_STRING_EQUAL(figure_bytes(INT64_C(25480396)).text, "24.3" NB "MiB");
    CU_ASSERT_STRING_EQUAL(figure_bytes(INT64_C(8) << 30).text, "8" NB "GiB");
    CU_ASSERT_STRING_EQUAL(figure_cpu(345).text, "34" NB "%");
    CU_ASSERT_STRING_EQUAL(figure_share(1, 1).text, "100" NB "%");
    CU_ASSERT_STRING_EQUAL(figure_share(999999, 1000000).text, "99.99" NB "%");
    CU_ASSERT_STRING_EQUAL(figure_share(1, 1000000).text, "0.01" NB "%");
    CU_ASSERT_STRING_EQUAL(figure_share(0, 5).text, "0" NB "%");
}

static void expect_words(const struct load_report *report, enum load_verdict verdict,
                         const char *part)
{
    struct buf text = {0};
    CU_ASSERT_EQUAL(verdict_of(report), verdict);
    verdict_write(report, &text);
    if (!has(text.data, part))
        printf("not \"%s\" in: %s\n", part, text.data);
    CU_ASSERT(has(text.data, part));
    buf_release(&text);
}

static void verdict_says_what_happened(void)
{
    struct load_report *report = load_sample_new();
    expect_words(report, VERDICT_CLEAN, "1,200 orders/s were offered for 60" NB "s (open loop");
    expect_words(report, VERDICT_CLEAN, "all 72,000 were accepted");
    expect_words(report, VERDICT_CLEAN, "Nothing was lost: the fate of 72,000 orders");
    report->totals.accepted -= 7;
    report->totals.refused = 4;
    report->totals.unknown = 3;
    expect_words(report, VERDICT_CLEAN,
                 "71,993 of 72,000 were accepted (99.99" NB "%), 4 refused, 3 without a certain");
    load_fate_add(&report->fate, LOAD_LOST, "o-1", "k-1");
    expect_words(report, VERDICT_FAILED, "asked for: 1 lost.");
    load_report_free(report);
}

/* A check that did not run, or not to its end, proves nothing. */
static void unchecked_is_not_clean(void)
{
    struct load_report *report = load_sample_new();
    report->fate.checked = 0;
    expect_words(report, VERDICT_NOT_CHECKED, "is not known");
    report->fate.checked = 72000;
    load_text(report->fate.trouble, LOAD_TEXT_MAX, "the edge is away");
    expect_words(report, VERDICT_NOT_CHECKED, "not known: the edge is away");
    CU_ASSERT_FALSE(load_report_clean(report));
    load_fate_add(&report->fate, LOAD_UNSETTLED, "o-2", "k-2");
    CU_ASSERT_EQUAL(verdict_of(report), VERDICT_FAILED);
    load_report_free(report);
}

static void unanswered_fails_unless_it_was_allowed(void)
{
    struct load_report *report = load_sample_new();
    load_fate_add(&report->fate, LOAD_UNANSWERED, "o-3", "k-3");
    expect_words(report, VERDICT_FAILED, "asked for: 1 unanswered.");
    report->fate.may_be_unanswered = true;
    expect_words(report, VERDICT_CLEAN, "Nothing was lost");
    load_fate_add(&report->fate, LOAD_UNREFUSED, "o-4", "k-4");
    expect_words(report, VERDICT_FAILED, "1 unanswered, 1 refused, and exists.");
    load_report_free(report);
}

static void warnings_are_said(void)
{
    struct load_report *report = load_sample_new();
    struct buf text = {0};
    verdict_warnings(report, &text);
    CU_ASSERT_EQUAL(text.size, 0);
    report->identity.interrupted = report->generator.saturated = true;
    load_text(report->generator.reason, LOAD_TEXT_MAX, "CPU at 99 % of one core");
    report->totals.not_sent = 12;
    report->plan.mode = LOAD_CLOSED;
    report->after.quarantined = 2;
    verdict_warnings(report, &text);
    CU_ASSERT(has(text.data, "ended early"));
    CU_ASSERT(has(text.data, "bottleneck (CPU at 99 % of one core)"));
    CU_ASSERT(has(text.data, "12 of 72,000 intended orders were never sent"));
    CU_ASSERT(has(text.data, "closed loop"));
    CU_ASSERT(has(text.data, "2 messages are in quarantine"));
    buf_release(&text);
    load_report_free(report);
}

/* --- the model ---------------------------------------------------------------------------------------- */

static void model_keeps_within_its_bounds(void)
{
    struct load_tallies tallies = {.count = 0};
    struct load_names names = {.count = 0};
    struct load_fate fate = {.checked = 0};
    char text[32], cut[5];
    for (int i = 0; i < 2 * LOAD_TALLIES_MAX; i++) {
        snprintf(text, sizeof text, "kind %d", i);
        load_tally_add(&tallies, text, 1);
        load_tally_add(&tallies, "kind 0", 1);
        load_fate_add(&fate, LOAD_DOUBLED, text, text);
    }
    CU_ASSERT_EQUAL(tallies.count, LOAD_TALLIES_MAX);
    CU_ASSERT_EQUAL(tallies.items[0].count, 1 + 2 * LOAD_TALLIES_MAX);
    CU_ASSERT_STRING_EQUAL(tallies.items[LOAD_TALLIES_MAX - 1].label, "other");
    CU_ASSERT_EQUAL(tallies.items[LOAD_TALLIES_MAX - 1].count, LOAD_TALLIES_MAX + 1);
    CU_ASSERT_EQUAL(fate.doubled, 2 * LOAD_TALLIES_MAX);
    CU_ASSERT_EQUAL(fate.finding_count, LOAD_FINDINGS_MAX);
    CU_ASSERT_EQUAL(load_name_index(&names, 2, "a"), 0);
    CU_ASSERT_EQUAL(load_name_index(&names, 2, "b"), 1);
    CU_ASSERT_EQUAL(load_name_index(&names, 2, "c"), 2);
    CU_ASSERT_EQUAL(load_name_index(&names, 2, "b"), 1);
    load_text(cut, sizeof cut, "abcé"); /* five bytes: the last letter does not fit */
    CU_ASSERT_STRING_EQUAL(cut, "abc");
}

/* Three steps of ten seconds; `held` as a word of y and n, for a run of so many seconds. */
static void limit_of(const char *held, int seconds, double *best, double *bad)
{
    struct load_report *report = load_report_new();
    report->limit.bound_us = 250000;
    report->identity.duration_us = INT64_C(1000000) * seconds;
    report->plan.phase_count = strlen(held);
    for (size_t i = 0; held[i]; i++)
        report->plan.phases[i] = (struct load_phase){.rate = 100 * (double)(i + 1),
                                                     .duration_us = 10000000,
                                                     .offered = 1,
                                                     .held = held[i] == 'y'};
    load_limit_find(report);
    *best = report->limit.best_rate;
    *bad = report->limit.first_bad;
    load_report_free(report);
}

static void limit_is_below_what_broke(void)
{
    static const struct {
        const char *held;
        int seconds;
        double best, bad;
    } rows[] = {
        {"yyy", 30, 300, 0},   {"yyn", 30, 200, 300}, {"nnn", 30, 0, 100},
        {"yny", 30, 100, 200}, /* a higher one that held is luck, or it was short */
        {"yyy", 21, 200, 0},   /* the third was cut short */
        {"yyn", 21, 200, 0},   {"yyy", 29, 300, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double best = -1, bad = -1;
        limit_of(rows[i].held, rows[i].seconds, &best, &bad);
        CU_ASSERT_EQUAL(best, rows[i].best);
        CU_ASSERT_EQUAL(bad, rows[i].bad);
    }
}

static void steps_are_told(void)
{
    struct load_report *report = load_sample_new();
    struct buf page = {0};
    struct load_phase phase = report->plan.phases[0];
    phase.duration_us = 20000000;
    for (size_t i = 0; i < 4; i++) {
        phase.rate = 100 * (double)(i + 1);
        phase.held = i == 0;
        phase.offered = i < 3 ? 10 : 0; /* the run ended as the last one began */
        report->plan.phases[i] = phase;
    }
    report->plan.phase_count = 4;
    report->identity.duration_us++;
    report->limit.bound_us = 250000;
    load_limit_find(report);
    expect_words(report, VERDICT_CLEAN, "100 to 300 orders/s were offered in 3 steps over 60");
    expect_words(report, VERDICT_CLEAN,
                 "under 250" NB "ms was 100 orders/s; 200 orders/s did not.");
    page_write(report, &page);
    CU_ASSERT(well_formed(page.data));
    CU_ASSERT(has(page.data, "<th scope=\"row\">3</th>"));
    CU_ASSERT_FALSE(has(page.data, "<th scope=\"row\">4</th>"));
    CU_ASSERT(has(page.data, ">300/s</text>"));
    CU_ASSERT_FALSE(has(page.data, ">400/s</text>"));
    buf_release(&page);
    load_report_free(report);
}

/* --- summary.json ------------------------------------------------------------------------------------- */

static void summary_has_the_figures_of_the_model(void)
{
    struct load_report *report = load_sample_new();
    const struct load_histogram *settle = &report->latency[LOAD_SETTLE];
    load_fate_add(&report->fate, LOAD_LOST, "o-1", "k-1");
    cJSON *json = summary_of(report);
    CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(member(json, "verdict")), "failed");
    CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(member(json, "plan.mode")), "open-poisson");
    CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(member(json, "started_at")),
                           "2026-11-27T07:00:00.000Z");
    CU_ASSERT_EQUAL(number(json, "format"), 1);
    CU_ASSERT_EQUAL(number(json, "duration_us"), 60000000);
    CU_ASSERT_EQUAL(number(json, "totals.offered"), 72000);
    CU_ASSERT_EQUAL(number(json, "totals.settled"), 72000);
    CU_ASSERT_EQUAL(number(json, "rates.accepted"), 1200);
    CU_ASSERT_EQUAL(number(json, "latency.settle.count"), settle->count);
    CU_ASSERT_EQUAL(number(json, "latency.settle.p99_us"), load_histogram_quantile(settle, 990000));
    CU_ASSERT_EQUAL(number(json, "latency.settle.p999_us"),
                    load_histogram_quantile(settle, 999000));
    CU_ASSERT_EQUAL(number(json, "latency.settle.max_us"), settle->max_us);
    CU_ASSERT(cJSON_IsNull(member(json, "latency.query.p50_us")));
    CU_ASSERT(cJSON_IsNull(member(json, "limit")));
    CU_ASSERT_EQUAL(number(json, "after.drain_us"), 412000);
    CU_ASSERT_EQUAL(number(json, "fate.lost"), 1);
    CU_ASSERT_EQUAL(cJSON_GetArraySize(member(json, "fate.findings")), 1);
    CU_ASSERT_EQUAL(cJSON_GetArraySize(member(json, "peaks.queues")), 4);
    const cJSON *queue = cJSON_GetArrayItem(member(json, "peaks.queues"), 2);
    CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(member(queue, "name")), "payment.orders");
    CU_ASSERT(number(queue, "ready") >= 2400);
    cJSON_Delete(json);
    load_report_free(report);
}

/* What nobody measured is null: a reader must not take it for 0. */
static void summary_of_nothing_is_null(void)
{
    struct load_report *report = load_report_new();
    cJSON *json = summary_of(report);
    CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(member(json, "verdict")), "not checked");
    CU_ASSERT(cJSON_IsNull(member(json, "after.drain_us")));
    CU_ASSERT(cJSON_IsNull(member(json, "rates.settled")));
    CU_ASSERT(cJSON_IsNull(member(json, "peaks.in_flight")));
    CU_ASSERT(cJSON_IsNull(member(json, "latency.accept.min_us")));
    cJSON_Delete(json);
    load_report_free(report);
}

/* --- CSV ------------------------------------------------------------------------------------------------ */

/* Cell `column` of row `row` (0: the head) of a CSV without quotes. */
static void cell_of(const char *csv, size_t row, size_t column, char *text, size_t size)
{
    for (; row > 0; row--)
        csv = strchr(csv, '\n') + 1;
    for (; column > 0; column--)
        csv += strcspn(csv, ",\n") + 1;
    snprintf(text, size, "%.*s", (int)strcspn(csv, ",\n"), csv);
}

static size_t column_named(const char *csv, const char *name)
{
    char text[128];
    for (size_t i = 0; i < 100; i++) {
        cell_of(csv, 0, i, text, sizeof text);
        if (strcmp(text, name) == 0)
            return i;
    }
    CU_FAIL("no such column");
    return 0;
}

static size_t count_of(const char *text, char what)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == what;
    return count;
}

static void expect_cell(const char *csv, size_t row, const char *column, const char *value)
{
    char text[128];
    cell_of(csv, row, column_named(csv, column), text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, value);
}

static void series_has_one_row_a_second(void)
{
    struct load_report *report = load_sample_new();
    struct buf csv = {0};
    char text[32];
    report_series_csv(report, &csv);
    CU_ASSERT_EQUAL(count_of(csv.data, '\n'), 1 + report->series.count);
    expect_cell(csv.data, 1, "at_us", "1000000");
    expect_cell(csv.data, 60, "accepted", "1200");
    expect_cell(csv.data, 61, "accepted", "0");
    expect_cell(csv.data, 31, "settled", "0"); /* the pause */
    expect_cell(csv.data, 31, "settle_count", "0");
    expect_cell(csv.data, 31, "settle_p99_us", ""); /* nothing became known */
    expect_cell(csv.data, 13, "ready order.commands", "");
    snprintf(text, sizeof text, "%lld", (long long)report->series.samples[4].cpu_milli[4]);
    expect_cell(csv.data, 5, "cpu_milli broker", text);
    size_t commas = count_of(csv.data, ',');
    CU_ASSERT_EQUAL(commas % (1 + report->series.count), 0);
    buf_release(&csv);
    load_report_free(report);
}

static void csv_names_are_quoted(void)
{
    struct load_report *report = load_report_new();
    struct buf csv = {0};
    (void)load_name_index(&report->series.queues, LOAD_QUEUES_MAX, "a,\"b\"");
    report_series_csv(report, &csv);
    CU_ASSERT(has(csv.data, ",\"ready a,\"\"b\"\"\","));
    buf_release(&csv);
    load_report_free(report);
}

static void latency_csv_climbs_to_the_slowest(void)
{
    struct load_report *report = load_sample_new();
    struct buf csv = {0};
    char expected[64];
    report_latency_csv(report, &csv);
    snprintf(expected, sizeof expected, "\naccept,90.0000,%lld\n",
             (long long)load_histogram_quantile(&report->latency[LOAD_ACCEPT], LOAD_P90));
    CU_ASSERT(has(csv.data, expected));
    snprintf(expected, sizeof expected, "\nsettle,100.0000,%lld\n",
             (long long)report->latency[LOAD_SETTLE].max_us);
    CU_ASSERT(has(csv.data, expected));
    CU_ASSERT_FALSE(has(csv.data, "\nquery,"));
    buf_release(&csv);
    load_report_free(report);
}

/* --- the page ------------------------------------------------------------------------------------------- */

/* Every element that is opened is closed, in order (but for <meta>, which never is), and every '&'
 * begins an entity. */
static bool well_formed(const char *html)
{
    enum { DEPTH = 32, NAME = 16 };
    char open[DEPTH][NAME];
    int depth = 0;
    for (const char *at = html; *at; at++) {
        if (*at == '&' && at[1 + strcspn(at + 1, "; <>\n")] != ';')
            return false;
        if (*at != '<' || at[1] == '!')
            continue;
        const char *end = strchr(at, '>');
        size_t size = strcspn(at + 1, " />\n");
        if (!end || depth == DEPTH || size >= NAME)
            return false;
        if (at[1] == '/') {
            size = (size_t)(end - at) - 2;
            if (depth == 0 || strlen(open[depth - 1]) != size ||
                strncmp(open[--depth], at + 2, size) != 0)
                return false;
        } else if (end[-1] != '/' && strncmp(at + 1, "meta ", 5) != 0) {
            snprintf(open[depth++], NAME, "%.*s", (int)size, at + 1);
        }
    }
    return depth == 0;
}

static void well_formed_sees_what_is_not(void)
{
    CU_ASSERT(well_formed("<!DOCTYPE html>\n<a b=\"c\"><d/>x &lt; y</a>"));
    CU_ASSERT_FALSE(well_formed("<a><b></a></b>"));
    CU_ASSERT_FALSE(well_formed("<a>"));
    CU_ASSERT_FALSE(well_formed("</a>"));
    CU_ASSERT_FALSE(well_formed("<a>this & that</a>"));
}

static void page_is_well_formed_and_alone(void)
{
    struct load_report *report = load_sample_new();
    struct buf page = {0};
    page_write(report, &page);
    CU_ASSERT(well_formed(page.data));
    CU_ASSERT(has(page.data, "all 72,000 were accepted"));
    CU_ASSERT(has(page.data, "<th scope=\"row\">to settled</th><td>72,000</td>"));
    /* Nothing is fetched from anywhere. */
    CU_ASSERT_FALSE(has(page.data, "http:"));
    CU_ASSERT_FALSE(has(page.data, "https:"));
    CU_ASSERT_FALSE(has(page.data, " src="));
    CU_ASSERT_FALSE(has(page.data, "url("));
    CU_ASSERT_FALSE(has(page.data, "nan ") || has(page.data, "nanL"));
    buf_release(&page);
    load_report_free(report);
}

/* Whatever a name holds, the page keeps its shape. */
static void page_escapes_what_comes_from_outside(void)
{
    static const char evil[] = "</style></script><script>alert(1)</script>&\"'\x01\xff\xc3";
    struct load_report *report = load_sample_new();
    struct buf page = {0}, plain = {0};
    page_write(report, &plain);
    load_text(report->identity.title, LOAD_TEXT_MAX, evil);
    load_text(report->identity.command, LOAD_COMMAND_MAX, evil);
    load_text(report->identity.version, LOAD_TEXT_MAX, evil);
    load_text(report->machine.cpu_model, LOAD_TEXT_MAX, evil);
    load_text(report->machine.kernel, LOAD_TEXT_MAX, evil);
    load_text(report->machine.broker, LOAD_TEXT_MAX, evil);
    load_text(report->fate.trouble, LOAD_TEXT_MAX, evil);
    load_text(report->generator.reason, LOAD_TEXT_MAX, evil);
    report->generator.saturated = true;
    load_text(report->series.queues.items[2], LOAD_LABEL_MAX, evil);
    load_text(report->series.services.items[0], LOAD_LABEL_MAX, evil);
    load_text(report->series.processes.items[0], LOAD_LABEL_MAX, evil);
    load_tally_add(&report->totals.errors, evil, 1);
    load_tally_add(&report->totals.outcomes, evil, 1);
    load_fate_add(&report->fate, LOAD_LOST, evil, evil);
    page_write(report, &page);
    CU_ASSERT(well_formed(page.data));
    CU_ASSERT_FALSE(has(page.data, "<script>alert"));
    CU_ASSERT(has(page.data, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;\uFFFD\uFFFD"));
    CU_ASSERT_FALSE(has(page.data, "\x01"));
    CU_ASSERT_FALSE(has(page.data, "\xff"));
    CU_ASSERT_EQUAL(count_of(plain.data, '\x01'), 0);
    buf_release(&page);
    buf_release(&plain);
    load_report_free(report);
}

static void page_of_nothing_is_a_page(void)
{
    struct load_report *report = load_report_new();
    struct buf page = {0};
    page_write(report, &page);
    CU_ASSERT(well_formed(page.data));
    CU_ASSERT(has(page.data, "Not proved"));
    CU_ASSERT_FALSE(has(page.data, "nan ") || has(page.data, "nanL"));
    buf_release(&page);
    load_report_free(report);
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static void a_report_is_four_files(void)
{
    static const char *const names[] = {"report.html", "summary.json", "series.csv", "latency.csv"};
    struct load_report *report = load_sample_new();
    const char *folder = getenv("TMPDIR");
    const char *keep = getenv("WARREN_REPORT_SAMPLE");
    struct err err = {""};
    char dir[1024], path[1100];
    snprintf(dir, sizeof dir, "%s/warren-report-%ld/a/b", folder ? folder : "/tmp", (long)getpid());
    if (keep)
        snprintf(dir, sizeof dir, "%s", keep);
    CU_ASSERT_EQUAL(report_write(report, dir, &err), OK);
    CU_ASSERT_EQUAL(report_write(report, dir, &err), OK); /* again: replaced */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf text = {0};
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        CU_ASSERT_EQUAL(file_load(path, &text, &err), OK);
        CU_ASSERT(text.size > 100);
        buf_release(&text);
        if (!keep)
            unlink(path);
    }
    CU_ASSERT_EQUAL(report_write(report, "/dev/null/no", &err), FATAL);
    load_report_free(report);
}

static const struct unit_case cases[] = {
    {"figures are as a person reads them", figures_are_as_a_person_reads_them},
    {"the verdict says what happened", verdict_says_what_happened},
    {"what was not checked is not clean", unchecked_is_not_clean},
    {"an unanswered order fails the run unless it was allowed",
     unanswered_fails_unless_it_was_allowed},
    {"warnings are said, and only when there is something", warnings_are_said},
    {"the model keeps within its bounds", model_keeps_within_its_bounds},
    {"the limit is below what broke the bound", limit_is_below_what_broke},
    {"steps are told as far as they were reached", steps_are_told},
    {"summary.json has the figures of the model", summary_has_the_figures_of_the_model},
    {"what nobody measured is null", summary_of_nothing_is_null},
    {"series.csv has one row a second", series_has_one_row_a_second},
    {"names in a CSV are quoted", csv_names_are_quoted},
    {"latency.csv climbs to the slowest", latency_csv_climbs_to_the_slowest},
    {"the test of shape sees what is not well-formed", well_formed_sees_what_is_not},
    {"the page is well-formed and needs nothing else", page_is_well_formed_and_alone},
    {"the page escapes what comes from outside", page_escapes_what_comes_from_outside},
    {"a report of nothing is a page, too", page_of_nothing_is_a_page},
    {"a report is four files", a_report_is_four_files},
};

UNIT_MAIN("load_report", cases)
