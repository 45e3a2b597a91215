/* What is asked before and after a run only: the counters of all, and the machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/http.h"
#include "cli/ready.h"
#include "cli/shop.h"
#include "cli/survey.h"
#include "load/prometheus.h"
#include "load/watch.h"

static void add(int64_t *sum, const char *text, const char *outcome)
{
    char label[48];
    double value = 0;
    snprintf(label, sizeof label, "outcome=\"%s\"", outcome);
    if (prometheus_sum(text, "warren_messages_total", label, &value))
        *sum = (*sum == LOAD_UNKNOWN ? 0 : *sum) + (int64_t)value;
}

static void count_in_services(struct http *http, const struct suite *suite,
                              struct watch_counters *counters)
{
    struct http_response response = {0};
    for (size_t i = 0; i < suite_service_count; i++) {
        for (int instance = 0; instance < SUITE_INSTANCES_MAX; instance++) {
            char url[64];
            snprintf(url, sizeof url, "http://127.0.0.1:%d/metrics",
                     suite->base_port + suite_services[i].port + instance);
            const struct http_request request = {.url = url, .timeout_ms = 3000};
            if (http_call(http, &request, &response, NULL) != OK)
                break; /* there is no such instance */
            if (response.status != 200)
                continue;
            add(&counters->duplicates, response.body.data, "duplicate");
            add(&counters->deferred, response.body.data, "deferred");
            add(&counters->quarantined, response.body.data, "quarantined");
        }
    }
    http_response_release(&response);
}

static void count_redeliveries(struct http *http, const struct suite *suite,
                               struct watch_counters *counters)
{
    cJSON *json = NULL;
    const cJSON *queue;
    if (ready_management(http, suite, "queues/{vhost}?columns=name,message_stats.redeliver", &json,
                         NULL) != OK)
        return;
    counters->redeliveries = 0;
    cJSON_ArrayForEach(queue, json) counters->redeliveries +=
        json_number(cJSON_GetObjectItemCaseSensitive(queue, "message_stats"), "redeliver");
    cJSON_Delete(json);
}

void watch_count(const struct suite *suite, struct watch_counters *ret_counters)
{
    struct http *http = http_new();
    *ret_counters = (struct watch_counters){LOAD_UNKNOWN, LOAD_UNKNOWN, LOAD_UNKNOWN, LOAD_UNKNOWN};
    count_in_services(http, suite, ret_counters);
    count_redeliveries(http, suite, ret_counters);
    http_free(http);
}

static void read_cpu_model(char *out, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        value += 1 + strspn(value + 1, " \t");
        line[strcspn(line, "\n")] = '\0';
        load_text(out, size, value);
        break;
    }
    if (file)
        fclose(file);
}

void watch_machine(const struct suite *suite, struct load_machine *ret_machine)
{
    struct utsname names;
    struct load_machine machine = {.cores = sysconf(_SC_NPROCESSORS_ONLN),
                                   .memory_bytes =
                                       (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)};
    read_cpu_model(machine.cpu_model, sizeof machine.cpu_model);
    if (uname(&names) == 0)
        snprintf(machine.kernel, sizeof machine.kernel, "%.60s %.60s", names.sysname,
                 names.release);
    if (suite) {
        struct http *http = http_new();
        struct survey *survey = calloc(1, sizeof *survey);
        if (!survey)
            abort();
        if (survey_suite(http, suite, survey) == OK && survey->broker_version[0])
            snprintf(machine.broker, sizeof machine.broker, "RabbitMQ %s", survey->broker_version);
        free(survey);
        http_free(http);
    }
    *ret_machine = machine;
}
