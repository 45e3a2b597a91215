#include "cli/chaos_broker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/bindings.h"
#include "cli/broker.h"
#include "cli/chaos_watch.h"
#include "cli/supervisor.h"
#include "cli/topology.h"
#include "common/messaging/amqp_link.h"

/* --- the broker, by the user who may do everything ------------------------------------------- */

/* It may be on its way back from the fault before. */
static bool await_link(const struct suite *suite, struct amqp_link *link, struct chaos_fault *fault)
{
    struct amqp_target target;
    struct err err = {""};
    int64_t end = watch_now_ms() + WATCH_PRESENT_MS;
    for (;;) {
        enum result result = broker_target(suite, &target, &err);
        if (result == OK)
            result = amqp_link_open(&target, "chaos", link, &err);
        if (result == OK)
            return true;
        if (watch_now_ms() >= end) {
            snprintf(fault->why, sizeof fault->why, "no broker: %.90s", err.text);
            return false;
        }
        watch_pause_ms(WATCH_LOOK_MS);
    }
}

/* The node may have to be restarted first (warden.c). */
static bool declare_again(const struct suite *suite, struct err *err)
{
    int64_t end = watch_now_ms() + 3 * (int64_t)WATCH_PRESENT_MS;
    while (topology_deploy_again(suite, NULL, err) != OK) {
        if (watch_now_ms() >= end)
            return false;
        watch_pause_ms(WATCH_LOOK_MS);
    }
    return true;
}

void chaos_broker_heal(const struct suite *suite)
{
    struct err err = {""};
    if (!declare_again(suite, &err))
        printf("the topology cannot be declared: %s\n", err.text);
}

/* --- how it is seen ----------------------------------------------------------------------------- */

struct look {
    struct http *http;
    const struct suite *suite;
    char text[192]; /* the finding */
};

static bool is_missed(const void *context)
{
    const struct look *look = context;
    struct topology_verdict verdict;
    bindings_look(look->http, look->suite, &verdict);
    for (size_t i = 0; i < topology_kept(&verdict); i++)
        if (strcmp(verdict.findings[i].text, look->text) == 0)
            return true;
    return false;
}

/* Missed, held, and put back. */
static void see_and_mend(const struct look *look, struct chaos_fault *fault)
{
    struct err err = {""};
    fault->reached = watch_until(is_missed, look, WATCH_SEEN_MS);
    if (!fault->reached)
        snprintf(fault->why, sizeof fault->why, "nobody misses it");
    watch_pause_ms(fault->hold_ms);
    if (declare_again(look->suite, &err))
        return;
    fault->reached = false;
    snprintf(fault->why, sizeof fault->why, "it does not come back: %.90s", err.text);
}

/* --- bindings ------------------------------------------------------------------------------------- */

/* The log's left out: what is not in the log is never said again. */
static bool may_go(const struct binding_spec *binding)
{
    return strcmp(binding->queue, STREAM_LOG) != 0;
}

/* The one before which there are `skip` others; NULL: there are not so many. Counts them. */
static const struct binding_spec *binding_behind(size_t skip, size_t *ret_count)
{
    *ret_count = 0;
    for (size_t t = 0; t < topology_count; t++)
        for (size_t b = 0; b < topology_tables[t]->binding_count; b++) {
            const struct binding_spec *binding = &topology_tables[t]->bindings[b];
            if (!may_go(binding))
                continue;
            if (*ret_count == skip)
                return binding;
            ++*ret_count;
        }
    return NULL;
}

/* NULL: there is none at all. */
static const struct binding_spec *binding_at(size_t n)
{
    size_t count;
    (void)binding_behind(SIZE_MAX, &count);
    return count > 0 ? binding_behind(n % count, &count) : NULL;
}

