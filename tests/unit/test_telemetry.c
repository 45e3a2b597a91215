/* Log lines, Prometheus text and trace context, whatever the values hold. */
#include <cjson/cJSON.h>
#include <string.h>
#include <unistd.h>

#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "common/telemetry/trace.h"
#include "tests/unit/unit.h"

static struct manual_clock manual;

/* What log_event writes, as text. */
static size_t logged(enum log_level lowest, enum log_level level, char *line, size_t size)
{
    int ends[2];
    manual_clock_init(&manual, INT64_C(1700000000123), 1);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    const struct log log = {&manual.clock, "test-service", 2, lowest, ends[1]};
    LOG_EVENT(&log, level, "some-event", LOG_TEXT("text", "a \"b\"\n\x01"),
              LOG_NUMBER("number", INT64_MIN), LOG_TEXT("none", (const char *)NULL));
    close(ends[1]);
    ssize_t got = read(ends[0], line, size - 1);
    close(ends[0]);
    line[got > 0 ? got : 0] = '\0';
    return (size_t)(got > 0 ? got : 0);
}

static void one_json_object_a_line(void)
{
    char line[512];
    size_t size = logged(LOG_INFO, LOG_WARNING, line, sizeof line);
    CU_ASSERT_PTR_EQUAL(strchr(line, '\n'), line + size - 1);
    cJSON *json = cJSON_Parse(line);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(json, "text");
    CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(text), "a \"b\"\n\x01");
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"number\":-9223372036854775808"));
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"time\":\"2023-11-14T22:13:20.123Z\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"level\":\"warning\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"instance\":2"));
    cJSON_Delete(json);
}

static void below_its_level_nothing(void)
{
    char line[512];
    CU_ASSERT_EQUAL(logged(LOG_WARNING, LOG_INFO, line, sizeof line), 0);
    LOG_EVENT(NULL, LOG_ERROR, "silent", LOG_NUMBER("n", 1));
}

static void prometheus_text(void)
{
    struct buf out = {0};
    metric_head(&out, "warren_messages_total", METRIC_COUNTER, "Messages by queue.");
    metric_sample(&out, "warren_messages_total", "queue", "a\"b\\c\nd", 7);
    metric_write(&out, "warren_unsent", METRIC_GAUGE, "Rows.", -1);
    CU_ASSERT_STRING_EQUAL(out.data, "# HELP warren_messages_total Messages by queue.\n"
                                     "# TYPE warren_messages_total counter\n"
                                     "warren_messages_total{queue=\"a\\\"b\\\\c\\nd\"} 7\n"
                                     "# HELP warren_unsent Rows.\n"
                                     "# TYPE warren_unsent gauge\n"
                                     "warren_unsent -1\n");
    buf_release(&out);
}

/* Into which bucket a value falls: the first whose bound is not below it. */
static void histogram_bounds(void)
{
    static const struct {
        unsigned shift;
        int64_t value;
        size_t bucket;
    } rows[] = {
        {HISTOGRAM_COUNT, -5, 0},         {HISTOGRAM_COUNT, 0, 0},
        {HISTOGRAM_COUNT, 1, 0},          {HISTOGRAM_COUNT, 2, 1},
        {HISTOGRAM_COUNT, 3, 2},          {HISTOGRAM_COUNT, 4, 2},
        {HISTOGRAM_COUNT, 5, 3},          {HISTOGRAM_COUNT, 256, 8},
        {HISTOGRAM_COUNT, 262144, 18},    {HISTOGRAM_COUNT, 262145, 19},
        {HISTOGRAM_COUNT, INT64_MAX, 19}, {HISTOGRAM_TIME, 64, 0},
        {HISTOGRAM_TIME, 65, 1},          {HISTOGRAM_TIME, 128, 1},
        {HISTOGRAM_TIME, 16777216, 18},   {HISTOGRAM_TIME, 16777217, 19},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct histogram histogram = {.shift = rows[i].shift};
        histogram_add(&histogram, rows[i].value);
        for (size_t j = 0; j < HISTOGRAM_BUCKETS; j++)
            CU_ASSERT_EQUAL(histogram.buckets[j], j == rows[i].bucket);
        CU_ASSERT_EQUAL(histogram.sum, rows[i].value > 0 ? rows[i].value : 0);
    }
}

static void histogram_text(void)
{
    struct buf out = {0};
    struct histogram histogram = {.shift = HISTOGRAM_TIME};
    histogram_add(&histogram, 50);
    histogram_add_many(&histogram, 100, 3);
    histogram_add(&histogram, 20000000);
    metric_write_histogram(&out, "warren_x_seconds", "Time.", &histogram);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "# TYPE warren_x_seconds histogram\n"
                                            "warren_x_seconds_bucket{le=\"0.000064\"} 1\n"
                                            "warren_x_seconds_bucket{le=\"0.000128\"} 4\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "{le=\"16.777216\"} 4\n"
                                            "warren_x_seconds_bucket{le=\"+Inf\"} 5\n"
                                            "warren_x_seconds_sum 20.000350\n"
                                            "warren_x_seconds_count 5\n"));
    buf_release(&out);
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void traceparents(void)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"00-" TRACE "-" SPAN "-01", true},
        {"00-" TRACE "-" SPAN "-00", true},
        {"cc-" TRACE "-" SPAN "-01", true},
        {"cc-" TRACE "-" SPAN "-01-what-the-future-brings", true},
        {NULL, false},
        {"", false},
        {"00", false},
        {"00-" TRACE "-" SPAN "-01-more", false},
        {"00-" TRACE "-" SPAN "-01x", false},
        {"cc-" TRACE "-" SPAN "-01x", false},
        {"ff-" TRACE "-" SPAN "-01", false},
        {"00-00000000000000000000000000000000-" SPAN "-01", false},
        {"00-" TRACE "-0000000000000000-01", false},
        {"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", false},
        {"00-" TRACE "-" SPAN "-0", false},
        {"00-" TRACE "-" SPAN "-0g", false},
        {"00_" TRACE "-" SPAN "-01", false},
        {" 0-" TRACE "-" SPAN "-01", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char child[TRACEPARENT_SIZE], trace[TRACE_ID_SIZE];
        manual_clock_init(&manual, 0, i);
        CU_ASSERT_EQUAL(trace_valid(rows[i].text), rows[i].valid);
        trace_child(&manual.clock, rows[i].text, child);
        CU_ASSERT_TRUE(trace_valid(child));
        CU_ASSERT_EQUAL(strcmp(trace_id(child, trace), TRACE) == 0, rows[i].valid);
        CU_ASSERT_PTR_NULL(strstr(child, SPAN));
        CU_ASSERT_EQUAL(strncmp(child, "00-", 3), 0);
    }
    char trace[TRACE_ID_SIZE], same[TRACEPARENT_SIZE] = "00-" TRACE "-" SPAN "-00";
    CU_ASSERT_STRING_EQUAL(trace_id("rubbish", trace), "");
    trace_child(&manual.clock, same, same);
    CU_ASSERT_STRING_EQUAL(trace_id(same, trace), TRACE);
    CU_ASSERT_STRING_EQUAL(same + 52, "-00");
}

static const struct unit_case cases[] = {
    {"one JSON object a line", one_json_object_a_line},
    {"below its level nothing", below_its_level_nothing},
    {"prometheus text", prometheus_text},
    {"histogram: bounds", histogram_bounds},
    {"histogram: text", histogram_text},
    {"traceparent: what is valid, and its child", traceparents},
};
UNIT_MAIN("telemetry", cases)
