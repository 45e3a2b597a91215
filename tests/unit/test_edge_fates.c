/* What becomes of a command, as the edge tells it over HTTP: by the command's id, to its owner, and to
 * an administrator who waits for it. */
#include <stdio.h>
#include <string.h>

#include "edge-service/place_request.h"
#include "edge-service/read_model.h"
#include "edge-service/sent.h"
#include "tests/unit/edge_front.h"
#include "tests/unit/unit.h"

#define PLACE                                                                                      \
    "{\"lines\":[{\"sku\":\"MUG-1\",\"quantity\":1}],\"payment\":{\"token\":\"tok_visa\"}}"
#define PRODUCT "{\"name\":\"Mug\",\"unit_price\":1,\"currency\":\"EUR\"}"
#define NOBODYS "0190b0c0-0000-8000-8000-00000000dead"

static struct front front;
static struct answered got;

static int ask(enum who who, const char *method, const char *path, const char *headers,
               const char *body)
{
    return front_answer(
        &front, front_send(&front, &(struct asked){who, method, path, headers, body}), &got);
}

static bool says(const char *text)
{
    bool found = strstr(got.text, text) != NULL;
    if (!found)
        printf("%s is not in: %s\n", text, got.text);
    return found;
}

/* The command's id in the last answer; "" without one. */
static const char *command_id(void)
{
    static char ids[4][UUID_SIZE];
    static unsigned next;
    static const char member[] = "\"command_id\":\"";
    char *id = ids[next++ % 4];
    const char *at = strstr(got.text, member);
    snprintf(id, UUID_SIZE, "%.36s", at ? at + sizeof member - 1 : "");
    return id;
}

static int fate_of(enum who who, const char *id)
{
    char path[80];
    snprintf(path, sizeof path, "/v1/commands/%s", id);
    return ask(who, "GET", path, NULL, NULL);
}

static void tell_done(const char *id, const char *type, const char *about, const char *customer)
{
    struct command_done done = {.command_id = ""};
    snprintf(done.command_id, sizeof done.command_id, "%s", id);
    snprintf(done.command_type, sizeof done.command_type, "%s", type);
    snprintf(done.about, sizeof done.about, "%s", about);
    snprintf(done.customer, sizeof done.customer, "%s", customer);
    bottle_fact(&front.bottle, "/order-service", COMMAND_DONE, id, 1, &command_done_type, &done);
}

static void tell_refused(const char *id, const char *type, const char *about, const char *customer,
                         const char *reason)
{
    struct command_refused refused = {.command_id = ""};
    snprintf(refused.command_id, sizeof refused.command_id, "%s", id);
    snprintf(refused.command_type, sizeof refused.command_type, "%s", type);
    snprintf(refused.about, sizeof refused.about, "%s", about);
    snprintf(refused.customer, sizeof refused.customer, "%s", customer);
    snprintf(refused.reason, sizeof refused.reason, "%s", reason);
    bottle_fact(&front.bottle, "/order-service", COMMAND_REFUSED, id, 1, &command_refused_type,
                &refused);
}

static struct edge_state state(void)
{
    struct edge_state state;
    edge_state(front.bottle.edge, &state);
    return state;
}

static void administrators_learn_the_fate(void)
{
    char location[96];
    front_open(&front, NULL);
    CU_ASSERT_EQUAL(ask(WHO_ADMIN, "PUT", "/v1/products/MUG-1", NULL, PRODUCT), 202);
    const char *product = command_id();
    snprintf(location, sizeof location, "Location: /v1/commands/%s\r\n", product);
    CU_ASSERT(says(location));
    CU_ASSERT_EQUAL(ask(WHO_ADMIN, "POST", "/v1/products/MUG-1/stock", NULL, "{\"delta\":-1}"),
                    202);
    const char *stock = command_id();
    CU_ASSERT_STRING_NOT_EQUAL(product, stock);
    CU_ASSERT_EQUAL(fate_of(WHO_ADMIN, product), 200);
    CU_ASSERT(says("\"type\":\"catalogue.set-product\",\"about\":\"MUG-1\",\"status\":\"accepted\","
                   "\"reason\":null"));
    tell_done(product, CATALOGUE_SET_PRODUCT, "MUG-1", "");
    tell_refused(stock, STOCK_ADJUST, "MUG-1", "", "stock-below-zero");
    front_turns(&front, 3);
    CU_ASSERT_EQUAL(fate_of(WHO_ADMIN, product), 200);
    CU_ASSERT(says("\"status\":\"done\",\"reason\":null"));
    CU_ASSERT_EQUAL(fate_of(WHO_ADMIN, stock), 200);
    CU_ASSERT(says("\"status\":\"refused\",\"reason\":\"stock-below-zero\""));
    CU_ASSERT_EQUAL(state().commands_done, 1);
    CU_ASSERT_EQUAL(state().commands_refused, 1);
    CU_ASSERT_EQUAL(fate_of(WHO_ADMIN, NOBODYS), 404);
    CU_ASSERT(says("urn:warren:problem:no-such-command"));
    CU_ASSERT(says("Retry-After: "));
    CU_ASSERT_EQUAL(fate_of(WHO_ADMIN, "what"), 404);
    front_close(&front);
}

