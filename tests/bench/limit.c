/* The yardstick of `make bench`: what this broker can do with the suite's messages when nothing but
 * librabbitmq is in the way. Prints one JSON object.
 *
 *     limit --url amqp://USER:PASSWORD@HOST:PORT/VHOST [chain|intake|alone ...]
 *
 * It declares the suite's topology in that virtual host, which must have none yet, and removes it in
 * the end. Exit codes are those of `warren`; a lost order is 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit_codes.h"
#include "common/base/options.h"
#include "common/messaging/bus.h"
#include "common/messaging/deploy.h"
#include "edge-service/edge.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"
#include "tests/bench/limit_intake.h"

static const struct topology *const tables[] = {&edge_topology, &order_topology, &payment_topology,
                                                &notification_topology};
enum { TABLES = sizeof tables / sizeof tables[0], ALONE_ORDERS = 500, REMOVE_TRIES = 5 };

struct arguments {
    const char *url;
    struct option_list outstanding; /* of intake */
    int64_t seconds;
    bool no_cork;
    struct limit_plan plan;
};

/* --- the ground under it --------------------------------------------------------------- */

static void ground_make(const char *url)
{
    struct err err = {""};
    const struct deploy_options options = {.url = url};
    enum result result = deploy_check(&options, tables, TABLES, &err);
    if (result == OK) {
        fprintf(stderr, "limit: somebody lives in this virtual host; it wants one of its own\n");
        exit(CLI_REFUSED);
    }
    if (result == NOT_FOUND)
        result = deploy_declare(&options, tables, TABLES, NULL, &err);
    if (result != OK) {
        fprintf(stderr, "limit: %s\n", err.text);
        exit(CLI_UNREACHABLE);
    }
}

static enum result queue_remove(const struct amqp_target *target, const char *name, struct err *err)
{
    struct amqp_link link;
    enum result result = amqp_link_open(target, "remove", &link, err);
    if (result != OK)
        return result;
    amqp_queue_delete(link.connection, AMQP_CHANNEL, amqp_cstring_bytes(name), 0, 0);
    result = amqp_link_check(&link, name, err);
    amqp_link_farewell(&link);
    return result;
}

/* A busy broker may fail to end a queue (541), and is then through with the connection, too. */
static void queue_remove_surely(const struct amqp_target *target, const char *name)
{
    struct err err = {""};
    for (int i = 0; i < REMOVE_TRIES; i++)
        if (queue_remove(target, name, &err) == OK)
            return;
    fprintf(stderr, "limit: left behind: %s\n", err.text);
    exit(CLI_UNREACHABLE);
}

static void ground_remove(const struct amqp_target *target)
{
    static const char *const exchanges[] = {EXCHANGE_COMMANDS, EXCHANGE_EVENTS, EXCHANGE_DEAD};
    struct amqp_target patient = *target;
    patient.timeout_ms = 30000;
    for (size_t i = 0; i < TABLES; i++)
        for (size_t q = 0; q < tables[i]->queue_count; q++)
            queue_remove_surely(&patient, tables[i]->queues[q].name);
    queue_remove_surely(&patient, QUEUE_DEAD);
    struct err err = {""};
    struct amqp_link link;
    if (amqp_link_open(&patient, "remove", &link, &err) != OK) {
        fprintf(stderr, "limit: %s\n", err.text);
        exit(CLI_UNREACHABLE);
    }
    for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++)
        amqp_exchange_delete(link.connection, AMQP_CHANNEL, amqp_cstring_bytes(exchanges[i]), 0);
    amqp_link_farewell(&link);
}

/* --- what it prints -------------------------------------------------------------------- */

static int print_chain(const char *name, const struct limit_plan *plan)
{
    struct limit_outcome outcome;
    limit_chain_run(plan, &outcome);
    double orders = outcome.orders > 0 ? (double)outcome.orders : 1;
    printf(",\"%s\":{\"outstanding\":%lld,\"orders\":%lld,\"lost\":%lld,\"doubled\":%lld,"
           "\"facts_per_order\":%.3f,\"seconds\":%.3f,\"per_s\":%.1f,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f,\"cpu_us_per_order\":{",
           name, (long long)plan->outstanding, (long long)outcome.orders, (long long)outcome.lost,
           (long long)outcome.doubled, (double)outcome.facts / orders, outcome.seconds,
           outcome.per_s, outcome.p50_ms, outcome.p99_ms);
    for (size_t i = 0; i < LIMIT_ROLES; i++)
        printf("%s\"%s\":%.1f", i > 0 ? "," : "", outcome.cpu[i].name,
               (double)outcome.cpu[i].us / orders);
    printf("}}");
    return outcome.lost + outcome.doubled > 0 ? CLI_WRONG : CLI_DONE;
}

static int print_alone(const struct limit_plan *plan)
{
    struct limit_plan alone = *plan;
    alone.outstanding = 1;
    alone.warm_up_ms = 0;
    alone.pause_us = 0;
    alone.stock_permille = 2000; /* nothing to put together with */
    if (alone.orders == 0)
        alone.orders = ALONE_ORDERS;
    return print_chain("alone", &alone);
}

