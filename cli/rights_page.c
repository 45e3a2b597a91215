#include "cli/rights_page.h"

#include "cli/rights.h"
#include "cli/topology.h"
#include "common/messaging/bus.h"
#include "common/messaging/deploy.h"

/* The last has rights only: another one's queue. */
static size_t declared(void)
{
    return topology_count - 1;
}

static void code(struct buf *out, const char *before, const struct buf *text, const char *after)
{
    buf_printf(out, "%s'%s'%s", before, text->data, after);
}

static void permissions(struct buf *out, const char *user, const struct buf *configure,
                        const struct buf *write, const struct buf *read)
{
    buf_printf(out, "    rabbitmqctl set_permissions -p VHOST %s \\\n", user);
    code(out, "        ", configure, " \\\n");
    code(out, "        ", write, " \\\n");
    code(out, "        ", read, "\n");
}

/* A bar of a pattern would end a cell: rights are printed as commands and not as a table. */
static void print_deploy(struct buf *out)
{
    struct buf configure = {0}, write = {0}, read = {0};
    rights_to_configure(topology_tables, declared(), &configure);
    rights_to_bind(topology_tables, declared(), &write);
    rights_to_bind_to(topology_tables, declared(), &read);
    buf_text(out, "## Who declares\n\n"
                  "`warren up` and `warren deploy` declare what is missing. For that a user needs "
                  "(configure, write, read):\n\n");
    permissions(out, "DEPLOY", &configure, &write, &read);
    buf_text(out, "\n"
                  "With the tag `monitoring` the same user reads the management interface, for "
                  "`--management-url`.\n\n");
    buf_release(&configure);
    buf_release(&write);
    buf_release(&read);
}

static void print_one_for_all(struct buf *out)
{
    struct buf none = {0}, write = {0}, read = {0};
    buf_text(&none, "^$");
    rights_write_all(topology_tables, declared(), &write);
    rights_read_all(topology_tables, declared(), &read);
    buf_text(out,
             "## Who works\n\n"
             "With `--amqp-url` all services go by the user of that URL. When everything below is "
             "there\n"
             "already, it needs no right to declare anything:\n\n");
    permissions(out, "WORK", &none, &write, &read);
    buf_text(out,
             "\n"
             "`warren up` says then that it has compared nothing, and cannot ask for bindings. "
             "The user of `DEPLOY`\n"
             "has to be the same one, or to have declared everything before: see the end of "
             "this page.\n\n");
    buf_release(&none);
    buf_release(&write);
    buf_release(&read);
}

static void print_topics(struct buf *out, const struct topology *table)
{
    static const char *const exchanges[] = {EXCHANGE_COMMANDS, EXCHANGE_EVENTS};
    for (size_t i = 0; i < 2; i++) {
        struct buf keys = {0};
        rights_publish(table, exchanges[i], &keys);
        buf_printf(out, "    rabbitmqctl set_topic_permissions -p VHOST %s %s \\\n", table->service,
                   exchanges[i]);
        code(out, "        ", &keys, " '^$'\n");
        buf_release(&keys);
    }
}

static void print_services(struct buf *out)
{
    struct buf none = {0};
    buf_text(&none, "^$");
    buf_text(out,
             "## A user for each service\n\n"
             "So the suite's own broker is set up: a service that is taken over can do no more "
             "than its own\n"
             "work. Topic permissions come after the exchanges: RabbitMQ 4.0 and 4.1 with "
             "Khepri answer 541 to\n"
             "the declaration of an exchange whose topic permissions were there before it.\n\n");
    for (size_t i = 0; i < topology_count; i++) {
        struct buf write = {0}, read = {0};
        rights_write(topology_tables[i], &write);
        rights_read(topology_tables[i], &read);
        permissions(out, topology_tables[i]->service, &none, &write, &read);
        print_topics(out, topology_tables[i]);
        buf_release(&write);
        buf_release(&read);
    }
    buf_text(out, "\n");
    buf_release(&none);
}

static void print_queues(struct buf *out, const struct topology *table)
{
    for (size_t i = 0; i < table->queue_count; i++) {
        buf_printf(out, "| `%s` | `", table->queues[i].name);
        deploy_print_arguments(&table->queues[i], out);
        buf_printf(out, "` | %s |\n", table->service);
    }
}

static void print_bindings(struct buf *out, const struct topology *table)
{
    for (size_t i = 0; i < table->binding_count; i++)
        buf_printf(out, "| `%s` | `%s` | `%s` |\n", table->bindings[i].queue,
                   table->bindings[i].exchange, table->bindings[i].pattern);
}

static void print_topology(struct buf *out)
{
    buf_text(out,
             "## What must be there\n\n"
             "All durable, none deleted by itself. A user who may declare makes it; for others "
             "somebody makes it\n"
             "beforehand. A policy that changes it: [operations](operations.md).\n\n"
             "| exchange | type |\n|---|---|\n");
    for (size_t i = 0; i < topology_exchange_count; i++)
        buf_printf(out, "| `%s` | %s |\n", topology_exchanges[i].name, topology_exchanges[i].type);
    buf_text(out, "| `warren.suite`, `warren.suite.ID` | fanout, internal: whose broker it is "
                  "([ADR 30](adr/0030-a-suite-has-an-id.md)); without them a user who may not "
                  "declare is let work |\n"
                  "\n| queue | arguments | of |\n|---|---|---|\n");
    print_queues(out, &topology_common);
    for (size_t i = 0; i < declared(); i++)
        print_queues(out, topology_tables[i]);
    buf_text(out, "\n| queue | bound to | by |\n|---|---|---|\n");
    print_bindings(out, &topology_common);
    for (size_t i = 0; i < declared(); i++)
        print_bindings(out, topology_tables[i]);
}

void rights_page(struct buf *out)
{
    buf_text(out,
             "# Rights at a broker of your own\n\n"
             "`warren deploy --rights` prints this page; `scripts/lint/rights` holds it to the "
             "topology tables.\n"
             "`VHOST`, `DEPLOY` and `WORK` are yours to name.\n\n");
    print_deploy(out);
    print_one_for_all(out);
    print_services(out);
    print_topology(out);
}
