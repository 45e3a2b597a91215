#include "cli/bindings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/files.h"
#include "cli/ready.h"
#include "cli/shop.h"
#include "cli/topology.h"
#include "common/base/clock.h"

/* The texts belong to the answers. */
struct looked {
    cJSON *exchanges, *bindings, *queues;
    struct exchange_spec *exchange;
    const char **queue;
    struct binding_spec *binding;
    struct queue_setting *setting;
    size_t untold;
    struct buf words; /* what is not in the answers as it is needed, one text behind the other */
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

/* --- what changes a queue ------------------------------------------------------------------------- */

/* A text that lives as long as the look. Its place may move while others are added: an offset. */
static size_t word(struct looked *looked, const char *text)
{
    size_t at = looked->words.size;
    buf_append(&looked->words, text, strlen(text) + 1);
    return at;
}

static size_t value_word(struct looked *looked, const cJSON *value)
{
    if (cJSON_IsString(value))
        return word(looked, value->valuestring);
    char *text = cJSON_PrintUnformatted(value);
    size_t at = word(looked, text ? text : "");
    cJSON_free(text);
    return at;
}

/* Which of the two a key of them both is from the broker does not say. */
static size_t policy_word(struct looked *looked, const cJSON *queue)
{
    struct buf text = {0};
    const char *user = json_text(queue, "policy");
    const char *operators = json_text(queue, "operator_policy");
    if (user[0])
        buf_printf(&text, "policy %s", user);
    if (operators[0])
        buf_printf(&text, "%soperator policy %s", user[0] ? " and " : "", operators);
    size_t at = word(looked, text.size > 0 ? text.data : "a policy");
    buf_release(&text);
    return at;
}

/* For the moment offsets are kept where pointers will be. */
struct setting_at {
    const char *queue, *key;
    size_t value, by;
    bool has_by;
};

static void take_members(struct looked *looked, struct setting_at *list, size_t *count,
                         const cJSON *queue, const char *member)
{
    bool arguments = strcmp(member, "arguments") == 0;
    size_t by = arguments ? 0 : policy_word(looked, queue);
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(queue, member))
    {
        const char *key = item->string;
        if (strcmp(key, "x-queue-type") == 0)
            continue; /* told apart, also where nobody has said it */
        if (arguments && strncmp(key, "x-", 2) == 0)
            key += 2;
        list[(*count)++] = (struct setting_at){json_text(queue, "name"), key,
                                               value_word(looked, item), by, !arguments};
    }
}

static size_t members_in(const cJSON *queues)
{
    const cJSON *queue;
    size_t count = 0;
    cJSON_ArrayForEach(queue, queues) count +=
        1 + (size_t)cJSON_GetArraySize(cJSON_GetObjectItem(queue, "arguments")) +
        (size_t)cJSON_GetArraySize(cJSON_GetObjectItem(queue, "effective_policy_definition"));
    return count;
}

static bool is_declared(const struct topology_set *set, const char *name)
{
    bool ours = strcmp(name, QUEUE_DEAD) == 0;
    for (size_t i = 0; i < set->count && !ours; i++)
        for (size_t j = 0; j < set->list[i]->queue_count && !ours; j++)
            ours = strcmp(set->list[i]->queues[j].name, name) == 0;
    return ours;
}

static void take_settings(struct looked *looked, const struct topology_set *set)
{
    const cJSON *queue;
    size_t count = 0;
    struct setting_at *list = calloc(members_in(looked->queues) + 1, sizeof *list);
    if (!list)
        abort();
    cJSON_ArrayForEach(queue, looked->queues)
    {
        const char *name = json_text(queue, "name");
        if (!is_declared(set, name))
            continue;
        looked->untold += !cJSON_HasObjectItem(queue, "effective_policy_definition");
        take_members(looked, list, &count, queue, "arguments");
        take_members(looked, list, &count, queue, "effective_policy_definition");
        if (json_text(queue, "type")[0])
            list[count++] = (struct setting_at){name, "queue-type",
                                                word(looked, json_text(queue, "type")), 0, false};
    }
    looked->setting = calloc(count + 1, sizeof *looked->setting);
    if (!looked->setting)
        abort();
    for (size_t i = 0; i < count; i++)
        looked->setting[i] =
            (struct queue_setting){list[i].queue, list[i].key, looked->words.data + list[i].value,
                                   list[i].has_by ? looked->words.data + list[i].by : NULL};
    looked->found.settings = looked->setting;
    looked->found.setting_count = count;
    free(list);
}

static void looked_release(struct looked *looked)
{
    cJSON_Delete(looked->exchanges);
    cJSON_Delete(looked->bindings);
    cJSON_Delete(looked->queues);
    buf_release(&looked->words);
    free(looked->setting);
    free(looked->exchange);
    free(looked->queue);
    free(looked->binding);
}

/* Where there are none, none can apply. */
static bool has_no_policies(struct http *http, const struct suite *suite)
{
    static const char *const lists[] = {"policies/{vhost}", "operator-policies/{vhost}"};
    bool none = true;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && none; i++) {
        cJSON *json = NULL;
        none = ready_management(http, suite, lists[i], &json, NULL) == OK && cJSON_IsArray(json) &&
               cJSON_GetArraySize(json) == 0;
        cJSON_Delete(json);
    }
    return none;
}

static enum result look(struct http *http, const struct suite *suite,
                        const struct topology_set *set, struct looked *looked, struct err *err)
{
    enum result result =
        ready_management(http, suite, "exchanges/{vhost}", &looked->exchanges, err);
    if (result == OK)
        result = ready_management(http, suite, "bindings/{vhost}", &looked->bindings, err);
    if (result == OK)
        result = ready_management(http, suite,
                                  "queues/{vhost}?columns=name,type,arguments,policy,"
                                  "operator_policy,effective_policy_definition",
                                  &looked->queues, err);
    if (result != OK)
        return result;
    take_exchanges(looked);
    take_bindings(looked);
    take_settings(looked, set);
    looked->found.exchanges = looked->exchange;
    looked->found.queues = looked->queue;
    looked->found.bindings = looked->binding;
    return OK;
}

void bindings_look(struct http *http, const struct suite *suite,
                   struct topology_verdict *ret_verdict)
{
    struct looked looked = {.exchanges = NULL};
    struct topology_set set;
    struct err err = {""};
    topology_declared(suite, &set);
    *ret_verdict = (struct topology_verdict){.looked = false};
    if (look(http, suite, &set, &looked, &err) == OK) {
        ret_verdict->looked = true;
        if (looked.untold > 0 && !has_no_policies(http, suite))
            ret_verdict->untold = looked.untold;
        topology_compare(set.list, set.count, &looked.found, ret_verdict);
    } else {
        snprintf(ret_verdict->reason, sizeof ret_verdict->reason, "%.150s", err.text);
    }
    ret_verdict->at_mono_ms = clock_mono_ms(clock_system());
    looked_release(&looked);
}

bool bindings_known(const struct suite *suite)
{
    char url[1024];
    broker_external_url(suite, url, sizeof url);
    return !url[0] || access(suite_path(suite, MANAGEMENT_URL_FILE).text, R_OK) == 0;
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
    cJSON_AddNumberToObject(json, "untold", (double)verdict->untold);
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
