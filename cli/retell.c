/* warren retell: has the services say again, byte for byte, what their stores hold of an order. For
 * when a queue was purged or a binding was gone and nobody wants to wait for the services to ask each
 * other. Whoever has heard it knows it and does nothing. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/exit_codes.h"
#include "cli/operator.h"
#include "cli/suite.h"
#include "common/base/clock.h"
#include "common/base/options.h"
#include "common/messaging/bus.h"
#include "common/messaging/envelope.h"
#include "common/store/store.h"
#include "contracts/messages.h"

static struct {
    struct suite_options where;
    const char *order;
    bool all_unsettled;
    int64_t timeout_s;
} arguments = {.timeout_s = 30};

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "order",
     .kind = OPTION_TEXT,
     .value = &arguments.order,
     .metavar = "ID",
     .help = "this order"},
    {.name = "all-unsettled",
     .kind = OPTION_FLAG,
     .value = &arguments.all_unsettled,
     .help = "every order that waits for something, or of whose end notification-service has not "
             "heard"},
    {.name = "timeout",
     .kind = OPTION_INT,
     .value = &arguments.timeout_s,
     .metavar = "SECONDS",
     .help = "how long to wait for the broker to make progress",
     .min = 1,
     .max = 3600},
};

static const struct options options = {
    .program = "warren retell",
    .synopsis = "--order ID | --all-unsettled",
    .about =
        "Has order-, payment- and notification-service say again what they have said about an\n"
        "order. Nothing happens twice by it; what somebody has missed, happens now. Exits 0 when "
        "the\nbroker has taken it, 1 no such order, 4 not known whether it has, 5 nobody there.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

/* --- which orders ------------------------------------------------------------------ */

struct orders {
    char (*ids)[UUID_SIZE];
    size_t count, capacity;
};

