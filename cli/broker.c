#include "cli/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/definitions.h"
#include "cli/files.h"
#include "cli/guests.h"
#include "cli/rights.h"
#include "common/base/digest.h"
#include "common/messaging/amqp_link.h"
#include "common/messaging/bus_amqp.h"
#include "common/messaging/deploy.h"

/* Who has a password. What a service may do follows from its topology; `deploy` declares. */
static const char *const users[] = {BROKER_DEPLOY_USER, "edge-service",         "order-service",
                                    "payment-service",  "notification-service", "query-service"};
enum { USER_COUNT = sizeof users / sizeof users[0] };

#define BROKER_NODE "warren@localhost"

static void random_hex(const struct clock *clock, char *hex, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint64_t word = clock_random64(clock);
        hex_encode(&word, sizeof word, hex + i * 2 * sizeof word);
    }
}

enum result broker_secret(const struct suite *suite, const char *user,
                          char secret[BROKER_SECRET_SIZE], struct err *err)
{
    return file_read(suite_path(suite, "secrets/%s", user).text, secret, BROKER_SECRET_SIZE, err);
}

enum result broker_make_secrets(const struct suite *suite, const struct clock *clock,
                                struct err *err)
{
    enum result result = directory_make(suite_path(suite, "secrets").text, err);
    for (size_t i = 0; i < USER_COUNT && result == OK; i++) {
        char secret[BROKER_SECRET_SIZE];
        result = broker_secret(suite, users[i], secret, err);
        if (result != NOT_FOUND)
            continue;
        random_hex(clock, secret, 4);
        result =
            file_write(suite_path(suite, "secrets/%s", users[i]).text, secret, strlen(secret), err);
    }
    return result;
}

void broker_private_url(const struct suite *suite, char *url, size_t size)
{
    snprintf(url, size, "amqp://127.0.0.1:%d/" BROKER_VHOST, suite->base_port + PORT_AMQP);
}

void broker_external_url(const struct suite *suite, char *url, size_t size)
{
    if (file_read(suite_path(suite, "secrets/amqp-url").text, url, size, NULL) != OK)
        url[0] = '\0';
}

enum result broker_target(const struct suite *suite, struct amqp_target *ret_target,
                          struct err *err)
{
    char url[1024];
    char secret[BROKER_SECRET_SIZE] = "";
    broker_external_url(suite, url, sizeof url);
    enum result result = OK;
    if (!url[0]) {
        broker_private_url(suite, url, sizeof url);
        result = broker_secret(suite, BROKER_DEPLOY_USER, secret, err);
    }
    if (result == OK)
        result = amqp_target_parse(url, BROKER_DEPLOY_USER, secret, ret_target, err);
    if (result == OK) {
        snprintf(ret_target->name, sizeof ret_target->name, "warren");
        if (file_read(suite_path(suite, "secrets/amqp-ca").text, ret_target->ca_file,
                      sizeof ret_target->ca_file, NULL) != OK)
            ret_target->ca_file[0] = '\0';
    }
    return result;
}

enum result broker_bus(const struct suite *suite, const struct clock *clock, const char *name,
                       struct bus **ret_bus, struct err *err)
{
    struct amqp_target target;
    enum result result = broker_target(suite, &target, err);
    if (result != OK)
        return result;
    const struct bus_amqp_options options = {
        .target = &target,
        .connection_name = name,
        .clock = clock,
        .switches = switches_all_on(),
    };
    result = bus_amqp_new(&options, ret_bus, err);
    explicit_bzero(&target, sizeof target);
    return result;
}

/* A passive declaration needs no right, and any broker answers it. */
enum result broker_dead_letters(const struct amqp_link *link, int64_t *ret_count, struct err *err)
{
    const amqp_queue_declare_ok_t *answer =
        amqp_queue_declare(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(QUEUE_DEAD), 1, 0, 0,
                           0, amqp_empty_table);
    enum result result = amqp_link_check(link, QUEUE_DEAD, err);
    if (result == OK)
        *ret_count = answer->message_count;
    return result;
}

static enum result add_user(const struct suite *suite, const struct clock *clock, cJSON *document,
                            const char *user, const char *tag, struct err *err)
{
    char secret[BROKER_SECRET_SIZE];
    enum result result = broker_secret(suite, user, secret, err);
    if (result == OK)
        definitions_user(document, clock, user, secret, tag);
    return result;
}

static void add_topic(cJSON *document, const struct topology *table, const char *exchange)
{
    struct buf write = {0};
    rights_publish(table, exchange, &write);
    definitions_topic(document, BROKER_VHOST, table->service, exchange,
                      &(struct definitions_rights){.write = write.data, .read = "^$"});
    buf_release(&write);
}

