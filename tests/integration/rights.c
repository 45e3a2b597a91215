/* Tries, as every user of a running suite's broker, what that user must not do, and a little of what
 * it must be able to.
 *
 *     rights HOME BASE-PORT
 *
 * What belongs to whom is read from the services' topology tables: each user against every queue and
 * every contract that is not its own. Each try has a connection of its own, for a refusal closes the
 * channel. Refused is only what the broker answers with 403. Exits 1 when a try ends otherwise than
 * it should. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/broker.h"
#include "common/messaging/amqp_link.h"
#include "common/messaging/deploy.h"
#include "common/messaging/topology.h"
#include "contracts/messages.h"
#include "edge-service/edge.h"
#include "notification-service/notification_service.h"
#include "order-service/order_service.h"
#include "payment-service/payment_service.h"

static const struct topology query_topology = {.service = "query-service"}; /* as far as it goes */
static const struct topology *const users[] = {
    &order_topology, &payment_topology, &notification_topology, &edge_topology, &query_topology};
enum { USERS = sizeof users / sizeof users[0], QUEUES_MAX = 32 };

static const char *queues[QUEUES_MAX];
static size_t queue_count;
static struct amqp_target target;
static int tries, wrong;

/* One try: what is asked of the broker, and the words for it. */
enum verb { GET, CONSUME, PURGE, DELETE, DECLARE, BIND, EXCHANGE, UNEXCHANGE, PUBLISH };
struct attempt {
    enum verb verb;
    const char *name; /* queue or exchange */
    const char *key;  /* BIND: exchange; PUBLISH: routing key */
};
static const char *const words[] = {"get from",         "consume from",    "purge",
                                    "delete",           "declare queue",   "bind",
                                    "declare exchange", "delete exchange", "publish to"};

