#include "common/messaging/topology_compare.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STALE_MS = 15000 };

static const char *const fault_names[TOPOLOGY_FAULTS] = {
    [TOPOLOGY_MISSING] = "missing", [TOPOLOGY_OTHER] = "other",     [TOPOLOGY_SURPLUS] = "surplus",
    [TOPOLOGY_LOSSY] = "lossy",     [TOPOLOGY_ALTERED] = "altered",
};

const char *topology_fault_name(enum topology_fault fault)
{
    return fault < TOPOLOGY_FAULTS ? fault_names[fault] : "?";
}

bool topology_is_warning(enum topology_fault fault)
{
    return fault == TOPOLOGY_SURPLUS || fault == TOPOLOGY_ALTERED;
}

size_t topology_kept(const struct topology_verdict *verdict)
{
    return verdict->count < TOPOLOGY_FINDINGS_KEPT ? verdict->count : TOPOLOGY_FINDINGS_KEPT;
}

static void __attribute__((format(printf, 4, 5)))
find(struct topology_verdict *verdict, enum topology_fault fault, const char *queue,
     const char *format, ...)
{
    verdict->wrong += !topology_is_warning(fault);
    if (verdict->count++ >= TOPOLOGY_FINDINGS_KEPT)
        return;
    struct topology_finding *finding = &verdict->findings[verdict->count - 1];
    finding->fault = fault;
    snprintf(finding->queue, sizeof finding->queue, "%s", queue);
    va_list args;
    va_start(args, format);
    vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
    for (char *at = finding->text; *at;
         at++) /* names are the broker's owner's: one line, one field */
        if (iscntrl((unsigned char)*at))
            *at = '?';
}

/* --- what is there ------------------------------------------------------------------------ */

static const struct exchange_spec *exchange_found(const struct topology_found *found,
                                                  const char *name)
{
    for (size_t i = 0; i < found->exchange_count; i++)
        if (strcmp(found->exchanges[i].name, name) == 0)
            return &found->exchanges[i];
    return NULL;
}

static bool queue_found(const struct topology_found *found, const char *name)
{
    for (size_t i = 0; i < found->queue_count; i++)
        if (strcmp(found->queues[i], name) == 0)
            return true;
    return false;
}

static bool binding_among(const struct binding_spec *wanted, const struct binding_spec *list,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].queue, wanted->queue) == 0 &&
            strcmp(list[i].exchange, wanted->exchange) == 0 &&
            strcmp(list[i].pattern, wanted->pattern) == 0)
            return true;
    return false;
}

/* --- what is missing ------------------------------------------------------------------------ */

static void compare_exchanges(const struct topology_found *found, struct topology_verdict *verdict)
{
    for (size_t i = 0; i < topology_exchange_count; i++) {
        const struct exchange_spec *wanted = &topology_exchanges[i];
        const struct exchange_spec *there = exchange_found(found, wanted->name);
        if (!there)
            find(verdict, TOPOLOGY_MISSING, "", "exchange %s is missing", wanted->name);
        else if (strcmp(there->type, wanted->type) != 0)
            find(verdict, TOPOLOGY_OTHER, "", "exchange %s is of type %s, not %s", wanted->name,
                 there->type, wanted->type);
    }
}

static void compare_table(const struct topology *table, const struct topology_found *found,
                          struct topology_verdict *verdict)
{
    for (size_t i = 0; i < table->queue_count; i++)
        if (!queue_found(found, table->queues[i].name))
            find(verdict, TOPOLOGY_MISSING, table->queues[i].name, "queue %s is missing",
                 table->queues[i].name);
    for (size_t i = 0; i < table->binding_count; i++) {
        const struct binding_spec *wanted = &table->bindings[i];
        if (queue_found(found, wanted->queue) && exchange_found(found, wanted->exchange) &&
            !binding_among(wanted, found->bindings, found->binding_count))
            find(verdict, TOPOLOGY_MISSING, wanted->queue, "binding %s -> %s is missing",
                 wanted->pattern[0] ? wanted->pattern : wanted->exchange, wanted->queue);
    }
}

/* --- what makes a queue another one ------------------------------------------------------------- */

