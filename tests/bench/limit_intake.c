#include "tests/bench/limit_intake.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "order-service/order_service.h"
#include "tests/bench/figures.h"
#include "tests/bench/limit_bus.h"

static void nothing_comes(void *context, const struct limit_delivery *delivery)
{
    (void)context;
    (void)delivery;
    limit_die("a message came back: order.commands is not bound");
}

/* A bounded queue refuses what is too much: stay below it. */
static int64_t room(void)
{
    int64_t bound = order_topology.queues[0].max_length;
    return bound > 0 ? bound * 9 / 10 : 100000;
}

struct intake {
    struct limit_bus bus;
    int64_t *began_us; /* by sequence number */
    int64_t *latency_us;
    uint64_t judged; /* sequence numbers below it are in latency_us */
};

static void note_confirmed(struct intake *intake)
{
    int64_t now = figures_now_us();
    for (; intake->judged < intake->bus.settled; intake->judged++)
        intake->latency_us[intake->judged - 1] = now - intake->began_us[intake->judged];
}

static void fill(struct intake *intake, int64_t outstanding, int64_t most)
{
    int64_t now = figures_now_us();
    while ((int64_t)(intake->bus.next - intake->bus.settled) < outstanding &&
           (int64_t)intake->bus.next <= most) {
        intake->began_us[intake->bus.next] = now;
        limit_bus_publish(&intake->bus, LIMIT_PLACE, intake->bus.next);
    }
    limit_bus_flush(&intake->bus);
}

static void purge(const struct amqp_target *target)
{
    struct err err = {""};
    struct amqp_link link;
    if (amqp_link_open(target, "purge", &link, &err) != OK)
        limit_die("%s", err.text);
    amqp_queue_purge(link.connection, AMQP_CHANNEL,
                     amqp_cstring_bytes(order_topology.queues[0].name));
    if (amqp_link_check(&link, "purge", &err) != OK)
        limit_die("%s", err.text);
    amqp_link_farewell(&link);
}

void limit_intake_run(const struct limit_plan *plan, int64_t outstanding,
                      struct limit_intake *ret_intake)
{
    int64_t most = room();
    struct intake intake = {.judged = 1};
    intake.began_us = calloc((size_t)most + 2, sizeof *intake.began_us);
    intake.latency_us = calloc((size_t)most + 2, sizeof *intake.latency_us);
    if (!intake.began_us || !intake.latency_us)
        abort();
    limit_bus_open(&intake.bus, &plan->target, plan->messages);
    intake.bus.delivered = nothing_comes;
    intake.bus.cork = plan->cork;

    struct rusage before;
    struct rusage after;
    getrusage(RUSAGE_SELF, &before);
    int64_t from_us = figures_now_us();
    int64_t until_us = from_us + plan->run_ms * 1000;
    while (figures_now_us() < until_us && (int64_t)intake.bus.settled <= most) {
        fill(&intake, outstanding, most);
        if (!limit_bus_drain(&intake.bus))
            (void)limit_bus_wait(&intake.bus, -1, 100);
        note_confirmed(&intake);
    }
    double seconds = (double)(figures_now_us() - from_us) / 1e6;
    getrusage(RUSAGE_SELF, &after);
    int64_t count = (int64_t)intake.judged - 1;
    figures_sort(intake.latency_us, (size_t)count);
    *ret_intake = (struct limit_intake){
        .confirmed = count,
        .seconds = seconds,
        .per_s = (double)count / seconds,
        .p50_ms = figures_percentile_ms(intake.latency_us, (size_t)count, 50),
        .p99_ms = figures_percentile_ms(intake.latency_us, (size_t)count, 99),
        .cpu_us = figures_cpu_us(&after) - figures_cpu_us(&before),
    };
    limit_bus_close(&intake.bus);
    free(intake.began_us);
    free(intake.latency_us);
    purge(&plan->target);
}