static void ask(amqp_connection_state_t c, const struct attempt *attempt)
{
    amqp_bytes_t name = amqp_cstring_bytes(attempt->name);
    amqp_bytes_t key = amqp_cstring_bytes(attempt->key ? attempt->key : "");
    switch (attempt->verb) {
    case GET:
        amqp_basic_get(c, AMQP_CHANNEL, name, 1);
        break;
    case CONSUME:
        amqp_basic_qos(c, AMQP_CHANNEL, 0, 1, 0);
        amqp_basic_consume(c, AMQP_CHANNEL, name, amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
        break;
    case PURGE:
        amqp_queue_purge(c, AMQP_CHANNEL, name);
        break;
    case DELETE:
        amqp_queue_delete(c, AMQP_CHANNEL, name, 0, 0);
        break;
    case DECLARE:
        amqp_queue_declare(c, AMQP_CHANNEL, name, 0, 1, 0, 0, amqp_empty_table);
        break;
    case BIND:
        amqp_queue_bind(c, AMQP_CHANNEL, name, key, amqp_cstring_bytes("#"), amqp_empty_table);
        break;
    case EXCHANGE:
        amqp_exchange_declare(c, AMQP_CHANNEL, name, amqp_cstring_bytes("topic"), 0, 1, 0, 0,
                              amqp_empty_table);
        break;
    case UNEXCHANGE:
        amqp_exchange_delete(c, AMQP_CHANNEL, name, 0);
        break;
    case PUBLISH: /* is not answered: whatever is asked next is */
        amqp_basic_publish(c, AMQP_CHANNEL, name, key, 0, 0, NULL, amqp_cstring_bytes("{}"));
        amqp_exchange_declare(c, AMQP_CHANNEL, amqp_cstring_bytes("warren.events"),
                              amqp_cstring_bytes("topic"), 1, 1, 0, 0, amqp_empty_table);
        break;
    }
}

static void judge(enum result expected, const struct attempt *attempt)
{
    struct amqp_link link;
    struct err err = {""};
    enum result result = amqp_link_open(&target, "rights", &link, &err);
    tries++;
    if (result == OK) {
        ask(link.connection, attempt);
        result = amqp_link_check(&link, words[attempt->verb], &err);
        amqp_link_drop(&link);
    }
    bool as_expected =
        result == expected && (result == OK || strstr(err.text, "says 403 ") != NULL);
    if (as_expected)
        return;
    wrong++;
    printf("%s: %s '%s' %s: %s\n", target.user, words[attempt->verb], attempt->name,
           attempt->key ? attempt->key : "", result == OK ? "was allowed" : err.text);
}

static void refuse(enum verb verb, const char *name, const char *key)
{
    judge(REFUSED, &(struct attempt){verb, name, key});
}

static bool reads(const struct topology *user, const char *queue)
{
    if (user == &query_topology)
        return strcmp(queue, STREAM_LOG) == 0;
    for (size_t i = 0; i < user->queue_count; i++)
        if (strcmp(user->queues[i].name, queue) == 0)
            return true;
    return false;
}

static bool publishes(const struct topology *user, const char *exchange, const char *type)
{
    for (size_t i = 0; i < user->publication_count; i++)
        if (strcmp(user->publications[i].exchange, exchange) == 0 &&
            strcmp(user->publications[i].type, type) == 0)
            return true;
    return false;
}

static void try_queues(const struct topology *user)
{
    for (size_t i = 0; i < queue_count; i++) {
        const char *queue = queues[i];
        refuse(DELETE, queue, NULL);
        refuse(BIND, queue, EXCHANGE_EVENTS);
        refuse(PUBLISH, "", queue); /* past all exchanges */
        if (reads(user, queue))
            continue; /* who may read a queue may purge it: the broker knows no difference */
        refuse(GET, queue, NULL);
        refuse(CONSUME, queue, NULL);
        refuse(PURGE, queue, NULL);
    }
}

static void try_publishing(const struct topology *user)
{
    static const char *const exchanges[] = {EXCHANGE_COMMANDS, EXCHANGE_EVENTS};
    for (size_t e = 0; e < 2; e++) {
        for (const struct contract *c = contracts; c->type; c++)
            if (!publishes(user, exchanges[e], c->type))
                refuse(PUBLISH, exchanges[e], c->type);
        refuse(PUBLISH, exchanges[e], "made.up");
        refuse(PUBLISH, exchanges[e], "");
    }
    refuse(PUBLISH, EXCHANGE_DEAD, "");
    refuse(PUBLISH, "amq.topic", "x");
    refuse(PUBLISH, "amq.direct", "x");
    refuse(PUBLISH, "amq.fanout", "x");
}

static void try_making(void)
{
    static const char *const exchanges[] = {EXCHANGE_COMMANDS, EXCHANGE_EVENTS, EXCHANGE_DEAD};
    refuse(DECLARE, "its-own", NULL);
    refuse(DECLARE, "", NULL); /* named by the broker */
    refuse(EXCHANGE, "its-own", NULL);
    for (size_t i = 0; i < 3; i++)
        refuse(UNEXCHANGE, exchanges[i], NULL);
}

static void try_needed(const struct topology *user)
{
    if (user == &query_topology)
        judge(OK, &(struct attempt){CONSUME, STREAM_LOG, NULL});
    for (size_t i = 0; i < user->queue_count; i++)
        judge(OK, &(struct attempt){CONSUME, user->queues[i].name, NULL});
}

static void be(const struct suite *suite, const char *user, const char *password, const char *vhost)
{
    struct err err = {""};
    char url[64];
    broker_private_url(suite, url, sizeof url);
    if (amqp_target_parse(url, user, password, &target, &err) != OK) {
        fprintf(stderr, "rights: %s\n", err.text);
        exit(1);
    }
    snprintf(target.vhost, sizeof target.vhost, "%s", vhost);
    target.timeout_ms = 10000;
}

static void stays_outside(const struct suite *suite, const char *user, const char *password,
                          const char *vhost)
{
    struct amqp_link link;
    struct err err = {""};
    be(suite, user, password, vhost);
    tries++;
    if (amqp_link_open(&target, "rights", &link, &err) == REFUSED)
        return;
    wrong++;
    printf("%s is let into '%s', or not refused: %s\n", user, vhost, err.text);
}

static void try_user(const struct suite *suite, const struct topology *user)
{
    struct err err = {""};
    char secret[BROKER_SECRET_SIZE] = "";
    if (broker_secret(suite, user->service, secret, &err) != OK) {
        fprintf(stderr, "rights: %s\n", err.text);
        exit(1);
    }
    stays_outside(suite, user->service, "wrong", BROKER_VHOST);
    stays_outside(suite, user->service, "", BROKER_VHOST);
    stays_outside(suite, user->service, secret, "/");
    be(suite, user->service, secret, BROKER_VHOST);
    try_needed(user);
    try_queues(user);
    try_publishing(user);
    try_making();
}

int main(int argc, char **argv)
{
    struct err err = {""};
    struct suite suite;
    if (argc != 3)
        return 2;
    const struct suite_options options = {.home = argv[1], .base_port = strtol(argv[2], NULL, 10)};
    if (suite_resolve(&options, &suite, &err) != OK)
        return 2;
    for (size_t i = 0; i < USERS; i++)
        for (size_t j = 0; j < users[i]->queue_count; j++)
            queues[queue_count++] = users[i]->queues[j].name;
    queues[queue_count++] = QUEUE_DEAD;
    stays_outside(&suite, "guest", "guest", BROKER_VHOST);
    stays_outside(&suite, "guest", "guest", "/");
    for (size_t i = 0; i < USERS; i++)
        try_user(&suite, users[i]);
    printf("%d tries, %d went wrong\n", tries, wrong);
    return wrong > 0 ? 1 : 0;
}