static void compare_type(const struct queue_spec *queue, const struct queue_setting *setting,
                         struct topology_verdict *verdict)
{
    const char *wanted = queue->kind == QUEUE_STREAM ? "stream" : "quorum";
    if (strcmp(setting->key, "queue-type") == 0 && strcmp(setting->value, wanted) != 0)
        find(verdict, TOPOLOGY_OTHER, queue->name, "queue %s is of type %s, not %s", queue->name,
             setting->value, wanted);
}

static void compare_setting(const struct queue_spec *queue, const struct topology_found *found,
                            size_t which, enum queue_effect effect,
                            struct topology_verdict *verdict)
{
    const struct queue_setting *setting = &found->settings[which];
    struct queue_judgement judgement =
        queue_judge(queue, found->settings, found->setting_count, which);
    if (judgement.effect == effect)
        find(verdict, effect == QUEUE_LOSES ? TOPOLOGY_LOSSY : TOPOLOGY_ALTERED, queue->name,
             "queue %s has %s %.40s by %.48s: %s", queue->name, setting->key, setting->value,
             setting->by ? setting->by : "its arguments", judgement.what);
}

/* Without what happens when it is full, a full queue drops its oldest messages. */
static void compare_lacks(const struct queue_spec *queue, const struct topology_found *found,
                          enum queue_effect effect, struct topology_verdict *verdict)
{
    const char *key;
    for (size_t n = 0; (key = queue_lacks(queue, found->settings, found->setting_count, n)) != NULL;
         n++) {
        bool loses = strcmp(key, "overflow") == 0;
        if (loses == (effect == QUEUE_LOSES))
            find(verdict, loses ? TOPOLOGY_LOSSY : TOPOLOGY_ALTERED, queue->name,
                 "queue %s has no %s, which its table gives it", queue->name, key);
    }
}

static void compare_settings(const struct topology *table, const struct topology_found *found,
                             enum queue_effect effect, struct topology_verdict *verdict)
{
    for (size_t i = 0; i < table->queue_count; i++) {
        const struct queue_spec *queue = &table->queues[i];
        if (!queue_found(found, queue->name))
            continue;
        for (size_t j = 0; j < found->setting_count; j++) {
            if (strcmp(found->settings[j].queue, queue->name) != 0)
                continue;
            if (effect == QUEUE_LOSES)
                compare_type(queue, &found->settings[j], verdict);
            compare_setting(queue, found, j, effect, verdict);
        }
        compare_lacks(queue, found, effect, verdict);
    }
}

static void compare_all_settings(const struct topology *const *tables, size_t count,
                                 const struct topology_found *found, enum queue_effect effect,
                                 struct topology_verdict *verdict)
{
    if (!found->settings)
        return;
    compare_settings(&topology_common, found, effect, verdict);
    for (size_t i = 0; i < count; i++)
        compare_settings(tables[i], found, effect, verdict);
}

/* --- what is too much ------------------------------------------------------------------------ */

static bool queue_of(const struct topology *table, const char *name)
{
    for (size_t i = 0; i < table->queue_count; i++)
        if (strcmp(table->queues[i].name, name) == 0)
            return true;
    return false;
}

/* A stranger's queue may be bound to our exchanges: that is how the shop is extended. */
static void compare_surplus(const struct topology *const *tables, size_t count,
                            const struct binding_spec *there, struct topology_verdict *verdict)
{
    bool ours = queue_of(&topology_common, there->queue);
    bool wanted = binding_among(there, topology_common.bindings, topology_common.binding_count);
    for (size_t i = 0; i < count; i++) {
        ours = ours || queue_of(tables[i], there->queue);
        wanted = wanted || binding_among(there, tables[i]->bindings, tables[i]->binding_count);
    }
    if (ours && !wanted)
        find(verdict, TOPOLOGY_SURPLUS, there->queue, "binding %s of %s -> %s is in no table",
             there->pattern[0] ? there->pattern : "''", there->exchange, there->queue);
}