static int print_intake(const struct limit_plan *plan, const struct option_list *outstanding)
{
    printf(",\"intake\":[");
    for (size_t i = 0; i < outstanding->count; i++) {
        struct limit_intake intake;
        int64_t count = strtoll(outstanding->items[i], NULL, 10);
        limit_intake_run(plan, count, &intake);
        printf("%s{\"outstanding\":%lld,\"confirmed\":%lld,\"seconds\":%.3f,\"per_s\":%.1f,"
               "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"cpu_us\":%lld}",
               i > 0 ? "," : "", (long long)count, (long long)intake.confirmed, intake.seconds,
               intake.per_s, intake.p50_ms, intake.p99_ms, (long long)intake.cpu_us);
    }
    printf("]");
    return CLI_DONE;
}

static void print_messages(const struct limit_plan *plan)
{
    printf("{\"stock_per_order\":%.3f,\"body_bytes\":{", (double)plan->stock_permille / 1000);
    for (size_t i = 0; i < LIMIT_KINDS; i++)
        printf("%s\"%s\":%zu", i > 0 ? "," : "", plan->messages[i].type,
               plan->messages[i].body.size);
    printf("}");
}

static int run(const struct arguments *arguments, const char *const *words, int count)
{
    static const char *const all[] = {"chain", "intake", "alone"};
    int status = CLI_DONE;
    if (count == 0) {
        words = all;
        count = sizeof all / sizeof all[0];
    }
    print_messages(&arguments->plan);
    for (int i = 0; i < count && status == CLI_DONE; i++) {
        fflush(stdout); /* before it forks */
        if (strcmp(words[i], "chain") == 0)
            status = print_chain("chain", &arguments->plan);
        else if (strcmp(words[i], "intake") == 0)
            status = print_intake(&arguments->plan, &arguments->outstanding);
        else if (strcmp(words[i], "alone") == 0)
            status = print_alone(&arguments->plan);
        else
            status = CLI_USAGE;
    }
    printf("}\n");
    return status;
}

static int read_arguments(struct arguments *arguments, int argc, char **argv)
{
    struct limit_plan *plan = &arguments->plan;
    const struct option table[] = {
        {.name = "url",
         .kind = OPTION_TEXT,
         .value = &arguments->url,
         .metavar = "URL",
         .help = "the broker, with a virtual host of its own"},
        {.name = "seconds",
         .kind = OPTION_INT,
         .value = &arguments->seconds,
         .metavar = "N",
         .help = "of each measurement",
         .min = 1,
         .max = 300},
        {.name = "orders",
         .kind = OPTION_INT,
         .value = &plan->orders,
         .metavar = "N",
         .help = "so many, instead of a time",
         .min = 1,
         .max = 1000000},
        {.name = "outstanding",
         .kind = OPTION_INT,
         .value = &plan->outstanding,
         .metavar = "N",
         .help = "chain: orders on their way at once",
         .min = 1,
         .max = 16384},
        {.name = "intake",
         .kind = OPTION_REPEAT,
         .value = &arguments->outstanding,
         .metavar = "N",
         .help = "intake: publishes without a confirm; several times for several"},
        {.name = "stock",
         .kind = OPTION_INT,
         .value = &plan->stock_permille,
         .metavar = "N",
         .help = "stock.changed for 1,000 orders",
         .min = 0,
         .max = 2000},
        {.name = "prefetch",
         .kind = OPTION_INT,
         .value = &plan->prefetch,
         .metavar = "N",
         .help = "instead of the suite's",
         .min = 1,
         .max = 16384},
        {.name = "pause",
         .kind = OPTION_INT,
         .value = &plan->pause_us,
         .metavar = "US",
         .help = "chain: so long after each round, for larger batches",
         .min = 0,
         .max = 1000000},
        {.name = "no-cork",
         .kind = OPTION_FLAG,
         .value = &arguments->no_cork,
         .help = "send every message at once"},
    };
    const struct options options = {
        .program = "limit",
        .synopsis = "--url URL [chain|intake|alone ...]",
        .about = "Drives the suite's messages through a broker with nothing but librabbitmq.",
        .table = table,
        .count = sizeof table / sizeof table[0],
    };
    int operand = options_parse(&options, argc, argv);
    plan->run_ms = arguments->seconds * 1000;
    plan->cork = !arguments->no_cork;
    if (arguments->outstanding.count == 0)
        arguments->outstanding = (struct option_list){{"1", "32", "128", "512"}, 4};
    return operand;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .seconds = 5,
        .plan = {.outstanding = 1024, .stock_permille = 220, .warm_up_ms = 1000, .pause_us = 5000},
    };
    struct err err = {""};
    int operand = read_arguments(&arguments, argc, argv);
    struct limit_plan *plan = &arguments.plan;
    if (!arguments.url || amqp_target_parse(arguments.url, NULL, NULL, &plan->target, &err) != OK) {
        fprintf(stderr, "limit: %s\n", arguments.url ? err.text : "--url is needed");
        return CLI_USAGE;
    }
    snprintf(plan->target.name, sizeof plan->target.name, "limit");
    limit_messages_make(plan->messages);
    ground_make(arguments.url);
    int status = run(&arguments, (const char *const *)(argv + operand), argc - operand);
    ground_remove(&plan->target);
    limit_messages_release(plan->messages);
    return status;
}