static void a_fate_is_its_owners(void)
{
    char path[80];
    front_open(&front, NULL);
    CU_ASSERT_EQUAL(ask(WHO_A, "POST", "/v1/orders", "Idempotency-Key: k\r\n", PLACE), 202);
    const char *placed = command_id();
    struct id order = edge_order_id(front.customer[0].text, "k");
    snprintf(path, sizeof path, "/v1/orders/%s/cancel", order.text);
    CU_ASSERT_EQUAL(ask(WHO_A, "POST", path, NULL, NULL), 202);
    const char *cancel = command_id();
    CU_ASSERT_EQUAL(ask(WHO_ADMIN, "PUT", "/v1/products/MUG-1", NULL, PRODUCT), 202);
    const char *product = command_id();
    for (int told = 0; told < 2; told++) {
        CU_ASSERT_EQUAL(fate_of(WHO_A, cancel), 200);
        CU_ASSERT(says(told ? "\"reason\":\"not-cancellable\"" : "\"status\":\"accepted\""));
        CU_ASSERT_EQUAL(fate_of(WHO_A, placed), 200);
        CU_ASSERT_EQUAL(fate_of(WHO_ADMIN, product), 200);
        CU_ASSERT_EQUAL(fate_of(WHO_B, cancel), 404);
        CU_ASSERT_EQUAL(fate_of(WHO_B, placed), 404);
        CU_ASSERT_EQUAL(fate_of(WHO_B, product), 404);
        CU_ASSERT_EQUAL(fate_of(WHO_A, product), 404);
        CU_ASSERT_EQUAL(fate_of(WHO_ADMIN, cancel), 404);
        CU_ASSERT_EQUAL(fate_of(WHO_ADMIN, placed), 404);
        tell_refused(cancel, ORDER_CANCEL, order.text, front.customer[0].text, "not-cancellable");
        tell_done(product, CATALOGUE_SET_PRODUCT, "MUG-1", "");
        front_turns(&front, 3);
    }
    front_close(&front);
}

/* The order tells that it was placed; that another has the key, a refusal does. */
static void placing_has_a_fate(void)
{
    front_open(&front, NULL);
    CU_ASSERT_EQUAL(ask(WHO_A, "POST", "/v1/orders", "Idempotency-Key: k\r\n", PLACE), 202);
    const char *placed = command_id();
    CU_ASSERT_EQUAL(fate_of(WHO_A, placed), 200);
    CU_ASSERT(says("\"type\":\"order.place\""));
    CU_ASSERT(says("\"status\":\"accepted\""));
    struct id order = edge_order_id(front.customer[0].text, "k");
    struct place_request request = place_of("MUG-1", 1);
    char hash[HASH_SIZE];
    place_request_hash(&request, hash);
    bottle_placed(&front.bottle, order.text, front.customer[0].text, hash);
    front_turns(&front, 3);
    CU_ASSERT_EQUAL(fate_of(WHO_A, placed), 200);
    CU_ASSERT(says("\"status\":\"done\""));
    CU_ASSERT(says(order.text));
    CU_ASSERT_EQUAL(fate_of(WHO_B, placed), 404);
    CU_ASSERT_EQUAL(ask(WHO_A, "POST", "/v1/orders", "Idempotency-Key: k\r\n", PLACE), 202);
    CU_ASSERT_STRING_EQUAL(command_id(), placed); /* a repeat is the same command */
    CU_ASSERT_EQUAL(ask(WHO_A, "POST", "/v1/orders", "Idempotency-Key: l\r\n", PLACE), 202);
    const char *late = command_id();
    order = edge_order_id(front.customer[0].text, "l");
    bottle_placed(&front.bottle, order.text, front.customer[0].text, NULL); /* another content */
    tell_refused(late, ORDER_PLACE, order.text, front.customer[0].text, "idempotency-key-reused");
    front_turns(&front, 3);
    CU_ASSERT_EQUAL(fate_of(WHO_A, late), 200);
    CU_ASSERT(says("\"status\":\"refused\",\"reason\":\"idempotency-key-reused\""));
    front_close(&front);
}

