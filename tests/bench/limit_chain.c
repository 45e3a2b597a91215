#include "tests/bench/limit_chain.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "edge-service/edge.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"
#include "tests/bench/figures.h"
#include "tests/bench/limit_bus.h"

enum { ORDERS_MAX = 1 << 22, PENDING = 1 << 16, PATIENCE_MS = 30000 };

/* --- a service: consume, publish, acknowledge ---------------------------------------- */

struct pending {
    uint64_t tag;
    uint64_t sequence; /* of the last publish for it */
};

struct role {
    struct limit_bus bus;
    int64_t stock_permille, stock_due;
    struct pending pending[PENDING];
    uint64_t head, next;
};

/* What the service says when it hears this; LIMIT_KINDS: nothing. */
static enum limit_kind answer_to(enum limit_kind kind)
{
    switch (kind) {
    case LIMIT_PLACE:
        return LIMIT_PLACED;
    case LIMIT_PLACED:
        return LIMIT_CAPTURED;
    case LIMIT_CAPTURED:
        return LIMIT_CONFIRMED;
    case LIMIT_CONFIRMED:
        return LIMIT_SENT;
    default:
        return LIMIT_KINDS;
    }
}

/* An order moves stock twice: reserved, then sold. */
static void role_stock(struct role *role, uint64_t order)
{
    role->stock_due += role->stock_permille;
    if (role->stock_due < 2000)
        return;
    role->stock_due -= 2000;
    limit_bus_publish(&role->bus, LIMIT_STOCK, order);
}

static void role_delivered(void *context, const struct limit_delivery *delivery)
{
    struct role *role = context;
    enum limit_kind answer = answer_to(delivery->kind);
    if (answer == LIMIT_KINDS || delivery->order == UINT64_MAX)
        limit_die("a message that has no place in the chain");
    if (answer == LIMIT_PLACED || answer == LIMIT_CONFIRMED)
        role_stock(role, delivery->order);
    role->pending[role->next++ % PENDING] =
        (struct pending){delivery->tag, limit_bus_publish(&role->bus, answer, delivery->order)};
}

static void role_acknowledge(struct role *role)
{
    uint64_t tag = 0;
    while (role->head < role->next &&
           role->pending[role->head % PENDING].sequence < role->bus.settled)
        tag = role->pending[role->head++ % PENDING].tag;
    if (tag > 0)
        limit_bus_ack(&role->bus, tag);
}

static void rest(const struct limit_plan *plan)
{
    const struct timespec pause = {.tv_sec = plan->pause_us / 1000000,
                                   .tv_nsec = plan->pause_us % 1000000 * 1000};
    if (plan->pause_us > 0)
        (void)nanosleep(&pause, NULL);
}

static void role_run(const struct limit_plan *plan, const struct topology *table, int ready_fd,
                     int stop_fd)
{
    struct role *role = calloc(1, sizeof *role);
    if (!role)
        abort();
    limit_bus_open(&role->bus, &plan->target, plan->messages);
    role->bus.delivered = role_delivered;
    role->bus.context = role;
    role->bus.cork = plan->cork;
    role->stock_permille = plan->stock_permille;
    limit_bus_consume(&role->bus, &plan->target, table, (int)plan->prefetch);
    if (write(ready_fd, "", 1) != 1)
        limit_die("nobody waits for me");
    bool go_on = true;
    while (go_on) {
        bool any = limit_bus_drain(&role->bus);
        role_acknowledge(role);
        limit_bus_flush(&role->bus);
        if (any)
            rest(plan);
        else
            go_on = limit_bus_wait(&role->bus, stop_fd, 1000);
    }
    limit_bus_close(&role->bus);
    free(role);
}

/* --- the processes ------------------------------------------------------------------- */

struct crew {
    pid_t pids[LIMIT_ROLES - 1];
    int stop_fd; /* they end when it is closed */
};

static const struct topology *const tables[LIMIT_ROLES] = {&order_topology, &payment_topology,
                                                           &notification_topology, &edge_topology};

static void crew_start(const struct limit_plan *plan, struct crew *crew)
{
    int ready[2];
    int stop[2];
    if (pipe(ready) != 0 || pipe(stop) != 0)
        limit_die("no pipes");
    for (size_t i = 0; i < LIMIT_ROLES - 1; i++) {
        crew->pids[i] = fork();
        if (crew->pids[i] < 0)
            limit_die("no process");
        if (crew->pids[i] > 0)
            continue;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(stop[1]);
        role_run(plan, tables[i], ready[1], stop[0]);
        _exit(0);
    }
    close(ready[1]);
    close(stop[0]);
    crew->stop_fd = stop[1];
    char byte;
    for (size_t i = 0; i < LIMIT_ROLES - 1; i++)
        if (read(ready[0], &byte, 1) != 1)
            limit_die("a role has died");
    close(ready[0]);
}

static void crew_end(const struct crew *crew, struct limit_cpu *cpu)
{
    close(crew->stop_fd);
    for (size_t i = 0; i < LIMIT_ROLES - 1; i++) {
        struct rusage usage;
        int status = 1;
        if (wait4(crew->pids[i], &status, 0, &usage) != crew->pids[i] || status != 0)
            limit_die("%s has failed", tables[i]->service);
        cpu[i] = (struct limit_cpu){tables[i]->service, figures_cpu_us(&usage)};
    }
}

/* --- the edge: places orders, reads the stream ---------------------------------------- */