void chaos_unbind(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                  char what[CHAOS_WHY_SIZE])
{
    const struct binding_spec *binding = binding_at(fault->target);
    struct look look = {.http = http, .suite = suite};
    struct amqp_link link;
    if (!binding) {
        snprintf(fault->why, sizeof fault->why, "there are no bindings");
        return;
    }
    snprintf(what, CHAOS_WHY_SIZE, "%s -> %s", binding->pattern, binding->queue);
    snprintf(look.text, sizeof look.text, "binding %s is missing", what);
    if (!await_link(suite, &link, fault))
        return;
    amqp_queue_unbind(link.connection, AMQP_CHANNEL, amqp_cstring_bytes(binding->queue),
                      amqp_cstring_bytes(binding->exchange), amqp_cstring_bytes(binding->pattern),
                      amqp_empty_table);
    amqp_link_farewell(&link);
    see_and_mend(&look, fault);
}

/* --- queues --------------------------------------------------------------------------------------- */

void chaos_delete(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                  char what[CHAOS_WHY_SIZE])
{
    const char *queue = chaos_queues[fault->target];
    struct look look = {.http = http, .suite = suite};
    struct amqp_link link;
    snprintf(what, CHAOS_WHY_SIZE, "%s", queue);
    snprintf(look.text, sizeof look.text, "queue %s is missing", queue);
    if (!await_link(suite, &link, fault))
        return;
    const amqp_queue_delete_ok_t *gone =
        amqp_queue_delete(link.connection, AMQP_CHANNEL, amqp_cstring_bytes(queue), 0, 0);
    if (gone)
        snprintf(what, CHAOS_WHY_SIZE, "%s, %u messages", queue, (unsigned)gone->message_count);
    amqp_link_farewell(&link);
    see_and_mend(&look, fault);
}

/* A purge takes what waits, and a consumer at work leaves nothing waiting. */
static void kill_consumers(struct http *http, const struct suite *suite, const char *queue)
{
    struct supervisor_list list;
    if (supervisor_list(http, suite, &list, NULL) != OK)
        return;
    for (size_t t = 0; t < topology_count; t++)
        for (size_t q = 0; q < topology_tables[t]->queue_count; q++) {
            const char *service = topology_tables[t]->service;
            if (strcmp(topology_tables[t]->queues[q].name, queue) != 0)
                continue;
            for (size_t i = 0; i < list.count; i++)
                if (list.programs[i].pid > 0 &&
                    strncmp(list.programs[i].name, service, strlen(service)) == 0)
                    (void)kill(list.programs[i].pid, SIGKILL);
        }
}

struct purging {
    const struct amqp_link *link;
    const char *queue;
    unsigned *lost;
};

static bool has_purged(const void *context)
{
    const struct purging *purging = context;
    const amqp_queue_purge_ok_t *purged = amqp_queue_purge(purging->link->connection, AMQP_CHANNEL,
                                                           amqp_cstring_bytes(purging->queue));
    *purging->lost += purged ? purged->message_count : 0;
    return *purging->lost > 0;
}

/* Its consumers are killed first. Nothing may have been waiting, or the node is of no use just then. */
static bool purge_once(struct http *http, const struct suite *suite, const char *queue,
                       unsigned *lost, struct chaos_fault *fault)
{
    struct amqp_link link;
    if (!await_link(suite, &link, fault))
        return false;
    snprintf(fault->why, sizeof fault->why, "nothing was in it");
    kill_consumers(http, suite, queue);
    const struct purging purging = {&link, queue, lost};
    bool purged = watch_until(has_purged, &purging, WATCH_SEEN_MS / 3);
    amqp_link_farewell(&link);
    return purged;
}

void chaos_purge(struct http *http, const struct suite *suite, struct chaos_fault *fault,
                 char what[CHAOS_WHY_SIZE])
{
    const char *queue = chaos_queues[fault->target];
    unsigned lost = 0;
    int64_t end = watch_now_ms() + 2 * (int64_t)WATCH_PRESENT_MS;
    /* On a busy machine whoever is killed needs longer to be at work again, and only then something waits. */
    for (int64_t pause_ms = WATCH_SEEN_MS / 3; watch_now_ms() < end; pause_ms *= 2) {
        fault->reached = purge_once(http, suite, queue, &lost, fault);
        if (fault->reached)
            break;
        watch_pause_ms(pause_ms);
    }
    snprintf(what, CHAOS_WHY_SIZE, "%s, %u messages", queue, lost);
    if (fault->reached)
        fault->why[0] = '\0';
    watch_pause_ms(fault->hold_ms);
}
