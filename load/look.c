#include "load/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/http.h"
#include "cli/process.h"
#include "cli/ready.h"
#include "cli/shop.h"
#include "cli/supervisor.h"
#include "cli/topology.h"
#include "common/messaging/amqp_ask.h"
#include "load/prometheus.h"

/* A process that is watched. */
struct target {
    char name[LOAD_LABEL_MAX];
    pid_t pid;
    int port;        /* of a service; 0: none */
    int64_t cpu_us;  /* at the last look; LOAD_UNKNOWN: there was none */
    int64_t seen_us; /* when that was */
};

struct looker {
    struct suite suite;
    struct http *http;
    struct http_response response;
    struct amqp_link link; /* for passive declares */
    bool linked;
    struct target targets[LOAD_PROCESSES_MAX];
    size_t target_count;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void look_clear(struct look *look)
{
    *look = (struct look){.projection_lag = LOAD_UNKNOWN};
}

void looker_free(struct looker *looker)
{
    if (!looker)
        return;
    if (looker->linked)
        amqp_link_farewell(&looker->link);
    http_response_release(&looker->response);
    http_free(looker->http);
    free(looker);
}

/* --- processes ----------------------------------------------------------------------------------- */

/* User and system time; LOAD_UNKNOWN when the process is gone. */
static int64_t cpu_us_of(pid_t pid)
{
    char path[64], line[1024];
    long long user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return LOAD_UNKNOWN;
    bool got = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    char *at = got ? strrchr(line, ')') : NULL; /* the name may hold anything */
    for (int field = 2; at && field < 14; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return LOAD_UNKNOWN;
    user = strtoll(at, &at, 10);
    kernel = strtoll(at, NULL, 10);
    return (user + kernel) * 1000000 / sysconf(_SC_CLK_TCK);
}

static void add_target(struct looker *looker, const char *name, pid_t pid, int port)
{
    if (looker->target_count == LOAD_PROCESSES_MAX)
        return;
    struct target *target = &looker->targets[looker->target_count++];
    *target = (struct target){.pid = pid, .port = port, .cpu_us = LOAD_UNKNOWN};
    load_text(target->name, sizeof target->name, name);
}

/* "order-service-2" listens on the second of its ports. */
static int port_of(const struct suite *suite, const char *program)
{
    for (size_t i = 0; i < suite_service_count; i++) {
        size_t size = strlen(suite_services[i].name);
        if (strncmp(program, suite_services[i].name, size) == 0 && program[size] == '-')
            return suite->base_port + suite_services[i].port +
                   (int)strtol(program + size + 1, NULL, 10) - 1;
    }
    return 0;
}

static void find_targets(struct looker *looker)
{
    struct supervisor_list list;
    static const char broker[] = "beam.smp"; /* the broker's program is a shell around it */
    struct process_entry entries[64];
    looker->target_count = 0;
    if (supervisor_list(looker->http, &looker->suite, &list, NULL) != OK)
        list.count = 0;
    for (size_t i = 0; i < list.count; i++) {
        int port = port_of(&looker->suite, list.programs[i].name);
        if (port > 0 && list.programs[i].pid > 0)
            add_target(looker, list.programs[i].name, list.programs[i].pid, port);
    }
    size_t count = process_of_suite(&looker->suite, entries, 64);
    for (size_t i = 0; i < count && i < 64; i++)
        if (strcmp(entries[i].name, broker) == 0)
            add_target(looker, "rabbitmq", entries[i].pid, 0);
    add_target(looker, "warren-load", getpid(), 0);
}

static void look_at_processes(struct looker *looker, struct look *look)
{
    bool gone = looker->target_count < 2;
    for (size_t i = 0; i < looker->target_count; i++) {
        struct target *target = &looker->targets[i];
        struct look_process *process = &look->processes[look->process_count++];
        int64_t cpu_us = cpu_us_of(target->pid);
        int64_t seen_us = now_us();
        *process = (struct look_process){.cpu_milli = LOAD_UNKNOWN, .rss_bytes = LOAD_UNKNOWN};
        load_text(process->name, sizeof process->name, target->name);
        if (cpu_us != LOAD_UNKNOWN) {
            process->rss_bytes = process_rss_bytes(target->pid);
            if (target->cpu_us != LOAD_UNKNOWN && seen_us > target->seen_us)
                process->cpu_milli = (cpu_us - target->cpu_us) * 1000 / (seen_us - target->seen_us);
        } else {
            gone = true;
        }
        target->cpu_us = cpu_us;
        target->seen_us = seen_us;
    }
    if (gone)
        find_targets(looker); /* it was started again, as another process */
}

struct looker *looker_new(const struct suite *suite)
{
    struct looker *looker = calloc(1, sizeof *looker);
    if (!looker)
        abort();
    looker->suite = *suite;
    looker->http = http_new();
    find_targets(looker);
    return looker;
}

/* --- services ------------------------------------------------------------------------------------ */

static const char *metrics_of(struct looker *looker, int port)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/metrics", port);
    const struct http_request request = {.url = url, .timeout_ms = 2000};
    if (http_call(looker->http, &request, &looker->response, NULL) != OK ||
        looker->response.status != 200)
        return NULL;
    return looker->response.body.data;
}

static void look_at_services(struct looker *looker, const _Atomic int64_t *log_offset,
                             struct look *look)
{
    for (size_t i = 0; i < looker->target_count; i++) {
        double value = 0;
        int64_t offset = atomic_load(log_offset);
        const struct target *target = &looker->targets[i];
        const char *text = target->port > 0 ? metrics_of(looker, target->port) : NULL;
        if (!text)
            continue;
        if (prometheus_sum(text, "warren_outbox_rows", NULL, &value) &&
            look->service_count < LOAD_SERVICES_MAX) {
            struct look_service *service = &look->services[look->service_count++];
            load_text(service->name, sizeof service->name, target->name);
            service->outbox = (int64_t)value;
        }
        if (offset >= 0 && prometheus_sum(text, "warren_edge_projection_offset", NULL, &value)) {
            int64_t lag = offset > (int64_t)value ? offset - (int64_t)value : 0;
            look->projection_lag = lag > look->projection_lag ? lag : look->projection_lag;
        }
    }
}

/* --- queues -------------------------------------------------------------------------------------- */

static void add_queue(struct look *look, const char *name, int64_t ready, int64_t unacked)
{
    if (look->queue_count == LOAD_QUEUES_MAX)
        return;
    struct look_queue *queue = &look->queues[look->queue_count++];
    load_text(queue->name, sizeof queue->name, name);
    queue->ready = ready;
    queue->unacked = unacked;
}

/* What there is to ask for where the management interface does not tell. */
static void list_our_own(struct look *look)
{
    for (size_t i = 0; i < topology_count; i++)
        for (size_t j = 0; j < topology_tables[i]->queue_count; j++)
            if (topology_tables[i]->queues[j].kind != QUEUE_STREAM)
                add_queue(look, topology_tables[i]->queues[j].name, LOAD_UNKNOWN, LOAD_UNKNOWN);
    add_queue(look, QUEUE_DEAD, LOAD_UNKNOWN, LOAD_UNKNOWN);
}

static void list_queues(struct looker *looker, struct look *look)
{
    cJSON *json = NULL;
    const cJSON *item;
    if (ready_management(looker->http, &looker->suite,
                         "queues/{vhost}"
                         "?columns=name,type,messages_ready,messages_unacknowledged",
                         &json, NULL) != OK) {
        list_our_own(look);
        return;
    }
    cJSON_ArrayForEach(item, json)
    {
        if (strcmp(json_text(item, "type"), "stream") != 0)
            add_queue(look, json_text(item, "name"), json_number(item, "messages_ready"),
                      json_number(item, "messages_unacknowledged"));
    }
    cJSON_Delete(json);
}

static bool be_linked(struct looker *looker)
{
    struct amqp_target target;
    if (!looker->linked && broker_target(&looker->suite, &target, NULL) == OK)
        looker->linked = amqp_link_open(&target, "load", &looker->link, NULL) == OK;
    return looker->linked;
}

/* Of those that cannot be asked for now nothing is said: their names stay, their numbers are not known. */
static void look_at_queues(struct looker *looker, struct look *look)
{
    list_queues(looker, look);
    for (size_t i = 0; i < look->queue_count && be_linked(looker); i++) {
        struct look_queue *queue = &look->queues[i];
        struct amqp_queue_seen seen;
        enum result result = amqp_ask_queue(&looker->link, queue->name, &seen, NULL);
        if (result == OK) {
            queue->ready = seen.ready;
        } else if (result != NOT_FOUND) {
            amqp_link_drop(&looker->link);
            looker->linked = false;
        }
    }
}

void looker_look(struct looker *looker, const _Atomic int64_t *log_offset, struct look *ret_look)
{
    look_clear(ret_look);
    look_at_processes(looker, ret_look);
    look_at_services(looker, log_offset, ret_look);
    look_at_queues(looker, ret_look);
}