static void another_content_under_a_key_is_422(void)
{
    static const struct {
        const char *method, *path, *body, *other;
    } table[] = {
        {"POST", "/v1/products/MUG-1/stock", "{\"delta\":1}", "{\"delta\":2}"},
        {"PUT", "/v1/products/MUG-1", PRODUCT,
         "{\"name\":\"Mug\",\"unit_price\":2,\"currency\":\"EUR\"}"},
        {"PUT", "/v1/products/MUG-1", PRODUCT,
         "{\"name\":\"Mug\",\"unit_price\":1,\"currency\":\"EUR\",\"revision\":7}"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        static const char key[] = "Idempotency-Key: k\r\n";
        front_open(&front, NULL);
        CU_ASSERT_EQUAL(ask(WHO_ADMIN, table[i].method, table[i].path, key, table[i].body), 202);
        const char *first = command_id();
        CU_ASSERT_EQUAL(ask(WHO_ADMIN, table[i].method, table[i].path, key, table[i].body), 202);
        CU_ASSERT_STRING_EQUAL(command_id(), first);
        CU_ASSERT(says("Idempotency-Key: k\r\n"));
        CU_ASSERT_EQUAL(ask(WHO_ADMIN, table[i].method, table[i].path, key, table[i].other), 422);
        CU_ASSERT(says("urn:warren:problem:key-reused"));
        CU_ASSERT_EQUAL(ask(WHO_ADMIN, table[i].method, table[i].path, "Idempotency-Key: l\r\n",
                            table[i].other),
                        202);
        CU_ASSERT_EQUAL(ask(WHO_ADMIN, table[i].method, table[i].path, NULL, table[i].other), 202);
        front_close(&front);
    }
}

static int list_with_revision(int64_t revision)
{
    char body[128];
    snprintf(body, sizeof body,
             "{\"name\":\"Mug\",\"unit_price\":1,\"currency\":\"EUR\",\"revision\":%lld}",
             (long long)revision);
    return ask(WHO_ADMIN, "PUT", "/v1/products/MUG-1", NULL, body);
}

static void a_revision_too_far_ahead_is_422(void)
{
    front_open(&front, NULL);
    CU_ASSERT_EQUAL(list_with_revision(front.bottle.clock.wall_ms + REVISION_AHEAD_MAX_MS), 202);
    CU_ASSERT_EQUAL(memory_broker_depth(front.bottle.broker, COMMANDS), 1);
    CU_ASSERT_EQUAL(list_with_revision(front.bottle.clock.wall_ms + REVISION_AHEAD_MAX_MS + 1000),
                    422);
    CU_ASSERT(says("urn:warren:problem:revision-too-far-ahead"));
    CU_ASSERT_EQUAL(list_with_revision(COUNT_MAX), 422);
    CU_ASSERT_EQUAL(memory_broker_depth(front.bottle.broker, COMMANDS), 1);
    front_close(&front);
}

/* The id of the youngest command, as the broker has it. */
struct youngest {
    char id[UUID_SIZE];
};

static void note_id(void *context, const struct bus_event *event)
{
    struct youngest *youngest = context;
    if (event->kind == BUS_DELIVERY)
        snprintf(youngest->id, sizeof youngest->id, "%s", event->delivery->message_id);
}

static void take_command(struct youngest *youngest)
{
    const struct switches switches = switches_all_on();
    const struct bus_subscription subscription = {.queue = COMMANDS, .prefetch = 10};
    struct bus *bus = memory_bus_new(front.bottle.broker, &switches);
    bus_listen(bus, note_id, youngest);
    CU_ASSERT_EQUAL_FATAL(bus_subscribe(bus, &subscription, NULL), OK);
    for (int i = 0; i < 10; i++)
        bus_pump(bus);
    bus_free(bus);
}

static void who_waits_is_told(void)
{
    static const struct {
        const char *reason; /* NULL: done */
        int status;
    } table[] = {
        {NULL, 200},
        {"unknown-product", 404},
        {"stock-below-zero", 409},
        {"stock-too-large", 409},
        {"stale-revision", 409},
        {"idempotency-key-reused", 422},
        {"revision-too-far-ahead", 422},
        {"one-nobody-knows-yet", 409},
    };
    const struct asked asked = {WHO_ADMIN, "POST", "/v1/products/MUG-1/stock", "Prefer: wait=5\r\n",
                                "{\"delta\":1}"};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct youngest youngest = {""};
        front_open(&front, NULL);
        int fd = front_send(&front, &asked);
        take_command(&youngest);
        CU_ASSERT_EQUAL(state().waiters, 1);
        if (table[i].reason)
            tell_refused(youngest.id, STOCK_ADJUST, "MUG-1", "", table[i].reason);
        else
            tell_done(youngest.id, STOCK_ADJUST, "MUG-1", "");
        CU_ASSERT_EQUAL(front_answer(&front, fd, &got), table[i].status);
        CU_ASSERT_STRING_EQUAL(command_id(), youngest.id);
        CU_ASSERT(says("Preference-Applied: wait=5\r\n"));
        CU_ASSERT(says(table[i].reason ? table[i].reason : "\"status\":\"done\""));
        CU_ASSERT_EQUAL(state().waiters, 0);
        front_close(&front);
    }
}

