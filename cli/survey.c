#include "cli/survey.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bindings.h"
#include "cli/broker.h"
#include "cli/identity.h"
#include "cli/process.h"
#include "cli/ready.h"
#include "cli/shop.h"
#include "cli/supervisor.h"
#include "cli/topology.h"
#include "common/messaging/amqp_ask.h"
#include "common/messaging/deploy.h"
#include "common/messaging/quarantine.h"

static const char broker_program[] = "rabbitmq-server-1";
static const char warden_program[] = "warden-1";

void survey_find(struct survey *survey, const char *format, ...)
{
    va_list args;
    if (survey->finding_count == SURVEY_FINDINGS_MAX)
        return;
    char *text = survey->findings[survey->finding_count++];
    va_start(args, format);
    vsnprintf(text, sizeof survey->findings[0], format, args);
    va_end(args);
}

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

static void look_at_program(struct http *http, const struct suite *suite,
                            const struct supervisor_program *program, struct survey *survey)
{
    int instance = 0;
    const struct suite_service *service = service_of(program->name, &instance);
    if (strcmp(program->name, broker_program) == 0)
        survey->broker_pid = program->pid;
    if (strcmp(program->name, warden_program) == 0 && program->pid == 0)
        survey_find(survey, "the warden does not run: nobody looks after the broker");
    if (!service || survey->process_count == SURVEY_PROCESSES_MAX)
        return;
    struct survey_process *process = &survey->processes[survey->process_count++];
    look_at_process(http, suite, program, service, instance, process);
    survey->ready = survey->ready && process->ready;
}

static void look_at_identity(const struct suite *suite, struct amqp_link *link,
                             struct survey *survey)
{
    struct err err = {""};
    enum result result = identity_look(suite, link, &err);
    if (result == CONFLICT || result == NOT_FOUND)
        survey_find(survey, "%.190s", err.text);
    else if (result != OK)
        survey_find(survey, "whose broker it is: not looked at, %.140s", err.text);
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
        survey_find(survey, "broker: %.180s", err.text);
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
    if (broker_dead_letters(&link, &survey->dead_letters, &err) != OK)
        survey_find(survey, "dead letters: not counted, %.160s", err.text);
    else if (survey->dead_letters > 0)
        survey_find(survey, "the broker has dead-lettered %lld messages: see the queue " QUEUE_DEAD,
                    (long long)survey->dead_letters);
    look_at_identity(suite, &link, survey);
    amqp_link_farewell(&link);
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

/* A queue whose node or majority is away is listed without its numbers. */
static int64_t number_or_unknown(const cJSON *item, const char *name)
{
    return cJSON_HasObjectItem(item, name) ? json_number(item, name) : -1;
}

static void note_queue(struct survey *survey, const cJSON *item)
{
    if (survey->queue_count == SURVEY_QUEUES_MAX)
        return;
    struct survey_queue *queue = &survey->queues[survey->queue_count++];
    snprintf(queue->name, sizeof queue->name, "%.120s", json_text(item, "name"));
    snprintf(queue->type, sizeof queue->type, "%.15s", json_text(item, "type"));
    snprintf(queue->state, sizeof queue->state, "%.15s", json_text(item, "state"));
    queue->ready = number_or_unknown(item, "messages_ready");
    queue->unacked = number_or_unknown(item, "messages_unacknowledged");
    queue->consumers = number_or_unknown(item, "consumers");
    if (queue->state[0] && strcmp(queue->state, "running") != 0)
        survey_find(survey, "queue %.100s is %s", queue->name, queue->state);
    note_log(survey, queue->name);
}

/* However many a guest makes, ours are seen. */
static bool is_guests(const cJSON *queue)
{
    static const char prefix[] = "guest.";
    return strncmp(json_text(queue, "name"), prefix, sizeof prefix - 1) == 0;
}

static void list_queues(const cJSON *json, struct survey *survey)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, json) if (!is_guests(item)) note_queue(survey, item);
    cJSON_ArrayForEach(item, json) if (is_guests(item)) note_queue(survey, item);
}

/* What the broker does not tell so: what is in somebody's hands, and whether it is well. */
static void ask_for_queue(struct amqp_link *link, const struct queue_spec *spec,
                          struct survey *survey)
{
    struct err err = {""};
    struct amqp_queue_seen seen;
    enum result result = amqp_ask_queue(link, spec->name, &seen, &err);
    if (result != OK)
        survey_find(survey, result == NOT_FOUND ? "queue %.100s is not there" : "queue %.190s",
                    result == NOT_FOUND ? spec->name : err.text);
    if (result != OK || survey->queue_count == SURVEY_QUEUES_MAX)
        return;
    struct survey_queue *queue = &survey->queues[survey->queue_count++];
    *queue = (struct survey_queue){.ready = seen.ready, .unacked = -1, .consumers = seen.consumers};
    snprintf(queue->name, sizeof queue->name, "%.120s", spec->name);
    snprintf(queue->type, sizeof queue->type, "%s",
             spec->kind == QUEUE_STREAM ? "stream" : "quorum");
    note_log(survey, queue->name);
}

