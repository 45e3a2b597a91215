#include "load/watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cli/http.h"
#include "load/look.h"

struct watch {
    struct suite suite;
    pthread_t thread;
    _Atomic int64_t log_offset;
    pthread_mutex_t lock; /* guards what is below */
    pthread_cond_t wake;
    bool ending;
    struct look look; /* the last one */
};

static void add_seconds(struct timespec *time, time_t seconds)
{
    time->tv_sec += seconds;
}

static void *watch_run(void *context)
{
    struct watch *watch = context;
    struct looker *looker = looker_new(&watch->suite);
    struct look look = {0};
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&watch->lock);
    while (!watch->ending) {
        pthread_mutex_unlock(&watch->lock);
        looker_look(looker, &watch->log_offset, &look);
        pthread_mutex_lock(&watch->lock);
        watch->look = look;
        add_seconds(&next, 1);
        while (!watch->ending &&
               pthread_cond_timedwait(&watch->wake, &watch->lock, &next) != ETIMEDOUT)
            continue;
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > next.tv_sec)
            next = now; /* a look took long: no hurry to make up for it */
    }
    pthread_mutex_unlock(&watch->lock);
    looker_free(looker);
    return NULL;
}

enum result watch_start(const struct suite *suite, struct watch **ret_watch, struct err *err)
{
    pthread_condattr_t monotonic;
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        abort();
    watch->suite = *suite;
    look_clear(&watch->look);
    atomic_init(&watch->log_offset, -1);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int status = pthread_create(&watch->thread, NULL, watch_run, watch);
    if (status != 0) {
        free(watch);
        return err_set(err, FATAL, "thread: %s", strerror(status));
    }
    *ret_watch = watch;
    return OK;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->ending = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

void watch_log_offset(struct watch *watch, int64_t offset)
{
    atomic_store_explicit(&watch->log_offset, offset, memory_order_relaxed);
}

void watch_sample(struct watch *watch, struct load_series *series, struct load_sample *sample)
{
    pthread_mutex_lock(&watch->lock);
    const struct look *look = &watch->look;
    for (size_t i = 0; i < look->queue_count; i++) {
        size_t at = load_name_index(&series->queues, LOAD_QUEUES_MAX, look->queues[i].name);
        if (at < LOAD_QUEUES_MAX) {
            sample->queue_ready[at] = look->queues[i].ready;
            sample->queue_unacked[at] = look->queues[i].unacked;
        }
    }
    for (size_t i = 0; i < look->service_count; i++) {
        size_t at = load_name_index(&series->services, LOAD_SERVICES_MAX, look->services[i].name);
        if (at < LOAD_SERVICES_MAX)
            sample->outbox[at] = look->services[i].outbox;
    }
    for (size_t i = 0; i < look->process_count; i++) {
        size_t at =
            load_name_index(&series->processes, LOAD_PROCESSES_MAX, look->processes[i].name);
        if (at < LOAD_PROCESSES_MAX) {
            sample->cpu_milli[at] = look->processes[i].cpu_milli;
            sample->rss_bytes[at] = look->processes[i].rss_bytes;
        }
    }
    sample->projection_lag = look->projection_lag;
    pthread_mutex_unlock(&watch->lock);
}

int64_t watch_own_cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}
