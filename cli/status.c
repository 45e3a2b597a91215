/* warren status: what runs, whether it is ready, how full the queues are. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bindings.h"
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
             "runs. What could not be looked at is said, and is not called right.",
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
        cJSON_AddStringToObject(entry, "state", queue->state);
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

static void add_log(cJSON *json, const struct survey *survey)
{
    cJSON *log = cJSON_AddObjectToObject(json, "log");
    cJSON_AddStringToObject(log, "queue", survey->log_queue);
    cJSON_AddNumberToObject(log, "generation", survey->log_generation);
    cJSON_AddBoolToObject(log, "readable", survey->log_readable);
    cJSON_AddStringToObject(log, "reason", survey->log_reason);
    cJSON_AddNumberToObject(log, "first_offset", (double)survey->log_ends.first);
    cJSON_AddNumberToObject(log, "last_offset", (double)survey->log_ends.last);
}

static void add_quarantine(cJSON *json, const struct survey *survey)
{
    cJSON *quarantine = cJSON_AddObjectToObject(json, "quarantine");
    for (size_t i = 0; i < survey->quarantine_count; i++)
        cJSON_AddNumberToObject(quarantine, survey->quarantines[i].service,
                                (double)survey->quarantines[i].count);
}

static void add_findings(cJSON *json, const struct survey *survey)
{
    cJSON *list = cJSON_AddArrayToObject(json, "findings");
    for (size_t i = 0; i < survey->finding_count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(survey->findings[i]));
}

static void print_json(const struct suite *suite, const struct survey *survey,
                       const struct topology_verdict *verdict)
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
    add_log(json, survey);
    add_processes(json, survey);
    add_queues(json, survey);
    cJSON_AddItemToObject(json, "bindings", bindings_json(verdict));
    add_quarantine(json, survey);
    add_findings(json, survey);
    char *text = cJSON_Print(json);
    puts(text);
    free(text);
    cJSON_Delete(json);
}

static void print_bindings(const struct topology_verdict *verdict)
{
    if (!verdict->looked)
        printf("  bindings not checked, %s\n", verdict->reason);
    else if (verdict->wrong == 0)
        printf("  bindings as declared\n");
    if (verdict->untold > 0)
        printf("  policies of %zu queues not told by the broker (yet)\n", verdict->untold);
    for (size_t i = 0; i < topology_kept(verdict); i++)
        if (topology_is_warning(verdict->findings[i].fault))
            printf("  warning: %s\n", verdict->findings[i].text);
}

static void print_head(const struct suite *suite, const struct survey *survey,
                       const struct topology_verdict *verdict)
{
    printf("%s, %s: %s\n", suite->home, suite_url(suite, "/").text,
           !survey->ready              ? "not ready"
           : survey->finding_count > 0 ? "ready, but look at this"
                                       : "ready");
    for (size_t i = 0; i < survey->finding_count; i++)
        printf("  ! %s\n", survey->findings[i]);
    printf("  broker %s, %s, port %d%s\n",
           survey->broker_version[0] ? survey->broker_version : "of unknown version",
           survey->broker_ready ? "ready" : "not ready", survey->broker_port,
           survey->external ? ", external" : "");
    print_node_restarts(survey);
    print_bindings(verdict);
    if (!survey->log_readable)
        printf("  log %s, not readable: %s\n\n", survey->log_queue, survey->log_reason);
    else if (survey->log_ends.first < 0)
        printf("  log %s, empty\n\n", survey->log_queue);
    else
        printf("  log %s, offsets %" PRId64 " to %" PRId64 "\n\n", survey->log_queue,
               survey->log_ends.first, survey->log_ends.last);
}

static void print_count(int64_t count)
{
    if (count < 0)
        printf(" %8s", "?");
    else
        printf(" %8" PRId64, count);
}

static void print_text(const struct suite *suite, const struct survey *survey,
                       const struct topology_verdict *verdict)
{
    print_head(suite, survey, verdict);
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
    for (size_t i = 0; i < survey->queue_count; i++) {
        const struct survey_queue *queue = &survey->queues[i];
        printf("  %-24s %8s", queue->name, queue->type);
        print_count(queue->ready);
        print_count(queue->unacked);
        print_count(queue->consumers);
        printf("\n");
    }
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

/* Where the management interface is not known nobody can look: that is said, and no reason to complain. */
static void look_at_bindings(struct http *http, const struct suite *suite, struct survey *survey,
                             struct topology_verdict *verdict)
{
    bindings_look(http, suite, verdict);
    if (!verdict->looked && bindings_known(suite))
        survey_find(survey, "bindings: not checked, %s", verdict->reason);
    for (size_t i = 0; i < topology_kept(verdict); i++) {
        const struct topology_finding *finding = &verdict->findings[i];
        if (!topology_is_warning(finding->fault))
            survey_find(survey,
                        finding->fault == TOPOLOGY_LOSSY ? "%s" : "%s: warren deploy declares it",
                        finding->text);
    }
}

int main(int argc, char **argv)
{
    static struct survey survey;
    static struct topology_verdict verdict = {.reason = "nothing runs"};
    if (options_parse(&options, argc, argv) != argc) {
        fprintf(stderr, "warren status: unexpected argument\nTry 'warren status --help'.\n");
        return CLI_USAGE;
    }
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    struct http *http = http_new();
    enum result result = survey_suite(http, &suite, &survey);
    if (result == OK)
        look_at_bindings(http, &suite, &survey, &verdict);
    http_free(http);
    if (arguments.json)
        print_json(&suite, &survey, &verdict);
    else if (result == NOT_FOUND)
        print_nothing(&suite);
    else
        print_text(&suite, &survey, &verdict);
    if (result == NOT_FOUND)
        return CLI_UNREACHABLE;
    return survey.ready && survey.finding_count == 0 ? CLI_DONE : CLI_WRONG;
}