/* Services declare nothing. What one may publish is bounded twice: by exchange in its permission, by
 * routing key in the topic permissions. */
static void add_rights(cJSON *document, const struct topology *table)
{
    struct buf write = {0};
    struct buf read = {0};
    rights_write(table, &write);
    rights_read(table, &read);
    definitions_permission(document, BROKER_VHOST, table->service,
                           &(struct definitions_rights){"^$", write.data, read.data});
    add_topic(document, table, EXCHANGE_COMMANDS);
    add_topic(document, table, EXCHANGE_EVENTS);
    buf_release(&write);
    buf_release(&read);
}

/* The node reads the files of a folder one after the other. Topic permissions are in the second, for their
 * exchange must be there: RabbitMQ 4.0 and 4.1 with Khepri would answer 541 to every declaration of an
 * exchange whose permissions came first. */
static enum result write_in_turn(const struct suite *suite, cJSON *document, struct err *err)
{
    static const char later[] = "topic_permissions";
    cJSON *topics = cJSON_CreateObject();
    cJSON_AddItemToObject(topics, later, cJSON_DetachItemFromObject(document, later));
    enum result result = directory_make(suite_path(suite, "broker/definitions").text, err);
    if (result == OK)
        result = definitions_write(document,
                                   suite_path(suite, "broker/definitions/1-rights.json").text, err);
    if (result == OK)
        result = definitions_write(topics,
                                   suite_path(suite, "broker/definitions/2-topics.json").text, err);
    cJSON_Delete(topics);
    return result;
}

enum result broker_write_definitions(const struct suite *suite, const struct clock *clock,
                                     const struct topology *const *tables, size_t count,
                                     struct err *err)
{
    static const struct definitions_rights all = {".*", ".*", ".*"};
    cJSON *document = definitions_new();
    definitions_vhost(document, BROKER_VHOST);
    enum result result = add_user(suite, clock, document, BROKER_DEPLOY_USER, "monitoring", err);
    definitions_permission(document, BROKER_VHOST, BROKER_DEPLOY_USER, &all);
    definitions_exchange(document, BROKER_VHOST, EXCHANGE_COMMANDS);
    definitions_exchange(document, BROKER_VHOST, EXCHANGE_EVENTS);
    for (size_t i = 0; i < count && result == OK; i++) {
        result = add_user(suite, clock, document, tables[i]->service, "", err);
        add_rights(document, tables[i]);
    }
    if (result == OK)
        result = guests_define(suite, clock, document, err);
    if (result == OK)
        result = write_in_turn(suite, document, err);
    cJSON_Delete(document);
    return result;
}

static enum result write_config(const struct suite *suite, struct err *err)
{
    struct buf text = {0};
    int base = suite->base_port;
    buf_printf(&text, "# Written by warren up; changes are lost.\n");
    buf_printf(&text, "listeners.tcp.1 = 127.0.0.1:%d\n", base + PORT_AMQP);
    buf_printf(&text, "management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = %d\n",
               base + PORT_MANAGEMENT);
    buf_printf(&text, "prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = %d\n",
               base + PORT_BROKER_METRICS);
    buf_text(&text, "log.console = true\nlog.console.level = info\nlog.file = false\n"
                    "disk_free_limit.absolute = 200MB\n"
                    "raft.wal_max_size_bytes = 67108864\n");
    buf_text(&text, "load_definitions = broker/definitions\n");
    enum result result =
        file_write(suite_path(suite, "broker/rabbitmq.conf").text, text.data, text.size, err);
    buf_release(&text);
    return result;
}

/* The logs of writes have their room from the beginning: on a full disk they can still be written, and what
 * queues and the stream are is not forgotten (docs/adr/0018). */
static enum result write_advanced_config(const struct suite *suite, struct err *err)
{
    static const char text[] = "[{ra, [{wal_pre_allocate, true}]}].\n";
    return file_write(suite_path(suite, "broker/advanced.config").text, text, strlen(text), err);
}

/* Erlang looks "localhost" up before it listens, also where there is no resolver and no /etc/hosts. */
static enum result write_inetrc(const struct suite *suite, struct err *err)
{
    static const char text[] = "{host, {127,0,0,1}, [\"localhost\"]}.\n{lookup, [file, native]}.\n";
    return file_write(suite_path(suite, "broker/inetrc").text, text, strlen(text), err);
}

