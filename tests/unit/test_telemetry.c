/* Log lines and Prometheus text, whatever the values hold. */
#include <cjson/cJSON.h>
#include <string.h>
#include <unistd.h>

#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
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

static const struct unit_case cases[] = {
    {"one JSON object a line", one_json_object_a_line},
    {"below its level nothing", below_its_level_nothing},
    {"prometheus text", prometheus_text},
};
UNIT_MAIN("telemetry", cases)