void topology_compare(const struct topology *const *tables, size_t count,
                      const struct topology_found *found, struct topology_verdict *verdict)
{
    compare_exchanges(found, verdict);
    compare_table(&topology_common, found, verdict);
    for (size_t i = 0; i < count; i++)
        compare_table(tables[i], found, verdict);
    compare_all_settings(tables, count, found, QUEUE_LOSES, verdict);
    compare_all_settings(tables, count, found, QUEUE_ALTERED, verdict);
    for (size_t i = 0; i < found->binding_count; i++)
        compare_surplus(tables, count, &found->bindings[i], verdict);
}

/* --- as text ---------------------------------------------------------------------------------- */

void topology_verdict_print(const struct topology_verdict *verdict, struct buf *out)
{
    buf_printf(out, "%" PRId64 " %d %zu %zu %s\n", verdict->at_mono_ms, verdict->looked,
               verdict->count, verdict->wrong, verdict->reason);
    for (size_t i = 0; i < topology_kept(verdict); i++) {
        const struct topology_finding *finding = &verdict->findings[i];
        buf_printf(out, "%d\t%s\t%s\n", finding->fault, finding->queue, finding->text);
    }
}

/* From `*at` up to `end`, which is skipped. */
static bool take_field(const char **at, char end, char *out, size_t size)
{
    const char *stop = strchr(*at, end);
    if (!stop || (size_t)(stop - *at) >= size)
        return false;
    memcpy(out, *at, (size_t)(stop - *at));
    out[stop - *at] = '\0';
    *at = stop + 1;
    return true;
}

static bool take_finding(const char **at, struct topology_finding *finding)
{
    char fault[4];
    if (!take_field(at, '\t', fault, sizeof fault) || fault[0] < '0' ||
        fault[0] >= '0' + TOPOLOGY_FAULTS || fault[1] != '\0')
        return false;
    finding->fault = (enum topology_fault)(fault[0] - '0');
    return take_field(at, '\t', finding->queue, sizeof finding->queue) &&
           take_field(at, '\n', finding->text, sizeof finding->text);
}

enum result topology_verdict_read(const char *text, struct topology_verdict *ret_verdict,
                                  struct err *err)
{
    struct topology_verdict verdict = {.looked = false};
    int looked = 0;
    int used = 0;
    const char *at = text;
    if (sscanf(text, "%" SCNd64 " %d %zu %zu%n", &verdict.at_mono_ms, &looked, &verdict.count,
               &verdict.wrong, &used) != 4 ||
        text[used] != ' ')
        return err_set(err, INVALID, "it is no verdict about bindings");
    at += used + 1;
    verdict.looked = looked == 1;
    bool whole = take_field(&at, '\n', verdict.reason, sizeof verdict.reason);
    for (size_t i = 0; whole && i < topology_kept(&verdict); i++)
        whole = take_finding(&at, &verdict.findings[i]);
    if (!whole)
        return err_set(err, INVALID, "the verdict about bindings is cut");
    *ret_verdict = verdict;
    return OK;
}

/* --- readiness --------------------------------------------------------------------------------- */

static void not_checked(struct buf *notes, const char *why)
{
    buf_printf(notes, "bindings: not checked, %s\n", why);
}

bool topology_ready(const struct topology_verdict *verdict, const struct topology *table,
                    int64_t now_mono_ms, struct buf *wrong, struct buf *notes)
{
    bool ready = true;
    if (!verdict) {
        not_checked(notes, "nobody looks at them");
        return true;
    }
    int64_t age_ms = now_mono_ms - verdict->at_mono_ms;
    if (age_ms < 0 || age_ms > STALE_MS) { /* the monotonic clock begins anew with the machine */
        not_checked(notes, "the last look is too long ago");
        return true;
    }
    if (!verdict->looked) {
        not_checked(notes, verdict->reason);
        return true;
    }
    for (size_t i = 0; i < topology_kept(verdict); i++) {
        const struct topology_finding *finding = &verdict->findings[i];
        if (finding->queue[0] && finding->fault != TOPOLOGY_LOSSY &&
            !queue_of(table, finding->queue))
            continue;
        bool warning = topology_is_warning(finding->fault);
        buf_printf(warning ? notes : wrong, "%s%s\n", warning ? "warning: " : "", finding->text);
        ready = ready && warning;
    }
    if (ready)
        buf_printf(notes, "bindings: as declared, %" PRId64 " s ago\n", age_ms / 1000);
    return ready;
}