static enum result add_order(void *context, const struct store_row *row, struct err *err)
{
    struct orders *orders = context;
    (void)err;
    if (orders->count == orders->capacity) {
        orders->capacity = orders->capacity ? 2 * orders->capacity : 64;
        orders->ids = realloc(orders->ids, orders->capacity * sizeof orders->ids[0]);
        if (!orders->ids)
            abort();
    }
    store_row_copy(row, 0, orders->ids[orders->count++], UUID_SIZE);
    return OK;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void drop_repeats(struct orders *orders)
{
    size_t kept = 0;
    if (orders->count == 0)
        return;
    qsort(orders->ids, orders->count, sizeof orders->ids[0], compare_ids);
    for (size_t i = 1; i < orders->count; i++)
        if (strcmp(orders->ids[kept], orders->ids[i]) != 0 && ++kept != i)
            memcpy(orders->ids[kept], orders->ids[i], UUID_SIZE);
    orders->count = kept + 1;
}

static enum result open_store(const struct suite *suite, const char *file, struct store **ret_store,
                              struct err *err)
{
    struct suite_path path = suite_path(suite, "%s", file);
    if (access(path.text, F_OK) != 0)
        return err_set(err, RETRY, "%s is not there: was the suite ever up?", path.text);
    return store_open_sqlite(path.text, STORE_READ_ONLY, ret_store, err);
}

/* Settlements that notification-service has not heard of lie between the ranges that it has. */
struct unheard {
    struct store *order_store;
    struct orders *orders;
    int64_t next;
};

static enum result find_settled(struct unheard *unheard, int64_t first, int64_t last,
                                struct err *err)
{
    return store_query(
        unheard->order_store, "SELECT order_id FROM settled WHERE number BETWEEN $1 AND $2",
        STORE_ARGS(store_int(first), store_int(last)), add_order, unheard->orders, err);
}

static enum result after_range(void *context, const struct store_row *row, struct err *err)
{
    struct unheard *unheard = context;
    int64_t first = store_row_int(row, 0);
    enum result result = OK;
    if (unheard->next < first)
        result = find_settled(unheard, unheard->next, first - 1, err);
    unheard->next = store_row_int(row, 1) + 1;
    return result;
}

static enum result find_unsettled(struct store *order_store, struct store *notification_store,
                                  struct orders *orders, struct err *err)
{
    struct unheard unheard = {order_store, orders, 1};
    enum result result = store_query(order_store, "SELECT order_id FROM order_open", STORE_NO_ARGS,
                                     add_order, orders, err);
    if (result == OK)
        result = store_query(notification_store, "SELECT first, last FROM heard ORDER BY first",
                             STORE_NO_ARGS, after_range, &unheard, err);
    if (result == OK)
        result = find_settled(&unheard, unheard.next, COUNT_MAX, err);
    drop_repeats(orders);
    return result;
}

static enum result find_one(struct store *order_store, const char *id, struct orders *orders,
                            struct err *err)
{
    enum result result =
        store_query(order_store, "SELECT order_id FROM order_event WHERE order_id = $1 LIMIT 1",
                    STORE_ARGS(store_text(id)), add_order, orders, err);
    if (result == OK && orders->count == 0)
        return err_set(err, NOT_FOUND, "there is no order %s", id);
    return result;
}

static enum result find_orders(const struct suite *suite, struct orders *orders, struct err *err)
{
    struct store *order_store = NULL, *notification_store = NULL;
    enum result result = open_store(suite, "store/order.db", &order_store, err);
    if (result == OK && arguments.all_unsettled)
        result = open_store(suite, "store/notification.db", &notification_store, err);
    if (result == OK)
        result = arguments.all_unsettled
                     ? find_unsettled(order_store, notification_store, orders, err)
                     : find_one(order_store, arguments.order, orders, err);
    store_free(notification_store);
    store_free(order_store);
    return result;
}

/* --- saying so ----------------------------------------------------------------------- */

enum fate { FATE_WAITING, FATE_ON_ITS_WAY, FATE_TAKEN };

/* One command per order and service: the i-th is about order i / COMMANDS. */
struct sending {
    const struct orders *orders;
    const struct clock *clock;
    struct bus *bus;
    unsigned char *fates;
    size_t count, taken;
    size_t next; /* none before it is waiting */
    int64_t progress_ms;
    char reason[160]; /* why the bus is down, or what it would not take */
    bool returned;
};

static size_t commands_per_order(void)
{
    return operator_topology.publication_count;
}

static void settle(struct sending *sending, size_t i, enum bus_fate fate)
{
    const char *type = operator_topology.publications[i % commands_per_order()].type;
    if (i >= sending->count || sending->fates[i] != FATE_ON_ITS_WAY)
        return;
    sending->progress_ms = clock_mono_ms(sending->clock);
    if (fate == FATE_CONFIRMED) {
        sending->fates[i] = FATE_TAKEN;
        sending->taken++;
        return;
    }
    sending->returned = true;
    snprintf(sending->reason, sizeof sending->reason, "the broker does not take %s: %s", type,
             fate == FATE_RETURNED ? "no queue is bound to it" : "its queue is full");
}

static void all_again(struct sending *sending)
{
    for (size_t i = 0; i < sending->count; i++)
        if (sending->fates[i] == FATE_ON_ITS_WAY)
            sending->fates[i] = FATE_WAITING;
    sending->next = 0;
}

static void on_bus_event(void *context, const struct bus_event *event)
{
    struct sending *sending = context;
    if (event->kind == BUS_SETTLED)
        settle(sending, (size_t)event->token - 1, event->fate);
    if (event->kind == BUS_UP)
        sending->reason[0] = '\0';
    if (event->kind != BUS_DOWN)
        return;
    snprintf(sending->reason, sizeof sending->reason, "%s", event->reason ? event->reason : "");
    all_again(sending);
}

/* A new id each time: to the services each is a wish of its own. */
static enum result publish(struct sending *sending, size_t i)
{
    const struct publication_spec *command =
        &operator_topology.publications[i % commands_per_order()];
    const char *order_id = sending->orders->ids[i / commands_per_order()];
    struct envelope envelope = {.id = id_new(sending->clock),
                                .time_ms = clock_wall_ms(sending->clock)};
    struct retell retell;
    struct buf body = {0};
    snprintf(envelope.type, sizeof envelope.type, "%s", command->type);
    snprintf(envelope.source, sizeof envelope.source, "/%s", operator_topology.service);
    snprintf(envelope.subject, sizeof envelope.subject, "%s", order_id);
    memcpy(retell.order_id, order_id, UUID_SIZE);
    envelope_encode(&envelope, command->payload, &retell, &body);
    enum result result = bus_publish(sending->bus,
                                     &(struct bus_message){
                                         .exchange = command->exchange,
                                         .routing_key = command->type,
                                         .id = envelope.id.text,
                                         .traceparent = "",
                                         .time_ms = envelope.time_ms,
                                         .body = body.data,
                                         .size = body.size,
                                     },
                                     i + 1);
    buf_release(&body);
    return result;
}

static void publish_some(struct sending *sending)
{
    for (; sending->next < sending->count; sending->next++) {
        if (sending->fates[sending->next] != FATE_WAITING)
            continue;
        if (publish(sending, sending->next) != OK)
            break;
        sending->fates[sending->next] = FATE_ON_ITS_WAY;
    }
    bus_flush(sending->bus);
}

static void wait_for_bus(struct sending *sending)
{
    int64_t left_ms = bus_deadline_ms(sending->bus) - clock_mono_ms(sending->clock);
    struct pollfd fd = {.fd = bus_fd(sending->bus), .events = POLLIN};
    if (left_ms > 0)
        poll(&fd, 1, left_ms < 200 ? (int)left_ms : 200);
    bus_pump(sending->bus);
}

static enum result send_all(struct sending *sending, struct err *err)
{
    sending->progress_ms = clock_mono_ms(sending->clock);
    while (sending->taken < sending->count && !sending->returned) {
        int64_t since_ms = clock_mono_ms(sending->clock) - sending->progress_ms;
        if (since_ms > arguments.timeout_s * 1000)
            return err_set(err, UNKNOWN, "no word from the broker for %lld s%s%s",
                           (long long)arguments.timeout_s, sending->reason[0] ? ": " : "",
                           sending->reason);
        publish_some(sending);
        wait_for_bus(sending);
    }
    return sending->returned ? err_set(err, RETRY, "%s", sending->reason) : OK;
}

static enum result retell(const struct suite *suite, const struct orders *orders, struct err *err)
{
    struct sending sending = {
        .orders = orders, .clock = clock_system(), .count = orders->count * commands_per_order()};
    sending.fates = calloc(sending.count + 1, 1);
    if (!sending.fates)
        abort();
    enum result result = broker_bus(suite, sending.clock, "warren-retell", &sending.bus, err);
    if (result == OK) {
        bus_listen(sending.bus, on_bus_event, &sending);
        result = send_all(&sending, err);
    }
    bus_free(sending.bus);
    free(sending.fates);
    return result;
}

static void check_arguments(int operands)
{
    const char *wrong = NULL;
    if (operands > 0 || (arguments.order != NULL) == arguments.all_unsettled)
        wrong = "say --order ID or --all-unsettled";
    else if (arguments.order && !id_valid(arguments.order))
        wrong = "--order is no order id";
    if (!wrong)
        return;
    fprintf(stderr, "warren retell: %s\nTry 'warren retell --help'.\n", wrong);
    exit(CLI_USAGE);
}

static enum cli_exit exit_of(enum result result)
{
    return result == OK          ? CLI_DONE
           : result == NOT_FOUND ? CLI_WRONG
           : result == UNKNOWN   ? CLI_UNKNOWN
                                 : CLI_UNREACHABLE;
}

int main(int argc, char **argv)
{
    struct err err = {""};
    struct orders orders = {0};
    check_arguments(argc - options_parse(&options, argc, argv));
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    enum result result = find_orders(&suite, &orders, &err);
    if (result == OK && orders.count > 0)
        result = retell(&suite, &orders, &err);
    if (result == OK)
        printf("%zu %s told again\n", orders.count, orders.count == 1 ? "order" : "orders");
    else
        fprintf(stderr, "warren retell: %s\n", err.text);
    free(orders.ids);
    return (int)exit_of(result);
}
