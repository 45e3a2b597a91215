#include "cli/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/broker.h"
#include "cli/process.h"
#include "cli/ready.h"
#include "cli/shop.h"
#include "cli/supervisor.h"
#include "common/messaging/amqp_link.h"
#include "common/messaging/deploy.h"

static const char broker_program[] = "rabbitmq-server-1";

/* "order-service-1" is instance 1 of a service, "epmd-1" is none. */
static const struct suite_service *service_of(const char *program, int *ret_instance)
{
    for (size_t i = 0; i < suite_service_count; i++) {
        size_t size = strlen(suite_services[i].name);
        if (strncmp(program, suite_services[i].name, size) == 0 && program[size] == '-') {
            *ret_instance = (int)strtol(program + size + 1, NULL, 10);
            return &suite_services[i];
        }
    }
    return NULL;
}

static void look_at_process(struct http *http, const struct suite *suite,
                            const struct supervisor_program *program,
                            const struct suite_service *service, int instance,
                            struct survey_process *process)
{
    struct err err = {""};
    snprintf(process->name, sizeof process->name, "%s", service->name);
    process->instance = instance;
    process->port = suite->base_port + service->port + instance - 1;
    process->pid = program->pid;
    process->restarts = supervisor_restarts(suite, program->name);
    process->started_ms = program->started_s * 1000;
    if (program->pid > 0)
        process->rss_bytes = process_rss_bytes(program->pid);
    process->ready = program->pid > 0 && ready_service(http, process->port, &err) == OK;
    if (!process->ready)
        snprintf(process->reason, sizeof process->reason, "%.150s",
                 program->pid > 0 ? err.text : "not running");
}

/* Works for any broker: its name, its version, whether it lets us in. */
static void look_at_broker(const struct suite *suite, struct survey *survey)
{
    struct amqp_target target;
    struct amqp_link link;
    struct err err = {""};
    char url[1024];
    broker_external_url(suite, url, sizeof url);
    survey->external = url[0] != '\0';
    enum result result = broker_target(suite, &target, &err);
    survey->broker_port = result == OK ? target.port : suite->base_port + PORT_AMQP;
    if (result == OK)
        result = amqp_link_open(&target, "status", &link, &err);
    if (result != OK) {
        snprintf(survey->reason, sizeof survey->reason, "broker: %.180s", err.text);
        return;
    }
    survey->broker_ready = true;
    const amqp_table_t *properties = amqp_get_server_properties(link.connection);
    for (int i = 0; i < properties->num_entries; i++) {
        const amqp_table_entry_t *entry = &properties->entries[i];
        if (entry->key.len == 7 && memcmp(entry->key.bytes, "version", 7) == 0 &&
            entry->value.kind == AMQP_FIELD_KIND_UTF8)
            snprintf(survey->broker_version, sizeof survey->broker_version, "%.*s",
                     (int)entry->value.value.bytes.len,
                     (const char *)entry->value.value.bytes.bytes);
    }
    if (broker_dead_letters(&link, &survey->dead_letters, &err) == OK && survey->dead_letters > 0)
        snprintf(survey->reason, sizeof survey->reason,
                 "the broker has dead-lettered %lld messages: see the queue " QUEUE_DEAD,
                 (long long)survey->dead_letters);
    amqp_link_drop(&link);
}

/* The newest generation of the log counts. */
static void note_log(struct survey *survey, const char *queue)
{
    static const char prefix[] = "events.log.";
    if (strncmp(queue, prefix, sizeof prefix - 1) != 0)
        return;
    int generation = (int)strtol(queue + sizeof prefix - 1, NULL, 10);
    if (generation <= survey->log_generation)
        return;
    survey->log_generation = generation;
    snprintf(survey->log_queue, sizeof survey->log_queue, "%.60s", queue);
}

static void look_at_queues(struct http *http, const struct suite *suite, struct survey *survey)
{
    cJSON *json = NULL;
    const cJSON *item;
    struct err err = {""};
    if (ready_management(http, suite, "queues/" BROKER_VHOST, &json, &err) != OK) {
        snprintf(survey->reason, sizeof survey->reason, "queues: %.180s", err.text);
        return;
    }
    cJSON_ArrayForEach(item, json)
    {
        if (survey->queue_count == SURVEY_QUEUES_MAX)
            break;
        struct survey_queue *queue = &survey->queues[survey->queue_count++];
        snprintf(queue->name, sizeof queue->name, "%.120s", json_text(item, "name"));
        snprintf(queue->type, sizeof queue->type, "%.15s", json_text(item, "type"));
        queue->ready = json_number(item, "messages_ready");
        queue->unacked = json_number(item, "messages_unacknowledged");
        queue->consumers = json_number(item, "consumers");
        note_log(survey, queue->name);
    }
    cJSON_Delete(json);
}

static void look_at_log(const struct suite *suite, struct survey *survey)
{
    struct err err = {""};
    if (survey->external)
        note_log(survey, STREAM_LOG); /* we do not know its management interface */
    if (!survey->broker_ready || !survey->log_queue[0])
        return;
    survey->log_readable = stream_ends(suite, survey->log_queue, &survey->log_ends, &err) == OK;
    if (!survey->log_readable)
        snprintf(survey->reason, sizeof survey->reason, "the suite runs without its log: %.160s",
                 err.text);
}

enum result survey_suite(struct http *http, const struct suite *suite, struct survey *ret_survey)
{
    struct supervisor_list list;
    *ret_survey = (struct survey){.log_ends = {-1, -1}, .dead_letters = -1};
    ret_survey->broker_port = suite->base_port + PORT_AMQP;
    if (supervisor_list(http, suite, &list, NULL) != OK)
        return NOT_FOUND;
    look_at_broker(suite, ret_survey);
    bool ready = ret_survey->broker_ready && ret_survey->dead_letters <= 0;
    for (size_t i = 0; i < list.count; i++) {
        int instance = 0;
        const struct suite_service *service = service_of(list.programs[i].name, &instance);
        if (strcmp(list.programs[i].name, broker_program) == 0)
            ret_survey->broker_pid = list.programs[i].pid;
        if (!service || ret_survey->process_count == SURVEY_PROCESSES_MAX)
            continue;
        struct survey_process *process = &ret_survey->processes[ret_survey->process_count++];
        look_at_process(http, suite, &list.programs[i], service, instance, process);
        ready = ready && process->ready;
    }
    if (!ret_survey->external)
        look_at_queues(http, suite, ret_survey);
    look_at_log(suite, ret_survey);
    node_restarts_read(suite, &ret_survey->node_restarts);
    ret_survey->ready = ready && ret_survey->log_readable;
    return OK;
}