/* The node and its tools know each other by this; Erlang's own would be drawn from a small space. */
static enum result write_cookie(const struct suite *suite, const struct clock *clock,
                                struct err *err)
{
    char cookie[49];
    struct suite_path path = suite_path(suite, "broker/home/.erlang.cookie");
    if (access(path.text, F_OK) == 0)
        return OK;
    random_hex(clock, cookie, 3);
    return file_write(path.text, cookie, strlen(cookie), err);
}

enum result broker_configure(const struct suite *suite, const struct clock *clock,
                             const struct topology *const *tables, size_t count, struct err *err)
{
    static const char plugins[] = "[rabbitmq_management,rabbitmq_prometheus].\n";
    enum result result = directory_make(suite_path(suite, "broker").text, err);
    if (result == OK)
        result = directory_make(suite_path(suite, "broker/home").text, err);
    if (result == OK)
        result = write_cookie(suite, clock, err);
    if (result == OK)
        result = write_config(suite, err);
    if (result == OK)
        result = write_advanced_config(suite, err);
    if (result == OK)
        result = write_inetrc(suite, err);
    if (result == OK)
        result = broker_write_definitions(suite, clock, tables, count, err);
    if (result == OK)
        result = file_write(suite_path(suite, "broker/enabled_plugins").text, plugins,
                            strlen(plugins), err);
    return result;
}

static void add_number(void (*add)(void *, const char *, const char *), void *context,
                       const char *name, int number)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    add(context, name, text);
}

bool broker_streams_registered(const struct suite *suite)
{
    static const char coordinator[] = "rabbit_stream_coordinator";
    struct buf file = {0};
    struct suite_path path =
        suite_path(suite, "broker/mnesia/" BROKER_NODE "/coordination/" BROKER_NODE "/names.dets");
    bool found = false;
    if (file_load(path.text, &file, NULL) == OK)
        for (size_t at = 0; !found && at + sizeof coordinator - 1 <= file.size; at++)
            found = memcmp(file.data + at, coordinator, sizeof coordinator - 1) == 0;
    buf_release(&file);
    return found;
}

void broker_environment(const struct suite *suite,
                        void (*add)(void *context, const char *name, const char *value),
                        void *context)
{
    static const char *const paths[][2] = {
        {"HOME", "broker/home"},
        {"RABBITMQ_LOG_BASE", "broker/log"},
        {"RABBITMQ_GENERATED_CONFIG_DIR", "broker/schema"},
        {"RABBITMQ_PID_FILE", "run/broker.pid"},
        {"RABBITMQ_CONFIG_FILE", "broker/rabbitmq.conf"},
        {"RABBITMQ_ADVANCED_CONFIG_FILE", "broker/advanced.config"},
        {"RABBITMQ_ENABLED_PLUGINS_FILE", "broker/enabled_plugins"},
        {"ERL_INETRC", "broker/inetrc"},
    };
    struct suite_path home = suite_plain_home(suite);
    struct suite_path data;
    /* It runs in the home: no name of a home has to pass through the shell scripts and Erlang. */
    snprintf(data.text, sizeof data.text, "%.900s/broker/mnesia", home.text);
    add(context, "RABBITMQ_MNESIA_BASE", data.text);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        add(context, paths[i][0], paths[i][1]);
    add(context, "RABBITMQ_CONF_ENV_FILE", "/dev/null");
    /* The same in every suite, whatever its ports: queues belong to a node by name. An epmd of its
     * own keeps two suites apart. */
    add(context, "RABBITMQ_NODENAME", BROKER_NODE);
    add(context, "RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1");
    add(context, "ERL_EPMD_ADDRESS", "127.0.0.1");
    add_number(add, context, "RABBITMQ_NODE_PORT", suite->base_port + PORT_AMQP);
    add_number(add, context, "RABBITMQ_DIST_PORT", suite->base_port + PORT_DISTRIBUTION);
    add_number(add, context, "ERL_EPMD_PORT", suite->base_port + PORT_EPMD);
    add_number(add, context, "RABBITMQ_CTL_DIST_PORT_MIN", suite->base_port + PORT_CTL_MIN);
    add_number(add, context, "RABBITMQ_CTL_DIST_PORT_MAX", suite->base_port + PORT_CTL_MAX);
    /* Without it the node also listens to other machines; and its schedulers need not spin. */
    add(context, "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
        "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false "
        "+sbwt none +sbwtdcpu none +sbwtdio none");
    add(context, "RABBITMQ_CTL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}");
    /* Makes the start script exec the node, so that a signal to the pid reaches it. */
    add(context, "RUNNING_UNDER_SYSTEMD", "true");
}