struct edge_role {
    struct limit_bus bus;
    const struct limit_plan *plan;
    int64_t *began_us;      /* by order */
    uint8_t *seen;          /* by order: a bit for each kind */
    int64_t *latency_us;    /* of those that came through in the time that counts */
    int64_t begun, through; /* orders */
    int64_t counted;
    int64_t facts, doubled;
    int64_t from_us, until_us; /* what counts */
    uint64_t tag, acked;
};

static void edge_delivered(void *context, const struct limit_delivery *delivery)
{
    struct edge_role *edge = context;
    edge->tag = delivery->tag;
    edge->facts++;
    if (delivery->order >= (uint64_t)edge->begun)
        limit_die("a fact about an order that was never placed");
    uint8_t bit = (uint8_t)(1U << delivery->kind);
    if (delivery->kind != LIMIT_STOCK && (edge->seen[delivery->order] & bit))
        edge->doubled++;
    edge->seen[delivery->order] |= bit;
    if (delivery->kind != LIMIT_SENT)
        return;
    int64_t now = figures_now_us();
    edge->through++;
    if (now >= edge->from_us && now < edge->until_us)
        edge->latency_us[edge->counted++] = now - edge->began_us[delivery->order];
}

static bool edge_may_begin(const struct edge_role *edge, int64_t now)
{
    if (edge->begun - edge->through >= edge->plan->outstanding || edge->begun == ORDERS_MAX)
        return false;
    return edge->plan->orders > 0 ? edge->begun < edge->plan->orders : now < edge->until_us;
}

static void edge_begin(struct edge_role *edge)
{
    int64_t now = figures_now_us();
    while (edge_may_begin(edge, now)) {
        edge->began_us[edge->begun] = now;
        limit_bus_publish(&edge->bus, LIMIT_PLACE, (uint64_t)edge->begun++);
    }
}

static bool edge_done(const struct edge_role *edge)
{
    bool all_begun = edge->plan->orders > 0 ? edge->begun >= edge->plan->orders
                                            : figures_now_us() >= edge->until_us;
    return all_begun && edge->through >= edge->begun && edge->bus.settled == edge->bus.next;
}

/* Until every order is through, or nothing has come for long. */
static void edge_loop(struct edge_role *edge)
{
    int64_t moved_us = figures_now_us();
    while (!edge_done(edge) && figures_now_us() - moved_us < (int64_t)PATIENCE_MS * 1000) {
        if (limit_bus_drain(&edge->bus)) {
            moved_us = figures_now_us();
            if (edge->tag > edge->acked)
                limit_bus_ack(&edge->bus, edge->tag);
            edge->acked = edge->tag;
            edge_begin(edge);
            limit_bus_flush(&edge->bus);
            rest(edge->plan);
            continue;
        }
        edge_begin(edge);
        limit_bus_flush(&edge->bus);
        (void)limit_bus_wait(&edge->bus, -1, 100);
    }
}

static void edge_judge(struct edge_role *edge, int64_t end_us, struct limit_outcome *outcome)
{
    int64_t until = edge->until_us < end_us ? edge->until_us : end_us;
    figures_sort(edge->latency_us, (size_t)edge->counted);
    outcome->orders = edge->begun;
    outcome->facts = edge->facts;
    outcome->doubled = edge->doubled;
    outcome->seconds = (double)(until - edge->from_us) / 1e6;
    outcome->per_s = (double)edge->counted / outcome->seconds;
    outcome->p50_ms = figures_percentile_ms(edge->latency_us, (size_t)edge->counted, 50);
    outcome->p99_ms = figures_percentile_ms(edge->latency_us, (size_t)edge->counted, 99);
    uint8_t all =
        1U << LIMIT_PLACED | 1U << LIMIT_CAPTURED | 1U << LIMIT_CONFIRMED | 1U << LIMIT_SENT;
    for (int64_t i = 0; i < edge->begun; i++)
        if ((edge->seen[i] & all) != all)
            outcome->lost++;
}

void limit_chain_run(const struct limit_plan *plan, struct limit_outcome *ret_outcome)
{
    struct crew crew;
    struct rusage before;
    struct rusage after;
    struct edge_role edge = {.plan = plan};
    *ret_outcome = (struct limit_outcome){0};
    edge.began_us = calloc(ORDERS_MAX, sizeof *edge.began_us);
    edge.latency_us = calloc(ORDERS_MAX, sizeof *edge.latency_us);
    edge.seen = calloc(ORDERS_MAX, sizeof *edge.seen);
    if (!edge.began_us || !edge.latency_us || !edge.seen)
        abort();
    crew_start(plan, &crew);
    limit_bus_open(&edge.bus, &plan->target, plan->messages);
    edge.bus.delivered = edge_delivered;
    edge.bus.context = &edge;
    edge.bus.cork = plan->cork;
    limit_bus_consume(&edge.bus, &plan->target, &edge_topology, (int)plan->prefetch);

    getrusage(RUSAGE_SELF, &before);
    edge.from_us = figures_now_us() + plan->warm_up_ms * 1000;
    edge.until_us = plan->orders > 0 ? INT64_MAX : edge.from_us + plan->run_ms * 1000;
    edge_loop(&edge);
    int64_t end_us = figures_now_us();
    getrusage(RUSAGE_SELF, &after);

    limit_bus_close(&edge.bus);
    crew_end(&crew, ret_outcome->cpu);
    ret_outcome->cpu[LIMIT_ROLES - 1] =
        (struct limit_cpu){edge_topology.service, figures_cpu_us(&after) - figures_cpu_us(&before)};
    edge_judge(&edge, end_us, ret_outcome);
    free(edge.began_us);
    free(edge.latency_us);
    free(edge.seen);
}
