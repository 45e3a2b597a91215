/* warren status: what runs, whether it is ready, how full the queues are. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit_codes.h"
#include "cli/process.h"
#include "cli/survey.h"
#include "common/base/clock.h"
#include "common/base/options.h"

static struct {
    struct suite_options where;
    bool json;
} arguments;

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "json", .kind = OPTION_FLAG, .value = &arguments.json, .help = "as one JSON object"},
};

static const struct options options = {
    .program = "warren status",
    .synopsis = "[--json]",
    .about = "Says what of a suite runs. Exits 0 when all is ready, 1 when not, 5 when nothing "
             "runs.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

static void add_processes(cJSON *json, const struct survey *survey)
{
    cJSON *list = cJSON_AddArrayToObject(json, "processes");
    for (size_t i = 0; i < survey->process_count; i++) {
        const struct survey_process *process = &survey->processes[i];
        char started[TIME_TEXT_SIZE] = "";
        cJSON *entry = cJSON_CreateObject();
        if (process->started_ms > 0)
            time_format(process->started_ms, started);
        cJSON_AddStringToObject(entry, "name", process->name);
        cJSON_AddNumberToObject(entry, "instance", process->instance);
        cJSON_AddNumberToObject(entry, "pid", process->pid);
        cJSON_AddBoolToObject(entry, "ready", process->ready);
        cJSON_AddStringToObject(entry, "reason", process->reason);
        cJSON_AddNumberToObject(entry, "rss_bytes", (double)process->rss_bytes);
        cJSON_AddNumberToObject(entry, "restarts", process->restarts);
        cJSON_AddStringToObject(entry, "started_at", started);
        cJSON_AddNumberToObject(entry, "port", process->port);
        cJSON_AddItemToArray(list, entry);
    }
}

static void add_queues(cJSON *json, const struct survey *survey)
{
    cJSON *list = cJSON_AddArrayToObject(json, "queues");
    for (size_t i = 0; i < survey->queue_count; i++) {
        const struct survey_queue *queue = &survey->queues[i];
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "name", queue->name);
        cJSON_AddStringToObject(entry, "type", queue->type);
        cJSON_AddNumberToObject(entry, "ready", (double)queue->ready);
        cJSON_AddNumberToObject(entry, "unacked", (double)queue->unacked);
        cJSON_AddNumberToObject(entry, "consumers", (double)queue->consumers);
        cJSON_AddItemToArray(list, entry);
    }
}

static void add_node_restarts(cJSON *broker, const struct survey *survey)
{
    const struct node_restarts *restarts = &survey->node_restarts;
    char last[TIME_TEXT_SIZE] = "";
    if (restarts->count > 0)
        time_format(restarts->last_ms, last);
    cJSON_AddNumberToObject(broker, "useless_restarts", (double)restarts->count);
    cJSON_AddStringToObject(broker, "last_useless_restart", last);
}

static void print_node_restarts(const struct survey *survey)
{
    const struct node_restarts *restarts = &survey->node_restarts;
    char last[TIME_TEXT_SIZE];
    if (restarts->count == 0)
        return;
    time_format(restarts->last_ms, last);
    printf("  the broker was restarted %" PRId64
           " times because it was up and useless, last at %s: "
           "%s\n",
           restarts->count, last, restarts->why);
}

static void print_json(const struct suite *suite, const struct survey *survey)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "home", suite->home);
    cJSON_AddNumberToObject(json, "base_port", suite->base_port);
    cJSON_AddStringToObject(json, "url", suite_url(suite, "/").text);
    cJSON_AddBoolToObject(json, "ready", survey->ready);
    cJSON *broker = cJSON_AddObjectToObject(json, "broker");
    cJSON_AddStringToObject(broker, "version", survey->broker_version);
    cJSON_AddNumberToObject(broker, "amqp_port", survey->broker_port);
    cJSON_AddBoolToObject(broker, "external", survey->external);
    cJSON_AddBoolToObject(broker, "ready", survey->broker_ready);
    cJSON_AddNumberToObject(broker, "pid", survey->broker_pid);
    cJSON_AddNumberToObject(broker, "dead_letters", (double)survey->dead_letters);
    add_node_restarts(broker, survey);
    cJSON *log = cJSON_AddObjectToObject(json, "log");
    cJSON_AddBoolToObject(log, "readable", survey->log_readable);
    cJSON_AddStringToObject(log, "queue", survey->log_queue);
    cJSON_AddNumberToObject(log, "generation", survey->log_generation);
    cJSON_AddNumberToObject(log, "first_offset", (double)survey->log_ends.first);
    cJSON_AddNumberToObject(log, "last_offset", (double)survey->log_ends.last);
    add_processes(json, survey);
    add_queues(json, survey);
    char *text = cJSON_Print(json);
    puts(text);
    free(text);
    cJSON_Delete(json);
}

static void print_text(const struct suite *suite, const struct survey *survey)
{
    printf("%s, %s: %s\n", suite->home, suite_url(suite, "/").text,
           survey->ready ? "ready" : "not ready");
    printf("  broker %s, %s, port %d%s\n",
           survey->broker_version[0] ? survey->broker_version : "of unknown version",
           survey->broker_ready ? "ready" : "not ready", survey->broker_port,
           survey->external ? ", external" : "");
    if (survey->reason[0])
        printf("  %s\n", survey->reason);
    print_node_restarts(survey);
    printf("  log %s, offsets %" PRId64 " to %" PRId64 "\n\n", survey->log_queue,
           survey->log_ends.first, survey->log_ends.last);
    printf("  %-24s %8s %6s %8s %9s  %s\n", "process", "pid", "port", "MB", "restarts", "");
    for (size_t i = 0; i < survey->process_count; i++) {
        const struct survey_process *process = &survey->processes[i];
        char name[80];
        snprintf(name, sizeof name, "%s %d", process->name, process->instance);
        printf("  %-24s %8d %6d %8.1f %9d  %s\n", name, process->pid, process->port,
               (double)process->rss_bytes / 1048576.0, process->restarts,
               process->ready ? "ready" : process->reason);
    }
    printf("\n  %-24s %8s %8s %8s %9s\n", "queue", "type", "ready", "unacked", "consumers");
    for (size_t i = 0; i < survey->queue_count; i++)
        printf("  %-24s %8s %8" PRId64 " %8" PRId64 " %9" PRId64 "\n", survey->queues[i].name,
               survey->queues[i].type, survey->queues[i].ready, survey->queues[i].unacked,
               survey->queues[i].consumers);
}

/* No supervisor answers. What it has started may be alive all the same. */
static void print_nothing(const struct suite *suite)
{
    struct process_entry left;
    if (process_of_suite(suite, &left, 1) == 0)
        printf("nothing is running in %s\n", suite->home);
    else
        printf("the supervisor of %s is gone; %s, pid %d, and perhaps others are left, and nobody "
               "starts them again: warren down ends them, warren up begins anew\n",
               suite->home, left.name, (int)left.pid);
}

int main(int argc, char **argv)
{
    static struct survey survey;
    if (options_parse(&options, argc, argv) != argc) {
        fprintf(stderr, "warren status: unexpected argument\nTry 'warren status --help'.\n");
        return CLI_USAGE;
    }
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    struct http *http = http_new();
    enum result result = survey_suite(http, &suite, &survey);
    http_free(http);
    if (arguments.json)
        print_json(&suite, &survey);
    else if (result == NOT_FOUND)
        print_nothing(&suite);
    else
        print_text(&suite, &survey);
    return result == NOT_FOUND ? CLI_UNREACHABLE : survey.ready ? CLI_DONE : CLI_WRONG;
}