static void who_waits_in_vain_is_told_202(void)
{
    const struct asked asked = {WHO_ADMIN, "PUT", "/v1/products/MUG-1", "Prefer: wait=5\r\n",
                                PRODUCT};
    front_open(&front, NULL);
    int fd = front_send(&front, &asked);
    manual_clock_advance(&front.bottle.clock, 5000);
    CU_ASSERT_EQUAL(front_answer(&front, fd, &got), 202);
    CU_ASSERT(says("\"status\":\"accepted\""));
    front_close(&front);
}

/* What has its fate already does not wait: a repeat under its key. */
static void a_repeat_is_told_at_once(void)
{
    static const char headers[] = "Idempotency-Key: k\r\nPrefer: wait=30\r\n";
    front_open(&front, NULL);
    CU_ASSERT_EQUAL(ask(WHO_ADMIN, "POST", "/v1/products/MUG-1/stock", "Idempotency-Key: k\r\n",
                        "{\"delta\":1}"),
                    202);
    tell_refused(command_id(), STOCK_ADJUST, "MUG-1", "", "unknown-product");
    front_turns(&front, 3);
    CU_ASSERT_EQUAL(ask(WHO_ADMIN, "POST", "/v1/products/MUG-1/stock", headers, "{\"delta\":1}"),
                    404);
    front_close(&front);
}

static int64_t number(const char *sql)
{
    int64_t number = -1;
    CU_ASSERT_EQUAL(store_query_int(front.bottle.keeper, sql, STORE_NO_ARGS, &number, NULL), OK);
    return number;
}

static void a_fate_is_told_once(void)
{
    char before[65], after[65];
    const struct command_done done = {
        .command_id = NOBODYS, .command_type = STOCK_ADJUST, .about = "MUG-1"};
    front_open(&front, NULL);
    bottle_fact(&front.bottle, "/order-service", COMMAND_DONE, NOBODYS, 2, &command_done_type,
                &done); /* there is no second one */
    front_turns(&front, 3);
    CU_ASSERT_EQUAL(state().poison, 1);
    model_hash(&front.bottle, before);
    tell_done(NOBODYS, STOCK_ADJUST, "MUG-1", "");
    front_turns(&front, 3);
    model_hash(&front.bottle, after);
    CU_ASSERT_STRING_NOT_EQUAL(before, after); /* readers can see it */
    tell_done(NOBODYS, STOCK_ADJUST, "MUG-1", "");
    tell_refused(NOBODYS, STOCK_ADJUST, "MUG-1", "", "unknown-product");
    front_turns(&front, 3);
    model_hash(&front.bottle, before);
    CU_ASSERT_STRING_EQUAL(before, after);
    CU_ASSERT_EQUAL(state().duplicates, 2);
    CU_ASSERT_EQUAL(state().commands_done, 0); /* another edge has sent it */
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM expected"), 0);
    CU_ASSERT_EQUAL(fate_of(WHO_ADMIN, NOBODYS), 200);
    front_close(&front);
}

/* Bounds */

