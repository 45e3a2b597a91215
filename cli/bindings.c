#include "cli/bindings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/broker.h"
#include "cli/files.h"
#include "cli/ready.h"
#include "cli/shop.h"
#include "cli/topology.h"
#include "common/base/clock.h"

/* The texts belong to the answers. */
struct looked {
    cJSON *exchanges, *bindings;
    struct exchange_spec *exchange;
    const char **queue;
    struct binding_spec *binding;
    struct topology_found found;
};

static void *list_of(const cJSON *json, size_t size)
{
    void *list = calloc((size_t)cJSON_GetArraySize(json) + 1, size);
    if (!list)
        abort();
    return list;
}

static void take_exchanges(struct looked *looked)
{
    const cJSON *item;
    looked->exchange = list_of(looked->exchanges, sizeof *looked->exchange);
    cJSON_ArrayForEach(item, looked->exchanges)
    {
        looked->exchange[looked->found.exchange_count++] =
            (struct exchange_spec){json_text(item, "name"), json_text(item, "type")};
    }
}

/* Every queue is bound to the default exchange, and by nobody's doing: that tells which there are. */
static void take_bindings(struct looked *looked)
{
    const cJSON *item;
    looked->queue = list_of(looked->bindings, sizeof *looked->queue);
    looked->binding = list_of(looked->bindings, sizeof *looked->binding);
    cJSON_ArrayForEach(item, looked->bindings)
    {
        const char *source = json_text(item, "source");
        const char *queue = json_text(item, "destination");
        if (strcmp(json_text(item, "destination_type"), "queue") != 0)
            continue;
        if (!source[0])
            looked->queue[looked->found.queue_count++] = queue;
        else
            looked->binding[looked->found.binding_count++] =
                (struct binding_spec){queue, source, json_text(item, "routing_key")};
    }
}

static void looked_release(struct looked *looked)
{
    cJSON_Delete(looked->exchanges);
    cJSON_Delete(looked->bindings);
    free(looked->exchange);
    free(looked->queue);
    free(looked->binding);
}

static enum result look(struct http *http, const struct suite *suite, struct looked *looked,
                        struct err *err)
{
    char url[1024];
    broker_external_url(suite, url, sizeof url);
    if (url[0])
        return err_set(err, NOT_FOUND,
                       "the broker is not the suite's own, and its management interface unknown");
    enum result result =
        ready_management(http, suite, "exchanges/" BROKER_VHOST, &looked->exchanges, err);
    if (result == OK)
        result = ready_management(http, suite, "bindings/" BROKER_VHOST, &looked->bindings, err);
    if (result != OK)
        return result;
    take_exchanges(looked);
    take_bindings(looked);
    looked->found.exchanges = looked->exchange;
    looked->found.queues = looked->queue;
    looked->found.bindings = looked->binding;
    return OK;
}

void bindings_look(struct http *http, const struct suite *suite,
                   struct topology_verdict *ret_verdict)
{
    struct looked looked = {.exchanges = NULL};
    struct err err = {""};
    *ret_verdict = (struct topology_verdict){.looked = false};
    if (look(http, suite, &looked, &err) == OK) {
        ret_verdict->looked = true;
        topology_compare(topology_tables, topology_count - 1, &looked.found, ret_verdict);
    } else {
        snprintf(ret_verdict->reason, sizeof ret_verdict->reason, "%.150s", err.text);
    }
    ret_verdict->at_mono_ms = clock_mono_ms(clock_system());
    looked_release(&looked);
}

enum result bindings_record(const struct suite *suite, const struct topology_verdict *verdict,
                            struct err *err)
{
    struct buf text = {0};
    topology_verdict_print(verdict, &text);
    enum result result =
        file_write(suite_path(suite, TOPOLOGY_VERDICT_FILE).text, text.data, text.size, err);
    buf_release(&text);
    return result;
}

static const char *verdict_name(const struct topology_verdict *verdict)
{
    return !verdict->looked ? "not checked" : verdict->wrong > 0 ? "wrong" : "as declared";
}

cJSON *bindings_json(const struct topology_verdict *verdict)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "verdict", verdict_name(verdict));
    cJSON_AddStringToObject(json, "reason", verdict->reason);
    cJSON *list = cJSON_AddArrayToObject(json, "findings");
    for (size_t i = 0; i < topology_kept(verdict); i++) {
        const struct topology_finding *finding = &verdict->findings[i];
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "fault", topology_fault_name(finding->fault));
        cJSON_AddStringToObject(entry, "queue", finding->queue);
        cJSON_AddStringToObject(entry, "text", finding->text);
        cJSON_AddItemToArray(list, entry);
    }
    return json;
}

void bindings_refresh(struct http *http, const struct suite *suite)
{
    struct topology_verdict verdict;
    bindings_look(http, suite, &verdict);
    (void)!bindings_record(suite, &verdict, NULL);
}

/* Whatever is new is told once. */
static void tell(const struct log *log, const struct topology_verdict *verdict,
                 const struct topology_verdict *before)
{
    for (size_t i = 0; i < topology_kept(verdict); i++) {
        const struct topology_finding *finding = &verdict->findings[i];
        bool known = false;
        for (size_t j = 0; j < topology_kept(before) && !known; j++)
            known = strcmp(before->findings[j].text, finding->text) == 0;
        if (!known)
            LOG_EVENT(log, LOG_WARNING, "bindings-wrong", LOG_TEXT("reason", finding->text));
    }
    if (verdict->looked && verdict->count == 0 && (before->count > 0 || !before->looked))
        LOG_EVENT(log, LOG_INFO, "bindings-right");
    if (!verdict->looked && strcmp(verdict->reason, before->reason) != 0)
        LOG_EVENT(log, LOG_INFO, "bindings-not-checked", LOG_TEXT("reason", verdict->reason));
}

void bindings_watch(struct http *http, const struct suite *suite, const struct log *log,
                    struct topology_verdict *last)
{
    struct err err = {""};
    struct topology_verdict before = *last;
    bindings_look(http, suite, last);
    tell(log, last, &before);
    if (bindings_record(suite, last, &err) != OK)
        LOG_EVENT(log, LOG_WARNING, "bindings-not-written", LOG_TEXT("reason", err.text));
}