static void ask_for_table(struct amqp_link *link, const struct topology *table,
                          struct survey *survey)
{
    for (size_t i = 0; i < table->queue_count; i++)
        ask_for_queue(link, &table->queues[i], survey);
}

/* Needs no management interface, and no right. */
static void ask_for_queues(const struct suite *suite, struct survey *survey)
{
    struct amqp_target target;
    struct amqp_link link;
    struct err err = {""};
    enum result result = broker_target(suite, &target, &err);
    if (result == OK)
        result = amqp_link_open(&target, "status", &link, &err);
    if (result != OK) {
        survey_find(survey, "queues: not listed, %.160s", err.text);
        return;
    }
    for (size_t i = 0; i + 1 < topology_count; i++) /* the last has rights only */
        ask_for_table(&link, topology_tables[i], survey);
    ask_for_table(&link, &topology_common, survey);
    amqp_link_farewell(&link);
}

static void look_at_queues(struct http *http, const struct suite *suite, struct survey *survey)
{
    cJSON *json = NULL;
    struct err err = {""};
    if (ready_management(http, suite, "queues/{vhost}", &json, &err) == OK)
        list_queues(json, survey);
    else if (survey->broker_ready)
        ask_for_queues(suite, survey);
    else
        survey_find(survey, "queues: not listed, %.160s", err.text);
    if (!json && bindings_known(suite) && survey->broker_ready)
        survey_find(survey, "queues: only asked for, %.160s", err.text);
    cJSON_Delete(json);
}

/* The log that the services are made for is missed wherever it is not listed. */
static void look_at_log(const struct suite *suite, struct survey *survey)
{
    struct err err = {""};
    note_log(survey, STREAM_LOG);
    if (!survey->broker_ready)
        err_set(&err, RETRY, "not looked at, the broker is not ready");
    else if (stream_ends(suite, survey->log_queue, &survey->log_ends, &err) == OK)
        survey->log_readable = true;
    snprintf(survey->log_reason, sizeof survey->log_reason, "%.150s", err.text);
    if (!survey->log_readable)
        survey_find(survey, "the suite runs without its log: %.150s", err.text);
}

static enum result count_quarantined(const struct suite *suite, const char *file,
                                     int64_t *ret_count, struct err *err)
{
    struct store *store = NULL;
    enum result result =
        store_open_sqlite(suite_path(suite, "%s", file).text, STORE_READ_ONLY, &store, err);
    if (result == OK)
        result = quarantine_count(store, ret_count, err);
    store_free(store);
    return result;
}

static void look_at_quarantine(const struct suite *suite, struct survey *survey)
{
    for (size_t i = 0; i < suite_store_count && i < SURVEY_STORES_MAX; i++) {
        struct err err = {""};
        struct survey_quarantine *entry = &survey->quarantines[survey->quarantine_count++];
        *entry = (struct survey_quarantine){suite_stores[i].service, -1};
        if (count_quarantined(suite, suite_stores[i].file, &entry->count, &err) != OK)
            survey_find(survey, "%s: quarantine not counted, %.120s", entry->service, err.text);
        else if (entry->count > 0)
            survey_find(survey, "%s: %lld in quarantine, see warren quarantine list",
                        entry->service, (long long)entry->count);
    }
}

enum result survey_suite(struct http *http, const struct suite *suite, struct survey *ret_survey)
{
    struct supervisor_list list;
    *ret_survey = (struct survey){.log_ends = {-1, -1}, .dead_letters = -1};
    ret_survey->broker_port = suite->base_port + PORT_AMQP;
    if (supervisor_list(http, suite, &list, NULL) != OK)
        return NOT_FOUND;
    look_at_broker(suite, ret_survey);
    ret_survey->ready = ret_survey->broker_ready;
    for (size_t i = 0; i < list.count; i++)
        look_at_program(http, suite, &list.programs[i], ret_survey);
    look_at_queues(http, suite, ret_survey);
    look_at_log(suite, ret_survey);
    look_at_quarantine(suite, ret_survey);
    node_restarts_read(suite, &ret_survey->node_restarts);
    ret_survey->ready = ret_survey->ready && ret_survey->log_readable;
    return OK;
}