static void fates_are_bounded(void)
{
    struct edge_fate fate;
    char id[UUID_SIZE];
    front_open(&front, NULL);
    struct store *store = front.bottle.store;
    CU_ASSERT_EQUAL_FATAL(store_begin(store, NULL), OK);
    for (int i = 0; i < FATES_KEPT + 3; i++) {
        snprintf(id, sizeof id, "%08x-0000-8000-8000-000000000000", (unsigned)i);
        const struct command_fate one = {id, STOCK_ADJUST, "MUG-1", "", "done", ""};
        CU_ASSERT_EQUAL_FATAL(read_model_add_fate(store, &one, NULL), OK);
    }
    CU_ASSERT_EQUAL_FATAL(store_commit(store, NULL), OK);
    CU_ASSERT_EQUAL(number("SELECT count(*) FROM command_fates"), FATES_KEPT);
    CU_ASSERT_EQUAL(read_model_fate(store, "", "00000002-0000-8000-8000-000000000000", &fate, NULL),
                    NOT_FOUND);
    CU_ASSERT_EQUAL(read_model_fate(store, "", "00000003-0000-8000-8000-000000000000", &fate, NULL),
                    OK);
    front_close(&front);
}

static void what_was_sent_is_bounded(void)
{
    struct sent sent;
    struct sent_command command = {.type = STOCK_ADJUST};
    sent_init(&sent, 3, 1000);
    for (int i = 0; i < 5; i++) {
        snprintf(command.node.id, UUID_SIZE, "command-%d", i);
        snprintf(command.request.id, UUID_SIZE, "key-%d", i);
        command.since_mono_ms = 10 * i;
        for (int again = 0; again < 2; again++) {
            struct sent_command *one = sent_begin(&sent, &command);
            CU_ASSERT_PTR_NOT_NULL_FATAL(one);
            one->attempts.asked--;
            sent_confirmed(&sent, one, 10 * i);
            sent_changed(&sent, one);
        }
    }
    CU_ASSERT_EQUAL(sent.table.count, 3);
    CU_ASSERT_EQUAL(sent.requests.count, 3);
    CU_ASSERT_PTR_NULL(sent_find(&sent, "command-1"));
    CU_ASSERT_PTR_NOT_NULL(sent_find(&sent, "command-2"));
    CU_ASSERT(sent_key_is_of_another(&sent, "key-4", "command-3"));
    CU_ASSERT_FALSE(sent_key_is_of_another(&sent, "key-4", "command-4"));
    CU_ASSERT_FALSE(sent_key_is_of_another(&sent, "key-1", "command-4"));
    sent_expire(&sent, 1030);
    CU_ASSERT_EQUAL(sent.table.count, 1);
    CU_ASSERT_PTR_NOT_NULL(sent_find(&sent, "command-4"));
    sent_release(&sent);
}

/* Only what is confirmed makes room. */
static void doubt_makes_no_room(void)
{
    struct sent sent;
    struct sent_command command = {.type = STOCK_ADJUST, .node = {.id = "in doubt"}};
    sent_init(&sent, 1, 1000);
    snprintf(command.request.id, UUID_SIZE, "key");
    struct sent_command *one = sent_begin(&sent, &command);
    CU_ASSERT_PTR_NOT_NULL_FATAL(one);
    one->attempts = (struct attempts){.doubt = true};
    sent_changed(&sent, one);
    snprintf(command.node.id, UUID_SIZE, "another");
    CU_ASSERT_PTR_NULL(sent_begin(&sent, &command));
    sent_confirmed(&sent, one, 0);
    CU_ASSERT_PTR_NOT_NULL(sent_begin(&sent, &command));
    sent_release(&sent);
}

static const struct unit_case cases[] = {
    {"administrators learn the fate", administrators_learn_the_fate},
    {"a fate is its owner's", a_fate_is_its_owners},
    {"placing has a fate", placing_has_a_fate},
    {"another content under a key is 422", another_content_under_a_key_is_422},
    {"a revision too far ahead is 422", a_revision_too_far_ahead_is_422},
    {"who waits is told", who_waits_is_told},
    {"who waits in vain is told 202", who_waits_in_vain_is_told_202},
    {"a repeat is told at once", a_repeat_is_told_at_once},
    {"a fate is told once", a_fate_is_told_once},
    {"fates are bounded", fates_are_bounded},
    {"what was sent is bounded", what_was_sent_is_bounded},
    {"doubt makes no room", doubt_makes_no_room},
};
UNIT_MAIN("edge fates", cases)
